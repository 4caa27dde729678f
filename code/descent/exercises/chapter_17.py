"""Checks of the exercises of chapter 17."""

import math
from functools import partial

import numpy as np

from descent.exercises.engine import check_function, check_value
from descent.exercises.mistakes import (BROKEN_ADAMS, START, STREAM,
                                        _adam_counting, _adam_path)
from descent.loop import run
from descent.rules import adam, adamw, divide, rmsprop, root


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


def check_tensorflow_by_hand(answer):
    """TensorFlow's RMSprop in PyTorch: lr, alpha, eps, end of the crawl.

    >>> check_tensorflow_by_hand((0.003, 0.9, 1e-10, None))
    lr: correct
    alpha: correct
    eps: not right: 1e-10
        likely cause: ε has left the root: what is the smallest denominator?
    step: not done yet
    """
    late = _crawl_ends()
    checks = {
        "lr": (0.003, {"this is PyTorch's default": 0.01}),
        "alpha": (0.9, {"this is PyTorch's default": 0.99}),
        "eps": (1e-5, {
            "ε has left the root: what is the smallest denominator?": 1e-10,
            "this is PyTorch's default": 1e-8,
            "this is the floor of Keras's default": 1e-7**0.5}),
        "step": (late, {
            "one step early: it is still less than half as long": late - 1,
            "one step late: the one before it is half as long": late + 1,
            "compare with PyTorch's step of the same t, not with α":
                _crawl_ends(final=True),
            "half as long is four times the v, not twice":
                _crawl_ends(share=0.5**0.5)})}
    for i, (name, (right, wrong)) in enumerate(checks.items()):
        check_value(name, lambda i=i: (answer() if callable(answer)
                                       else answer)[i], right, wrong=wrong)


def _crawl_ends(final=False, share=0.5):
    g = np.full((300, 1), 0.02)
    old, new = (-np.diff(run(rmsprop, theta0=[0.0], gradients=g, alpha=1.0,
                             eps=1e-10, eps_inside=True, v0=v0).theta[:, 0])
                for v0 in (1.0, 0.0))
    return int((old >= share * (1.0 if final else new)).argmax()) + 1


def check_converter(function):
    """Check ``convert(lr, rho, epsilon, weight_decay)`` of chapter 17.

    >>> check_converter(lambda *settings: None)
    <lambda>: not done yet
    """
    def right(lr, rho, epsilon, weight_decay):
        return lr, rho, math.sqrt(epsilon), 0.0, 1 - lr * weight_decay

    check_function(
        function, right, [(0.01, 0.9, 1e-6, 0.1), (0.002, 0.95, 1e-4, 0.5)],
        quantities=("lr", "alpha", "eps", "weight_decay", "factor"), wrong={
            "this is the colleague's: ε and the decay have changed sides":
                lambda lr, rho, eps, decay: (lr, rho, eps, decay, 1.0),
            "ε has left the root; what is the smallest denominator?":
                lambda lr, rho, eps, decay: (lr, rho, eps, 0.0,
                                             1 - lr * decay),
            "the square has the wrong direction":
                lambda lr, rho, eps, decay: (lr, rho, eps**2, 0.0,
                                             1 - lr * decay),
            "PyTorch would add the decay to the gradient, where it is "
            "divided by √v": lambda lr, rho, eps, decay: (
                lr, rho, math.sqrt(eps), decay, 1.0),
            "the decay is there twice": lambda lr, rho, eps, decay: (
                lr, rho, math.sqrt(eps), decay, 1 - lr * decay),
            "Keras's decay is multiplied by the rate":
                lambda lr, rho, eps, decay: (lr, rho, math.sqrt(eps), 0.0,
                                             1 - decay),
            "the decay is lost": lambda lr, rho, eps, decay: (
                lr, rho, math.sqrt(eps), 0.0, 1.0)})
