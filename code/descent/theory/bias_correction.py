"""Chapter 7, in closed form: bias correction."""

import numpy as np

from descent.theory.gradient_descent import height


def unrolled_first_moment(g, beta1):
    """m_t after all of `g`, from m_0 = 0.

    m_t = (1 − β₁) Σ_{k=0}^{t−1} β₁^k g_{t−k}                           (7.1)

    g : the gradients g_1 … g_t, shape (t, ...)

    >>> float(unrolled_first_moment(np.array([2.0, 2.0]), 0.5))
    1.5
    """
    g = np.asarray(g)
    weights = beta1 ** np.arange(len(g))
    return (1 - beta1) * np.tensordot(weights, g[::-1], 1)  # (7.1)


def expected_average(t, beta, moment):
    """The mean of m_t or v_t when the moment it averages stays the same.

    E[m_t] = (1 − β₁^t) E[g],  E[v_t] = (1 − β₂^t) E[g²]                (7.2)

    >>> float(expected_average(2, 0.5, 4.0))
    3.0
    """
    return (1 - beta**t) * moment  # (7.2)


def corrected_weights(t, beta):
    """What m̂_t (or v̂_t) weighs its entries with, the newest first.

    w_k = (1 − β) β^k / (1 − β^t),  k = 0 … t − 1;  Σ_k w_k = 1         (7.3)

    t : one number of steps
    Returns shape (t,).

    >>> corrected_weights(2, 0.5).round(4)
    array([0.6667, 0.3333])
    """
    k = np.arange(t)
    return (1 - beta) * beta**k / (1 - beta**t)  # (7.3)


def mass_times_age(t, beta2):
    """The sum of the weights of v_t, each times its age k.

    (1 − β₂) Σ_{k=0}^{t−1} k β₂^k = β₂ (1 − β₂^t) / (1 − β₂) − t β₂^t   (7.4)

    >>> float(mass_times_age(2, 0.5))
    0.25
    """
    return beta2 * (1 - beta2**t) / (1 - beta2) - t * beta2**t  # (7.4)


def drift_remainder(t, beta2, b):
    """ζ_t: what a drifting second moment, E[g_i²] = a + b i, adds to E[v_t].

    ζ_t = −b [β₂ (1 − β₂^t) / (1 − β₂) − t β₂^t]  →  −b β₂ / (1 − β₂)   (7.5)

    >>> float(drift_remainder(2, 0.5, 4.0))
    -1.0
    """
    return -b * mass_times_age(t, beta2)  # (7.5)


def expected_drifting_moment(t, beta2, a, b):
    """E[v_t] when the second moment is E[g_i²] = a + b i.

    E[v_t] = (1 − β₂^t) (a + b t) + ζ_t, ζ_t from (7.5)                 (7.6)

    >>> float(expected_drifting_moment(2, 0.5, 1.0, 4.0))
    5.75
    """
    return (1 - beta2**t) * (a + b * t) + drift_remainder(t, beta2, b)  # (7.6)


def lag(t, beta2):
    """How many steps v̂_t is behind a second moment that drifts.

    E[v̂_t] = a + b (t − L_t),  L_t = β₂ / (1 − β₂) − t β₂^t / (1 − β₂^t)  (7.7)

    The mean age of the weights: 0 at t = 1, near (t − 1) / 2 at first.

    >>> float(lag(1, 0.5)), float(lag(60, 0.5))
    (0.0, 1.0)
    """
    return beta2 / (1 - beta2) - t * beta2**t / (1 - beta2**t)  # (7.7)


def startup_ratio(t, beta1, beta2):
    """How many times as long Adam's t-th step is without its correction.

    ρ_t = (1 − β₁^t) / √(1 − β₂^t), on any gradients (ε = 0)            (7.8)

    >>> float(startup_ratio(1, 0.75, 0.9375))
    1.0
    """
    return (1 - beta1**t) / np.sqrt(1 - beta2**t)  # (7.8)


def worst_step(beta1):
    """The t, not rounded, at which ρ_t is largest.

    t* = x / (−ln β₁), where e^x = 1 + 2x                               (7.9)
    to leading order: (1 − β₂) t* is small.

    >>> float(round(worst_step(0.9), 2))
    11.93
    """
    x = 1.2564312086
    return x / -np.log(beta1)  # (7.9)


def worst_ratio(beta1, beta2):
    """The largest ρ_t, to leading order.

    ρ* = 2√x / (1 + 2x) √(−ln β₁ / (1 − β₂)), where e^x = 1 + 2x        (7.9)

    >>> float(round(worst_ratio(0.9, 0.999), 2))
    6.55
    """
    height = 0.6381726863  # 2√x / (1 + 2x)
    return height * np.sqrt(-np.log(beta1) / (1 - beta2))  # (7.9)


def last_step_above(ratio, beta2):
    """The t, not rounded, at which ρ_t falls to `ratio` for good.

    t = ln(1 − 1/ratio²) / ln β₂, where β₁^t is negligible             (7.10)

    >>> float(last_step_above(2.0, 0.75))
    1.0
    """
    return np.log(1 - 1 / ratio**2) / np.log(beta2)  # (7.10)


def is_longer_uncorrected(t, beta1, beta2):
    """Is Adam's t-th step longer without the correction, ρ_t > 1?

    (1 − β₁^t)² > 1 − β₂^t  ⟺  β₂^t > β₁^t (2 − β₁^t)                  (7.11)

    >>> bool(is_longer_uncorrected(1, 0.9, 0.999))
    True
    """
    return beta2**t > beta1**t * (2 - beta1**t)  # (7.11)


def startup_ratio_first_only(t, beta2):
    """ρ_t where m_t is corrected and v_t is not (``correct="first"``).

    1 / √(1 − β₂^t), largest at t = 1                                  (7.12)

    >>> float(startup_ratio_first_only(1, 0.9375))
    4.0
    """
    return 1 / np.sqrt(1 - beta2**t)  # (7.12)
