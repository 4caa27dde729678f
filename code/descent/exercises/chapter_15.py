"""Checks of the exercises of chapter 15."""

import numpy as np

from descent import theory
from descent.exercises.engine import check_value


def check_largest_model(answer):
    """The largest models that Adam trains in 80 GB: float32, 8-bit state.

    >>> check_largest_model((10e9, 40e9))
    the largest models: not right: [1e+10, 4e+10]
        likely cause: this is the optimizer's state alone; θ and g need room
    """
    right, small = 80e9 / theory.memory(1, 2), 80e9 / theory.memory(1, 2, state=1)
    check_value("the largest models", answer, np.array([right, small]),
                wrong={
        "this is the optimizer's state alone; θ and g need room":
            [80e9 / 8, 80e9 / 2],
        "the gradient needs room, too": [80e9 / 12, 80e9 / 6],
        "8 bits are one byte": [right, 80e9 / theory.memory(1, 2, state=8)],
        "Adam keeps two arrays": [80e9 / 12, 80e9 / 9],
        "m and v alone have 8 bits; θ and g stay in float32":
            [right, 80e9 / 4],
        "this counts in billions": [right / 1e9, small / 1e9]})


def check_floor(answer):
    """AMSGrad on 1e8 parameters at 20 GB/s: floor, and numbers moved in 0.45 s.

    >>> check_floor((0.14, 22.5))
    the floor: not right: [0.14, 22.5]
        likely cause: this is the floor of Adam; AMSGrad keeps a maximum
    """
    floor = theory.least_time(theory.must_move(1e8, 3), 20e9)
    moved = 0.45 * 20e9 / (4 * 1e8)
    check_value("the floor", answer, np.array([floor, moved]), wrong={
        "this is the floor of Adam; AMSGrad keeps a maximum": [0.14, moved],
        "these are reads; θ and the state are written, too": [0.1, moved],
        "θ is written, too": [0.16, moved],
        "the floor is asked in seconds": [1e3 * floor, moved],
        "the second is in bytes; a number has 4": [floor, 4 * moved],
        "float32 has 4 bytes, not 8": [2 * floor, moved / 2]})


def check_twin_averages(answer):
    """The first step of chapter 15's suspect on the gradient 1, in α.

    >>> check_twin_averages(1.0)
    the first step: not right: 1
        likely cause: this is a sound Adam; follow the arrays line by line
    """
    one = 0.999 * 0.1 + 0.001
    check_value("the first step", answer, one / 0.1 / np.sqrt(one / 0.001),
                rtol=1e-3, wrong={
        "this is a sound Adam; follow the arrays line by line": 1.0,
        "nearly: look at m once more after v's line": 0.1})
