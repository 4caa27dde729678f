"""Checks of the exercises of chapter 13."""

from functools import partial

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value
from descent.loop import run
from descent.problems import quadratic
from descent.rules import adam


def check_rare_class(answer):
    """Steps of gradient descent and of sign descent; c = 100, k = 50.

    >>> check_rare_class((4196, 35))
    steps to a loss below 0.1: not right: [4196, 35]
        likely cause: this is gradient descent at the rate 1
    """
    def steps(c=100, k=50, gd=2.0, sign=0.1, whole=np.ceil, norm=True):
        d = theory.gap_needed(0.1, c)
        pi = 1 / k / (np.sum(1 / np.arange(1, c + 1)) if norm else 1)
        return np.array([theory.scaled_time(d, c) / (gd * pi),
                         whole(theory.sign_steps(d, sign))])

    right = steps()
    check_value("steps to a loss below 0.1", answer, right, wrong={
        "this is gradient descent at the rate 1": steps(gd=1.0),
        "these are the rates of the chapter, 1 and 0.05":
            steps(gd=1.0, sign=0.05),
        "π_k must sum to one; this is π_k = 1/k": steps(norm=False),
        "this is c = 1000": steps(c=1000),
        "this is the class k = 1": steps(k=1),
        "sign descent needs a whole number of steps": steps(whole=float),
        "sign descent is there one step later": steps(whole=np.floor),
        "sign descent moves both ends of the gap": steps(sign=0.05),
        "the two are exchanged": right[::-1]})


def _steps_turned(angle, start=lambda R: R @ [1.0, 1.0], turn=1.0, late=0):
    problem = quadratic([1.0, 1000.0], angle)
    f = quadratic([1.0, 1000.0], turn * angle)
    path = run(adam, f.grad, start(problem.rotation), 7000, alpha=0.015)
    return int((f(path.theta) < 1e-8).argmax()) + late


def check_steps_turned(function):
    """Check ``steps_turned(angle)``: Adam's steps when all is turned.

    >>> check_steps_turned(lambda angle: None)
    <lambda>: not done yet
    """
    check_function(
        function, _steps_turned, inputs=[(np.pi / 4,), (np.pi / 9,)],
        quantities=("the number of steps",), wrong={
            "H is turned, the start is not: turn both":
                partial(_steps_turned, start=lambda R: [1.0, 1.0]),
            "the start is turned, H is not: turn both":
                partial(_steps_turned, turn=0.0),
            "the start is turned the other way: R, not its transpose":
                partial(_steps_turned, start=lambda R: R.T @ [1.0, 1.0]),
            "nothing is turned":
                partial(_steps_turned, start=lambda R: [1.0, 1.0], turn=0.0),
            "the start counts as t = 0": partial(_steps_turned, late=1)})


def check_resting_places(answer):
    """Where L2 in Adam and AdamW rest for g = 0.002 and λ = 0.05.

    >>> check_resting_places((-0.04, -0.04))
    (L2, AdamW): not right: [-0.04, -0.04]
        likely cause: AdamW balances λθ with g/√v, not with g
    """
    g, lam = 0.002, 0.05
    check_value("(L2, AdamW)", answer, np.array([-g / lam, -1 / lam]), wrong={
        "AdamW balances λθ with g/√v, not with g": [-g / lam, -g / lam],
        "this is AdamW for both; L2 rests where g + λθ = 0":
            [-1 / lam, -1 / lam],
        "the two are exchanged": [-1 / lam, -g / lam],
        "the signs are wrong: θ runs against the gradient":
            [g / lam, 1 / lam],
        "λ is in the denominator": [-g * lam, -lam]})
