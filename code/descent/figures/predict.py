"""Questions that a figure, or a cell of its own, asks before it answers: the reader commits, then sees.

Nothing that a reader draws, chooses or types is stored or sent. Without scripts and on paper the answer follows its question.
"""

import html as markup

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from descent.figures.explore import Explorer, Moving, Prediction, still, with_script

__all__ = ["ask", "draw"]


def draw(line, prompt, says=None):
    """Ask for a curve: ``explore(..., predict=draw(line, "Draw ..."))``.

    ``line``, and what `explore` is told is ``hidden``, is not seen until the reader has drawn the curve on its axes, with a
    pointer or with arrow keys, or has asked to be shown. Then both are seen, with how far the drawing is off: the mean over
    the line's points of the distance in data units, or on a logarithmic axis the factor (the mean of \\|log drawn/true\\|).

    Parameters
    ----------
    line : a line of the figure, from left to right, on linear or logarithmic axes. It need not be among the artists that
        move; where it is, the position at the start is asked for. Heights beyond the axes count as the axes' end.
    prompt : what to draw, in a sentence.
    says : a sentence that is shown with the answer.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> t = np.arange(1, 31)
    >>> (line,) = ax.plot(t, 1 - 0.9**t)
    >>> from descent.figures.explore import explore
    >>> explore(fig, {}, {}, alt="It climbs to one.", predict=draw(line, "Draw the average of ones.", "1 − 0.9ᵗ."))
    explore
      line: x (30,) 1 to 30, y (30,) 0.1 to 0.957609
      draw line: Draw the average of ones. 1 − 0.9ᵗ.
    """
    if not isinstance(line, Line2D):
        raise TypeError(f"line is {line!r}: one line is allowed; ax.plot returns a list of lines")
    return Draw(line, _sentence(prompt, "prompt"), says if says is None else _sentence(says, "says"))


def ask(question, choices=None, *, says=None, right=None, unit=None, then=None, alt=None):
    """Ask for a choice, or for a number; the last line of a cell, or ``explore(..., predict=ask(...))``.

    Parameters
    ----------
    question : the question, in a sentence.
    choices : two or more strings. Without them a number is typed, and ``unit`` is required.
    says : the answer: a sentence, or a dict of choice to sentence.
    right : the right choice, or the right number: it is told after the reader has committed.
    unit : what follows the number, as "steps"; "" for a number without a unit.
    then : what unfolds with the answer: an `Explorer`, or a matplotlib figure, with ``alt``. In a cell of its own only.
    alt : what the matplotlib figure shows, for those who do not see it.

    Examples
    --------
    >>> ask("Which arrives first?", ["corrected", "uncorrected"], says="After 70 steps, the other after 171.", right="corrected")
    Which arrives first? (corrected / uncorrected) corrected. After 70 steps, the other after 171.
    >>> ask("How many steps to the floor?", unit="steps", right=70)
    How many steps to the floor? (a number of steps) 70 steps.
    """
    question = _sentence(question, "question")
    if choices is None:
        if not isinstance(unit, str):
            raise ValueError(f"unit is {unit!r}: give choices, or a unit such as 'steps' ('' for a bare number)")
        if right is not None and (isinstance(right, bool) or not isinstance(right, (int, float, np.number)) or not np.isfinite(right)):
            raise ValueError(f"right is {right!r}: a number is allowed")
    else:
        choices = [choices] if isinstance(choices, str) else list(choices)
        if unit is not None:
            raise ValueError(f"unit is {unit!r}: a question with choices has none")
        if len(choices) < 2 or len(set(choices)) < len(choices) or any(not isinstance(c, str) or not c.strip() for c in choices):
            raise ValueError(f"choices is {choices!r}: two or more different strings are allowed")
        if right is not None and right not in choices:
            raise ValueError(f"right is {right!r}: one of {choices} is allowed")
    if isinstance(says, dict):
        if choices is None or set(says) != set(choices):
            raise ValueError(f"says answers {list(says)}: a sentence for each of {choices or 'its choices'} is allowed")
        says = {choice: _sentence(says[choice], f"says[{choice!r}]") for choice in choices}
    elif says is not None:
        says = _sentence(says, "says")
    return Ask(question, choices, says, right, unit, _checked_then(then, alt))


def _sentence(text, where):
    if not isinstance(text, str) or not text.strip() or "\n" in text:
        raise ValueError(f"{where} is {text!r}: a sentence in one line is allowed")
    return text.strip()


def _checked_then(then, alt):
    if isinstance(then, Figure):
        return still(then, alt)
    if then is not None and not isinstance(then, Explorer):
        raise TypeError(f"then is {then!r}: what explore returns, or a matplotlib figure, is allowed")
    if alt is not None:
        raise ValueError(f"alt is {alt!r}: it describes a matplotlib figure in then")
    return then


class Draw(Prediction):
    kind = "draw"

    def __init__(self, line, prompt, says):
        self.line, self.prompt, self.says = line, prompt, says

    def join(self, fig, moving, hidden, lengths):
        ax = self.line.axes
        if self.line.get_figure() is not fig:
            raise ValueError("draw's line is not in the figure given as fig")
        if self.line.get_transform() != ax.transData or ax.get_yscale() not in ("linear", "log"):
            raise ValueError(f"draw's line is on a {ax.get_yscale()} axis: heights on a linear or logarithmic axis are allowed")
        if self.line not in [m.artist for m in moving]:
            shape = (1,) * len(lengths) + (-1,)
            x, y = (np.asarray(a, float).reshape(shape) for a in self.line.get_data(orig=False))
            moving.append(Moving(self.line, x, y))
        if self.line not in hidden:
            hidden.append(self.line)

    @property
    def summary(self):
        return f"draw {_name(self.line)}: {self.prompt}" + (f" {self.says}" if self.says else "")

    @property
    def before(self):
        return _prompt(self.prompt)

    @property
    def after(self):
        buttons = ('<button type="button" data-done hidden>Compare</button>'
                   '<button type="button" class="descent-quiet" data-show>Show me</button>'
                   '<button type="button" data-again hidden>Draw again</button>')
        return f'<div class="descent-answer" hidden>{buttons}</div>' + _reply(self.says)


class Ask(Prediction):
    """A question as `ask` returns it: the last line of a cell displays it."""

    kind = "ask"

    def __init__(self, question, choices, says, right, unit, then):
        self.prompt, self.choices, self.says, self.right, self.then = question, choices, says, right, then
        self.unit = f" {unit}" if unit else ""

    def join(self, fig, moving, hidden, lengths):
        if self.then is not None:
            raise ValueError("predict is ask(..., then=...): then belongs to a question in a cell of its own; use hidden here")

    @property
    def answer(self):
        """The right answer as a word, or nothing."""
        return "" if self.right is None else self.right if self.choices else f"{self.right:g}{self.unit}".replace("-", "−")

    @property
    def options(self):
        return " / ".join(self.choices) if self.choices else f"a number of{self.unit}" if self.unit else "a number"

    @property
    def summary(self):
        says = self.says if isinstance(self.says, str) else " ".join(f"{c}: {s}" for c, s in (self.says or {}).items())
        answer = self.answer and f"{self.answer}."
        return " ".join(filter(None, [self.prompt, f"({self.options})", answer, says]))

    @property
    def before(self):
        return _prompt(self.prompt) + f'<p class="descent-paper nohighlight">{markup.escape(self.options)}</p>'

    @property
    def after(self):
        if self.choices:
            parts = "".join(f'<button type="button" class="nohighlight" data-choice aria-pressed="false">{markup.escape(c)}</button>'
                            for c in self.choices)
        else:
            unit = markup.escape(self.unit)
            parts = (f'<input type="text" inputmode="decimal" autocomplete="off" aria-label="{markup.escape(self.prompt)}" '
                     f'data-unit="{unit}"><span class="nohighlight">{unit}</span>'
                     '<button type="button" data-done>Answer</button>')
        right = f' data-right="{markup.escape(self.answer)}"' if self.answer else ""
        return (f'<div class="descent-answer" role="group" aria-label="{markup.escape(self.options)}"{right} hidden>{parts}'
                '<button type="button" class="descent-quiet" data-show>Show me</button></div>'
                + _reply(self.says, self.choices, self.answer))

    @property
    def html(self):
        """The self-contained HTML of the question: what a static page shows."""
        then = f'<div class="descent-then">{self.then.html}</div>' if self.then is not None else ""
        html = f'<div class="descent-ask" data-ask data-waiting>{self.before}{self.after}{then}</div>'
        return with_script(html, 'question(root(document.currentScript, ".descent-ask"));')

    def __repr__(self):
        return self.summary + (f"\n{self.then!r}" if self.then is not None else "")

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self), "text/html": self.html}, {}


def _name(line):
    label = line.get_label()
    return "line" if label.startswith("_") else label


def _prompt(text):
    return f'<p class="descent-prompt nohighlight">{markup.escape(text)}</p>'


def _reply(says, choices=(), answer=""):
    """Where the answer is told. What the script adds comes first; on paper and without it the right answer does."""
    if isinstance(says, dict):
        parts = [f'<span class="nohighlight" data-for="{choices.index(c)}"><span class="descent-paper nohighlight">{markup.escape(c)}: </span>'
                 f'{markup.escape(s)} </span>' for c, s in says.items()]
    else:
        parts = [markup.escape(says)] if says else []
    right = f'<b class="descent-paper nohighlight">{markup.escape(answer)}.</b> ' if answer else ""
    return (f'<p class="descent-reply" role="status" tabindex="-1"><span class="nohighlight"></span>{right}'
            f'<span class="descent-says nohighlight">{"".join(parts)}</span></p>')
