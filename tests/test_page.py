"""What surrounds the text: the first window, what grows later, storage that is refused, names of buttons, paper."""

import re

import pytest

import browsers
from pages import PAGES

pytestmark = pytest.mark.browser

CHAPTERS = [name for name in PAGES if re.search(r"/\d\d_", name)]
FIGURE = """[...document.querySelectorAll("article :is(.descent, .cell_output img)")]
    .find(el => el.checkVisibility() && el.getBoundingClientRect().height > 60)"""


# ---- the first window -----------------------------------------------------


@pytest.mark.parametrize("name", ["index.html", *CHAPTERS])
def test_the_first_figure_stands_in_the_first_window_and_no_code_above_it(visit, http_base, name):
    for width, height, share in [(1280, 800, .9), (390, 844, .6)]:
        page = visit(http_base + name, width=width, height=height)
        figure, code = page.evaluate("""() => {
            const box = (%s).getBoundingClientRect();
            return [(Math.min(box.bottom, innerHeight) - box.top) / box.height,
                    [...document.querySelectorAll("article div.highlight")].filter(el => el.checkVisibility()
                        && el.getBoundingClientRect().top < box.top).length];
        }""" % FIGURE)
        assert figure >= share and code == 0, f"{width} x {height}"


# ---- links ----------------------------------------------------------------


@pytest.mark.parametrize("engine", browsers.ENGINES, indirect=True)
def test_what_grows_later_keeps_the_place_until_the_reader_moves(engine, visit, http_base):
    page = visit(http_base + "chapters/12_a_real_network_compared_fairly.html#exercises", width=1280, height=800)
    top = "Math.round(document.querySelector('#exercises').getBoundingClientRect().top)"
    grow = "() => { document.querySelector('article h1').style.paddingBottom = '%dpx'; }"
    page.wait_for_timeout(300)
    before = page.evaluate(top)
    page.evaluate(grow % 700)
    page.wait_for_function(f"Math.abs({top} - {before}) < 8")
    page.keyboard.press("PageUp")
    page.wait_for_timeout(700)
    moved, at = page.evaluate(top), page.evaluate("scrollY")
    page.evaluate("() => { document.documentElement.style.overflowAnchor = 'none'; }")
    page.evaluate(grow % 900)
    page.wait_for_timeout(300)
    assert moved > before + 200 and page.evaluate("scrollY") == at


def test_a_jump_is_a_jump_for_those_who_like_motion_too(visit, http_base):
    page = visit(http_base + "chapters/09_how_far_can_one_step_go.html")
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate("document.querySelector('#exercises').scrollIntoView()")
    top = "document.querySelector('#exercises').getBoundingClientRect().top"
    page.evaluate("() => new Promise(requestAnimationFrame)")
    first = page.evaluate(top)
    page.wait_for_timeout(800)
    assert abs(page.evaluate(top) - first) < 1 and abs(first - 52) < 8


# ---- storage refused ------------------------------------------------------

REFUSED = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, { configurable: true, get() { throw new DOMException("refused", "SecurityError"); } });"""
FULL = """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };"""


@pytest.mark.parametrize("trouble", [REFUSED, FULL], ids=["refused", "full"])
def test_search_and_theme_work_where_nothing_can_be_stored(engine, http_base, trouble):
    page = engine.new_page(init=trouble)
    page.goto(http_base + "search.html?q=momentum")
    page.wait_for_selector("#search-results a[href*='06_momentum']")
    page.goto(http_base + "chapters/07_bias_correction.html")
    modes = []
    for _ in range(3):
        page.locator(".theme-switch-button").first.click()
        modes.append(page.evaluate("document.documentElement.dataset.mode"))
    assert sorted(modes) == ["auto", "dark", "light"]
    assert page.complaints == []
    page.close()


# ---- names, captions, saved pages -----------------------------------------


def test_copy_buttons_have_a_name(visit, http_base):
    page = visit(http_base + "chapters/07_bias_correction.html")
    names = page.evaluate("[...document.querySelectorAll('.copybtn')].map(el => el.getAttribute('aria-label'))")
    assert names and set(names) == {"Copy"}


def test_captions_are_not_hair_thin(visit, http_base):
    weights = [page.evaluate("""[...document.querySelectorAll("figcaption .caption-text")]
        .map(el => +getComputedStyle(el).fontWeight)""")
        for page in [visit(http_base + name, theme="dark") for name in CHAPTERS[:8]]]
    assert any(weights) and min(min(page) for page in weights if page) >= 400


def test_a_saved_page_has_its_buttons_once_and_solutions_shut(visit, http_base, tmp_path, html):
    """As the browser's "Save page as, complete" writes it: what the page has become, with all scripts."""
    page = visit(http_base + "chapters/07_bias_correction.html")
    page.wait_for_selector(".toggle-button", state="attached")
    count = "['.copybtn', '.toggle-button', '.toggle-hidden'].map(kind => document.querySelectorAll(kind).length)"
    before, saved = page.evaluate(count), page.content()
    saved = saved.replace('"../_static/', f'"{html.as_uri()}/_static/')
    (tmp_path / "saved.html").write_text(saved, "utf-8")
    page = visit((tmp_path / "saved.html").as_uri())
    page.wait_for_selector(".toggle-button", state="attached")
    assert page.evaluate(count) == before and all(before)


# ---- paper ----------------------------------------------------------------


def test_no_figure_is_printed_from_inside_a_flex_box(visit, http_base):
    """WebKit cuts it across two sheets."""
    page = visit(http_base + "chapters/08_adam_assembled_and_tested.html")
    page.emulate_media(media="print")
    boxes = page.evaluate("""[...document.querySelectorAll("article :is(.descent, .cell_output img)")].flatMap(el => {
        const boxes = [];
        for (let up = el.parentElement; up; up = up.parentElement)
            if (/flex|grid/.test(getComputedStyle(up).display)) boxes.push(up.className);
        return boxes;
    })""")
    assert boxes == []
