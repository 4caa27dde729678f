"""What the pages cost at load: processor time next to the same page without its equations, shift, requests.

    python benchmarks/pages.py [_build/html] [--rounds 5] [--only TEXT]

The main thread's own time (threadTicks, which other work on the machine does not lengthen), medians of rounds in
which the page and its copy without equations take turns.  Prints each number next to its budget and exits with 1 if
one is exceeded.  Needs Chromium and playwright, and a built book.
"""

import argparse
import functools
import http.server
import sys
import threading
from pathlib import Path
from statistics import median

from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import browsers  # noqa: E402

RATIO, SHIFT = 1.8, 0.02
SETTLED = 1500   # milliseconds after load
SHIFTS = """new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 100); })"""


class Site(http.server.SimpleHTTPRequestHandler):
    """Serves the book, and below /plain/ the same pages with a word in the place of each equation."""

    def do_GET(self):
        if not self.path.startswith("/plain/"):
            return super().do_GET()
        self.path = self.path.removeprefix("/plain")
        if not self.path.endswith(".html"):
            return super().do_GET()
        body = without_equations(Path(self.directory + self.path))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@functools.cache
def without_equations(path):
    page = BeautifulSoup(path.read_text("utf-8"), "lxml")
    for formula in page.select(".math"):
        formula.replace_with("x")
    return str(page).encode()


def load(browser, url):
    """(seconds of the main thread's own time, layout shift, addresses asked for) of one cold visit."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(url, wait_until="load")
    page.wait_for_timeout(SETTLED)
    spent = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
    shift = page.evaluate(SHIFTS)
    context.close()
    return spent, shift, asked


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("html", nargs="?", default="_build/html", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    names = [name for name in ["index.html"] + sorted(
        f"chapters/{path.name}" for path in options.html.glob("chapters/*.html")) if options.only in name]
    if not names:
        sys.exit(f"no pages in {options.html}: build the book first")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=str(options.html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base, exceeded = f"http://127.0.0.1:{server.server_port}", False
    print(f"{'':40} {'ms':>7} {'without':>7} {'times':>6}   budget {RATIO}   shift, budget {SHIFT}")
    with browsers.launch("chromium") as engine:
        for name in names:
            pairs = [[load(engine.browser, f"{base}{folder}/{name}") for folder in ("", "/plain")]
                     for _ in range(options.rounds)]
            whole, plain = (median(visit[k][0] for visit in pairs) for k in range(2))
            shift = max(visit[0][1] for visit in pairs)
            mathjax = [url for pair in pairs for url in pair[0][2] if "mathjax" in url.lower()]
            over = whole > RATIO * plain or shift > SHIFT or bool(mathjax)
            exceeded |= over
            print(f"{name:40} {1000 * whole:7.0f} {1000 * plain:7.0f} {whole / plain:6.2f} {'':12} {shift:8.3f}"
                  f"{'   asks for ' + mathjax[0] if mathjax else ''}{'   EXCEEDED' if over else ''}", flush=True)
    server.shutdown()
    sys.exit(exceeded)


if __name__ == "__main__":
    main()
