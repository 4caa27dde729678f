"""The pages in Firefox and in WebKit, the engine of Safari: each page once in each, and what engines differ in.

The whole matrix, in Chromium, is in test_site.py; places that links lead to, in test_landing.py.
"""

import re

import pytest
from bs4 import BeautifulSoup

from browsers import ENGINES
from pages import EXTRA, PAGES, births, equations_not_set, open_everything, stuck_sliders, too_wide

pytestmark = pytest.mark.browser

others = pytest.mark.parametrize("engine", ENGINES[1:], indirect=True)
all_three = pytest.mark.parametrize("engine", ENGINES, indirect=True)
CHAPTER = "chapters/07_bias_correction.html"


@others
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_alive_quiet_and_fits_a_phone(visit, http_base, name):
    page = visit(http_base + name)
    assert equations_not_set(page) == []
    print(name, births(page), "ms after load")
    assert stuck_sliders(page, first=True) == []
    assert too_wide(page, 390) == []
    assert equations_not_set(page) == []   # now in every fold
    assert page.complaints == []


@others
@pytest.mark.parametrize("name", EXTRA)
def test_the_theme_s_own_pages_are_quiet(visit, http_base, name):
    page = visit(http_base + name)
    page.wait_for_timeout(300)
    assert page.complaints == []


@others
@pytest.mark.parametrize("name", ["index.html", CHAPTER])
def test_a_page_opened_from_the_disk_is_alive_and_quiet(visit, html, name):
    page = visit((html / name).as_uri())
    assert equations_not_set(page) == []
    assert stuck_sliders(page, first=True) == []
    assert page.complaints == []


# Contrast between the ink of an element and the paper below it, as WCAG defines it.
CONTRAST = """selector => {
  const rgb = text => text.match(/[\\d.]+/g).map((v, k) => text.startsWith("color(") && k < 3 ? 255 * v : +v);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
      .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  const contrast = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  return [...document.querySelectorAll(selector)].filter(el => el.checkVisibility()).map(el => {
    const style = getComputedStyle(el);
    const ink = rgb(el instanceof SVGElement ? style.fill : style.color);
    let paper = [255, 255, 255];
    for (let up = el.parentElement; up; up = up.parentElement) {
      const colour = rgb(getComputedStyle(up).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) { paper = colour; break; }
    }
    return [contrast(light(ink), light(paper)), paper];
  });
}"""


@all_three
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_equations_and_figures_follow_the_theme(visit, http_base, theme):
    page = visit(http_base + CHAPTER, theme=theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    for what in "article p", ".math svg path", ".descent svg text":
        seen = page.evaluate(CONTRAST, what)
        assert seen and min(contrast for contrast, _ in seen) >= 4.5, what
        assert all((sum(paper) < 384) == (theme == "dark") for _, paper in seen), what


@all_three
def test_a_link_with_settings_sets_the_figure(visit, http_base):
    """Move every slider by keys, and open the address that stands there then.

    A drawing is compared at its figure's start; a reader who asks to be shown sees the settings of the link.
    """
    page = visit(http_base + CHAPTER)
    values = """() => [...document.querySelectorAll("article .descent input[type=range]")]
        .map(input => input.getAttribute("aria-valuetext"))"""
    open_everything(page)
    before = page.evaluate(values)
    for slider in page.locator("article .descent input[type=range]").all():
        slider.press("End")
        slider.press("ArrowLeft")
    set_to, link = page.evaluate(values), page.evaluate("location.href")
    assert set_to != before and re.search("#.*:.*=", link)
    assert page.complaints == []
    again = visit(link)
    open_everything(again)
    assert again.evaluate(values) == set_to
    assert again.complaints == []


@all_three
def test_a_figure_is_dragged_by_the_mouse(visit, http_base):
    page = visit(http_base + "index.html")
    open_everything(page)
    handle = page.locator("article .descent .descent-handle").first
    handle.scroll_into_view_if_needed()
    before, box = handle.get_attribute("aria-valuetext"), handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 30, steps=4)
    page.mouse.up()
    assert handle.get_attribute("aria-valuetext") != before
    assert page.complaints == []


# ---- predictions ----------------------------------------------------------


SEEN = """() => ({ waiting: "waiting" in figure.dataset, reply: figure.querySelector(".descent-reply").innerText.trim(),
    hidden: [...figure.querySelectorAll(".descent-hidden")].filter(el => el.getBoundingClientRect().height).length })"""


@pytest.fixture
def asking(visit, http_base, html):
    """Opens the first page of the book that has a question of a kind; the figure is the window's `figure`."""
    def asking(selector):
        name = next(name for name in PAGES if any(
            not found.find_parent("details") and not found.find_parent(class_="solution")
            for found in BeautifulSoup((html / name).read_text("utf-8"), "html.parser").select(f"article {selector}")))
        page = visit(http_base + name)
        page.evaluate("selector => { window.figure = document.querySelector(`article ${selector}`);"
                      " figure.scrollIntoView({ block: 'center', behavior: 'instant' }); }", selector)
        before = page.evaluate(SEEN)
        assert before == {"waiting": True, "reply": "", "hidden": 0}
        return page
    return asking


def answered(page, reply):
    after = page.evaluate(SEEN)
    assert not after["waiting"] and after["hidden"] and re.search(reply, after["reply"])
    assert page.complaints == []


@all_three
def test_a_curve_is_drawn_by_the_mouse(asking):
    page = asking(".descent[data-predict=draw]")
    left, top, width, height = page.evaluate("""() => {
        const box = figure.querySelector(".descent-pad rect").getBoundingClientRect();
        return [box.left, box.top, box.width, box.height];
    }""")
    page.mouse.move(left + 1, top + height / 2)
    page.mouse.down()
    page.mouse.move(left + width / 2, top + height / 4, steps=5)
    page.mouse.move(left + width - 1, top + height / 3, steps=5)
    page.mouse.up()
    answered(page, r"Yours.*\d.* on average")


@all_three
def test_a_curve_is_drawn_by_keys(asking):
    page = asking(".descent[data-predict=draw]")
    page.evaluate("figure.querySelector('.descent-pad [role=slider]').focus()")
    for key in "ArrowUp", "PageUp", "ArrowDown", "Enter":
        page.keyboard.press(key)
    answered(page, r"Yours.*\d.* on average")


@all_three
def test_a_choice_is_made_by_keys(asking):
    page = asking(".descent[data-predict=ask]:has([data-choice])")
    page.evaluate("figure.querySelector('[data-choice]').focus()")
    page.keyboard.press("Enter")
    answered(page, "You said: ")


# ---- the theme's parts ----------------------------------------------------


@all_three
def test_search_finds_a_page(visit, http_base):
    page = visit(http_base + "search.html?q=bias+correction")
    page.wait_for_function("!!document.querySelector(\"#search-results a[href*='07_bias_correction']\")")
    assert page.complaints == []


@all_three
def test_a_button_that_copies_has_a_name(visit, http_base):
    page = visit(http_base + CHAPTER)
    page.wait_for_function("!!document.querySelector('button.copybtn')")
    assert page.evaluate("""() => [...document.querySelectorAll("button")].filter(el => !el.textContent.trim()
        && !el.ariaLabel && !el.querySelector("title") && el.checkVisibility()).map(el => el.outerHTML)""") == []
