"""The built site in Chromium, with every outside host refused: the whole matrix of pages and ways to open them."""

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

from pages import EXTRA, PAGES, births, equations_not_set, stuck_sliders, too_wide

pytestmark = pytest.mark.browser


@pytest.fixture(params=["http", "file"])
def base(request, html, http_base):
    return http_base if request.param == "http" else html.as_uri() + "/"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_alive_quiet_asks_no_other_host_and_fits_a_phone(visit, http_base, name):
    page = visit(http_base + name)
    assert equations_not_set(page) == []
    late = births(page)
    print(name, late, "ms after load")
    assert all(ms < 1000 for ms in late)   # by itself, with nobody there to touch it
    assert too_wide(page, 390) == []
    assert too_wide(page, 320) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    assert stuck_sliders(page) == []
    assert too_wide(page, 390) == []   # now with every fold open
    assert page.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_from_the_disk_is_alive_and_quiet(visit, html, name):
    page = visit((html / name).as_uri())
    assert equations_not_set(page) == []
    assert all(ms < 100 for ms in births(page))
    assert page.complaints == []


@pytest.mark.parametrize("name", EXTRA)
def test_the_theme_s_own_pages_are_quiet(visit, base, name):
    page = visit(base + name)
    page.wait_for_timeout(300)
    assert page.complaints == []


@pytest.mark.parametrize("name", EXTRA)
def test_the_theme_s_own_pages_fit_a_phone(visit, http_base, name):
    page = visit(http_base + name, width=390, height=800)
    assert too_wide(page, 390) == []
    assert too_wide(page, 320) == []


def test_the_opening_page_opens_with_a_live_figure(visit, base):
    page = visit(base + "index.html")
    figure = page.locator("article .descent").first
    assert figure.locator("svg").is_visible()
    assert figure.evaluate("""el => !el.closest("section").querySelector(":scope > section")
        || !!(el.compareDocumentPosition(el.closest("section").querySelector(":scope > section"))
              & Node.DOCUMENT_POSITION_FOLLOWING)"""), "a section comes before the figure"


def test_search_finds_a_page(visit, http_base):
    page = visit(http_base + "search.html?q=bias+correction")
    page.wait_for_selector("#search-results a[href*='07_bias_correction']")
    assert page.complaints == []


def test_a_missing_page_says_so_in_the_look_of_the_book(visit, http_base):
    page = visit(http_base + "chapters/no/such/page.html")
    assert page.locator("article h1").first.inner_text().strip().startswith("Page not found")
    assert [what for what in page.complaints if "status of 404" not in what] == []
    page.get_by_role("link", name="opening page").click()
    assert page.url in (http_base, http_base + "index.html")


def test_every_internal_link_and_anchor_leads_somewhere(html):
    pages = {path.relative_to(html).as_posix(): BeautifulSoup(path.read_text(), "html.parser")
             for path in html.rglob("*.html") if path.name != "404.html"}
    anchors = {name: {el["id"] for el in page.find_all(id=True)} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for link in page.find_all("a", href=True):
            target = urlsplit(link["href"])
            if target.scheme or target.netloc:
                continue
            path = unquote(urlsplit(urljoin("/" + name, target.path)).path).lstrip("/") if target.path else name
            path = path or "index.html"
            anchor = unquote(target.fragment)
            if not (html / path).is_file():
                broken.append(f"{name}: {link['href']}")
            elif anchor and path in anchors and "=" not in anchor and anchor not in anchors[path]:
                broken.append(f"{name}: {link['href']} (no such anchor)")
    assert broken == []
