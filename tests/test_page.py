"""What surrounds the text: motion, storage that is refused, saved pages, paper."""

import pytest

pytestmark = pytest.mark.browser


def test_a_jump_is_a_jump_for_those_who_like_motion_too(visit, http_base):
    page = visit(http_base + "chapters/09_how_far_can_one_step_go.html")
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate("document.querySelector('#exercises').scrollIntoView()")
    top = "document.querySelector('#exercises').getBoundingClientRect().top"
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert abs(page.evaluate(top) - 52) < 8   # in the next frame


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


# ---- saved pages ----------------------------------------------------------


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
