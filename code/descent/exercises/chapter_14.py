"""Checks of the exercises of chapter 14."""

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, check_function, check_value,
                                      never_raises)
from descent.recorded import transformer
from descent.recorded.transformer import at_best_of_others, select, verdict


def _gap(T, beta2, choose=at_best_of_others, at=None, factor=None, ddof=1):
    runs = transformer.by_length()
    length = np.flatnonzero(runs.steps == (at or T))[0]
    ending = np.flatnonzero(runs.steps == T)[0]
    loss = runs.loss[:, np.flatnonzero(runs.beta2 == beta2)[0]]
    if at:
        best = loss[..., length].mean(-1)
        both, none = (table[np.nanargmin(mean), :, ending]
                      for table, mean in zip(loss, best))
    else:
        both, none = (choose(table[..., ending]) for table in loss)
    d = none - both
    factor = factor or theory.t_factor(3)
    return d.mean(), factor * d.std(ddof=ddof) / np.sqrt(len(d))


def check_gap(function):
    """Check ``gap(T, beta2)``: without minus with the correction, and ±.

    >>> check_gap(lambda T, beta2: (None, None))
    <lambda>: not done yet
    """
    return check_function(
        function, _gap, inputs=[(600, 0.999), (100, 0.999), (600, 0.95),
                                (400, 0.9999), (100, 0.99)],
        quantities=("the difference", "its half-width"), rtol=1e-3, wrong={
            "each seed has the rate that is best for itself":
                lambda T, b: _gap(T, b, lambda x: np.nanmin(x, 0)),
            "a seed has helped to choose its rate; leave it out":
                lambda T, b: _gap(T, b, at=T),
            "the rates are those of 600 steps, whatever T is":
                lambda T, b: _gap(T, b, at=600),
            "1.96 is for a known spread; three seeds need 4.30":
                lambda T, b: _gap(T, b, factor=1.96),
            "4.30 without the root of three": lambda T, b: _gap(
                T, b, factor=theory.t_factor(3) * np.sqrt(3)),
            "a spread from three seeds needs ddof=1":
                lambda T, b: _gap(T, b, ddof=0)})


def _ahead(rate, beta2, T):
    """How far the uncorrected runs are ahead at one rate for both, and ±."""
    runs = transformer.by_length()
    place = []
    for name, value, grid in (("rate", rate, runs.rates),
                              ("β₂", beta2, runs.beta2), ("T", T, runs.steps)):
        found = np.flatnonzero(np.isclose(grid, value))
        if len(found) == 0:
            raise Complaint(f"{name} is {value:g}; recorded are "
                            + ", ".join(f"{x:g}" for x in grid))
        place.append(found[0])
    i, j, k = place
    both, none = runs.loss[:, j, i, :, k]
    half = theory.paired_interval(both - none, theory.t_factor(3))
    return (both - none).mean(), half


@never_raises
def check_case_against(answer):
    """A comparison at *one* rate that the uncorrected runs win, by a lot.

    answer : (rate, beta2, T), all of them recorded, or a function of no
        arguments that returns it

    >>> check_case_against((3e-4, 0.95, 600))
    the case: ahead by 0.01 ± 0.01: cannot tell
    >>> check_case_against((3e-5, 0.999, 600))
    the case: shown, ahead by 0.40 ± 0.03; the records hold one four times \
as large
    """
    name, value = "the case", answer() if callable(answer) else answer
    if value is None or np.size(value) == 3 and None in tuple(value):
        return name, "not done yet"
    if np.shape(value) != (3,):
        return name, "it must be three numbers: rate, beta2, T"
    ahead, half = _ahead(*value)
    says = f"ahead by {ahead:.2f} ± {half:.2f}"
    if verdict(ahead, half) != "shown":
        return name, f"{says}: {verdict(ahead, half)}"
    if ahead < 1.6:  # the largest is 1.69
        return name, (f"shown, {says}; the records hold one four times as "
                      "large" if ahead < 0.5 else
                      f"shown, {says}; the records hold a larger one")
    return name, "correct"


def _rare_share(s, pi, weight, c=8192, late=False):
    d = np.linspace(0, 40, 40001)
    at = np.interp(s * pi, theory.scaled_time(d, c), d)
    loss = np.minimum(1 / (s * pi), np.log(c)) if late else (
        theory.class_loss(at, c))
    return (weight * loss)[7:].sum() / (weight * loss).sum()


def check_rare_share(function):
    """Check ``rare_share(s, pi, weight)`` with classes of one loss a group.

    >>> check_rare_share(lambda s, pi, weight: None)
    <lambda>: not done yet
    """
    groups = select(transformer.frequency_groups(), run=-1, split="val")[:10]
    weight, types = groups["target_share"], groups["token_types"]
    pi = weight / types
    return check_function(
        function, _rare_share, rtol=5e-3,
        inputs=[(s, pi, weight) for s in (300.0, 800.0, 2000.0, 8000.0)],
        wrong={
            "a type has the frequency pi; the group's share is for the mean":
                lambda s, pi, w: _rare_share(s, w, w),
            "each group counts with its share of the targets, weight":
                lambda s, pi, w: _rare_share(s, pi, np.ones(10)),
            "a type's frequency does not weigh its group; weight does":
                lambda s, pi, w: _rare_share(s, pi, pi),
            "ℓ ≈ 1/s π holds late only": lambda s, pi, w: _rare_share(
                s, pi, w, late=True),
            "there are 8192 classes, not ten groups":
                lambda s, pi, w: _rare_share(s, pi, w, c=10)})


def check_best_of_eight(answer):
    """How much the best of eight equally good settings flatters itself.

    In units of σ; the check allows 1 %.

    >>> check_best_of_eight(0.56419)
    best of eight: not right: 0.56419
        likely cause: this is the best of two
    """
    return check_value("best of eight", answer, 1.4236, rtol=0.01,
                       sampled="10,000 draws scatter by 0.4 %", wrong={
        "this is the best of two": 0.56419,
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
    return check_value("the report", answer, 2.05, wrong={
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
    return check_function(function, _lowest_mean, inputs=[(DIVERGED,), (other,)],
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
