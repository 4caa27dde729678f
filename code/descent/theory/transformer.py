"""Chapter 14, in closed form: does it survive a transformer?"""

import numpy as np


def mean_startup_ratio(x):
    """The mean of ρ_1 … ρ_T, (7.8), over a run of T steps, β₁^t neglected.

    ρ̄ ≈ (2/x) arcosh e^{x/2},  x = T (−ln β₂)                          (14.1)

    x : the length of the run in time constants 1/(1 − β₂)

    >>> round(float(mean_startup_ratio(0.6)), 4)
    2.7128
    """
    return 2 / x * np.arccosh(np.exp(x / 2))  # (14.1)


def mean_startup_ratio_late(x):
    """The same for a run much longer than the memory.

    ρ̄ ≈ 1 + 2 ln 2 / x                                                 (14.2)

    >>> round(float(mean_startup_ratio_late(100.0)), 4)
    1.0139
    """
    return 1 + 2 * np.log(2) / x  # (14.2)
