"""Checks of the exercises of chapter 3."""

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value
from descent.loop import run
from descent.rules import State, adam, rmsprop


def check_start_at_one(answer):
    """TensorFlow 1's first RMSprop step for g = 0.01 and β₂ = 0.9, over α.

    >>> check_start_at_one(3.162)
    the first step: not right: 3.162
        likely cause: this is the start from v₀ = 0
    """
    def first_step(g, **options):
        path = run(rmsprop, theta0=0.0, gradients=[g], alpha=1.0, eps=0.0,
                   **options)
        return -path.theta[1]

    check_value("the first step", answer, first_step(0.01, v0=1.0), wrong={
        "this is the start from v₀ = 0": first_step(0.01),
        "β₂ and 1 − β₂ are exchanged": first_step(0.01, v0=1.0, beta2=0.1),
        "the root of v is missing": 0.01 / (0.9 + 0.1 * 0.01**2)})


def check_frugal_step(answer):
    """The second step of the bug hunt on g = 1, 10 with β₂ = 0.9, over α.

    >>> check_frugal_step(10)
    the second step: not right: 10
        likely cause: this is the first step
    """
    beta2, g = 0.9, np.array([1.0, 10.0])
    mean = adam(adam(State(theta=0.0), g[0], beta1=beta2), g[1], beta1=beta2).m
    own = -np.diff(run(rmsprop, theta0=0.0, gradients=g, alpha=1.0,
                       beta2=beta2, eps=0.0).theta)
    check_value("the second step", answer, g[1] / mean, wrong={
        "this is the first step": 1 / (1 - beta2),
        "the average starts at zero, not at |g₁|":
            g[1] / (beta2 * g[0] + (1 - beta2) * g[1]),
        "this is RMSprop's own second step": own[1],
        "this is a length, not in units of α": 0.1 * g[1] / mean})


def check_drift_from_skewness(function):
    """Check ``drift_from_skewness(beta2, g)`` on cycles that read the same
    backwards.

    >>> check_drift_from_skewness(lambda beta2, g: None)
    <lambda>: not done yet
    """
    right = theory.drift_to_first_order
    check_function(
        function, right,
        inputs=[(0.99, np.array([0.1] * 9 + [-0.9])),
                (0.9, np.array([0.3, 0.3, -0.2, -0.2, -0.2]))],
        wrong={"the factor is 1/4, not 1/2": lambda b, g: 2 * right(b, g),
               "cubes are summed, not averaged":
                   lambda b, g: right(b, g) / len(g),
               "1 − β₂ is missing": lambda b, g: right(0.0, g)})
