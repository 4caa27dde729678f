"""Chapter 10, in closed form: signal, noise, and what Adam does not do."""

import numpy as np

from descent.theory.averages import variance_factor


def mean_step(eta):
    """Adam's mean step on g = 1 + η ξ, in units of α, as β₂ → 1 (ε = 0).

    |E[Δ]|/α → 1 / √(1 + η²), the root of the signal's share           (10.1)

    >>> float(mean_step(0.75))
    0.8
    """
    return 1 / np.sqrt(1 + eta**2)  # (10.1)


def rms_step(eta, beta1):
    """The root mean square of the same step, as β₂ → 1 and t → ∞.

    √E[Δ²]/α → √((1 + F₁ η²) / (1 + η²)),  F₁ = (1 − β₁)/(1 + β₁)      (10.2)

    >>> float(rms_step(3.0, 0.5))
    0.6324555320336759
    """
    F1 = variance_factor(np.inf, beta1)
    return np.sqrt((1 + F1 * eta**2) / (1 + eta**2))  # (10.2)


def rms_step_on_noise(beta1):
    """The same where the gradient is nothing but noise.

    √E[Δ²]/α → √((1 − β₁) / (1 + β₁))                                  (10.3)

    >>> float(rms_step_on_noise(0.6))
    0.5
    """
    return np.sqrt((1 - beta1) / (1 + beta1))  # (10.3)


def mean_step_to_second_order(eta, beta1, beta2):
    """Adam's mean step at a finite β₂, normal noise, late (ε = 0).

    |E[Δ]|/α ≈ (1 − (1 − β₁)(1 − β₂)/(1 − β₁β₂) · η²/V
                  + ¾ (1 − β₂)/(1 + β₂) · η²(2 + η²)/V²) / √V          (10.4)
    with V = 1 + η²

    >>> round(float(mean_step_to_second_order(1.0, 0.0, 0.9)), 4)
    0.6927
    """
    V = 1 + eta**2
    together = (1 - beta1) * (1 - beta2) / (1 - beta1 * beta2)
    F2 = variance_factor(np.inf, beta2)
    return (1 - together * eta**2 / V + 0.75 * F2 * eta**2 * (2 + eta**2) / V**2) / np.sqrt(V)  # (10.4)


def rms_on_noise_to_second_order(beta1, beta2):
    """Adam's rms step on pure normal noise at a finite β₂, late (ε = 0).

    √E[Δ²]/α ≈ √F₁ (1 − (1 − β₂)(1 − β₁²)/(1 − β₁²β₂)
                      + (1 − β₂)/(1 + β₂))                             (10.5)

    >>> round(float(rms_on_noise_to_second_order(0.0, 0.9)), 4)
    0.9526
    """
    F2 = variance_factor(np.inf, beta2)
    together = (1 - beta2) * (1 - beta1**2) / (1 - beta1**2 * beta2)
    return rms_step_on_noise(beta1) * (1 - together + F2)  # (10.5)


def spread(g, beta):
    """u_t = v_t − m_t² for β₁ = β₂ = β, without a difference of squares.

    u_t = β u_{t−1} + β (1 − β) (g_t − m_{t−1})²,  from m_0 = u_0 = 0  (10.6)

    g : the gradients g_1 … g_t, shape (t, ...)
    Returns u_1 … u_t, of the shape of g.

    >>> spread(np.array([2.0, 5.0]), 0.5)
    array([1. , 4.5])
    """
    m = u = np.zeros_like(g[0])
    path = []
    for g_t in g:
        u = beta * u + beta * (1 - beta) * (g_t - m) ** 2  # (10.6)
        m = beta * m + (1 - beta) * g_t
        path.append(u)
    return np.array(path)


def equal_betas_step(m, u, t, beta):
    """Adam's step for β₁ = β₂ = β, in units of α, against the gradient.

    m̂_t/√v̂_t = sign(m_t) / √((1 − β^t) (1 + u_t/m_t²))                 (10.7)

    >>> float(equal_betas_step(-1.0, 3.0, 1, 0.75))
    -1.0
    """
    return np.sign(m) / np.sqrt((1 - beta**t) * (1 + u / m**2))  # (10.7)


def expected_spread(beta, sigma2):
    """The mean of v_t − m_t² on white noise of variance σ², late.

    E[u] → 2β/(1 + β) · σ²                                             (10.8)

    >>> round(expected_spread(0.6, 4.0), 6)
    3.0
    """
    return 2 * beta / (1 + beta) * sigma2  # (10.8)


def signal_share(ratio, factor):
    """The signal's share of the second moment, from averages.

    p = (Q − F₁) / (1 − F₁),  Q = Σ m̂² / Σ v̂ over many coordinates     (10.9)

    factor : F₁ = (1 − β₁)/(1 + β₁), what noise alone leaves in Q

    >>> signal_share(0.5, 0.25)
    0.3333333333333333
    """
    return (ratio - factor) / (1 - factor)  # (10.9)


def distance_under_schedule(rates, z0, sigma, lam):
    """E[θ_t²] on ½λθ² with gradient noise σ, v being σ² (β₁ = 0).

    z_t = (1 − α_t λ/σ)² z_{t−1} + α_t²                               (10.10)

    rates : α_1 … α_T, shape (T, ...)
    Returns z_0 … z_T, shape (T + 1, ...).

    >>> distance_under_schedule(np.array([0.5, 0.5]), 1.0, 1.0, 1.0)
    array([1.   , 0.5  , 0.375])
    """
    path = [z0 + 0 * rates[0]]
    for a in rates:
        z = (1 - a * lam / sigma) ** 2 * path[-1] + a**2  # (10.10)
        path.append(z)
    return np.array(path)


def noise_floor(alpha, sigma, lam):
    """Where E[θ²] ends at a constant rate, for α λ/σ small.

    z_∞ ≈ α σ / (2 λ)                                                 (10.11)

    >>> noise_floor(0.5, 4.0, 2.0)
    0.5
    """
    return alpha * sigma / (2 * lam)  # (10.11)


def noise_floor_of_loss(alpha, sigma):
    """Where the mean loss ½λE[θ²] ends: λ has cancelled.

    E[f] ≈ α σ / 4                                                    (10.12)

    >>> noise_floor_of_loss(0.5, 4.0)
    0.5
    """
    return alpha * sigma / 4  # (10.12)
