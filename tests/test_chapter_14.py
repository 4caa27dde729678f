"""Chapter 14: its closed forms against sums and draws, its exercises."""

import math

import numpy as np
import pytest

from descent import exercises, theory
from descent.recorded import transformer
from descent.recorded.transformer import select


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


@pytest.mark.equation("14.3")
@pytest.mark.parametrize("sigma", [0.3, 2.0])
def test_the_better_of_two_draws_flatters_itself(sigma):
    draws = 5 + sigma * np.random.default_rng(14).standard_normal((400_000, 2))
    lower = draws.min(-1)
    error = lower.std() / math.sqrt(len(lower))
    assert abs(5 - lower.mean() - theory.flattery(sigma)) < 4 * error


def test_with_a_warm_up_of_w_steps_no_factor_is_larger_than_that_of_step_w():
    t = np.arange(1, 3001)
    for beta1, beta2, W in [(0.9, 0.999, 100), (0.9, 0.999, 288), (0.9, 0.95, 50)]:
        factor = theory.startup_ratio(t, beta1, beta2) * np.minimum(1, t / W)
        assert factor[:W].argmax() == W - 1
        if theory.startup_ratio(W, beta1, beta2) > 1.2:     # not yet below its later values
            assert factor.max() == factor[W - 1]


def gain(ddof=1, root=3):
    runs = select(transformer.comparison(), optimizer="Adam 0.9, 0.95", best_lr=True)
    none, warm = (select(runs, warmup=w)["val_loss"] for w in (0, 100))
    error = math.sqrt((none.var(ddof=ddof) + warm.var(ddof=ddof)) / root)
    return none.mean() - warm.mean(), error


def repaired(loss):
    return np.nanmin(np.mean(loss, axis=1))


@pytest.mark.parametrize("check, answer, verdict", [
    (exercises.check_warm_up_gain, gain(), "correct"),
    (exercises.check_warm_up_gain, lambda: (None, None), "not done yet"),
    (exercises.check_warm_up_gain, gain(ddof=0), "ddof=1"),
    (exercises.check_warm_up_gain, gain(root=1), "divide the variances by 3"),
    (exercises.check_warm_up_gain, tuple(-x for x in gain()), "sign is wrong"),
    (exercises.check_best_of_eight, 1.42, "correct"),
    (exercises.check_best_of_eight, 0.5642, "this is the best of two"),
    (exercises.check_best_of_eight, -1.4236, "sign is wrong"),
    (exercises.check_warm_up_length, 288, "correct"),
    (exercises.check_warm_up_length, 287, "one step short"),
    (exercises.check_warm_up_length, 250, "approximation"),
    (exercises.check_warm_up_length, 1000, "memory"),
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
