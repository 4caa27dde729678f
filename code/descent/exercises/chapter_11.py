"""Checks of the exercises of chapter 11."""

from functools import partial

import numpy as np

from descent import theory
from descent.exercises.engine import (_given, check_function, check_value,
                                      never_raises)
from descent.exercises.mistakes import START, STREAM, _adam_path
from descent.loop import run
from descent.rules import adam, amsgrad, divide, root


def check_mean_step_of_pairs(answer):
    """Adam's mean step in units of α on batches of two of Reddi's three.

    >>> check_mean_step_of_pairs(-1)
    the mean step: not right: -1
        likely cause: this is the move in three steps
    """
    return check_value("the mean step", answer, -1 / 3, wrong={
        "this is the move in three steps": -1.0})


@never_raises
def check_broken_default(answer):
    """A cycle with a positive sum, share 15 %, that default Adam climbs.

    At most 1,000 gradients; one against 999 equal ones reaches 12.7 %.

    >>> check_broken_default([3.0, -1.0, -1.0])
    your cycle: Adam goes down, by 0.52218 α a turn: it is not misled
    """
    name = "your cycle"
    g = _given(answer)
    if g is None:
        return name, "not done yet"
    if g.ndim != 1 or not 2 <= len(g) <= 1000:
        return name, ("a list of 2 to 1000 gradients is needed, but it has "
                      f"shape {g.shape}")
    if not np.isfinite(g).all() or not g.any():
        return name, "the gradients must be finite, and not all zero"
    share = g.sum() / np.abs(g).sum()
    if share <= 0:
        return name, (f"the gradients sum to {g.sum():.6g}: up is the right "
                      "way here; a positive sum is asked for")
    drift = float(theory.adam_drift_on_cycle(0.9, 0.999, g))
    if not drift > 0:
        return name, (f"Adam goes down, by {-drift:.6g} α a turn: it is not "
                      "misled")
    if share < 0.15:
        return name, (f"Adam is misled, with a share of {100 * share:.3g} %; "
                      "15 % are asked for")
    return name, (f"correct\n    Adam climbs {drift:.3g} α a turn\n"
                  f"    against a share of {100 * share:.3g} %")


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
    return check_function(
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
    return check_value("the two limits", answer, np.array([9.0, largest]), rtol=2e-4,
                       wrong={
        "the two are exchanged": [largest, 9.0],
        "the second is the mean of the squares; the largest v is a little "
        "above it": [9.0, 11 / 3],
        "both are the same only if the maximum waits beside v":
            [largest, largest]})
