"""The real data of the book: 1,797 handwritten digits, how it is split, and
the long trainings on it that are recorded."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

FILE = Path(__file__).with_name("digits.npz")
SWEEPS = Path(__file__).with_name("sweeps.npz")


class Split(NamedTuple):
    """Three parts of a data set, each a pair (X, y)."""

    train: tuple
    validation: tuple
    test: tuple


def digits():
    """The UCI optical digits: images X (1797, 64) and labels y (1797,).

    A row of X is an 8x8 image, row by row from the top left.
    A pixel counts the inked dots of a 4x4 block: a float64 from 0 to 16
    (networks here are usually given X / 16). Labels are the integers 0 to 9.

    The file is read at each call; nothing is downloaded.
    Raises FileNotFoundError where the package was installed without it.

    >>> X, y = digits()
    >>> X.shape, X.min(), X.max()
    ((1797, 64), np.float64(0.0), np.float64(16.0))
    >>> np.bincount(y)
    array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])

    Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of
    Handwritten Digits, UCI Machine Learning Repository,
    https://doi.org/10.24432/C50P49: the images of its test set, unchanged,
    as scikit-learn also ships them.
    Licence: Creative Commons Attribution 4.0 International (CC BY 4.0).
    Both are also stored in the file, as `source` and `licence`.
    """
    if not FILE.exists():
        raise FileNotFoundError(
            f"the digits are missing: no file {FILE}. "
            "Restore it from the repository (code/descent/recorded/digits.npz) "
            "or make it again with `python book/make_digits.py`."
        )
    with np.load(FILE) as file:
        return file["pixels"].astype(float), file["labels"].astype(int)


def split(X, y, seed=0):
    """Split examples 60/20/20 into training, validation and test parts.

    The examples are put in the order `default_rng(seed).permutation(len(X))`;
    the first 60% train, the next 20% choose settings, the last 20% report.
    Numbers of examples are rounded down for the first two parts.
    All chapters use seed 0, so that they share one test set.

    >>> parts = split(*digits())
    >>> [len(y) for X, y in parts]
    [1078, 359, 360]
    """
    if len(X) != len(y):
        raise ValueError(
            f"X and y must have the same length, got {len(X)} and {len(y)}"
        )
    order = np.random.default_rng(seed).permutation(len(X))
    first, second = int(0.6 * len(X)), int(0.8 * len(X))
    parts = np.split(order, [first, second])
    return Split(*((X[part], y[part]) for part in parts))


def sweeps():
    """The long trainings of chapters 12 and 18 that are recorded: {name: array}.

    Each of six sweeps has a part in front of its names.  Losses are those
    after the last epoch, except where epochs stand among the axes; numbers
    are rounded to four digits, those of `rates_` and `schedule_` to three.
    Seeds below 100 are for choosing, the others for reporting.
    The test set is in none of them.

    rates_ : the five rules with their defaults, axes (rule, alpha, seed,
        epoch): `rates_loss`, `rates_validation_loss`,
        `rates_validation_accuracy`
    map_ : RMSprop and Adam, axes (rule, gap, alpha, seed), gap = 1 − β₂:
        `map_validation_loss`; `map_curve` has it by epoch, the geometric
        mean of the seeds: (rule, gap, alpha, epochs + 1)
    rise_ : a decade below, at and above the best cell of the map:
        `rise_validation_loss`, axes (rule, setting, miss, seed)
    schedule_ : Adam with four courses of the rate, axes (rule, schedule,
        alpha, seed): `schedule_loss`, `schedule_validation_loss`
    carry_ : batches of four examples, axes (rule, kept, alpha, seed): β₂ as
        at batches of 64, and β₂ that remembers as many examples, in
        `carry_beta2`, (rule, kept): `carry_validation_loss`

    decay_ : Adam with an L2 penalty and AdamW, axes (rule, seed, λ), λ in
        `decay_weight_decay`, (rule, λ): `decay_validation_loss`. A seed also
        divides the images anew; the test set stays away.

    The axes' values are under their names, such as `map_alpha`.
    `python experiments/digits.py` in the repository writes the file again.

    >>> sweeps()["map_validation_loss"].shape
    (2, 20, 25, 10)
    """
    with np.load(SWEEPS) as file:
        return dict(file)
