"""Checks of the exercises of chapter 3."""

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, _array, _call, _given,
                                      _undone, check_function, check_value,
                                      never_raises)
from descent.loop import run
from descent.problems import quadratic
from descent.rules import State, adam, rmsprop


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
    return check_value("the second step", answer, g[1] / mean, wrong={
        "this is the first step": 1 / (1 - beta2),
        "the average starts at zero, not at |g₁|":
            g[1] / (beta2 * g[0] + (1 - beta2) * g[1]),
        "this is RMSprop's own second step": own[1],
        "this is a length, not in units of α": 0.1 * g[1] / mean})


@never_raises
def check_beat_hinton(answer):
    """Ten gradients that sum to zero and drift by more than 0.85 α a turn.

    β₂ = 0.9, where Hinton's cycle drifts by 0.68 α; 0.943 α is the most that
    a search found.

    >>> check_beat_hinton([0.1] * 9 + [-0.9])
    your cycle: drifts by -0.679496 α a turn; go beyond 0.85 α, up or down
    """
    name = "your cycle"
    g = _given(answer)
    if g is None:
        return name, "not done yet"
    if g.shape != (10,):
        return name, f"ten gradients are needed, but it has shape {g.shape}"
    if not np.isfinite(g).all() or not g.any():
        return name, "the gradients must be finite, and not all zero"
    if abs(g.sum()) > 1e-9 * np.abs(g).max():
        return name, (f"the gradients sum to {g.sum():.6g}, not to zero: "
                      "gradient descent drifts, too")
    drift = theory.drift_on_cycle(0.9, g)
    if abs(drift) <= 0.85:
        return name, (f"drifts by {drift:.6g} α a turn; go beyond 0.85 α, "
                      "up or down")
    return name, f"correct\n    it drifts by {drift:.6g} α a turn"


@never_raises
def check_bring_to_rest(rate):
    """A schedule ``rate(t)`` that brings RMSprop to rest in 400 steps.

    Below f = 1e-12 from three starts, on two ravines; ε as in `rmsprop`.

    >>> check_bring_to_rest(lambda t: 0.1)
    rate: from (-8, 1.5) f ends at 0.06375
        likely cause: α is still 0.1 at the end,
        and it rattles at α/2
    """
    name = getattr(rate, "__name__", "rate").replace("<lambda>", "rate")
    if not callable(rate):
        return name, "it must be a function of t"
    rates = []
    for t in range(1, 401):
        alpha = _call(rate, (t,))
        if _undone(alpha):
            return name, "not done yet"
        alpha = _array(alpha)
        if alpha.shape != () or not 0 <= alpha < np.inf:
            raise Complaint(f"rate({t}) is {alpha}, but it must be a number "
                            "of at least 0")
        rates.append(float(alpha))
    for curvatures, start in (([1, 50], [-8, 1.5]), ([3, 900], [5, -7]),
                              ([1, 50], [-0.5, 8])):
        ravine = quadratic(curvatures)
        path = run(rmsprop, ravine.grad, np.array(start, float), 400,
                   alpha=lambda t: rates[t - 1])
        f, here = ravine(path.theta[-1]), np.abs(path.theta[-1])
        if f < 1e-12:
            continue
        text = f"from ({start[0]}, {start[1]}) f ends at {f:.4g}"
        if here.max() > 2 * rates[-1] and sum(rates) < 10:
            text += (f"\n    likely cause: all rates add up to {sum(rates):.3g}"
                     ",\n    too little for the way")
        elif 0.4 * rates[-1] < here.max() < 0.6 * rates[-1]:
            text += (f"\n    likely cause: α is still {rates[-1]:.3g} at the "
                     "end,\n    and it rattles at α/2")
        elif here.max() > 2 * rates[-1]:
            text += ("\n    likely cause: α fell after θ had been thrown out,"
                     "\n    or before it was there")
        return name, text
    return name, "correct"


def check_drift_from_skewness(function):
    """Check ``drift_from_skewness(beta2, g)`` on cycles that read the same
    backwards.

    >>> check_drift_from_skewness(lambda beta2, g: None)
    <lambda>: not done yet
    """
    right = theory.drift_to_first_order
    return check_function(
        function, right,
        inputs=[(0.99, np.array([0.1] * 9 + [-0.9])),
                (0.9, np.array([0.3, 0.3, -0.2, -0.2, -0.2]))],
        wrong={"the factor is 1/4, not 1/2": lambda b, g: 2 * right(b, g),
               "cubes are summed, not averaged":
                   lambda b, g: right(b, g) / len(g),
               "1 − β₂ is missing": lambda b, g: right(0.0, g)})
