"""The book on paper: one PDF of all chapters, and the print view of a page."""

import ctypes
import re
import subprocess
import sys

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import yaml

import pdf
from conftest import ROOT, copy_sources

pytestmark = pytest.mark.browser

MILLIMETRE = 72 / 25.4
MARGIN = 17 * MILLIMETRE
PAPER = 176  # millimetres of A4 between the margins


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("paper")


@pytest.fixture(scope="module")
def document(chromium, folder):
    """What `make pdf` writes in a clone."""
    copy_sources(folder)
    run = subprocess.run([sys.executable, folder / "book" / "pdf.py"],
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    with pypdfium2.PdfDocument(folder / pdf.PDF) as document:
        yield document


@pytest.fixture(scope="module")
def one_page(document, folder, chromium):
    """The page that was printed, as wide as the paper, in the print style."""
    page = chromium.new_page(viewport={"width": round(PAPER / 25.4 * 96),
                                       "height": 1000})
    page.goto((folder / "_build" / "singlehtml" / "index.html").as_uri())
    page.set_default_timeout(pdf.PATIENCE)
    page.emulate_media(media="print")
    page.evaluate(pdf.PREPARE, "appendix")
    yield page
    page.close()


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
    outside = []
    for number, page in enumerate(document, 1):
        width = page.get_width()
        text = page.get_textpage()
        for k in range(text.count_rects()):
            left, bottom, right, top = text.get_rect(k)
            words = text.get_text_bounded(left, bottom, right, top).strip()
            if words and (left < MARGIN - 1 or right > width - MARGIN + 1):
                outside.append((number, words))
    assert not outside


def test_every_font_is_embedded(document):
    fonts = embedded_fonts(document)
    assert fonts and all(fonts.values()), fonts


def embedded_fonts(document):
    """Of each font by name: whether the file brings it."""
    fonts = {}
    for page in document:
        for text in page.get_objects([pdfium.FPDF_PAGEOBJ_TEXT]):
            font = pdfium.FPDFTextObj_GetFont(text.raw)
            fonts.setdefault(name_of(font), pdfium.FPDFFont_GetIsEmbedded(font))
    return fonts


def name_of(font):
    length = pdfium.FPDFFont_GetBaseFontName(font, None, 0)
    name = ctypes.create_string_buffer(length)
    pdfium.FPDFFont_GetBaseFontName(font, name, length)
    return name.value.decode()


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


def test_solutions_can_stay_in_place(document, folder, chromium):
    page = chromium.new_page()
    page.goto((folder / "_build" / "singlehtml" / "index.html").as_uri())
    page.evaluate(pdf.PREPARE, "in-place")
    assert page.locator(".solution").count() > 20
    assert page.locator(".paper-solutions").count() == 0
    page.close()


def test_a_reader_who_prints_a_page_gets_what_is_folded_but_no_unopened_solution(
        html, chromium):
    page = chromium.new_page()
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


def test_a_reader_in_the_dark_prints_black_on_white_and_no_empty_sheet(html, folder, chromium):
    page = chromium.new_page(color_scheme="dark")
    page.goto((html / "chapters" / "03_deriving_rmsprop.html").as_uri())
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.pdf(path=folder / "page.pdf", print_background=True, prefer_css_page_size=True)
    with pypdfium2.PdfDocument(folder / "page.pdf") as document:
        for sheet in document:
            pixels = sheet.render(scale=0.5, grayscale=True).to_numpy()
            assert (pixels > 230).mean() > 0.5 and (pixels < 100).any()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.close()


def test_a_machine_without_a_browser_is_told_what_make_pdf_needs(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="make pdf needs Chromium or Chrome"):
        pdf.browser_path()
