"""Checks of the exercises of chapter 14."""

import math

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value
from descent.recorded import transformer
from descent.recorded.transformer import select


def check_warm_up_gain(answer):
    """What a warm-up is worth to Adam (0.9, 0.95), and the standard error.

    >>> check_warm_up_gain((None, None))
    gain and its error: not done yet
    """
    runs = select(transformer.comparison(), optimizer="Adam 0.9, 0.95")
    none, warm = (select(runs, warmup=w, best_lr=True)["val_loss"]
                  for w in (0, 100))
    gain = none.mean() - warm.mean()

    def error(ddof=1, seeds=3):
        return np.sqrt((none.var(ddof=ddof) + warm.var(ddof=ddof)) / seeds)

    lowest = [select(runs, warmup=w)["val_loss"].min() for w in (0, 100)]
    check_value("gain and its error", answer, np.array([gain, error()]),
                rtol=0.01, wrong={
        "a variance from three seeds needs ddof=1": [gain, error(0)],
        "this is the spread of one run; divide the variances by 3":
            [gain, error(seeds=1)],
        "the standard deviations were added; add the squares":
            [gain, (none.std(ddof=1) + warm.std(ddof=1)) / np.sqrt(3)],
        "these are the lowest losses of all; take the means of the seeds":
            [lowest[0] - lowest[1], error()]})


def check_best_of_eight(answer):
    """How much the best of eight equally good settings flatters itself.

    In units of σ; the check allows 1 %.

    >>> check_best_of_eight(theory.flattery(1.0))
    best of eight: not right: 0.56419
        likely cause: this is the best of two
    """
    check_value("best of eight", answer, 1.4236, rtol=0.01, wrong={
        "this is the best of two": theory.flattery(1.0),
        "this is the best of three": 0.8463,
        "this is the best of seven": 1.3522,
        "this is the distance of the best from the worst": 2 * 1.4236})


def _lowest_mean(loss):
    return np.nanmin(np.mean(loss, axis=1))


DIVERGED = np.array([[2.31, 2.28, 2.35], [2.05, np.nan, np.nan],
                     [3.12, 3.08, np.nan]])


def check_survivors(answer):
    """What the suspect of chapter 14 reports on `losses`.

    >>> check_survivors(2.28)
    the report: not right: 2.28
        likely cause: means are compared, not single runs
    """
    check_value("the report", answer, 2.05, wrong={
        "means are compared, not single runs": 2.28,
        "this is the answer after the repair": _lowest_mean(DIVERGED)})


def check_fair_best(function):
    """Check ``fair_best(loss)``: axes rate and seed, NaN where it diverged.

    >>> check_fair_best(lambda loss: np.nanmin(loss))
    <lambda>: the result is wrong
        yours: 2.05
        right: 2.31333
        input: ([[2.31, 2.28, 2.35], [2.05, nan, nan], [3.12, 3.08, nan]])
        likely cause: this is the luckiest single run of all
    """
    other = np.array([[3.0, 2.9, 3.2], [2.6, 2.4, 2.7], [2.2, np.nan, 2.1],
                      [2.5, 3.6, 2.6]])
    check_function(function, _lowest_mean, inputs=[(DIVERGED,), (other,)],
                   wrong={
        "a mean over the survivors: a rate that lost some of its runs is "
        "judged by the others": lambda loss: np.nanmin(_over_survivors(loss)),
        "a median over the survivors is still one over the survivors":
            lambda loss: np.nanmin(_over_survivors(loss, np.median)),
        "this is the luckiest single run of all": np.nanmin,
        "each seed has its own rate here; nobody can choose that before the "
        "run": lambda loss: np.nanmin(loss, axis=0).mean(),
        "one rate that diverged makes the whole answer NaN":
            lambda loss: np.mean(loss, axis=1).min()})


def _over_survivors(loss, mean=np.mean):
    rows = [row[np.isfinite(row)] for row in loss]
    return np.array([mean(row) if len(row) else np.nan for row in rows])


def check_warm_up_length(answer):
    """The shortest warm-up after which no step is more than doubled.

    >>> check_warm_up_length(1000)
    warm-up: not right: 1000
        likely cause: this is the whole memory, 1/(1 − β₂)
    """
    W = math.ceil(theory.last_step_above(2.0, 0.999))
    check_value("warm-up", answer, W, wrong={
        "one step short: the factor is still above 2": W - 1,
        "this is the approximation 1/√(W (1 − β₂)) = 2": 250,
        "this is the whole memory, 1/(1 − β₂)": 1000,
        "this is the step with the largest ratio, without a warm-up": 12,
        "the root is missing: this is 1/(1 − β₂^W) = 2": 693})
