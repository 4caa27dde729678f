"""Checks of the exercises of chapter 12."""

import re

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value


def check_carried_gaps(answer):
    """(1 − β₁', 1 − β₂') at batch 32 of a run with (0.9, 0.95) at batch 512.

    >>> check_carried_gaps((0.1, 0.05))
    1 − β₁', 1 − β₂': not right: [0.1, 0.05]
        likely cause: these are the old ones: they forget 16 times too early
    """
    betas = np.array([0.9, 0.95])
    right = 1 - theory.same_memory(betas, 512, 32)
    check_value("1 − β₁', 1 − β₂'", answer, right, rtol=2e-3, wrong={
        "these are the old ones: they forget 16 times too early": 1 - betas,
        "the exponent is upside down: it is new batch over old":
            1 - theory.same_memory(betas, 32, 512),
        "this divides 1 − β by 16, which is right to first order only":
            (1 - betas) / 16,
        "this multiplies 1 − β by 16": (1 - betas) * 16,
        "these are β₁' and β₂'": 1 - right,
        "16 is 2 to the 4, but the exponent is 1/16": 1 - betas ** 0.25,
        "β₁' comes first": right[::-1]})


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
    check_value("unfair lines", answer, UNFAIR, wrong=wrong)


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

    check_function(
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
