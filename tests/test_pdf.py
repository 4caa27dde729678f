"""The book on paper: one PDF of all chapters, and what a page says to a printer. Printed chapters are in test_print.py."""

import os
import re
import subprocess
import sys

import pikepdf
import pypdfium2
import pytest
import yaml

import pdf
from conftest import ROOT

pytestmark = pytest.mark.browser

MILLIMETRE = 72 / 25.4
MARGIN = 17 * MILLIMETRE
PAPER = 176  # millimetres of A4 between the margins


@pytest.fixture(scope="module")
def printed(chromium, built_book):
    """(file, page) of what `make pdf` makes of the folder in which the book was built: nothing is read twice."""
    folder = built_book[2].parents[1]
    page = pdf.opened(chromium, pdf.build(folder), "appendix")
    pdf.write(page, folder / pdf.PDF)
    yield folder / pdf.PDF, page
    page.close()


@pytest.fixture(scope="module")
def document(printed):
    with pypdfium2.PdfDocument(printed[0]) as document:
        yield document


@pytest.fixture(scope="module")
def one_page(printed):
    """The page that was printed, as wide as the paper, in the print style."""
    printed[1].set_viewport_size({"width": round(PAPER / 25.4 * 96), "height": 1000})
    return printed[1]


def chapters():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    return [chapter["title"] for part in toc["parts"]
            for chapter in part["chapters"]]


def test_the_guide_is_one_sheet_in_the_book_too(document):
    words = [page.get_textpage().get_text_range() for page in document]
    first = next(k for k, text in enumerate(words) if text.startswith("The guide"))
    assert "Karpathy [" in words[first] and words[first + 1].startswith("The whole book")


def test_the_outline_lists_every_chapter_in_order(document):
    outline = [(mark.level, mark.get_title(), mark.get_dest().get_index())
               for mark in document.get_toc()]
    listed = [title for level, title, _ in outline if level == 1]
    assert [title for title in listed if title in chapters()] == chapters()
    pages = [page for *_, page in outline]
    assert pages == sorted(pages)


def test_a_chapter_begins_a_page(document):
    for mark in document.get_toc():
        if mark.level == 1 and mark.get_title() in chapters():
            text = document[mark.get_dest().get_index()].get_textpage()
            start = " ".join(text.get_text_range().split())
            assert mark.get_title()[:20] in start[:120]


def test_no_text_stands_outside_the_margins(document):
    outside, rects = [], 0
    for number, page in enumerate(document, 1):
        width = page.get_width()
        text = page.get_textpage()
        for k in range(text.count_rects()):
            left, bottom, right, top = text.get_rect(k)
            rects += 1
            if left < MARGIN - 1 or right > width - MARGIN + 1:
                outside.append((number, text.get_text_bounded(left, bottom, right, top).strip()))
    assert rects > 10_000 and [(number, words) for number, words in outside if words] == []


def test_every_font_is_embedded(printed):
    fonts = embedded_fonts(printed[0])
    assert fonts and all(fonts.values()), fonts


def embedded_fonts(file):
    """Of each font by name: whether the file brings it, as it always does where glyphs are drawings (Type 3)."""
    fonts = {}
    with pikepdf.open(file) as document:
        for part in document.objects:   # what a Type 0 font is made of is listed as well
            if isinstance(part, pikepdf.Dictionary) and part.get("/Type") == "/Font" and part.Subtype not in ("/Type0", "/Type3"):
                brought = any(key.startswith("/FontFile") for key in part.get("/FontDescriptor", {}).keys())
                fonts[str(part.BaseFont)] = fonts.get(str(part.BaseFont), True) and brought
    return fonts


def test_nothing_is_wider_than_the_paper(one_page):
    cut = one_page.evaluate("""() => {
      const edge = document.querySelector("article").getBoundingClientRect().right + 1;
      const parts = "pre, table, .cell_output img, .descent > svg, div.formula svg, span.math svg";
      return [...document.querySelectorAll(parts)]
        .filter((el) => el.getBoundingClientRect().right > edge || el.scrollWidth > el.clientWidth + 1 && el.tagName === "PRE")
        .map((el) => el.closest("section").id + ": " + el.textContent.slice(0, 60));
    }""")
    assert not cut


def test_what_is_folded_is_printed_open_but_for_the_code_of_figures(one_page):
    assert one_page.locator("details:not([open]), .toggle-hidden").count() == 0
    hidden = one_page.evaluate("""() => [...document.querySelectorAll("pre")]
        .filter((el) => !el.getClientRects().length && !el.closest("details.hide")).map((el) => el.textContent)""")
    assert hidden == []
    assert one_page.locator("details.hide:visible").count() == 0


def test_a_figure_is_printed_with_its_settings_instead_of_sliders(one_page):
    assert one_page.locator(".descent input:visible").count() == 0
    forms = one_page.locator(".descent form:has([data-control])")
    assert forms.count() > 10
    for text in forms.all_inner_texts():
        assert re.search(r"\w", text), text


def test_solutions_stand_in_an_appendix_below_the_names_of_their_chapters(one_page):
    everywhere = one_page.locator(".solution").count()
    assert everywhere > 20
    assert one_page.locator(".paper-solutions .solution").count() == everywhere
    for heading in one_page.locator(".paper-solutions h3").all_inner_texts():
        assert heading in chapters()


BOOK = """<title>Small</title><h1>Small</h1><div class="toctree-wrapper">
<span id="document-1"></span><section><h2>First<a>#</a></h2><p>Asked</p><p class="solution toggle-hidden">Answered</p></section></div>
<div class="toctree-wrapper"><span id="document-2"></span><section><h2>Second<a>#</a></h2><p>Nothing</p></section></div>
<style>.toggle-hidden { display: none }</style>"""


@pytest.mark.parametrize("words, order", [
    ((), "Small First Asked Solutions First Answered Second Nothing"),
    (("--solutions", "in-place"), "Small First Asked Answered Second Nothing")])
def test_the_command_prints_solutions_in_an_appendix_or_in_place(tmp_path, words, order):
    """On a book of two parts, where there is nothing to build; the appendix stands before the last part."""
    (tmp_path / "index.html").write_text(BOOK)
    code = "import pdf, sys; from pathlib import Path; pdf.ROOT = Path.cwd(); pdf.build = lambda folder: folder / 'index.html'; pdf.main()"
    run = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": str(ROOT / "book")})
    assert run.returncode == 0 and str(pdf.PDF) in run.stdout, run.stdout + run.stderr
    with pypdfium2.PdfDocument(tmp_path / pdf.PDF) as document:
        text = " ".join(page.get_textpage().get_text_range() for page in document)
    assert [word.strip("#") for word in text.split() if word.strip("#").isalpha()] == order.split()


def test_a_reader_who_prints_a_page_gets_what_is_folded_but_no_unopened_solution(
        html, chromium):
    page = chromium.new_page()
    page.set_default_timeout(pdf.PATIENCE)
    page.goto((html / "chapters" / "03_deriving_rmsprop.html").as_uri())
    folded = "details:not([open], .hide), .toggle-hidden:not(.solution)"
    before = page.locator(folded).count()
    page.locator(".solution .toggle-button").first.click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    solutions = page.locator(".solution")
    assert before > 0 and page.evaluate(f"""() =>
        [...document.querySelectorAll("{folded}")]
        .filter((el) => !el.closest(".solution.toggle-hidden")).length""") == 0
    assert page.locator(".solution:not(.toggle-hidden)").count() == 1
    assert solutions.count() > 1
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.locator(".solution .toggle-button").first.click()
    assert page.locator(folded).count() == before
    page.close()


def test_a_machine_without_a_browser_is_told_what_make_pdf_needs(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="make pdf needs Chromium or Chrome"):
        pdf.browser_path()
