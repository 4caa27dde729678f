"""The two rules as learners write them, and what goes wrong in them."""

from functools import partial

import numpy as np

from descent.exercises.engine import check_function
from descent.loop import run
from descent.rules import adam, divide, rmsprop, rmsprop_momentum, root


# Three coordinates of very different size, a zero and signs that change.
STREAM = np.array([[2.0, -0.01, 0.5], [1.0, 0.03, 0.0], [-3.0, 0.02, 0.7],
                   [0.5, -0.04, 0.9], [4.0, 0.01, -0.2]])
START = np.array([1.0, -2.0, 0.5])


def _adam_path(theta, gradients, *hyper, rule=adam, **other):
    options = dict(zip(("alpha", "beta1", "beta2", "eps"), hyper)) | other
    return run(rule, theta0=theta, gradients=gradients, **options).theta


def _adam_with(**options):
    """Adam whose options are functions of (alpha, beta1, beta2, eps)."""
    def path(theta, gradients, *hyper):
        return _adam_path(theta, gradients, *hyper,
                          **{k: f(*hyper) for k, f in options.items()})
    return path


def _adam_counting(count):
    """Adam that takes count(t) for t."""
    def rule(state, g, **hyper):
        after = adam(state._replace(t=count(state.t + 1) - 1), g, **hyper)
        return after._replace(t=state.t + 1)
    return partial(_adam_path, rule=rule)


def _adam_keeping_corrected(state, g, **hyper):
    after = adam(state, g, **hyper)
    return after._replace(m=after.m_hat, v=after.v_hat)


def _adam_without_root(state, g, *, alpha, eps, **hyper):
    after = adam(state, g, alpha=alpha, eps=eps, **hyper)
    step = alpha * divide(after.m_hat, after.v_hat + eps)
    return after._replace(theta=state.theta - step)


def _adam_without_square(state, g, *, alpha, beta2, eps, **hyper):
    # the line of m with β₂ in it: the average of g where that of g² belongs
    v = adam(state._replace(m=state.v), g, beta1=beta2, beta2=beta2).m
    after = adam(state, g, alpha=alpha, beta2=beta2, eps=eps, **hyper)
    v_hat = v / (1 - beta2**after.t)
    step = alpha * divide(after.m_hat, root(v_hat, eps, False))
    return after._replace(theta=state.theta - step, v=v)


def _adam_late(m, v):
    """Adam whose step uses the m or v of the step before, where True."""
    def rule(state, g, *, alpha, eps, beta1=0.9, beta2=0.999):
        after = adam(state, g, beta1=beta1, beta2=beta2)
        m_hat = (state if m else after).m / (1 - beta1**after.t)
        v_hat = (state if v else after).v / (1 - beta2**after.t)
        step = alpha * divide(m_hat, root(v_hat, eps, False))
        return after._replace(theta=state.theta - step)
    return partial(_adam_path, rule=rule)


def _rmsprop_with_momentum(theta, gradients, alpha, beta1, beta2, eps):
    return run(rmsprop_momentum, theta0=theta, gradients=gradients,
               alpha=alpha, mu=beta1, beta2=beta2, eps=eps).theta


def _averaged_ratios(theta, gradients, alpha, beta1, beta2, eps):
    # v̂ of Adam on the gradients, then m̂ of Adam on the ratios
    v_hat = run(adam, theta0=theta, gradients=gradients, beta2=beta2).v_hat[1:]
    ratios = divide(gradients, root(v_hat, eps, False))
    m_hat = run(adam, theta0=theta, gradients=ratios, beta1=beta1).m_hat[1:]
    return np.cumsum([theta, *(-alpha * m_hat)], axis=0)


def _in_place(theta, *args):
    path = _adam_path(theta, *args)
    return np.broadcast_to(path[-1], path.shape)


def _reversed(path):
    """The same steps in the opposite direction."""
    return lambda theta, *args: 2 * theta - path(theta, *args)


T_FROM_ONE = "t is counted from 0, so that 1 − β^t is 0 at the first step"

# Where a step is a known function of t times Adam's, rate and ε say it.
BROKEN_ADAMS = {
    "the bias correction is missing":
        _adam_with(correct=lambda *_: "none"),
    "v̂ is missing: only the first moment is corrected":
        _adam_with(correct=lambda *_: "first"),
    "m̂ is missing: only the second moment is corrected":
        _adam_with(alpha=lambda a, b1, b2, e: lambda t: a * (1 - b1**t)),
    "ε is inside the root":
        _adam_with(eps_inside=lambda *_: True),
    "ε is added before the correction, to √v":
        _adam_with(eps=lambda a, b1, b2, e:
                   lambda t: e / np.sqrt(1 - b2**t)),
    "ε is missing":
        _adam_with(eps=lambda *_: 0.0),
    T_FROM_ONE: _adam_counting(lambda t: t - 1),
    "the correction is one step ahead: t is 2 at the first step":
        _adam_counting(lambda t: t + 1),
    "t does not advance: the correction is that of t = 1 at every step":
        _adam_counting(lambda t: 1),
    "β₁ and β₂ are exchanged":
        _adam_with(beta1=lambda a, b1, b2, e: b2,
                   beta2=lambda a, b1, b2, e: b1),
    "v is corrected with β₁ instead of β₂":
        _adam_with(alpha=lambda a, b1, b2, e:
                   lambda t: a * np.sqrt((1 - b1**t) / (1 - b2**t)),
                   eps=lambda a, b1, b2, e:
                   lambda t: e * np.sqrt((1 - b1**t) / (1 - b2**t))),
    "the corrected averages are carried on; carry on m and v instead":
        partial(_adam_path, rule=_adam_keeping_corrected),
    "the square root is missing":
        partial(_adam_path, rule=_adam_without_root),
    "the gradient is not squared in v":
        partial(_adam_path, rule=_adam_without_square),
    "the factor 1 − β₁ is missing in m":
        _adam_with(alpha=lambda a, b1, b2, e: a / (1 - b1)),
    "the factor 1 − β₂ is missing in v":
        _adam_with(alpha=lambda a, b1, b2, e: a * np.sqrt(1 - b2),
                   eps=lambda a, b1, b2, e: e * np.sqrt(1 - b2)),
    "the sign of the update is wrong: it climbs":
        _reversed(_adam_path),
    "the rate α is missing":
        _adam_with(alpha=lambda *_: 1.0),
    "the root is taken of v alone: √v̂ is √(v / (1 − β₂^t))":
        _adam_with(alpha=lambda a, b1, b2, e:
                   lambda t: a * np.sqrt(1 - b2**t),
                   eps=lambda a, b1, b2, e:
                   lambda t: e * np.sqrt(1 - b2**t)),
    "m and v are multiplied by 1 − β^t; divide by it":
        _adam_with(alpha=lambda a, b1, b2, e:
                   lambda t: a * (1 - b1**t)**2 / (1 - b2**t),
                   eps=lambda a, b1, b2, e: lambda t: e / (1 - b2**t)),
    "the step uses m of the step before: update m first":
        _adam_late(m=True, v=False),
    "the step uses v of the step before: update v first":
        _adam_late(m=False, v=True),
    "the step uses m and v of the step before: update them first":
        _adam_late(m=True, v=True),
    "this is RMSprop with momentum: you divide first and average after":
        _rmsprop_with_momentum,
    "this is RMSprop with momentum at the rate α(1 − β₁): "
    "you divide first and average after":
        lambda theta, g, a, b1, b2, e: _rmsprop_with_momentum(
            theta, g, a * (1 - b1), b1, b2, e),
    "the ratios g/√v̂ are averaged: you divide first and average after":
        _averaged_ratios,
    "theta is changed in place, so that every row of the path is the last one":
        _in_place,
}


def check_adam(function):
    """Check ``my_adam(theta, gradients, alpha, beta1, beta2, eps)``.

    It must return θ_0, θ_1, ..., an array of shape (steps + 1, d), for
    gradients g_1, g_2, ... of shape (steps, d).

    >>> check_adam(lambda theta, gradients, alpha, beta1, beta2, eps: None)
    <lambda>: not done yet
    """
    return check_function(
        function, _adam_path, quantities=("theta",), first_t=0,
        inputs=[(START, STREAM, 0.1, 0.9, 0.95, 0.01),
                (START, 10 * STREAM, 0.02, 0.6, 0.99, 0.1)],
        wrong={**BROKEN_ADAMS, T_FROM_ONE + " ": ZeroDivisionError})


def _rmsprop_path(theta, gradients, *hyper, rule=rmsprop, **other):
    options = dict(zip(("alpha", "beta2", "eps"), hyper)) | other
    return run(rule, theta0=theta, gradients=gradients, **options).theta


def _rmsprop_with(**options):
    """RMSprop whose options are functions of (alpha, beta2, eps)."""
    def path(theta, gradients, *hyper):
        return _rmsprop_path(theta, gradients, *hyper,
                             **{k: f(*hyper) for k, f in options.items()})
    return path


def _rmsprop_without_root(state, g, *, alpha, eps, **hyper):
    after = rmsprop(state, g, alpha=alpha, eps=eps, **hyper)
    step = alpha * divide(g, after.v + eps)
    return after._replace(theta=state.theta - step)


def _rmsprop_late(state, g, *, alpha, eps, **hyper):
    after = rmsprop(state, g, alpha=alpha, eps=eps, **hyper)
    step = alpha * divide(g, root(state.v, eps, False))
    return after._replace(theta=state.theta - step)


def _rmsprop_without_square(state, g, *, alpha, beta2, eps, **hyper):
    v = adam(state._replace(m=state.v), g, beta1=beta2, beta2=beta2).m
    after = rmsprop(state, g, alpha=alpha, beta2=beta2, eps=eps, **hyper)
    step = alpha * divide(g, root(v, eps, False))
    return after._replace(theta=state.theta - step, v=v)


BROKEN_RMSPROPS = {
    "ε is inside the root":
        _rmsprop_with(eps_inside=lambda *_: True),
    "ε is missing":
        _rmsprop_with(eps=lambda *_: 0.0),
    "β₂ and 1 − β₂ are exchanged":
        _rmsprop_with(beta2=lambda a, b2, e: 1 - b2),
    "v starts at one instead of zero":
        _rmsprop_with(v0=lambda *_: 1.0),
    "v is bias-corrected; RMSprop's is not":
        _rmsprop_with(alpha=lambda a, b2, e: lambda t: a * np.sqrt(1 - b2**t),
                      eps=lambda a, b2, e: lambda t: e * np.sqrt(1 - b2**t)),
    "the step uses v of the step before: update v first":
        partial(_rmsprop_path, rule=_rmsprop_late),
    "the square root is missing":
        partial(_rmsprop_path, rule=_rmsprop_without_root),
    "the gradient is not squared in v":
        partial(_rmsprop_path, rule=_rmsprop_without_square),
    "the factor 1 − β₂ is missing in v":
        _rmsprop_with(alpha=lambda a, b2, e: a * np.sqrt(1 - b2),
                      eps=lambda a, b2, e: e * np.sqrt(1 - b2)),
    "the sign of the update is wrong: it climbs":
        _reversed(_rmsprop_path),
    "the rate α is missing":
        _rmsprop_with(alpha=lambda *_: 1.0),
}


def check_rmsprop(function):
    """Check ``my_rmsprop(theta, gradients, alpha, beta2, eps)``.

    It must return θ_0, θ_1, ..., an array of shape (steps + 1, d), for
    gradients g_1, g_2, ... of shape (steps, d).  ε stands outside the root.

    >>> check_rmsprop(lambda theta, gradients, alpha, beta2, eps: None)
    <lambda>: not done yet
    """
    return check_function(
        function, _rmsprop_path, quantities=("theta",), first_t=0,
        inputs=[(START, STREAM, 0.1, 0.9, 0.01),
                (START, 10 * STREAM, 0.02, 0.6, 0.1)],
        wrong=BROKEN_RMSPROPS)
