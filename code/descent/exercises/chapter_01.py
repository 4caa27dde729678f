"""Checks of the exercises of chapter 1."""

from functools import partial

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, _array, _call, _undone,
                                      check_function, check_value)
from descent.problems import quadratic


def check_three_curvatures(answer):
    """Limit, best rate and worst-case factor for λ = (2, 10, 50).

    >>> check_three_curvatures((0.04, 0.04, 0.92))
    limit, best rate, factor: not right: [0.04, 0.04, 0.92]
    """
    low, high = 2.0, 50.0
    rate = theory.best_rate(low, high)
    factor = theory.best_factor(high / low)
    limit = theory.largest_stable_rate(high)
    check_value("limit, best rate, factor", answer,
                np.array([limit, rate, factor]), rtol=2e-3, wrong={
        "the order is limit, rate, factor": np.array([rate, limit, factor]),
        "the limit is that of the flattest direction":
            np.array([theory.largest_stable_rate(low), rate, factor]),
        "the best rate is not 1/λ_max":
            np.array([limit, 1 / high, factor]),
        "the best rate has λ_min and λ_max, not the mean of all three":
            np.array([limit, 3 / (low + 10 + high), factor]),
        "the factor is squared: that is the one for f":
            np.array([limit, rate, factor**2]),
        "the middle eigenvalue does not count":
            np.array([limit, rate, abs(1 - 10 * rate)])})


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
    check_value("the three rates", answer, right, rtol=1e-6, wrong={
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
    check_value("the factor", answer, factor(0.9 * code), wrong={
        "this is the factor at 0.9 times the true limit":
            factor(0.9 * theory.largest_stable_rate(1000.0)),
        "this is the factor at the code's limit, not at 0.9 times it":
            factor(code),
        "this is the factor along an axis, not along the eigenvector":
            theory.eigen_coordinate(1, 0.9 * code, 500.5, 1.0),
        "this is the factor of the flat direction":
            theory.eigen_coordinate(1, 0.9 * code, 1.0, 1.0)})


def _turned_and_rescaled(kappa, angle, power=0.5):
    H = quadratic([1.0, kappa], angle=angle).H
    s = np.diagonal(H) ** -power
    low, high = np.linalg.eigvalsh(s[:, None] * H * s)
    return high / low


def check_condition_after_rescaling(function):
    """Check ``condition_after_rescaling(kappa, angle)``.

    >>> check_condition_after_rescaling(lambda kappa, angle: None)
    <lambda>: not done yet
    """
    check_function(
        function, _turned_and_rescaled,
        inputs=[(1000.0, 0.1), (50.0, np.pi / 4), (7.0, -0.4), (9.0, 0.0)],
        rtol=1e-6, wrong={
            "this is κ itself, without the rescaling":
                partial(_turned_and_rescaled, power=0.0),
            "angle is in radians already":
                lambda kappa, angle: _turned_and_rescaled(
                    kappa, np.deg2rad(angle)),
            "the unit is √H_jj, not H_jj":
                partial(_turned_and_rescaled, power=1.0),
            "the sign of r: take |r|":
                lambda kappa, angle: _turned_and_rescaled(kappa, angle) ** (
                    1.0 if angle < 0 else -1.0)})
