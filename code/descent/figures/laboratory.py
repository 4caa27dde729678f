"""The laboratory: own gradients, own functions, two rules, all numbers typed; widgets for a running kernel.

    lab = Laboratory()
    display(lab)

`lab.stream.path` and `lab.plane.path` are the paths of rule A, as `descent.run` returned them; ``.other`` those of rule B.
"""

import math
from collections import namedtuple
from html import escape
from pathlib import Path

import anywidget
import contourpy
import numpy as np
import traitlets
from IPython.display import display
from ipywidgets import (HTML, Button, Checkbox, Dropdown, FileUpload, FloatSlider, HBox, Layout, Tab, Text, Textarea,
                        VBox)

from descent import rules, theory
from descent.figures import typed
from descent.figures.plots import STYLE
from descent.gradients import central_differences
from descent.loop import run
from descent.problems import Rosenbrock, quadratic, ravine

__all__ = ["Laboratory"]

FOLDER = Path(__file__).parent
# The way to a kernel, seen where the laboratory is not alive: a page, and a saved notebook, where its view would be a dead box.
WAY = """<style class="nohighlight">
.jp-OutputArea-child:has(.descent-way):has(+ .jp-OutputArea-child .widget-tab),
.jp-OutputArea-child:has(.descent-way) + .jp-OutputArea-child:not(:has(.widget-tab)) { display: none; }</style>
<p class="descent-way">Here stands the laboratory when this cell runs. It computes, so it needs Python behind the page:
the button at the top of the page runs it in your browser, or open <code>chapters/laboratory.ipynb</code> in JupyterLab,
Notebook 7, VS Code or Colab, and run all cells.</p>"""
VIEW = "application/vnd.jupyter.widget-view+json"
STEPS, MOST_DRAWN = 1000, 420   # points of a curve
COLOURS = {"A": (STYLE["adam"]["color"], ""), "B": (STYLE["rmsprop"]["color"], "7 3")}
# name: the rule, its numbers, whether it corrects
RULES = {"RMSprop": ("rmsprop", ["alpha", "beta2", "eps"]),
         "RMSprop with momentum": ("rmsprop_momentum", ["alpha", "mu", "beta2", "eps"]),
         "Adam": ("adam", ["alpha", "beta1", "beta2", "eps"]),
         "AdamW": ("adamw", ["alpha", "beta1", "beta2", "eps", "weight_decay"]),
         "AMSGrad": ("amsgrad", ["alpha", "beta1", "beta2", "eps"])}
# name: letter, first value, slider from and to: of log10 x, or of -log10(1 - x) for what is below 1
NUMBERS = {"alpha": ("α", 0.001, -6, 1), "beta1": ("β₁", 0.9, 0, 4), "mu": ("μ", 0.9, 0, 4), "beta2": ("β₂", 0.999, 0, 5),
           "eps": ("ε", 1e-8, -16, 0), "weight_decay": ("λ", 0.01, -5, 1)}
BELOW_ONE = {"beta1", "beta2", "mu"}

# One curve of the clock: arrays of one coordinate, without the start but in theta.
Course = namedtuple("Course", "name label style t g m v step ratio theta bound share decays hyper")


class Sheet(anywidget.AnyWidget):
    """HTML or SVG that Python writes; ``stroke`` is what the pointer drew on its pad, in the pad's units."""

    _esm, _css = FOLDER / "laboratory.js", FOLDER / "laboratory.css"
    html = traitlets.Unicode().tag(sync=True)
    stroke = traitlets.List().tag(sync=True)


def _says(field, sentence=""):
    field.value = f'<span role="alert" style="color:var(--jp-error-color1, #b3261e)">{escape(sentence)}</span>' if sentence else ""


def _shown(widget, visible):
    widget.layout.display = None if visible else "none"


class Number(VBox):
    """A number that is typed, beside its slider; below, the sentence that says what is wrong with it."""

    def __init__(self, name):
        self.name = name
        letter, value, low, high = NUMBERS[name]
        self.text = Text(f"{value:g}", description=letter, continuous_update=False, layout=Layout(width="9em"),
                         style={"description_width": "1.6em"})
        self.slider = FloatSlider(self._place(value), min=low, max=high, step=0.05, readout=False,
                                  tooltip=f"{letter}, on a logarithmic scale", layout=Layout(width="8.5em"))
        self.says = HTML()
        super().__init__([HBox([self.text, self.slider]), self.says])
        self._typing = False
        self.slider.observe(self._slid, "value")
        self.text.observe(self._typed, "value")

    def _place(self, value):
        x = 1 - value if self.name in BELOW_ONE else value
        return (-1 if self.name in BELOW_ONE else 1) * math.log10(max(x, 1e-16))

    def _slid(self, change):
        if not self._typing:
            x = 10.0 ** (-self.slider.value if self.name in BELOW_ONE else self.slider.value)
            x = float(f"{x:.2g}")
            self.text.value = f"{round(1 - x, 7):.8g}" if self.name in BELOW_ONE else f"{x:g}"

    def _typed(self, change):
        try:
            place = self._place(self.read())
        except typed.Refused:
            return
        self._typing = True
        self.slider.value = min(max(place, self.slider.min), self.slider.max)
        self._typing = False

    def read(self):
        _says(self.says)
        try:
            return typed.number(self.text.value, low=0, high=1 if self.name in BELOW_ONE else None)
        except typed.Refused as error:
            _says(self.says, str(error))
            raise


class Rule(VBox):
    """The rule and its settings; rule B may be none."""

    def __init__(self, name, rule):
        none = [] if name == "A" else ["none"]
        self.rule = Dropdown(options=[*RULES, *none], value=rule, description=f"rule {name}", layout=Layout(width="18em"),
                             style={"description_width": "3.5em"})
        self.numbers = {key: Number(key) for key in NUMBERS}
        self.inside = Checkbox(False, description="ε inside the root", indent=False)
        self.correct = Dropdown(options=["both", "none", "first", "second"], description="correction",
                                layout=Layout(width="11em"), style={"description_width": "5.2em"})
        super().__init__([self.rule, HBox([*self.numbers.values(), HBox([self.correct, self.inside])],
                                          layout=Layout(flex_flow="row wrap"))], layout=Layout(max_width="40em"))
        self.rule.observe(self._arrange, "value")
        self._arrange()

    def _arrange(self, change=None):
        numbers = RULES.get(self.rule.value, (None, []))[1]
        for key, field in self.numbers.items():
            _shown(field, key in numbers)
        self.layout.flex = "1 1 18em" if numbers else "0 0 auto"   # alone, a rule has twice the width
        _shown(self.inside, numbers)
        _shown(self.correct, self.rule.value == "Adam")

    def fields(self):
        return [self.rule, self.inside, self.correct, *(field.text for field in self.numbers.values())]

    def read(self):
        """(name of the rule, its settings), or None."""
        if self.rule.value == "none":
            return None
        name, numbers = RULES[self.rule.value]
        hyper, wrong = {}, None
        for key in numbers:
            try:
                hyper[key] = self.numbers[key].read()
            except typed.Refused as error:
                wrong = error
        if wrong:
            raise wrong
        if self.inside.value:
            hyper["eps_inside"] = True
        if name == "adam" and self.correct.value != "both":
            hyper["correct"] = self.correct.value
        return name, hyper


class Field(VBox):
    """A line to type in, and the sentence below it."""

    def __init__(self, field, read):
        self.field, self._read, self.says = field, read, HTML()
        super().__init__([field, self.says])

    def read(self):
        _says(self.says)
        try:
            return self._read(self.field.value)
        except typed.Refused as error:
            _says(self.says, str(error))
            raise


def _line(value, description, read, width="16em"):
    return Field(Text(value, description=description, continuous_update=False, layout=Layout(width=width),
                      style={"description_width": "initial"}), read)


def _count(low, high):
    return lambda text: typed.number(text, low, high, whole=True)


class Bench(VBox):
    """What both tabs share: two rules, their runs, the clock, the read-outs, the code. A tab says what the rules run on."""

    def __init__(self, source, watched):
        self.path = self.other = None
        self.rules = {"A": Rule("A", "Adam"), "B": Rule("B", "none")}
        self.picture, self.table, self.code = Sheet(), HTML(), Sheet()
        self.says = HTML()
        self.on = Button(description="Go on from the end", tooltip="the next run begins with this one's θ, averages and t")
        self.back = Button(description="Begin at zero", layout=Layout(display="none"))
        self.on.on_click(self._go_on)
        self.back.on_click(self._begin)
        self.earlier, self._hold = None, False   # the code and the last States before the present run
        super().__init__([source, HBox(list(self.rules.values()), layout=Layout(flex_flow="row wrap")),
                          HBox([self.on, self.back]), self.says, self.picture, self.table, self.code])
        for field in [*watched, *(field for rule in self.rules.values() for field in rule.fields())]:
            field.observe(self.draw, "value")

    def draw(self, change=None):
        """Read every field, run, draw; a field that cannot be read has its sentence, and the last picture stays."""
        if self._hold:
            return
        _says(self.says)
        read, wrong = {}, None
        for name, reads in [("problem", self.read_problem), *((name, rule.read) for name, rule in self.rules.items())]:
            try:
                read[name] = reads()
            except typed.Refused as error:
                wrong = error
        self.on.disabled = wrong is not None
        if wrong:
            self.code.html = ""
            _says(self.says, "The picture below is older than the fields above: one of them waits for a change.")
            return
        problem = read.pop("problem")
        chosen = {name: settings for name, settings in read.items() if settings}
        try:
            paths = {name: self._path(name, problem, *settings) for name, settings in chosen.items()}
        except (ValueError, TypeError) as error:
            self.code.html = ""
            _says(self.says, f"{str(error)[:300]}.")
            return
        self.path, self.other = paths["A"], paths.get("B")
        lost = [f"Rule {name} left the range of numbers." for name, path in paths.items() if np.any(path.diverged[-1])]
        _says(self.says, " ".join(lost))
        with np.errstate(all="ignore"):
            courses = [course for name, path in paths.items() for course in self._courses(name, path, *chosen[name])]
            self.picture.html = self.drawing(courses, problem)
            self.table.value = self.read_outs(courses)
        self._write(chosen, problem)

    def _start(self, name):
        """The State that a rule goes on from: its own, else that of A."""
        states = self.earlier[1]
        return states.get(name, states["A"])

    def _path(self, name, problem, rule, hyper):
        start = problem["start"] if self.earlier is None else self._start(name)
        return run(getattr(rules, rule), theta0=start, **problem["arguments"], **hyper, **problem["more"])

    def _courses(self, name, path, rule, hyper):
        more = self.more
        alphas = np.ravel(more.get("alpha", hyper["alpha"]))
        t, many = path.t[1:], path.theta.ndim > 2
        shown = np.linspace(0.4, 1, len(alphas)) if many else [1.0]
        for k, alpha in enumerate(alphas):
            def of(x):
                x = x[:, k] if many else x
                return x[:, min(self.coordinate, x.shape[-1] - 1)]
            theta = of(path.theta)
            step = -np.diff(theta) / alpha if alpha else np.zeros(len(t))
            quotient = step - hyper.get("weight_decay", 0.0) * theta[:-1]
            ratio, bound = start_up(rule, hyper, t), largest(rule, hyper, t[-1])
            top = np.nanmax(np.abs(quotient)) if np.isfinite(quotient).any() else np.nan
            adams = path.m_hat is not None and rule in ("adam", "adamw", "amsgrad")
            colour, dash = COLOURS[name]
            label = f"{name}: {self.rules[name].rule.value}" + (f", α = {alpha:g}" if many else "")
            yield Course(name, label, f'stroke="{colour}" stroke-opacity="{shown[k]:.2f}" stroke-dasharray="{dash}"', t,
                         of(path.g)[1:], of(path.m_hat)[1:] if adams else None,
                         np.sqrt(of(path.v_hat if adams else path.v)[1:]), step, ratio, theta, bound, top / bound,
                         "weight_decay" in hyper, hyper | {"alpha": float(alpha)})

    def clock(self, courses, top=0):
        """Six panels on one clock, as SVG, from this height on."""
        panels = [("g, the gradient", [(c.t, c.g, c.style) for c in courses], False),
                  ("m̂, as the step uses it", [(c.t, c.m, c.style) for c in courses if c.m is not None], False),
                  ("√v̂, as the step uses it", [(c.t, c.v, c.style) for c in courses], True),
                  ("step / α", [(c.t, c.step, c.style) for c in courses], False),
                  ("start-up ratio", [(c.t, c.ratio, c.style) for c in courses], True),
                  (f"path: {self.letter}", [(np.r_[c.t[0] - 1, c.t], c.theta, c.style) for c in courses], False)]
        return "".join(panel(320 * (i % 3), top + 190 * (i // 3), 312, 182, *parts) for i, parts in enumerate(panels))

    def read_outs(self, courses):
        heads = ["rule", "half-life of m", "of v", "first step", "largest step", "bound", "share of it", *self.heads]
        rows = []
        for c in courses:
            lives = [f"{theory.half_life(c.hyper[key]):.4g} steps" if c.hyper.get(key) else "–" for key in ("beta1", "beta2")]
            finite = np.where(np.isfinite(c.step), np.abs(c.step), -1)
            k = int(finite.argmax())
            rows.append([c.label, *lives, f"{abs(c.step[0]):.4g} α", f"{finite[k]:.4g} α at t = {c.t[k]}",
                         f"{c.bound:.4g} α" if np.isfinite(c.bound) else "none",
                         f"{100 * c.share:.3g} %" if np.isfinite(c.bound) else "–", *self.more_read_outs(c)])
        cells = "".join("<tr>" + "".join(f"<td>{escape(x)}</td>" for x in row) + "</tr>" for row in rows)
        return ('<div class="descent-sheet" style="overflow-x:auto"><table class="descent-readouts"><tr>'
                + "".join(f"<th>{head}</th>" for head in heads) + f"</tr>{cells}</table></div>")

    def _write(self, chosen, problem):
        """The code of the present run, after that of the runs before it."""
        imports = {rule for rule, _ in chosen.values()}
        lines, made = list(problem["code"]), []
        for name, (rule, hyper) in chosen.items():
            written = hyper | {key: value for key, value in problem["more"].items() if key not in problem["arguments"]}
            settings = "".join(f", {key}={_source(value)}" for key, value in written.items())
            target, start = ("path" if name == "A" else "other"), problem["start_code"]
            if self.earlier:
                start = "path" if name == "A" or "B" not in self.earlier[1] else "other"
            made.append(f"{target} = run({rule}, {problem['call'].replace('START', start)}{settings})")
        if self.earlier and "B" not in self.earlier[1]:
            made.reverse()   # B first: it goes on from A's earlier path
        lines += made
        earlier = self.earlier[0] if self.earlier else ([], set(), set())
        self.written = earlier[0] + lines, earlier[1] | imports, earlier[2] | set(problem["imports"])
        self.code.html = ('<button type="button" data-copy>Copy as code</button>'
                          f"<pre>{escape(self.text)}</pre>")

    @property
    def text(self):
        """The code that makes the present paths."""
        lines, names, more = self.written
        return "\n".join(["import numpy as np", f"from descent import {', '.join(sorted(names))}, run", *sorted(more), "", *lines])

    def _go_on(self, button):
        self.draw()
        if not self.on.disabled and self.path is not None:
            states = {"A": self.path.last} | ({"B": self.other.last} if self.other is not None else {})
            self.earlier = self.written, states
            _shown(self.back, True)
            self.draw()

    def _begin(self, button):
        self.earlier = None
        _shown(self.back, False)
        self.draw()


def _source(value):
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r})"
    return repr(value)


class Stream(Bench):
    """Gradients that do not depend on where one stands: typed, pasted, uploaded or drawn."""

    coordinate, letter, heads, more = 0, "θ", [], {}

    def __init__(self):
        self.source = Dropdown(options=["a formula", "numbers, pasted", "a file", "a curve, drawn"], description="gradients",
                               style={"description_width": "initial"})
        self.formula = Field(Text("1 + 3 * rng.standard_normal()", description="g =", continuous_update=False,
                                  layout=Layout(width="32em"), style={"description_width": "initial"},
                                  placeholder="a formula of t and rng"), lambda text: text)
        self.steps = _line(str(STEPS), "steps", _count(2, typed.MOST), "10em")
        self.seed = _line("0", "seed of rng", _count(0, 2**32), "10em")
        self.pasted = Field(Textarea("1, 1, 1, -2", placeholder="numbers, with anything between them", continuous_update=False,
                                     layout=Layout(width="32em", height="5em")), typed.numbers)
        self.file = FileUpload(accept=".npy,.csv,.txt", description="choose .npy or .csv")
        self.column = _line("1", "column", _count(1, 10_000), "10em")
        self.file_says = HTML()
        self.curve, self.pad = np.ones(STEPS), Sheet()
        self.height = _line("2", "height", lambda text: typed.number(text, low=1e-300), "10em")
        self.drawn_steps = _line(str(STEPS), "steps", _count(2, 5000), "10em")
        self.flat = Button(description="Begin with zeros")
        self.parts = {"a formula": VBox([self.formula, HBox([self.steps, self.seed])]), "numbers, pasted": self.pasted,
                      "a file": VBox([HBox([self.file, self.column]), self.file_says]),
                      "a curve, drawn": VBox([HTML("Draw the gradients with the pointer, as often as you like."), self.pad,
                                              HBox([self.height, self.drawn_steps, self.flat])])}
        self.reads = dict(zip(self.parts, [self._read_formula, self._read_pasted, self._read_file, self._read_drawn]))
        super().__init__(VBox([self.source, *self.parts.values()]), [
            self.source, self.file, *(f.field for f in (
                self.formula, self.steps, self.seed, self.pasted, self.column, self.height, self.drawn_steps))])
        self.source.observe(self._arrange, "value")
        self.pad.observe(self._drawn, "stroke")
        self.flat.on_click(self._flatten)
        self._arrange()
        self.draw()

    def _arrange(self, change=None):
        for name, part in self.parts.items():
            _shown(part, name == self.source.value)

    def _flatten(self, button):
        self.curve = np.zeros(len(self.curve))
        self.draw()

    def _drawn(self, change):
        if len(change["new"]):
            x, y = np.array(change["new"], float).T
            at = np.clip(np.rint(x), 1, len(self.curve)).astype(int)
            last = {k: value for k, value in zip(at, y)}   # where the pen went twice, the later line
            known = np.array(sorted(last))
            between = np.arange(known[0], known[-1] + 1)
            self.curve = self.curve.copy()
            self.curve[between - 1] = [float(f"{v:.3g}") for v in np.interp(between, known, [last[k] for k in known])]
            self.draw()

    def read_problem(self):
        values, code = self.reads[self.source.value]()
        return {"arguments": {"gradients": np.array(values, float)[:, None]}, "start": [0.0], "start_code": "[0.0]", "more": {},
                "call": "theta0=START, gradients=g", "code": code, "imports": []}

    def _read_formula(self):
        steps, seed = self.steps.read(), self.seed.read()
        first = self._start("A").t + 1 if self.earlier else 1
        _says(self.formula.says)
        try:
            values = typed.gradients_of(self.formula.field.value, steps, seed, first)
        except typed.Refused as error:
            _says(self.formula.says, str(error))
            raise
        text = self.formula.field.value.strip()
        code = [f"g = [[{text}] for t in range({first}, {first + steps})]"]
        return values, ([f"rng = np.random.default_rng({seed})"] if "rng" in text else []) + code

    def _read_pasted(self):
        values = self.pasted.read()
        return values, [f"g = np.reshape({values!r}, (-1, 1))"]

    def _read_file(self):
        column = self.column.read()
        _says(self.file_says)
        try:
            if not self.file.value:
                raise typed.Refused("No file is chosen yet: a .npy array, or a .csv with a row for each step.")
            chosen = self.file.value[-1]
            values, code, note = typed.uploaded(chosen["name"], chosen["content"], column)
        except typed.Refused as error:
            _says(self.file_says, str(error))
            raise
        self.file_says.value = f"{escape(chosen['name'])}: {escape(note)} The copied code reads it from the notebook's folder."
        return values, [f"g = np.reshape({code}, (-1, 1))"]

    def _read_drawn(self):
        steps, height = self.drawn_steps.read(), self.height.read()
        if steps != len(self.curve):
            old = self.curve
            self.curve = np.array([float(f"{v:.3g}") for v in np.interp(
                np.linspace(0, 1, steps), np.linspace(0, 1, len(old)), old)])
        t = np.arange(1, steps + 1)
        self.pad.html = (f'<svg viewBox="0 0 960 200" role="img" aria-label="A sheet to draw gradients on">' + panel(
            0, 0, 952, 196, "draw g", [(t, np.clip(self.curve, -height, height), 'stroke="currentColor"')], False,
            limits=(1, steps, -height, height), pad=True) + "</svg>")
        values = self.curve.tolist()
        return values, [f"g = np.reshape({values!r}, (-1, 1))"]

    def drawing(self, courses, problem):
        words = ", ".join(c.label for c in courses)
        return (f'<svg viewBox="0 0 960 398" role="img" aria-label="Six panels on one clock for {escape(words)}">'
                + legend(courses) + self.clock(courses, top=18) + "</svg>")

    def more_read_outs(self, course):
        return []


class Plane(Bench):
    """Paths in the plane, from a start that is typed or dragged."""

    heads = ["f at the end", "where"]
    # name: start, window, and what the code says
    PROBLEMS = {"ravine": ((-8.0, 1.5), "-10, 10, -3, 3"), "turned ravine": ((-7.0, -4.0), "-10, 10, -8, 8"),
                "Rosenbrock": ((-1.2, 1.0), "-2, 2, -1, 3"), "an own function": ((-2.0, 1.0), "-3, 3, -3, 3")}

    def __init__(self):
        self.problem = Dropdown(options=list(self.PROBLEMS), description="function", style={"description_width": "initial"})
        self.own = Field(Text("x**2 + np.sin(3 * x) + 4 * y**2", description="f(x, y) =", continuous_update=False,
                              layout=Layout(width="32em"), style={"description_width": "initial"}), typed.plane)
        self.angle = _line("45", "turned by degrees", lambda text: typed.number(text, -360, 360), "14em")
        self.x, self.y = (_line("0", f"start {letter}", typed.number, "12em") for letter in "xy")
        self.window = _line("", "window x, x, y, y", self._read_window, "20em")
        self.steps = _line("300", "steps", _count(1, 5000), "10em")
        self.rates = _line("", "a grid of α (or nothing)", self._read_rates, "26em")
        self.axis = Dropdown(options=["x", "y"], description="clock of", style={"description_width": "initial"},
                             layout=Layout(width="9em"))
        self.more, self._lines = {}, {}
        self._choose()
        super().__init__(VBox([self.problem, self.own, self.angle, HBox([self.x, self.y, self.steps, self.window]),
                               HBox([self.rates, self.axis])]),
                         [self.problem, self.axis, *(f.field for f in (
                             self.own, self.angle, self.x, self.y, self.window, self.steps, self.rates))])
        for rule in self.rules.values():
            rule.numbers["alpha"].text.value = "0.1"
        self.problem.observe(self._choose, "value")
        self.picture.observe(self._dragged, "stroke")
        self.draw()

    @property
    def coordinate(self):
        return self.axis.index

    @property
    def letter(self):
        return self.axis.value

    def _choose(self, change=None):
        start, window = self.PROBLEMS[self.problem.value]
        self._hold = True
        self.x.field.value, self.y.field.value = (f"{v:g}" for v in start)
        self.window.field.value = window
        _shown(self.own, self.problem.value == "an own function")
        _shown(self.angle, self.problem.value == "turned ravine")
        self._hold = False
        if change:
            self.draw()

    def _dragged(self, change):
        if len(change["new"]):
            x, y = (f"{v:.3g}" for v in change["new"][-1])
            self._hold = True
            self.x.field.value, self.y.field.value = x, y
            self._hold = False
            self.draw()

    @staticmethod
    def _read_window(text):
        values = typed.numbers(text)
        if len(values) != 4 or not (values[0] < values[1] and values[2] < values[3]):
            raise typed.Refused("Four numbers are wanted: x from, x to, y from, y to.")
        return values

    @staticmethod
    def _read_rates(text):
        if not text.strip():
            return []
        values = typed.numbers(text)
        if min(values) < 0 or len(values) > 20:
            raise typed.Refused("Up to twenty rates are wanted, each at least 0.")
        return values

    def read_problem(self):
        read, wrong = {}, None
        fields = {"x": self.x, "y": self.y, "window": self.window, "steps": self.steps, "rates": self.rates}
        name = self.problem.value
        fields |= {"f": self.own} if name == "an own function" else {"angle": self.angle} if name == "turned ravine" else {}
        for key, field in fields.items():
            try:
                read[key] = field.read()
            except typed.Refused as error:
                wrong = error
        if wrong:
            raise wrong
        code, imports = [], []
        if name == "an own function":
            own = read["f"]
            f, grad = (lambda theta: own(theta[..., 0], theta[..., 1])), central_differences(own)
            code, grad_code = [f"f = lambda x, y: {self.own.field.value.strip()}"], "central_differences(f)"
            imports = ["from descent.gradients import central_differences"]
        else:
            f, made, more = {"ravine": lambda: (ravine, "ravine", "ravine"), "Rosenbrock": lambda: (
                Rosenbrock(), "Rosenbrock()", "Rosenbrock"), "turned ravine": lambda: (
                quadratic([1, 50], np.deg2rad(read["angle"])), f"quadratic([1, 50], np.deg2rad({read['angle']}))", "quadratic")}[name]()
            grad, grad_code, imports = f.grad, f"{made}.grad", [f"from descent.problems import {more}"]
        self.more = {"alpha": np.array(read["rates"])[:, None]} if read["rates"] else {}
        for rule in self.rules.values():
            rule.numbers["alpha"].text.disabled = bool(read["rates"])   # the grid is in its place
        start = [read["x"], read["y"]]
        self._f = f
        return {"arguments": {"grad": grad, "steps": read["steps"]}, "start": start, "start_code": repr(start), "more": self.more,
                "call": f"{grad_code}, START, {read['steps']}", "code": code, "imports": imports, "f": f, "window": read["window"],
                "key": (name, self.own.field.value, self.angle.field.value, *read["window"])}

    def _path(self, name, problem, rule, hyper):
        start = problem["start"] if self.earlier is None else self._start(name)
        with np.errstate(all="ignore"):
            return run(getattr(rules, rule), problem["arguments"]["grad"], start, problem["arguments"]["steps"],
                       **hyper | problem["more"])

    def drawing(self, courses, problem):
        x0, x1, y0, y1 = problem["window"]
        left, top, width, height = 46, 24, 420, 320

        def at(x, y):
            return (left + (np.clip(x, -1e6, 1e6) - x0) / (x1 - x0) * width, top + (y1 - np.clip(y, -1e6, 1e6)) / (y1 - y0) * height)

        if problem["key"] not in self._lines:
            self._lines = {problem["key"]: heights(problem["f"], problem["window"])}
        contours = "".join(f'<path d="{curve(*at(*line.T))}"/>' for line in self._lines[problem["key"]])
        paths, fs = [], []
        for name, path in ("A", self.path), ("B", self.other):
            mine = [c for c in courses if c.name == name]
            for k, c in enumerate(mine):
                theta = path.theta[:, k] if path.theta.ndim > 2 else path.theta
                known = np.isfinite(theta).all(-1)
                px, py = at(*theta[known].T)
                paths.append(f'<path d="{curve(px, py)}" {c.style} stroke-width="1.8"/>'
                             f'<circle cx="{px[-1]:.1f}" cy="{py[-1]:.1f}" r="3.5" {c.style} fill="none"/>')
                fs.append((path.t, np.broadcast_to(problem["f"](theta), len(theta)), c.style))
        sx, sy = at(*np.array(problem["start"]))
        ticks = frame(left, top, width, height, (x0, x1, y0, y1), False)
        handle = "" if self.earlier else (
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" data-frame="{x0} {x1} {y0} {y1}" data-last="" fill="none"/>'
            f'<circle cx="{sx:.1f}" cy="{sy:.1f}" r="7" data-x="{problem["start"][0]}" data-y="{problem["start"][1]}" tabindex="0" '
            f'role="slider" aria-label="start: arrow keys move it" aria-valuemin="{x0}" aria-valuemax="{x1}" aria-valuenow="{problem["start"][0]}" '
            f'aria-valuetext="x = {problem["start"][0]:g}, y = {problem["start"][1]:g}" fill="currentColor" fill-opacity=".35" stroke="currentColor"/>')
        below = panel(496, 18, 456, 330, "f along the path", fs, True)
        return (f'<svg viewBox="0 0 960 770" role="img" aria-label="The paths in the plane, f along them, and six panels on one clock">'
                f'{legend(courses)}<g>{ticks}</g><svg x="0" y="0" width="960" height="770"><clipPath id="{self.picture.model_id}">'
                f'<rect x="{left}" y="{top}" width="{width}" height="{height}"/></clipPath><g clip-path="url(#{self.picture.model_id})">'
                f'<g fill="none" stroke="currentColor" stroke-opacity=".28">{contours}</g><g fill="none">{"".join(paths)}</g></g></svg>'
                f'{handle}{below}{self.clock(courses, top=378)}</svg>')

    def more_read_outs(self, course):
        path = self.path if course.name == "A" else self.other
        many = path.theta.ndim > 2
        k = [float(a) for a in np.ravel(self.more["alpha"])].index(course.hyper["alpha"]) if many else 0
        end = path.theta[-1, k] if many else path.theta[-1]
        return [f"{float(self._f(end)):.4g}", f"({end[0]:.4g}, {end[1]:.4g})"]


# --- what a rule promises


def start_up(rule, hyper, t):
    """How many times too long the steps are because the averages begin at zero: 1 where both are corrected."""
    beta1, beta2, correct = hyper.get("beta1", 0.0), hyper["beta2"], hyper.get("correct", "both")
    if rule in ("rmsprop", "rmsprop_momentum"):
        correct = "none"
    above = 1.0 if correct in ("both", "first") else 1 - beta1**t
    return above / (1.0 if correct in ("both", "second") else np.sqrt(1 - beta2**t)) + np.zeros(len(t))


def largest(rule, hyper, steps):
    """No gradients give a longer step within so many steps, in units of α."""
    beta1, beta2 = hyper.get("beta1", 0.0), hyper["beta2"]
    if beta2 == 0:
        bound = 1.0 if beta1 == 0 else np.inf
    else:
        t = np.arange(1, steps + 1)
        bound = float(np.max(theory.sharp_bound(t, beta1, beta2) * start_up(rule, hyper, t)))
    return bound / (1 - hyper.get("mu", 0.0))


# --- drawing


def heights(f, window, levels=14):
    """Lines of equal height, closer where f is low."""
    x, y = np.linspace(*window[:2], 121), np.linspace(*window[2:], 121)
    with np.errstate(all="ignore"):
        z = np.broadcast_to(f(np.stack(np.meshgrid(x, y), -1)), (121, 121)).astype(float)
    if not np.isfinite(z).any():
        return []
    low, high = z[np.isfinite(z)].min(), z[np.isfinite(z)].max()
    made = contourpy.contour_generator(x, y, np.ma.masked_invalid(z))
    return [line for level in low + (high - low) * np.linspace(0, 1, levels + 1)[1:-1] ** 3 for line in made.lines(level)]


def curve(x, y):
    """The d of a path through these points; a gap where one is not finite."""
    if np.isfinite(x).all() and np.isfinite(y).all():
        return "M" + " ".join([f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist())])
    known = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.r_[0, known, 0]))
    return "".join(curve(x[a:b], y[a:b]) for a, b in zip(edges[::2], edges[1::2]))


def thinned(x, y):
    """Few enough points for a picture, with every peak."""
    if len(x) <= MOST_DRAWN:
        return x, y
    width = -(-len(x) // (MOST_DRAWN // 2))
    begins = np.arange(0, len(x), width)
    parts = np.pad(np.where(np.isfinite(y), y, 0.0), (0, begins[-1] + width - len(x)), mode="edge").reshape(-1, width)
    kept = np.unique(np.minimum(np.r_[0, begins + parts.argmin(1), begins + parts.argmax(1), len(x) - 1], len(x) - 1))
    return x[kept], y[kept]


def _ticks(low, high, log):
    if log:
        first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
        return [(k, f"{10.0**k:g}") for k in range(first, last + 1, max(1, -(-(last - first + 1) // 5)))]
    raw = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(m * size for m in (1, 2, 5, 10) if m * size >= raw * 0.999)
    return [(k * step, f"{k * step:.6g}".replace("-", "−")) for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def frame(left, top, width, height, limits, log):
    """Two axes with their ticks."""
    x0, x1, y0, y1 = limits
    marks = [f'<path d="M{left},{top}V{top + height}H{left + width}" fill="none" stroke="currentColor" stroke-opacity=".5"/>']
    for value, word in _ticks(x0, x1, False):
        x = left + (value - x0) / (x1 - x0) * width
        side = "end" if x > left + width - 12 else "middle"
        marks.append(f'<text x="{x:.1f}" y="{top + height + 14}" text-anchor="{side}">{word}</text>')
    for value, word in _ticks(y0, y1, log):
        y = top + (y1 - value) / (y1 - y0) * height
        marks.append(f'<text x="{left - 4}" y="{y + 4:.1f}" text-anchor="end">{word}</text>'
                     f'<path d="M{left},{y:.1f}h{width}" stroke="currentColor" stroke-opacity=".12"/>')
    return "".join(marks)


def panel(left, top, width, height, title, curves, log, limits=None, pad=False):
    """One set of axes with curves (x, y, style). Logarithmic where that is allowed, needed and possible."""
    curves = [(np.asarray(x, float), np.asarray(y, float), style) for x, y, style in curves]
    values = np.concatenate([y[np.isfinite(y)] for _, y, _ in curves]) if curves else np.zeros(0)
    inner = left + 50, top + 22, width - 56, height - 42
    words = f'<text x="{inner[0]}" y="{top + 14}" font-weight="600">{escape(title)}</text>'
    if not len(values):
        return words + f'<text x="{inner[0]}" y="{top + 40}">{"nothing finite" if curves else "this rule has none"}</text>'
    positive = values[values > 0]
    log = log and len(positive) > 0 and values.min() >= 0 and positive.max() > 30 * positive.min()
    if limits is None:
        if log:
            low, high = np.log10([positive.min(), positive.max()])
            low = max(low, high - 16)
        else:
            low, high = np.clip([values.min(), values.max()], -1e200, 1e200)
        room = 0.06 * (high - low) or max(abs(high) * 0.1, 1e-12 if high == 0 else 0) or 1.0
        if high == low == 0:
            room = 1.0
        starts = [x[0] for x, _, _ in curves]
        limits = min(starts), max(max(x[-1] for x, _, _ in curves), min(starts) + 1), low - room, high + room
    x0, x1, y0, y1 = limits
    lines = []
    for x, y, style in curves:
        with np.errstate(all="ignore"):
            y = np.where(y > 0, np.log10(y), np.nan) if log else y
            x, y = thinned(x, np.clip(y, y0 - (y1 - y0), y1 + (y1 - y0)))
        px, py = inner[0] + (x - x0) / (x1 - x0) * inner[2], inner[1] + (y1 - y) / (y1 - y0) * inner[3]
        lines.append(f'<path d="{curve(px, py)}" fill="none" stroke-width="1.4" stroke-linejoin="round" {style}/>')
    sheet = (f'<rect x="{inner[0]}" y="{inner[1]}" width="{inner[2]}" height="{inner[3]}" data-frame="{x0} {x1} {y0} {y1}" fill="none"/>'
             if pad else "")
    return words + frame(*inner, limits, log) + "".join(lines) + sheet


def legend(courses):
    words, x = [], 50
    for c in courses:
        words.append(f'<path d="M{x},9h26" stroke-width="2.4" {c.style}/><text x="{x + 32}" y="13">{escape(c.label)}</text>')
        x += 60 + 8 * len(c.label)
    return "".join(words)


# --- the whole


class Laboratory(Tab):
    """Both tabs, where a kernel runs; in a page and in a saved notebook the way to a kernel."""

    def __init__(self):
        self.stream, self.plane = Stream(), Plane()
        super().__init__([self.stream, self.plane], titles=["gradients", "paths in the plane"])

    def __repr__(self):
        return "The laboratory: run this cell where there is a kernel."

    def _ipython_display_(self, **kwargs):
        made = super()._repr_mimebundle_(**kwargs)
        data = made[0] if isinstance(made, tuple) else made
        display({"text/plain": repr(self), "text/html": WAY}, raw=True)
        display({VIEW: data[VIEW]}, raw=True)
