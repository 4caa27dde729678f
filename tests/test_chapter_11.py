"""Chapter 11, When Adam does not converge: closed forms against runs."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from descent import adam, amsgrad, exercises, run, theory
from descent.problems import Zhang, reddi, spike

C = np.array([2.5, 3.0, 4.0, 10.0])[:, None]
decays = st.floats(0.0, 0.9)
sizes = st.floats(2.05, 20.0)


def rate(t):
    return 0.1 / np.sqrt(t)


def on_the_interval(rule, C, steps=9000, **hyper):
    g = reddi(steps, C)
    path = run(rule, theta0=[-0.5], gradients=g, alpha=rate,
               project=lambda x: np.clip(x, -1, 1), **hyper)
    return path.theta, (g * (path.theta[:-1] + 1)).sum(0) / steps


def last_period(rule, C, steps=600, **hyper):
    path = run(rule, theta0=[0.0], gradients=reddi(steps, C), alpha=1.0,
               eps=0.0, **hyper)
    return path, path.theta[-1] - path.theta[-4]


@pytest.mark.equation("11.9")
def test_the_average_regret_compares_with_one_fixed_point_in_hindsight():
    g = reddi(300, C)
    theta, regret = on_the_interval(adam, C, steps=300)
    np.testing.assert_allclose(
        theory.average_regret(g * theta[:-1], -g), regret, rtol=1e-12)
    sums = [(g * x).sum(0) for x in np.linspace(-1, 1, 21)]
    assert (np.argmin(sums, axis=0) == 0).all()  # hindsight stands at -1
    bowl = np.array([1.0, 4.0, 9.0])
    assert theory.average_regret(bowl, np.ones(3)) == pytest.approx(11 / 3)


@pytest.mark.equation("11.10")
@given(sizes, st.floats(-1.0, 1.0))
def test_resting_at_a_point_costs_a_third_of_what_a_period_costs(C, x):
    g = reddi(30, C)[:, 0]
    direct = ((g * x).sum() - (g * -1.0).sum()) / 30
    assert theory.resting_regret(C, x) == pytest.approx(direct, abs=1e-12)


def test_adam_with_the_decay_rates_of_theorem_1_goes_to_the_wrong_end():
    tied = {"beta1": 0.0, "beta2": 1 / (1 + C**2)}
    theta, regret = on_the_interval(adam, C, **tied)
    np.testing.assert_allclose(theta[-1], 1.0)
    assert (regret > 0.9 * theory.resting_regret(C, 1.0)).all()
    theta, regret = on_the_interval(amsgrad, C, **tied)
    assert (theta[-1] < -0.999).all() and (regret < 0.01).all()


def test_default_adam_goes_to_the_right_end():
    theta, regret = on_the_interval(adam, C)
    np.testing.assert_allclose(theta[-1], -1.0)
    assert (regret < 0.002).all()


@pytest.mark.equation("11.1")
@given(sizes, decays)
def test_v_settles_at_its_three_values(C, beta2):
    path, _ = last_period(adam, C, beta1=0.0, beta2=beta2)
    v = theory.reddi_second_moment(C, beta2)
    np.testing.assert_allclose(v, path.v[-3:, 0], rtol=1e-12)
    np.testing.assert_allclose(v, theory.second_moment_on_cycle(
        beta2, np.array([C, -1.0, -1.0])), rtol=1e-12)


@pytest.mark.equation("11.1")
def test_v_of_a_grid_has_its_three_places_on_a_new_last_axis():
    grid = theory.reddi_second_moment(C, np.array([0.1, 0.9]))
    assert grid.shape == (4, 2, 3)
    assert grid[2, 1] == pytest.approx(theory.reddi_second_moment(4.0, 0.9))


@pytest.mark.equation("11.2")
@given(sizes, decays)
def test_one_period_moves_by_the_drift(C, beta2):
    _, moved = last_period(adam, C, beta1=0.0, beta2=beta2)
    assert theory.reddi_drift(C, beta2) == pytest.approx(moved[0], abs=1e-9)


@pytest.mark.equation("11.3")
@given(sizes, decays)
def test_the_balance_is_the_drift_without_its_common_factor(C, beta2):
    w = (1 - beta2) / (1 - beta2**3)
    assert theory.reddi_balance(C, beta2) == pytest.approx(
        np.sqrt(w) * theory.drift_on_cycle(
            beta2, np.array([C, -1.0, -1.0])), abs=1e-12)


@pytest.mark.equation("11.3")
def test_adam_turns_round_at_the_threshold():
    star = theory.reddi_threshold(C)
    np.testing.assert_allclose(
        star[:, 0], [0.629188, 0.472313, 0.317014, 0.098347], atol=1e-6)
    for side in (-1e-5, 1e-5):
        _, moved = last_period(adam, C, beta1=0.0, beta2=star + side)
        assert (np.sign(moved) == -np.sign(side)).all()


def test_the_threshold_is_the_only_zero_of_the_balance():
    b = np.linspace(0, 1, 2001)
    for c in 2 + np.geomspace(0.01, 100, 30):
        signs = np.sign(theory.reddi_balance(c, b))
        assert (np.diff(signs[signs != 0]) != 0).sum() == 1
        assert signs[0] == 1 and signs[-1] == -1


@pytest.mark.equation("11.4")
@pytest.mark.parametrize("delta", [1e-3, 1e-4])
def test_near_two_the_threshold_is_four_thirds_of_the_excess_below_one(delta):
    exact = 1 - theory.reddi_threshold(2 + delta)
    assert 1 - theory.reddi_threshold_near_two(2 + delta) == pytest.approx(
        exact, rel=3 * delta)


@pytest.mark.equation("11.7")
@given(sizes, decays)
def test_amsgrad_moves_left_by_the_excess_over_the_root_of_its_maximum(
        C, beta2):
    for kind in ("raw", "corrected"):
        path, moved = last_period(amsgrad, C, beta1=0.0, beta2=beta2,
                                  maximum=kind)
        law = theory.amsgrad_reddi_drift(C, path.v_max[-1, 0])
        assert law == pytest.approx(moved[0], abs=1e-9)
        top = (theory.reddi_second_moment(C, beta2)[0] if kind == "raw"
               else C**2)
        assert path.v_max[-1, 0] == pytest.approx(top, rel=1e-9)


@pytest.mark.equation("11.8")
@pytest.mark.parametrize("s", [1, 2, 7])
@pytest.mark.parametrize("beta2", [0.9, 0.999])
def test_the_two_maxima_differ_by_the_corrections_of_two_steps(s, beta2):
    g = spike(100, s, 1000.0)
    raw, corrected = (
        run(amsgrad, theta0=[0.0], gradients=g, beta2=beta2, maximum=kind)
        for kind in ("raw", "corrected"))
    t = np.arange(s, 101)
    np.testing.assert_allclose(
        theory.raw_over_corrected(t, s, beta2),
        np.sqrt(corrected.v_hat[s:, 0] / raw.v_hat[s:, 0]), rtol=1e-12)


@pytest.mark.equation("A6")
@pytest.mark.equation("A7")
def test_the_raw_maximum_never_falls_but_its_divisor_can():
    g = spike(50, 1, 10.0)
    path = run(amsgrad, theta0=[0.0], gradients=g, beta1=0.0, beta2=0.9,
               alpha=1.0, eps=0.0)
    v = np.zeros(51)
    for t in range(1, 51):
        v[t] = 0.9 * v[t - 1] + 0.1 * g[t - 1, 0]**2
    top = np.maximum.accumulate(v)[1:]
    np.testing.assert_allclose(path.v_max[1:, 0], top, rtol=1e-12)
    below = top / (1 - 0.9**np.arange(1, 51))
    assert (np.diff(below) < 0).all()
    np.testing.assert_allclose(-np.diff(path.theta[:, 0]),
                               g[:, 0] / np.sqrt(below), rtol=1e-12)


@pytest.mark.equation("A8")
def test_the_corrected_divisor_never_falls():
    g = spike(50, 20, 10.0)
    path = run(amsgrad, theta0=[0.0], gradients=g, beta1=0.0, beta2=0.9,
               alpha=1.0, eps=0.0, maximum="corrected")
    v, top = 0.0, np.zeros(51)
    for t in range(1, 51):
        v = 0.9 * v + 0.1 * g[t - 1, 0]**2
        top[t] = max(top[t - 1], v / (1 - 0.9**t))
    np.testing.assert_allclose(path.v_hat[1:, 0], top[1:], rtol=1e-12)
    assert (np.diff(path.v_hat[1:, 0]) >= 0).all()


@pytest.mark.equation("11.6")
def test_the_sum_of_cubes_gives_the_threshold_of_a_nearly_balanced_cycle():
    for c in (2.001, 2.0001):
        assert 1 - theory.threshold_from_cubes(
            np.array([c, -1.0, -1.0])) == pytest.approx(
                1 - theory.reddi_threshold(c), rel=5 * (c - 2))
    for n in (30, 60, 120):
        g = np.append(float(n), -np.ones(n - 1))
        gap = 1 - theory.threshold_from_cubes(g)
        assert gap == pytest.approx(4 / n**2, rel=2 / n)
        wrong, right = theory.drift_on_cycle(
            1 - gap * np.array([1.1, 0.9]), g)
        assert wrong > 0 > right


def random_drift(g, beta2, steps=4000, streams=100, seed=0):
    """Mean step for each v, over every gradient that may come next."""
    rng, v, moved = np.random.default_rng(seed), np.mean(g**2), 0
    for drawn in rng.choice(g, (steps, streams)):
        moved = moved - np.mean(g / np.sqrt(
            beta2 * np.expand_dims(v, -1) + (1 - beta2) * g**2), -1)
        v = beta2 * v + (1 - beta2) * drawn**2
    return np.mean(moved) / steps


@pytest.mark.equation("11.5")
@pytest.mark.parametrize("g", [np.array([2.01, -1.0, -1.0]),
                               np.append(61.0, -np.ones(60))])
def test_random_order_needs_twice_the_memory_of_a_cycle(g):
    gap = 1 - theory.threshold_in_random_order(g)
    assert 2 * gap == pytest.approx(1 - theory.threshold_from_cubes(g))
    assert random_drift(g, 1 - 1.15 * gap) > 0 > random_drift(
        g, 1 - 0.85 * gap)


def test_in_random_order_reddis_example_turns_at_0_652():
    g = np.array([3.0, -1.0, -1.0])
    assert random_drift(g, 0.645) > 0 > random_drift(g, 0.659)


def test_the_scatter_of_v_decides_which_effect_of_random_order_counts_more():
    C, beta2 = 3.0, theory.reddi_threshold(3.0)
    lifted = beta2 * (C**2 + 2) / 3 + (1 - beta2) * np.array([C**2, 1.0])
    pull, push = np.array([C, 2.0]) / np.sqrt(lifted)  # at the average v
    both = C / np.sqrt(theory.reddi_second_moment(C, beta2)[0])  # the cycle's
    assert both - pull == pytest.approx(push - both, rel=0.02)
    rng, v, pushes = np.random.default_rng(0), np.full(500, (C**2 + 2) / 3), []
    for _ in range(400):
        pushes.append(2 / np.sqrt(beta2 * v + 1 - beta2))
        v = beta2 * v + (1 - beta2) * rng.choice([C**2, 1.0, 1.0], 500)
    assert np.mean(pushes) > push + 0.1


def test_batches_of_two_go_down_at_every_decay_rate():
    for c in (2.05, 3.0, 10.0):
        a = (c - 1) / 2
        for beta2 in (0.0, 0.3, 0.9):
            assert random_drift(np.array([a, a, -1.0]), beta2, 500) < 0


def test_default_adam_meets_its_problem_at_74():
    drift = [theory.adam_drift_on_cycle(
        0.9, 0.999, np.append(float(n), -np.ones(n - 1)))
        for n in range(3, 80)]
    assert 3 + int(np.argmax(np.array(drift) > 0)) == 74


@pytest.mark.parametrize("C", [2.2, 3.0, 6.0])
def test_at_the_average_v_the_large_one_pulls_less_and_the_small_push_more(C):
    b = theory.reddi_threshold(C)
    v, mean = theory.reddi_second_moment(C, b), (C**2 + 2) / 3
    assert v[2] < mean < v[:2].mean()  # the v that each of them meets
    assert b * mean + (1 - b) * C**2 > v[0]
    assert 2 / np.sqrt(b * mean + 1 - b) > (1 / np.sqrt(v[1:])).sum()


def test_in_a_symmetric_cycle_the_own_square_counts_half():
    gap, n = 1e-4, 9
    weights = (1 - gap) ** np.arange(n)
    over = (weights / weights.sum() - 1 / n) / gap + 1 / (2 * n)
    np.testing.assert_allclose(over, 0.5 - np.arange(n) / n, atol=1e-3)
    np.testing.assert_allclose(over[1:] + over[:0:-1], 0, atol=1e-3)


@pytest.mark.equation("11.11")
@pytest.mark.parametrize("s", [0.1, 2.0])
def test_tilted_bowls_hold_adam_beside_the_minimum(s):
    """The point where the drift is zero, found from the cycle itself."""
    for beta2 in (0.99, 0.999):
        law = theory.wrong_limit(s, beta2)
        low, high = 0.0, s
        for _ in range(60):
            x = (low + high) / 2
            right = theory.drift_on_cycle(
                beta2, x + s * np.array([2.0, -1.0, -1.0])) > 0
            low, high = (x, high) if right else (low, x)
        assert law == pytest.approx(low, rel=3 * (1 - beta2))


@pytest.mark.equation("11.12")
def test_on_the_slope_x_moves_by_the_mean_drift_per_step():
    rates = rate(np.arange(1001, 4001))
    a = 1 / 19**2
    g = np.append(1 + 19 * a, -a * np.ones(19))
    for beta1, beta2 in ((0.0, 0.5), (0.5, 0.5)):
        x = run(adam, Zhang(20).grad, [1.0], 4000, alpha=rate, record=1000,
                beta1=beta1, beta2=beta2).theta[:, 0]
        D = theory.adam_drift_on_cycle(beta1, beta2, g)
        assert theory.progress_on_the_slope(D, 20, rates) == pytest.approx(
            x[-1] - x[1], rel=0.01)


def test_the_phase_plane_has_the_cells_that_the_page_prints():
    betas = np.array([(0, 0.5), (0, 0.9), (0.9, 0.999)])
    x = run(adam, Zhang(20).grad, [1.0], 20_000, alpha=rate, record=False,
            beta1=betas[:, :1], beta2=betas[:, 1:]).theta[:, 0]
    np.testing.assert_allclose(x, [6.4615, -1.9989, -2.0], atol=1e-3)


def test_the_proof_that_no_decay_rate_is_safe():
    """Exercise: at C = 2 the mean of s₂ and s₃ is below s₁ for β₂ < 1."""
    b = sympy.symbols("b")
    c = 2
    s1, s2, s3 = c**2 + b + b**2, 1 + c**2 * b + b**2, 1 + b + c**2 * b**2
    assert sympy.expand(2 * s1 - s2 - s3 - 3 * (2 - b - b**2)) == 0
    assert sympy.expand((1 - b) * (2 + b) - (2 - b - b**2)) == 0


# ---- the checks of the exercises ------------------------------------------


def my_amsgrad(write_back=False, corrected=False):
    def path(theta, gradients, alpha, beta1, beta2, eps):
        m, v, v_max, thetas = 0, 0, 0, [theta]
        for t, g in enumerate(gradients, 1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            c = 1 - beta2**t
            v_max = np.maximum(v_max, v / c if corrected else v)
            v = v_max if write_back else v
            v_hat = v_max if corrected else v_max / c
            step = alpha * m / (1 - beta1**t) / (np.sqrt(v_hat) + eps)
            thetas.append(thetas[-1] - step)
        return np.array(thetas)
    return path


def rising_cycle(power, size=1000):
    """The largest gradient in front of these that default Adam defies."""
    small = (np.arange(1, size) / (size - 1))**power
    low, high = small.sum(), 100 * small.sum()
    for _ in range(50):
        g = np.append((low + high) / 2, -small)
        up = theory.adam_drift_on_cycle(0.9, 0.999, g) > 0
        low, high = (g[0], high) if up else (low, g[0])
    return np.append(low, -small)


def test_a_misleading_cycle_misleads_a_run_too():
    g = rising_cycle(2, size=100)
    path = run(adam, theta0=[0.0], gradients=np.tile(g, 200)[:, None] * [1.0],
               alpha=1.0, eps=0.0).theta[:, 0]
    assert g.sum() > 0 and abs(path[-1] - path[-101]) < 1e-3
    g[0] *= 0.9
    path = run(adam, theta0=[0.0], gradients=np.tile(g, 200)[:, None] * [1.0],
               alpha=1.0, eps=0.0).theta[:, 0]
    assert path[-1] > path[-101]


@pytest.mark.parametrize("check, answer, said", [
    (exercises.check_mean_step_of_pairs, -1 / 3, ": correct"),
    (exercises.check_mean_step_of_pairs, -1.0, "in three steps"),
    (exercises.check_mean_step_of_pairs, 1 / 3, "the sign is wrong"),
    (exercises.check_broken_default, lambda: rising_cycle(4), ": correct"),
    (exercises.check_broken_default, rising_cycle(0), "12.7 %"),
    (exercises.check_broken_default, [3.0, -1.0, -1.0], "it is not misled"),
    (exercises.check_broken_default, [1.0, -3.0], "a positive sum is asked"),
    (exercises.check_broken_default, np.ones(1001), "2 to 1000 gradients"),
    (exercises.check_broken_default, [1.0, np.nan], "must be finite"),
    (exercises.check_broken_default, "rubbish", "must be a number or"),
    (exercises.check_broken_default, None, "not done yet"),
    (exercises.check_two_maxima, (9, 3.66934), ": correct"),
    (exercises.check_two_maxima, (9, 11 / 3), "the largest v is a little"),
    (exercises.check_amsgrad, my_amsgrad(), ": correct"),
    (exercises.check_amsgrad, my_amsgrad(write_back=True), "written back"),
    (exercises.check_amsgrad, my_amsgrad(corrected=True), "as in Optax"),
])
def test_a_check_accepts_the_answer_and_names_the_mistake(
        capsys, check, answer, said):
    check(answer)
    assert said in capsys.readouterr().out
