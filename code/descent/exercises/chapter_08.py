"""Checks of the exercises of chapter 8."""

import numpy as np

from descent import theory
from descent.exercises.engine import Complaint, check_value, never_raises
from descent.exercises.mistakes import BROKEN_ADAMS
from descent.loop import run
from descent.rules import adam


def check_two_steps(answer):
    """What a program is of which chapter 8 shows two steps: (side, ε, β₂).

    >>> check_two_steps(("after", 1e-7, 0.95))
    the program: with ε after the correction both steps would be equally long
    >>> check_two_steps(("before", 4e-7, 0.96))
    the program: ε is not right: 4e-07
        likely cause: this is ε_1, what it acts like at t = 1
    """
    return _check_two_steps(answer)


TWO_STEPS = {"side": "before", "ε": 8e-8, "β₂": 0.96}


@never_raises
def _check_two_steps(answer):
    name = "the program"
    value = answer() if callable(answer) else answer
    if value is None or all(part is None for part in value):
        return name, "not done yet"
    if len(value) != 3:
        return name, f"it must be side, ε, β₂, but it has {len(value)} parts"
    for part, given in zip(TWO_STEPS, value):
        if given is None:
            return name, f"{part} is not done yet"
    side, eps, beta2 = value
    if side not in ("before", "after"):
        return name, 'the side is "before" or "after"'
    if side == "after":
        return name, ("with ε after the correction both steps would be "
                      "equally long")
    right = TWO_STEPS["ε"], TWO_STEPS["β₂"]
    first, second = theory.eps_after_correction(np.array([1, 2]), *right)
    wrong = {"ε": {"this is ε_1, what it acts like at t = 1": first,
                   "this is ε_2, what it acts like at t = 2": second,
                   "it is in units of the gradient": right[0] / 1e-6},
             "β₂": {"this is 1 − β₂": 1 - right[1],
                    "this is ε_1/ε_2: square it, and subtract 1":
                        first / second,
                    "this is 1 + β₂": 1 + right[1]}}
    for part, given, wanted in zip(("ε", "β₂"), (eps, beta2), right):
        given = float(given)
        if not abs(given / wanted - 1) < 5e-3:
            causes = [f"\n    likely cause: {cause}"
                      for cause, value in wrong[part].items()
                      if abs(given / value - 1) < 5e-3]
            return name, f"{part} is not right: {given:.6g}" + "".join(
                causes[:1])
    return name, "correct"


def check_stuck_counter(answer):
    """What an Adam whose t stays at 1 does in the end, and when it is worst.

    >>> check_stuck_counter((0.316, 11))
    the end and the worst t: not right: [0.316, 11]
        likely cause: t is counted from 1
    """
    t = np.arange(1, 10001)
    factor = theory.step_with_wrong_t(t, 0.9, 0.999, late=1 - t)
    end, worst = factor[-1], t[factor.argmax()]
    return check_value("the end and the worst t", answer, np.array([end, worst]),
                       wrong={
        "t is counted from 1": [end, worst - 1],
        "these are right over wrong: in the end the step is too short, "
        "not too long": [1 / end, worst],
        "this is uncorrected Adam at the rate α: here the first step is right":
            [1.0, worst],
        "this is a count that is one too high, a = 1": [1.0, 28]})


def broken_adams_that_pass(gradients):
    """The mistakes that these gradients do not show, of `BROKEN_ADAMS`.

    A mistake is shown where the path leaves Adam's by more than 5 % of α,
    from θ_0 = 1 with α = 0.1, β₁ = 0.9, β₂ = 0.999, ε = 1e-8.

    >>> len(broken_adams_that_pass([1.0]))
    9
    """
    stream, start = np.asarray(gradients, float)[:, None], np.ones(1)
    hyper = (0.1, 0.9, 0.999, 1e-8)
    right = run(adam, theta0=start, gradients=stream, alpha=hyper[0],
                beta1=hyper[1], beta2=hyper[2], eps=hyper[3]).theta
    passing = []
    for name, broken in BROKEN_ADAMS.items():
        try:
            with np.errstate(all="ignore"):
                apart = np.abs(broken(start, stream, *hyper) - right).max()
        except Exception:
            continue  # it does not run at all
        if apart <= 0.05 * hyper[0]:
            passing.append(name)
    return passing


def check_shortest_test(gradients):
    """Two gradients on which every broken Adam differs from Adam.

    >>> check_shortest_test([1.0])
    your test: 9 of 27 broken Adams pass,
        for example: ε is inside the root
    >>> check_shortest_test([1, 1, 1])
    your test: 3 gradients; two are asked for
    """
    return _check_shortest_test(gradients)


@never_raises
def _check_shortest_test(gradients):
    name = "your test"
    value = gradients() if callable(gradients) else gradients
    if value is None or isinstance(value, (list, tuple)) and value and all(
            g is None for g in value):
        return name, "not done yet"
    try:
        stream = np.asarray(value, float)
    except (TypeError, ValueError):
        raise Complaint("it must be a list of two numbers") from None
    if stream.ndim != 1 or not len(stream):
        return name, "it must be a list of two numbers"
    if not (np.abs(stream) <= 1e100).all():
        return name, "each gradient is a number of at most 1e100 in size"
    if len(stream) > 2:
        return name, f"{len(stream)} gradients; two are asked for"
    passing = broken_adams_that_pass(stream)
    if passing:
        return name, (f"{len(passing)} of {len(BROKEN_ADAMS)} broken Adams "
                      f"pass,\n    for example: {passing[0]}")
    return name, "correct"
