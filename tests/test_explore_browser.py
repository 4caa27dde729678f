"""The interactive figure in headless Chromium: from disk and over HTTP, with every outside host refused."""

import functools
import http.server
import io
import json
import re
import threading

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import descent.figures.explore
from descent.figures.explore import decode, explore
from descent.figures.plots import STYLE, contours, use_style

pytestmark = pytest.mark.browser


def curves():
    betas, t = np.array([0.5, 0.8, 0.9, 0.99, 0.999]), np.arange(1.0, 41)
    fig, ax = plt.subplots()
    raw, corrected = ax.plot(t, t, t, t)
    raw.set(**STYLE["rmsprop"]), corrected.set(**STYLE["adam"])
    horizon, words = ax.axvline(1, color="0.5"), ax.text(20, 0.1, "horizon")
    ax.set(xlabel="t", xlim=(0, 41), ylim=(0, 1.2))
    b = betas[:, None]
    shift = np.array([0, 0.1, -0.1])[None, :, None]
    y = (1 - b**t)[:, None] + shift
    return explore(fig, {"β₁": betas, "shift": ["none", "up", "down"]}, {
        raw: y, corrected: np.broadcast_to(1 + shift, (1, 3, 40)), horizon: 1 / (1 - betas)[:, None],
        words: (1 / (1 - betas)[:, None], "horizon {:.3g}"),
    }, alt="Two averages that start apart and meet.", start={"β₁": 0.9, "shift": "none"}, name="averages")


def ravine():
    x, y = np.linspace(-2, 2, 9), np.linspace(-1, 1, 5)
    fig, ax = plt.subplots()
    contours(ax, lambda theta: (np.array([1, 8]) * theta**2).sum(-1), (-2.2, 2.2), (-1.2, 1.2))
    (path,) = ax.plot([0], [0], marker=".", **STYLE["adam"])
    (start,) = ax.plot([0], [0], "ko")
    t = np.linspace(1, 0, 12)
    return explore(fig, {"θ₁": x, "θ₂": y}, {path: (x[:, None, None] * t, y[None, :, None] * t**2)},
                   handle=(start, ("θ₁", "θ₂")), start={"θ₁": -1.5, "θ₂": 0.5}, alt="A path to the optimum.", name="ravine")


def sanitised(html):
    """What JupyterLab leaves of a notebook it does not trust."""
    return re.sub(r"(?s)<(script|style|svg).*?</\1>", "", html)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with plt.rc_context():
        use_style()
        first, second = curves(), ravine()
    figures = {"page": first.html + second.html, "twice": second.html * 2, "sanitised": sanitised(first.html)}
    for name, body in figures.items():
        text = ('<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                f'<title>Figures</title><body style="margin:16px"><main><h1 id="top">Figures</h1>{body}'
                '<p id="end">The end.</p></main>')
        (folder / f"{name}.html").write_text(text, "utf-8")
    widget = {"_html": first._html, "_payload": first._payload, "i": first.i, "j": first.j, "k": first.k}
    (folder / "widget.html").write_text(WIDGET % (descent.figures.explore.CSS, json.dumps(widget).replace("</", "<\\/")), "utf-8")
    (folder / "explore.js").write_text(descent.figures.explore.SCRIPT, "utf-8")
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{server.server_port}", "file": folder.as_uri(), "folder": folder,
           "figures": [decode(first), decode(second)]}
    server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


# A front end in the small: what anywidget gives `render` in JupyterLab, VS Code and Colab.
WIDGET = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Widget</title><style>%s</style><div id="cell"></div>
<script type="module">
import widget from "./explore.js";
const state = %s, listeners = {};
window.model = {
  saved: 0, get: name => state[name], save_changes() { this.saved++; },
  set(name, value) { if (state[name] !== value) { state[name] = value; (listeners["change:" + name] ?? []).forEach(f => f()); } },
  on(name, f) { (listeners[name] ??= []).push(f); },
  off(name, f) { listeners[name] = (listeners[name] ?? []).filter(g => g !== f); },
};
window.stop = await widget.render({ model, el: document.getElementById("cell") });
</script>"""


@pytest.fixture
def visit(chromium, site):
    """Open a page; at the end no console message, no error and no request to elsewhere may have been seen."""
    contexts, complaints = [], []

    def open_page(name="page", scheme="file", fragment="", alive=True, **options):
        context = chromium.new_context(**{"viewport": {"width": 1200, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()

        def refuse(route):
            if not route.request.url.startswith((site["http"], site["file"], "data:")):
                complaints.append(route.request.url)
                return route.abort()
            route.continue_()

        page.route("**/*", refuse)
        page.on("console", lambda m: complaints.append(m.text) if "favicon" not in m.location["url"] else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(f"{site[scheme]}/{name}.html{fragment}")
        if alive:
            page.wait_for_selector("[data-live]")
            page.wait_for_function("n => document.querySelectorAll('[data-live]').length == n",
                                   arg=1 if name == "widget" else 2)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def path_data(page, artist, figure=0):
    return page.locator(".descent").nth(figure).locator(f"g[id$='-a{artist}'] > path").first.get_attribute("d")


def expected(figure, artist, *index):
    """The path data that the decoded coordinates stand for."""
    x, y = (a[tuple(i if n > 1 else 0 for i, n in zip(index, a.shape))] for a in
            (figure["artists"][artist]["x"], figure["artists"][artist]["y"]))
    return "L".join(f"{p:.10g} {q:.10g}" for p, q in np.broadcast(x, y) if not np.isnan(p + q))


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_figures_come_alive_at_their_start(visit, site, scheme):
    page = visit(scheme=scheme)
    assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, 2, 0)
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 1, 3)
    assert page.locator("input[type=range]").first.get_attribute("aria-valuetext") == "0.9"
    assert page.locator(".descent img").count() == 0
    assert page.locator("g[id$='-a3'] text").text_content() == "horizon 10"


def test_start_looks_like_the_picture_shown_without_scripts(visit):
    """Coloured pixels (the curves) of the live figure and of the PNG cover each other."""
    live = visit()
    still = visit(alive=False, java_script_enabled=False)
    masks = []
    for page, what in ((live, "svg"), (still, "img")):
        shot = page.locator(f".descent > {what}").first.screenshot()
        rgb = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB").resize((600, 384)), float)
        masks.append(rgb.max(-1) - rgb.min(-1) > 60)
    near = [np.any([np.roll(m, (i, j), (0, 1)) for i in (-3, 0, 3) for j in (-3, 0, 3)], axis=0) for m in masks]
    assert masks[0].sum() > 500
    assert (masks[0] & ~near[1]).sum() < 0.02 * masks[0].sum()
    assert (masks[1] & ~near[0]).sum() < 0.02 * masks[1].sum()


def test_without_scripts_one_picture_with_its_description_and_no_dead_sliders(visit):
    page = visit(alive=False, java_script_enabled=False)
    assert page.get_by_role("img", name="Two averages that start apart and meet.").is_visible()
    assert page.locator("input:visible").count() == 0
    page = visit("sanitised", alive=False)
    assert page.locator(".descent img").is_visible() and page.locator(".descent svg").count() == 0
    assert page.locator("input:visible").count() == 0


def test_every_position_is_reached_by_keyboard(visit, site):
    page = visit()
    slider = page.get_by_role("slider", name="β₁", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    for i, label in enumerate(["0.5", "0.8", "0.9", "0.99", "0.999"]):
        assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, i, 0)
        assert slider.get_attribute("aria-valuetext") == label
        assert page.locator("output").first.text_content() == label
        horizon = expected(site["figures"][0], 2, i, 0)
        assert path_data(page, 2) == (horizon and "M" + horizon), "1000 is far outside"
        page.keyboard.press("ArrowRight")


def test_arrow_keys_stay_in_the_figure_and_other_keys_do_not(visit):
    """JupyterLab moves the focus to the cell when a key reaches its notebook."""
    page = visit("page")
    page.evaluate("window.seen = []; document.addEventListener('keydown', event => seen.push(event.key))")
    page.locator("input[type=range]").first.focus()
    for key in ("ArrowRight", "PageUp", "Home", "End", "k"):
        page.keyboard.press(key)
    assert page.evaluate("seen") == ["k"]


def test_choice_is_a_radio_group(visit, site):
    page = visit()
    page.get_by_role("radio", name="none").focus()
    for j in (1, 2):
        page.keyboard.press("ArrowRight")
        assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, 2, j)
    page.get_by_label("none").click()
    assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, 2, 0)


def test_read_outs_are_announced_once_after_a_move(visit):
    page = visit()
    page.get_by_role("slider", name="β₁", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('[aria-live]').textContent == 'horizon 100'")


# --- the handle


def centre(page):
    box = page.locator(".descent-handle .descent-ring").first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def steps(page, site):
    """Screen pixels between neighbouring grid points of the ravine's handle."""
    marker, scale = site["figures"][1]["artists"][1], page.locator(".descent > svg").nth(1).bounding_box()["width"] / 360
    return scale * (marker["x"][1, 0, 0] - marker["x"][0, 0, 0]), scale * (marker["y"][0, 1, 0] - marker["y"][0, 0, 0])


def test_handle_is_dragged_by_mouse(visit, site):
    page = visit()
    page.locator(".descent").nth(1).scroll_into_view_if_needed()
    (x, y), (right, up) = centre(page), steps(page, site)
    page.mouse.move(x + 3, y + 3)
    page.mouse.down()
    page.mouse.move(x + 3 + 3.2 * right, y + 3 - 2.1 * up, steps=4)
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 4, 1)
    assert "ravine" not in page.url, "the address is written when the drag ends"
    page.mouse.move(x + 9999, y + 3)
    page.mouse.up()
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 8, 3)
    assert page.get_by_role("slider", name="θ₁", exact=True).input_value() == "8"


def test_handle_is_dragged_by_touch_and_only_it_stops_scrolling(visit, site):
    page = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    page.locator(".descent").nth(1).scroll_into_view_if_needed()
    (x, y), (right, up) = centre(page), steps(page, site)
    touch = page.context.new_cdp_session(page)
    def send(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})
    send("touchStart", (x, y))
    send("touchMove", (x + right, y))
    send("touchMove", (x + 2 * right, y - up))
    send("touchEnd")
    page.wait_for_function("document.querySelectorAll('.descent')[1].querySelector('input').value == '3'")
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 3, 2)
    actions = page.evaluate("[...document.querySelectorAll('.descent, .descent *')]"
                            ".filter(n => getComputedStyle(n).touchAction == 'none').map(n => n.getAttribute('class'))")
    assert actions == ["descent-handle", None, "descent-halo", "descent-ring"]


def test_handle_is_moved_by_arrow_keys_and_says_where_it_is(visit, site):
    page = visit()
    handle = page.get_by_role("slider", name="θ₁, θ₂: drag, or use the arrow keys")
    handle.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 3, 4)
    assert handle.get_attribute("aria-valuetext") == "θ₁ = −0.5, θ₂ = 1"
    for key in ("ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    assert handle.get_attribute("aria-valuetext") == "θ₁ = −1, θ₂ = 0.5"


def test_handles_axes_are_ordinary_sliders_too(visit, site):
    page = visit()
    page.get_by_role("slider", name="θ₂", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 1, 2)


# --- the address


def fragment(page):
    return page.evaluate("decodeURIComponent(location.hash)")


def test_setting_is_in_the_address_after_a_change_and_comes_back(visit, site):
    page = visit(fragment="#end")
    slider = page.get_by_role("slider", name="β₁", exact=True)
    slider.evaluate("n => { n.value = 3; n.dispatchEvent(new Event('input')); }")
    assert fragment(page) == "#end", "not while the slider moves"
    slider.evaluate("n => n.dispatchEvent(new Event('change'))")
    page.get_by_role("slider", name="θ₁", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert fragment(page) == "#end;averages:β₁=0.99,shift=none;ravine:θ₁=-1,θ₂=0.5"
    again = visit(fragment=page.evaluate("location.hash"))
    assert path_data(again, 0) == "M" + expected(site["figures"][0], 0, 3, 0)
    assert path_data(again, 0, 1) == "M" + expected(site["figures"][1], 0, 2, 3)


def test_link_on_the_page_sets_the_figure(visit, site):
    page = visit()
    length = page.evaluate("history.length")
    page.get_by_role("slider", name="β₁", exact=True).press("ArrowRight")
    assert page.evaluate("history.length") == length, "moving fills no history"
    page.evaluate("location.hash = 'averages:β₁=0.5,shift=up'")
    page.wait_for_function("document.querySelector('output').textContent == '0.5'")
    assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, 0, 1)


@pytest.mark.parametrize("text", ["#%E0%A4%A", "#averages", "#averages:", "#averages:β₁", "#averages:β₁=7,shift=;;",
                                  "#averages:β₁=0.9=1", "#top", "#;;=,:", "#ravine:β₁=0.5"])
def test_malformed_fragments_are_ignored(visit, site, text):
    page = visit(fragment=text)
    assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, 2, 0)
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 1, 3)


# --- every screen, every reader


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_scrolls_sideways_and_targets_are_large(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in page.locator("input[type=range], .descent-choices label, .descent-handle").all():
        box = target.bounding_box()
        assert box["height"] >= 24 and box["width"] >= 24
    sizes = page.evaluate("[...document.querySelectorAll('.descent svg text')].map(n => n.getBoundingClientRect().height)")
    assert min(sizes) >= 9


@pytest.mark.parametrize("mark", ["media", "book", "lab"])
def test_dark_theme_has_light_ink_on_dark_paper(visit, mark):
    page = visit(color_scheme="dark" if mark == "media" else "light")
    page.evaluate({"media": "0", "book": "document.documentElement.dataset.theme = 'dark'",
                   "lab": "document.body.setAttribute('data-jp-theme-light', 'false')"}[mark])
    assert colours(page) == ("rgb(230, 230, 230)", "rgb(18, 18, 18)")


def test_themes_that_say_light_win_over_the_system(visit):
    page = visit(color_scheme="dark")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert colours(page) == ("rgb(28, 28, 30)", "rgb(255, 255, 255)")


def colours(page):
    return tuple(page.evaluate("""(() => { const s = getComputedStyle(document.querySelector(".descent"));
        return [getComputedStyle(document.querySelector(".descent svg text")).fill, s.backgroundColor]; })()"""))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit()
    page.evaluate("t => { document.documentElement.dataset.theme = t; if (t == 'dark') document.body.style.cssText += ';background:#121212;color:#eee' }", theme)
    results = axe.Axe().run(page)
    assert not [v["id"] + ": " + v["nodes"][0]["html"][:200] for v in results.response["violations"]]


def test_print_shows_the_figure_where_it_stands_without_controls(visit, site):
    page = visit(color_scheme="dark")
    page.get_by_role("slider", name="β₁", exact=True).press("ArrowRight")
    page.emulate_media(media="print")
    assert colours(page) == ("rgb(28, 28, 30)", "rgb(255, 255, 255)")
    assert page.locator("input:visible").count() == 0
    assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, 3, 0)


def test_same_figure_twice_has_no_id_twice_and_moves_alone(visit, site):
    page = visit("twice")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(n => n.id)")
    assert len(ids) == len(set(ids))
    page.get_by_role("slider", name="θ₁", exact=True).nth(1).press("ArrowRight")
    assert path_data(page, 0, 0) == "M" + expected(site["figures"][1], 0, 1, 3)
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 2, 3)


# --- in a kernel's front end


def test_widget_reports_and_follows_its_traits(visit, site):
    page = visit("widget", scheme="http")
    figure = site["figures"][0]
    assert path_data(page, 0) == "M" + expected(figure, 0, 2, 0)
    page.get_by_role("slider", name="β₁", exact=True).press("ArrowRight")
    assert page.evaluate("[model.get('i'), model.saved > 0]") == [3, True]
    page.evaluate("model.set('i', 0), model.set('j', 2)")
    assert path_data(page, 0) == "M" + expected(figure, 0, 0, 2)
    assert page.locator("output").first.text_content() == "0.5"
    assert fragment(page) == "", "the notebook's address is not ours"
    page.evaluate("stop(), model.set('i', 1)")
    assert path_data(page, 0) == "M" + expected(figure, 0, 0, 2)
