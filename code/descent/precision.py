"""Short number formats: what is left of a number when fewer bits are kept.

A binary floating-point format keeps p significant bits: float64 has 53,
float32 24, float16 11, bfloat16 8.  Only the bits are cut here; the range of
the exponents is that of float64, so nothing overflows or becomes zero.
"""

import numpy as np

BITS = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}
"""Significant bits of each format, the leading one included."""


def spacing(x, bits):
    """The distance from x to the next larger number with so many bits.

    x : positive, shape (...)
    bits : p, a number or an array that broadcasts

    >>> float(spacing(1.0, 8)), float(spacing(0.999, 8))
    (0.0078125, 0.00390625)
    """
    return np.ldexp(2.0 ** -np.asarray(bits, dtype=float), np.frexp(x)[1])


def round_to(x, bits):
    """The number with so many significant bits that is nearest to x.

    Ties go to the even neighbour, as in every IEEE 754 format.

    >>> float(round_to(0.999, 8)), float(round_to(0.99, 8))
    (1.0, 0.98828125)
    """
    step = spacing(x, bits)
    return np.round(np.asarray(x) / step) * step
