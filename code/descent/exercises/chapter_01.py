"""Checks of the exercises of chapter 1."""

from functools import partial

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, _array, _call, _given,
                                      _undone, check_function, check_value,
                                      never_raises)
from descent.loop import run
from descent.network import Network
from descent.problems import quadratic
from descent.recorded.data import digits, split
from descent.rules import gradient_descent


def check_three_rates(answer):
    """Three rates that take λ = (1, 10, 100) to the minimum, in any order.

    >>> check_three_rates([0.02, 0.2, 2.0])
    the three rates: not right: [0.02, 0.2, 2]
        likely cause: these are the limits: the coordinates jump to the other side
    """
    try:
        given = _call(answer, ()) if callable(answer) else answer
        if not _undone(given):
            answer = np.sort(_array(given), axis=None)
    except Complaint:
        pass  # check_value says what is wrong with it
    right = 1 / np.array([100.0, 10.0, 1.0])
    return check_value("the three rates", answer, right, rtol=1e-6, wrong={
        "these are the limits: the coordinates jump to the other side":
            theory.largest_stable_rate(1 / right),
        "these are the eigenvalues themselves": np.sort(1 / right),
        "one rate for all three steps, the one with the best guarantee":
            np.full(3, theory.best_rate(1.0, 100.0))})


def check_axis_limit(answer):
    """The factor of the steep direction at 0.9 times the limit of the axes.

    >>> check_axis_limit(-0.8)
    the factor: not right: -0.8
        likely cause: this is the factor at 0.9 times the true limit
    """
    def factor(rate):
        return theory.eigen_coordinate(1, rate, 1000.0, 1.0)

    code = theory.largest_stable_rate(500.5)
    return check_value("the factor", answer, factor(0.9 * code), wrong={
        "this is the factor at 0.9 times the true limit":
            factor(0.9 * theory.largest_stable_rate(1000.0)),
        "this is the factor at the code's limit, not at 0.9 times it":
            factor(code),
        "this is the factor along an axis, not along the eigenvector":
            theory.eigen_coordinate(1, 0.9 * code, 500.5, 1.0),
        "this is the factor of the flat direction":
            theory.eigen_coordinate(1, 0.9 * code, 1.0, 1.0)})


def _condition(h):
    return (1 + abs(h)) / (1 - abs(h))


def _turned_and_rescaled(kappa, angle, change=lambda h, a, b: h):
    """κ′ by the formula, where `change` makes another h of the right one."""
    H = quadratic([1.0, kappa], angle=angle).H
    a, b = np.diagonal(H)
    return _condition(change(H[0, 1] / np.sqrt(a * b), a, b))


def check_condition_after_rescaling(function):
    """Check ``condition_after_rescaling(kappa, angle)``.

    >>> check_condition_after_rescaling(lambda kappa, angle: None)
    <lambda>: not done yet
    """
    def changed(change):
        return partial(_turned_and_rescaled, change=change)

    def signed(kappa, angle):
        right = _turned_and_rescaled(kappa, angle)
        return right if angle < 0 else 1 / right

    return check_function(
        function, _turned_and_rescaled,
        inputs=[(1000.0, 0.1), (50.0, np.pi / 4), (7.0, -0.4), (9.0, 0.0)],
        rtol=1e-6, wrong={
            "this is κ itself, without the rescaling":
                lambda kappa, angle: kappa,
            "angle is in radians already":
                lambda kappa, angle: _turned_and_rescaled(
                    kappa, np.deg2rad(angle)),
            "the unit is √H_jj, not H_jj":
                changed(lambda h, a, b: h / np.sqrt(a * b)),
            "there is no unit in it: divide H_12 by √(H_11 H_22)":
                changed(lambda h, a, b: h * np.sqrt(a * b)),
            "this is the matrix in units H_jj, not √H_jj":
                lambda kappa, angle: _in_units(kappa, angle, 1.0),
            "this is the matrix in units of the fourth root of H_jj":
                lambda kappa, angle: _in_units(kappa, angle, 0.25),
            "the sign of h: take |h|": signed})


def _in_units(kappa, angle, power):
    H = quadratic([1.0, kappa], angle=angle).H
    s = np.diagonal(H) ** -power
    low, high = np.linalg.eigvalsh(s[:, None] * H * s)
    return high / low


GOAL, JUDGED = 0.16, range(40, 45)  # the loss to beat; seeds of the starts


def loss_of_rates(rates, seeds=JUDGED):
    """Training loss after 50 steps on raw pixels: a rate for W₁, b₁, W₂, b₂.

    The starts are those of the chapter, the mean is over logarithms.
    """
    (X, y), _, _ = split(*digits())
    network = Network()
    theta, rate = network.init(list(seeds)), np.ones(network.size)
    spread = np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    W, b = network.layers(theta)[0]
    W /= spread[:, None]
    b -= X.mean(axis=0) @ W
    parts = [part for pair in network.layers(rate) for part in pair]
    for part, number in zip(parts, rates):
        part[...] = number
    with np.errstate(all="ignore"):
        end = run(gradient_descent, theta0=theta, steps=50, alpha=1.0,
                  grad=lambda theta: rate * network.grad(theta, X, y),
                  record=False).theta
        return float(np.exp(np.log(network.loss(end, X, y)).mean()))


@never_raises
def check_rates_of_layers(answer):
    """Four rates, for W₁, b₁, W₂ and b₂, that beat a number for each pixel.

    >>> check_rates_of_layers(None)
    the four rates: not done yet
    >>> check_rates_of_layers([0.1, 0.1, 0.1])
    the four rates: four are asked for, but it has the shape (3,)
    >>> check_rates_of_layers([0.01, 0.01, -1, 0.1])
    the four rates: a rate is a positive number
    """
    try:
        rates = _given(answer)
        if rates is None:
            return "the four rates", "not done yet"
    except Complaint as complaint:
        return "the four rates", str(complaint)
    if rates.shape != (4,):
        return "the four rates", ("four are asked for, but it has the shape "
                                  f"{rates.shape}")
    if not (np.isfinite(rates).all() and (rates > 0).all()):
        return "the four rates", "a rate is a positive number"
    loss = loss_of_rates(rates)
    return "the four rates", _judged(rates, loss)


def _judged(rates, loss):
    if loss < GOAL:
        return "correct"
    if not loss < 2.2:  # ln 10 is the loss of ten equal guesses
        return ("the run explodes, or stands still where all answers are "
                "alike: a rate is too large")
    text = f"the loss is {loss:.3f}; below {GOAL} is asked for"
    if np.ptp(rates) <= 1e-9 * rates.max():
        text += ("\n    likely cause: this is one rate for all, which has to "
                 "serve the first layer")
    elif rates[0] >= rates[2]:
        text += ("\n    likely cause: the first layer's inputs are the larger "
                 "ones, so its weights need the smaller rate")
    return text
