"""Checks of the exercises of chapter 15."""

import numpy as np

from descent.exercises.engine import (_call, _undone, check_value,
                                      never_raises)
from descent.rules import State, adam


MOST_PASSES = 10


def check_lean_step(function):
    """A step of Adam in place, in at most 10 passes and without new arrays.

    >>> check_lean_step(lambda *arguments: None)
    lean step: not done yet
    """
    return _check_lean_step(function)


@never_raises
def _check_lean_step(function):
    return "lean step", _judge_lean_step(function)


class _Watched(np.ndarray):
    """An array that counts the operations which write arrays of its size."""

    passes, new = 0, 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **rest):
        _Watched.passes += 1
        _Watched.new += out is None
        plain = [np.asarray(x) for x in inputs]
        result = getattr(ufunc, method)(
            *plain, out=out and tuple(map(np.asarray, out)), **rest)
        return out[0] if out else result.view(_Watched)


def _judge_lean_step(function):
    if _undone(function):
        return "not done yet"
    hyper = {"alpha": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-3}
    stream = np.random.default_rng(15).standard_normal((30, 7))
    theta, *rest = (np.zeros(7).view(_Watched) for _ in range(4))
    state = State(theta=np.zeros(7))
    for t, g in enumerate(stream, 1):
        _Watched.passes = _Watched.new = 0
        arrays = theta, g.view(_Watched), *rest
        _call(lambda: function(*arrays, t, *hyper.values()), ())  # without copies
        if not np.asarray(theta).any():
            return "not done yet"
        state = adam(state, g, **hyper)
        if not np.allclose(np.asarray(theta), state.theta, rtol=1e-9, atol=1e-12):
            return f"not the step of Adam: θ is another after step {t}"
    passes, new = _Watched.passes, _Watched.new
    if new:
        return f"{new} new arrays a step: give each operation its out="
    if passes > MOST_PASSES:
        return f"{passes} passes; at most {MOST_PASSES} are asked for"
    return "correct"


def check_twin_averages(answer):
    """The first step of chapter 15's suspect on the gradient 1, in α.

    >>> check_twin_averages(1.0)
    the first step: not right: 1
        likely cause: this is a sound Adam; follow the arrays line by line
    """
    one = 0.999 * 0.1 + 0.001
    return check_value("the first step", answer, one / 0.1 / np.sqrt(one / 0.001),
                       rtol=1e-3, wrong={
        "this is a sound Adam; follow the arrays line by line": 1.0,
        "nearly: look at m once more after v's line": 0.1})
