"""The pages of the book: which there are, how they are served, and what must be right on each of them."""

import http.server
from pathlib import Path
from urllib.parse import urlsplit

import yaml

import address

ROOT = Path(__file__).parents[1]
PREFIX = urlsplit(address.published()).path


def pages_of_the_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [f"{Path(name).with_suffix('') if name.endswith(('.md', '.ipynb')) else name}.html"
            for name in files]


PAGES = pages_of_the_contents()
EXTRA = ["search.html"]


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


# When each figure came to life, in milliseconds on the page's clock.
BIRTHS = """
window.births = new Map();
new MutationObserver(() => {
  for (const figure of document.querySelectorAll(".descent[data-live]"))
    if (!births.has(figure)) births.set(figure, performance.now());
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-live"] });
"""


def births(page):
    """When each figure came to life, in milliseconds after the page's load event (negative: before it)."""
    return page.evaluate("""() => {
        const loaded = performance.getEntriesByType("navigation")[0].loadEventEnd;
        return [...births.values()].map(born => Math.round(born - loaded));
    }""")


def all_alive(page):
    """Waits until every figure is alive: those that move, and those that ask."""
    page.wait_for_function("() => document.readyState === 'complete' &&"
                           " [...document.querySelectorAll('.descent, [data-ask]')].every(el => 'live' in el.dataset)")


def equations_not_set(page):
    """Formulas without a picture, or without MathML for those who do not see it; outside folds, also without a size."""
    return page.evaluate("""() => [...document.querySelectorAll("span.math, div.math")].filter(el => {
        const drawing = el.querySelector("svg"), box = drawing?.getBoundingClientRect();
        return !drawing?.querySelector("path[d^=M]") || !el.querySelector(".spoken > math > *") || el.querySelector("merror")
            || [...el.querySelectorAll("mfrac, msub, msup, mover, munder, mroot")].some(part => part.children.length !== 2)
            || drawing.checkVisibility() && !(box.width > 1 && box.height > 1);
    }).map(el => el.outerHTML.slice(0, 200))""")


def open_everything(page):
    """Unfolds what is folded, and answers every question with "Show me"."""
    page.evaluate("""async () => {
        for (const el of document.querySelectorAll("details")) el.open = true;
        for (const el of document.querySelectorAll(".toggle-hidden")) el.classList.remove("toggle-hidden");
        for (const button of document.querySelectorAll("[data-waiting] [data-show]")) button.click();
        await new Promise(requestAnimationFrame);
    }""")


# A picture without its handles.
PICTURE = """slider => {
  const svg = slider.closest(".descent, figure").querySelector("svg").cloneNode(true);
  svg.querySelectorAll("[role=slider]").forEach(handle => handle.remove());
  return svg.outerHTML;
}"""


def stuck_sliders(page, first=False):
    """Sliders, or the first of each figure, that no arrow key makes change it, once everything is open."""
    open_everything(page)
    stuck, seen = [], set()
    for slider in page.locator("input[type=range], .descent :not(.descent-pad) > [role=slider]").all():
        figure = slider.evaluate("el => [...document.querySelectorAll('.descent')].indexOf(el.closest('.descent'))")
        if first and figure in seen:
            continue
        seen.add(figure)
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


def too_wide(page, width):
    """What makes the page scroll sideways, and what is cut off: wider than the page, in no box that scrolls."""
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("() => new Promise(requestAnimationFrame)")
    return page.evaluate("""width => {
        const wide = [...document.querySelectorAll("article *")].filter(el => {
            const box = el.getBoundingClientRect(), style = getComputedStyle(el);
            if (box.right <= width + 1 || !box.width || style.visibility === "hidden" || style.position === "absolute"
                || !el.checkVisibility() || el.closest(".onlyprint, math, svg")) return false;
            for (let up = el.parentElement; up; up = up.parentElement)
                if (/auto|scroll/.test(getComputedStyle(up).overflowX)
                    && up.getBoundingClientRect().right <= width + 1) return false;
            return true;
        }).map(el => el.outerHTML.slice(0, 200));
        const whole = document.documentElement.scrollWidth;
        return whole > width ? [`the page is ${whole} pixels wide`, ...wide] : wide;
    }""", width)
