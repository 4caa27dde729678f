"""The pages in Firefox and in WebKit, the engine of Safari: each page once in each, and what engines differ in.

The whole matrix, in Chromium, is in test_site.py; places that links lead to, in test_landing.py; search, in test_search.py.
"""

import re

import pytest
from bs4 import BeautifulSoup

from browsers import ENGINES
from pages import BIRTHS, PAGES, all_alive, births, equations_not_set, open_everything, stuck_sliders, too_wide

pytestmark = pytest.mark.browser

others = pytest.mark.parametrize("engine", ENGINES[1:], indirect=True)
all_three = pytest.mark.parametrize("engine", ENGINES, indirect=True)
CHAPTER = "chapters/07_bias_correction.html"


@pytest.fixture(scope="module")
def window(engine):
    """The window that the engine has open, {theme: page}."""
    return {}


@pytest.fixture
def visit(engine, window):
    """As conftest's, yet in the window that is open, if it has the theme and nothing was wrong there: a new one is slow."""
    def visit(address, theme="light"):
        if theme in window:
            window[theme].goto("about:blank")
        if theme not in window or window[theme].complaints:
            for page in window.values():
                page.close()
            window.clear()
            window[theme] = engine.new_page(theme=theme, init=BIRTHS)
        page = window[theme]
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(address)
        all_alive(page)
        return page
    return visit


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


@all_three
def test_the_opening_page_from_the_disk_is_alive_and_dragged_by_the_mouse(visit, html):
    page = visit((html / "index.html").as_uri())
    assert equations_not_set(page) == []
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
    assert stuck_sliders(page, first=True) == []
    assert page.complaints == []


@all_three
def test_a_chapter_from_the_disk_is_alive_and_a_link_with_settings_sets_its_figures(visit, html):
    """Move every slider by keys, and open the address that stands there then.

    A drawing is compared at its figure's start; a reader who asks to be shown sees the settings of the link.
    """
    page = visit((html / CHAPTER).as_uri())
    assert equations_not_set(page) == []
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


# Until nothing has scrolled for ten frames.
AT_REST = """async () => {
    for (let at, still = 0; still < 10; at = scrollY) {
        await new Promise(requestAnimationFrame);
        still = scrollY === at ? still + 1 : 0;
    }
}"""


@all_three
def test_what_grows_later_keeps_the_place_until_the_reader_moves(visit, http_base):
    page = visit(http_base + "chapters/12_a_real_network_compared_fairly.html#exercises")
    top = "Math.round(document.querySelector('#exercises').getBoundingClientRect().top)"
    grow = "() => { document.querySelector('article h1').style.paddingBottom = '%dpx'; }"
    page.evaluate(AT_REST)
    before = page.evaluate(top)
    page.evaluate(grow % 700)
    page.evaluate(AT_REST)
    page.wait_for_function(f"Math.abs({top} - {before}) < 8")
    page.keyboard.press("PageUp")
    page.wait_for_function(f"{top} > {before} + 200")
    page.evaluate(AT_REST)
    page.evaluate("() => { document.documentElement.style.overflowAnchor = 'none'; }")
    at = page.evaluate("scrollY")
    page.evaluate(grow % 900)
    page.evaluate(AT_REST)
    assert page.evaluate("scrollY") == at


# ---- predictions ----------------------------------------------------------


SEEN = """() => ({ waiting: "waiting" in figure.dataset, reply: figure.querySelector(".descent-reply").innerText.trim(),
    hidden: [...figure.querySelectorAll(".descent-hidden")].filter(el => el.getBoundingClientRect().height).length })"""
DRAWN, CHOSEN = ".descent[data-predict=draw]", ".descent[data-predict=ask]:has([data-choice])"


def ask(page, selector, which=0):
    """Brings a question into view, as the window's `figure`."""
    page.evaluate("""([selector, which]) => {
        window.figure = [...document.querySelectorAll(`article ${selector}`)]
            .filter(el => !el.closest("details, .solution"))[which];
        figure.scrollIntoView({ block: 'center', behavior: 'instant' });
    }""", [selector, which])
    assert page.evaluate(SEEN) == {"waiting": True, "reply": "", "hidden": 0}


def answered(page, reply):
    after = page.evaluate(SEEN)
    assert not after["waiting"] and after["hidden"] and re.search(reply, after["reply"])


@all_three
def test_curves_are_drawn_by_mouse_and_by_keys_and_a_choice_is_made_by_keys(visit, http_base, html):
    """On the first page that asks for two curves and for a choice."""
    def asks(name, selector):
        found = BeautifulSoup((html / name).read_text("utf-8"), "lxml").select(f"article {selector}")
        return len([el for el in found if not el.find_parent("details") and not el.find_parent(class_="solution")])

    page = visit(http_base + next(name for name in PAGES if asks(name, DRAWN) > 1 and asks(name, CHOSEN)))
    ask(page, DRAWN)
    left, top, width, height = page.evaluate("""() => {
        const box = figure.querySelector(".descent-pad rect").getBoundingClientRect();
        return [box.left, box.top, box.width, box.height];
    }""")
    page.mouse.move(left + 1, top + height / 2)
    page.mouse.down()
    page.mouse.move(left + width / 2, top + height / 4, steps=5)
    page.mouse.move(left + width - 1, top + height / 3, steps=5)
    page.mouse.up()
    answered(page, r"Yours .*(\d.* on average|on average .*\d)")

    ask(page, DRAWN, 1)
    page.evaluate("figure.querySelector('.descent-pad [role=slider]').focus()")
    for key in "ArrowUp", "PageUp", "ArrowDown", "Enter":
        page.keyboard.press(key)
    answered(page, r"Yours .*(\d.* on average|on average .*\d)")

    ask(page, CHOSEN)
    page.evaluate("figure.querySelector('[data-choice]').focus()")
    page.keyboard.press("Enter")
    answered(page, "You said: ")
    assert page.complaints == []


# ---- themes, and the theme's parts ----------------------------------------


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
def test_text_equations_figures_and_buttons_follow_the_theme(visit, http_base, theme):
    page = visit(http_base + CHAPTER, theme=theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    for what in "article p", ".math svg path", ".descent svg text":
        seen = page.evaluate(CONTRAST, what)
        assert seen and min(contrast for contrast, _ in seen) >= 4.5, what
        assert all((sum(paper) < 384) == (theme == "dark") for _, paper in seen), what
    weights = page.evaluate("""[...document.querySelectorAll("figcaption .caption-text")]
        .map(el => +getComputedStyle(el).fontWeight)""")
    assert weights and min(weights) >= 400, "captions are hair-thin"
    names = page.evaluate("[...document.querySelectorAll('button.copybtn')].map(el => el.getAttribute('aria-label'))")
    assert names and set(names) == {"Copy"}
    assert page.evaluate("""() => [...document.querySelectorAll("button")].filter(el => !el.textContent.trim()
        && !el.ariaLabel && !el.querySelector("title") && el.checkVisibility()).map(el => el.outerHTML)""") == []
