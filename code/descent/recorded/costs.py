"""The recorded times of chapter 15: steps of Adam and plain memory traffic on one processor.

``benchmarks/step_cost.py --record`` writes them; nothing is measured here.
The times on a GPU are in `descent.recorded.transformer.cost`.
"""

from pathlib import Path

import numpy as np

__all__ = ["machine", "times"]

FILE = Path(__file__).with_name("costs.npz")
ROW = np.dtype([("method", "U24"), ("n", "i8"), ("threads", "i4"),
                ("seconds", "f8"), ("least", "f8"), ("rounds", "i4")])


def _load(name):
    with np.load(FILE) as file:
        return file[name]


def times():
    """The table: method, n, threads, seconds of one call (the median), least, rounds.

    PyTorch's steps are there with one thread and with its default number of
    threads; everything else has one.

    Methods: a step of Adam on n float32 parameters ("readable rule",
    "in place", "in blocks", "PyTorch single", "PyTorch foreach",
    "PyTorch fused"); an operation on arrays of n numbers ("x += y", "x *= c",
    "copy", "x + y", which makes a new array, "PyTorch x += y" and "PyTorch
    x + y"); and 200 steps of 1,000 runs ("1000 runs at once", "1000 runs one
    by one").

    >>> sorted(set(times()["method"].tolist()))[:2]
    ['1000 runs at once', '1000 runs one by one']
    """
    return _load("table")


def machine():
    """The machine in words, and the versions of the software.

    >>> len(machine())
    2
    """
    return str(_load("machine")), str(_load("versions"))
