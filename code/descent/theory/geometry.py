"""Chapter 13, in closed form: geometry: who wins, and when."""

import numpy as np


def turned_gradient(grad, R, phi):
    """The gradient of f̃(φ) = f(Rᵀφ): the problem f, turned by R.

    ∇f̃(φ) = R ∇f(Rᵀφ)                                                  (13.1)

    grad : the gradient of f; phi : shape (..., d); R orthogonal, (d, d)

    >>> R = np.array([[0.0, -1.0], [1.0, 0.0]])  # by 90°
    >>> turned_gradient(lambda theta: theta * [1, 2], R, np.array([0.0, 3.0]))
    array([0., 3.])
    """
    return grad(phi @ R) @ R.T  # (13.1)


def turned_path(theta, R):
    """Where a rule that commutes with R goes on the turned problem.

    φ_t = R θ_t                                                        (13.2)

    from φ_0 = R θ_0, if the step of the rule on R g is R times that on g.
    theta : shape (..., d)

    >>> turned_path(np.array([1.0, 0.0]), np.array([[0.0, -1.0], [1.0, 0.0]]))
    array([0., 1.])
    """
    return (R * theta[..., None, :]).sum(-1)  # (13.2)


def condition_left(H, D):
    """The condition number once each coordinate is divided by its D_i.

    κ_D = κ(D^(−1/2) H D^(−1/2)), D = diag(D_1, ..., D_d)              (13.3)

    H : symmetric, positive, shape (..., d, d); D : positive, (..., d)

    >>> H = np.array([[500.5, -499.5], [-499.5, 500.5]])
    >>> float(condition_left(H, np.array([7.0, 7.0])).round(6))
    1000.0
    """
    root = np.sqrt(D)
    lam = np.linalg.eigvalsh(H / (root[..., None] * root[..., None, :]))  # (13.3)
    return lam[..., -1] / lam[..., 0]


def step_under_swing(x, G):
    """Adam's mean step where a small steady x rides on gradients ±G.

    mean of Δ/α = −x / √(G² + x²), as β₂ → 1                           (13.4)

    >>> float(step_under_swing(3.0, 4.0))
    -0.6
    """
    return -x / np.sqrt(G**2 + x**2)  # (13.4)


def class_loss(d, c):
    """The loss of a class whose right logit is d above the c − 1 others.

    ℓ = ln(1 + (c − 1) e^(−d))                                         (13.5)

    >>> float(class_loss(0.0, 1).round(6))
    0.0
    """
    return np.log(1 + (c - 1) * np.exp(-d))  # (13.5)


def gap_needed(loss, c):
    """The gap d at which the loss of a class is `loss`.

    d* = ln((c − 1) / (e^ℓ − 1))                                       (13.6)

    >>> float(gap_needed(np.log(2), 2).round(6))
    0.0
    """
    return np.log((c - 1) / np.expm1(loss))  # (13.6)


def next_gap(d, alpha, pi, c):
    """One step of gradient descent, for a class of frequency π.

    d_t = d_{t−1} + α π c / (e^d_{t−1} + c − 1)                        (13.7)

    >>> float(next_gap(0.0, 1.0, 0.25, 4))
    0.25
    """
    return d + alpha * pi * c / (np.exp(d) + c - 1)  # (13.7)


def scaled_time(d, c):
    """The time α π t at which gradient descent with small steps has gap d.

    α π t = (e^d − 1 + (c − 1) d) / c                                  (13.8)

    >>> float(scaled_time(0.0, 10))
    0.0
    """
    return (np.expm1(d) + (c - 1) * d) / c  # (13.8)


def sign_steps(d, alpha):
    """Steps of sign descent to the gap d, not rounded, at any frequency.

    t = d / (2α)                                                       (13.9)

    >>> sign_steps(3.0, 0.5)
    3.0
    """
    return d / (2 * alpha)  # (13.9)


def gradient_on_the_line(s, gamma, Xy, n):
    """Gradient of ‖Xw − y‖²/2n at w = s·sign(Xᵀy) if X sign(Xᵀy) = γ y.

    g = (γ s − 1) Xᵀy / n                                             (13.10)

    Xy : Xᵀy, shape (d,)

    >>> gradient_on_the_line(0.25, 4, np.array([3.0, -1.0]), 2)
    array([ 0., -0.])
    """
    return (gamma * s - 1) * Xy / n  # (13.10)
