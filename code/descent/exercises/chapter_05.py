"""Checks of the exercises of chapter 5."""

import numpy as np

from descent.exercises.engine import (Complaint, check_function, check_value,
                                      never_raises)
from descent.loop import run
from descent.rules import adam, rmsprop, rmsprop_centered


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

    return check_function(
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
    far = 1e6 + np.random.default_rng(6).standard_normal(400)
    return check_function(  # far from zero, v − m² has four digits and less
        function, _noise, quantities=("w",), first_t=0, rtol=1e-12,
        inputs=[(stream, 0.9), (1 + 0.3 * stream, 0.6), (far, 0.9)],
        wrong={
            "this is the snippet: the new mean stands in (g − m)":
                lambda g, b: _noise(g, b, new_mean=True, factor=1.0),
            "the new mean stands in (g − m), and a factor on top of it":
                lambda g, b: _noise(g, b, new_mean=True),
            "the old mean is right, but a factor is missing":
                lambda g, b: _noise(g, b, factor=1.0),
            "this is v − m²: where the mean is large, rounding eats it":
                difference})


def check_best_translation(answer):
    """The c of ε_in = c ε² with the smallest worst factor, and that factor.

    >>> check_best_translation((1.0, 1.41421))
    (c, factor): not right: [1, 1.41421]
        likely cause: this is ε_in = ε²; another c has a smaller worst factor
    """
    c = (1 + np.sqrt(5)) / 2
    return check_value("(c, factor)", answer, np.array([c, np.sqrt(c)]), wrong={
        "this is ε_in = ε²; another c has a smaller worst factor":
            np.array([1, np.sqrt(2)]),
        "c is right; the factor is not: steps go with roots":
            np.array([c, c]),
        "c is right; this factor is less than one: turn it over":
            np.array([c, 1 / np.sqrt(c)]),
        "the factor is right; c is upside down":
            np.array([1 / c, np.sqrt(c)]),
        "the two are exchanged": np.array([np.sqrt(c), c])})


@never_raises
def check_runaway(stream):
    """200 gradients with the sum zero: centered RMSprop runs, plain stays.

    >>> check_runaway(lambda: None)
    your stream: not done yet
    >>> check_runaway(np.tile([1.0, -1.0], 100))
    your stream: centered RMSprop ends 1.63 α away; 3000 are asked for
        likely cause: it is never steady: centered steps grow on equal gradients
    """
    try:
        _judge_stream(stream() if callable(stream) else stream)
    except Complaint as complaint:
        return "your stream", str(complaint)
    except Exception as error:
        return "your stream", f"it raised {type(error).__name__}: {error}"
    return "your stream", "correct"


def _judge_stream(stream):
    if stream is None:
        raise Complaint("not done yet")
    try:
        g = np.array(stream, dtype=float)
    except (TypeError, ValueError):
        raise Complaint("it must be an array of numbers") from None
    if g.shape != (200,):
        raise Complaint(f"it has shape {g.shape}, but (200,) is needed")
    if not (np.abs(g) <= 1).all():
        raise Complaint("each gradient is a number between −1 and 1")
    if abs(g.sum()) > 1e-9:
        raise Complaint(f"the sum is {g.sum():.3g}, not zero")
    plain, centered = (run(rule, theta0=[0.0], gradients=g[:, None],
                           alpha=1.0).theta[-1, 0]
                       for rule in (rmsprop, rmsprop_centered))
    if np.isnan(centered):
        raise Complaint("centered RMSprop ends in NaN; it should run, not die")
    if abs(centered) <= 3000:
        text = (f"centered RMSprop ends {abs(centered):.3g} α away; "
                "3000 are asked for")
        if not (np.diff(g) == 0).any():
            text += ("\n    likely cause: it is never steady: centered steps "
                     "grow on equal gradients")
        elif abs(plain) <= 15:
            text += ("\n    likely cause: it is as steady both ways, or not "
                     "for long enough: come back in jerks")
        raise Complaint(text)
    if abs(plain) > 15:
        raise Complaint(
            f"centered RMSprop runs, but plain RMSprop too: it ends "
            f"{abs(plain):.3g} α away, and 15 are allowed\n    likely cause: "
            "each plain step is about α: as many steps back as forth")
