"""Checks of the exercises of chapter 9."""

import numpy as np

from descent import theory
from descent.exercises.engine import (_array, _call, _undone, check_function,
                                      check_value, never_raises)
from descent.loop import run
from descent.rules import adam, root


def check_another_pair(answer):
    """The largest possible step for (0.95, 0.98), and the growth behind it.

    >>> check_another_pair((1.0, 0.969))
    largest step and growth: not right: [1, 0.969]
    """
    beta1, beta2 = 0.95, 0.98
    right = theory.sharp_bound_ever(beta1, beta2)
    growth = theory.worst_growth(beta1, beta2)
    alone = theory.single_gradient_step(np.inf, beta1, beta2)
    steps = {
        "the step is that of one gradient after a silence": alone,
        "the step is the paper's second case": 1.0,
        "the step is squared: a root is missing": right**2,
        "the step has x = β₁/β₂, not β₁²/β₂":
            alone / np.sqrt(1 - beta1 / beta2),
        "the step has x = β₁², not β₁²/β₂": alone / np.sqrt(1 - beta1**2)}
    check_value("largest step and growth", answer, np.array([right, growth]),
                rtol=2e-3, wrong={
        "the growth is upside down: so these gradients would shrink":
            np.array([right, 1 / growth]),
        "the order is step, growth": np.array([growth, right]),
        **{text: np.array([step, growth]) for text, step in steps.items()}})


@never_raises
def check_counterexample(answer):
    """A wrong line of a proof, and two gradients whose second step is > α.

    >>> check_counterexample((3, 1.0, 1.0))
    counterexample: not right: your second step is 1 α long
    """
    name = "counterexample"
    given = _call(answer, ()) if callable(answer) else answer
    if _undone(given):
        return name, "not done yet"
    given = _array(given)
    if given.shape != (3,):
        return name, "give the line, g₁ and g₂"
    if given[0] != 3:
        why = {1: "(7.3) says exactly this of m̂",
               2: "(7.3), with β₂ and g², says exactly this of v̂",
               4: "it follows from line 3"}
        return name, f"not line {given[0]:g}" + (
            f": {why[given[0]]}" if given[0] in why else "")
    path = run(adam, theta0=[0.0], gradients=given[1:, None], alpha=1.0,
               eps=0.0)
    step = abs(path.theta[2, 0] - path.theta[1, 0])
    if step > 1 + 1e-9:
        return name, "correct"
    return name, f"not right: your second step is {step:.6g} α long"


def check_my_bound(function):
    """Check ``my_bound(t, beta1, beta2)``, the largest t-th step over α.

    >>> check_my_bound(lambda t, beta1, beta2: None)
    <lambda>: not done yet
    """
    def weighted(power_w=2, power_u=1, correct_w=True, correct_u=True, more=0,
                 root=True):
        def bound(t, beta1, beta2):
            k = np.arange(t + more)
            w = (1 - beta1) * beta1**k / (1 - beta1**t if correct_w else 1)
            u = (1 - beta2) * beta2**k / (1 - beta2**t if correct_u else 1)
            total = (w**power_w / u**power_u).sum()
            return np.sqrt(total) if root else total
        return bound

    check_function(
        function, theory.sharp_bound_sum, quantities=("S_t",),
        inputs=[(1, 0.9, 0.999), (7, 0.9, 0.95), (10, 0.5, 0.9),
                (4, 0.8, 0.6)],
        rtol=1e-6, wrong={
            "the root is missing": weighted(root=False),
            "the weights of m are not squared": weighted(power_w=1),
            "the weights of v are squared too": weighted(power_u=2),
            "the weights of v are under a root": weighted(power_u=0.5),
            "this is uncorrected Adam": weighted(
                correct_w=False, correct_u=False),
            "v is not corrected": weighted(correct_u=False),
            "m is not corrected": weighted(correct_w=False),
            "the sum has t + 1 terms": weighted(more=1),
            "the sum has t − 1 terms": weighted(more=-1),
            "this is one gradient after a silence":
                theory.single_gradient_step,
            "this is the limit t → ∞":
                lambda t, beta1, beta2: theory.sharp_bound_ever(beta1, beta2),
            "β₁ and β₂ are exchanged":
                lambda t, beta1, beta2: theory.sharp_bound_sum(
                    t, beta2, beta1)})
