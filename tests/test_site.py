"""The built site in a real browser, with every outside host refused."""

import functools
import http.server
import re
import threading
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

import address

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
PREFIX = urlsplit(address.published()).path


def pages_of_the_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [f"{Path(name).with_suffix('') if name.endswith(('.md', '.ipynb')) else name}.html"
            for name in files]


PAGES = pages_of_the_contents()
EXTRA = ["search.html", "genindex.html"]


class Site(http.server.SimpleHTTPRequestHandler):
    """Serves the book where it is published, with its own page for what is missing."""

    def translate_path(self, path):
        return super().translate_path("/" + path.removeprefix(PREFIX))

    def send_error(self, code, *rest):
        if code != 404:
            return super().send_error(code, *rest)
        body = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def copyfile(self, *files):
        try:
            super().copyfile(*files)
        except ConnectionError:
            pass  # the browser has left the page

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def http_base(html):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Site, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    server.shutdown()


@pytest.fixture(params=["http", "file"])
def base(request, html, http_base):
    return http_base if request.param == "http" else html.as_uri() + "/"


@pytest.fixture
def visit(chromium):
    """Opens a page to the end of its typesetting; what it did wrong is in page.complaints."""
    contexts = []

    def visit(address, theme="light", width=1280, height=900):
        context = chromium.new_context(color_scheme=theme, reduced_motion="reduce",
                                       viewport={"width": width, "height": height})
        contexts.append(context)
        context.route(re.compile(r"^(https?|wss?)://(?!127\.0\.0\.1)"), lambda route: route.abort())
        context.add_init_script(BIRTHS)
        page = context.new_page()
        page.complaints = []
        page.on("request", lambda request: page.complaints.append(f"asks {request.url}")
                if urlsplit(request.url).hostname not in (None, "", "127.0.0.1") else None)
        page.on("requestfailed", lambda request: page.complaints.append(f"misses {request.url}"))
        page.on("pageerror", lambda error: page.complaints.append(f"throws {error}"))
        page.on("console", lambda message: page.complaints.append(f"says {message.text}")
                if message.type == "error" else None)
        page.goto(address)
        page.wait_for_function("!window.MathJax || document.documentElement.dataset.equations")
        return page

    yield visit
    for context in contexts:
        context.close()


# When each figure came to life, in milliseconds after the page's load event (negative: before it).
BIRTHS = """
window.births = new Map();
new MutationObserver(() => {
  for (const figure of document.querySelectorAll(".descent"))
    if (figure.querySelector("form:not([hidden])") && !births.has(figure)) births.set(figure, performance.now());
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
"""


PICTURE = """slider => {
  const svg = slider.closest(".descent, figure").querySelector("svg").cloneNode(true);
  svg.querySelectorAll("[role=slider]").forEach(handle => handle.remove());
  return svg.outerHTML;
}"""


def untypeset_or_silent_equations(page):
    return page.evaluate("""() => [...document.querySelectorAll("span.math, div.math")].filter(el =>
        !el.querySelector("mjx-container svg") || !el.querySelector("mjx-assistive-mml math")
        || el.querySelector("[data-mjx-error], merror")).map(el => el.textContent)""")


def stuck_sliders(page):
    """Sliders that no arrow key makes change their figure."""
    page.evaluate("""() => {
        document.querySelectorAll("details").forEach(el => el.open = true);
        document.querySelectorAll(".toggle-hidden").forEach(el => el.classList.remove("toggle-hidden"));
    }""")
    stuck = []
    for slider in page.locator("input[type=range], .descent [role=slider]").all():
        before = slider.evaluate(PICTURE)
        for key in "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowDown", "ArrowDown":
            slider.focus()
            slider.press(key)
            page.evaluate("() => new Promise(requestAnimationFrame)")
            if slider.evaluate(PICTURE) != before:
                break
        else:
            stuck.append(slider.evaluate("el => el.closest('.descent').ariaLabel + ': ' + el.outerHTML"))
    return stuck


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_alive_quiet_and_asks_no_other_host(visit, base, name):
    page = visit(base + name)
    assert untypeset_or_silent_equations(page) == []
    figures = page.locator(".descent").count()
    assert figures == page.locator(".descent form:not([hidden])").count(), "a figure is not alive"
    late = page.evaluate("""() => {
        const loaded = performance.getEntriesByType("navigation")[0].loadEventEnd;
        return [...births.values()].map(born => Math.round(born - loaded));
    }""")
    print(name, late, "ms after load")
    assert all(ms < 100 for ms in late)
    assert stuck_sliders(page) == []
    assert page.complaints == []


@pytest.mark.parametrize("name", EXTRA)
def test_the_theme_s_own_pages_are_quiet(visit, base, name):
    page = visit(base + name)
    page.wait_for_timeout(300)
    assert page.complaints == []


@pytest.mark.parametrize("name", PAGES + EXTRA)
def test_a_page_fits_a_phone(visit, http_base, name):
    page = visit(http_base + name, width=390, height=800)
    for width in 390, 320:
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # Nothing is cut off either: what is wider than the page scrolls in a box of its own.
        wide = page.evaluate("""width => [...document.querySelectorAll("article *")].filter(el => {
            const box = el.getBoundingClientRect(), style = getComputedStyle(el);
            if (box.right <= width + 1 || !box.width || style.visibility === "hidden" || style.position === "absolute"
                || el.closest(".onlyprint, mjx-assistive-mml, svg")) return false;
            for (let up = el.parentElement; up; up = up.parentElement)
                if (/auto|scroll/.test(getComputedStyle(up).overflowX)
                    && up.getBoundingClientRect().right <= width + 1) return false;
            return true;
        }).map(el => el.outerHTML.slice(0, 200))""", width)
        assert wide == []


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
