"""What an interactive figure costs: bytes on the page, milliseconds until it is alive, milliseconds a move.

    python benchmarks/explore.py

Prints each number next to its budget and exits with 1 if one is exceeded. Needs Chromium and playwright.
"""

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from playwright.sync_api import sync_playwright

from descent.figures.explore import explore, with_script
from descent.figures.plots import STYLE, contours, use_style

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking"]
ALIVE = """new MutationObserver((_, o) => { if (document.querySelector("[data-live]")) {
    window.alive = performance.now(); o.disconnect(); } }).observe(document, {subtree: true, attributes: true, childList: true})"""
ONE_MOVE = """async move => {
    const input = document.querySelector("input[type=range]"), frame = () => new Promise(requestAnimationFrame);
    await frame();
    if (move) { input.valueAsNumber = (input.valueAsNumber + 7) % (+input.max + 1); input.dispatchEvent(new Event("input")); }
    await frame(); await frame(); }"""
SCRIPT_TIME = """() => {
    const input = document.querySelector("input[type=range]"), times = [];
    for (let round = 0; round < 40; round++) {
        const start = performance.now();
        for (let i = 0; i < 20; i++) { input.valueAsNumber = (input.valueAsNumber + 7) % (+input.max + 1);
                                       input.dispatchEvent(new Event("input")); }
        times.push((performance.now() - start) / 20);
    }
    return times.sort((a, b) => a - b)[20]; }"""


def three_curves():
    """3 curves of 200 points, x and y moving, 60 positions."""
    grid, t = np.linspace(0.5, 4, 60), np.linspace(0, 6, 200)
    fig, ax = plt.subplots()
    moving = {}
    for k, method in enumerate(("gradient_descent", "rmsprop", "adam"), 1):
        (line,) = ax.plot(t, t, **STYLE[method])
        a = grid[:, None]
        moving[line] = np.exp(-t / 5) * np.cos(a * t + k), np.exp(-t / 5) * np.sin(k * a * t)
    return explore(fig, {"ω": grid}, moving, alt="three spirals")


def ravine():
    """The opening page's figure: 3 paths of 60 points, their start dragged on a grid of 21 by 21."""
    curvature, step = np.array([1.0, 30.0]), np.array([0.06, 0.04, 0.08])
    x, y = np.linspace(-2, 2, 21), np.linspace(-1, 1, 21)
    fig, ax = plt.subplots()
    contours(ax, lambda theta: (curvature * theta**2).sum(-1) / 2, (-2.2, 2.2), (-1.1, 1.1))
    moving = {}
    for k, method in enumerate(("gradient_descent", "rmsprop", "adam")):
        theta = np.stack(np.meshgrid(x, y, indexing="ij"), -1)
        m, v, path = np.zeros_like(theta), np.zeros_like(theta), [theta]
        for t in range(1, 60):
            g = curvature * theta + 0.1 * np.sin(9 * theta)
            m, v = 0.9 * m + 0.1 * g, 0.9 * v + 0.1 * g * g
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.9**t)
            theta = theta - step[k] * (g, g / np.sqrt(v_hat + 1e-12), m_hat / np.sqrt(v_hat + 1e-12))[k]
            path.append(theta)
        (line,) = ax.plot([0], [0], **STYLE[method])
        moving[line] = tuple(np.moveaxis(path, 0, -2)[..., c] for c in (0, 1))
    (start,) = ax.plot([0], [0], "ko")
    return explore(fig, {"θ₁": x, "θ₂": y}, moving, handle=(start, ("θ₁", "θ₂")), alt="three paths through a ravine")


def main():
    use_style()
    rows = [("script and style of a page, bytes", len(with_script("<i></i>", "").encode()), 20 * 1024)]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for make, budget in ((three_curves, 150), (ravine, 250)):
            html = make().html
            rows.append((f"{make.__name__}: whole figure, bytes", len(html.encode()), budget * 1000))
            file = Path(folder, "page.html")
            file.write_text(f"<!doctype html><meta charset=utf-8>{html}", "utf-8")
            alive = []
            for _ in range(5):
                page = browser.new_page()
                page.add_init_script(ALIVE)
                page.goto(file.as_uri())
                page.wait_for_function("window.alive")
                alive.append(page.evaluate("window.alive - performance.getEntriesByType('navigation')[0].loadEventEnd"))
            rows.append((f"{make.__name__}: alive after load, ms", statistics.median(alive), 100))
            devtools = page.context.new_cdp_session(page)
            devtools.send("Performance.enable")

            def spent(move):
                before = task_time(devtools)
                page.evaluate(ONE_MOVE, move)
                return task_time(devtools) - before

            pairs = [(spent(True), spent(False)) for _ in range(60)]
            moved, idle = map(statistics.median, zip(*pairs))
            rows.append((f"{make.__name__}: a move, main-thread ms", moved - idle, 4))
            rows.append((f"{make.__name__}: a move, script ms", page.evaluate(SCRIPT_TIME), 0.5))
    for what, value, budget in rows:
        print(f"{what:45} {value:10.5g}   budget {budget:g}{'' if value <= budget else '   EXCEEDED'}")
    sys.exit(any(value > budget for _, value, budget in rows))


def task_time(devtools):
    metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
    return 1000 * metrics["TaskDuration"]


if __name__ == "__main__":
    main()
