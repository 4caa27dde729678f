"""Checks of the exercises of chapter 9."""

import numpy as np

from descent import theory
from descent.exercises.engine import (_given, check_function, never_raises)
from descent.loop import run
from descent.rules import adam


@never_raises
def check_counterexample(answer):
    """A wrong line of a proof, and two gradients whose second step is > α.

    >>> check_counterexample((3, 1.0, 1.0))
    counterexample: not right: your second step is 1 α long
    """
    name = "counterexample"
    given = _given(answer)
    if given is None:
        return name, "not done yet"
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

    return check_function(
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


QUIET, LOUD, MOST, GOAL = 1, 10, 5000, 5.2


@never_raises
def check_never_silent(answer):
    """At most 5000 gradients of sizes 1 to 10 whose last step is > 5.2 α.

    Default betas, ε = 0.  The longest of all is (9.3), clipped.

    >>> check_never_silent([1.0] * 4983 + [10.0] * 17)
    your stream: its last step is 5.191 α;
        go beyond 5.2 α
        hint: from quiet to loud, in a jump?
    """
    name = "your stream"
    g = _given(answer)
    if g is None:
        return name, "not done yet"
    if g.ndim == 2 and g.shape[-1] == 1:
        g = g[:, 0]
    if g.ndim != 1 or not 1 <= len(g) <= MOST:
        return name, (f"a list of 1 to {MOST} gradients is needed, but its "
                      f"shape is {g.shape}")
    if not np.isfinite(g).all():
        return name, "the gradients must be finite"
    size = np.abs(g)
    if size.min() < QUIET * (1 - 1e-9) or size.max() > LOUD * (1 + 1e-9):
        return name, (f"sizes from {QUIET} to {LOUD} are allowed, yours go "
                      f"from {size.min():.6g} to {size.max():.6g}")
    step = _last_step(g)
    if step > GOAL:
        return name, (f"correct\n    its last step is {step:.5g} α,\n    "
                      f"{step / _longest_last_step():.1%} of the longest")
    said = f"its last step is {step:.4g} α;\n    go beyond {GOAL} α"
    return name, said + _why_short(g, step)


def _last_step(g):
    w, u = (theory.corrected_weights(len(g), b)[::-1] for b in (0.9, 0.999))
    return float(abs(g @ w) / np.sqrt(g**2 @ u))


def _longest_last_step():
    back = (1 / theory.worst_growth(0.9, 0.999)) ** np.arange(MOST)
    return max(_last_step(np.clip(top * back, QUIET, LOUD)[::-1])
               for top in np.linspace(25, 35, 41))


def _why_short(g, step):
    """The likely cause, or a hint."""
    quiet = np.full(MOST - len(g), float(np.sign(g[0]) or 1))
    loud = np.abs(g) > 0.7 * LOUD
    if _last_step(g[::-1]) > step + 0.5:
        return "\n    likely cause: backwards: the loud ones must come last"
    if _last_step(np.abs(g)) > step + 0.5:
        return ("\n    likely cause: the late gradients differ in sign, and "
                "cancel in m")
    if _last_step(np.r_[quiet, g]) > step + 0.05:
        return (f"\n    likely cause: {len(g)} gradients are too few: v "
                "remembers a thousand quiet steps")
    if loud.sum() > 25:
        return (f"\n    likely cause: {loud.sum()} loud gradients are too "
                "many: v remembers them all")
    if set(np.abs(g)) <= {QUIET, LOUD}:
        return "\n    hint: from quiet to loud, in a jump?"
    return ""
