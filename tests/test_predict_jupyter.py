"""Figures and questions that were run, saved, closed and opened again, in JupyterLab and Notebook 7."""

import nbformat
import pytest

from test_jupyterlab import dead_boxes, lab, wait_for_address  # noqa: F401  (lab is a fixture)

pytestmark = pytest.mark.browser

CELLS = [
    """import matplotlib.pyplot as plt
import numpy as np
from descent.figures.explore import explore
from descent.figures.predict import ask, draw
fig, ax = plt.subplots()
t, beta = np.arange(30), np.array([0.5, 0.9, 0.99])
line, = ax.plot(t, t)
explore(fig, {"β": beta}, {line: beta[:, None]**t}, alt="Three powers that fall, the smaller the faster.")""",
    'ask("Which falls faster?", ["0.5", "0.9"], says="The smaller one.")',
    """fig, ax = plt.subplots()
line, = ax.plot(t, 0.9**t)
explore(fig, {}, {}, alt="A power that falls.", predict=draw(line, "Draw it."))""",
]


def works(page):
    page.wait_for_function("document.querySelectorAll('.jp-Notebook [data-live]').length == 3")
    assert dead_boxes(page) is None
    figure = ".jp-Notebook .descent >> nth=0"
    before = page.locator(f"{figure} >> svg").inner_html()
    page.locator(f"{figure} >> input").press("ArrowLeft")
    page.wait_for_function("before => document.querySelector('.jp-Notebook .descent svg').innerHTML != before", arg=before)
    page.locator(".jp-Notebook [data-choice]").first.click()
    assert page.locator(".jp-Notebook .descent-ask .descent-reply").inner_text().strip() == "You said: 0.5. The smaller one."
    assert not page.locator(".jp-Notebook .descent-hidden").is_visible()
    page.locator(".jp-Notebook [data-predict] [data-show]").click()
    assert page.locator(".jp-Notebook .descent-hidden").is_visible()
    return True


@pytest.mark.parametrize("kind", ["lab/tree", "notebooks"], ids=["JupyterLab", "Notebook 7"])
def test_alive_while_running_and_after_saving_closing_and_opening(lab, chromium, kind):  # noqa: F811
    address, folder, _ = lab
    name = f"saved_{kind[:3]}.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS], metadata={
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}})
    nbformat.write(notebook, folder / name)

    def opened():
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(f"{address}{kind}/{name}?token=book&reset")
        page.wait_for_function("document.querySelectorAll('.jp-Notebook .jp-Cell').length >= 3")
        return page

    page = opened()
    page.evaluate("""async () => {
        await window.jupyterapp.shell.currentWidget.context.sessionContext.ready;
        await window.jupyterapp.commands.execute("notebook:run-all-cells");
    }""")
    assert works(page)
    page.evaluate("""async () => {
        const { context } = window.jupyterapp.shell.currentWidget;
        await context.save();
        await context.sessionContext.shutdown();
    }""")
    page.close()
    page = opened()
    assert works(page)
    page.close()
