"""Record the long sweeps of chapters 12 and 18 in `code/descent/recorded/sweeps.npz`.

Run `python experiments/digits.py` from the top of the repository; it takes
about seven minutes on one core, half of that on two.  With names of sweeps
(`python experiments/digits.py rates rise`) it records these anew and keeps
the others.  The file is committed; the chapter re-runs a part of each sweep
and compares.

Beyond the largest useful rate training is chaotic: rounding, which differs
between processors, decides where a run ends.  There only the record is the
same for everybody.

The settings are those of the book's comparisons: 60/20/20 split, pixels / 16,
batch 64, 15 epochs, He initialisation; a seed decides start and minibatches
(and in `decay` the division of all images but the test set).
Nothing here reads the test set.  Seeds below 100 choose, the others report.
What the arrays hold, and in which order their axes stand, says
`descent.recorded.data.sweeps`.
"""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core a process

from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

from descent import adam, adam_l2, adamw, gradient_descent, momentum, rmsprop
from descent.recorded.data import digits, split, sweeps
from descent.network import Network, train

FILE = Path(__file__).parents[1] / "code" / "descent" / "recorded" / "sweeps.npz"
DIGITS = 4  # of each recorded number
FRESH = np.arange(1000, 1040)

RATES = {"alpha": np.logspace(-3.5, 0.5, 17), "seed": np.arange(20),
         "epoch": np.array([1, 2, 3, 5, 7, 10, 15]),
         "rule": ["gradient_descent", "momentum", "rmsprop", "adam", "adamw"]}
MAP = {"alpha": np.logspace(-3.5, -0.5, 25), "gap": np.logspace(-4, -0.2, 20),
       "seed": np.arange(10), "rule": ["rmsprop", "adam"]}
# a decade below, at and above the best settings of the map, on other seeds
RISE = {"seed": FRESH, "rule": MAP["rule"],
        "setting": ["alpha", "gap"], "miss": np.array([0.1, 1, 10])}
BEST = {"rmsprop": (10**-1.875, 0.1), "adam": (10**-1.75, 10**-2.6)}
# a rate that climbs in 26 steps, falls in 255, does both or stays
SCHEDULE = {"schedule": ["constant", "warm-up", "decay", "both"],
            "alpha": np.logspace(-3, 0, 13), "rule": ["adam"],
            "seed": np.r_[:20, FRESH]}
# batches of 4: the β₂ of batches of 64, and as many examples remembered
CARRY = {"beta2": np.array([[0.9, 0.9**(4 / 64)], [0.999, 0.999**(4 / 64)]]),
         "kept": ["beta2", "memory"], "alpha": np.logspace(-3.5, -1.5, 5),
         "seed": np.r_[:10, FRESH[:20]], "rule": ["rmsprop", "adam"]}
# chapter 18: decay inside and beside, each seed with its own division
DECAY = {"rule": ["adamw", "adam_l2"], "seed": np.r_[1000:1020, 2000:2360],
         "weight_decay": np.array([[0, 0.01, 0.03, 0.1, 0.3],
                                   [0, 3e-5, 1e-4, 3e-4, 1e-3]])}
RULES = {"gradient_descent": gradient_descent, "momentum": momentum,
         "rmsprop": rmsprop, "adam": adam, "adamw": adamw,
         "adam_l2": adam_l2}


def trained(rule, seeds, network=Network(), **hyper):
    (X, y), (X_val, y_val), _ = split(*digits())
    return train(network, RULES[rule], network.init(seeds), X / 16, y,
                 seed=seeds, validation=(X_val / 16, y_val), **hyper)


def rates_of(rule, alpha):
    """One rate with the defaults of a rule."""
    result = trained(rule, RATES["seed"], alpha=alpha)
    return [curve[RATES["epoch"]].T for curve in (
        result.validation_loss, result.loss, result.validation_accuracy)]


def rise_of(rule, setting):
    """Around the best cell of the map, in one direction."""
    alpha, gap = BEST[rule]
    miss = RISE["miss"][:, None, None]
    if setting == "alpha":
        result = trained(rule, RISE["seed"], alpha=alpha * miss,
                         beta2=1 - gap)
    else:
        result = trained(rule, RISE["seed"], alpha=alpha,
                         beta2=1 - gap * miss)
    return (result.validation_loss[-1],)


def map_of(rule, gap):
    """One row of the map of rate against decay rate; gap is 1 − β₂."""
    result = trained(rule, MAP["seed"], alpha=MAP["alpha"][:, None, None],
                     beta2=1 - gap)
    curve = np.exp(np.log(result.validation_loss).mean(-1))
    return result.validation_loss[-1], curve.T


def schedule_of(rule, schedule):
    """Rates for one course of the rate."""
    T, W = 255, 26
    course = {"constant": lambda t: 1.0,
              "warm-up": lambda t: min(1, t / W),
              "decay": lambda t: (T + 1 - t) / T,
              "both": lambda t: min(1, t / W, (T + 1 - t) / (T - W))}[schedule]
    alpha = SCHEDULE["alpha"][:, None, None]
    result = trained(rule, SCHEDULE["seed"], alpha=lambda t: alpha * course(t))
    return (result.validation_loss[-1], result.loss[-1])


def carry_of(rule, kept):
    """Rates at batches of 4, with one β₂."""
    beta2 = CARRY["beta2"][CARRY["rule"].index(rule),
                           CARRY["kept"].index(kept)]
    result = trained(rule, CARRY["seed"], batch=4, beta2=beta2,
                     alpha=CARRY["alpha"][:, None, None])
    return (result.validation_loss[-1],)


def decay_of(rule, seed):
    """Decays at Adam's rate; the seed divides the images but the test set."""
    parts = split(*digits())[:2]
    X, y = (np.concatenate(both) for both in zip(*parts))
    order = np.random.default_rng(seed).permutation(len(y))
    one, two = np.split(order, [len(parts[0][1])])
    lam = DECAY["weight_decay"][DECAY["rule"].index(rule), :, None]
    network = Network()
    result = train(network, RULES[rule], network.init(seed), X[one] / 16,
                   y[one], seed=seed, alpha=0.024, weight_decay=lam,
                   validation=(X[two] / 16, y[two]))
    return (result.validation_loss[-1],)


def rounded(x):
    """To DIGITS significant digits, which keeps the file small."""
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(x))) - DIGITS + 1)
        return np.where(unit > 0, np.round(x / unit) * unit, x).astype("f4")


SWEEPS = {  # name: (axes, job, the axis that is split into jobs, fields)
    "carry": (CARRY, carry_of, "kept", ["validation_loss"]),
    "decay": (DECAY, decay_of, "seed", ["validation_loss"]),
    "map": (MAP, map_of, "gap", ["validation_loss", "curve"]),
    "rates": (RATES, rates_of, "alpha",
              ["validation_loss", "loss", "validation_accuracy"]),
    "rise": (RISE, rise_of, "setting", ["validation_loss"]),
    "schedule": (SCHEDULE, schedule_of, "schedule",
                 ["validation_loss", "loss"]),
}


SHORT = {"rates": "f2", "schedule": "f2"}  # many numbers: three digits do


def main(names):
    arrays = {key: value for key, value in sweeps().items()
              if names and key.partition("_")[0] in SWEEPS}
    names = names or list(SWEEPS)
    with ProcessPoolExecutor(2) as pool:
        waiting = {}
        for name in names:
            axes, job, split_axis, _ = SWEEPS[name]
            todo = product(axes["rule"], axes[split_axis])
            waiting[name] = [pool.submit(job, *which) for which in todo]
        for name in names:
            axes, _, split_axis, fields = SWEEPS[name]
            results = [future.result() for future in waiting[name]]
            for field, values in zip(fields, zip(*results)):
                values = np.stack(values).reshape(
                    len(axes["rule"]), len(axes[split_axis]),
                    *values[0].shape)
                arrays[f"{name}_{field}"] = rounded(values).astype(
                    SHORT.get(name, "f4"))
            arrays.update((f"{name}_{axis}", np.asarray(grid))
                          for axis, grid in axes.items())
    np.savez_compressed(FILE, **arrays)
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
