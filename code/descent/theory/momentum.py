"""Chapter 6, in closed form: momentum is an average."""

import numpy as np


def heavy_ball_rate(alpha, beta1):
    """The rate of heavy ball that makes the same path as α with the average.

    α_HB = α (1 − β₁), with μ = β₁ and b_0 = m_0 / (1 − β₁)             (6.1)

    >>> heavy_ball_rate(0.5, 0.75)
    0.125
    """
    return alpha * (1 - beta1)  # (6.1)


def heavy_ball_step(t, mu):
    """Heavy ball's t-th step on a constant gradient g, over α g.

    |Δ_t| / α|g| = (1 − μ^t) / (1 − μ)  →  1 / (1 − μ)                  (6.2)

    >>> float(heavy_ball_step(2, 0.5))
    1.5
    """
    return (1 - mu**t) / (1 - mu)  # (6.2)


def momentum_matrix(alpha, beta1, lam):
    """One step of the averaged form along an eigenvector, on (c, m).

    ( 1 − α(1−β₁)λ   −αβ₁ )
    (    (1−β₁)λ       β₁ )                                             (6.3)

    Three numbers; returns shape (2, 2).

    >>> momentum_matrix(1.0, 0.5, 1.0)
    array([[ 0.5, -0.5],
           [ 0.5,  0.5]])
    """
    return np.array([[1 - alpha * (1 - beta1) * lam, -alpha * beta1], [(1 - beta1) * lam, beta1]])  # (6.3)


def momentum_recursion(c1, c2, a, beta1):
    """c_t from c_{t−1} and c_{t−2}, along an eigenvector.

    c_t = (1 + β₁ − a) c_{t−1} − β₁ c_{t−2},  a = α(1−β₁)λ              (6.4)

    c1, c2 : c_{t−1} and c_{t−2}

    >>> momentum_recursion(2.0, 4.0, 0.5, 0.5)
    0.0
    """
    return (1 + beta1 - a) * c1 - beta1 * c2  # (6.4)


def momentum_roots(a, beta1):
    """The two factors z by which momentum multiplies c, complex.

    z² − (1 + β₁ − a) z + β₁ = 0,  a = α(1−β₁)λ                         (6.5)

    Returns shape (2, ...), the root with the larger real part first.

    >>> momentum_roots(1.25, 0.25).round(4)
    array([0.+0.5j, 0.-0.5j])
    """
    p = (1 + beta1 - a) / 2 + 0j
    return p + np.multiply.outer([1, -1], np.sqrt(p**2 - beta1))  # (6.5)


def oscillation_range(beta1):
    """The a between which the roots are complex.

    (1 − √β₁)² < a < (1 + √β₁)²                                         (6.6)

    >>> [float(a) for a in oscillation_range(0.25)]
    [0.25, 2.25]
    """
    return (1 - np.sqrt(beta1)) ** 2, (1 + np.sqrt(beta1)) ** 2  # (6.6)


def momentum_radius(a, beta1):
    """The spectral radius: the share of c that is left per step, late.

    q = √β₁ where the roots are complex, else the larger |z| of (6.5)   (6.7)

    >>> float(momentum_radius(1.0, 0.25)), float(momentum_radius(2.5, 0.25))
    (0.5, 1.0)
    """
    p = np.abs(1 + beta1 - a) / 2
    return np.where(p**2 < beta1, np.sqrt(beta1), p + np.sqrt(np.maximum(p**2 - beta1, 0)))  # (6.7)


def largest_stable_rate_with_momentum(beta1, lam_max):
    """The averaged form goes to the minimum from every start below this rate.

    α < 2 (1 + β₁) / ((1 − β₁) λ_max)                                   (6.8)

    >>> largest_stable_rate_with_momentum(0.5, 3.0)
    2.0
    """
    return 2 * (1 + beta1) / ((1 - beta1) * lam_max)  # (6.8)


def oscillation_period(a, beta1):
    """Steps per oscillation, where the roots are complex.

    2π/ω,  cos ω = (1 + β₁ − a) / (2√β₁)                                (6.9)

    >>> float(oscillation_period(1.25, 0.25))
    4.0
    """
    return 2 * np.pi / np.arccos((1 + beta1 - a) / (2 * np.sqrt(beta1)))  # (6.9)


def best_factor_with_momentum(kappa):
    """The smallest worst-case factor of momentum; the best β₁ is its square.

    q* = √β₁* = (√κ − 1) / (√κ + 1)                                    (6.10)

    >>> float(best_factor_with_momentum(9.0))
    0.5
    """
    return (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)  # (6.10)


def best_rate_with_momentum(lam_min, lam_max):
    """The rate that goes with it, in the averaged form.

    α* = 1 / √(λ_min λ_max)                                            (6.11)

    >>> float(best_rate_with_momentum(1.0, 4.0))
    0.5
    """
    return 1 / np.sqrt(lam_min * lam_max)  # (6.11)


def height_at_best_momentum(t, lam_min, lam_max):
    """f(θ_t) at (6.10) and (6.11), from (1, 1) and m_0 = 0.

    ½ q^{2t} [λ_min (1 + t(1 − q))² + λ_max (1 + t(1 + q))²]           (6.12)

    >>> float(height_at_best_momentum(1, 1.0, 9.0))
    7.3125
    """
    q = best_factor_with_momentum(lam_max / lam_min)
    return q ** (2 * t) / 2 * (lam_min * (1 + t * (1 - q)) ** 2 + lam_max * (1 + t * (1 + q)) ** 2)  # (6.12)


def momentum_noise(alpha, beta1, lam, sigma2):
    """Stationary variance of c where the gradient is λc + noise of variance σ².

    Var[c] = α σ² / (λ (2 − α λ (1 − β₁)/(1 + β₁)))                    (6.13)

    β₁ = 0 is gradient descent.

    >>> momentum_noise(1.0, 0.0, 1.0, 3.0)
    3.0
    """
    return alpha * sigma2 / (lam * (2 - alpha * lam * (1 - beta1) / (1 + beta1)))  # (6.13)


def average_noise(alpha, beta1, lam, sigma2):
    """Stationary variance of m, and so of the step Δ/α, in the same place.

    Var[m] = 2 (1 − β₁)/(1 + β₁) · λ/α · Var[c], Var[c] from (6.13)    (6.14)

    >>> average_noise(1.0, 0.0, 1.0, 3.0)
    6.0
    """
    return 2 * (1 - beta1) / (1 + beta1) * lam / alpha * momentum_noise(alpha, beta1, lam, sigma2)  # (6.14)


def nesterov_roots(a, mu):
    """The two factors z of Nesterov's momentum, complex.

    z² − (1 + μ)(1 − a) z + μ(1 − a) = 0,  a = α_HB λ                  (6.15)

    Returns shape (2, ...), the root with the larger real part first.

    >>> nesterov_roots(0.5, 0.25).real.round(4), nesterov_roots(1.0, 0.25)
    (array([0.3125, 0.3125]), array([0.+0.j, 0.+0.j]))
    """
    p = (1 + mu) * (1 - a) / 2 + 0j
    return p + np.multiply.outer([1, -1], np.sqrt(p**2 - mu * (1 - a)))  # (6.15)


def rmsprop_momentum_start(t, mu, beta2):
    """RMSprop with momentum on a constant gradient: its t-th step, over α.

    |Δ_t|/α = Σ_{k=0}^{t−1} μ^k / √(1 − β₂^{t−k})  →  1/(1 − μ)        (6.16)

    t : one number of steps; ε = 0 and v_0 = 0

    >>> float(rmsprop_momentum_start(1, 0.5, 0.75))
    2.0
    """
    k = np.arange(t)
    return (mu**k / np.sqrt(1 - beta2 ** (t - k))).sum()  # (6.16)
