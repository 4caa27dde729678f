"""Checks of the exercises of chapter 17."""

from functools import partial

import numpy as np

from descent.exercises.engine import check_function
from descent.exercises.mistakes import (BROKEN_ADAMS, START, STREAM,
                                        _adam_counting, _adam_path)
from descent.loop import run
from descent.rules import adam, adamw, divide, root


def _over_epochs(theta, epochs, *hyper, path=_adam_path):
    return path(theta, epochs.reshape(-1, len(theta)), *hyper)


def _restarting(theta, epochs, *hyper):
    """Adam whose t begins again at 1 in each epoch, the averages do not."""
    return _adam_counting(lambda t: (t - 1) % epochs.shape[1] + 1)(
        theta, epochs.reshape(-1, len(theta)), *hyper)


def _forgetting(theta, epochs, *hyper):
    """Adam that begins anew in each epoch, averages too."""
    path = [theta]
    for gradients in epochs:
        path.extend(_adam_path(path[-1], gradients, *hyper)[1:])
    return np.array(path)


def _one_array(state, g, *, alpha, beta1, beta2, eps):
    """Adam whose two averages are one array."""
    both = beta2 * (beta1 * state.m + (1 - beta1) * g) + (1 - beta2) * g**2
    t = state.t + 1
    step = alpha * divide(both / (1 - beta1**t),
                          root(both / (1 - beta2**t), eps, False))
    return state._replace(theta=state.theta - step, t=t, m=both, v=both)


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
EPOCHS = np.stack([STREAM, -STREAM[::-1]])
BROKEN_PARTS = {
    "a": {STILL_BROKEN + "look at m and v after one step":
              partial(_adam_path, rule=_one_array)},
    "b": {STILL_BROKEN + "a constant gradient does not show it, noise does":
              _squares_of(True),
          "v averages the squares of m; it needs those of g":
              _squares_of(False)},
    "c": {STILL_BROKEN + "look at the first steps of the second epoch":
              _restarting,
          "m and v begin anew in each epoch: they must go on": _forgetting},
    "d": {STILL_BROKEN + "look at the size of the first step":
              BROKEN_ADAMS["v is corrected with β₁ instead of β₂"]},
    "e": {STILL_BROKEN + "let all gradients be 0 and look at v":
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
    "f": {STILL_BROKEN + "try gradients as small as ε": _adding_eps(2),
          "ε is still added to v at every step": _adding_eps(1)},
}


def check_broken_adam(part, function):
    """Check the repaired (a), ..., (f) of chapter 17.

    Adam as ``check_adam`` takes it; (c) takes gradients of shape (epochs,
    steps, d), and (e) is AdamW with λ as its last argument.

    >>> check_broken_adam("a", None)
    (a): not done yet
    """
    if part not in BROKEN_PARTS:
        print(f"({part}): there are parts a to f")
        return
    right, wrong = _adam_path, BROKEN_PARTS[part] | BROKEN_ADAMS
    inputs = [(START, STREAM, 0.1, 0.9, 0.95, 0.01),
              (START, 10 * STREAM, 0.02, 0.6, 0.99, 0.1)]
    if part == "c":
        right = _over_epochs
        wrong = BROKEN_PARTS[part] | {
            cause: partial(_over_epochs, path=path)
            for cause, path in BROKEN_ADAMS.items()}
        inputs = [(START, EPOCHS, *inputs[0][2:]),
                  (START, 10 * EPOCHS, *inputs[1][2:])]
    if part == "e":
        right, wrong = _with_decay(adamw), BROKEN_PARTS[part]
        inputs = [(*args, 0.2) for args in inputs]
    check_function(function, right, inputs, quantities=("theta",), first_t=0,
                   wrong=wrong, name=f"({part})")
