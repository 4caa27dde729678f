"""Checks of the exercises of chapter 6."""

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, _call, _undone,
                                      check_function, never_raises)


def check_dampened_weights(function):
    """Check ``weights(t, beta)``: what a dampened buffer weighs with.

    >>> check_dampened_weights(lambda t, beta: None)
    <lambda>: not done yet
    """
    def average(t, beta):
        return (1 - beta) * beta ** np.arange(t - 1, -1, -1.0)

    def right(t, beta):
        return np.r_[beta ** (t - 1), average(t - 1, beta)]

    return check_function(
        function, right, inputs=[(1, 0.9), (2, 0.9), (5, 0.5), (30, 0.9)],
        wrong={
            "this is the average from zero; here g_1 comes in whole": average,
            "this is the corrected average: all weights too large, not one":
                lambda t, beta: average(t, beta) / (1 - beta**t),
            "the oldest gradient first":
                lambda t, beta: right(t, beta)[::-1],
            "this is the sum's weights, without dampening":
                lambda t, beta: average(t, beta) / (1 - beta),
            "g_1 fades, too: one factor β a step":
                lambda t, beta: np.r_[1.0, average(t - 1, beta)],
            "g_1 has faded t − 1 times, not t times":
                lambda t, beta: np.r_[beta**t, average(t - 1, beta)]})


def check_window_of_rates(function):
    """Check ``window(beta1, lam_min, lam_max)``: where q is √β₁ everywhere.

    >>> check_window_of_rates(lambda *args: None)
    <lambda>: not done yet
    """
    def ends(root=np.sqrt, power=1, swap=False, scale=1.0):
        def window(beta1, lam_min, lam_max):
            s, (low, high) = root(beta1), (lam_min, lam_max)
            if swap:
                low, high = high, low
            by = 1 - beta1 * scale
            return ((1 - s) ** 2 / by / low, (1 + s) ** 2 / by / high)
        return window

    return check_function(
        function, ends(), quantities=("low", "high"),
        inputs=[(0.9, 1.0, 50.0), (0.64, 2.0, 30.0), (0.25, 1.0, 9.0)],
        wrong={
            "these are heavy ball's rates: divide by 1 − β₁": ends(scale=0.0),
            "the flat direction limits α from below, the steep from above":
                ends(swap=True),
            "√β₁, not β₁": ends(root=lambda x: x),
            "the upper end is where the roots become real again, not where "
            "momentum becomes unstable": lambda b, low, high: (
                ends()(b, low, high)[0],
                theory.largest_stable_rate_with_momentum(b, high)),
            "low and high are in the wrong order": lambda b, low, high: (
                ends()(b, low, high)[::-1])})


def check_nesterov_limit(function):
    """Check ``nesterov_limit(mu, lam)``: the largest stable rate.

    >>> check_nesterov_limit(lambda mu, lam: 2 * (1 + mu) / lam)
    <lambda>: the result is wrong
        yours: 3.8
        right: 1.35714
        input: (0.9, 1)
        likely cause: this is heavy ball's limit
    """
    def right(mu, lam):
        return 2 * (1 + mu) / ((1 + 2 * mu) * lam)

    return check_function(
        function, right, inputs=[(0.9, 1.0), (0.5, 30.0), (0.99, 2.0)],
        wrong={
            "this is heavy ball's limit": lambda mu, lam: 2 * (1 + mu) / lam,
            "this is gradient descent's limit": lambda mu, lam: 2 / lam,
            "this is a, not the rate: divide by λ":
                lambda mu, lam: right(mu, 1.0),
            "here the product of the roots is −μ²/(1 + 2μ), not zero: the "
            "roots leave at −1": lambda mu, lam: 1 / lam,
            "this is the rate of an averaged form; the question is α_HB":
                lambda mu, lam: right(mu, lam) / (1 - mu),
            "this is the limit (6.8), of heavy ball and in averaged form":
                lambda mu, lam: 2 * (1 + mu) / ((1 - mu) * lam)})


CURVATURES = np.linspace(1, 50, 2001)


def check_twenty_rates(answer):
    """Twenty rates that leave at most 0.01 on every curvature from 1 to 50.

    >>> check_twenty_rates(lambda: None)
    twenty rates: not done yet
    >>> check_twenty_rates(lambda: [2 / 51] * 20)
    twenty rates: at λ = 1.00 they leave 0.45 of c; 0.01 is asked for
        likely cause: all zeros of the polynomial are in one place
    """
    return _check_twenty_rates(answer)


@never_raises
def _check_twenty_rates(answer):
    try:
        return "twenty rates", _judge_rates(answer)
    except Complaint as complaint:
        return "twenty rates", str(complaint)


def _judge_rates(answer):
    if callable(answer):
        answer = _call(answer, ())
    if answer is None or _undone(answer):
        return "not done yet"
    try:
        rates = np.array(answer, dtype=float)
    except (TypeError, ValueError, OverflowError):
        rates = np.array([np.nan])
    if rates.shape != (20,) or not np.isfinite(rates).all():
        return "twenty numbers are asked for, one rate for each step"
    with np.errstate(all="ignore"):
        left = np.abs(np.prod(1 - rates * CURVATURES[:, None], axis=1))
    left = np.where(np.isfinite(left), left, np.inf)
    worst = left.argmax()
    if left[worst] <= 0.01:
        return "correct"
    return (f"at λ = {CURVATURES[worst]:.2f} they leave {left[worst]:.2g} of "
            f"c; 0.01 is asked for\n    likely cause: {_why_not(rates)}")


def _why_not(rates):
    if np.ptp(rates) <= 1e-3 * np.abs(rates).max():
        return "all zeros of the polynomial are in one place"
    if (rates > 1.5).any() and (rates > 0.9).all():
        return "these look like the zeros; the rates are one over them"
    with np.errstate(divide="ignore"):
        zeros = np.sort(1 / rates)
    if zeros[0] < 0.9 or zeros[-1] > 56:
        return "a zero 1/α_t outside 1 to 50 is wasted"
    gaps = np.diff(zeros)
    if np.ptp(gaps) <= 0.2 * gaps.mean():
        return "evenly spaced zeros leave too much near the ends"
    if gaps[:4].mean() < 0.5 * gaps[-4:].mean():
        return ("the zeros are dense at the flat end only; the steep end "
                "needs it as much")
    return "where too much is left, the zeros must be denser"
