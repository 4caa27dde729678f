"""Chapter 8, in closed form: Adam, assembled and tested."""

import numpy as np

from descent.theory.bias_correction import lag
from descent.theory.memory import (second_moment_after_jump,
                                   second_moment_after_spike)
from descent.theory.rmsprop import second_moment_on_cycle


def first_adam_step(g, eps):
    """Length of Adam's first step, in units of α.

    |Δ_1|/α = |g_1| / (|g_1| + ε)                                       (8.1)

    >>> float(first_adam_step(-3.0, 1.0))
    0.75
    """
    return np.abs(g) / (np.abs(g) + eps)  # (8.1)


def step_with_wrong_t(t, beta1, beta2, late=1):
    """Adam's step where t + a is taken for t, over the right step (ε = 0).

    Δ'_t/Δ_t = (1 − β₁^t)/(1 − β₁^{t+a}) · √((1 − β₂^{t+a})/(1 − β₂^t))
                                                                       (8.2)

    late : a; 1 where t is counted one too high, 1 − t where it stays at 1

    >>> float(step_with_wrong_t(1, 0.0, 0.21))
    1.1
    """
    s = t + late
    return (1 - beta1**t) / (1 - beta1**s) * np.sqrt((1 - beta2**s) / (1 - beta2**t))  # (8.2)


def rate_before_correction(t, alpha, beta1, beta2):
    """The rate that goes with the uncorrected m_t and √v_t.

    α_t = α √(1 − β₂^t) / (1 − β₁^t)                                    (8.3)

    >>> float(rate_before_correction(1, 0.5, 0.0, 0.75))
    0.25
    """
    return alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)  # (8.3)


def eps_before_correction(t, eps, beta2):
    """What stands next to √v_t where ε stands next to √v̂_t.

    ε̂_t = ε √(1 − β₂^t)                                                 (8.4)

    >>> float(eps_before_correction(1, 1.0, 0.75))
    0.5
    """
    return eps * np.sqrt(1 - beta2**t)  # (8.4)


def eps_after_correction(t, eps_hat, beta2):
    """What a constant ε̂ next to √v_t amounts to next to √v̂_t.

    ε_t = ε̂ / √(1 − β₂^t)                                               (8.5)

    >>> float(eps_after_correction(1, 1.0, 0.75))
    2.0
    """
    return eps_hat / np.sqrt(1 - beta2**t)  # (8.5)


def adam_step_on_signs(signs, beta1):
    """Adam's step after gradients of one size, with signs s_1, ..., s_t (ε = 0).

    Δ_t/α = −(1 − β₁)/(1 − β₁^t) · Σ_{k=0}^{t−1} β₁^k s_{t−k}           (8.6)

    signs : s_1, ..., s_t, each 1 or −1, shape (..., t)

    >>> float(adam_step_on_signs(np.array([1.0, -1.0]), 0.5))
    0.3333333333333333
    """
    t = np.shape(signs)[-1]
    k, past = np.arange(t), signs[..., ::-1]  # past[k] = s_{t-k}
    return -(1 - beta1) / (1 - beta1**t) * (beta1**k * past).sum(-1)  # (8.6)


def rmsprop_momentum_step_on_signs(signs, mu, beta2):
    """The same for RMSprop with momentum at the rate α(1 − μ).

    Δ_t/α = −(1 − μ) Σ_{k=0}^{t−1} μ^k s_{t−k} / √(1 − β₂^{t−k})        (8.7)

    >>> float(rmsprop_momentum_step_on_signs(np.array([1.0]), 0.5, 0.75))
    -1.0
    """
    t = np.shape(signs)[-1]
    k, past = np.arange(t), signs[..., ::-1]
    return -(1 - mu) * (mu**k * past / np.sqrt(1 - beta2 ** (t - k))).sum(-1)  # (8.7)


def first_moment_on_cycle(beta1, g):
    """m_t at each step of a cycle of gradients that repeats for ever.

    m_j = (1 − β₁) / (1 − β₁^n) · Σ_{k=0}^{n−1} β₁^k g_{j−k}            (8.8)
    with indices modulo n: (3.3) for g instead of g².

    beta1 : decay rate in [0, 1), shape (...)
    g : one cycle, shape (n,)
    Returns shape (..., n), in the order of `g`.

    >>> first_moment_on_cycle(0.5, np.array([3.0, -3.0]))
    array([ 1., -1.])
    """
    n = len(g)
    k, beta1 = np.arange(n), np.asarray(beta1)[..., None, None]
    past = g[(k[:, None] - k) % n]  # past[j, k] = g_{j-k}
    return ((1 - beta1) / (1 - beta1**n) * beta1**k * past).sum(-1)  # (8.8)


def adam_drift_on_cycle(beta1, beta2, g):
    """Adam's movement over one cycle in units of α, long after the start (ε = 0).

    D/α = − Σ_j m_j / √v_j, m_j from (8.8), v_j from (3.3)              (8.9)

    >>> float(adam_drift_on_cycle(0.5, 0.5, np.array([2.0, 2.0])))
    -2.0
    """
    m, v = first_moment_on_cycle(beta1, g), second_moment_on_cycle(beta2, g)
    return -(m / np.sqrt(v)).sum(-1)  # (8.9)


def share_of_drift(beta1, n):
    """Adam's drift over that of RMSprop with momentum, as β₂ → 1.

    D_Adam / D_RMSprop → 1 − K / ((n − 1)/2)                            (8.10)

    for a cycle of n − 1 equal gradients and one that makes the sum zero;
    K is the mean age (7.7) of n gradients in the first moment.

    >>> share_of_drift(0.0, 10)
    1.0
    """
    return 1 - lag(n, beta1) / ((n - 1) / 2)  # (8.10)


def adam_speed_after_jump(k, r, beta1, beta2):
    """Adam's k-th step after gradients of size 1 became r, over α (ε = 0).

    |Δ_k|/α = (r + (1 − r) β₁^k) / √v_k, v_k from (4.1)                (8.11)

    Without momentum, β₁ = 0, this is (4.2).

    >>> float(adam_speed_after_jump(1, 0.0, 0.5, 0.25))
    1.0
    """
    v = second_moment_after_jump(k, r, beta2)
    return (r + (1 - r) * beta1**k) / np.sqrt(v)  # (8.11)


def adam_speed_after_spike(k, H, beta1, beta2):
    """Adam's step k after one gradient of H among ones, over α (ε = 0).

    −Δ_k/α = (1 + (1 − β₁) (H − 1) β₁^k) / √v_k, v_k from (4.6)        (8.12)

    Positive the way that the ones push; k = 0 is the spike's own step, and
    H < 0 a spike against them.

    >>> float(adam_speed_after_spike(0, 3.0, 0.5, 0.625))
    1.0
    """
    v = second_moment_after_spike(k, H, beta2)
    return (1 + (1 - beta1) * (H - 1) * beta1**k) / np.sqrt(v)  # (8.12)


def lurch(beta1, beta2):
    """How far Adam moves on account of one immense gradient, over α (ε = 0).

    (1 − β₁) / (√(1 − β₂) (1 − q)), q = β₁/√β₂ < 1                     (8.13)

    >>> float(lurch(0.0, 0.75))
    2.0
    """
    q = beta1 / np.sqrt(beta2)
    return (1 - beta1) / (np.sqrt(1 - beta2) * (1 - q))  # (8.13)
