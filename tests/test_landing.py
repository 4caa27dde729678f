"""Where links lead: a section, an equation, a figure, also in what is folded, stands at the top of the window."""

import functools
import re

import pytest
from bs4 import BeautifulSoup

from browsers import ENGINES
from pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ENGINES, indirect=True)]

CHAPTERS = [name for name in PAGES if re.match(r"chapters/\d\d_", name)]
KINDS = {"section": "section section[id], .exercise[id]", "equation": "div.math[id]",
         "fold": "details.deeper :is(section, div.math)[id], section.deeper[id], .dropdown div.math[id], .solution[id]"}
# Pixels from the place where a browser puts what a link leads to: below the bar that stays in sight.
OFF = """() => {
  const target = document.querySelector(":target") ?? globalThis.descentTarget, room = [target, document.documentElement];
  const margins = parseFloat(getComputedStyle(room[0]).scrollMarginTop) + parseFloat(getComputedStyle(room[1]).scrollPaddingTop);
  const off = target.getBoundingClientRect().top - (margins || 0), down = document.documentElement.scrollHeight - innerHeight;
  // What stands in the last window cannot come up to the top.
  return { off: scrollY > down - 2 && off > 0 && off < innerHeight / 2 ? 0 : off, seen: target.checkVisibility() };
}"""


# Waits, a minute at most, until nothing moves for 300 ms and 20 frames.
STILL = f"""async () => {{
  const state = () => JSON.stringify([({OFF})(), document.documentElement.scrollHeight]), end = performance.now() + 60_000;
  for (let last, since, frames; performance.now() < end; frames++) {{
    if (state() !== last) [last, since, frames] = [state(), performance.now(), 0];
    if (frames >= 20 && performance.now() > since + 300) return;
    await new Promise(requestAnimationFrame);
  }}
}}"""


def assert_lands(page):
    page.evaluate(STILL)
    place = page.evaluate(OFF)
    assert place["seen"] and abs(place["off"]) <= 8, (page.url, place)
    assert page.complaints == []


@functools.cache
def parsed(path):
    return BeautifulSoup(re.sub(r"(?s)<(svg|math|script|style)\b.*?</\1>", "", path.read_text("utf-8")), "lxml")


def places(html, name, kind):
    page = parsed(html / name)
    return [el["id"] for el in page.select(KINDS[kind]) if el.find_parent(class_="onlyprint") is None
            and (kind == "fold" or el.find_parent(["details"]) is None and el.find_parent(class_="solution") is None)]


@pytest.mark.parametrize("kind, part", [(kind, part) for kind in KINDS for part in range(3)])
def test_a_cold_link_lands_on_its_place(visit, http_base, html, kind, part):
    """A place in the last third of a chapter: the first, the middle and the last of the chapters that have such a place."""
    start = part * len(CHAPTERS) // 2
    some = CHAPTERS[start:] if part < 2 else CHAPTERS[::-1]
    name, found = next((name, found) for name in some if (found := places(html, name, kind)))
    assert_lands(visit(f"{http_base}{name}#{found[2 * len(found) // 3]}"))


def test_a_link_with_the_settings_of_two_figures_lands_on_the_first_named(visit, http_base, html):
    for name in PAGES:
        page = parsed(html / name)
        figures = page.select("article .descent[data-name]:not([data-predict]):has(input[type=range])")
        if len(figures) > 1 and not any(figure.find_parent(class_="solution") for figure in figures):
            break
    upper, lower = (f"{figure['data-name']}:{slider['aria-label']}={slider['aria-valuetext']}"
                    for figure in figures[:2] for slider in figure.select("input[type=range]")[:1])
    assert_lands(visit(f"{http_base}{name}#{lower};{upper}"))
