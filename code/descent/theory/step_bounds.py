"""Chapter 9, in closed form: how far can one step go?."""

import numpy as np

from descent.theory.bias_correction import corrected_weights


def geometric_sum(x, n):
    """1 + x + … + x^{n−1}; n may be np.inf.

    >>> float(geometric_sum(0.5, 2)), float(geometric_sum(1.0, 7))
    (1.5, 7.0)
    """
    one = np.asarray(x) == 1
    return np.where(one, n, (1 - x**n) / np.where(one, 1, 1 - x))


def single_gradient_step(t, beta1, beta2):
    """Adam's t-th step in units of α, if only g_t is not zero (ε = 0).

    |Δ_t|/α = (1 − β₁)/(1 − β₁^t) · √((1 − β₂^t)/(1 − β₂))              (9.1)

    t : a number of steps; np.inf gives the limit (1 − β₁)/√(1 − β₂), the
        bound of the Adam paper

    >>> float(single_gradient_step(np.inf, 0.5, 0.75))
    1.0
    """
    return (1 - beta1) / (1 - beta1**t) * np.sqrt((1 - beta2**t) / (1 - beta2))  # (9.1)


def sharp_bound_sum(t, beta1, beta2):
    """No t-th step of Adam is longer than this, in units of α.

    S_t = √(Σ_{k=0}^{t−1} w_k² / u_k)                                   (9.2)

    w_k, u_k : the corrected weights (7.3) for β₁ and for β₂ > 0; numbers only

    >>> float(sharp_bound_sum(1, 0.9, 0.999))
    1.0
    """
    w, u = corrected_weights(t, beta1), corrected_weights(t, beta2)
    return np.sqrt((w**2 / u).sum())  # (9.2)


def worst_growth(beta1, beta2):
    """The gradient that makes the longest step grows by this at each step.

    g_{t−k} ∝ (β₁/β₂)^k, so that g_t / g_{t−1} = β₂/β₁                  (9.3)

    >>> worst_growth(0.5, 0.75)
    1.5
    """
    return beta2 / beta1  # (9.3)


def sharp_bound(t, beta1, beta2):
    """S_t of (9.2) in closed form, for β₂ > 0.

    S_t = (1 − β₁)/(1 − β₁^t) · √((1 − β₂^t)/(1 − β₂) · Σ_{k<t} x^k)    (9.4)
    with x = β₁²/β₂

    t : a number of steps; np.inf gives the limit, infinite for x ≥ 1

    >>> round(float(sharp_bound(100, 0.9, 0.999)), 4)
    2.2434
    """
    powers = geometric_sum(beta1**2 / beta2, t)
    return single_gradient_step(t, beta1, beta2) * np.sqrt(powers)  # (9.4)


def sharp_bound_ever(beta1, beta2):
    """No step of Adam at all is longer than this, in units of α; β₂ > 0.

    S_∞ = (1 − β₁) / √((1 − β₂)(1 − β₁²/β₂)) if β₁² < β₂, else ∞        (9.5)

    >>> round(float(sharp_bound_ever(0.9, 0.999)), 4)
    7.2703
    >>> float(sharp_bound_ever(0.9, 0.5))
    inf
    """
    left = np.maximum(1 - beta1**2 / np.asarray(beta2), 0)
    with np.errstate(divide="ignore"):
        return (1 - beta1) / np.sqrt((1 - beta2) * left)  # (9.5)


def squared_excess(t, beta1, beta2):
    """By how much S_t² is above 1.

    S_t² − 1 = Σ_{k=0}^{t−1} (w_k − u_k)² / u_k                         (9.6)

    >>> float(squared_excess(5, 0.9, 0.9))
    0.0
    """
    w, u = corrected_weights(t, beta1), corrected_weights(t, beta2)
    return ((w - u) ** 2 / u).sum()  # (9.6)


def squared_excess_ever(beta1, beta2):
    """The same as t → ∞, for β₁² < β₂.

    S_∞² − 1 = (β₁ − β₂)² / ((1 − β₂)(β₂ − β₁²))                        (9.7)

    >>> squared_excess_ever(0.5, 0.75)
    0.5
    """
    return (beta1 - beta2) ** 2 / ((1 - beta2) * (beta2 - beta1**2))  # (9.7)


def echo_step(t, beta1, beta2):
    """Adam's t-th step in units of α, if only g_1 is not zero (ε = 0).

    |Δ_t|/α = (9.1) · (β₁/√β₂)^{t−1}                                    (9.8)

    >>> float(echo_step(1, 0.9, 0.5))
    1.0
    """
    alone = single_gradient_step(t, beta1, beta2)
    return alone * (beta1 / np.sqrt(beta2)) ** (t - 1)  # (9.8)


def bound_after_silence(n, beta1, beta2):
    """No n-th gradient after a long silence makes a longer step; units of α.

    (1 − β₁)/√(1 − β₂) · √(Σ_{k<n} x^k) = ρ_n S_n, x = β₁²/β₂           (9.9)

    It is also the bound on the n-th step of uncorrected Adam.

    >>> round(float(bound_after_silence(2, 0.5, 0.75) ** 2), 4)
    1.3333
    """
    powers = geometric_sum(beta1**2 / beta2, n)
    return (1 - beta1) / np.sqrt(1 - beta2) * np.sqrt(powers)  # (9.9)


def step_on_growth(q, beta1, beta2):
    """Adam's late step in units of α, on gradients that grow by q a step.

    |Δ|/α → (1 − β₁)/√(1 − β₂) · √(1 − β₂/q²) / (1 − β₁/q)             (9.10)
    for q > β₁ and q² > β₂

    >>> float(step_on_growth(1.0, 0.9, 0.75))
    1.0
    """
    alone = single_gradient_step(np.inf, beta1, beta2)
    return alone * np.sqrt(1 - beta2 / q**2) / (1 - beta1 / q)  # (9.10)


def farthest(T, alpha, beta1, beta2):
    """No coordinate is further than this from its start after T steps.

    |θ_T − θ_0| ≤ α Σ_{t=1}^T S_t                                      (9.11)

    >>> float(farthest(10, 0.5, 0.9, 0.9))
    5.0
    """
    return alpha * sharp_bound(np.arange(1, T + 1), beta1, beta2).sum()  # (9.11)
