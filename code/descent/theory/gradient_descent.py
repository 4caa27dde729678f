"""Chapter 1, in closed form: one rate must serve every coordinate."""

import numpy as np


def eigen_coordinate(t, alpha, lam, c0):
    """Gradient descent on ½ θᵀHθ, in the coordinates c_i = u_iᵀθ.

    c_{i,t} = (1 − α λ_i)^t c_{i,0}                                     (1.1)

    lam, c0 : eigenvalues and start, shape (..., d); t and alpha broadcast

    >>> eigen_coordinate(2, 0.5, np.array([1.0, 4.0]), np.array([8.0, 8.0]))
    array([2., 8.])
    """
    return (1 - alpha * lam) ** t * c0  # (1.1)


def height(t, alpha, lam, c0):
    """f(θ_t) for gradient descent on ½ θᵀHθ.

    f(θ_t) = ½ Σ_i λ_i (1 − α λ_i)^{2t} c_{i,0}²                        (1.2)

    lam, c0 : eigenvalues and start, shape (..., d); t and alpha broadcast
    against them, so an array of them ends in an axis of length 1

    >>> float(height(1, 0.5, np.array([1.0, 4.0]), np.array([2.0, 1.0])))
    2.5
    """
    return 0.5 * (lam * (1 - alpha * lam) ** (2 * t) * c0**2).sum(-1)  # (1.2)


def largest_stable_rate(lam_max):
    """Gradient descent goes to the minimum from every start below this rate.

    α < 2 / λ_max                                                       (1.3)

    >>> largest_stable_rate(1000.0)
    0.002
    """
    return 2 / lam_max  # (1.3)


def worst_factor(alpha, lam_min, lam_max):
    """The share of its distance from the minimum that θ keeps, at worst.

    q(α) = max_i |1 − α λ_i| = max(1 − α λ_min, α λ_max − 1)            (1.4)

    >>> float(worst_factor(0.25, 1.0, 4.0))
    0.75
    """
    return np.maximum(1 - alpha * lam_min, alpha * lam_max - 1)  # (1.4)


def best_rate(lam_min, lam_max):
    """The rate with the smallest worst-case factor.

    α* = 2 / (λ_min + λ_max)                                            (1.5)

    >>> best_rate(1.0, 3.0)
    0.5
    """
    return 2 / (lam_min + lam_max)  # (1.5)


def best_factor(kappa):
    """The smallest worst-case factor, for the condition number κ.

    q* = (κ − 1) / (κ + 1),  κ = λ_max / λ_min > 1                      (1.6)

    >>> best_factor(3.0)
    0.5
    """
    return (kappa - 1) / (kappa + 1)  # (1.6)


def steps_at_best_rate(kappa, f0, tol):
    """Steps to f < tol at the rate α*, two eigenvalues, κ > 1, f0 ≥ tol.

    T = ⌊ln(f0/tol) / (−2 ln q*)⌋ + 1, q* from (1.6)                    (1.7)

    With more eigenvalues it is an upper bound.

    >>> float(steps_at_best_rate(3.0, 1.0, 0.1))
    2.0
    """
    q = best_factor(kappa)
    return np.floor(np.log(f0 / tol) / (-2 * np.log(q))) + 1  # (1.7)


def steps_proportional_to_kappa(kappa, f0, tol):
    """The same for large κ, not rounded.

    T ≈ (κ/4) ln(f0/tol)                                                (1.8)

    >>> float(round(steps_proportional_to_kappa(400.0, np.e, 1.0), 6))
    100.0
    """
    return kappa / 4 * np.log(f0 / tol)  # (1.8)


def rate_in_old_units(alpha, s):
    """The rate of a weight on x that a rate α of its weight on x/s amounts to.

    α_j = α / s_j²                                                      (1.9)

    >>> rate_in_old_units(0.5, 2.0)
    0.125
    """
    return alpha / s**2  # (1.9)


def mean_square_gradient(lam, distance, noise):
    """E[g_j²] where g_j = λ_j θ_j + noise: squares of independent parts add.

    E[g_j²] = λ_j² E[θ_j²] + σ_j²                                      (1.10)

    distance : root mean square of θ_j, its distance from the minimum
    noise : standard deviation σ_j of the gradient's noise

    >>> mean_square_gradient(3.0, 1.0, 4.0)
    25.0
    """
    return lam**2 * distance**2 + noise**2  # (1.10)
