"""Chapter 3, in closed form: deriving RMSprop."""

import numpy as np


def adagrad_step(t):
    """AdaGrad's t-th step on a constant gradient, in units of α (ε = 0).

    |Δ_t|/α = 1/√t                                                      (3.1)

    >>> float(adagrad_step(4))
    0.5
    """
    return 1 / np.sqrt(t)  # (3.1)


def unrolled_second_moment(g, beta2):
    """v_t after all of `g`, from v_0 = 0.

    v_t = (1 − β₂) Σ_{k=0}^{t−1} β₂^k g_{t−k}²                          (3.2)

    g : the gradients g_1 … g_t, shape (t, ...)

    >>> float(unrolled_second_moment(np.array([2.0, 2.0]), 0.5))
    3.0
    """
    g = np.asarray(g)
    weights = beta2 ** np.arange(len(g))
    return (1 - beta2) * np.tensordot(weights, g[::-1] ** 2, 1)  # (3.2)


def second_moment_on_cycle(beta2, g):
    """v_t at each step of a cycle of gradients that repeats for ever.

    v_j = (1 − β₂) / (1 − β₂^n) · Σ_{k=0}^{n−1} β₂^k g_{j−k}²           (3.3)
    with indices modulo n.

    beta2 : decay rate in (0, 1), shape (...)
    g : one cycle, shape (n,)
    Returns shape (..., n), in the order of `g`.

    >>> second_moment_on_cycle(0.5, np.array([2.0, 2.0]))
    array([4., 4.])
    """
    n = len(g)
    k, beta2 = np.arange(n), np.asarray(beta2)[..., None, None]
    past = g[(k[:, None] - k) % n] ** 2  # past[j, k] = g_{j-k}²
    return ((1 - beta2) / (1 - beta2**n) * beta2**k * past).sum(-1)  # (3.3)


def drift_on_cycle(beta2, g):
    """RMSprop's drift D over one cycle in units of α (ε = 0).

    D/α = − Σ_j g_j / √v_j, v_j from (3.3)                              (3.4)

    >>> abs(float(drift_on_cycle(0.5, np.array([2.0, -2.0]))))
    0.0
    """
    return -(g / np.sqrt(second_moment_on_cycle(beta2, g))).sum(-1)  # (3.4)


def drift_to_first_order(beta2, g):
    """The same for a cycle that sums to zero, to first order in 1 − β₂.

    D/α ≈ (1 − β₂) / (2 v̄^{3/2}) · Σ_j g_j w_j                           (3.5)
    w_j = Σ_{k=0}^{n−1} ((n−1)/2 − k) g_{j−k}² / n, v̄ the mean of g²

    >>> hinton = np.array([0.1] * 9 + [-0.9])
    >>> float(round(drift_to_first_order(0.99, hinton), 6))
    -0.066667
    """
    n, v_bar = len(g), np.mean(g**2)
    k = np.arange(n)
    w = (((n - 1) / 2 - k) * g[(k[:, None] - k) % n] ** 2).mean(-1)
    return (1 - beta2) / (2 * v_bar**1.5) * (g * w).sum()  # (3.5)


def mass(t, beta):
    """The sum of the weights of an exponential average after t entries.

    (1 − β) Σ_{k=0}^{t−1} β^k = 1 − β^t                                 (3.6)

    It is `weight_of_last`, (2.3), for n = t: all the weight there is.

    >>> float(mass(2, 0.5))
    0.75
    """
    return 1 - beta**t  # (3.6)


def rmsprop_step(t, beta2):
    """RMSprop's t-th step on a constant gradient, in units of α (ε = 0).

    |Δ_t|/α = 1/√(1 − β₂^t)                                             (3.7)

    At t = 1 this is 1/√(1 − β₂), the largest step that RMSprop can make.

    >>> float(rmsprop_step(1, 0.75))
    2.0
    """
    return 1 / np.sqrt(1 - beta2**t)  # (3.7)


def largest_rmsprop_step(beta2):
    """No step of RMSprop is longer than this, in units of α.

    |Δ_t|/α ≤ 1/√(1 − β₂)                                               (3.8)

    >>> float(largest_rmsprop_step(0.75))
    2.0
    """
    return 1 / np.sqrt(1 - beta2)  # (3.8)


def rmsprop_rate_in_old_units(alpha, s):
    """The rate of a weight on x that RMSprop's α on x/s amounts to.

    α_j = α / s_j                                                       (3.9)

    Gradient descent's is α / s_j², (1.9).

    >>> float(rmsprop_rate_in_old_units(0.1, 2.0))
    0.05
    """
    return alpha / s  # (3.9)


def rattle(alpha):
    """How far from the minimum RMSprop ends up jumping (ε = 0).

    |θ| = √v/λ = α/2                                                    (3.10)

    On a quadratic along the axes, whatever the curvature λ and β₂ > 0 are, if
    θ is not rounded to exactly 0 before v has leaked away.

    >>> rattle(0.1)
    0.05
    """
    return alpha / 2  # (3.10)
