"""A chapter and the laboratory in a real JupyterLab and Notebook 7: rendered, alive where it may be, never a dead box."""

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

import nbformat
import numpy as np
import pytest

import notebooks
from conftest import ROOT

pytestmark = pytest.mark.browser

CHAPTER = "04_rmsprop_remembers.ipynb"
SETTINGS = {  # every cell in the page, so that the test sees all of them
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false",
                                        "checkForUpdates": False},
}


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
    server.wait(120)
    log.close()


def wait_for_address(server, folder):
    for _ in range(600):
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
def open_notebook(request, lab, chromium):
    """A function that opens a copy of the chapter, with more cells, or what has this name once more."""
    address, folder, environment = lab
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)

    def open_notebook(name, *more, trusted=False):
        path = folder / f"{request.param[:3]}-{name}"
        if not path.exists():
            copy = json.loads((ROOT / "chapters" / CHAPTER).read_text("utf-8"))
            copy["cells"] += more
            path.write_text(json.dumps(copy), "utf-8")
        if trusted:
            subprocess.run([sys.executable, "-m", "jupyter", "trust", path],
                           env=environment, check=True, capture_output=True)
        for page in context.pages:
            page.close()
        page = context.new_page()
        page.goto(f"{address}{request.param}/{path.name}?token=book&reset")
        page.wait_for_function("count => document.querySelectorAll('.jp-Notebook .jp-Cell').length === count",
                               arg=len(json.loads(path.read_text("utf-8"))["cells"]))
        page.wait_for_function("!document.querySelector('.jp-Notebook-cell.jp-mod-loading')")
        return page, path

    yield open_notebook
    context.close()


def dead_boxes(page):
    return page.evaluate("""() => document.querySelector(".jp-Notebook").innerText
        .match(/model not found|error displaying widget|loading widget/gi)""")


def answers(page):
    """Every figure and question in sight lives; a slider moves its picture, a question and a drawing answer."""
    page.wait_for_function("""() => {
        const all = [...document.querySelectorAll(".jp-Notebook :is(.descent, [data-ask])")]
            .filter(one => one.checkVisibility());
        return all.length > 3 && all.every(one => "live" in one.dataset
            && (one.dataset.ask === "" || one.querySelector("svg")));
    }""")
    assert dead_boxes(page) is None
    question = page.locator(".jp-Notebook .descent-ask:visible").first
    choice = question.locator("[data-choice]").first
    said = choice.inner_text()
    choice.click()
    assert question.locator(".descent-reply").inner_text().strip().startswith(f"You said: {said}.")
    drawing = page.locator(".jp-Notebook [data-predict=draw]:visible").first
    assert not drawing.locator(".descent-hidden").first.is_visible()
    drawing.locator("[data-show]").click()
    assert drawing.locator(".descent-hidden").first.is_visible()
    page.evaluate("""document.querySelectorAll(".jp-Notebook .descent[data-waiting] [data-show]")
        .forEach(button => button.click())""")
    slider = page.locator(".jp-Notebook .descent input[type=range]:visible").first
    picture = "slider => slider.closest('.descent').querySelector('svg').outerHTML"
    before, there = slider.evaluate(picture), slider.input_value()
    slider.press("ArrowLeft")
    if slider.input_value() == there:   # it stood at its end
        slider.press("ArrowRight")
    page.wait_for_function("""before => [...document.querySelectorAll(".jp-Notebook .descent input[type=range]")]
        .find(slider => slider.checkVisibility()).closest(".descent").querySelector("svg").outerHTML !== before""",
                           arg=before)


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


def save_and_shut_down(page):
    page.evaluate("""async () => {
        const { context } = window.jupyterapp.shell.currentWidget;
        await window.jupyterapp.commands.execute("docmanager:save");
        await context.sessionContext.shutdown();
    }""")


def put(page, label, value, n=0):
    """Types into the n-th visible field of this name, or chooses in it."""
    field = page.locator(".jupyter-widgets:visible").locator(
        f"xpath=self::*[label[normalize-space(.)='{label}']]").nth(n).locator("input, select, textarea").first
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    else:
        field.fill(value)
        field.press("Tab")


def code(page, *parts):
    """The copied code, when it has these parts."""
    sheet = page.locator(".descent-sheet pre:visible")
    page.wait_for_function("""parts => [...document.querySelectorAll(".descent-sheet pre")].some(
        pre => pre.checkVisibility() && parts.every(part => pre.textContent.includes(part)))""", arg=list(parts))
    return sheet.inner_text()


def a_learner_plays_in_both_tabs_of_the_laboratory(page, tmp_path):
    page.set_viewport_size({"width": 1400, "height": 1800})
    page.wait_for_selector(".descent-sheet svg")
    put(page, "g =", "100 if t == 500 else 1")
    put(page, "β₂", "0.9995")
    put(page, "rule B", "RMSprop")
    code(page, "100 if t == 500", "beta2=0.9995", "other = run(rmsprop")
    put(page, "α", "quick")
    page.get_by_text("quick is no number").wait_for()
    put(page, "α", "0.01")
    code(page, "alpha=0.01")
    np.save(tmp_path / "mine.npy", np.ones((20, 1)))
    put(page, "gradients", "a file")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="choose .npy").click()
    chooser.value.set_files(tmp_path / "mine.npy")
    code(page, 'np.load("mine.npy")')
    put(page, "gradients", "a curve, drawn")
    frame = page.locator("[data-frame]:visible")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 1, steps=10)
    page.mouse.up()
    code(page, ", -1.9")
    page.locator(".lm-TabBar-tab", has_text="paths in the plane").click()
    put(page, "function", "Rosenbrock")
    code(page, "[-1.2, 1.0]")
    handle = page.locator("[data-x]:visible")
    handle.scroll_into_view_if_needed()
    box, pad = handle.bounding_box(), page.locator("[data-frame]:visible").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 20, steps=5)
    page.mouse.up()
    dropped = -2 + 4 * (box["x"] + 150 - pad["x"]) / pad["width"]
    stands = """([axis, place]) => [...document.querySelectorAll("[data-x]")].some(
        handle => handle.checkVisibility() && Math.abs(handle.dataset[axis] - place) < 0.01)"""
    page.wait_for_function(stands, arg=["x", dropped])
    # The handle has the focus, and keeps it: Notebook 7 would take an arrow key for its own.
    height = float(handle.get_attribute("data-y"))
    page.keyboard.press("ArrowRight")
    page.wait_for_function(stands, arg=["x", dropped + 0.04])
    page.keyboard.press("ArrowUp")
    page.wait_for_function(f"!({stands})(['y', {height}])")
    # nothing more is coming that would put a new button in the place of the one that is clicked
    page.wait_for_function("jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'idle'")
    assert not page.locator(".descent-way").is_visible()   # the laboratory itself stands there
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("""() => {   // what the button says for two seconds
        window.said = new Set();
        new MutationObserver(() => document.querySelectorAll("[data-copy]").forEach(button => said.add(button.textContent)))
            .observe(document.body, { childList: true, subtree: true });
    }""")
    page.get_by_role("button", name="Copy as code").locator("visible=true").click()
    page.wait_for_function("said.has('Copied')")
    copied, space = page.evaluate("navigator.clipboard.readText()"), {}
    exec(copied, space)
    assert len(space["path"].theta) == 301


def test_a_chapter_can_be_read_without_trust_lives_once_it_ran_and_when_it_is_opened_again(open_notebook, tmp_path):
    laboratory = "from descent.figures.laboratory import Laboratory\ndisplay(Laboratory())"
    page, _ = open_notebook("untrusted.ipynb", nbformat.v4.new_code_cell(laboratory))
    page.wait_for_function("""() => {   // it renders one cell after the other, and none that is folded
        const cells = [...document.querySelectorAll(".jp-MarkdownCell")].filter(cell => cell.checkVisibility()
            && !cell.querySelector(":scope > .jp-Cell-inputWrapper .jp-Placeholder"));
        return cells.length > 10 && cells.every(cell => cell.querySelector(".myst"));
    }""")
    text = page.locator(".jp-Notebook .myst").all_inner_texts()
    assert not [t for t in text if ":::{" in t or "```{exercise" in t]
    assert page.locator(".jp-Notebook .myst aside").count() > 3
    assert page.locator(".jp-Notebook .myst .katex-display").count() > 10
    # a still picture with its description stands in the place of each figure
    picture = page.locator(".jp-Notebook .jp-RenderedHTML img[alt]").first
    picture.wait_for(state="attached")
    assert len(picture.get_attribute("alt")) > 60
    assert picture.evaluate("image => image.naturalWidth") > 400
    assert page.locator(".jp-Notebook [data-live]").count() == 0
    assert dead_boxes(page) is None

    assert run_all(page) == []
    answers(page)
    a_learner_plays_in_both_tabs_of_the_laboratory(page, tmp_path)
    save_and_shut_down(page)
    page, _ = open_notebook("untrusted.ipynb")
    page.wait_for_function("""() => {   // the widgets' view, which is hidden, has said that it has no model
        const view = document.querySelector(".jp-OutputArea-child:has(.descent-way) + .jp-OutputArea-child");
        return view?.textContent.trim() && !/loading widget/i.test(document.querySelector(".jp-Notebook").textContent);
    }""")
    assert page.locator(".descent-way").is_visible()   # the way to a kernel
    answers(page)


# What of a cell can be seen, by the cell's id.
SEEN = """() => Object.fromEntries(jupyterapp.shell.currentWidget.content.widgets.map((cell) => [cell.model.id, {
    cell: cell.node.checkVisibility(),
    source: !!cell.node.querySelector(".jp-InputArea-editor, .jp-MarkdownOutput")?.checkVisibility(),
    output: !!cell.node.querySelector(".jp-OutputArea-child")?.checkVisibility(),
}]))"""


def test_a_trusted_chapter_lives_before_anything_runs_folded_as_the_book_folds_it_and_stays_the_book_s(open_notebook):
    page, path = open_notebook("trusted.ipynb", trusted=True)
    seen, level = page.evaluate(SEEN), None
    cells = json.loads(path.read_text("utf-8"))["cells"]
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
    answers(page)
    # JupyterLab notes the kernel's Python in every notebook, and saves it by itself: nothing else changes
    page.wait_for_function("jupyterapp.shell.currentWidget.context.model.metadata.language_info.version")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    assert notebooks.normal_form(path.read_text("utf-8")) == (ROOT / "chapters" / CHAPTER).read_text("utf-8")
