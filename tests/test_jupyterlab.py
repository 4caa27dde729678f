"""A chapter in a real JupyterLab and Notebook 7: rendered, alive where it may be, never a dead box."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import notebooks
from conftest import ROOT

pytestmark = pytest.mark.browser

CHAPTER = "03_deriving_rmsprop.ipynb"
SETTINGS = {  # every cell in the page, so that the test sees all of them
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false",
                                        "checkForUpdates": False},
}
FIGURE = "document.querySelector('.jp-Notebook .descent')"
ALIVE = f"{FIGURE}?.querySelector('svg') && 'live' in {FIGURE}.dataset"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    if shutil.which("jupyter-lab", path=Path(sys.executable).parent) is None:
        pytest.skip("JupyterLab is not installed: pip install '.[notebook]'")
    with serving(tmp_path_factory.mktemp("lab")) as served:
        yield served


@contextlib.contextmanager
def serving(folder):
    """(address, folder, environment) of a server with nothing of its user's."""
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

    def open_chapter(name, trusted, again=False):
        path = folder / name
        if not again:
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
    """Whether an arrow key on the first slider of the first figure that has one changes the picture."""
    page.wait_for_function(ALIVE)
    page.evaluate("""document.querySelectorAll(".jp-Notebook .descent[data-waiting] [data-show]")
        .forEach(button => button.click())""")
    slider = page.locator(".jp-Notebook .descent input[type=range]:visible").first
    picture = "slider => slider.closest('.descent').querySelector('svg').outerHTML"
    before = slider.evaluate(picture)
    for key in "ArrowLeft", "ArrowRight":
        slider.press(key)
    for _ in range(50):
        if slider.evaluate(picture) != before:
            return True
        slider.press("ArrowRight")
        page.wait_for_timeout(100)
    return False


def test_without_trust_a_still_picture_with_its_description_stands_there(open_chapter):
    page = open_chapter("untrusted.ipynb", trusted=False)
    picture = page.locator(".jp-Notebook .jp-RenderedHTML img[alt]").first
    picture.wait_for(state="attached")
    assert len(picture.get_attribute("alt")) > 60
    assert picture.evaluate("image => image.naturalWidth") > 400
    assert dead_boxes(page) is None


def test_directives_and_equations_are_rendered(open_chapter):
    page = open_chapter("rendered.ipynb", trusted=False)
    page.wait_for_function("""() => {   // it renders one cell after the other, and none that is folded
        const cells = [...document.querySelectorAll(".jp-MarkdownCell")].filter(cell => cell.checkVisibility()
            && !cell.querySelector(":scope > .jp-Cell-inputWrapper .jp-Placeholder"));
        return cells.length > 10 && cells.every(cell => cell.querySelector(".myst"));
    }""")
    text = page.locator(".jp-Notebook .myst").all_inner_texts()
    assert not [t for t in text if ":::{" in t or "```{exercise" in t]
    assert page.locator(".jp-Notebook .myst aside").count() > 3
    assert page.locator(".jp-Notebook .myst .katex-display").count() > 10


def test_a_trusted_notebook_is_alive_before_anything_runs(open_chapter):
    page = open_chapter("trusted.ipynb", trusted=True)
    assert moves(page)
    assert dead_boxes(page) is None


def run_all(page):
    """Runs the notebook and waits for its end; the errors."""
    page.evaluate("""async () => {
        const notebook = window.jupyterapp.shell.currentWidget;
        await notebook.context.sessionContext.ready;
        await window.jupyterapp.commands.execute("notebook:run-all-cells");
    }""")
    page.wait_for_function("""[...window.jupyterapp.shell.currentWidget.content.widgets]
        .filter((cell) => cell.model.type === "code" && cell.model.sharedModel.source)
        .every((cell) => cell.model.executionCount > 0)""", timeout=240_000)
    return page.evaluate("""[...window.jupyterapp.shell.currentWidget.content.widgets]
        .filter((cell) => cell.model.type === "code")
        .flatMap((cell) => cell.model.outputs.toJSON())
        .filter((out) => out.output_type === "error").map((out) => out.evalue)""")


def test_run_it_is_alive_and_saved_shut_down_and_opened_again_too(open_chapter):
    page = open_chapter("run.ipynb", trusted=False)
    assert run_all(page) == []
    assert moves(page)
    assert dead_boxes(page) is None
    page.evaluate("""async () => {
        await window.jupyterapp.commands.execute("docmanager:save");
        await window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown();
    }""")
    page.close()
    page = open_chapter("run.ipynb", trusted=False, again=True)
    assert moves(page)
    assert dead_boxes(page) is None


# What of a cell can be seen, by the cell's id.
SEEN = """() => Object.fromEntries(jupyterapp.shell.currentWidget.content.widgets.map((cell) => [cell.model.id, {
    cell: cell.node.checkVisibility(),
    source: !!cell.node.querySelector(".jp-InputArea-editor, .jp-MarkdownOutput")?.checkVisibility(),
    output: !!cell.node.querySelector(".jp-OutputArea-child")?.checkVisibility(),
}]))"""


def test_what_the_book_folds_is_folded_and_opening_alone_changes_nothing_that_is_the_book_s(open_chapter, lab):
    page = open_chapter("folded.ipynb", trusted=True)
    seen, level = page.evaluate(SEEN), None
    cells = json.loads((lab[1] / "folded.ipynb").read_text("utf-8"))["cells"]
    kinds = set()
    for cell in cells:
        tags, now = set(cell["metadata"].get("tags", ())), seen[cell["id"]]
        heading = re.match(r"(#+) (Deeper: )?", "".join(cell["source"])) if cell["cell_type"] == "markdown" else None
        if heading and level and len(heading[1]) <= level:
            level = None
        if level:
            assert not now["cell"], cell["source"]
            kinds.add("deeper")
            continue
        assert now["cell"], cell["source"]
        if heading and heading[2]:
            level = len(heading[1])
        for tag, hidden in [("solution", ["source", "output"]), ("hide-input", ["source"]), ("paper-only", ["output"])]:
            if tag in tags:
                kinds.add(tag)
                assert not any(now[part] for part in hidden), (tag, cell["source"])
    assert kinds >= {"deeper", "solution", "hide-input"}
    # JupyterLab notes the kernel's Python in every notebook, and saves it by itself: nothing else changes
    page.wait_for_function("jupyterapp.shell.currentWidget.context.model.metadata.language_info.version")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    saved = (lab[1] / "folded.ipynb").read_text("utf-8")
    assert notebooks.normal_form(saved) == (ROOT / "chapters" / CHAPTER).read_text("utf-8")
