"""Checks of the exercises of chapter 12."""

import re

import numpy as np

from descent import theory
from descent.exercises.engine import (_array, _call, _undone, check_function,
                                      check_value, never_raises)
from descent.recorded.data import sweeps


UNFAIR = "acef"  # lines of the comparison in the bug hunt of chapter 12


def check_unfair_lines(answer):
    """The letters of the unfair lines, in any order.

    >>> check_unfair_lines("b")
    unfair lines: not right: 'b'
        likely cause: 4 unfair lines are missing, 1 fair line is accused
    """
    def counted(n, what, verb):
        return f"{n} {what} line{'s' * (n != 1)} {verb[n != 1]}"

    if isinstance(answer, (list, tuple, set, frozenset)):
        answer = "".join(map(str, answer))
    wrong = {}
    if isinstance(answer, str):
        answer = "".join(sorted(set(re.findall("[a-z]", answer.lower()))))
        missing = len(set(UNFAIR) - set(answer))
        accused = len(set(answer) - set(UNFAIR))
        said = [counted(missing, "unfair", ("is missing", "are missing"))
                ] * (missing > 0)
        said += [counted(accused, "fair", ("is accused", "are accused"))
                 ] * (accused > 0)
        wrong = {", ".join(said): answer} if said else {}
    return check_value("unfair lines", answer, UNFAIR, wrong=wrong)


MOST = 11  # seeds of 20 on which gradient descent can be "shown" ahead


@never_raises
def check_published(answer):
    """Tuning seeds on which gradient descent is shown to be ahead of Adam.

    Both at the rates with the lowest log loss of the record.

    >>> check_published([6])
    your seeds: two or more are needed for an interval
    """
    name = "your seeds"
    seeds = _call(answer, ()) if callable(answer) else answer
    if _undone(seeds):
        return name, "not done yet"
    if isinstance(seeds, (set, frozenset)):
        seeds = list(seeds)
    seeds = _array(seeds)
    if seeds.ndim != 1 or not np.isin(seeds, np.arange(20)).all():
        return name, "a list of integers from 0 to 19 is needed"
    if len(seeds) < 2:
        return name, "two or more are needed for an interval"
    if len(set(seeds.tolist())) < len(seeds):
        return name, "each may be published once only"
    d = published_differences()[seeds.astype(int)]
    h = theory.paired_interval(d, theory.t_factor(len(d)))
    said = f"{len(d)} of 20, {d.mean():.3f} ± {h:.3f}"
    if d.mean() + h >= 0:
        cause = ("its mean is on Adam's side" if d.mean() >= 0 else
                 "the interval contains zero")
        return name, f"not right: {said}\n    likely cause: {cause}"
    if len(d) < MOST:
        return name, f"fooled, but more are possible: {said}"
    return name, f"correct\n    {said}"


def published_differences():
    """Gradient descent minus Adam in log loss, each at its lowest rate."""
    record = sweeps()
    rules = record["rates_rule"].tolist()
    lowest = []
    for rule in ("gradient_descent", "adam"):
        loss = record["rates_validation_loss"][rules.index(rule), ..., -1]
        log_loss = np.log(loss.astype(float))
        lowest.append(log_loss[log_loss.mean(-1).argmin()])
    return lowest[0] - lowest[1]


def check_best_with_replacement(function):
    """Check ``best_with_replacement(k, losses)``.

    >>> check_best_with_replacement(lambda k, losses: None)
    <lambda>: not done yet
    """
    def best(power):
        def expected(k, losses):
            x, n = np.sort(losses), len(losses)
            share = power(np.arange(n, -1, -1) / n, k)  # at least as large
            return (x * (share[:-1] - share[1:])).sum()
        return expected

    def largest(k, losses):
        return -best(np.power)(k, -np.asarray(losses))

    return check_function(
        function, best(np.power),
        inputs=[(1, np.array([3.0, 1.0, 2.0])),
                (2, np.array([3.0, 1.0, 2.0])),
                (5, np.array([0.3, 0.1, 0.4, 0.15, 0.92, 0.65])),
                (9, np.array([0.3, 0.1, 0.4]))],
        quantities=("the expected best",), wrong={
            "this draws without replacement, as in (12.3)":
                lambda k, losses: (theory.expected_best(k, losses)
                                   if k <= len(losses) else np.nan),
            "this is the expected worst, not the expected best": largest,
            "this is the mean of one draw": lambda k, losses: np.mean(losses),
            "this is the smallest of all": lambda k, losses: np.min(losses),
            "the losses must be sorted first":
                lambda k, losses: (np.asarray(losses) * -np.diff(
                    (np.arange(len(losses), -1, -1) / len(losses))**k)).sum(),
            "k and k − 1 are confused":
                lambda k, losses: best(np.power)(k - 1, losses)})
