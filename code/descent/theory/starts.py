"""Chapter 17, in closed form: reading claims."""

import numpy as np


def first_step_from(g, beta2, v0):
    """RMSprop's first step in units of α from any start of v (ε = 0).

    |Δ_1|/α = |g_1| / √(β₂ v_0 + (1 − β₂) g_1²)                        (17.1)

    >>> float(first_step_from(3.0, 0.75, 12.0).round(6))
    0.894427
    """
    return np.abs(g) / np.sqrt(beta2 * v0 + (1 - beta2) * g**2)  # (17.1)
