"""Checks of the exercises of chapter 11."""

from functools import partial

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value
from descent.exercises.mistakes import START, STREAM, _adam_path
from descent.loop import run
from descent.rules import adam, amsgrad, divide, root


def check_reddi_threshold(answer):
    """The β₂* of Reddi's example for C = 5, to four digits.

    >>> check_reddi_threshold(1 / 26)
    the threshold: not right: 0.0384615
        likely cause: this is the β₂ of theorem 1, far below the threshold
    """
    right = theory.reddi_threshold(5.0)
    check_value("the threshold", answer, right, rtol=2e-4, wrong={
        "this is the β₂ of theorem 1, far below the threshold": 1 / 26,
        "this is 1 − β₂*": 1 - right,
        "this is the threshold for C = 4": theory.reddi_threshold(4.0),
        "this is the threshold for C = 6": theory.reddi_threshold(6.0),
        "(11.6) holds only for C close to 2":
            theory.reddi_threshold_near_two(5.0)})


def _one_against_many(n, beta1, beta2):
    """Adam's drift on one gradient n and n − 1 gradients of −1."""
    return theory.adam_drift_on_cycle(
        beta1, beta2, np.append(float(n), -np.ones(n - 1)))


def check_shortest_wrong_cycle(answer):
    """The smallest n at which Adam with (0.9, 0.99) walks the wrong way.

    >>> check_shortest_wrong_cycle(29)
    the shortest cycle: not right: 29
        likely cause: this is the last one that goes the right way
    """
    def first(beta1, beta2):
        return next(n for n in range(3, 200)
                    if _one_against_many(n, beta1, beta2) > 0)

    right = first(0.9, 0.99)
    check_value("the shortest cycle", answer, right, wrong={
        "this is the last one that goes the right way": right - 1,
        "this is β₂ = 0.999": first(0.9, 0.999),
        "this is β₁ = 0: the first moment is missing": first(0.0, 0.99)})


def _amsgrad_path(theta, gradients, *hyper, rule=amsgrad, **other):
    options = dict(zip(("alpha", "beta1", "beta2", "eps"), hyper)) | other
    return run(rule, theta0=theta, gradients=gradients, **options).theta


def _amsgrad_writing_back(state, g, **hyper):
    # a previous v that is the maximum: the average starts from it
    after = amsgrad(state, g, **hyper)
    return after._replace(v=after.v_max)


def _amsgrad_of_squares(state, g, *, alpha, beta1, beta2, eps):
    after = adam(state, g, beta1=beta1, beta2=beta2)
    v_max = np.maximum(state.v_max, g**2)
    step = alpha * divide(after.m_hat, root(v_max, eps, False))
    return after._replace(theta=state.theta - step, v_max=v_max)


def _amsgrad_without_corrections(state, g, *, alpha, beta1, beta2, eps):
    after = amsgrad(state, g, beta1=beta1, beta2=beta2)
    step = alpha * divide(after.m, root(after.v_max, eps, False))
    return after._replace(theta=state.theta - step)


# The second half is smaller: the maximum stands while v falls.
_FALLING = np.concatenate([STREAM, 0.1 * STREAM, -0.1 * STREAM])


def check_amsgrad(function):
    """AMSGrad with the maximum before the correction, as in PyTorch.

    >>> check_amsgrad(lambda theta, g, a, b1, b2, e: None)
    <lambda>: not done yet
    """
    check_function(
        function, _amsgrad_path,
        [(START, _FALLING, 0.1, 0.9, 0.5, 1e-8),
         (START, _FALLING, 0.01, 0.5, 0.999, 1e-3)],
        quantities=("θ",), first_t=0, wrong={
            "the maximum is written back into v, and the average goes on "
            "from there": partial(_amsgrad_path, rule=_amsgrad_writing_back),
            "this is Adam: the maximum is missing": _adam_path,
            "the maximum is taken after the correction, as in Optax":
                partial(_amsgrad_path, maximum="corrected"),
            "this is the maximum of g², not of its average":
                partial(_amsgrad_path, rule=_amsgrad_of_squares),
            "the corrections are missing": partial(
                _amsgrad_path, rule=_amsgrad_without_corrections)})


def check_two_maxima(answer):
    """What v tends to on Reddi's stream: the short code's, and AMSGrad's.

    >>> check_two_maxima((3.66933, 9.0))
    the two limits: not right: [3.66933, 9]
        likely cause: the two are exchanged
    """
    largest = float(theory.reddi_second_moment(3.0, 0.999)[0])
    check_value("the two limits", answer, np.array([9.0, largest]), rtol=2e-4,
                wrong={
        "the two are exchanged": [largest, 9.0],
        "the second is the mean of the squares; the largest v is a little "
        "above it": [9.0, 11 / 3],
        "both are the same only if the maximum waits beside v":
            [largest, largest]})
