"""Chapter 15, in closed form: what a step costs."""

import numpy as np


def memory(n, states, theta=4, g=4, state=4):
    """Bytes that n parameters in training keep.

    M = n (b_θ + b_g + k b_s)                                          (15.1)

    states : k, the arrays that the optimizer keeps; Adam has 2
    theta, g, state : bytes of a number, b_θ, b_g and b_s

    >>> memory(10, 2), memory(10, 2) - memory(10, 0)
    (160, 80)
    """
    return n * (theta + g + states * state)  # (15.1)


def must_move(n, states, theta=4, g=4, state=4):
    """Bytes that every implementation of one step reads or writes.

    Q = n (2 b_θ + b_g + 2 k b_s)                                      (15.2)

    >>> must_move(10, 2)
    280
    """
    return n * (2 * theta + g + 2 * states * state)  # (15.2)


def least_time(moved, bandwidth, operations=0.0, speed=1.0):
    """No step that moves Q bytes and makes F operations is faster.

    T ≥ max(Q / W, F / P)                                              (15.3)

    moved, operations : Q and F
    bandwidth, speed : W in bytes and P in operations per second

    >>> float(least_time(28e9, 7e9)), float(least_time(1.0, 1.0, 6.0, 2.0))
    (4.0, 3.0)
    """
    return np.maximum(moved / bandwidth, operations / speed)  # (15.3)


def passes_over_floor(passes, states):
    """How many times the bytes of (15.2) a line-by-line program moves.

    r = Σ_l (r_l + w_l) / (3 + 2k)                                     (15.4)

    passes : numbers read and written per parameter by each line, (..., 2)

    >>> float(passes_over_floor([(2, 1), (3, 1)], 0)) * 3
    7.0
    """
    return np.sum(passes) / (3 + 2 * states)  # (15.4)


def step_time(n, calls, overhead, moved, bandwidth, new=0, page=0.0):
    """The model of a step: calls, bytes and new memory cost time.

    T(n) = c a + n (q / W + z p)                                       (15.5)

    calls, overhead : c calls of a seconds each
    moved, bandwidth : q bytes per parameter, W bytes per second
    new, page : z new arrays, p seconds for a new number's place in memory

    >>> step_time(8, 2, 3.0, 4, 16.0, new=1, page=0.5)
    12.0
    """
    return calls * overhead + n * (moved / bandwidth + new * page)  # (15.5)


def crossing(calls, overhead, moved, bandwidth, new=0, page=0.0):
    """The number of parameters from which bytes cost more than calls.

    n* = c a / (q / W + z p)                                           (15.6)

    >>> crossing(2, 3.0, 4, 16.0, new=1, page=0.5)
    8.0
    """
    return calls * overhead / (moved / bandwidth + new * page)  # (15.6)


def gain_at_once(runs, d, crossing):
    """The time of R runs one by one over that of the R runs at once.

    S = (1 + d/n*) / (1/R + d/n*)                                      (15.7)

    d : parameters of one run; crossing : n* of (15.6)

    >>> gain_at_once(10, 0, 1.0), gain_at_once(4, 2, 8.0)
    (10.0, 2.5)
    """
    return (1 + d / crossing) / (1 / runs + d / crossing)  # (15.7)
