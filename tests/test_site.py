"""The built site in Chromium, with every outside host refused: all that is asked of every page, in one visit."""

import re
from urllib.parse import unquote, urljoin, urlsplit

import lxml.html
import pytest
from axe_playwright_python.sync_playwright import Axe

from pages import EXTRA, PAGES, all_alive, births, equations_not_set, stuck_sliders, too_wide

pytestmark = pytest.mark.browser

FIGURE = """[...document.querySelectorAll("article :is(.descent, .cell_output img)")]
    .find(el => el.checkVisibility() && el.getBoundingClientRect().height > 60)"""


def first_figure_amiss(page, share):
    """How much of the first figure the window shows, and the pieces of code above it; None if all is well."""
    shown, code = page.evaluate("""() => {
        const box = (%s).getBoundingClientRect();
        return [(Math.min(box.bottom, innerHeight) - box.top) / box.height,
                [...document.querySelectorAll("article div.highlight")].filter(el => el.checkVisibility()
                    && el.getBoundingClientRect().top < box.top).length];
    }""" % FIGURE)
    return None if shown >= share and not code else f"{page.viewport_size}: {shown:.2f} is shown, below {code} of code"


# ---- axe-core -------------------------------------------------------------

AXE = Axe().axe_script
# What axe finds in the theme and we do not mend: (rule, part of the selector) -> reason.
EXCEPTIONS = {}
# All rules in light; in dark, which changes nothing but colours, those that look at colours.
RULES = {"light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
         "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Contrast takes most of the time: of all texts of one kind with the same ink, size and papers below, axe measures one.
LOOKS = """() => {
    const papers = new Map([[null, ""]]), looks = new Set();
    const style = (el, ...names) => names.map(name => getComputedStyle(el)[name]).join();
    const paper = el => papers.get(el) ?? papers.set(el, paper(el.parentElement)
        + style(el, "backgroundColor", "backgroundImage", "opacity", "filter", "textShadow")).get(el);
    for (const el of document.querySelectorAll("body *:not(.math *, svg *)")) {
        const text = el.matches("input, select, textarea")
            || [...el.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!text || !el.checkVisibility({ visibilityProperty: true })) continue;
        const look = [el.localName, el.className, style(el, "color", "fontSize", "fontWeight"), paper(el)].join();
        el.toggleAttribute("data-look", !looks.has(look));
        looks.add(look);
    }
    axe.configure({ rules: [{ id: "color-contrast", selector: "[data-look]" }] });
    return looks.size;
}"""


def serious(page, theme):
    """What axe finds."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    page.evaluate(AXE)
    assert page.evaluate(LOOKS) > 5
    # A formula's drawing is hidden from a screen reader, which gets its MathML.
    violations = page.evaluate("async arguments => (await axe.run(...arguments)).violations", [
        {"exclude": [[".math svg"]]}, {"runOnly": RULES[theme], "resultTypes": ["violations"], "preload": False}])
    return [f"{theme}: {violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in violations if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
            if not any(violation["id"] == rule and part in str(node["target"]) for rule, part in EXCEPTIONS)]


# ---- every page -----------------------------------------------------------


@pytest.mark.parametrize("name, themes", [(name, ["dark", "light"][k % 2:]) for k, name in enumerate(PAGES + EXTRA)])
def test_a_page_is_alive_quiet_asks_no_other_host_fits_a_phone_and_is_accessible(visit, http_base, name, themes):
    page = visit(http_base + name, width=1280, height=800)
    assert equations_not_set(page) == []
    print(name, births(page), "ms after load")
    opens_with_a_figure = name == "index.html" or re.search(r"/\d\d_", name)
    if opens_with_a_figure:
        assert first_figure_amiss(page, .9) is None
    assert [fault for theme in themes for fault in serious(page, theme)] == []   # light comes last, and stays
    page.set_viewport_size({"width": 390, "height": 844})
    if opens_with_a_figure:
        assert first_figure_amiss(page, .6) is None
    assert too_wide(page, 390) == []
    assert too_wide(page, 320) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    assert stuck_sliders(page) == []
    assert too_wide(page, 390) == []   # now with every fold open
    assert page.complaints == []


def test_the_opening_page_opens_with_a_live_figure(html):
    page = lxml.html.parse(html / "index.html")
    first = page.xpath("//article//*[self::section/parent::section or self::img or contains(@class, 'descent')]")[0]
    assert "data-name" in first.attrib, "a section, or a picture, comes before the figure"


# ---- from the disk --------------------------------------------------------

TIMERS = """for (const name of ["setTimeout", "setInterval", "requestIdleCallback"]) window[name] = () => 0;"""


@pytest.mark.parametrize("name", ["chapters/12_a_real_network_compared_fairly.html", "chapters/laboratory.html"])
def test_figures_come_alive_where_no_timer_ever_rings(engine, html, name):
    """At once, that is, however slow the machine; with nobody there to touch them, and from the disk."""
    page = engine.new_page(init=TIMERS)
    page.goto((html / name).as_uri())
    all_alive(page)
    assert equations_not_set(page) == []
    assert page.complaints == []
    page.close()


@pytest.mark.parametrize("name", EXTRA)
def test_the_theme_s_own_pages_are_quiet_from_the_disk(visit, html, name):
    assert visit((html / name).as_uri()).complaints == []


# ---- links ----------------------------------------------------------------


def test_a_missing_page_says_so_in_the_look_of_the_book(visit, http_base):
    page = visit(http_base + "chapters/no/such/page.html")
    assert page.locator("article h1").first.inner_text().strip().startswith("Page not found")
    assert [what for what in page.complaints if "status of 404" not in what] == []
    page.get_by_role("link", name="opening page").click()
    assert page.url in (http_base, http_base + "index.html")


def test_every_internal_link_and_anchor_leads_somewhere_and_what_a_page_loads_comes_from_the_disk(html):
    pages = {path.relative_to(html).as_posix(): lxml.html.parse(path)
             for path in html.rglob("*.html") if path.name != "404.html"}
    anchors = {name: set(page.xpath("//@id")) for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        loaded = page.xpath("//@src | //link[@rel='stylesheet' or @rel='icon']/@href") if name in PAGES + EXTRA else []
        for link in page.xpath("//a/@href") + loaded:
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            path = unquote(urlsplit(urljoin("/" + name, target.path)).path).lstrip("/") if target.path else name
            path = path or "index.html"
            anchor = unquote(target.fragment)
            if not (html / path).is_file():
                broken.append(f"{name}: {link}")
            elif anchor and path in anchors and "=" not in anchor and anchor not in anchors[path]:
                broken.append(f"{name}: {link} (no such anchor)")
        assert name not in PAGES or len(loaded) > 10, name
        broken += [f"{name}: {link} is not beside the page" for link in loaded if re.match("/|https?:", link)]
        broken += [f"{name}: {what}, which a page from the disk cannot load" for what in
                   page.xpath("//script[@type='module']/@type | //@crossorigin") if loaded]
    assert broken == []
