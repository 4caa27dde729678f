"""Checks of the exercises of chapter 4."""

from functools import partial

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, _given, check_function,
                                      never_raises)
from descent.exercises.mistakes import (BROKEN_RMSPROPS, START, STREAM,
                                        _rmsprop_path)
from descent.loop import run
from descent.rules import divide, rmsprop, root


def check_decay_rate_for(function):
    """Check ``decay_rate_for(r, steps)``: the β₂ that is back in time.

    >>> check_decay_rate_for(lambda r, steps: 1 / steps)
    <lambda>: the result is wrong
        yours: 0.005
        right: 0.960253
        input: (0.01, 200)
    """
    def root(x):
        return lambda r, steps: x(r) ** (1 / steps)

    def share(r):
        return 3 * r**2 / (1 - r**2)

    return check_function(
        function, root(share), inputs=[(0.01, 200.0), (0.1, 35.0), (0.3, 7.5)],
        wrong={
            "1 − x is only the first order of e^(−x)":
                lambda r, steps: 1 + np.log(share(r)) / steps,
            "half speed means v = 4r², not 2r²":
                root(lambda r: r**2 / (1 - r**2)),
            "v is an average of squares: r², not r":
                root(lambda r: 3 * r / (1 - r)),
            "r² is not small enough to leave the 1 − r² away":
                root(lambda r: 3 * r**2),
            "eight time constants are for a hundredfold fall, and rounded":
                lambda r, steps: 1 - 8 / steps,
            "this is β₂ to the power of `steps`; take the root":
                lambda r, steps: share(r),
            "this is 1 − β₂": lambda r, steps: 1 - share(r) ** (1 / steps)})


def _clipped_path(theta, gradients, alpha, beta2, eps, clip, *,
                  path=_rmsprop_path):
    return path(theta, np.clip(gradients, -clip, clip), alpha, beta2, eps)


def _clipping(rule):
    """The path of rule(state, g, clip, **hyper), which clips by itself."""
    def path(theta, gradients, alpha, beta2, eps, clip):
        def step(state, g, **hyper):
            return rule(state, g, clip, **hyper)
        return run(step, theta0=theta, gradients=gradients, alpha=alpha,
                   beta2=beta2, eps=eps).theta
    return path


def _clipped_after_v(state, g, clip, *, alpha, **hyper):
    # the step of RMSprop, times the share of the gradient that the clip leaves
    after = rmsprop(state, g, alpha=alpha, **hyper)
    left = divide(np.clip(g, -clip, clip), g)
    return after._replace(
        theta=state.theta + left * (after.theta - state.theta))


def _clipped_in_v_only(state, g, clip, **hyper):
    clipped = np.clip(g, -clip, clip)
    after = rmsprop(state, clipped, **hyper)
    return after._replace(theta=state.theta + divide(g, clipped) * (
        after.theta - state.theta))


def _clipped_step(state, g, clip, *, alpha, **hyper):
    after = rmsprop(state, g, alpha=1.0, **hyper)
    step = np.clip(after.theta - state.theta, -clip, clip)
    return after._replace(theta=state.theta + alpha * step)


def _clipped_norm(state, g, clip, **hyper):
    return rmsprop(state, g * min(1, clip / np.linalg.norm(g)), **hyper)


CLIPPED_WRONG = {
    "v has seen the gradient before it was clipped":
        _clipping(_clipped_after_v),
    "v takes the clipped gradient, but the step does not":
        _clipping(_clipped_in_v_only),
    "the quotient g/√v is clipped, not the gradient":
        _clipping(_clipped_step),
    "the whole vector is scaled; here each coordinate is clipped for itself":
        _clipping(_clipped_norm),
    "negative gradients are not clipped":
        _clipping(lambda s, g, c, **h: rmsprop(s, np.minimum(g, c), **h)),
    "nothing is clipped": _clipping(lambda s, g, c, **h: rmsprop(s, g, **h)),
    **{cause: partial(_clipped_path, path=path)
       for cause, path in BROKEN_RMSPROPS.items()},
}


def check_clipped_rmsprop(function):
    """Check ``my_clipped_rmsprop(theta, gradients, alpha, beta2, eps, clip)``.

    >>> check_clipped_rmsprop(lambda *args: None)
    <lambda>: not done yet
    """
    return check_function(
        function, _clipped_path, quantities=("theta",), first_t=0,
        inputs=[(START, STREAM, 0.1, 0.9, 0.01, 1.5),
                (START, 10 * STREAM, 0.02, 0.6, 0.1, 8.0)],
        wrong=CLIPPED_WRONG)


def check_worst_decay_rate(function):
    """Check ``worst_decay_rate(H)``, where the crawl after a spike is longest.

    >>> check_worst_decay_rate(lambda H: None)
    <lambda>: not done yet
    """
    def worst(factor):
        return lambda H: 1 - factor / (H**2 - 1)

    return check_function(function, worst(3 * np.e),
                          inputs=[(10.0,), (100.0,), (1000.0,)], wrong={
        "this is 1 − β₂": lambda H: 3 * np.e / (H**2 - 1),
        "here the wait is zero; it is longest where ln(aδ) = 1": worst(3.0),
        "a is (H² − 1)/3, the 3 is missing": worst(np.e),
        "H² − 1, not H²": lambda H: 1 - 3 * np.e / H**2,
        "this is the number of steps": lambda H: (H**2 - 1) / (3 * np.e)})


@never_raises
def check_even_travel(answer):
    """A power p: a hundredfold rise gains what a hundredfold fall loses.

    Judged by the travel itself, for β₂ = 0.999 and up to 3 %.

    >>> check_even_travel(2)
    your power: the fall loses 7839.5 α, the rise gains 1336.1 α
        likely cause: this is RMSprop itself
    """
    name = "your power"
    try:
        p = _given(answer)
        if p is None:
            return name, "not done yet"
        if p.shape != () or not np.isfinite(p):
            raise Complaint("it must be one number")
        p = 0.0 if abs(p) < 1e-6 else float(p)  # rounding eats r^p − 1
        k = np.arange(1, 30_000)
        with np.errstate(all="ignore"):
            lost, gained = (np.abs(1 - theory.speed_of_average(
                k, r, 0.999, p)).sum() for r in (0.01, 100.0))
        if not abs(lost - gained) <= 0.03 * lost:
            raise Complaint(
                f"the fall loses {lost:.1f} α, the rise gains {gained:.1f} α"
                + KNOWN_POWERS.get(p, ""))
    except Complaint as complaint:
        return name, str(complaint)
    return name, "correct"


KNOWN_POWERS = {p: f"\n    likely cause: {cause}" for p, cause in (
    (2.0, "this is RMSprop itself"),
    (0.0, "the logarithm treats factors alike, not travel"),
    (-1.0, "this is the mirror image of |g|: it gains too much"))}
