"""What a search marks in a page: words of its text, and nothing in its equations, figures, styles and scripts."""

import pytest

from browsers import ENGINES
from pages import PAGES, all_alive, equations_not_set, stuck_sliders

pytestmark = pytest.mark.browser

# Single letters and digits are in every formula, every style and every script.
WORDS = "e a t 0 1 β mi log adam step figure svg path math style function"
# Without what makes the names of a figure's parts its own in a page, and without what lets the keyboard reach a formula that is wider than its box.
KEPT = """() => [...document.querySelectorAll(":is(.math, .descent, style, script)")]
    .filter(el => !el.parentElement.closest(".descent"))
    .map(el => el.outerHTML.replace(/(?<=\\bd[0-9a-f]{8})[0-9a-z]+| tabindex="0" role="group" aria-label="Equation[^"]*"/g, ""))"""
STRANGE = """() => [...document.querySelectorAll(":is(.math, .descent, [data-ask], style, script)")]
    .filter(el => el.querySelector(".highlighted")).map(el => el.outerHTML.slice(0, 200))"""

TRIED = ["index.html", "chapters/07_bias_correction.html"]


@pytest.fixture(scope="module")
def reader(engine):
    """One page that opens all addresses, one after the other."""
    page = engine.new_page()
    yield page
    page.close()


def look_at_marks(page):
    all_alive(page)
    page.wait_for_function("!!document.querySelector('article .highlighted')", timeout=60_000)   # all words at once
    assert page.evaluate(STRANGE) == []
    assert equations_not_set(page) == []
    assert page.complaints == []


def search(page, address):
    page.goto(f"{address}?highlight={WORDS.replace(' ', '+')}")
    look_at_marks(page)


@pytest.mark.parametrize("name", [*PAGES[2::3], "chapters/laboratory.html"])
@pytest.mark.parametrize("engine", ["chromium"], indirect=True)
def test_no_word_is_marked_in_an_equation_or_a_figure(reader, http_base, name):
    search(reader, http_base + name)


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_page_that_was_searched_for_any_word_has_its_equations_and_figures(reader, http_base, name):
    reader.goto(http_base + name)
    all_alive(reader)
    before = reader.evaluate(KEPT)
    search(reader, http_base + name)
    assert reader.evaluate(KEPT) == before != []
    assert stuck_sliders(reader, first=True) == []
    assert reader.complaints == []


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_search_result_opens_a_page_with_marks(reader, http_base):
    """From the page of results to the chapter: the words go by the browser's storage."""
    reader.goto(http_base + "search.html?q=bias+mean+unbiased")
    reader.wait_for_function("""() => {
        const count = what => document.querySelectorAll("#search-results " + what).length;
        return document.querySelector("#search-results").textContent.includes("Search finished")
            && count("a[href*='07_bias_correction']") && count("li") === count(".context");   // all excerpts have come
    }""", timeout=60_000)
    reader.locator("#search-results a[href*='07_bias_correction']").first.click()
    reader.wait_for_function("location.pathname.endsWith('07_bias_correction.html')", timeout=60_000)
    look_at_marks(reader)
