"""A chapter in a real JupyterLab and Notebook 7: rendered, alive where it may be, never a dead box."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from conftest import ROOT

pytestmark = pytest.mark.browser

CHAPTER = "03_deriving_rmsprop.ipynb"
SETTINGS = {  # every cell in the page, so that the test sees all of them
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false",
                                        "checkForUpdates": False},
}
FIGURE = "document.querySelector('.jp-Notebook .descent')"
ALIVE = f"{FIGURE}?.querySelector('svg') && {FIGURE}.querySelector('form:not([hidden])')"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, folder, environment) of a server with nothing of its user's."""
    if shutil.which("jupyter-lab", path=Path(sys.executable).parent) is None:
        pytest.skip("JupyterLab is not installed: pip install '.[notebook]'")
    folder = tmp_path_factory.mktemp("lab")
    for name, values in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    environment = {
        **os.environ, "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython")}
    (folder / "book").mkdir()
    log = open(folder / "log", "w")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0",
         "--ip=127.0.0.1", "--allow-root", "--IdentityProvider.token=book",
         "--LabApp.expose_app_in_browser=True",
         "--JupyterNotebookApp.expose_app_in_browser=True",
         f"--ServerApp.root_dir={folder / 'book'}"],
        env=environment, stdout=log, stderr=log)
    yield wait_for_address(server, folder), folder / "book", environment
    server.terminate()
    server.wait(20)
    log.close()


def wait_for_address(server, folder):
    for _ in range(300):
        for info in (folder / "runtime").glob("jpserver-*.json"):
            try:
                url = json.loads(info.read_text())["url"]
                urllib.request.urlopen(f"{url}api?token=book", timeout=5)
                return url
            except (OSError, ValueError):
                pass  # it is still writing, or starting
        assert server.poll() is None, (folder / "log").read_text()
        time.sleep(0.2)
    raise AssertionError((folder / "log").read_text())


@pytest.fixture(params=["lab/tree", "notebooks"], ids=["JupyterLab", "Notebook 7"])
def open_chapter(request, lab, chromium):
    """A function (name, trusted) that opens a copy of the chapter."""
    address, folder, environment = lab
    pages = []

    def open_chapter(name, trusted):
        path = folder / name
        shutil.copyfile(ROOT / "chapters" / CHAPTER, path)
        if trusted:
            subprocess.run([sys.executable, "-m", "jupyter", "trust", path],
                           env=environment, check=True, capture_output=True)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        pages.append(page)
        page.goto(f"{address}{request.param}/{name}?token=book&reset")
        page.wait_for_function(
            "document.querySelectorAll('.jp-Notebook .jp-Cell').length > 40")
        page.wait_for_function("!document.querySelector('.jp-Notebook-cell.jp-mod-loading')")
        return page

    yield open_chapter
    for page in pages:
        page.close()


def dead_boxes(page):
    return page.evaluate("""() => document.querySelector(".jp-Notebook").innerText
        .match(/model not found|error displaying widget|loading widget/gi)""")


def moves(page):
    """Whether an arrow key on the first slider of the first figure changes the picture."""
    page.evaluate(f"{FIGURE}.scrollIntoView()")
    page.wait_for_function(ALIVE)
    before = page.evaluate(f"{FIGURE}.querySelector('svg').innerHTML")
    page.locator(".jp-Notebook .descent input[type=range]").first.press("ArrowLeft")
    page.wait_for_function(f"before => {FIGURE}.querySelector('svg').innerHTML !== before",
                           arg=before)
    return True


def test_without_trust_a_still_picture_with_its_description_stands_there(open_chapter):
    page = open_chapter("untrusted.ipynb", trusted=False)
    picture = page.locator(".jp-Notebook .jp-RenderedHTML img[alt]").first
    picture.wait_for(state="attached")
    assert len(picture.get_attribute("alt")) > 60
    assert picture.evaluate("image => image.naturalWidth") > 400
    assert dead_boxes(page) is None


def test_directives_and_equations_are_rendered(open_chapter):
    page = open_chapter("rendered.ipynb", trusted=False)
    page.wait_for_function(  # it renders one cell after the other
        "document.querySelectorAll('.jp-Notebook .myst').length >="
        " document.querySelectorAll('.jp-MarkdownCell').length")
    text = page.locator(".jp-Notebook .myst").all_inner_texts()
    assert not [t for t in text if ":::{" in t or "```{exercise" in t]
    assert page.locator(".jp-Notebook .myst aside").count() > 3
    assert page.locator(".jp-Notebook .myst .katex-display").count() > 10


def test_a_trusted_notebook_is_alive_before_anything_runs(open_chapter):
    page = open_chapter("trusted.ipynb", trusted=True)
    assert moves(page)
    assert dead_boxes(page) is None


def test_after_running_all_cells_nothing_failed_and_the_figure_is_alive(open_chapter):
    page = open_chapter("run.ipynb", trusted=False)
    page.evaluate("""async () => {
        const notebook = window.jupyterapp.shell.currentWidget;
        await notebook.context.sessionContext.ready;
        await window.jupyterapp.commands.execute("notebook:run-all-cells");
    }""")
    counts = """() => [...window.jupyterapp.shell.currentWidget.content.widgets]
        .filter((cell) => cell.model.type === "code" && cell.model.sharedModel.source)
        .map((cell) => cell.model.executionCount)"""
    page.wait_for_function(f"({counts})().every((n) => n > 0)", timeout=120_000)
    failed = page.evaluate("""() => [...window.jupyterapp.shell.currentWidget.content.widgets]
        .filter((cell) => cell.model.type === "code")
        .flatMap((cell) => cell.model.outputs.toJSON())
        .filter((out) => out.output_type === "error").map((out) => out.evalue)""")
    assert failed == []
    assert moves(page)
    assert dead_boxes(page) is None
