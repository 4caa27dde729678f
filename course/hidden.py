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
from dataclasses import dataclass
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
    limit : seconds of processor time for all calls of one test cell together
    solved : the solution's expression for the answer, where the names do not say it
    line : the check's line, where the book checks several answers in a loop
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
    line: str = ""


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
    return normal(rng, d), rounded(rng.standard_normal((steps, d)) * 10 ** rng.uniform(-1, 1, d))


def stream_for(*names):
    """Arguments (theta, gradients, alpha, ...) of a rule's path; the names after these."""
    draws = {"alpha": lambda rng: log_between(rng, 0.01, 0.5), "beta1": beta, "beta2": beta,
             "eps": lambda rng: log_between(rng, 1e-3, 0.3), "clip": lambda rng: between(rng, 0.5, 3),
             "decay": lambda rng: between(rng, 0.05, 0.4)}
    return lambda rng: (*path(rng), *(draws[name](rng) for name in names))


RMSPROP = stream_for("alpha", "beta2", "eps")
ADAM = stream_for("alpha", "beta1", "beta2", "eps")


def mirrored_cycle(rng):
    """A cycle with the sum zero that reads the same backwards."""
    half = np.round(rng.uniform(-2, 2, 3), 2)
    g = np.array([*half, *half[::-1]])
    return beta(rng, 0.5, 0.99), np.round(np.append(g, -g.sum()), 2)


def at_random(rng, n, *, digits=3):
    return rounded(rng.standard_normal(n), digits)


def turned(rng):
    return log_between(rng, 2, 500), between(rng, -1.4, 1.4)


def losses_with_holes(rng):
    """Rates times seeds; some runs have diverged, of one rate none."""
    loss = np.round(rng.uniform(1, 4, (int(rng.integers(3, 6)), 3)), 2)
    holes = rng.random(loss.shape) < 0.3
    holes[rng.integers(len(loss))] = False
    return (np.where(holes, np.nan, loss),)


def recorded_setting(rng):
    """A length and a β₂ of the recorded transformer."""
    from descent.recorded import transformer
    runs = transformer.by_length()
    return int(rng.choice(runs.steps)), float(rng.choice(runs.beta2))


def groups(rng):
    """A time, and ten groups of words, the more common ones first."""
    weight = np.sort(rng.dirichlet(np.ones(10) * 3))[::-1]
    types = np.sort(rng.integers(2, 1500, 10))
    return log_between(rng, 200, 9000), rounded(weight / types), rounded(weight)


def steps_in_place(rng):
    return (normal(rng, int(rng.integers(4, 9)), 5), log_between(rng, 0.01, 0.5), beta(rng), beta(rng),
            log_between(rng, 1e-3, 0.1))


SIZES = {"quantities": ("theta",), "forbids": OWN_LINES}
PARTS = {
    # 1
    "ex-three-steps": [value(rtol=1e-6, order=False)],
    "ex-find-the-bug-axes": [value()],
    "ex-condition-after-rescaling": [function(turned, rtol=1e-6)],
    "ex-rates-of-layers": [judged(limit=15.0)],
    # 2
    "ex-half-life-in-print": [value(rtol=2e-3)],
    "ex-find-the-bug-average": [function(lambda rng: (at_random(rng, int(rng.integers(1, 9))), beta(rng)),
                                         forbids=OWN_LINES + CLOSED_FORMS)],
    "ex-larger-batch": [value()],
    "ex-beat-both-means": [judged()],
    "ex-nothing-comes-twice": [value()],
    # 3
    "ex-rmsprop-from-scratch": [function(RMSPROP, **SIZES)],
    "ex-find-the-bug-rmsprop": [value()],
    "ex-beat-hinton": [judged()],
    "ex-bring-to-rest": [judged()],
    "ex-drift-is-skewness": [function(mirrored_cycle, forbids=CLOSED_FORMS)],
    # 4
    "ex-decay-rate-for": [function(lambda rng: (log_between(rng, 0.005, 0.45), between(rng, 5, 900)),
                                   forbids=CLOSED_FORMS)],
    "ex-clipped-rmsprop": [function(stream_for("alpha", "beta2", "eps", "clip"), **SIZES)],
    "ex-worst-decay-rate": [function(lambda rng: (log_between(rng, 5, 2000),), forbids=CLOSED_FORMS)],
    "ex-lost-travel": [judged()],
    # 5
    "ex-eps-stops-the-rattle": [function(
        lambda rng: (log_between(rng, 0.01, 1), lam := log_between(rng, 1, 100), between(rng, 0, 0.4) * lam / 10),
        cases=5, forbids=CLOSED_FORMS)],
    "ex-find-the-bug-centered": [function(
        lambda rng: (at_random(rng, int(rng.integers(3, 9))) + float(rng.choice([0.0, 2.0, 1e6])), beta(rng)),
        cases=5, quantities=("w",), rtol=1e-10, forbids=OWN_LINES)],
    "ex-best-translation": [value()],
    "ex-runaway": [judged()],
    # 6
    "ex-dampening": [function(lambda rng: (int(rng.integers(3, 12)), beta(rng)), forbids=CLOSED_FORMS)],
    "ex-window-of-rates": [function(
        lambda rng: (beta(rng), low := between(rng, 0.2, 5), rounded(low * rng.uniform(2, 90), 4)),
        quantities=("low", "high"), forbids=CLOSED_FORMS)],
    "ex-nesterov-limit": [function(lambda rng: (beta(rng), log_between(rng, 0.5, 200)), forbids=CLOSED_FORMS)],
    "ex-twenty-rates": [judged()],
    # 7
    "ex-right-by-accident": [judged()],
    "ex-no-correction-needed": [function(lambda rng: (path(rng)[1], beta(rng)), quantities=("m_hat",), rtol=1e-5,
                                         forbids=OWN_LINES + CLOSED_FORMS)],
    "ex-find-the-bug-adam": [
        value(),
        function(lambda rng: (at_random(rng, int(rng.integers(4, 9))), int(rng.integers(1, 4)),
                              between(rng, 0.05, 0.5)),
                 quantities=("θ",), rtol=1e-5, driver="two days", forbids=OWN_LINES)],
    "ex-beat-the-accident": [judged()],
    "ex-jensen": [value(rtol=0.007)],
    # 8
    "ex-adam-from-scratch": [function(ADAM, solved="adam_solved", **SIZES)],
    "ex-two-steps": [judged()],
    "ex-stuck-counter": [value()],
    "ex-shortest-test": [judged()],
    # 9
    "ex-short-proof": [judged()],
    "ex-my-bound": [function(lambda rng: (int(rng.integers(2, 40)), beta(rng), beta(rng)), quantities=("S_t",),
                             rtol=1e-6, forbids=("descent.theory.sharp_bound", "descent.theory.sharp_bound_sum"))],
    "ex-never-silent": [judged()],
    # 10
    "ex-signal-shows": [value(rtol=1e-3)],
    "ex-find-the-bug-share": [
        value(),
        function(lambda rng: (at_random(rng, (int(rng.integers(2, 7)), 3)) + between(rng, 0, 2, 1), beta(rng)),
                 quantities=("share",), forbids=OWN_LINES)],
    "ex-dealt-noise": [function(lambda rng: (beta(rng), int(rng.integers(2, 40))), solved="kept_solved")],
    "ex-beat-the-cosine": [judged(limit=8.0)],
    # 11
    "ex-two-at-a-time": [value()],
    "ex-find-the-bug-amsgrad": [value(rtol=2e-4), function(ADAM, **SIZES)],
    "ex-break-the-default": [judged()],
    # 12
    "ex-find-what-is-unfair": [value()],
    "ex-fool-the-referee": [judged()],
    "ex-with-replacement": [function(lambda rng: (int(rng.integers(1, 9)),
                                                  at_random(rng, int(rng.integers(2, 7)))), forbids=CLOSED_FORMS)],
    # 13
    "ex-find-the-bug-turned": [function(lambda rng: (between(rng, 0.1, 1.4),), cases=2,
                                        quantities=("the number of steps",))],
    "ex-find-the-axes": [judged()],
    # 14
    "ex-vary-the-length": [
        function(recorded_setting, quantities=("the difference", "its half-width"), rtol=1e-3), judged()],
    "ex-profile": [function(groups, rtol=5e-3)],
    "ex-best-of-eight": [value(rtol=0.012)],
    "ex-survivors": [value(), function(losses_with_holes)],
    # 15
    "ex-fewer-passes": [function(steps_in_place, quantities=("theta",), driver="in place", rtol=1e-8,
                                 forbids=OWN_LINES, allows=("descent.exercises.chapter_15._Watched",))],
    "ex-twin-averages": [value(rtol=1e-3), function(ADAM, quantities=("theta",), forbids=OWN_LINES[:2])],
    # 16
    "ex-eps-in-depth": [value(rtol=2e-2)],
    "ex-critical-weights": [value(rtol=1e-2)],
    "ex-plain-descent": [judged(limit=20.0)],
    # 17
    "ex-make-it-true": [judged(solved="falling")],
    "ex-broken-adams": [
        function(stream_for("alpha", "beta1", "beta2", "eps", *["decay"] * (part == "b")), solved="adam_solved",
                 line=f'check_broken_adam("{part}", repaired_{part})', **SIZES) for part in "abc"],
    # 18
    "ex-whose-decay": [judged(allows=("descent.exercises.chapter_18",))],
    "ex-two-resting-places": [value()],
    # frameworks
    "ex-tensorflow-by-hand": [value(rtol=5e-3)],
    "ex-converter": [function(
        lambda rng: (log_between(rng, 1e-3, 0.1), beta(rng), log_between(rng, 1e-9, 1e-3), between(rng, 0.01, 0.5)),
        quantities=("lr", "alpha", "eps", "weight_decay", "factor"), forbids=("descent.frameworks",))],
    "ex-two-directions": [judged()],
}


# ---- numbers of one's own -----------------------------------------------------


@dataclass(frozen=True)
class Own:
    """Numbers of one's own in one part of an exercise.

    part : which of its checks, from 1
    words : what the statement says about them
    choices : {letter: the numbers that one may get}
    told : how they are shown, a format of the letters
    kind : "value", "function" or "judged", as in judge.Judge.own
    right : source of a function of these numbers
    solved : source of a function of these numbers that gives a right answer; the same, unless it is judged
    draw : of a function: its hidden inputs
    keeps_check : whether the book's check holds for them, too
    """

    part: int
    words: str
    choices: dict
    told: str
    kind: str
    right: str
    solved: str = ""
    draw: Callable | None = None
    rtol: float = 5e-3
    keeps_check: bool = False


SHARES = [0.3, 0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7]   # of full speed, in place of half
OWN = {
    "ex-find-the-bug-rmsprop": Own(
        1, "In your copy $\\beta_2$ and $g_2$ are not 0.9 and 10; the next cell shows yours.",
        {"beta2": [round(0.8 + 0.01 * n, 2) for n in range(16) if n != 10], "g2": [4, 5, 6, 7, 8, 12, 14, 15, 16, 20]},
        "β₂ = {beta2}, g₂ = {g2}", "value", "lambda beta2, g2: g2 / ((1 - beta2) * (beta2 + g2))"),
    "ex-bring-to-rest": Own(
        1, "In your copy there are not 400 steps; the next cell says how many.",
        {"T": [n for n in range(300, 501, 10) if n != 400]}, "t = 1, ..., {T}", "judged",
        "lambda T: lambda rate: at_rest(rate, T)", "lambda T: lambda t: 0.1 * (1 - t / T)"),
    "ex-decay-rate-for": Own(
        1, "In your copy it is not half the speed that must be back, but the share $q$ of it that the next cell shows "
        "(and $r < q$).", {"q": SHARES}, "q = {q}", "function",
        "lambda q: lambda r, steps: ((1 / q**2 - 1) * r**2 / (1 - r**2)) ** (1 / steps)",
        draw=lambda rng: (log_between(rng, 0.005, 0.25), between(rng, 5, 900)), rtol=5e-6),
    "ex-worst-decay-rate": Own(
        1, "In your copy it is not half the speed that counts, but the share $q$ of it that the next cell shows.",
        {"q": SHARES}, "q = {q}", "function", "lambda q: lambda H: 1 - np.e * (1 / q**2 - 1) / (H**2 - 1)",
        draw=lambda rng: (log_between(rng, 10, 2000),), rtol=5e-6),
    "ex-right-by-accident": Own(
        1, "In your copy $\\beta_1$ is given; the next cell shows it.",
        {"beta1": [round(0.6 + 0.01 * n, 2) for n in range(38) if n != 35]}, "β₁ = {beta1}", "judged",
        "lambda beta1: lambda pair: f'β₁ must be your {beta1}' if abs(tuple(pair())[0] - beta1) > 1e-9 "
        "else exercises.check_right_first_step(pair)",
        "lambda beta1: lambda: right_by_accident_solved(beta1)", keeps_check=True),
    "ex-find-the-bug-adam": Own(
        1, "In your copy the first day had another number of steps; the next cell says how many.",
        {"steps": [n for n in range(200, 3001, 100) if n != 1000]}, "{steps} steps on the first day", "value",
        "lambda steps: 10 / math.sqrt((1 - 0.999 ** (steps + 1)) / 0.001)"),
    "ex-jensen": Own(
        1, "In your copy part 3 asks for another $t$ than 10; the next cell shows it.",
        {"t": [8, 9, 11, 12, 13, 14, 15, 16]}, "t = {t}", "value",
        "lambda t: math.sqrt(t / 2) * math.gamma((t - 1) / 2) / math.gamma(t / 2)", rtol=0.007),
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
