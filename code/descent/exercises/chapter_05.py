"""Checks of the exercises of chapter 5."""

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value
from descent.loop import run
from descent.rules import adam


def check_eps_outside(answer):
    """The ε outside the root that equals 1e-7 inside it at g = 1e-4.

    >>> check_eps_outside(1e-7)
    the ε: not right: 1e-07
        likely cause: this is the same number: outside, it is compared with |g|
    """
    g, eps = 1e-4, 1e-7
    right = np.sqrt(g**2 + eps) - g
    check_value("the ε", answer, right, wrong={
        "this is the same number: outside, it is compared with |g|": eps,
        "this is right at v = 0, not at this gradient": np.sqrt(eps),
        "this is the translation in the other direction": eps**2,
        "this is the other direction: from outside to inside":
            theory.eps_inside_for(eps, g**2),
        "this is the whole divisor; subtract √v": np.sqrt(g**2 + eps),
        "√v is |g|, not g²": np.sqrt(g**2 + eps) - g**2})


def check_rattle(function):
    """Check ``rattle(alpha, lam, eps)``: where RMSprop jumps for ever.

    >>> check_rattle(lambda alpha, lam, eps: alpha / 2)
    <lambda>: the result is wrong
        yours: 0.05
        right: 0.03
        input: (0.1, 50, 1)
        likely cause: this is the rattle without ε
    """
    def right(alpha, lam, eps):
        return max(alpha / 2 - eps / lam, 0.0)

    check_function(
        function, right,
        inputs=[(0.1, 50.0, 1.0), (0.1, 1.0, 0.01), (0.2, 7.0, 0.0),
                (0.1, 50.0, 2.6)],
        wrong={
            "this is the rattle without ε": lambda a, lam, e: a / 2,
            "it is negative where the rattle has stopped: return 0 there":
                lambda a, lam, e: a / 2 - e / lam,
            "a jump from a to −a has the length 2a":
                lambda a, lam, e: max(a - e / lam, 0.0),
            "this is the whole jump, 2a":
                lambda a, lam, e: max(a - 2 * e / lam, 0.0),
            "ε is compared with the gradient λa, not with a":
                lambda a, lam, e: max(a / 2 - e, 0.0),
            "√v is λa, not a": lambda a, lam, e: max(a * lam / 2 - e, 0.0),
            "this is ε inside the root": lambda a, lam, e: np.sqrt(
                max(a**2 / 4 - e / lam**2, 0.0))})


def _noise(gradients, beta2, new_mean=False, factor=None):
    m, w, path = 0.0, 0.0, [0.0]
    for g in gradients:
        m_new = beta2 * m + (1 - beta2) * g
        scale = (beta2 if factor is None else factor) * (1 - beta2)
        w = beta2 * w + scale * (g - (m_new if new_mean else m)) ** 2
        m = m_new
        path.append(w)
    return np.array(path)


def check_noise(function):
    """Check ``noise(gradients, beta2)``: v_t − m_t² without a difference.

    >>> check_noise(lambda gradients, beta2: None)
    <lambda>: not done yet
    """
    def difference(g, beta2):
        path = run(adam, theta0=0.0, gradients=g, beta1=beta2, beta2=beta2)
        return path.v - path.m**2

    stream = np.random.default_rng(5).standard_normal(40)
    check_function(
        function, _noise, quantities=("w",), first_t=0,
        inputs=[(stream, 0.9), (1 + 0.3 * stream, 0.6),
                (np.full(400, 0.1), 0.9)],
        wrong={
            "this is the snippet: the new mean stands in (g − m)":
                lambda g, b: _noise(g, b, new_mean=True, factor=1.0),
            "the new mean stands in (g − m), and a factor on top of it":
                lambda g, b: _noise(g, b, new_mean=True),
            "the old mean is right, but a factor is missing":
                lambda g, b: _noise(g, b, factor=1.0),
            "this is v − m²: on a constant gradient rounding eats it":
                difference})


def check_best_translation(answer):
    """The c of ε_in = c ε² with the smallest worst factor, and that factor.

    >>> check_best_translation((1.0, 1.41421))
    (c, factor): not right: [1, 1.41421]
        likely cause: this is ε_in = ε²; another c has a smaller worst factor
    """
    c = (1 + np.sqrt(5)) / 2
    check_value("(c, factor)", answer, np.array([c, np.sqrt(c)]), wrong={
        "this is ε_in = ε²; another c has a smaller worst factor":
            np.array([1, np.sqrt(2)]),
        "c is right; the factor is not: steps go with roots":
            np.array([c, c]),
        "c is right; this factor is less than one: turn it over":
            np.array([c, 1 / np.sqrt(c)]),
        "the factor is right; c is upside down":
            np.array([1 / c, np.sqrt(c)]),
        "the two are exchanged": np.array([np.sqrt(c), c])})
