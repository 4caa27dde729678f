"""How the exercises are tested where students do not see it: inputs, tolerances, what may not be called.

`PARTS` has, by the exercise's label, its parts in the order of its checks. A part is

* a function: `draw(rng)` gives a valid input, `cases` of them are drawn with the edition's secret seed, and the
  book's own solution says what is right;
* a value: compared with what the book's solution gives, stored as a number;
* judged: an experiment (a schedule, weights), by the book's own check alone.

`OWN` has the exercises that can have numbers of one's own, taken from the student's name: the statement's
sentence, how the numbers are drawn, and what is right for them.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Callable

import numpy as np

OWN_LINES = ("descent.rules", "descent.loop", "descent.inplace")   # where Adam or RMSprop is asked for
CLOSED_FORMS = ("descent.theory",)


@dataclass(frozen=True)
class Part:
    """How one check of an exercise is tested beyond the visible one.

    kind : "function", "value" or "judged"
    draw : of a function: rng -> a tuple of arguments
    cases : how many are drawn
    quantities : names of what is returned
    rtol : relative tolerance, that of the book's check
    order : False where the order of a list does not count
    driver : how a function is called that is no plain function (judge.DRIVERS)
    forbids, allows : modules that may not be called, or may all the same
    limit : seconds for all calls of one test cell together
    solved : the solution's expression for the answer, where the names do not say it
    """

    kind: str
    draw: Callable | None = None
    cases: int = 3
    quantities: tuple = ("the result",)
    rtol: float = 5e-6
    order: bool = True
    driver: str = ""
    forbids: tuple = ()
    allows: tuple = ()
    limit: float = 4.0
    solved: str = ""


def function(draw, **options):
    return Part("function", draw, **options)


def value(**options):
    return Part("value", **({"rtol": 5e-3} | options))


def judged(**options):
    return Part("judged", **options)


# ---- drawing ----------------------------------------------------------------


def rounded(x, digits=3):
    """To so many digits, so that a stored input is short and exact."""
    return np.vectorize(lambda y: float(f"{y:.{digits}g}"))(x) if np.ndim(x) else float(f"{x:.{digits}g}")


def between(rng, low, high, digits=3):
    return rounded(rng.uniform(low, high), digits)


def log_between(rng, low, high, digits=3):
    return rounded(np.exp(rng.uniform(np.log(low), np.log(high))), digits)


def beta(rng, low=0.3, high=0.97):
    return between(rng, low, high)


def normal(rng, *shape):
    return rounded(rng.standard_normal(shape))


def path(rng):
    """(theta_0, gradients) of another number of coordinates and steps than the book's check."""
    d, steps = int(rng.integers(1, 5)), int(rng.integers(3, 8))
    return normal(rng, d), normal(rng, steps, d) * rounded(10 ** rng.uniform(-1, 1, d))


def stream_for(*names):
    """Arguments (theta, gradients, alpha, ...) of a rule's path; the names after these."""
    draws = {"alpha": lambda rng: log_between(rng, 0.01, 0.5), "beta1": beta, "beta2": beta,
             "eps": lambda rng: log_between(rng, 1e-3, 0.3), "clip": lambda rng: between(rng, 0.5, 3),
             "decay": lambda rng: between(rng, 0.05, 0.4)}
    return lambda rng: (*map(lambda x: rounded(x, 6), path(rng)), *(draws[name](rng) for name in names))


RMSPROP = stream_for("alpha", "beta2", "eps")
ADAM = stream_for("alpha", "beta1", "beta2", "eps")


def mirrored_cycle(rng):
    """A cycle with the sum zero that reads the same backwards."""
    half = np.round(rng.uniform(-2, 2, 3), 2)
    g = np.array([*half, *half[::-1]])
    return beta(rng, 0.5, 0.99), np.round(np.append(g, -g.sum()), 2)


PARTS = {
    # 3
    "ex-rmsprop-from-scratch": [function(RMSPROP, quantities=("theta",), forbids=OWN_LINES)],
    "ex-find-the-bug-rmsprop": [value()],
    "ex-beat-hinton": [judged()],
    "ex-bring-to-rest": [judged()],
    "ex-drift-is-skewness": [function(mirrored_cycle, forbids=CLOSED_FORMS)],
    # 7
    "ex-right-by-accident": [judged()],
    "ex-no-correction-needed": [function(lambda rng: (path(rng)[1], beta(rng)), quantities=("m_hat",), rtol=1e-5,
                                         forbids=OWN_LINES + CLOSED_FORMS)],
    "ex-find-the-bug-adam": [
        value(),
        function(lambda rng: (normal(rng, int(rng.integers(4, 9))), int(rng.integers(1, 4)), between(rng, 0.05, 0.5)),
                 quantities=("θ",), rtol=1e-5, driver="two days", forbids=OWN_LINES)],
    "ex-beat-the-accident": [judged()],
    "ex-jensen": [value(rtol=0.007)],
}


def generator(seed, *words):
    """A generator for this seed and these words, the same in every version of Python."""
    text = "\n".join([str(seed), *map(str, words)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def stored(answer):
    """An answer as plain Python: a word, a number, or nested lists of numbers."""
    if isinstance(answer, str):
        return answer
    array = np.asarray(answer)
    return array.astype(float).tolist() if array.dtype.kind not in "biu" else array.tolist()
