"""What several tests share: the built book and the browsers."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

import browsers
import pages
from descent.exercises.engine import Verdict

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "book" / "extensions"), str(ROOT / "course")]   # for all tests

import release  # noqa: E402
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
        below = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        files = [path for path in below if not {".venv", "_build", ".cache", "__pycache__"} & set(path.parts)]
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


def once_for_all_workers(tmp_path_factory, worker_id, name, make):
    """The folder `name` that `make(folder)` writes, once a test run, whichever worker comes first."""
    shared = tmp_path_factory.getbasetemp()
    folder = (shared if worker_id == "master" else shared.parent) / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            try:
                make(folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return folder


def git(folder, *words):
    command = ["git", "-c", "user.name=someone", "-c", "user.email=someone@example.org", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def origin(tmp_path_factory, worker_id):
    """The book as a repository with one commit."""
    def make(folder):
        copy_sources(folder)
        git(folder, "init", "-q", "-b", "main")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "The book")

    return once_for_all_workers(tmp_path_factory, worker_id, "origin", make)


@pytest.fixture(scope="session")
def kit(origin, tmp_path_factory, worker_id):
    """The course kit of chapter 7 as a release makes it of `origin`, with the same secret in every run."""
    def make(folder):
        (folder / "instructor").mkdir(parents=True)
        (folder / "instructor" / "secret.json").write_text('{"seed": 4611686018427387905}')
        release.kit(origin, folder, release.said(origin)["CITATION.cff"], "7")

    return once_for_all_workers(tmp_path_factory, worker_id, "kit", make)


@pytest.fixture(scope="session")
def built_book(tmp_path_factory, worker_id):
    """(exit code, log, _build/html) of one build, shared by all workers."""
    def build(folder):
        copy_sources(folder)
        code = run_build(folder, folder.with_suffix(".log"), hash_seed="0")
        folder.with_suffix(".code").write_text(str(code))

    folder = once_for_all_workers(tmp_path_factory, worker_id, "book", build)
    return int(folder.with_suffix(".code").read_text()), folder.with_suffix(".log"), folder / "_build" / "html"


@pytest.fixture(scope="session")
def html(request):
    """The folder of the built pages; the variable BOOK names one that is there already."""
    if "BOOK" in os.environ:
        return Path(os.environ["BOOK"]).resolve()
    return request.getfixturevalue("built_book")[2]


@pytest.fixture(scope="module")
def engine(request):
    """A browser engine: Chromium, or what the test is parametrised with (`browsers.ENGINES`)."""
    name = getattr(request, "param", "chromium")
    if missing := browsers.missing(name):
        pytest.skip(missing)
    with browsers.launch(name) as engine:
        yield engine


@pytest.fixture(scope="module")
def chromium(engine):
    """Playwright's own Chromium, for tests that need what only it can do."""
    return engine.browser


@pytest.fixture(scope="module")
def http_base(html):
    """The address of the book, served as it is published."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(pages.Site, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{pages.PREFIX}"
    server.shutdown()


@pytest.fixture
def visit(engine):
    """Opens a page with all its figures alive; what it did wrong is in page.complaints."""
    opened = []

    def visit(address, **options):
        page = engine.new_page(init=pages.BIRTHS, **options)
        opened.append(page)
        page.goto(address)
        pages.all_alive(page)
        return page

    yield visit
    for page in opened:
        page.close()


@pytest.fixture
def said(capsys):
    """What a check of an exercise prints, when called with these arguments."""
    def say(check, *args, **kwargs):
        capsys.readouterr()   # what was printed before
        verdict = check(*args, **kwargs)
        out = capsys.readouterr().out
        assert isinstance(verdict, Verdict)   # a cell shows no result, and a grader has one
        assert verdict.message + "\n" == out
        assert bool(verdict) == all(re.match(r"[^:\n]*: correct(\n|$)", part)
                                    for part in re.split(r"\n(?! {4})", verdict.message))
        return out
    return say
