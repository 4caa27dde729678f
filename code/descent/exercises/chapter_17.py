"""Checks of the exercises of chapter 17."""

from functools import partial

import numpy as np

from descent.exercises.engine import (Complaint, Verdict, check_function,
                                      never_raises)
from descent.exercises.mistakes import BROKEN_ADAMS, START, STREAM, _adam_path
from descent.loop import run
from descent.rules import adam, adamw, divide, rmsprop, root


def _squares_of(corrected):
    """Adam whose v averages the squares of m or of m̂."""
    def rule(state, g, *, alpha, beta1, beta2, eps):
        m_hat = adam(state, g, beta1=beta1).m_hat
        m = m_hat if corrected else adam(state, g, beta1=beta1).m
        v_hat = adam(state, m, beta2=beta2).v_hat
        after = adam(state, g, beta1=beta1)
        step = alpha * divide(m_hat, root(v_hat, eps, False))
        return after._replace(theta=state.theta - step,
                              v=adam(state, m, beta2=beta2).v)
    return partial(_adam_path, rule=rule)


def _adding_eps(power):
    """Adam that adds ε, or ε², to v at every step."""
    def rule(state, g, *, alpha, beta1, beta2, eps):
        after = adam(state, g, beta1=beta1, beta2=beta2)
        v = after.v + eps**power
        step = alpha * after.m_hat / np.sqrt(v / (1 - beta2**after.t))
        return after._replace(theta=state.theta - step, v=v)
    return partial(_adam_path, rule=rule)


def _with_decay(rule):
    def path(theta, gradients, alpha, beta1, beta2, eps, decay):
        return run(rule, theta0=theta, gradients=gradients, alpha=alpha,
                   beta1=beta1, beta2=beta2, eps=eps,
                   weight_decay=decay).theta
    return path


def _decay_in(m, v, beside):
    """Adam with λθ in the gradient of m, of v, beside the step."""
    def rule(state, g, *, weight_decay, **hyper):
        lam = weight_decay * state.theta
        one = adam(state, g + m * lam, **hyper)
        two = adam(state, g + v * lam, **hyper)
        step = hyper["alpha"] * (divide(one.m_hat, root(
            two.v_hat, hyper["eps"], False)) + beside * lam)
        return one._replace(theta=state.theta - step, v=two.v)
    return _with_decay(rule)


def _decay_after(state, g, *, weight_decay, **hyper):
    """The decay applied to the new θ instead of the old one."""
    after = adam(state, g, **hyper)
    return after._replace(
        theta=after.theta * (1 - hyper["alpha"] * weight_decay))


def _decay_without_rate(state, g, *, weight_decay, **hyper):
    return adamw(state, g, weight_decay=weight_decay / hyper["alpha"], **hyper)


STILL_BROKEN = "these are still the steps of the broken one; "
BROKEN_PARTS = {
    "a": {STILL_BROKEN + "a constant gradient does not show it, noise does":
              _squares_of(True),
          "v averages the squares of m; it needs those of g":
              _squares_of(False)},
    "b": {STILL_BROKEN + "let all gradients be 0 and look at v":
              _decay_in(m=0, v=1, beside=1),
          "the decay is missing": _decay_in(m=0, v=0, beside=0),
          "this is Adam with an L2 penalty: the decay goes through m and v":
              _decay_in(m=1, v=1, beside=0),
          "the decay is there twice, in the gradient and beside the step":
              _decay_in(m=1, v=1, beside=1),
          "the decay takes the new θ; take the one before the step":
              _with_decay(_decay_after),
          "the rate is missing in the decay": _with_decay(
              _decay_without_rate)},
    "c": {STILL_BROKEN + "try gradients as small as ε": _adding_eps(2),
          "ε is still added to v at every step": _adding_eps(1)},
}


def check_broken_adam(part, function):
    """Check the repaired (a), (b) or (c) of chapter 17.

    Adam as ``check_adam`` takes it; (b) is AdamW with λ as its last argument.

    >>> check_broken_adam("a", None)
    (a): not done yet
    """
    if part not in BROKEN_PARTS:
        print(f"({part}): there are parts a to c")
        return Verdict(0.0, f"({part}): there are parts a to c")
    right, wrong = _adam_path, BROKEN_PARTS[part] | BROKEN_ADAMS
    inputs = [(START, STREAM, 0.1, 0.9, 0.95, 0.01),
              (START, 10 * STREAM, 0.02, 0.6, 0.99, 0.1)]
    if part == "b":
        right, wrong = _with_decay(adamw), BROKEN_PARTS[part]
        inputs = [(*args, 0.2) for args in inputs]
    return check_function(function, right, inputs, quantities=("theta",), first_t=0,
                          wrong=wrong, name=f"({part})")


def ways(gradients):
    """The whole way of RMSprop in units of α, for β₂ = 0.9 and 0.99.

    The lengths of all steps together, from v₀ = 0 with ε = 0.

    >>> ways([1.0]).round(2)
    array([ 3.16, 10.  ])
    """
    stream = np.asarray(gradients, float)[:, None]
    paths = [run(rmsprop, theta0=[0.0], gradients=stream, alpha=1.0,
                 beta2=beta2, eps=0.0).theta[:, 0] for beta2 in (0.9, 0.99)]
    return np.abs(np.diff(paths)).sum(1)


def check_made_true(gradients):
    """Gradients for which a tenth of 1 − β₂ changes the way more than tenfold.

    >>> check_made_true(None)
    your gradients: not done yet
    >>> check_made_true([1.0] * 2000)
    your gradients: the ways are 2009 α and 2124 α, a factor of 1.1
        likely cause: steady gradients: both soon walk α a step
    """
    return _check_made_true(gradients)


@never_raises
def _check_made_true(gradients):
    return "your gradients", _judge_made_true(gradients)


def _judge_made_true(gradients):
    value = gradients() if callable(gradients) else gradients
    if value is None:
        return "not done yet"
    try:
        stream = np.asarray(value, float)
    except (TypeError, ValueError):
        raise Complaint("it must be a list of numbers") from None
    if stream.ndim != 1 or not 1 <= len(stream) <= 2000:
        return "a list of 1 to 2,000 numbers is asked for"
    if not (np.abs(stream) <= 1e100).all():
        return "each gradient is a number of at most 1e100 in size"
    if not stream.any():
        return "all gradients are 0: nothing moves"
    short, long = ways(stream)
    factor = max(short / long, long / short)
    if factor > 10:
        return "correct"
    return (f"the ways are {short:.0f} α and {long:.0f} α, a factor of "
            f"{factor:.1f}\n    likely cause: {_why_alike(stream)}")


def _why_alike(stream):
    size = np.abs(stream[stream != 0])
    if size.max() < 2 * size.min():
        return "steady gradients: both soon walk α a step"
    if len(stream) < 200:
        return "too few steps: the shorter memory has no time to return"
    if np.argmax(np.abs(stream)) > len(stream) // 2:
        return "a rise ends within the memory; try the other direction"
    return "a fall helps; make it deeper, or let it come earlier"
