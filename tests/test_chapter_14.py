"""Chapter 14: its closed forms, its tables recomputed, its exercises."""

import json
import lzma
import math
from pathlib import Path

import numpy as np
import pytest

from descent import exercises, theory
from descent.recorded import transformer
from descent.recorded.transformer import at_best_of_others, verdict

RECORDS = (Path(__file__).parents[1] / "experiments" / "transformer" / "recorded"
           / "runs.jsonl.xz")


@pytest.mark.equation("14.1")
@pytest.mark.parametrize("x", [0.05, 0.6, 6.0, 30.0])
def test_mean_startup_ratio_is_the_mean_over_a_long_run(x):
    T = 200_000
    rho = theory.startup_ratio(np.arange(1, T + 1), 0.0, math.exp(-x / T))
    # a sum for an integral whose integrand begins with 1/√t: 1.46/√T of the whole
    assert theory.mean_startup_ratio(x) == pytest.approx(rho.mean(), rel=2e-3)


@pytest.mark.equation("14.1")
def test_mean_startup_ratio_of_a_short_run_is_two_over_the_root():
    assert theory.mean_startup_ratio(1e-4) == pytest.approx(2 / math.sqrt(1e-4), rel=1e-4)


@pytest.mark.equation("14.2")
@pytest.mark.parametrize("x", [20.0, 50.0])
def test_late_mean_startup_ratio_is_the_limit(x):
    exact = theory.mean_startup_ratio(x)
    assert theory.mean_startup_ratio_late(x) == pytest.approx(exact, abs=2 * math.exp(-x) + 1e-6)


@pytest.mark.equation("12.7")
@pytest.mark.parametrize("missed", [0.01, 0.05, 0.2, 0.5])
def test_the_factor_of_three_seeds_has_the_closed_form_of_the_page(missed):
    closed = (1 - missed) * math.sqrt(2 / (missed * (2 - missed)))
    assert theory.t_factor(3, missed) == pytest.approx(closed, rel=1e-8)   # (12.7) is summed in 100,000 slices


# ---- the main table, from the records alone --------------------------------


@pytest.fixture(scope="module")
def recorded():
    """{(correction, β₂, rate, seed): the run}, Adam without warm-up."""
    with lzma.open(RECORDS, "rt") as file:
        lines = [json.loads(line) for line in file]
    return {(r["correction"], r["b2"], r["lr"], r["seed"]): r for r in lines
            if (r["rule"], r["b1"], r["warmup"], r["rep"], r["steps"], r["wd"])
            == ("adam", 0.9, 0, 0, 600, 0.0)}


def gap_by_hand(recorded, beta2, T):
    """Three differences and the interval, with nothing of the package."""
    rates = [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
    differences = []
    for seed in range(3):
        ends = {}
        for correction in ("both", "none"):
            means = {}
            for rate in rates:
                losses = [dict(recorded[correction, beta2, rate, other]["val"])[T]
                          for other in range(3) if other != seed]
                if None not in losses:
                    means[rate] = sum(losses) / 2
            best = min(means, key=means.get)
            ends[correction] = dict(recorded[correction, beta2, best, seed]["val"])[T]
        differences.append(ends["none"] - ends["both"])
    mean = sum(differences) / 3
    s = math.sqrt(sum((d - mean)**2 for d in differences) / 2)
    return mean, 4.302653 * s / math.sqrt(3)


def test_the_main_table_agrees_with_the_records(recorded):
    runs = transformer.by_length()
    assert runs.steps.tolist() == [100, 200, 300, 400, 500, 600]
    for j, beta2 in enumerate(runs.beta2.tolist()):
        gap = (at_best_of_others(runs.loss[1, j]) - at_best_of_others(runs.loss[0, j]))
        half = theory.paired_interval(gap, theory.t_factor(3))
        for k, T in enumerate(runs.steps.tolist()):
            # the curves are kept in float32
            assert (gap[:, k].mean(), half[k]) == pytest.approx(
                gap_by_hand(recorded, beta2, T), abs=2e-5)


def test_what_the_page_says_of_the_gap_holds(recorded):
    shown = {(b, T): verdict(*gap_by_hand(recorded, b, T)) for b in (0.99, 0.999, 0.9999)
             for T in range(100, 601, 100)}
    assert {key for key, word in shown.items() if word == "shown"} == {
        (b, T) for b in (0.999, 0.9999) for T in (400, 500, 600)}
    assert [verdict(*gap_by_hand(recorded, 0.95, T), equal=0.1)
            for T in range(100, 601, 100)] == ["shown"] * 5 + ["cannot tell"]


def test_all_failing_runs_exploded_within_five_steps(recorded):
    failing = [r for r in recorded.values() if r["correction"] in ("both", "none")
               and not (r["val"][-1][1] or math.inf) < 4.55]
    assert len(failing) == 9 and {r["correction"] for r in failing} == {"none"}
    assert all(r["curve"][1][0] == 5 and r["curve"][1][1] > 30 for r in failing)
    assert sorted(r["above"] for r in failing) == [85, 88, 90, 93, 113, 126, 595, 595, 595]



def mean_rate(r, t):
    """The mean of αρ over the steps before the loss of step t."""
    k = np.arange(1, t)
    rho = (1 if r["correction"] == "both" else
           (1 - r["b1"]**k) / np.sqrt(1 - r["b2"]**k))
    return r["lr"] * np.mean(rho)


def test_no_corrected_run_began_as_fast_as_those_that_failed(recorded):
    failing = [r for r in recorded.values() if r["correction"] == "none"
               and not (r["val"][-1][1] or math.inf) < 4.55]
    fast = [mean_rate(r, 5) for r in failing]
    assert min(fast) == pytest.approx(0.134, abs=1e-3) and max(fast) < 0.43
    fastest = [r for r in recorded.values() if (r["correction"], r["lr"]) == ("both", 3e-2)]
    assert len(fastest) == 12 and all(12 < r["peak"] < 34 for r in fastest)
    assert all(3.6 < r["val"][-1][1] < 4.3 for r in fastest)


def test_beyond_the_corrected_rates_uncorrected_runs_agree_with_each_other(recorded):
    near = [(0.99, 3e-2), (0.999, 1e-2), (0.9999, 3e-3)]  # αρ from 0.042 to 0.045
    at5 = np.array([[recorded["none", b, a, s]["curve"][1][1] for s in range(3)]
                    for b, a in near])
    assert (at5 > 17).all() and (at5.max(0) / at5.min(0) < 1.08).all()


def test_the_rare_tokens_lead_depends_on_its_measure():
    table = transformer.frequency_groups()
    sgd, adam = (transformer.select(table, optimizer=n, warmup=0, split="val")["loss"]
                 .reshape(3, 11).mean(0)[:10] for n in ("SGD", "Adam 0.9, 0.95"))
    alone = transformer.select(table, run=-1, split="val")["loss"][:10]
    share = 1 - adam / sgd
    assert share.argmin() == 9 and 0.34 < share[:9].min() < share[:9].max() < 0.57
    assert (abs(1 - sgd / alone)[7:9] < 0.04).all() and (1 - adam / alone > 0.3).all()
    assert (sgd - adam).argmax() == 8


# ---- the helpers ------------------------------------------------------------


def test_a_rate_that_lost_another_seed_is_not_chosen():
    loss = np.array([[1.0, np.nan, 1.0], [2.0, 2.0, 2.0]])
    # the second seed does not know that it will diverge
    np.testing.assert_array_equal(at_best_of_others(loss), [2.0, np.nan, 2.0])


def test_no_seed_judges_a_rate_that_it_chose():
    loss = np.random.default_rng(0).standard_normal((40, 3, 2000)) / 10
    cheat = loss[loss.mean(1).argmin(0), :, np.arange(2000)].mean()
    honest = at_best_of_others(loss).mean()
    assert cheat < -0.1 and abs(honest) < 0.01


@pytest.mark.parametrize("difference, half, equal, word", [
    (0.3, 0.2, None, "shown"), (-0.3, 0.2, None, "contradicted"),
    (0.1, 0.2, None, "cannot tell"), (-0.02, 0.05, 0.1, "shown"),
    (0.3, 0.1, 0.1, "contradicted"), (-0.3, 0.1, 0.1, "contradicted"),
    (0.15, 0.1, 0.1, "cannot tell"), (0.0, 0.2, 0.1, "cannot tell")])
def test_verdicts(difference, half, equal, word):
    assert verdict(difference, half, equal) == word


# ---- the exercises ----------------------------------------------------------


def gap(T, beta2, at=None, factor=4.3027, choose=at_best_of_others):
    runs = transformer.by_length()
    loss = runs.loss[:, list(runs.beta2).index(beta2), :, :, list(runs.steps).index(T)]
    d = choose(loss[1]) - choose(loss[0])
    return d.mean(), factor * d.std(ddof=1) / math.sqrt(3)


def on_the_same_seeds(loss):
    return loss[np.nanargmin(loss.mean(1))]


def rare(s, pi, weight, c=8192):
    d = np.linspace(0, 40, 40001)
    loss = np.log1p((c - 1) * np.exp(-np.interp(s * pi, ((np.expm1(d) + (c - 1) * d) / c), d)))
    return (weight * loss)[7:].sum() / (weight * loss).sum()


def repaired(loss):
    return np.nanmin(np.mean(loss, axis=1))


@pytest.mark.parametrize("check, answer, verdict", [
    (exercises.check_gap, gap, "correct"),
    (exercises.check_gap, lambda T, b: gap(T, b, factor=4.3), "correct"),
    (exercises.check_gap, lambda T, b: (None, None), "not done yet"),
    (exercises.check_gap, lambda T, b: gap(T, b, choose=on_the_same_seeds), "leave it out"),
    (exercises.check_gap, lambda T, b: gap(T, b, choose=lambda x: np.nanmin(x, 0)),
     "best for itself"),
    (exercises.check_gap, lambda T, b: gap(T, b, factor=1.96), "4.30"),
    (exercises.check_case_against, (None, None, None), "not done yet"),
    (exercises.check_case_against, (3e-5, 0.999, 100), "correct"),
    (exercises.check_case_against, lambda: (3e-5, 0.9999, 100), "correct"),
    (exercises.check_case_against, (3e-5, 0.999, 200), "larger one"),
    (exercises.check_case_against, (3e-4, 0.999, 600), "contradicted"),
    (exercises.check_case_against, (2e-4, 0.999, 600), "recorded are"),
    (exercises.check_case_against, 0.3, "three numbers"),
    (exercises.check_rare_share, rare, "correct"),
    (exercises.check_rare_share, lambda s, pi, w: rare(s, w, w), "frequency pi"),
    (exercises.check_rare_share, lambda s, pi, w: rare(s, pi, pi), "weight does"),
    (exercises.check_rare_share, lambda s, pi, w: rare(s, pi, w, 10), "8192"),
    (exercises.check_best_of_eight, 1.42, "correct"),
    (exercises.check_best_of_eight, 0.5642, "this is the best of two"),
    (exercises.check_best_of_eight, 1.39, "how many draws"),
    (exercises.check_best_of_eight, -1.4236, "sign is wrong"),
    (exercises.check_survivors, lambda: 2.05, "correct"),
    (exercises.check_survivors, lambda: 2.3133, "after the repair"),
    (exercises.check_fair_best, repaired, "correct"),
    (exercises.check_fair_best, lambda loss: None, "not done yet"),
    (exercises.check_fair_best, lambda loss: np.nanmean(loss, 1).min(), "survivors"),
    (exercises.check_fair_best, lambda loss: np.nanmin(loss), "luckiest"),
    (exercises.check_fair_best, lambda loss: np.nanmin(loss, 0).mean(), "own rate"),
    (exercises.check_fair_best, lambda loss: np.mean(loss, 1).min(), "NaN"),
    (exercises.check_fair_best, lambda loss: np.nanmedian(loss, 1).min(), "survivors"),
])
def test_checks_of_the_exercises_know_the_likely_mistakes(check, answer, verdict, capsys):
    check(answer)
    assert verdict in capsys.readouterr().out




# ---- the best rates, and the grid that they are of ---------------------------


def test_only_uncorrected_the_best_rate_leans_with_beta2():
    runs = transformer.by_length()
    best = runs.rates[np.nanargmin(runs.loss[..., -1].mean(-1), -1)]
    assert best.tolist() == [[3e-4] * 4, [3e-4, 3e-4, 1e-4, 3e-5]] and runs.rates.min() == 3e-5


def test_a_finer_grid_would_gain_most_in_short_runs_without_the_correction():
    runs = transformer.by_length()
    gained = []
    for k in range(1, 6):   # 200 to 600 steps, β₂ = 0.999
        y = runs.loss[1, 2, :3, :, k].mean(-1)
        low = y[1] - (y[2] - y[0])**2 / (8 * (y[2] + y[0] - 2 * y[1]))   # as if evenly spaced: 3.33 and 3
        gained.append(y[1] - low)
    assert 0.02 < gained[0] < 0.04 and max(gained[1:]) < 0.012 and gained[-1] < 0.005
