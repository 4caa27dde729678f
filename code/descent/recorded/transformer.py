"""The recorded runs of chapters 14 and 15: one small transformer, trained 601 times.

The tables come from ``experiments/transformer``: scripts, method and limits
are there.  Losses are mean cross-entropies in nats per token; a rate, lr, is
the book's α.  NaN stands where a run had no finite value.  The functions
return structured numpy arrays, one entry per run (or row), such as

>>> runs = select(bias_correction(), beta2=0.999, correction="both", lr=3e-4,
...               warmup=0, repeat=0)
>>> runs["seed"], runs["val_loss"]
(array([0, 1, 2]), array([2.173 , 2.0924, 2.1908]))

`run` is the number of a run, the same in all tables and the row in
`curves` and `update_sizes`.  Nothing is downloaded; the file is read at
each call.  `at_best_of_others` and `verdict` judge losses of a few seeds; no
equation of the book stands behind them, so they are here, not in `theory`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Curves", "Lengths", "UpdateSizes", "at_best_of_others",
           "bias_correction", "by_length", "comparison", "cost", "curves",
           "decay_rates", "frequency_groups", "select", "update_sizes",
           "verdict"]

FILE = Path(__file__).with_name("transformer.npz")


class Curves(NamedTuple):
    """Losses along the runs; a row is a run, NaN where it was not measured.

    train_steps, train : loss of the batch of that step, shape (601, steps)
    val_steps, val : validation loss, every 100 steps
    """

    train_steps: np.ndarray
    train: np.ndarray
    val_steps: np.ndarray
    val: np.ndarray


class Lengths(NamedTuple):
    """Losses of Adam by the length of the run, as `by_length` returns them.

    loss : axes correction (both, none), β₂, rate, seed, length of the run
    beta2, rates, steps : the values along the second, third and last axis
    """

    loss: np.ndarray
    beta2: np.ndarray
    rates: np.ndarray
    steps: np.ndarray


class UpdateSizes(NamedTuple):
    """Sizes of u = step/α over all 17,016,576 coordinates; a row is a run.

    steps : the steps that were recorded
    rms, max : root mean square and maximum of |u|, to four digits
    moving : share of the coordinates with u ≠ 0
    """

    steps: np.ndarray
    rms: np.ndarray
    max: np.ndarray
    moving: np.ndarray


def _load(*names):
    if not FILE.exists():
        raise FileNotFoundError(
            f"the recorded runs are missing: no file {FILE}. Restore it from "
            "the repository (code/descent/recorded/transformer.npz) or make it again "
            "with `python experiments/transformer/tables.py`.")
    with np.load(FILE) as file:
        arrays = [file[name] for name in names]
    return [a.astype(float) if a.dtype == np.float32 else a for a in arrays]


def bias_correction():
    """Adam with β₁ = 0.9, 600 steps, by rate, β₂ and correction.

    Fields: run, beta2, correction ("both", "none", or "first" where only m is
    corrected), warmup (0 or 100 steps), repeat (above 0: identical settings
    again), lr, seed, val_loss at the end, train_loss (mean of the last 50
    batches), peak (the largest loss of a batch from step 3 on), above (how
    many batches from step 6 on had a loss above ln 8192), diverged (a loss
    was not finite, or the mean of the last 20 was above ln 8192).

    >>> len(bias_correction())
    201
    """
    return _load("bias_correction")[0]


def comparison():
    """Ten optimizers with equal tuning, 600 steps.

    Fields: run, optimizer (a name such as "Adam 0.9, 0.999"), warmup, stage
    ("half decade" and "quarter decade": tuning on seed 0; "more seeds": the
    chosen rate again), best_lr (True for runs at the chosen rate), lr, seed,
    val_loss, train_loss, peak, above, diverged.

    >>> runs = comparison()
    >>> sorted(set(runs["optimizer"].tolist()))[-2:]
    ['Signum 0.9', 'momentum 0.9']
    """
    return _load("comparison")[0]


def decay_rates():
    """Corrected Adam by β₁ and β₂, three rates each, 400 steps, one seed.

    Fields: run, beta1, beta2, warmup, lr, seed, val_loss, train_loss, peak,
    above, diverged.

    >>> decay_rates().shape  # 6 β₁, 6 β₂, 3 rates, 2 warm-ups
    (216,)
    """
    return _load("decay_rates")[0]


def frequency_groups():
    """Final loss per group of target tokens, for the best rate of each.

    Fields: run, optimizer, warmup, lr, seed, split ("val" or "train"), group
    (1, the single space, to 10, the rarest tokens; 11 is unknown),
    token_types in it, target_share, loss.  The optimizer "unigram
    frequencies" (run, warmup and seed −1) is the loss without any network.

    >>> row = select(frequency_groups(), optimizer="unigram frequencies",
    ...              split="val", group=10)[0]
    >>> int(row["token_types"]), float(row["target_share"])
    (7156, 0.0615)
    """
    return _load("frequency_groups")[0]


def curves():
    """`Curves` of all runs: training loss at 46 steps, validation at 6.

    >>> curves().train.shape
    (601, 46)
    """
    return Curves(*_load("train_steps", "train_curves", "val_steps",
                         "val_curves"))


def by_length():
    """`Lengths`: validation loss of Adam without warm-up after 100 … 600 steps.

    A run at a constant rate that is stopped is a shorter run, so these are
    six lengths.  β₁ is 0.9; NaN where a run had no finite loss.

    >>> by_length().loss.shape
    (2, 4, 7, 3, 6)
    """
    runs = select(bias_correction(), warmup=0, repeat=0)
    along, beta2, rates = curves(), *map(np.unique, (runs["beta2"], runs["lr"]))
    loss = np.array([[[along.val[select(runs, correction=c, beta2=b, lr=a)
                                 ["run"]] for a in rates] for b in beta2]
                     for c in ("both", "none")])
    return Lengths(loss, beta2, rates, along.val_steps.astype(int))


def at_best_of_others(loss):
    """Each seed's loss at the rate that is best on the *other* seeds.

    So no seed judges a rate that it has chosen.  A rate that lost one of the
    others (NaN) is not chosen.

    loss : axes rate, seed, and more; the result has seed, and more

    >>> at_best_of_others(np.array([[1.0, 4.0, 4.0], [3.0, 3.0, 3.0]]))
    array([3., 4., 4.])
    """
    chosen = []
    for seed in range(loss.shape[1]):
        best = np.nanargmin(np.delete(loss, seed, 1).mean(1), 0)
        chosen.append(np.take_along_axis(loss[:, seed], best[None], 0)[0])
    return np.array(chosen)


def verdict(difference, half, equal=None):
    """What the interval ``difference ± half`` says, in words.

    The claim is that the difference is positive; with ``equal``, that it is
    at most so much, either way.

    >>> verdict(0.2, 0.1), verdict(0.2, 0.3), verdict(-0.2, 0.1)
    ('shown', 'cannot tell', 'contradicted')
    >>> verdict(0.02, 0.03, equal=0.1), verdict(0.02, 0.09, equal=0.1)
    ('shown', 'cannot tell')
    """
    low, high = difference - half, difference + half
    if equal is not None:
        low, high = equal - max(high, -low), equal - max(low, -high)
    return ("shown" if low > 0 else "contradicted" if high < 0
            else "cannot tell")


def update_sizes():
    """`UpdateSizes` of all runs, at 16 steps and at the last.

    >>> update_sizes().steps[:8]
    array([ 1,  2,  3,  5,  7, 10, 12, 15], dtype=int16)
    """
    return UpdateSizes(*_load("update_steps", "update_rms", "update_max",
                              "update_moving"))


def cost():
    """What an optimizer's step costs on the GPU, for n float32 parameters.

    Fields: process (the measurement was made in two), optimizer ("copy" is a
    plain copy), implementation, n, state_bytes held between steps,
    temporary_bytes borrowed during one, bytes_must_move, repeats, median_ms,
    p10_ms, p90_ms, gb_per_s (bytes_must_move over the median), copy_gb_per_s,
    floor_ms (bytes_must_move at the speed of the copy), ratio_to_floor.

    >>> step = select(cost(), process=1, n=10**9, optimizer="Adam",
    ...               implementation="fused")[0]
    >>> float(step["ratio_to_floor"])
    1.1564
    """
    return _load("cost")[0]


def select(table, **wanted):
    """The rows of a table whose fields have these values.

    >>> len(select(comparison(), optimizer="SGD", warmup=0, seed=1))
    1
    >>> select(comparison(), rate=1e-3)
    Traceback (most recent call last):
        ...
    ValueError: no field 'rate'; the table has run, optimizer, warmup, \
stage, best_lr, lr, seed, val_loss, train_loss, peak, above, diverged
    """
    keep = np.ones(len(table), bool)
    for name, value in wanted.items():
        if name not in table.dtype.names:
            raise ValueError(f"no field {name!r}; the table has "
                             + ", ".join(table.dtype.names))
        keep &= table[name] == value
    return table[keep]
