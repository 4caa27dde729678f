"""Chapter 2, in closed form: an average that forgets."""

import numpy as np


def exponential_average(x, beta, m0=0.0):
    """The average that forgets, after each entry of `x`.

    m_t = β m_{t−1} + (1 − β) x_t                                       (2.1)

    x : the entries x_1 … x_t, shape (t, ...)
    beta : broadcasts with one entry
    Returns m_1 … m_t, time on the leading axis.

    >>> exponential_average([4.0, 4.0, 4.0], 0.5)
    array([2. , 3. , 3.5])
    """
    m, path = m0, []
    for x_t in np.asarray(x):
        m = beta * m + (1 - beta) * x_t  # (2.1)
        path.append(m)
    return np.array(path)


def unrolled_average(x, beta, m0=0.0):
    """m_t after all of `x`, as a weighted sum of its entries.

    m_t = β^t m_0 + (1 − β) Σ_{k=0}^{t−1} β^k x_{t−k}                   (2.2)

    x : the entries x_1 … x_t, shape (t, ...)

    >>> float(unrolled_average([4.0, 4.0, 4.0], 0.5))
    3.5
    """
    t, past = len(x), np.asarray(x)[::-1]  # past[k] = x_{t-k}
    weights = beta ** np.arange(t)
    return beta**t * m0 + (1 - beta) * np.tensordot(weights, past, 1)  # (2.2)


def weight_of_last(n, beta):
    """What the n newest entries weigh together.

    (1 − β) Σ_{k=0}^{n−1} β^k = 1 − β^n                                 (2.3)

    With n = t this is `mass`, (3.6): chapter 3 derives it a second time, for
    readers who begin there.

    n : a number of steps; between whole numbers the formula interpolates

    >>> float(weight_of_last(2, 0.5))
    0.75
    """
    return 1 - beta**n  # (2.3)


def half_life(beta):
    """Steps in which a weight halves; the newest ones that weigh one half.

    h = ln 2 / (−ln β)                                                  (2.4)

    >>> float(half_life(0.5))
    1.0
    """
    return np.log(2) / -np.log(beta)  # (2.4)


def weight_of_window(beta):
    """What the newest 1/(1 − β) entries weigh together.

    1 − β^{1/(1−β)} → 1 − 1/e as β → 1                                  (2.5)

    >>> float(weight_of_window(0.5))
    0.75
    """
    return 1 - beta ** (1 / (1 - beta))  # (2.5)


def mean_age(beta):
    """The mean age of what the average holds, the newest having age 0.

    Σ_{k=0}^∞ k (1 − β) β^k = β / (1 − β)                               (2.6)

    >>> float(mean_age(0.75))
    3.0
    """
    return beta / (1 - beta)  # (2.6)


def lag_on_ramp(t, beta):
    """How many steps m_t is behind the ramp x_t = c t, from m_0 = 0.

    m_t = c (t − L_t),  L_t = β (1 − β^t) / (1 − β)                     (2.7)

    >>> float(lag_on_ramp(2, 0.5))
    0.75
    """
    return beta * (1 - beta**t) / (1 - beta)  # (2.7)


def variance_factor(t, beta):
    """Var[m_t] over Var[x], for independent entries of the same variance.

    (1 − β) / (1 + β) · (1 − β^{2t})  →  (1 − β) / (1 + β)              (2.8)

    t : a number of steps; np.inf gives the limit

    >>> float(variance_factor(np.inf, 0.6))
    0.25
    """
    return (1 - beta) / (1 + beta) * (1 - beta ** (2 * t))  # (2.8)


def plain_mean_length(beta):
    """The plain mean of so many newest entries has the same noise and age.

    n = (1 + β) / (1 − β)                                               (2.9)

    >>> float(plain_mean_length(0.5))
    3.0
    """
    return (1 + beta) / (1 - beta)  # (2.9)


def minibatch_variance(sigma2, B):
    """Variance of a minibatch gradient, drawn with replacement.

    Var[g] = σ² / B                                                    (2.10)

    sigma2 : σ², the variance of one example's gradient over the data
    B : examples in the minibatch

    >>> float(minibatch_variance(8.0, 4))
    2.0
    """
    return sigma2 / B  # (2.10)


def minibatch_second_moment(mean, sigma2, B):
    """Mean square of a minibatch gradient: signal and noise.

    E[g²] = (∂f/∂θ)² + σ² / B                                          (2.11)

    mean : ∂f/∂θ, the gradient on all the data

    >>> float(minibatch_second_moment(3.0, 8.0, 4))
    11.0
    """
    return mean**2 + sigma2 / B  # (2.11)


def minibatch_variance_without(sigma2, B, N):
    """The same where no example is drawn twice.

    Var[g] = σ² / B · (N − B) / (N − 1)                                (2.12)

    N : examples in the data

    >>> float(minibatch_variance_without(8.0, 4, 4))
    0.0
    """
    return sigma2 / B * (N - B) / (N - 1)  # (2.12)
