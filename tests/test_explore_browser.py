"""The interactive figure in headless Chromium: from disk and over HTTP, with every outside host refused."""

import functools
import http.server
import io
import json
import re
import threading
from urllib.parse import quote

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


def bars():
    """Two bars that are dragged, a lying one, and a dot that goes up and down; their sum is a fourth bar."""
    fig, (ax, low) = plt.subplots(2, height_ratios=(2, 1))
    one, two, both = ax.bar(["one", "two", "both"], [1, 1, 2])
    (lying,) = low.barh(["three"], [1])
    (dot,) = ax.plot([2.6], [0], "ko")
    ax.set(ylim=(0, 10), xlim=(-0.6, 3)), low.set(xlim=(0, 10))
    h = np.arange(6.0)
    a, b, c, d = h[:, None, None, None], h[:, None, None], h[:, None], h
    return explore(fig, {"one": h, "two": h, "three": h, "height": h}, {
        one: a + 0 * b[:1] + 0 * c[:1] + 0 * d[:1], two: b[None] + 0 * c[:1] + 0 * d[:1], both: (a + 0 * c[:1] + 0 * d[:1], b[None] + 0 * c[:1] + 0 * d[:1]),
        lying: c[None, None] + 0 * d[:1], dot: (np.full((1, 1, 1, 1), 2.6), d[None, None, None]),
    }, handle=[(one, "one"), (two, "two"), (lying, "three"), (dot, "height")], start=dict.fromkeys(("one", "two", "three", "height"), 2.0),
        name="bars", alt="Bars.")


def tall():
    """As high as the highest of the book, with three sliders."""
    fig, axs = plt.subplots(2, figsize=(5.0, 6.0))
    (line,) = axs[0].plot([0, 1], [0, 1])
    return explore(fig, {n: np.arange(3) for n in "abc"}, {line: np.ones((1, 1, 1, 2))}, alt="A tall figure.")


def sanitised(html):
    """What JupyterLab leaves of a notebook it does not trust."""
    return re.sub(r"(?s)<(script|style|svg).*?</\1>", "", html)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with plt.rc_context():
        use_style()
        first, second, third, fourth = curves(), ravine(), bars(), tall()
    plt.close("all")
    figures = {"page": first.html + second.html, "twice": second.html * 2, "sanitised": sanitised(first.html), "bars": third.html,
               "tall": fourth.html}
    for name, body in figures.items():
        text = ('<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                f'<title>Figures</title><body style="margin:16px"><main><h1 id="top">Figures</h1>{body}'
                '<p id="end">The end.</p></main>')
        (folder / f"{name}.html").write_text(text, "utf-8")
    widget = {"_html": first._html, "_payload": first._payload, **{t: getattr(first, t) for t in "ijkl"}}
    (folder / "widget.html").write_text(WIDGET % (descent.figures.explore.CSS, json.dumps(widget).replace("</", "<\\/")), "utf-8")
    (folder / "explore.js").write_text(descent.figures.explore.SCRIPT, "utf-8")
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{server.server_port}", "file": folder.as_uri(), "folder": folder,
           "figures": [decode(first), decode(second), decode(third)]}
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


@pytest.fixture(scope="module")
def pages(chromium, site):
    """{options: the page for them and what it has done wrong}: each opens one address after the other."""
    pages = {}

    def page_with(**options):
        key = json.dumps(options, sort_keys=True)
        if key not in pages:
            page = chromium.new_context(**{"viewport": {"width": 1200, "height": 900}} | options).new_page()
            pages[key] = page, complaints = page, []

            def refuse(route):
                if not route.request.url.startswith((site["http"], site["file"], "data:")):
                    complaints.append(route.request.url)
                    return route.abort()
                route.continue_()

            page.route("**/*", refuse)
            page.on("console", lambda m: complaints.append(m.text) if "favicon" not in m.location["url"] else None)
            page.on("pageerror", lambda e: complaints.append(str(e)))
        return pages[key]

    yield page_with
    for page, _ in pages.values():
        page.context.close()


@pytest.fixture
def visit(pages, site):
    """Open a page; at the end no console message, no error and no request to elsewhere may have been seen."""
    opened = []

    def open_page(name="page", scheme="file", fragment="", alive=True, **options):
        page, complaints = pages(**options)
        opened.append(complaints)
        page.emulate_media(media="null")
        page.goto("about:blank")   # or another fragment would load nothing
        page.goto(f"{site[scheme]}/{name}.html{fragment}")
        if alive:
            page.wait_for_selector("[data-live]")
            page.wait_for_function("n => document.querySelectorAll('[data-live]').length == n",
                                   arg=2 if name in ("page", "twice") else 1)
        return page

    yield open_page
    found = sum(opened, [])
    for complaints in opened:
        complaints.clear()
    assert not found


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


# --- handles of one axis


def knob(page, n):
    box = page.locator(".descent-handle .descent-ring").nth(n).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_bars_and_a_dot_are_dragged_along_their_axis(visit, site):
    page = visit("bars", viewport={"width": 1200, "height": 900})
    assert page.locator(".descent-handle").count() == 4
    outs = page.locator("output")
    for n, goal in ((0, 5), (1, 1), (2, 4), (3, 0)):
        (x, y), unit = knob(page, n), 1
        ends = site["figures"][2]["artists"][[0, 1, 3, 4][n]]
        axis = "x" if n == 2 else "y"
        pixels = ends[axis].reshape(6, -1)[:, 1 if n < 3 else 0]
        scale = page.locator(".descent > svg").bounding_box()["width"] / 360
        scale = min(scale, page.locator(".descent > svg").evaluate("svg => svg.getScreenCTM().a"))
        far = scale * (pixels[goal] - pixels[2])
        page.mouse.move(x + 2, y + 2)
        page.mouse.down()
        page.mouse.move(x + 2 + (far if n == 2 else 30), y + 2 + (far if n < 2 or n == 3 else 30), steps=3)
        page.mouse.up()
        assert outs.nth(n).text_content() == str(goal)
    assert path_data(page, 2) == "M" + expected(site["figures"][2], 2, 5, 1, 4, 0), "the sum stands on the first"


def test_arrow_keys_move_a_bar_the_way_they_point(visit):
    page = visit("bars")
    for n, up, down in ((0, "ArrowUp", "ArrowLeft"), (2, "ArrowRight", "ArrowDown"), (3, "ArrowRight", "ArrowDown")):
        handle, out = page.locator(".descent-handle").nth(n), page.locator("output").nth(n)
        handle.focus()
        page.keyboard.press(up)
        assert out.text_content() == "3"
        page.keyboard.press(down)
        page.keyboard.press(down)
        assert out.text_content() == "1"
    assert page.locator(".descent-handle").nth(2).get_attribute("aria-valuetext") == "three = 1"


# --- fingers that scroll


def finger(page):
    session = page.context.new_cdp_session(page)

    def send(kind, *places):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in places]})
        page.wait_for_timeout(15)
    return send


def test_a_vertical_swipe_that_begins_on_a_slider_changes_nothing(visit):
    page = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 600})
    box = page.locator("input[type=range]").first.bounding_box()
    send, x, y = finger(page), box["x"] + 8, box["y"] + 12
    send("touchStart", (x, y))
    for k in range(1, 20):
        send("touchMove", (x, y - 8 * k))
    send("touchEnd")
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") > 50
    assert page.locator("output").first.text_content() == "0.9" and fragment(page) == ""


def test_a_horizontal_one_moves_the_slider(visit):
    page = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 600})
    box = page.locator("input[type=range]").first.bounding_box()
    send, x, y = finger(page), box["x"] + box["width"] / 2, box["y"] + 12
    send("touchStart", (x, y))
    for k in range(1, 20):
        send("touchMove", (x + 12 * k, y + k))
    send("touchEnd")
    assert page.locator("output").first.text_content() == "0.999" and fragment(page) != ""


def test_a_drag_that_is_interrupted_is_put_back(visit, site):
    page = visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    page.locator(".descent").nth(1).scroll_into_view_if_needed()
    send, (x, y), (right, _) = finger(page), centre(page), steps(page, site)
    send("touchStart", (x, y))
    send("touchMove", (x + 3 * right, y))
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 4, 3)
    send("touchCancel")
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 1, 3) and fragment(page) == ""


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


SETTINGS = "averages:β₁=0.99,shift=up;ravine:θ₁=-1,θ₂=0.5"


@pytest.mark.parametrize("link", [
    SETTINGS, SETTINGS.replace(";", "%3B"), re.sub("[=,:;]", lambda m: f"%{ord(m[0]):02x}", SETTINGS), quote(SETTINGS, safe=""),
    quote(quote(SETTINGS)), quote(quote(quote(SETTINGS, safe=""), safe="")), SETTINGS + ".", SETTINGS.replace("₁", "1").replace("₂", "2"),
    SETTINGS.replace("-1", "−1"), "top;" + SETTINGS, "end%3B" + SETTINGS])
def test_settings_arrive_whatever_a_mail_program_has_encoded(visit, site, link):
    page = visit(fragment="#" + link)
    assert path_data(page, 0) == "M" + expected(site["figures"][0], 0, 3, 1)
    assert path_data(page, 0, 1) == "M" + expected(site["figures"][1], 0, 2, 3)


def test_a_click_in_the_pages_contents_keeps_the_settings(visit, site):
    page = visit()
    page.get_by_role("slider", name="β₁", exact=True).press("ArrowRight")
    page.evaluate("document.body.insertAdjacentHTML('afterbegin', '<a id=link href=\"#end\">contents</a>'); link.click()")
    page.wait_for_function("decodeURIComponent(location.hash) == '#end;averages:β₁=0.99,shift=none'")
    page.get_by_role("slider", name="θ₁", exact=True).press("ArrowRight")
    assert fragment(page) == "#end;averages:β₁=0.99,shift=none;ravine:θ₁=-1,θ₂=0.5"
    page.evaluate("location.hash = 'top'")
    page.wait_for_function("location.hash.startsWith('#top;')")
    again = visit(fragment=page.evaluate("location.hash"))
    assert path_data(again, 0) == "M" + expected(site["figures"][0], 0, 3, 0)
    assert path_data(again, 0, 1) == "M" + expected(site["figures"][1], 0, 2, 3)


@pytest.mark.parametrize("names, first", [(("averages:β₁=0.5", "ravine:θ₁=1"), 0), (("ravine:θ₁=1", "averages:β₁=0.5"), 1),
                                          (("end", "averages:β₁=0.5", "ravine:θ₁=1"), None)])
def test_a_link_with_two_figures_leads_to_what_it_names_first(visit, names, first):
    page = visit(fragment="#" + ";".join(names), viewport={"width": 1200, "height": 500})
    goal = page.locator("#end") if first is None else page.locator(".descent").nth(first)
    page.evaluate("document.body.style.paddingBottom = '2000px'")
    page.evaluate("location.hash = ''"), page.evaluate("h => { location.hash = h }", ";".join(names))
    page.wait_for_timeout(200)
    assert abs(goal.bounding_box()["y"]) < 2
    assert goal.evaluate("goal => goal == descentTarget")


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


def boxes(page, selector):
    return [b for b in (el.bounding_box() for el in page.locator(selector).all()) if b]


@pytest.mark.parametrize("name", ["page", "bars", "tall"])
@pytest.mark.parametrize("width, height", [(844, 390), (667, 375), (1366, 625), (1280, 800)])
def test_picture_and_sliders_are_seen_together(visit, name, width, height):
    """With 80 px for the book's header."""
    page = visit(name, viewport={"width": width, "height": height})
    figure = page.locator(".descent").first.bounding_box()
    assert figure["height"] <= height - 80
    assert page.locator(".descent > svg").first.bounding_box()["height"] >= 180
    if height == 800:
        assert figure["height"] <= height - 230, "the title and a question of three lines stand above it"


def test_words_of_a_picture_stay_in_it_and_apart_on_a_phone(visit):
    """In the proportions that matplotlib has given them: nothing grows beyond the picture."""
    wide, phone = visit("tall"), visit("tall", viewport={"width": 390, "height": 844})
    def shares(page):
        svg = page.locator(".descent > svg").bounding_box()
        return [b["width"] / svg["width"] for b in boxes(page, ".descent > svg text")]
    scale = wide.locator(".descent > svg").evaluate("svg => svg.getScreenCTM().a * 360 / svg.getBoundingClientRect().width")
    assert shares(phone) == pytest.approx(np.array(shares(wide)) / scale, rel=0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("book", ["light", "dark"])
def test_contrast_themes_get_the_systems_colours(visit, scheme, book):
    page = visit(forced_colors="active", color_scheme=scheme)
    page.evaluate("t => document.documentElement.dataset.theme = t", book)
    system = page.evaluate("""() => { const box = document.body.appendChild(document.createElement("div"));
        box.style.cssText = "color: CanvasText; background: Canvas"; const s = getComputedStyle(box); return [s.color, s.backgroundColor]; }""")
    assert list(colours(page)) == system
    lines = page.evaluate("""[...document.querySelectorAll(".descent svg path")].map(n => getComputedStyle(n).stroke)""")
    assert not [s for s in lines if s == system[1]], "an axis in the colour of the paper"
    assert page.evaluate("""getComputedStyle(document.querySelector(".descent svg use")).stroke""") != system[1]


def test_search_highlighting_touches_nothing_in_a_figure(visit):
    """Sphinx marks words in each text whose parent has not the class nohighlight and is no button."""
    page = visit()
    page.wait_for_timeout(500)
    bare = page.evaluate("""() => { const found = [];
        const walk = document.createTreeWalker(document.querySelector(".descent"), NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) { const up = walk.currentNode.parentNode;
            if (walk.currentNode.data.trim() && !up.classList.contains("nohighlight") && up.tagName != "BUTTON") found.push(up.outerHTML.slice(0, 80)); }
        return found; }""")
    assert bare == []


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
