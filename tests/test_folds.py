"""What is folded: in the book, on paper, in JupyterLab's metadata; on a book of one page that has every kind of fold."""

import base64
import io
import json

import matplotlib
import nbformat
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from PIL import Image

import browsers
import notebooks
from conftest import ROOT, copy_sources, run_build

pytestmark = pytest.mark.browser

SEVERAL = "\n\n".join(["A paragraph of the main line, which the reader sees."] * 12)


def picture():
    file, figure = io.BytesIO(), Figure(figsize=(5, 3))
    with matplotlib.rc_context({"figure.dpi": 120}):
        figure.subplots().plot([0, 1])
        figure.savefig(file, dpi=240)
    return new_output("display_data", {"image/png": base64.b64encode(file.getvalue()).decode()})


def cells():
    def text(source, *tags):
        return new_markdown_cell(source, metadata={"tags": list(tags)})

    def code(source, *tags, outputs=()):
        return new_code_cell(source, metadata={"tags": list(tags), "mystnb": {"image": {"alt": "a rising line"}}},
                             outputs=list(outputs), execution_count=1)

    return [
        text("# Folds\n\nThe question."),
        code("import numpy as np", "hide-input"),
        code("rate = 2", "hide-input"),
        code("plt.plot([0, rate])\nplt.show()", "hide-input", outputs=[picture()]),
        code("the_still_twin()", "hide-input", "paper-only", outputs=[picture()]),
        text("[To the proof](#deeper-the-lag-is--steps)"),
        text(f"## The main line\n\n{SEVERAL}\n\n$$ x = 1 $$ (9.0)"),
        text("### Deeper: The lag is $2$ steps\n\nIts proof has the word parsimony.\n\n$$ y = 2 $$ (9.1)"),
        code("print('inside')", outputs=[new_output("stream", name="stdout", text="inside")]),
        text("#### A step of the proof\n\nStill inside."),
        text(f"### Out again\n\n{SEVERAL}"),
        text("```{dropdown} Dropped\n\nThe word perspicuity, and\n\n$$ z = 3 $$ (9.2)\n```"),
        text("## Exercises\n\n```{exercise} A number\n:label: ex-number\nWhich one?\n```"),
        text("```{solution-start} ex-number\n:label: sol-number\n:class: dropdown\n```", "solution"),
        text("It is a zyzzyva.\n\n$$ w = 4 $$ (9.3)", "solution"),
        code("print('zyzzyva')", "solution", outputs=[new_output("stream", name="stdout", text="zyzzyva")]),
        text("```{solution-end}\n```", "solution"),
        text(f"## After\n\nSee {{eq}}`9.0`, {{eq}}`9.1`, {{eq}}`9.2`, {{eq}}`9.3`.\n\n{SEVERAL}"),
    ]


def notebook():
    return notebooks.normal_form(nbformat.writes(nbformat.v4.new_notebook(cells=cells())))


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds")
    copy_sources(folder)
    for path in [*(folder / "chapters").iterdir(), folder / "_toc.yml", folder / "index.ipynb"]:
        if path.name != "references.bib":
            path.unlink()
    (folder / "index.ipynb").write_text(notebook(), "utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: chapters/other}]\n")
    (folder / "chapters" / "other.md").write_text("# Another page\n\nWith nothing in it.\n")
    log = folder / "log"
    assert run_build(folder, log, hash_seed="0") == 0, log.read_text("utf-8")
    return folder / "_build" / "html"


@pytest.fixture
def page(visit, http_base):
    return visit(http_base + "index.html", width=1280, height=800)


def seen(page, words):
    """Whether the innermost element with these words can be seen."""
    return page.evaluate("""words => [...document.querySelectorAll("article *")].filter(el => el.textContent.includes(words)
        && !el.closest("#jb-print-docs-body")).at(-1).checkVisibility({ contentVisibilityAuto: true })""", words)


def shut(page):
    """The folds that are shut: their first words."""
    return page.evaluate("""[...document.querySelectorAll("article :is(details:not([open]), .toggle-hidden)")]
        .filter(el => !el.closest(".tag_paper-only"))
        .map(el => el.firstElementChild.textContent.trim().replace(/[#\\s]+/g, " ").slice(0, 8).trim())""")


ALL_SHUT = ["code of", "The lag", "Dropped", "Solution"]


# ---- sections -------------------------------------------------------------


def test_a_section_called_deeper_folds_with_its_cells_and_subsections_to_the_next_heading(page):
    assert shut(page) == ALL_SHUT
    entries = page.locator(".page-toc a[href*='lag']").all_inner_texts()
    assert len(entries) == 1 and entries[0].startswith("The lag is"), "the contents call it by its result alone"
    for inside in "parsimony", "inside", "A step of the proof", "Still inside":
        assert not seen(page, inside)
    assert seen(page, "Out again")
    fold = page.locator("details.deeper")
    assert fold.locator("summary h3").inner_text().startswith("The lag is")
    page.locator("details.deeper > summary").first.press("Enter")
    for inside in "parsimony", "inside", "A step of the proof", "Still inside":
        assert seen(page, inside)


def comes_to(page, folds):
    """Waits until these folds are shut; says what is shut when they do not come to that."""
    for _ in range(300):
        if shut(page) == folds:
            break
        page.wait_for_timeout(100)
    page.evaluate("async () => { for (let k = 0; k < 10; k++) await new Promise(requestAnimationFrame); }")
    assert shut(page) == folds   # and it stays so


@pytest.mark.parametrize("engine", browsers.ENGINES, indirect=True)
def test_a_link_opens_what_it_leads_into(engine, visit, http_base):
    page = visit(http_base + "index.html", width=1280, height=800)   # a click, in the page
    page.locator("article a[href='#deeper-the-lag-is-2-steps']").first.click()
    page.wait_for_function("document.querySelector('details.deeper').open")
    for place, opened in [("deeper-the-lag-is-2-steps", "The lag"), ("a-step-of-the-proof", "The lag"),
                          ("equation-9-1", "The lag"), ("equation-9-2", "Dropped"), ("equation-9-3", "Solution")]:
        page.goto("about:blank")
        page.goto(f"{http_base}index.html#{place}")
        comes_to(page, [fold for fold in ALL_SHUT if fold != opened])
        top = page.evaluate("document.querySelector(':target').getBoundingClientRect().top"
                            " - parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)")
        at_the_end = page.evaluate("scrollY + innerHeight > document.documentElement.scrollHeight - 2")
        assert abs(top) < 8 or at_the_end and 0 < top < 600, place


def test_a_search_result_opens_the_fold_that_has_its_word(visit, http_base):
    page = visit(http_base + "search.html")
    for word, opened in [("parsimony", "The lag"), ("perspicuity", "Dropped"), ("numpy", "code of")]:
        page.goto(f"{http_base}search.html?q={word}")
        page.locator("#search-results a").first.click()
        page.wait_for_function("document.querySelector('.highlighted')")
        comes_to(page, [fold for fold in ALL_SHUT if fold != opened])


def test_a_search_leaves_code_folded_where_the_text_has_its_word(visit, http_base):
    page = visit(f"{http_base}index.html?highlight=plot+paragraph")
    page.wait_for_function("document.querySelector('.highlighted')")
    page.evaluate("() => new Promise(done => setTimeout(done, 100))")   # the page's own timer was set before it
    assert shut(page) == ALL_SHUT


# ---- solutions and the search ---------------------------------------------


def test_a_search_does_not_tell_a_solution(visit, http_base, html):
    page = visit(f"{http_base}search.html?q=number")
    page.wait_for_selector("#search-results .context")
    assert "zyzzyva" not in page.locator("#search-results").inner_text()
    page.goto(f"{http_base}search.html?q=zyzzyva")
    page.wait_for_function("document.querySelector('#search-results').textContent.includes('did not match')")
    assert "zyzzyva" not in (html / "searchindex.js").read_text("utf-8")


# ---- code and still twins -------------------------------------------------


def test_code_of_a_figure_stands_behind_one_small_word_and_its_still_twin_is_on_paper_alone(page):
    figure, word = page.locator(".cell_output img").first.bounding_box(), page.locator("details.hide > summary")
    box = word.first.bounding_box()
    assert box["y"] >= figure["y"] + figure["height"] and box["height"] >= 24 and box["width"] < 80
    assert word.first.inner_text().split()[0] == "code" and word.first.text_content() == "code of this figure"
    assert page.locator("details.hide:visible").count() == 1, "cells that show nothing have folds of their own"
    assert "bar" not in page.locator(".cell.tag_hide-input").first.inner_text()
    word.first.press("Enter")
    for line in "import numpy as np", "rate = 2", "plt.show()":
        assert line in page.locator("details.hide").first.inner_text()
    assert page.locator(".cell_output img:visible").count() == 1, "a still twin is on the screen"
    page.emulate_media(media="print")
    assert page.locator(".cell_output img:visible").count() == 2, "a still twin is not on paper"
    assert page.locator("details.hide:visible").count() == 0, "code is on paper"


def test_a_picture_shows_at_half_its_pixels_has_its_place_before_it_comes_and_turns_dark(page):
    """White paper becomes the page, black ink white."""
    image = page.locator(".cell_output img").first
    wide, high, pixels = image.evaluate("el => [el.width, el.height, el.naturalWidth]")
    assert (wide, high, pixels) == (600, 360, 1200)
    assert (image.get_attribute("width"), image.get_attribute("height")) == ("600", "360")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    for shown, becomes in ("#fff", 0x12), ("#000", 255 - 0x12):
        image.evaluate("""async (image, colour) => {
            const canvas = new OffscreenCanvas(600, 360), drawing = canvas.getContext("2d");
            drawing.fillStyle = colour;
            drawing.fillRect(0, 0, 600, 360);
            image.src = URL.createObjectURL(await canvas.convertToBlob());
            await image.decode();
        }""", shown)
        picture = Image.open(io.BytesIO(image.screenshot())).convert("RGB")
        assert all(abs(value - becomes) <= 2 for value in picture.getpixel((300, 180))), shown


# ---- paper ----------------------------------------------------------------


def test_folds_print_open_and_solutions_as_they_are(page):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shut(page) == ["code of", "Solution"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert shut(page) == ALL_SHUT


# ---- JupyterLab -----------------------------------------------------------


def test_jupyterlab_is_told_to_fold_what_the_book_folds():
    text = notebook()
    told = {cell["source"].split("\n")[0]: cell["metadata"] for cell in json.loads(text)["cells"]
            for cell["source"] in ["".join(cell["source"])]}
    hidden, both = {"source_hidden": True}, {"source_hidden": True, "outputs_hidden": True}
    assert told["### Deeper: The lag is $2$ steps"]["jp-MarkdownHeadingCollapsed"] is True
    assert "jp-MarkdownHeadingCollapsed" not in told["### Out again"]
    assert told["import numpy as np"]["jupyter"] == hidden
    assert told["the_still_twin()"]["jupyter"] == both
    assert told["print('zyzzyva')"]["jupyter"] == both
    assert told["It is a zyzzyva."]["jupyter"] == hidden
    assert "jupyter" not in told["print('inside')"]
    assert notebooks.normal_form(text) == text


def test_a_fold_s_heading_is_the_first_line_of_its_cell():
    first, later = [], []
    for path in notebooks.book_notebooks():
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                head, *rest = cell.source.splitlines() or [""]
                first += [line for line in [head] if notebooks.DEEPER.match(line)]
                later += [f"{path.stem}: {line}" for line in rest if notebooks.DEEPER.match(line)]
    assert first and later == [], "JupyterLab folds by cells: begin a cell with this heading"
