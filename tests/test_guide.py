"""The guide: one sheet of paper, a trouble in each row, and evidence that is there."""

import re
from pathlib import Path
from urllib.parse import unquote

import pypdfium2
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
PAGE = "chapters/guide.html"
TROUBLES = ["NaN", "Spikes", "Crawls after a plateau", "floor that does not fall", "Works in PyTorch, not in Keras",
            "bfloat16 stands still", "200 steps", "Batch of one", "Rare classes", "λ copied from a paper"]


@pytest.fixture(scope="module")
def soup(html):
    return BeautifulSoup((html / PAGE).read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def page_of(html):
    """The page a link of the guide leads to, parsed; each once."""
    parsed = {}

    def find(href):
        name = href.partition("#")[0] or "guide.html"
        if name not in parsed:
            parsed[name] = BeautifulSoup((html / "chapters" / name).read_text("utf-8"), "html.parser")
        return parsed[name]
    return find


def rows(soup, kind):
    return [row.find_all("td") for row in soup.select(f"table.guide-{kind} tbody tr")]


def test_the_guide_is_the_first_page_after_the_opening():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    assert toc["parts"][0]["chapters"][0]["file"] == "chapters/guide"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_trouble_has_a_row_of_its_own(soup, trouble):
    assert len([cells for cells in rows(soup, "trouble") if trouble in cells[0].get_text()]) == 1


def test_every_row_is_complete(soup):
    for kind, number in (("start", 8), ("budget", 4), ("trouble", len(TROUBLES))):
        found = rows(soup, kind)
        assert len(found) >= number
        assert [cells for cells in found for cell in cells if not cell.get_text(strip=True)] == []


def test_every_trouble_has_evidence_that_is_there(soup, page_of):
    for cells in rows(soup, "trouble"):
        links = cells[-1].select("a[href]")
        assert links, cells[0].get_text()
        for link in links:
            target = unquote(link["href"].partition("#")[2])
            assert target, f"{link['href']} leads to a page, not to its place"
            assert page_of(link["href"]).find(id=target), link["href"]


# A number as a page prints it: neither an exponent nor its base, nor the name of an equation.
NUMBER = re.compile(r"(?<![\w.(·⁻-])\d[\d,]*(?:\.\d+)?(?![\w.)·]|⁻)")


@pytest.mark.parametrize("kind", ["budget", "trouble"])
def test_a_number_stands_in_a_page_that_its_row_links_to(soup, page_of, kind):
    missing = []
    for cells in rows(soup, kind):
        said = " ".join(cell.get_text(" ") for cell in cells[1:])
        pages = [page_of(link["href"]).get_text(" ").replace(",", "").replace("\u2009", "")
                 for cell in cells for link in cell.select("a[href]")]
        for number in NUMBER.findall(re.sub(r"\([A-Z]?[\d.]+\)|Exercise \d+|float\d+", "", said)):
            plain = re.escape(number.replace(",", ""))
            if not any(re.search(rf"(?<![\d.]){plain}(?![\d.]*\d)", text) for text in pages):
                missing.append((cells[0].get_text(), number))
    assert missing == []


@pytest.mark.browser
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_is_one_sheet_of_paper(visit, http_base, paper):
    page = visit(http_base + PAGE, theme="dark")
    with pypdfium2.PdfDocument(page.pdf(format=paper)) as document:
        assert len(document) == 1
        text = document[0].get_textpage().get_text_range()
    assert "The guide" in text and "Karpathy" in text
    assert page.complaints == []


@pytest.mark.browser
def test_the_sheet_can_be_read(visit, http_base):
    page = visit(http_base + PAGE)
    page.emulate_media(media="print")
    smallest = page.evaluate("""() => Math.min(...[...document.querySelectorAll("article :is(p, td, pre)")]
        .filter(el => el.checkVisibility()).map(el => parseFloat(getComputedStyle(el).fontSize)))""")
    assert smallest >= 7 * 96 / 72   # seven points


@pytest.mark.browser
def test_a_phone_shows_the_rows_as_cards(visit, http_base):
    page = visit(http_base + PAGE, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate("""() => [...document.querySelectorAll("table.guide td")]
        .filter(el => el.scrollWidth > el.clientWidth + 1 || el.getBoundingClientRect().right > innerWidth)
        .map(el => el.textContent)""")
    assert wide == []
    assert page.evaluate("""() => [...document.querySelectorAll("table.guide tbody tr")].every(row =>
        [...row.children].every((cell, k, all) => !k || cell.getBoundingClientRect().top >= all[k - 1].getBoundingClientRect().bottom - 1))""")
