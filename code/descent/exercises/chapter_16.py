"""Checks of the exercises of chapter 16."""

import numpy as np

from descent import theory
from descent.exercises.engine import (_call, _undone, check_value,
                                      never_raises)
from descent.recorded.depth import trained


def check_eps_in_depth(answer):
    """(layers of weights, α / step) where the first gradient is below ε.

    >>> check_eps_in_depth((13, 4538))
    layers of weights, times shorter: not right: [13, 4538]
        likely cause: a network of L layers has L − 1 factors
    """
    g = 0.02 * 0.318 ** np.arange(22)
    right = np.array([np.argmax(g < 1e-8) + 1, 1 + 1e-8 / g[20]])
    return check_value("layers of weights, times shorter", answer, right, rtol=2e-2, wrong={
        "a network of L layers has L − 1 factors": right - [1, 0],
        "21 layers of weights have 20 factors":
            np.array([right[0], 1 + 1e-8 / g[21]]),
        "the factor cancels only where ε is far below the gradient":
            np.array([right[0], 1.0])})


def check_critical_weights(answer):
    """(approximate, exact) σ_w² at which sigmoids keep the gradient.

    >>> check_critical_weights((16, 103))
    critical variances: not right: [16, 103]
        likely cause: 16 is the bound σ_w/4 = 1; large weights have smaller slopes
    """
    low, high = 50.0, 150.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        q = theory.settled_variance(middle)
        low, high = ((low, middle) if theory.layer_factor(q, middle) > 1
                     else (middle, high))
    right = np.array([36 * np.pi, low])
    return check_value("critical variances", answer, right, rtol=1e-2, wrong={
        "16 is the bound σ_w/4 = 1; large weights have smaller slopes":
            np.array([16, low]),
        "these are σ_w, and σ_w² was asked for": np.sqrt(right),
        "the approximate one comes first": right[::-1]})


def check_plain_descent_in_depth(answer):
    """Train eight seeds by (σ_w², α) for 20 epochs and judge the loss of the last ten.

    One epoch alone, or three seeds, would be judged by how a processor rounds.

    >>> check_plain_descent_in_depth(lambda: (None, None))
    geometric mean of the loss: not done yet
    """
    return _check_plain_descent(answer)


@never_raises
def _check_plain_descent(answer):
    return "geometric mean of the loss", _judge_plain_descent(answer)


def _judge_plain_descent(answer):
    answer = _call(answer, ()) if callable(answer) else answer
    if _undone(answer):
        return "not done yet"
    try:
        variance, alpha = np.array(answer, dtype=float)
    except (TypeError, ValueError):
        return "two numbers are asked for, the variance and the rate"
    if not (0 < variance < np.inf and 0 < alpha < np.inf):
        return "variance and rate are positive numbers"
    loss, _ = trained("gradient descent", np.arange(200, 208), alpha, 20,
                      weight_variance=variance)
    mean = np.exp(np.log(loss[-10:]).mean())
    if mean < 0.75:
        return "correct"
    c = theory.layer_factor(theory.settled_variance(variance), variance)
    cause = (f"eight layers leave {c**8:.2g} of a gradient" if c**8 < 0.2 or
             c**8 > 5 else "the factor is fine; try other rates")
    return f"it is {mean:.2f}, not below 0.75\n    likely cause: {cause}"
