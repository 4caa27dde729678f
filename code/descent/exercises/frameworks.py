"""Checks of the exercises of the page about frameworks."""

import math

import numpy as np

from descent.exercises.engine import (Verdict, _given, check_function,
                                      check_value, never_raises)
from descent.loop import run
from descent.rules import rmsprop


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
    return Verdict.of_parts(
        check_value(name, lambda i=i: (answer() if callable(answer)
                                       else answer)[i], right, wrong=wrong)
        for i, (name, (right, wrong)) in enumerate(checks.items()))


def _crawl_ends(final=False, share=0.5):
    g = np.full((300, 1), 0.02)
    old, new = (-np.diff(run(rmsprop, theta0=[0.0], gradients=g, alpha=1.0,
                             eps=1e-10, eps_inside=True, v0=v0).theta[:, 0])
                for v0 in (1.0, 0.0))
    return int((old >= share * (1.0 if final else new)).argmax()) + 1


def check_converter(function):
    """Check ``convert(lr, rho, epsilon, weight_decay)`` of the page about frameworks.

    >>> check_converter(lambda *settings: None)
    <lambda>: not done yet
    """
    def right(lr, rho, epsilon, weight_decay):
        return lr, rho, math.sqrt(epsilon), 0.0, 1 - lr * weight_decay

    return check_function(
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


@never_raises
def check_two_directions(answer):
    """Ten gradients that send Keras's RMSprop up and its translation down.

    Or the other way round; each must end at least 0.1 α from its start.
    Keras with ε = 1e-7, PyTorch with the ε of `translate`, β₂ = 0.9.

    >>> check_two_directions([1e-3] * 10)
    your gradients: Keras ends at -14.8, PyTorch at -11, in units of α
        likely cause: both go the same way; turn where v is far above ε
    """
    name = "your gradients"
    g = _given(answer)
    if g is None:
        return name, "not done yet"
    if g.shape != (10,):
        return name, f"ten gradients are needed, but it has shape {g.shape}"
    if not np.isfinite(g).all():
        return name, "the gradients must be finite"
    ends = [run(rmsprop, theta0=[0.0], gradients=g[:, None], alpha=1.0,
                eps=eps, eps_inside=inside).theta[-1, 0]
            for eps, inside in ((1e-7, True), (math.sqrt(1e-7), False))]
    text = "Keras ends at {:.3g}, PyTorch at {:.3g}, in units of α".format(
        *ends)
    if ends[0] * ends[1] >= 0:
        return name, text + ("\n    likely cause: both go the same way; turn "
                             "where v is far above ε")
    if min(map(abs, ends)) < 0.1:
        return name, text + "\n    nearly: each must end 0.1 α from its start"
    return name, f"correct\n    {text}"
