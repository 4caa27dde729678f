"""Checks of the exercises of chapter 18."""

from functools import partial

import numpy as np

from descent.exercises.engine import (Complaint, _call, _short, _undone,
                                      check_value, never_raises)
from descent.loop import run
from descent.rules import adam, adam_l2, adamw


def check_resting_places(answer):
    """Where L2 in Adam, AdamW and the paper's AdamW rest.

    For g = 0.002, λ = 0.05 and α = 0.01.

    >>> check_resting_places((-0.04, -0.04, -0.2))
    (L2, AdamW, paper): not right: [-0.04, -0.04, -0.2]
        likely cause: AdamW balances λθ with g/√v, not with g
    """
    g, lam, alpha = 0.002, 0.05, 0.01
    right = np.array([-g / lam, -1 / lam, -alpha / lam])
    return check_value("(L2, AdamW, paper)", answer, right, wrong={
        "AdamW balances λθ with g/√v, not with g":
            [-g / lam, -g / lam, -alpha / lam],
        "the paper's λ is not multiplied by the rate": [*right[:2], -1 / lam],
        "this is the paper's λ times the rate twice":
            [*right[:2], -1 / (alpha * lam)],
        "the paper's α multiplies the quotient and not g":
            [*right[:2], -alpha * g / lam],
        "the first two are exchanged": right[[1, 0, 2]],
        "the signs are wrong: θ runs against the gradient": -right,
        "λ is in the denominator": [-g * lam, -lam, -alpha * lam]})


def _paper(state, g, *, alpha, weight_decay, falls=False):
    eta = 0.5**state.t if falls else 1.0
    after = adam(state, g, alpha=eta * alpha)
    return after._replace(
        theta=after.theta - eta * weight_decay * state.theta)


def _falling(state, g, *, alpha, weight_decay):
    return adamw(state, g, alpha=alpha * 0.5**state.t,
                 weight_decay=weight_decay)


PROGRAMS = [("L2", adam_l2), ("AdamW", adamw), ("paper", _paper),
            ("AdamW", _falling), ("paper", partial(_paper, falls=True))]


def _program(rule, gradients, alpha, weight_decay):
    g = np.asarray(gradients, dtype=float)[:, None]
    return run(rule, theta0=[1.0], gradients=g, alpha=alpha,
               weight_decay=weight_decay).theta[:, 0]


def check_whose_decay(function):
    """Check ``whose(program)``: it says which weight decay a program has.

    >>> check_whose_decay(lambda program: None)
    whose: not done yet
    >>> check_whose_decay(lambda program: "AdamW")
    whose: one program is "L2", and you say 'AdamW'
    """
    return _check_whose_decay(function)


@never_raises
def _check_whose_decay(function):
    try:
        return "whose", _judge_whose(function)
    except Complaint as complaint:
        return "whose", str(complaint)


def _judge_whose(function):
    if _undone(function):
        return "not done yet"
    if not callable(function):
        return "it must be a function of a program"
    for name, rule in PROGRAMS:
        said = _call(lambda: function(partial(_program, rule)), ())
        if _undone(said):
            return "not done yet"
        if not isinstance(said, str) or said.strip().casefold() != name.casefold():
            falls = rule not in (adam_l2, adamw, _paper)
            return (f'one program is "{name}", and you say {_short(said)}'
                    + "\n    its rate falls by half at each step" * falls)
    return "correct"
