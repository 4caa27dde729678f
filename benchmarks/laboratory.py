"""How long a redraw of the laboratory takes.  Run: python benchmarks/laboratory.py

1. In the kernel: reading all fields, running 1,000 steps, drawing.  Processor times, so other work on the machine counts
   little.
2. In JupyterLab, where it and a browser are installed: from an arrow key on the start to the new picture.  Wall times, so
   other work on the machine counts; beside them stands how long a loop took in the same seconds, by the wall's clock and in
   processor time.

The aim is 100 ms for a redraw of 1,000 steps in JupyterLab.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from descent.figures.laboratory import Laboratory

ROOT = Path(__file__).parents[1]
KEY = """async () => {
    const times = [];
    for (let k = 0; k < 15; k++) {
        const sheet = [...document.querySelectorAll(".descent-sheet")].find(
            (sheet) => sheet.checkVisibility() && sheet.querySelector("[data-x]"));
        const begun = performance.now();
        const changed = new Promise((done) => new MutationObserver((_, seen) => { seen.disconnect(); done(); })
            .observe(sheet, { childList: true }));
        sheet.querySelector("[data-x]").dispatchEvent(new KeyboardEvent("keydown",
            { key: k % 2 ? "ArrowLeft" : "ArrowRight", bubbles: true }));
        await changed;
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - begun);
        await new Promise((done) => setTimeout(done, 500));
    }
    return times;
}"""


def kernel():
    lab = Laboratory()
    lab.plane.problem.value, lab.plane.steps.field.value = "Rosenbrock", "1000"
    for rules in "one rule", "two rules":
        for name, bench in ("gradients", lab.stream), ("Rosenbrock", lab.plane):
            bench.rules["B"].rule.value = "none" if rules == "one rule" else "RMSprop"
            bench.draw()
            begun = process_time()
            for _ in range(10):
                bench.draw()
            print(f"kernel, {name}, {rules}: {100 * (process_time() - begun):.0f} ms")


def unit():
    """Milliseconds for a loop, by the wall's clock and by the processor's."""
    wall, work = perf_counter(), process_time()
    sum(range(600_000))
    return 1000 * (perf_counter() - wall), 1000 * (process_time() - work)


def front_end():
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "book")]
    import browsers
    from test_jupyterlab import serving
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (address, book, _), browsers.launch("chromium") as engine:
        (book / "laboratory.ipynb").write_text((ROOT / "chapters" / "laboratory.ipynb").read_text("utf-8"), "utf-8")
        page = engine.browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{address}lab/tree/laboratory.ipynb?token=book&reset")
        page.wait_for_function("document.querySelectorAll('.jp-Notebook .jp-Cell').length > 8")
        page.evaluate("""async () => {
            await window.jupyterapp.shell.currentWidget.context.sessionContext.ready;
            await window.jupyterapp.commands.execute("notebook:run-all-cells");
        }""")
        page.locator(".lm-TabBar-tab", has_text="paths in the plane").click()
        steps = page.locator(".widget-text:visible", has=page.locator("label", has_text="steps")).locator("input")
        steps.fill("1000")
        steps.press("Tab")
        page.wait_for_timeout(3000)
        times, units = page.evaluate(KEY), [unit() for _ in range(20)]
        wall, work = (median(part) for part in zip(*units))
        print(f"JupyterLab, ravine, one rule, an arrow key: {median(times):.0f} ms, while {work:.0f} ms of work took {wall:.0f} ms")


if __name__ == "__main__":
    kernel()
    front_end()
