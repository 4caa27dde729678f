"""Chapter 5, in closed form: the small print: ε, centering, momentum."""

import numpy as np


def centered_moment(t, g, beta2):
    """v_t − m_t² on a constant gradient, both from zero.

    v_t − m_t² = g² β₂^t (1 − β₂^t)                                     (5.1)

    >>> float(centered_moment(1, 2.0, 0.5))
    1.0
    """
    return g**2 * beta2**t * (1 - beta2**t)  # (5.1)


def centered_step(t, beta2):
    """Centered RMSprop's t-th step on a constant gradient, over α (ε = 0).

    |Δ_t|/α = 1/√(β₂^t (1 − β₂^t))                                      (5.2)

    >>> float(centered_step(1, 0.5))
    2.0
    """
    return 1 / np.sqrt(beta2**t * (1 - beta2**t))  # (5.2)


def stall_gap(spacing, beta2):
    """An average that is rounded after each step stands still this close.

    |g² − v| ≤ s / (2 (1 − β₂)), s the spacing of the numbers around v  (5.3)

    >>> stall_gap(0.25, 0.5)
    0.25
    """
    return spacing / (2 * (1 - beta2))  # (5.3)


def centered_until_cap(g, eps, beta2):
    """The t, not rounded, at which ε (outside) stops the growing step.

    |g| β₂^{t/2} = ε:  t = 2 ln(|g|/ε) / (−ln β₂)                       (5.4)

    >>> round(float(centered_until_cap(1.0, 0.125, 0.5)), 6)
    6.0
    """
    return 2 * np.log(np.abs(g) / eps) / -np.log(beta2)  # (5.4)


def centered_until_rounding(bits, beta2):
    """The t at which v_t − m_t² is no larger than what rounding does to it.

    β₂^t = 2^−p / (1 − β₂):  t = ln(2^p (1 − β₂)) / (−ln β₂)            (5.5)

    >>> round(float(centered_until_rounding(11, 0.5)), 6)
    10.0
    """
    return np.log(2.0**bits * (1 - beta2)) / -np.log(beta2)  # (5.5)


def settled_step(g, eps):
    """RMSprop's step on a constant gradient, late, in units of α; ε outside.

    |Δ|/α = |g| / (|g| + ε)                                             (5.6)

    >>> float(settled_step(-3.0, 1.0))
    0.75
    """
    return np.abs(g) / (np.abs(g) + eps)  # (5.6)


def settled_step_inside(g, eps):
    """The same with ε inside the root.

    |Δ|/α = |g| / √(g² + ε)                                             (5.7)

    >>> float(settled_step_inside(-3.0, 16.0))
    0.6
    """
    return np.abs(g) / np.sqrt(g**2 + eps)  # (5.7)


def eps_inside_for(eps, v):
    """The ε that does inside the root, at this v, what `eps` does outside.

    ε_in = ε² + 2 ε √v                                                  (5.8)

    >>> float(eps_inside_for(1.0, 4.0))
    5.0
    """
    return eps**2 + 2 * eps * np.sqrt(v)  # (5.8)


def translation_gap(x):
    """How many times longer the step is with ε² inside than with ε outside.

    (√v + ε) / √(v + ε²) = (1 + x) / √(1 + x²) ≤ √2,  x = √v / ε        (5.9)

    >>> float(translation_gap(0.75))
    1.4
    """
    return (1 + x) / np.sqrt(1 + x**2)  # (5.9)


def momentum_after_rate_change(k, r, mu):
    """The k-th step after the rate went from α to r α; the rate is inside b.

    Δ_k/α = (r + (1 − r) μ^k) / (1 − μ), the ratio g/√v being one      (5.10)

    >>> float(momentum_after_rate_change(1, 0.0, 0.5))
    1.0
    """
    return (r + (1 - r) * mu**k) / (1 - mu)  # (5.10)
