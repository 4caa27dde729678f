"""The recorded trainings of chapter 7: the digits with and without bias correction."""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("bias_correction.npz")


def runs():
    """{name: array}; losses are those at the end, rounded to four digits.

    loss : of every rate on the tuning seeds, axes (decay, beta1, beta2,
        correct, measure, epochs, alpha, tuning_seed)
    best : the rate whose mean ln loss is lowest there, axes (decay, beta1,
        beta2, correct, measure, epochs)
    fresh : the loss of this rate on other seeds, axes as of `best`, and then
        fresh_seed

    The axes' values are under their names: `decay` is "constant" or "linear
    decay" to zero, `measure` "training" or "validation", `correct` "both" or
    "none"; `steps` is the number of steps in an epoch.
    `python experiments/bias_correction.py` in the repository writes the file.

    >>> runs()["fresh"].shape
    (2, 2, 3, 2, 2, 3, 20)
    """
    with np.load(FILE) as file:
        return dict(file)
