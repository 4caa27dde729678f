"""Chapter 18, in closed form: weight decay, inside the quotient or beside it."""

import numpy as np


def adamw_of_the_paper(theta, quotient, eta, alpha, lam):
    """A step of Loshchilov and Hutter's AdamW: α does not multiply λ.

    θ_t = θ_{t−1} − η_t (α m̂_t/(√v̂_t + ε) + λ θ_{t−1})                 (18.1)

    quotient : m̂_t/(√v̂_t + ε); eta : the schedule's factor, 1 without one

    >>> float(adamw_of_the_paper(1.0, 1.0, 1.0, 0.25, 0.5))
    0.25
    """
    return theta - eta * (alpha * quotient + lam * theta)  # (18.1)


def kept_with_l2(t, alpha, lam, G):
    """What an L2 penalty in Adam leaves of θ after t steps, gradients ±G.

    θ_t / θ_0 ≈ (1 − αλ/G)^t, for λ|θ| small against G                 (18.2)

    >>> kept_with_l2(2, 0.5, 0.5, 0.5)
    0.25
    """
    return (1 - alpha * lam / G) ** t  # (18.2)


def kept_with_adamw(t, alpha, lam):
    """What the frameworks' AdamW leaves of θ, whatever the size of ±G.

    θ_t / θ_0 ≈ (1 − αλ)^t                                             (18.3)

    >>> kept_with_adamw(2, 0.5, 1.0)
    0.25
    """
    return (1 - alpha * lam) ** t  # (18.3)


def kept_with_the_paper(t, lam):
    """What the paper's AdamW leaves of θ, at any rate, with η_t = 1.

    θ_t / θ_0 ≈ (1 − λ)^t                                              (18.4)

    >>> kept_with_the_paper(2, 0.5)
    0.25
    """
    return (1 - lam) ** t  # (18.4)


def carried_decay(lam, alpha):
    """The frameworks' λ for a λ of the paper: the same decay a step.

    λ' = λ / α                                                         (18.5)

    >>> carried_decay(0.5, 0.25)
    2.0
    """
    return lam / alpha  # (18.5)


def rest_with_l2(g, lam):
    """Where a weight under a steady gradient g rests, L2 inside Adam.

    θ* = −g/λ                                                          (18.6)

    >>> rest_with_l2(2.0, 0.5)
    -4.0
    """
    return -g / lam  # (18.6)


def rest_with_adamw(g, lam):
    """Where it rests with the frameworks' AdamW: a box of half-width 1/λ.

    θ* = −sign(g)/λ                                                    (18.7)

    >>> float(rest_with_adamw(2.0, 0.5))
    -2.0
    """
    return -np.sign(g) / lam  # (18.7)


def averaged_step(theta, u, alpha, lam):
    """The frameworks' AdamW as an average that forgets, β = 1 − αλ.

    θ_t = (1 − αλ) θ_{t−1} + αλ (−u_t/λ)                               (18.8)

    u : m̂_t/(√v̂_t + ε); the entries of the average are −u/λ

    >>> averaged_step(1.0, 1.0, 0.5, 0.5)
    0.25
    """
    return (1 - alpha * lam) * theta + alpha * lam * (-u / lam)  # (18.8)


def scatter(alpha, lam):
    """How far the frameworks' AdamW scatters a weight in pure noise.

    rms θ ≈ √(α / 2λ), for αλ ≪ 1                                      (18.9)

    >>> float(scatter(0.5, 0.25))
    1.0
    """
    return np.sqrt(alpha / (2 * lam))  # (18.9)
