"""Chapter 12, in closed form: a real network, compared fairly."""

from math import comb

import numpy as np


def paired_interval(difference, quantile):
    """Half the width of the confidence interval of a mean difference.

    h = t s_d / √n, s_d the standard deviation of the differences      (12.1)

    difference : one for each seed, shape (n, ...)
    quantile : t, of Student's distribution with n − 1 degrees of freedom

    >>> float(paired_interval([1.0, 3.0], 12.7))
    12.7
    """
    n = len(difference)
    return quantile * np.std(difference, axis=0, ddof=1) / np.sqrt(n)  # (12.1)


def deviation_of_difference(s_a, s_b, r):
    """Standard deviation of a − b, from theirs and their correlation r.

    s_d = √(s_a² + s_b² − 2 r s_a s_b)                                 (12.2)

    >>> float(deviation_of_difference(3.0, 4.0, 0.0))
    5.0
    """
    return np.sqrt(s_a**2 + s_b**2 - 2 * r * s_a * s_b)  # (12.2)


def expected_best(k, losses):
    """The smallest of k of these losses, on average over all choices of k.

    Σ_i C(n − i, k − 1) / C(n, k) · x_(i), x_(1) ≤ … ≤ x_(n)           (12.3)

    k : how many are drawn, without replacement, 1 … n
    losses : shape (n,)

    >>> float(expected_best(2, [3.0, 1.0, 2.0]).round(4))
    1.3333
    """
    x, n = np.sort(losses), len(losses)
    i = np.arange(1, n + 1)
    chosen = np.array([comb(n - j, k - 1) for j in i])
    return (chosen * x).sum() / comb(n, k)  # (12.3)


def rise_per_decade(below, best, above):
    """How much the log of a loss rises a decade away from the best setting.

    S = ½ [ln L(x − 1) + ln L(x + 1)] − ln L(x), x = log₁₀ of the setting
                                                                       (12.4)

    below, best, above : the losses L at a tenth of the best setting, at the
        best, and at ten times it

    >>> float(rise_per_decade(np.e, 1.0, np.e**3))
    2.0
    """
    return (np.log(below) + np.log(above)) / 2 - np.log(best)  # (12.4)


def same_memory(beta2, batch, new_batch):
    """The decay rate that remembers as many examples at another batch size.

    β₂' = β₂^(B'/B)                                                    (12.5)

    >>> float(round(same_memory(0.5, 64, 128), 6))
    0.25
    """
    return beta2 ** (new_batch / batch)  # (12.5)


def eps_of_unscaled_loss(eps, c):
    """The ε that does to a loss what `eps` does to c times this loss.

    ε' = ε / c                                                         (12.6)

    >>> eps_of_unscaled_loss(1.0, 4.0)
    0.25
    """
    return eps / c  # (12.6)


def t_factor(n, miss=0.05):
    """Student's t: the factor of an interval that misses so rarely.

    ∫_0^u cos^{n−2} / ∫_0^{π/2} cos^{n−2} = 1 − miss,  t = √(n − 1) tan u
                                                                       (12.7)

    n : how many differences, 2 or more
    miss : the share of experiments whose interval misses the mean

    >>> float(round(t_factor(20), 3))
    2.093
    """
    u = np.linspace(0, np.pi / 2, 100_001)
    slices = (np.cos(u[:-1]) ** (n - 2) + np.cos(u[1:]) ** (n - 2)) / 2
    inside = np.r_[0, np.cumsum(slices)] / slices.sum()
    return np.sqrt(n - 1) * np.tan(np.interp(1 - miss, inside, u))  # (12.7)
