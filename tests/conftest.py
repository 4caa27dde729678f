"""What several tests share: the built book and the browser."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
EPOCH = "1767225600"   # any fixed day


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where CI is set, a browser test that was skipped has failed."""
    report = yield
    if report.skipped and "browser" in item.keywords and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


def copy_sources(folder):
    """What a clone with the uncommitted changes would hold."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        files = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    else:   # an archive without .git
        files = ["_config.yml", "_toc.yml", "index.ipynb"] + [
            str(path.relative_to(ROOT)) for part in ("book", "chapters")
            for path in (ROOT / part).rglob("*") if path.is_file()]
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)


def run_build(folder, log, hash_seed):
    """Build the book in a folder, with a fixed clock."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": hash_seed,
                   "NO_COLOR": "1"}
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".",
               "-W", "-n", "--keep-going"]
    with open(log, "w") as out:
        return subprocess.run(command, cwd=folder, env=environment, stdout=out, stderr=out).returncode


@pytest.fixture(scope="session")
def built_book(tmp_path_factory, worker_id):
    """(exit code, log, _build/html) of one build, shared by all workers."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    folder, log = shared / "book", shared / "book.log"
    with FileLock(shared / "book.lock"):
        code = shared / "book.code"
        if not code.exists():
            copy_sources(folder)
            code.write_text(str(run_build(folder, log, hash_seed="0")))
    return int(code.read_text()), log, folder / "_build" / "html"


@pytest.fixture(scope="session")
def html(built_book):
    """The folder of the built pages."""
    return built_book[2]


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium, with nothing of its own to say to the network."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, (
        "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
    if path is None:
        pytest.skip("no Chromium found: install one, or name it in the variable CHROMIUM")
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[
            "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking"])
        yield browser
        browser.close()
