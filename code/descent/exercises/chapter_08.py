"""Checks of the exercises of chapter 8."""

import numpy as np

from descent import theory
from descent.exercises.engine import check_value


def check_keras_factor(answer):
    """How many times Keras's ε counts at t = 10, for β₂ = 0.999.

    >>> check_keras_factor(1000**0.5)
    factor at t = 10: not right: 31.6228
        likely cause: this is the factor at t = 1
    """
    factor = theory.eps_after_correction
    check_value("factor at t = 10", answer, factor(10, 1.0, 0.999), wrong={
        **{f"this is the factor at t = {t}": factor(t, 1.0, 0.999)
           for t in (1, 2, 9, 11, 100)},
        "β₁ is taken for β₂": factor(10, 1.0, 0.9)})


def check_first_wrong_step(answer):
    """The first step at which the suspect of chapter 8 differs from Adam.

    >>> check_first_wrong_step(1)
    first wrong step: not right: 1
        likely cause: m̂₁ = g₁ and v̂₁ = g₁²: the first step is right
    """
    check_value("first wrong step", answer, 2, wrong={
        "m̂₁ = g₁ and v̂₁ = g₁²: the first step is right": 1})


def check_stuck_counter(answer):
    """What an Adam whose t stays at 1 does in the end, and when it is worst.

    >>> check_stuck_counter((0.316, 11))
    the end and the worst t: not right: [0.316, 11]
        likely cause: t is counted from 1
    """
    t = np.arange(1, 10001)
    factor = theory.step_with_wrong_t(t, 0.9, 0.999, late=1 - t)
    end, worst = factor[-1], t[factor.argmax()]
    check_value("the end and the worst t", answer, np.array([end, worst]),
                wrong={
        "t is counted from 1": [end, worst - 1],
        "these are right over wrong: in the end the step is too short, "
        "not too long": [1 / end, worst],
        "this is uncorrected Adam at the rate α: here the first step is right":
            [1.0, worst],
        "this is a count that is one too high, s = 1": [1.0, 28]})
