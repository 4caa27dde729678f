"""Chapter 11, in closed form: when Adam does not converge."""

import numpy as np


def reddi_second_moment(C, beta2):
    """v at the three places of the cycle C, −1, −1, long after the start.

    v_1 = w (C² + β₂ + β₂²), v_2 = w (1 + β₂ C² + β₂²),
    v_3 = w (1 + β₂ + β₂² C²), w = (1 − β₂) / (1 − β₂³)                 (11.1)

    Returns the three on a new last axis.

    >>> reddi_second_moment(3.0, 0.5)
    array([5.57142857, 3.28571429, 2.14285714])
    """
    b, w = beta2, (1 - beta2) / (1 - beta2**3)
    return np.stack([w * (C**2 + b + b**2), w * (1 + b * C**2 + b**2),
                     w * (1 + b + b**2 * C**2)], axis=-1)  # (11.1)


def reddi_drift(C, beta2):
    """Movement over one period of Reddi's example in units of α (β₁ = ε = 0).

    D/α = −C / √v_1 + 1 / √v_2 + 1 / √v_3, v_1 … v_3 from (11.1)        (11.2)

    >>> float(reddi_drift(3.0, 0.0))
    1.0
    """
    v = reddi_second_moment(C, beta2)
    return -C / np.sqrt(v[..., 0]) + 1 / np.sqrt(v[..., 1]) + 1 / np.sqrt(v[..., 2])  # (11.2)


def reddi_balance(C, beta2):
    """Positive where Reddi's example drifts to the wrong end, zero at β₂*.

    Q = 1/√(1 + β₂ C² + β₂²) + 1/√(1 + β₂ + β₂² C²) − C/√(C² + β₂ + β₂²)  (11.3)

    >>> float(reddi_balance(3.0, 0.0))
    1.0
    """
    b = beta2
    return (1 / np.sqrt(1 + b * C**2 + b**2) + 1 / np.sqrt(1 + b + b**2 * C**2)
            - C / np.sqrt(C**2 + b + b**2))  # (11.3)


def reddi_threshold(C):
    """β₂*, the zero of (11.3) between 0 and 1, for C > 2; by bisection.

    >>> round(float(reddi_threshold(3.0)), 6)
    0.472313
    """
    low, high = np.zeros(np.shape(C)), np.ones(np.shape(C))
    for _ in range(50):
        middle = (low + high) / 2
        wrong = reddi_balance(C, middle) > 0
        low, high = np.where(wrong, middle, low), np.where(wrong, high, middle)
    return (low + high) / 2


def reddi_threshold_near_two(C):
    """β₂* for C a little above 2, to first order in C − 2.

    1 − β₂* ≈ (4/3) (C − 2)                                             (11.4)

    >>> round(reddi_threshold_near_two(2.03), 6)
    0.96
    """
    return 1 - 4 / 3 * (C - 2)  # (11.4)


def threshold_in_random_order(g):
    """β₂* of the same gradients drawn independently, for a small positive mean.

    1 − β₂* ≈ 2 v̄ Σ_j g_j / Σ_j g_j³, v̄ the mean of g²                  (11.5)

    g : what is drawn from, each entry as likely, shape (n,); β₁ = 0

    >>> round(float(threshold_in_random_order(np.array([2.01, -1.0, -1.0]))), 4)
    0.9934
    """
    return 1 - 2 * np.mean(g**2) * np.sum(g) / np.sum(g**3)  # (11.5)


def threshold_from_cubes(g):
    """β₂* of a cycle with a small positive sum that reads the same backwards.

    1 − β₂* ≈ 4 v̄ Σ_j g_j / Σ_j g_j³, v̄ the mean of g²                  (11.6)

    g : one cycle, shape (n,); β₁ = 0

    >>> round(float(threshold_from_cubes(np.array([2.01, -1.0, -1.0]))), 4)
    0.9868
    """
    return 1 - 4 * np.mean(g**2) * np.sum(g) / np.sum(g**3)  # (11.6)


def amsgrad_reddi_drift(C, v_max):
    """AMSGrad's movement over one period, once its maximum v_max stands still.

    D/α = −(C − 2) / √v_max                                             (11.7)

    >>> float(amsgrad_reddi_drift(4.0, 16.0))
    -0.5
    """
    return -(C - 2) / np.sqrt(v_max)  # (11.7)


def raw_over_corrected(t, s, beta2):
    """AMSGrad's step, maximum before the correction over maximum after it.

    √((1 − β₂^t) / (1 − β₂^s))                                          (11.8)

    for t ≥ s, s being the step at which both maxima were reached (ε = 0).

    >>> float(raw_over_corrected(2, 1, 0.25))
    1.118033988749895
    """
    return np.sqrt((1 - beta2**t) / (1 - beta2**s))  # (11.8)


def average_regret(losses, best):
    """What was lost per step against one fixed point, chosen afterwards.

    R_T / T = (1/T) Σ_t [f_t(θ_{t−1}) − f_t(θ*)]                        (11.9)

    losses : f_t(θ_{t-1}) at t = 1 … T, shape (T, ...)
    best : f_t(θ*) at the point θ* with the smallest sum, shape (T, ...)

    >>> float(average_regret(np.array([3.0, 1.0]), np.array([-3.0, 1.0])))
    3.0
    """
    return np.mean(losses - best, axis=0)  # (11.9)


def resting_regret(C, x):
    """Average regret on Reddi's example of a player who stays at x.

    R_T / T = (C − 2)(x + 1) / 3, T a multiple of 3                     (11.10)

    >>> resting_regret(5.0, 1.0)
    2.0
    """
    return (C - 2) * (x + 1) / 3  # (11.10)


def wrong_limit(s, beta2):
    """Where Adam with β₁ = 0 ends on gradients x + s (2, −1, −1), 1 − β₂ small.

    x_∞ ≈ (1 − β₂) s / 4, instead of 0                                  (11.11)

    >>> wrong_limit(2.0, 0.5)
    0.25
    """
    return (1 - beta2) * s / 4  # (11.11)


def progress_on_the_slope(drift, n, rates):
    """How far a cycle of n gradients moves x while the steps `rates` are made.

    x_T − x_S = (D/α)/n · (α_{S+1} + … + α_T)                           (11.12)

    drift : D/α per cycle; rates : α_{S+1} … α_T, shape (T − S,)

    >>> float(progress_on_the_slope(-4.0, 2, np.array([0.5, 0.25])))
    -1.5
    """
    return drift / n * np.sum(rates)  # (11.12)
