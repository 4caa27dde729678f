"""The opening page: its numbers once more, without the package, and its figure on a telephone."""

import re

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

import pages
from descent.figures.explore import decode

PAGE = nbformat.read(pages.ROOT / "index.ipynb", as_version=4)
CURVES = np.array([1.0, 50.0])    # of f = (θ₁² + 50 θ₂²) / 2
START = np.array([-6.0, 2.0])
EVERYWHERE = np.random.default_rng(0).uniform(-1, 1, (2000, 2)) * [6, 2.5]
LONG = 300
WORDS = "".join(cell.source for cell in PAGE.cells if cell.cell_type == "markdown")


def said(beginning):
    """All that the cells print or show from this beginning of a line on."""
    text = "".join(out.get("text") or out.data["text/plain"] for cell in PAGE.cells if cell.cell_type == "code"
                   for out in cell.outputs)
    return text[text.index(beginning):]


def figure(name):
    pictures = [decode(out.data["text/html"]) for cell in PAGE.cells if cell.cell_type == "code" for out in cell.outputs
                if '"base64,' in out.get("data", {}).get("text/html", "")]
    return next(p for p in pictures if p["name"] == name)


def heights(theta, alpha, beta1=None, beta2=None, correct=True, steps=LONG):
    """f along the path of gradient descent, of RMSprop (a β₂), or of Adam (a β₁ too)."""
    theta = theta + 0 * np.asarray(alpha)
    m = v = np.zeros_like(theta)
    f = [(CURVES * theta**2).sum(-1) / 2]
    for t in range(1, steps + 1):
        g = CURVES * theta
        if beta2 is None:
            theta = theta - alpha * g
        else:
            v = beta2 * v + (1 - beta2) * g * g
            m = g if beta1 is None else beta1 * m + (1 - beta1) * g
            by = (1 - beta1**t, 1 - beta2**t) if correct and beta1 is not None else (1, 1)
            theta = theta - alpha * m / by[0] / (np.sqrt(v / by[1]) + 1e-8)
        f.append((CURVES * theta**2).sum(-1) / 2)
    return np.array(f)


RULES = {"gradient descent": dict(alpha=0.035), "RMSprop": dict(alpha=0.1, beta2=0.9),
         "Adam": dict(alpha=0.1, beta1=0.9, beta2=0.999)}


RATES = "{gradient_descent: 0.035, rmsprop: 0.1, adam: 0.1}"


@pytest.fixture(scope="module")
def all_starts():
    return {name: heights(EVERYWHERE, **rule) for name, rule in RULES.items()}


def test_the_heights_above_the_first_picture():
    shown = figure("start")
    words = "".join(str(a["words"][tuple(min(i, n - 1) for i, n in zip(shown["start"], a["words"].shape))])
                    for a in shown["artists"] if "words" in a)
    ends = {name: heights(START, **rule, steps=60)[-1] for name, rule in RULES.items()}
    for name, f in ends.items():
        assert f"{name}, α = {RULES[name]['alpha']:g}f = {f:.2g}" in words
    assert min(ends, key=ends.get) == "RMSprop" and "/ Adam) RMSprop. And Adam is last" in said("Lowest after 60")
    assert max(ends, key=ends.get) == "Adam"


def test_the_first_steps():
    g = np.abs(CURVES * EVERYWHERE)
    assert f"gradient descent's {0.035 * g.min():.3f} to {0.035 * g.max():.3f}" in said("From 2000")
    assert f"(a number) {0.1 / np.sqrt(1 - 0.9):.3f}." in said("RMSprop and Adam have")
    assert "RMSprop's 0.316, Adam's 0.100," in said("From 2000")


def test_rmsprop_falls_and_climbs_back_to_where_it_jumps_by_alpha():
    f = heights(START, **RULES["RMSprop"])
    assert f"By step {f.argmin()} it is down at {f.min():.0e}" in said("draw RMSprop")
    assert f"ends at {f[-1]:.2g}." in said("draw RMSprop")
    assert f[-1] == pytest.approx(CURVES.sum() / 2 * 0.05**2, rel=2e-3)   # every θ is at ±α/2: (3.9), by hand


def test_the_shares_of_the_starts(all_starts):
    last = np.argmax([f for f in all_starts.values()], axis=0)
    for k, name in enumerate(RULES):
        shares = [f"{np.mean(last[t] == k):.0%}" for t in (60, LONG)]
        assert re.search(rf"^{name} +{shares[0]} +{shares[1]}$", said("last after"), re.M), (name, shares)


def test_what_makes_a_difference_to_adam(all_starts):
    adam = RULES["Adam"]
    cases = {"Adam as it is": adam, "no momentum": adam | {"beta1": 0.0}, "short memory": adam | {"beta2": 0.9},
             "both of these": adam | {"beta1": 0.0, "beta2": 0.9}, "no bias correction": adam | {"correct": False},
             "twice the rate": adam | {"alpha": 0.2},
             "RMSprop, β₂ = 0.999": RULES["RMSprop"] | {"beta2": 0.999}}
    shares, ends = {}, {}
    for name, rule in cases.items():
        f = heights(EVERYWHERE, **rule)
        rivals = [all_starts[r] for r in RULES if (r == "RMSprop") != ("RMSprop" in name) or r == "gradient descent"]
        shares[name], ends[name] = np.mean(f[60] > np.max(rivals, axis=0)[60]), np.median(f[LONG])
        assert re.search(rf"^{name} +last +{shares[name]:.0%}  f {ends[name]:.0e}$", said("Adam as it is"), re.M), name
    whole = shares["Adam as it is"]
    assert all(abs(shares[alone] - whole) < 0.05 for alone in ("no momentum", "short memory"))    # "changes little"
    assert shares["both of these"] < 0.5 * whole
    assert max(shares["no bias correction"], shares["twice the rate"]) < 0.75 * whole
    assert ends["short memory"] < 0.01 * ends["both of these"] and ends["no momentum"] < ends["Adam as it is"]


def test_the_first_two_steps_alone_make_rmsprop_with_a_long_memory_fast():
    ends = []
    for uncorrected in (0, 2):
        theta, v = EVERYWHERE, 0.0
        for t in range(1, LONG + 1):
            g = CURVES * theta
            v = 0.999 * v + 0.001 * g * g
            theta = theta - 0.1 * g / (np.sqrt(v / (1 if t <= uncorrected else 1 - 0.999**t)) + 1e-8)
        ends.append(np.median((CURVES * theta**2).sum(-1) / 2))
    assert ends[1] < 1e-100 * ends[0]    # "because nothing corrects its enormous first steps"


def test_corrected_rmsprop_is_the_row_without_momentum():
    corrected = heights(START, alpha=0.1, beta1=0.0, beta2=0.999)
    v, theta = 0.0, START
    for t in range(1, 61):
        g = CURVES * theta
        v = 0.999 * v + 0.001 * g * g
        theta = theta - 0.1 * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert (CURVES * theta**2).sum() / 2 == pytest.approx(corrected[60], rel=1e-12)


@pytest.mark.parametrize("steps", [60, LONG])
def test_with_tuned_rates_momentum_costs_adam_and_the_correction_does_not(steps):
    wide, low = np.geomspace(0.01, 100, 33), np.linspace(0.02, 0.04, 21)
    versions = {"gradient descent": ({}, low), "RMSprop": ({}, wide), "Adam": ({}, wide),
                "Adam, uncorrected": ({"correct": False}, wide), "Adam, β₁ = 0": ({"beta1": 0.0}, wide),
                "RMSprop, β₂ = 0.999": ({"beta2": 0.999}, wide)}
    scores, ends = {}, []
    for name, (change, grid) in versions.items():
        def score(starts, alpha):
            f = heights(starts, **RULES[name.split(",")[0]] | change | {"alpha": alpha}, steps=steps)[-1]
            return np.log10(f + 1e-300)
        best = grid[score(EVERYWHERE[None, :500], grid[:, None, None]).mean(-1).argmin()]
        assert grid[0] < best < grid[-1] or name == "RMSprop, β₂ = 0.999"    # the larger, the better
        fresh = score(EVERYWHERE[500:1000], best)
        scores[name], error = fresh.mean(), 2 * fresh.std() / 500**0.5
        ends.append(fresh)
        rows = said("after 60 steps: α").split(f"after {steps} steps: α")[1].split("after")[0]
        assert re.search(rf"^{name} +{best:.3g} +{scores[name]:.1f} ± {error:.1f}$", rows, re.M), name
    share = np.mean(np.argmax(ends[:3], axis=0) == 2)
    assert f"Adam is last: {share:.0%}" in said(f"after {steps} steps: α").split("RMSprop, β₂ = 0.999")[1]
    assert f"Adam is last from {share:.0%}".replace("%", " %") in WORDS or steps == LONG and share == 0
    assert scores["Adam, β₁ = 0"] < scores["Adam"] - 10
    assert abs(scores["Adam, uncorrected"] - scores["Adam"]) < 0.2
    assert scores["Adam"] < max(scores["gradient descent"], scores["RMSprop"]) - 0.1    # last at neither time
    start = np.log10((CURVES * EVERYWHERE[500:1000]**2).sum(-1) / 2).mean()
    swing = 2 * np.log10(0.5)    # the mean of log10 cos²
    assert scores["Adam"] == pytest.approx(start + steps * np.log10(0.9) + swing, abs=0.3)    # momentum sets the pace
    assert scores["RMSprop, β₂ = 0.999"] < scores["Adam, β₁ = 0"] - 100    # without momentum the correction costs most


def test_a_huge_first_jump_makes_the_second_step_newtons():
    after = 100 / np.sqrt(0.001)    # the first step, at α = 100
    for curve in CURVES:
        theta, v = 2.0, 0.0
        for _ in range(2):
            v = 0.999 * v + 0.001 * (curve * theta)**2
            theta -= 100 * curve * theta / np.sqrt(v)
        assert abs(theta) < 1e-3 * after


@pytest.mark.browser
def test_on_a_telephone_no_readout_touches_another_or_is_cut_off(visit, http_base):
    page = visit(http_base + "index.html", width=390, height=844)
    page.locator(".descent [data-show]").first.click()
    texts = [a["words"] for a in figure("start")["artists"] if "words" in a]
    widest = [max(np.unique(words), key=len) for words in texts]
    for width in 390, 320:
        page.set_viewport_size({"width": width, "height": 844})
        problems = page.evaluate("""async widest => {
          await new Promise(requestAnimationFrame);
          const svg = document.querySelector(".descent svg"), all = [...svg.querySelectorAll("text")];
          const moving = window.moving ??= all.filter(t => /α =|f =/.test(t.textContent)), cut = [];
          moving.forEach((text, k) => text.textContent = widest[k]);
          const box = e => e.getBoundingClientRect(), picture = box(svg), boxes = moving.map(box);
          boxes.forEach((a, k) => {
            if (a.left < 0 || a.right > innerWidth || a.top < picture.top) cut.push(widest[k] + " is cut off");
            boxes.slice(k + 1).forEach((b, l) => {
              if (a.left < b.right && b.left < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom) cut.push(widest[k] + " touches " + widest[k + 1 + l]);
            });
          });
          return [innerWidth, moving.length, cut];
        }""", widest)
        assert problems == [width, 6, []]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")    # a rate that is too large explodes, as it should
@pytest.mark.parametrize("edits", [
    {RATES: "{gradient_descent: 5.0, rmsprop: 0.1, adam: 0.1}",
     "memory, t = np.array([0.9, 0.95, 0.98, 0.99, 0.999])": "memory, t = np.array([0.5, 0.8])"},
    {RATES: "{gradient_descent: 0.02, rmsprop: 1e-4, adam: 3.0}", "default_rng(0)": "default_rng(7)",
     "start, steps, long = [-6.0, 2.0], 60, 300": "start, steps, long = [3.3, 0.0], 30, 150"}], ids=["explodes", "all else"])
def test_who_changes_numbers_reaches_the_end(edits):
    cells = [cell.source for cell in PAGE.cells[1:] if cell.cell_type == "code"]
    for before, after in edits.items():
        assert any(before in source for source in cells)
        cells = [source.replace(before, after) for source in cells]
    names = {}
    with plt.ioff():
        for source in cells:
            exec(source, names)
    plt.close("all")
