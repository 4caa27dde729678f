"""Figures that ask, in a browser: nothing of the answer is seen until the reader has drawn, chosen, typed or asked for it."""

import re

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from browsers import ENGINES
from descent.figures.explore import decode, explore
from descent.figures.plots import STYLE, use_style
from descent.figures.predict import ask, draw

pytestmark = pytest.mark.browser
all_three = pytest.mark.parametrize("engine", ENGINES, indirect=True)

T, BETAS = np.geomspace(1, 1000, 120), np.array([0.9, 0.99, 0.999])
CLIMB = 1 - 0.9 ** np.arange(1, 31)


def rho(beta):
    return (1 - 0.9**T) / np.sqrt(1 - beta**T)


def logarithmic():
    fig, ax = plt.subplots()
    (line,) = ax.loglog(T, rho(0.999), **STYLE["adam"])
    note = ax.text(20, 0.1, "3.2 times too long")
    ax.set(xlabel="step t", ylim=(0.05, 50))
    return explore(fig, {"β₂": BETAS}, {line: rho(BETAS[:, None])}, start={"β₂": 0.999}, name="rho", hidden=[note], play="β₂",
                   alt="It rises from 3.2 and falls.", predict=draw(line, "Draw the length of the steps.", "The first is 3.2."))


def linear():
    fig, ax = plt.subplots()
    (line,) = ax.plot(np.arange(1, 31), CLIMB)
    ax.set(xlabel="t", ylim=(-1, 2))
    return explore(fig, {}, {}, alt="It climbs to one.", name="climb", predict=draw(line, "Draw the average of ones."))


def chosen():
    fig, ax = plt.subplots()
    seen, hidden = ax.plot(T, T, T, T)
    note = ax.text(1, 1, "the fall")
    y = np.linspace(0, 1, 5)[:, None] + np.linspace(0, 0.5, len(T))
    return explore(fig, {"a": np.arange(5)}, {seen: y, hidden: 1 - y}, hidden=[hidden, note], alt="One line climbs, one falls.", name="two",
                   predict=ask("Which falls?", ["the first", "the second"], right="the second",
                               says={"the first": "That one climbs.", "the second": "It ends at zero."}))


def typed():
    fig, ax = plt.subplots()
    ax.plot(T, T)
    return ask("How many steps?", unit="steps", right=1000, says="Count them.", then=fig, alt="A straight line.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a page for each figure, and one with all."""
    folder = tmp_path_factory.mktemp("predict")
    with plt.rc_context():
        use_style()
        parts = {f.__name__: f() for f in (logarithmic, linear, chosen, typed)}
    plt.close("all")
    pages = {name: part.html for name, part in parts.items()}
    pages["all"] = "".join(pages.values()) + ask("Left or right?", ["left", "right"], says="Left.").html
    pages["dead"] = re.sub(r"(?s)<script.*?</script>", "", pages["all"])
    pages["untrusted"] = re.sub(r"(?s)<style.*?</style>", "", pages["dead"])
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<title>Questions</title><style>[hidden] {{ display: none !important }}</style><body style="margin:16px 16px 2000px"><main><h1>Questions</h1>{body}<p id="end">The end.</p></main>',
            "utf-8")
    return folder


@pytest.fixture(scope="module")
def pages(engine):
    """{options: the page for them}: each opens one address after the other."""
    pages = {}
    yield pages
    for page in pages.values():
        page.close()


@pytest.fixture
def visit(engine, pages, folder):
    known = {}   # what a page has done wrong before

    def visit(name, fragment="", **options):
        key = str(options)
        if key not in pages:
            pages[key] = engine.new_page(**options)
        page = pages[key]
        known.setdefault(page, len(page.complaints))
        page.goto("about:blank")   # or another fragment would load nothing
        page.goto((folder / f"{name}.html").as_uri() + fragment)
        page.wait_for_function("document.querySelector('[data-live]') && !document.querySelector('.descent:not([data-live])')")
        return page

    yield visit
    for page, count in known.items():
        assert page.complaints[count:] == []


def seen(page, selector):
    return [el.is_visible() for el in page.locator(selector).all()]


def reply(page):
    return page.locator(".descent-reply").first.inner_text().strip()


def sheet(page):
    """A function from fractions of the drawing area, from the left and from below, to a place on the screen."""
    page.locator(".descent").first.scroll_into_view_if_needed()
    box = page.locator(".descent-pad rect").first.bounding_box()
    return lambda x, y: (box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"])


def stroke(page, places):
    at = sheet(page)
    page.mouse.move(*at(*places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*at(*place))
    page.mouse.up()


def drawn(page):
    """The points of the reader's curve."""
    d = page.locator(".descent-mine").first.get_attribute("d")
    return np.array([p.split(" ") for p in re.split("[ML]", d)[1:]], float)


# --- drawing


@all_three
@pytest.mark.parametrize("name", ["logarithmic", "linear"])
def test_the_number_is_the_mean_over_the_lines_points(visit, name):
    """A straight line across the axes, from a quarter of its height to three quarters."""
    page = visit(name)
    stroke(page, [(0, 0.25), (1, 0.75)])
    page.wait_for_function("!document.querySelector('[data-waiting]')")
    if name == "logarithmic":
        left, right = np.log10(T[0]), np.log10(T[-1])
        share = (np.log10(T) - left) / (right - left) * 0.962 + 0.019  # the axis has margins of 2 %
        mine = np.log10(0.05) + (np.log10(50) - np.log10(0.05)) * (0.25 + share / 2)
        off = 10 ** np.abs(mine - np.log10(rho(0.999))).mean()
        found = float(re.fullmatch(r"Yours \(dotted\) is off by a factor ([\d.]+) on average\. The first is 3\.2\.", reply(page))[1])
    else:
        share = np.linspace(0.019, 0.981, 30)
        off = np.abs(-1 + 3 * (0.25 + share / 2) - CLIMB).mean()
        found = float(re.fullmatch(r"Yours \(dotted\) is on average ([\d.]+) off\.", reply(page))[1])
    assert found == pytest.approx(off, rel=0.03), "two digits, and a pixel of the screen"


@all_three
def test_holes_between_a_pointers_samples_are_bridged(visit):
    page, places = visit("linear"), np.array([(0, 0.1), (0.4, 0.9), (1, 0.3)])
    stroke(page, places)
    x, y = drawn(page).T
    assert len(x) == 30, "one value for each abscissa"
    left, top, width, height = (float(page.locator(".descent-pad rect").get_attribute(a)) for a in ("x", "y", "width", "height"))
    straight = np.interp((x - left) / width, *places.T)
    assert y == pytest.approx(top + (1 - straight) * height, abs=1.5), "a pixel of the screen"


def test_the_curve_is_hidden_until_it_has_been_drawn(visit):
    page = visit("logarithmic")
    assert seen(page, ".descent-hidden") == [False, False], "the line and the note"
    assert seen(page, "form") == [False], "the sliders wait"
    assert page.get_by_role("figure").get_attribute("aria-label") == "Draw the length of the steps."
    stroke(page, [(0, 0.2), (0.5, 0.5), (1, 0.4)])
    assert seen(page, ".descent-hidden") == [True, True]
    assert seen(page, "form") == [True]
    assert page.get_by_role("figure").get_attribute("aria-label") == "It rises from 3.2 and falls."
    page.get_by_role("slider", name="β₂").press("Home")
    assert page.locator("output").text_content() == "0.9"


def test_a_part_can_be_drawn_and_continued(visit):
    page = visit("linear")
    stroke(page, [(0, 0.5), (0.5, 0.5)])
    assert reply(page) == "Go on to the other end, or compare."
    assert seen(page, ".descent-hidden") == [False]
    stroke(page, [(0.4, 0.2), (1, 0.2)])
    assert seen(page, ".descent-hidden") == [True]
    x, y = drawn(page).T
    assert np.ptp(y[:11]) < 0.2 and np.ptp(y[13:]) < 0.2 and y[-1] > y[0] + 10


def test_the_rest_of_a_part_is_filled_when_it_is_compared(visit):
    page = visit("linear")
    stroke(page, [(0.2, 0.5), (0.5, 0.8)])
    page.get_by_role("button", name="Compare").click()
    x, y = drawn(page).T
    assert len(x) == 30 and np.ptp(y[:7]) < 3 and np.ptp(y[15:]) < 3
    assert "off" in reply(page)


def test_what_is_drawn_outside_the_axes_stays_at_their_edge(visit):
    page = visit("linear")
    stroke(page, [(0, 0.5), (0.5, 1.5), (1, -0.5)])
    y = drawn(page)[:, 1]
    box = page.locator(".descent-pad rect").first
    top, height = (float(box.get_attribute(a)) for a in ("y", "height"))
    assert y.min() == pytest.approx(top, abs=0.1) and y.max() == pytest.approx(top + height, abs=0.1)


def test_drawing_again_hides_the_answer_and_begins_anew(visit):
    page = visit("logarithmic")
    stroke(page, [(0, 0.2), (1, 0.4)])
    first = reply(page)
    page.get_by_role("button", name="Draw again").click()
    assert seen(page, ".descent-hidden") == [False, False] and len(drawn(page)) == 0 and reply(page) == ""
    assert seen(page, "form") == [False]
    stroke(page, [(0, 0.9), (1, 0.9)])
    assert seen(page, ".descent-hidden") == [True, True] and reply(page) != first


def test_show_me_needs_no_drawing(visit):
    page = visit("logarithmic")
    page.get_by_role("button", name="Show me").click()
    assert seen(page, ".descent-hidden") == [True, True]
    assert reply(page) == "The first is 3.2." and len(drawn(page)) == 0
    assert page.evaluate("document.activeElement.className") == "descent-reply", "the reader's place is the answer"


@all_three
def test_arrow_keys_draw_without_a_pointer(visit):
    page = visit("linear")
    knobs = page.locator(".descent-pad [role=slider]")
    assert knobs.count() == 7
    label = knobs.first.get_attribute("aria-label")
    assert label == "Draw the average of ones. At t = 1"
    knobs.first.focus()
    page.keyboard.press("ArrowDown")
    assert knobs.first.get_attribute("aria-valuetext") == "0.44", "3/50 below the middle"
    assert float(knobs.first.get_attribute("aria-valuenow")) == pytest.approx(0.44, abs=0.005)
    assert knobs.nth(6).get_attribute("aria-valuetext") == "0.5"
    knobs.nth(6).focus()
    page.keyboard.press("End")
    assert knobs.nth(6).get_attribute("aria-valuetext") == "2"
    x, y = drawn(page).T
    assert len(x) == 30 and y[-1] == y.min()
    page.locator("[data-done]").first.press("Enter")
    assert re.fullmatch(r"Yours \(dotted\) is on average 0\.\d+ off\.", reply(page))


def test_keys_change_only_the_two_neighbouring_parts_of_a_drawing(visit):
    page = visit("linear")
    stroke(page, [(0, 0.2), (0.3, 0.6), (0.6, 0.3)])
    before = drawn(page)[:, 1]
    knob = page.locator(".descent-pad [role=slider]").nth(1)
    knob.focus()
    page.keyboard.press("PageUp")
    after = drawn(page)[:, 1]
    assert len(after) == 30 and np.array_equal(after[11:17], before[11:17]) and after[0] == before[0]
    assert after[5] < before[5] - 10


def touch(page):
    session = page.context.new_cdp_session(page)

    def send(kind, *places):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in places]})
        page.wait_for_timeout(15)
    return send


@pytest.fixture(scope="module")
def phone(engine, folder):
    context = engine.browser.new_context(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    page = context.new_page()

    def phone(name):
        page.goto((folder / f"{name}.html").as_uri())
        page.wait_for_selector(".descent[data-live]")
        return page
    yield phone
    context.close()


def test_a_finger_draws_and_the_page_stays(phone):
    page = phone("linear")
    send, at = touch(page), sheet(page)
    send("touchStart", at(0.01, 0.4))
    send("touchMove", at(0.1, 0.4))
    for k in range(2, 12):
        send("touchMove", at(k / 11, 0.4 + 0.5 * np.sin(k)))  # once it draws, it goes up and down as it likes
    send("touchEnd")
    page.wait_for_function("!document.querySelector('[data-waiting]')")
    assert np.ptp(drawn(page)[:, 1]) > 60
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("path", [[(0, 0)], [(0, 6 * k) for k in range(30)], [(k, 6 * k) for k in range(30)]],
                         ids=["tap", "up", "aslant"])
def test_a_vertical_swipe_scrolls_and_draws_nothing(phone, path):
    page = phone("linear")
    send, (x, y) = touch(page), sheet(page)(0.5, 0.3)
    send("touchStart", (x, y))
    for dx, dy in path[1:]:
        send("touchMove", (x + dx, y - dy))
    send("touchEnd")
    page.wait_for_timeout(200)
    assert (page.evaluate("scrollY") > 60) == (len(path) > 1)
    assert len(drawn(page)) == 0 and page.locator("[data-waiting]").count() == 1


def test_a_stroke_that_the_browser_takes_for_a_gesture_is_undone(phone):
    page = phone("linear")
    send, at = touch(page), sheet(page)
    send("touchStart", at(0.1, 0.4))
    for k in range(1, 5):
        send("touchMove", at(0.1 + k / 10, 0.4))
    assert len(drawn(page)) > 5
    send("touchCancel")
    assert len(drawn(page)) == 0


def test_nothing_is_stored_and_the_address_is_not_changed(visit):
    page = visit("logarithmic")
    stroke(page, [(0, 0.2), (1, 0.4)])
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.hash]") == [0, 0, "", ""]


# --- choosing and typing


@all_three
def test_a_choice_is_repeated_and_answered(visit):
    page = visit("chosen")
    assert seen(page, ".descent-hidden") == [False, False] and seen(page, "form") == [False]
    assert seen(page, ".descent-says") == [False]
    page.locator("[data-choice]").nth(0).click()
    assert reply(page) == "You said: the first. It is the second. That one climbs."
    assert seen(page, ".descent-hidden") == [True, True] and seen(page, "form") == [True]
    assert page.locator("[data-choice]").nth(0).get_attribute("aria-pressed") == "true"
    page.locator("[data-choice]").nth(1).click()
    assert reply(page).startswith("You said: the first."), "he has committed"


def test_the_right_choice_is_called_right(visit):
    page = visit("chosen")
    page.get_by_role("button", name="the second").press("Enter")
    assert reply(page) == "You said: the second. Right. It ends at zero."


def test_show_me_tells_the_right_choice(visit):
    page = visit("chosen")
    page.get_by_role("button", name="Show me").press(" ")
    assert reply(page) == "It is the second. It ends at zero."
    assert page.locator("[aria-pressed=true]").count() == 0


@all_three
@pytest.mark.parametrize("text, said", [("1000", "You said: 1000 steps. Right."), ("1,000", "You said: 1,000 steps. Right."),
                                        (" 1e3 ", "You said: 1e3 steps. Right."), ("−2,5", "You said: −2,5 steps. It is 1000 steps.")])
def test_a_number_is_repeated_and_what_follows_unfolds(visit, text, said):
    page = visit("typed")
    assert seen(page, ".descent-then") == [False] and seen(page, ".descent-says") == [False]
    number = page.locator(".descent-answer input").first
    number.evaluate("(input, text) => { input.value = text; }", text)
    number.press("Enter")
    assert reply(page) == f"{said} Count them."
    assert seen(page, ".descent-then") == [True] and page.locator(".descent svg").first.is_visible()


@pytest.mark.parametrize("text", ["", "many", "1.2.3", "Infinity"])
def test_what_is_no_number_commits_to_nothing(visit, text):
    page = visit("typed")
    page.get_by_label("How many steps?").fill(text)
    page.get_by_role("button", name="Answer").click()
    assert reply(page) == "A number, please, such as 40."
    assert seen(page, ".descent-then") == [False]


def test_a_link_with_settings_waits_for_the_answer_and_then_sets_the_figure(visit):
    page = visit("chosen", fragment="#two:a=4")
    assert page.locator("output").text_content() == "2"
    page.get_by_role("button", name="Show me").click()
    assert page.locator("output").text_content() == "4"


# --- playing


def test_a_control_is_played_and_paused_and_never_by_itself(engine, folder):
    context = engine.browser.new_context(reduced_motion="no-preference")
    page = context.new_page()
    page.goto((folder / "logarithmic.html").as_uri())
    page.get_by_role("button", name="Show me").click()
    out, button = page.locator("output"), page.get_by_role("button", name="Play β₂")
    page.wait_for_timeout(600)
    assert out.text_content() == "0.999" and button.get_attribute("aria-pressed") == "false"
    button.click()
    assert out.text_content() == "0.9", "from the end it begins anew"
    page.wait_for_function("document.querySelector('output').textContent == '0.99'")
    button.click()
    page.wait_for_timeout(600)
    assert out.text_content() == "0.99" and button.get_attribute("aria-pressed") == "false"
    button.click()
    page.wait_for_function("document.querySelector('.descent-play').ariaPressed == 'false'")
    assert out.text_content() == "0.999", "it stops at the end"
    assert page.evaluate("decodeURIComponent(location.hash)") == "#rho:β₂=0.999"
    context.close()


def test_nothing_can_be_played_under_reduced_motion(visit):
    page = visit("logarithmic")
    page.get_by_role("button", name="Show me").click()
    assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert seen(page, "form") == [True] and seen(page, ".descent-play") == [False]


# --- without scripts, on paper, saved, in other themes


QUESTIONS = ["Draw the length of the steps.", "The first is 3.2.", "Draw the average of ones.", "Which falls?", "the first / the second",
             "the second.", "the first: That one climbs.", "the second: It ends at zero.", "How many steps?", "a number of steps",
             "1000 steps.", "Count them.", "Left or right?", "left / right", "Left."]


def in_order(text, parts):
    at = 0
    for part in parts:
        assert part in text[at:], part
        at = text.index(part, at) + len(part)


@pytest.mark.parametrize("name", ["all", "untrusted"])
def test_without_scripts_it_reads_as_question_and_answer(engine, folder, name):
    context = engine.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / f"{name}.html").as_uri())
    in_order(page.locator("main").inner_text(), QUESTIONS)
    assert page.locator("button:visible, input:visible").count() == 0
    assert all(image.is_visible() for image in page.locator("img").all()) and page.locator("img").count() == 4
    tops = page.evaluate("[...document.querySelectorAll('.descent-prompt, img, .descent-reply')].slice(0, 3)"
                         ".map(n => n.getBoundingClientRect().top)")
    assert tops == sorted(tops), "the question, the picture, what it says"
    context.close()


def test_before_the_script_has_run_the_answer_is_not_seen(engine, folder):
    """Scripts are on, but this page's never come."""
    page = engine.browser.new_context().new_page()
    page.goto((folder / "dead.html").as_uri())
    assert seen(page, "img") == [False] * 4 and seen(page, ".descent-says") == [False] * 5
    page.context.close()


def test_nothing_moves_when_a_figure_comes_alive(engine, folder):
    tops = []
    for name in "dead", "all":
        page = engine.browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto((folder / f"{name}.html").as_uri())
        page.wait_for_timeout(300)
        tops.append(page.evaluate("[...document.querySelectorAll('.descent, .descent-ask, #end')].map(n => n.getBoundingClientRect().top)"))
        page.context.close()
    assert tops[0] == pytest.approx(tops[1], abs=1)


def test_paper_has_question_picture_and_answer_whatever_the_reader_has_done(visit):
    page = visit("all", width=800)   # of this size no other test has one, for it becomes paper
    page.emulate_media(media="print")
    in_order(page.locator("main").inner_text(), QUESTIONS)
    assert all(seen(page, ".descent-hidden")) and all(seen(page, ".descent > svg"))
    assert page.locator("button:visible").count() == 0 and not any(seen(page, ".descent-pad rect"))


@pytest.mark.parametrize("answered", [False, True])
def test_a_saved_page_is_alive_once_and_asks_anew(visit, folder, answered):
    page = visit("all")
    if answered:
        for button in page.locator("[data-show]").all():
            button.click()
    (folder / "saved.html").write_text(page.evaluate("'<!doctype html>' + document.documentElement.outerHTML"), "utf-8")
    saved = visit("saved")
    assert saved.locator(".descent > svg").count() == 4 and saved.locator(".descent img").count() == 0
    assert saved.locator("[data-show]:visible").count() == 5
    assert "".join(saved.locator(".descent-reply").all_inner_texts()).strip() == ""
    stroke(saved, [(0, 0.2), (1, 0.4)])
    assert "factor" in reply(saved) and saved.get_by_role("figure").first.get_attribute("aria-label") == "It rises from 3.2 and falls."
    before = saved.locator(".descent path").evaluate_all("nodes => nodes.map(n => n.getAttribute('d')).join()")
    saved.get_by_role("slider", name="β₂").press("Home")
    assert saved.locator(".descent path").evaluate_all("nodes => nodes.map(n => n.getAttribute('d')).join()") != before


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("answered", [False, True])
def test_axe_finds_nothing(visit, theme, answered):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit("all", theme=theme)
    if theme == "dark":
        page.add_style_tag(content="body { background: #121212; color: #eee }")
    if answered:
        for button in page.locator("[data-show]").all():
            button.click()
        page.wait_for_timeout(700)
    results = axe.Axe().run(page)
    assert not [v["id"] + ": " + v["nodes"][0]["html"][:200] for v in results.response["violations"]]


@pytest.mark.parametrize("width", [320, 390])
def test_targets_are_large_and_nothing_scrolls_sideways(visit, width):
    page = visit("all", width=width, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in page.locator(".descent-answer :is(button, input):visible").all():
        assert target.bounding_box()["height"] >= 44


def test_the_answer_is_in_the_payload_that_is_compared(folder):
    spec = decode((folder / "logarithmic.html").read_text("utf-8"))
    assert 10 ** np.array(spec["draw"]["truth"]) == pytest.approx(rho(0.999), rel=1e-5)
