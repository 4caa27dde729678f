"""What a search marks in a page: words of its text, and nothing in its equations, figures, styles and scripts."""

import pytest

from browsers import ENGINES
from pages import PAGES, equations_not_set, stuck_sliders

pytestmark = pytest.mark.browser

# Single letters and digits are in every formula, every style and every script.
WORDS = "e a t 0 1 β adam step figure svg path math style function"
# Without what makes the names of a figure's parts its own in a page, and without what lets the keyboard reach a formula that is wider than its box.
KEPT = """() => [...document.querySelectorAll("article :is(.math, .descent, style, script)")]
    .filter(el => !el.parentElement.closest(".descent"))
    .map(el => el.outerHTML.replace(/(?<=\\bd[0-9a-f]{8})[0-9a-z]+| tabindex="0" role="group" aria-label="Equation[^"]*"/g, ""))"""
STRANGE = """() => [...document.querySelectorAll("article :is(.math, .descent, [data-ask], style, script)")]
    .filter(el => el.querySelector(".highlighted")).map(el => el.outerHTML.slice(0, 200))"""


def marked(page):
    page.wait_for_function("!!document.querySelector('article .highlighted')")
    page.wait_for_timeout(100)   # all words


TRIED = ["index.html", "chapters/07_bias_correction.html"]


@pytest.mark.parametrize("engine, name", [("chromium", name) for name in [*TRIED, *PAGES[2::3]]]
                         + [(engine, name) for engine in ENGINES[1:] for name in TRIED], indirect=["engine"])
def test_a_page_that_was_searched_for_any_word_has_its_equations_and_figures(visit, http_base, name):
    before = visit(http_base + name).evaluate(KEPT)
    page = visit(f"{http_base}{name}?highlight={WORDS.replace(' ', '+')}")
    marked(page)
    assert page.evaluate(STRANGE) == []
    assert page.evaluate(KEPT) == before
    assert equations_not_set(page) == []
    if name in TRIED:
        assert stuck_sliders(page) == []
    assert page.complaints == []


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_search_result_opens_a_page_with_marks(visit, http_base):
    """From the page of results to the chapter: the words go by the browser's storage."""
    page = visit(http_base + "search.html?q=bias+mean")
    page.wait_for_function("""() => {
        const count = what => document.querySelectorAll("#search-results " + what).length;
        return document.querySelector("#search-results").textContent.includes("Search finished")
            && count("a[href*='07_bias_correction']") && count("li") === count(".context");   // all excerpts have come
    }""")
    page.locator("#search-results a[href*='07_bias_correction']").first.click()
    page.wait_for_function("location.pathname.endsWith('07_bias_correction.html')")
    marked(page)
    assert page.evaluate(STRANGE) == []
    assert equations_not_set(page) == []
    assert page.complaints == []
