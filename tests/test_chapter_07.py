"""Chapter 7: its closed forms against simulations and sums."""

from math import comb

import numpy as np
import pytest
import sympy

import edits
from conftest import ROOT
from descent import adam, exercises, run, theory
from descent.network import Network, train
from descent.problems import drift, noisy, quadratic
from descent.recorded import bias_correction
from descent.recorded.data import digits, split

ROUNDING = 1e-10  # sums of a few hundred terms, and 1 − β^t for β near 1
BETAS = [(0.9, 0.999), (0.9, 0.95), (0.6, 0.5)]


def wild_gradients(steps, seed=7):
    """Heavy tails, three sizes, no stationarity; shape (steps, 3)."""
    rng = np.random.default_rng(seed)
    growth = np.exp(np.linspace(0, 3, steps))[:, None]
    return rng.standard_normal((steps, 3))**3 * growth * [1.0, 1e-3, 1e3]


def steps_of(gradients, **hyper):
    """Adam's steps on given gradients in units of α, ε = 0."""
    path = run(adam, theta0=np.zeros(gradients.shape[-1]), gradients=gradients,
               alpha=1.0, eps=0.0, **hyper)
    return path.m_hat[1:] / np.sqrt(path.v_hat[1:])


def close(measured, predicted, rel=ROUNDING):
    assert measured == pytest.approx(predicted, rel=rel, abs=1e-14)


# ---- what an average from zero has seen -----------------------------------


@pytest.mark.equation("7.1")
@pytest.mark.parametrize("beta1", [0.0, 0.3, 0.9])
def test_first_moment_unrolls_to_a_weighted_sum(beta1):
    g = wild_gradients(40)
    path = run(adam, theta0=np.zeros(3), gradients=g, beta1=beta1)
    for t in (1, 2, 17, 40):
        close(path.m[t], theory.unrolled_first_moment(g[:t], beta1), 1e-9)


@pytest.mark.equation("7.2")
@pytest.mark.parametrize("beta", [0.3, 0.9, 0.999])
def test_expected_average_is_the_sum_of_its_weights_times_the_moment(beta):
    for t in (1, 2, 50):
        weights = [(1 - beta) * beta**k for k in range(t)]
        close(theory.expected_average(t, beta, 3.0), 3.0 * sum(weights))


@pytest.mark.equation("7.2")
def test_expected_averages_are_measured_on_noisy_gradients():
    streams = noisy(60, eta=2.0, seed=list(range(1000)))
    path = run(adam, theta0=[0.0], gradients=streams, beta2=0.95)
    for x, beta, moment in ((path.m, 0.9, 1.0), (path.v, 0.95, 5.0)):
        for t in (1, 7, 60):
            error = x[t].std() / np.sqrt(1000)
            predicted = theory.expected_average(t, beta, moment)
            assert abs(x[t].mean() - predicted) < 4 * error


@pytest.mark.equation("7.3")
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9])
def test_corrected_average_is_a_weighted_mean(beta):
    g = wild_gradients(30)
    path = run(adam, theta0=np.zeros(3), gradients=g, beta1=beta, beta2=beta)
    for t in (1, 2, 30):
        w = theory.corrected_weights(t, beta)
        close(w.sum(), 1.0)
        close(w @ g[:t][::-1], path.m_hat[t], 1e-9)
        close(w @ g[:t][::-1]**2, path.v_hat[t], 1e-9)


def test_corrected_average_stays_within_the_gradients_seen():
    g = wild_gradients(100)
    m_hat = run(adam, theta0=np.zeros(3), gradients=g).m_hat[1:]
    slack = 1e-12 * np.abs(g).max()
    assert (m_hat <= np.maximum.accumulate(g) + slack).all()
    assert (m_hat >= np.minimum.accumulate(g) - slack).all()


# ---- the remainder of a drift ---------------------------------------------


@pytest.mark.equation("7.4")
@pytest.mark.parametrize("beta2", [0.3, 0.9, 0.99])
def test_mass_times_age_is_the_sum(beta2):
    for t in (1, 2, 3, 200):
        total = sum((1 - beta2) * k * beta2**k for k in range(t))
        close(theory.mass_times_age(t, beta2), total, 1e-9)


@pytest.mark.equation("7.4")
def test_mass_times_age_is_an_identity_of_polynomials():
    x = sympy.Symbol("x")
    for t in (1, 2, 5):
        total = (1 - x) * sum(k * x**k for k in range(t))
        assert sympy.simplify(theory.mass_times_age(t, x) - total) == 0


@pytest.mark.equation("7.5")
@pytest.mark.parametrize("b", [0.25, -0.5])
def test_remainder_is_what_the_drift_leaves_and_tends_to_the_lag(b):
    beta2, a = 0.9, 100.0
    for t in (1, 2, 30):
        moments = a + b * np.arange(1, t + 1)
        expected = sum((1 - beta2) * beta2**k * moments[t - 1 - k]
                       for k in range(t))
        stationary = (1 - beta2**t) * (a + b * t)
        assert theory.drift_remainder(t, beta2, b) == pytest.approx(
            expected - stationary, abs=1e-11)
    close(theory.drift_remainder(2000, beta2, b), -b * beta2 / (1 - beta2))


@pytest.mark.equation("7.6")
@pytest.mark.parametrize("a, b, beta2", [
    (1.0, 0.01, 0.99), (5.0, -0.01, 0.999), (0.0, 2.0, 0.5)])
def test_expected_drifting_moment_is_exact_on_signs(a, b, beta2):
    path = run(adam, theta0=[0.0], gradients=drift(400, a, b), beta2=beta2)
    predicted = theory.expected_drifting_moment(
        np.arange(1, 401), beta2, a, b)
    close(path.v[1:, 0], predicted, 1e-9)


@pytest.mark.equation("7.6")
def test_expected_drifting_moment_is_measured_on_normal_gradients():
    streams = drift(200, 1.0, 0.1, seed=list(range(1000)), noise="normal")
    v = run(adam, theta0=[0.0], gradients=streams, beta2=0.9).v[1:]
    predicted = theory.expected_drifting_moment(
        np.arange(1, 201), 0.9, 1.0, 0.1)
    error = v.std((1, 2)) / np.sqrt(1000)
    assert (abs(v.mean((1, 2)) - predicted) < 5 * error).all()


@pytest.mark.equation("7.7")
@pytest.mark.parametrize("beta2", [0.5, 0.99])
def test_lag_is_the_mean_age_of_the_weights(beta2):
    for t in (1, 2, 10, 300):
        w = theory.corrected_weights(t, beta2)
        assert theory.lag(t, beta2) == pytest.approx(
            w @ np.arange(t), rel=1e-9, abs=1e-11)


@pytest.mark.equation("7.7")
def test_corrected_moment_is_that_of_lag_steps_ago():
    a, b, beta2 = 1.0, 0.3, 0.97
    v_hat = run(adam, theta0=[0.0], gradients=drift(300, a, b),
                beta2=beta2).v_hat[1:, 0]
    t = np.arange(1, 301)
    close(v_hat, a + b * (t - theory.lag(t, beta2)), 1e-9)


# ---- too slow or too fast -------------------------------------------------


@pytest.mark.equation("7.8")
@pytest.mark.parametrize("beta1, beta2", BETAS)
def test_uncorrected_step_is_longer_by_the_startup_ratio(beta1, beta2):
    g = wild_gradients(200)
    betas = {"beta1": beta1, "beta2": beta2}
    ratio = steps_of(g, correct="none", **betas) / steps_of(g, **betas)
    rho = theory.startup_ratio(np.arange(1, 201), beta1, beta2)
    close(ratio, np.repeat(rho[:, None], 3, axis=1), 1e-8)


@pytest.mark.equation("7.8")
def test_uncorrected_adam_is_corrected_adam_with_a_schedule():
    bowl = quadratic([1.0, 50.0], angle=0.3)
    bare = run(adam, bowl.grad, [-8.0, 1.5], 100, alpha=0.1, eps=0.0,
               correct="none")
    full = run(adam, bowl.grad, [-8.0, 1.5], 100, eps=0.0,
               alpha=lambda t: 0.1 * theory.startup_ratio(t, 0.9, 0.999))
    # rounding grows near the minimum, where steps divide small by small
    assert np.abs(bare.theta - full.theta).max() < 1e-9


def test_default_adam_without_correction_starts_too_fast():
    rho = theory.startup_ratio(np.arange(1, 10_001), 0.9, 0.999)
    assert rho[0] == pytest.approx(0.1 / np.sqrt(0.001))
    assert rho.argmax() + 1 == 12
    assert rho.max() == pytest.approx(6.5685, abs=1e-4)
    assert np.flatnonzero(rho >= 1.01).max() + 1 == 3924
    assert (rho > 1).all()


def test_the_disguise_falls_two_to_threefold_within_ten_epochs():
    for beta2, fall in ((0.99, 1.93), (0.999, 2.60), (0.9999, 2.69)):
        rho = theory.startup_ratio(np.arange(1, 171), 0.9, beta2)
        assert rho.max() / rho[-1] == pytest.approx(fall, abs=0.005)


def test_betas_of_language_models_start_slowly_for_eight_steps():
    rho = theory.startup_ratio(np.arange(1, 301), 0.9, 0.95)
    assert ((rho < 1) == (np.arange(1, 301) <= 8)).all()
    assert rho.argmax() + 1 == 20 and rho.max() < 1.1


@pytest.mark.equation("7.9")
@pytest.mark.parametrize("beta1", [0.9, 0.99])
def test_worst_step_hardly_depends_on_beta2(beta1):
    t = np.arange(1, 2001)
    for beta2 in (1 - 1e-5, 1 - 1e-6):
        rho = theory.startup_ratio(t, beta1, beta2)
        # the largest of a smooth curve over integers: half a step, and 1 %
        assert t[rho.argmax()] == pytest.approx(
            theory.worst_step(beta1), abs=0.6, rel=0.01)


@pytest.mark.equation("7.9")
@pytest.mark.parametrize("beta1", [0.9, 0.99])
def test_worst_ratio_is_the_largest_of_all(beta1):
    rho = theory.startup_ratio(np.arange(1, 2001), beta1, 1 - 1e-6)
    assert rho.max() == pytest.approx(
        theory.worst_ratio(beta1, 1 - 1e-6), rel=1e-3)


@pytest.mark.equation("7.9")
def test_worst_ratio_is_the_height_at_the_worst_step():
    x = theory.worst_step(np.exp(-1))
    height = theory.worst_ratio(np.exp(-1), 0.0)
    assert height == pytest.approx((1 - np.exp(-x)) / np.sqrt(x), rel=1e-9)
    assert height == pytest.approx(2 * np.sqrt(x) / (1 + 2 * x), rel=1e-9)


@pytest.mark.equation("7.9")
def test_worst_step_solves_its_equation():
    x = theory.worst_step(np.exp(-1))
    assert np.exp(x) == pytest.approx(1 + 2 * x, rel=1e-9)
    assert theory.worst_step(0.9) == pytest.approx(-x / np.log(0.9))


@pytest.mark.equation("7.10")
@pytest.mark.parametrize("ratio, beta2", [
    (1.01, 0.999), (1.01, 0.99), (1.2, 0.999), (1.5, 0.9999)])
def test_last_step_above_a_ratio(ratio, beta2):
    rho = theory.startup_ratio(np.arange(1, 20_001), 0.9, beta2)
    last = np.flatnonzero(rho >= ratio).max() + 1
    assert last == int(theory.last_step_above(ratio, beta2))


@pytest.mark.equation("7.11")
@pytest.mark.parametrize("beta1, beta2", [
    (0.9, 0.999), (0.9, 0.95), (0.9, 0.901), (0.5, 0.9), (0.0, 0.9),
    (0.9, 0.9), (0.9, 0.5), (0.99, 0.95), (0.9, 0.9901), (0.9, 0.9899)])
def test_condition_says_where_the_uncorrected_step_is_longer(beta1, beta2):
    t = np.arange(1, 151)
    rho = theory.startup_ratio(t, beta1, beta2)
    clear = np.abs(rho - 1) > 1e-12
    longer = theory.is_longer_uncorrected(t, beta1, beta2)
    assert (longer == (rho > 1))[clear].all()


@pytest.mark.parametrize("beta1", [0.3, 0.9, 0.99])
def test_start_is_slow_throughout_exactly_if_beta2_is_at_most_beta1(beta1):
    t = np.arange(1, 3001)
    for beta2 in (beta1 / 2, beta1):
        assert not theory.is_longer_uncorrected(t, beta1, beta2).any()
    # above it, slow at first at most, and then fast until both powers vanish
    longer = theory.is_longer_uncorrected(t, beta1, (1 + beta1) / 2)
    alive = ((1 + beta1) / 2)**t > 1e-300
    assert longer.any() and (np.diff(longer[alive].astype(int)) >= 0).all()


@pytest.mark.equation("7.12")
@pytest.mark.parametrize("beta2", [0.5, 0.95, 0.999])
def test_correcting_only_the_first_moment_is_worst_at_the_first_step(beta2):
    g = wild_gradients(100)
    ratio = (steps_of(g, correct="first", beta2=beta2)
             / steps_of(g, beta2=beta2))
    predicted = theory.startup_ratio_first_only(np.arange(1, 101), beta2)
    close(ratio, np.repeat(predicted[:, None], 3, axis=1), 1e-8)
    assert predicted.argmax() == 0
    assert predicted[0] == pytest.approx(1 / np.sqrt(1 - beta2))


# ---- the race and the record ----------------------------------------------


def steps_to_the_ring(correct, **hyper):
    """Without the package's loop: Adam on the ravine until f ≤ 1 for good."""
    theta, m, v = np.array([-8.0, 1.5]), 0.0, 0.0
    beta1, beta2 = hyper.get("beta1", 0.9), hyper.get("beta2", 0.999)
    arrived = 0
    for t in range(1, 101):
        g = theta * [1.0, 50.0]
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        ratio = m / np.sqrt(v)
        if correct:
            ratio *= np.sqrt(1 - beta2**t) / (1 - beta1**t)
        theta = theta - hyper["alpha"] * ratio
        if 0.5 * theta @ (theta * [1.0, 50.0]) > 1:
            arrived = t + 1
    return arrived


@pytest.mark.parametrize("alpha, corrected, uncorrected", [
    (0.1, 87, 38), (0.3, 29, 38)])
def test_the_same_defect_helps_and_hurts(alpha, corrected, uncorrected):
    assert steps_to_the_ring(True, alpha=alpha) == corrected
    assert steps_to_the_ring(False, alpha=alpha) == uncorrected


def test_at_their_own_best_rates_the_two_nearly_tie():
    best = [min(steps_to_the_ring(correct, alpha=alpha)
                for alpha in np.geomspace(0.01, 1, 161))
            for correct in (True, False)]
    assert best == [27, 29]


def test_a_median_lies_between_the_6th_and_the_15th_of_20():
    rng = np.random.default_rng(0)
    draws = np.sort(rng.standard_normal((20_000, 20))**3, axis=1)
    missed = ((draws[:, 5] > 0) | (draws[:, 14] < 0)).mean()
    exact = 2 * sum(comb(20, k) for k in range(6)) / 2**20
    assert missed == pytest.approx(exact, abs=4 * np.sqrt(exact / 20_000))


@pytest.fixture(scope="module")
def record():
    return bias_correction.runs()


@pytest.mark.parametrize("c, word", [(0, "both"), (1, "none")])
def test_a_part_of_the_record_trained_again_comes_out_the_same(record, c, word):
    assert record["correct"].tolist()[c] == word
    (X, y), _, _ = split(*digits())
    network, seeds, some = Network(), np.array([0, 1]), slice(0, 16, 5)    # above, rounding decides where a run ends
    again = train(network, adam, network.init(seeds), X / 16, y, epochs=10, seed=seeds, beta1=0.9, beta2=0.999,
                  correct=word, alpha=record["alpha"][some, None, None]).loss[-1]
    np.testing.assert_allclose(again, record["loss"][0, 1, 1, c, 0, 0, some, :2], rtol=0.01)


def test_rates_are_chosen_on_tuning_seeds_and_reported_on_others(record):
    mean = np.log(record["loss"]).mean(-1)
    assert (record["alpha"][mean.argmin(-1)] == record["best"]).all()
    assert not set(record["tuning_seed"]) & set(record["fresh_seed"])
    # no best rate at an end of the grid, by the measure of the chapter
    training = record["best"][:, :, :, :, 0]
    assert (training > record["alpha"][0]).all()
    assert (training < record["alpha"][-1]).all()


def compared(record, decay, beta1=1):
    """The 6th, the median and the 15th of the quotients; axes: β₂, epochs."""
    loss = record["fresh"][decay, beta1, :, :, 0]
    quotient = np.sort(loss[:, 0] / loss[:, 1])
    return quotient[..., 5], np.median(quotient, -1), quotient[..., 14]


def test_short_runs_at_a_constant_rate_are_better_uncorrected(record):
    low, middle, _ = compared(record, decay=0)
    assert (low[:, 0] > 1).all()
    assert ((1.3 < middle) & (middle < 1.5))[:, 0].all()


def test_at_099_the_correction_wins_one_longer_run_and_loses_another(record):
    (low, middle, _), (_, _, high) = (compared(record, decay) for decay in (0, 1))
    assert low[0, 1] > 1 and middle[0, 1] == pytest.approx(3.2, abs=0.05)
    assert high[0, 1] < 1
    for decay in (0, 1):    # after 100 epochs we cannot tell
        low, _, high = compared(record, decay)
        assert low[0, 2] < 1 < high[0, 2]


def test_a_decay_takes_that_advantage_away(record):
    low, _, high = compared(record, decay=1)
    assert ((low < 1) & (1 < high))[:, 0].all()  # cannot tell
    assert low[0, 0] > 0.99  # at 0.99 it is close
    assert (high[:, 1] < 1).all()  # after 30 epochs the correction wins


def test_long_runs_are_better_corrected_where_beta2_is_close_to_one(record):
    low, _, high = compared(record, decay=0)
    assert high[2, 2] < 0.2
    assert low[0, 2] < 1 < high[0, 2]
    assert (compared(record, decay=1)[2][1:, 2] < 0.5).all()


def test_the_record_is_what_the_script_computes(record):
    (X, y), _, _ = split(*digits())
    network, alpha = Network(), 0.01
    seeds = record["tuning_seed"][[0, 5]]
    k = int(np.argmin(abs(record["alpha"] - alpha)))
    loss = train(network, adam, network.init(seeds), X / 16, y, seed=seeds,
                 epochs=10, correct="none", alpha=record["alpha"][k],
                 beta2=0.99).loss[-1]
    kept = record["loss"][0, 1, 0, 1, 0, 0, k, [0, 5]]
    close(loss, kept, 1e-3)


# ---- the exercises --------------------------------------------------------


def tidy_average(gradients, beta1):
    """The recurrence, with t from 0."""
    m_hat, result = 0, []
    for t, g in enumerate(gradients):
        m_hat = m_hat + (1 - beta1) / (1 - beta1**t) * (g - m_hat)
        result.append(m_hat)
    return np.array(result)


def uncorrected_average(gradients, beta1):
    m = run(adam, theta0=0 * gradients[0], gradients=gradients, beta1=beta1).m
    return m[1:]


def six_digits(gradients, beta1):
    path = run(adam, theta0=0 * gradients[0], gradients=gradients, beta1=beta1)
    return np.array([[float(f"{x:.6g}") for x in row]
                     for row in path.m_hat[1:]])


def resumed(first_t=None, kept=("theta", "m", "v")):
    """A learner's `train` that goes on with what is named in `kept`."""
    def train_by_day(gradients, alpha, saved=None):
        before = dict(theta=0.0, m=0.0, v=0.0, t=0)
        if saved:
            before |= {k: x for k, x in zip(before, saved) if k in kept}
            if first_t is not None:
                before["t"] = saved[3] + first_t
        theta, m, v, t = before.values()
        for g in gradients:
            t = t + 1
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g**2
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
            theta = theta - alpha * m_hat / (np.sqrt(v_hat) + 1e-8)
        return theta, m, v, t
    return train_by_day


ALL = ("theta", "m", "v", "t")


@pytest.mark.parametrize("check, answer, said", [
    (exercises.check_right_first_step, (0.9, 0.99, 13, 2.131), "correct"),
    (exercises.check_right_first_step, lambda: (0.5, 0.75, 3, 1.1508),
     "correct"),
    (exercises.check_right_first_step, (None,) * 4, "not done yet"),
    (exercises.check_right_first_step, (0.9, 0.99, None, None),
     "t is not done yet"),
    (exercises.check_right_first_step, (0.9, 0.99), "it has 2 parts"),
    (exercises.check_right_first_step, (0.9, 0.99, 12, 2.131), "elsewhere"),
    (exercises.check_right_first_step, (0.9, 0.99, 13, 2.5), "is not 2.5"),
    (exercises.check_right_first_step, (0.9, 0.99, 13.5, 2.131), "whole"),
    (exercises.check_right_first_step, (0.9, 0.95, 1, 1), "0.447 times"),
    (exercises.check_right_first_step, (0.9, 0.5, 1, 1), "asked for"),
    (exercises.check_right_first_step, ("a", 0.99, 13, 2), "could not"),
    (exercises.check_corrected_average, uncorrected_average, "this is m,"),
    (exercises.check_corrected_average, tidy_average, "counted from 0"),
    (exercises.check_corrected_average, six_digits, "correct"),
    (exercises.check_corrected_average, lambda g, beta1: g, "the gradients"),
    (exercises.check_corrected_average,
     lambda g, beta1: np.cumsum(g, 0) / np.arange(1, len(g) + 1)[:, None],
     "plain mean"),
    (exercises.check_resumed_step, 0.3976, "correct"),
    (exercises.check_resumed_step, 0.3162, "not 1"),
    (exercises.check_resumed_step, 0.2958, "the second"),
    (exercises.check_resumed_step, 0.03976, "m is not corrected"),
    (exercises.check_resumed_step, 12.573, "v is not corrected"),
    (exercises.check_resumed_step, 1.0, "had t been saved"),
    (exercises.check_resumable, resumed(kept=ALL), "correct"),
    (exercises.check_resumable, resumed(), "t begins at 1 again"),
    (exercises.check_resumable, resumed(-1, ALL), "one too small"),
    (exercises.check_resumable, resumed(1, ALL), "one too large"),
    (exercises.check_resumable, resumed(kept=("theta", "t")), "m and v begin"),
    (exercises.check_resumable, resumed(kept=("theta",)), "all but θ"),
    (exercises.check_resumable, resumed(kept=("m", "v", "t")), "θ begins"),
    (exercises.check_resumable, 3, "must be a function"),
    (exercises.check_schedule, lambda t: 0.58 * (t <= 19), "correct"),
    (exercises.check_schedule, lambda t: 0.33, "27 steps"),
    (exercises.check_schedule, lambda t: 0.001, "not in the ring"),
    (exercises.check_schedule, lambda t: 1.0, "from 0 to 0.66"),
    (exercises.check_schedule, lambda t: 1 / (t - 1), "ZeroDivisionError"),
    (exercises.check_schedule, 0.3, "it raised TypeError"),
    (exercises.check_mean_inverse_root, 1.082, "correct"),
    (exercises.check_mean_inverse_root, 1.10, "how many draws"),
    (exercises.check_mean_inverse_root, 1.192, "not right"),
    (exercises.check_mean_inverse_root, 10.85, "v is not corrected"),
])
def test_checks_of_the_exercises_name_the_cause(capsys, check, answer, said):
    check(answer)
    printed = capsys.readouterr().out
    assert said in printed
    assert (": correct\n" in printed) == (said == "correct")


# ---- a reader's edits -----------------------------------------------------

EDITS = {  # what stands in a cell, and what a reader may write there
    "start, last = [-8.0, 1.5], 100": "start, last = [-3.0, 1.0], 60",
    "alphas = np.array([0.03, 0.05, 0.1,": "alphas = np.array([0.07, 0.1,",
    "alpha, beta1, beta2, eps = 0.1, 0.9, 0.999, 1e-8":
        "alpha, beta1, beta2, eps = 0.5, 0.5, 0.9, 1e-3",
    "in range(1, 4):": "in range(1, 40):",
    "default_rng(1)": "default_rng(5)",
    "rate, b1, b2 = 0.1, 0.9, 0.999": "rate, b1, b2 = 0.3, 0.8, 0.99",
    "T = 400": "T = 150",
    '    "constant": (np.ones(T), 1, 1),':
        '    "mine": (np.sin(np.arange(T)), 0, 0.5),',
    "a, b, beta2, t = 1.0, 0.01, 0.99, np.arange(1, 1001)":
        "a, b, beta2, t = 5.0, -0.01, 0.95, np.arange(1, 401)",
    "list(range(400))": "list(range(7, 60))",
}


def test_a_reader_who_edits_numbers_reaches_the_end(capsys):
    edits.run_with(ROOT / "chapters" / "07_bias_correction.ipynb", EDITS)
    printed = capsys.readouterr().out
    # right for every input, and said to be
    assert "place: True" in printed and "apart than 1e-9: True" in printed
    assert "solved: correct" in printed
