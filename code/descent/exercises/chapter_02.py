"""Checks of the exercises of chapter 2."""

import numpy as np

from descent import theory
from descent.exercises.engine import (_cause, _given, check_function,
                                      check_value, never_raises)


def check_half_lives(answer):
    """The half-lives of exponential averages with β = 0.95, 0.9, 0.8, 0.7.

    >>> check_half_lives((20, 10, 5, 10 / 3))
    the half-lives: not right: [20, 10, 5, 3.33333]
        likely cause: this is 1/(1 − γ): the time to fall to about 1/e
    """
    gamma = np.array([0.95, 0.9, 0.8, 0.7])
    return check_value("the half-lives", answer, theory.half_life(gamma), wrong={
        "this is γ⁻¹, the claim itself": 1 / gamma,
        "this is 1/(1 − γ): the time to fall to about 1/e": 1 / (1 - gamma),
        "this is the time constant, in which a weight falls to 1/e": -1 / np.log(gamma),
        "this is γ/(1 − γ), the mean age": theory.mean_age(gamma),
        "ln 2/(1 − γ) is only the limit for γ → 1":
            np.log(2) / (1 - gamma),
        "a half-life need not be a whole number":
            np.ceil(theory.half_life(gamma))}, rtol=2e-3)


def check_nothing_comes_twice(answer):
    """The smallest batch of 1078 with half the noise, without replacement.

    >>> check_nothing_comes_twice(540)
    the batch: not right: 540
        likely cause: this halves the variance
    """
    B = np.arange(1, 1079)
    left = theory.minibatch_variance_without(1.0, B, 1078) * B
    right = int(B[left <= 0.25][0])
    return check_value("the batch", answer, right, wrong={
        "this halves the variance": int(B[left <= 0.5][0]),
        "here it is still a little more than half": right - 1,
        "a smaller batch will do": right + 1,
        "this leaves 3/4 of the variance": int(B[left <= 0.75][0])})


def check_backwards_average(function):
    """Check ``fast_average(x, beta)``, which returns m_t from m_0 = 0.

    >>> check_backwards_average(lambda x, beta: None)
    <lambda>: not done yet
    """
    right = theory.unrolled_average
    x = np.array([2.0, -1.0, 0.5, 3.0, 7.0])
    return check_function(
        function, right, inputs=[(x, 0.9), (x**2, 0.5)],
        wrong={"the oldest entry still has the largest weight":
                   lambda x, b: right(x[::-1], b),
               "the factor 1 − β is missing":
                   lambda x, b: right(x, b) / (1 - b),
               "the weights are made to sum to one; m_t starts from zero":
                   lambda x, b: right(x, b) / theory.weight_of_last(len(x), b),
               "the newest entry already has a factor β":
                   lambda x, b: b * right(x, b),
               "β and 1 − β are exchanged": lambda x, b: right(x, 1 - b),
               "m_t after every entry is returned; the last one is asked for":
                   theory.exponential_average})


def check_larger_batch(answer):
    """β′ that keeps the memory in examples, for β = 0.9 and r = 16.

    >>> check_larger_batch(-0.6)
    the new β: not right: -0.6
        likely cause: this is the colleague's rule
    """
    return check_value("the new β", answer, 0.9**16, wrong={
        "this is the colleague's rule": 1 - 16 * 0.1,
        "this keeps the memory in steps, not in examples": 0.9,
        "this is for a smaller batch": 0.9 ** (1 / 16),
        "this gives the newcomer a smaller share": 1 - 0.1 / 16})


@never_raises
def check_beat_both_means(answer):
    """Weights for the ages 0, 1, ...: mean age at most 9, noise at most 0.05.

    The plain mean of 19 and the exponential average with β = 0.9 both let
    1/19 of the variance through at this age; 0.0468 is the least possible.
    "Noise" is the share of the variance that they let through.

    >>> check_beat_both_means([1 / 19] * 19)
    your weights: noise 0.0526316;
        at most 0.05 is asked for
        likely cause: the plain mean of 19
    """
    name = "your weights"
    w = _given(answer)
    if w is None:
        return name, "not done yet"
    if w.ndim != 1 or not len(w) or not np.isfinite(w).all():
        return name, "a list of finite numbers is needed, one for each age"
    if (w < 0).any():
        return name, f"the weight of age {int((w < 0).argmax())} is negative"
    if abs(w.sum() - 1) > 1e-6:
        return name, f"they sum to {w.sum():.6g}, not to one"
    age, noise = np.arange(len(w)) @ w, w @ w
    if age > 9 + 1e-6:
        cause = ("the newest entry has age 0, the oldest comes last"
                 if np.arange(len(w)) @ w[::-1] <= 9 and noise <= 0.05 else "")
        return name, (f"their mean age is {age:.6g}; at most 9 is asked for"
                      + (_cause(cause) if cause else ""))
    if noise > 0.05:
        known = {"the plain mean of 19": np.full(19, 1 / 19),
                 "the exponential average":
                     0.1 * 0.9 ** np.arange(len(w))}
        causes = [_cause(cause) for cause, other in known.items()
                  if len(other) == len(w) and np.allclose(w, other, atol=1e-4)]
        return name, (f"noise {noise:.6g};\n    "
                      "at most 0.05 is asked for" + "".join(causes[:1]))
    return name, (f"correct\n    mean age {age:.6g}, "
                  f"noise {noise:.6g}")
