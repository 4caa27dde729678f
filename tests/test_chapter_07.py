"""Chapter 7: its closed forms against simulations and sums."""

import numpy as np
import pytest
import sympy

from descent import adam, exercises, run, theory
from descent.problems import drift, noisy, quadratic

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


@pytest.mark.parametrize("check, answer, said", [
    (exercises.check_forgetful_start, (10, 20.72, 12), "correct"),
    (exercises.check_forgetful_start, (10, 20.72, 11), "counted from 1"),
    (exercises.check_forgetful_start, (0.1, 0.04826, 12), "other way round"),
    (exercises.check_forgetful_start, (100, 100, 1), "only v lacks"),
    (exercises.check_forgetful_start, (10, 20.72, 11.9), "whole number"),
    (exercises.check_forgetful_start, (10, 10, 1), "not the longest"),
    (exercises.check_forgetful_start, (20.72, 10, 12), "exchanged"),
    (exercises.check_forgetful_start, (1000, 1000, 1), "under a root"),
    (exercises.check_corrected_average, uncorrected_average, "this is m,"),
    (exercises.check_corrected_average, tidy_average, "counted from 0"),
    (exercises.check_corrected_average,
     lambda g, beta1: np.cumsum(g, 0) / np.arange(1, len(g) + 1)[:, None],
     "plain mean"),
    (exercises.check_tidy_second_step, 0.2353, "correct"),
    (exercises.check_tidy_second_step, 4.2496, "uncorrected Adam"),
    (exercises.check_corrected_average, lambda g, beta1: g, "the gradients"),
    (exercises.check_tidy_second_step, 0.0447, "written back too"),
    (exercises.check_tidy_second_step, 5.263, "divide by √v"),
    (exercises.check_mean_inverse_root, 1.082, "correct"),
    (exercises.check_mean_inverse_root, 1.192, "t = 5"),
    (exercises.check_mean_inverse_root, 1.094, "t = 9"),
    (exercises.check_mean_inverse_root, 1.0076, "t = 100"),
    (exercises.check_mean_inverse_root, 10.85, "v is not corrected"),
])
def test_checks_of_the_exercises_name_the_cause(capsys, check, answer, said):
    check(answer)
    printed = capsys.readouterr().out
    assert said in printed
    assert (": correct\n" in printed) == (said == "correct")
