"""Chapter 4, in closed form: RMSprop remembers, one-sidedly."""

import numpy as np


def second_moment_after_jump(k, r, beta2):
    """v after k gradients of size r, where they had long been of size 1.

    v_k = r² + (1 − r²) β₂^k                                            (4.1)

    >>> float(second_moment_after_jump(1, 0.0, 0.5))
    0.5
    """
    return r**2 + (1 - r**2) * beta2**k  # (4.1)


def speed_after_jump(k, r, beta2):
    """RMSprop's k-th step after the jump, in units of α (ε = 0).

    |Δ_k|/α = r / √v_k, v_k from (4.1)                                  (4.2)

    >>> float(speed_after_jump(1, 2.0, 0.75))
    1.5118578920369088
    """
    return r / np.sqrt(second_moment_after_jump(k, r, beta2))  # (4.2)


def steps_to_half_speed(r, beta2):
    """The k, not rounded, at which RMSprop is back at half speed.

    k_½ = ln((1 − r²) / 3r²) / (−ln β₂), after a fall by r < ½          (4.3)

    Negative for r > ½: the speed never falls below one half.

    >>> round(float(steps_to_half_speed(0.01, 0.99)), 2)
    807.1
    """
    return np.log((1 - r**2) / (3 * r**2)) / -np.log(beta2)  # (4.3)


def first_step_after_jump(R, beta2):
    """RMSprop's first step after gradients grow by R, in units of α (ε = 0).

    |Δ_1|/α = R / √(β₂ + (1 − β₂) R²)  →  1/√(1 − β₂)                   (4.4)

    >>> float(first_step_after_jump(1.0, 0.9))
    1.0
    """
    return R / np.sqrt(beta2 + (1 - beta2) * R**2)  # (4.4)


def steps_to_excess(c, R, beta2):
    """The k, not rounded, at which the speed is down to 1 + c after a rise.

    k_c = ln((1 − R⁻²) / (1 − (1 + c)⁻²)) / (−ln β₂)                    (4.5)

    Negative for R < 1 + c: the speed is never so large.

    >>> round(float(steps_to_excess(1.0, 100.0, 0.99)), 2)
    28.61
    """
    return np.log((1 - 1 / R**2) / (1 - 1 / (1 + c) ** 2)) / -np.log(beta2)  # (4.5)


def second_moment_after_spike(k, H, beta2):
    """v at k steps after one gradient of size H among gradients of size 1.

    v_k = 1 + (1 − β₂) (H² − 1) β₂^k                                    (4.6)

    >>> float(second_moment_after_spike(0, 3.0, 0.5))
    5.0
    """
    return 1 + (1 - beta2) * (H**2 - 1) * beta2**k  # (4.6)


def steps_after_spike(H, beta2):
    """The k, not rounded, at which RMSprop is back at half speed.

    k_½ = ln((1 − β₂) (H² − 1) / 3) / (−ln β₂), after a spike           (4.7)

    Negative where the spike is too small to bring it below half speed.

    >>> round(float(steps_after_spike(100.0, 0.9)), 2)
    55.13
    """
    return np.log((1 - beta2) * (H**2 - 1) / 3) / -np.log(beta2)  # (4.7)


def harmless_clip(beta2):
    """Clipped here, no spike brings RMSprop below half speed.

    h = √(1 + 3 / (1 − β₂)), in units of the ordinary gradients         (4.8)

    For a spike by itself: a second one soon after it does.  Clipped at 2,
    no number of them does.

    >>> float(harmless_clip(0.8))
    4.0
    """
    return np.sqrt(1 + 3 / (1 - beta2))  # (4.8)


def speed_of_average(k, r, beta2, p):
    """The k-th step after a jump where |g|^p is averaged, in units of α.

    |Δ_k|/α = [1 + (r^−p − 1) β₂^k]^(−1/p)                              (4.9)

    p = 2 is RMSprop, p = 0 the average of log |g|: r to the power β₂^k.

    >>> round(float(speed_of_average(1, 100, 0.99, 1)), 2)
    50.25
    """
    if p == 0:
        return np.asarray(r, float) ** beta2**k
    return (1 + (np.asarray(r, float) ** -p - 1) * beta2**k) ** (-1 / p)  # (4.9)


def steps_to_speed(speed, r, beta2, p):
    """The k, not rounded, at which the average of |g|^p has this speed.

    k = ln((r^−p − 1) / (speed^−p − 1)) / (−ln β₂)                     (4.10)

    p = 2 gives (4.3) and (4.5); p = 0 is the average of log |g|.

    >>> round(float(steps_to_speed(0.5, 0.01, 0.99, 1)), 2)
    457.21
    """
    if p == 0:
        return np.log(np.log(r) / np.log(speed)) / -np.log(beta2)
    distance, left = np.asarray(r, float) ** -p - 1, float(speed) ** -p - 1
    return np.log(distance / left) / -np.log(beta2)  # (4.10)


def lost_travel(r, beta2):
    """How far RMSprop stays behind α a step after a jump, in units of α.

    2 / (−ln β₂) · ln((1 + r) / 2r), negative after a rise             (4.11)

    >>> round(float(lost_travel(1e9, 0.5)), 6)
    -2.0
    """
    return 2 / -np.log(beta2) * np.log((1 + r) / (2 * r))  # (4.11)
