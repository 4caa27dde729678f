"""Chapter 2, An average that forgets: closed forms against runs and sums."""

from itertools import combinations, product
from pathlib import Path

import nbformat
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import edits
from descent import adam, run, theory
from descent.recorded.data import digits, split
from descent.exercises import (check_backwards_average, check_beat_both_means,
                               check_half_lives, check_larger_batch,
                               check_nothing_comes_twice)
from descent.network import Network
from descent.problems import ramp

BETAS = np.array([0.5, 0.9, 0.99, 0.999])
DATA = np.array([3.0, -1.0, 4.0, 1.5, -9.0])  # five examples' gradients
decay = st.floats(0.05, 0.95)
entries = st.lists(st.floats(-3, 3), min_size=1, max_size=30).map(np.array)


def all_means(draws):
    return np.array([np.mean(chosen) for chosen in draws])


@pytest.mark.equation("2.1")
@given(entries, st.floats(0.0, 0.999))
def test_the_average_is_adams_first_moment(x, beta):
    path = run(adam, theta0=[0.0], gradients=x[:, None], beta1=beta)
    np.testing.assert_allclose(theory.exponential_average(x, beta),
                               path.m[1:, 0], atol=1e-14)


@pytest.mark.equation("2.1")
def test_the_average_stays_where_it_starts_if_the_entries_are_there():
    x = np.full((9, 2), [3.0, -7.0])
    m = theory.exponential_average(x, 0.75, m0=x[0])
    np.testing.assert_array_equal(m, x)


def test_the_average_takes_many_decay_rates_and_many_streams_at_once():
    x = np.random.default_rng(0).standard_normal((20, 3, 1))
    m = theory.exponential_average(x, BETAS)
    assert m.shape == (20, 3, 4)
    np.testing.assert_array_equal(
        m[:, 1, 2], theory.exponential_average(x[:, 1, 0], BETAS[2]))


@pytest.mark.equation("2.2")
@given(entries, st.floats(0.0, 0.999), st.floats(-3, 3))
def test_the_unrolled_average_is_the_last_of_the_recursion(x, beta, m0):
    m = theory.exponential_average(x, beta, m0)
    assert theory.unrolled_average(x, beta, m0) == pytest.approx(
        m[-1], abs=1e-12)


@pytest.mark.equation("2.2")
def test_the_unrolled_average_takes_many_streams_at_once():
    x = np.random.default_rng(0).standard_normal((7, 2, 3))
    np.testing.assert_allclose(theory.unrolled_average(x, 0.8),
                               theory.exponential_average(x, 0.8)[-1])


@pytest.mark.equation("2.3")
@given(st.integers(1, 60), st.floats(0.0, 0.999))
def test_the_newest_n_entries_weigh_what_an_average_of_ones_has(n, beta):
    sums = theory.exponential_average(np.ones(n), beta)
    assert theory.weight_of_last(n, beta) == pytest.approx(sums[-1], abs=1e-13)


@given(st.integers(1, 60), st.floats(0.0, 0.999))
def test_the_mass_of_chapter_3_is_the_weight_of_all_entries(t, beta):
    assert theory.mass(t, beta) == theory.weight_of_last(t, beta)


@pytest.mark.equation("2.4")
@given(decay)
def test_a_half_life_is_when_half_of_the_weight_is_gone(beta):
    h = theory.half_life(beta)
    assert beta**h == pytest.approx(0.5)
    assert theory.weight_of_last(h, beta) == pytest.approx(0.5)


@pytest.mark.equation("2.4")
def test_the_average_is_half_way_up_a_step_after_a_half_life_rounded_up():
    m = theory.exponential_average(np.ones((800, 1)), BETAS[1:])
    np.testing.assert_array_equal((m < 0.5).sum(axis=0) + 1,
                                  np.ceil(theory.half_life(BETAS[1:])))
    assert theory.half_life(0.99) == pytest.approx(68.97, abs=0.005)


@given(entries, st.floats(0.05, 0.95), st.floats(0.0, 3.0))
def test_an_average_of_squares_at_most_halves_in_a_half_life(x, beta, v0):
    v = np.r_[v0, theory.exponential_average(x**2, beta, v0)]
    for n in range(1, len(v)):
        share = 0.5 if n <= theory.half_life(beta) else beta**n
        assert np.all(v[n:] >= share * v[:-n] * (1 - 1e-12) - 1e-300)


@pytest.mark.equation("2.5")
@given(st.integers(2, 60))
def test_the_window_weighs_a_little_more_than_63_percent(n):
    beta = 1 - 1 / n
    weight = theory.weight_of_window(beta)
    sums = (1 - beta) * sum(beta**k for k in range(n))
    assert weight == pytest.approx(sums)
    # ln β = −1/n − 1/(2n²) − …, so e·β^n is above 1 − 1/n
    assert 0 < weight - (1 - 1 / np.e) < 1 / n


@pytest.mark.equation("2.6")
def test_the_mean_age_is_the_sum_over_ages():
    beta, k = sympy.symbols("beta k", positive=True)
    for value in (sympy.Rational(1, 3), sympy.Rational(9, 10)):
        age = sympy.summation(k * (1 - value) * value**k, (k, 0, sympy.oo))
        assert theory.mean_age(float(value)) == pytest.approx(float(age))


@pytest.mark.equation("2.7")
@pytest.mark.parametrize("slope", [1.0, -0.25])
def test_on_a_ramp_the_average_is_late_by_its_lag(slope):
    x = ramp(300, slope)
    m = theory.exponential_average(x, BETAS)
    t = np.arange(1, 301)[:, None]
    np.testing.assert_allclose(t - m / slope, theory.lag_on_ramp(t, BETAS),
                               atol=1e-10)


def test_the_lag_on_a_long_ramp_is_the_mean_age():
    np.testing.assert_allclose(theory.lag_on_ramp(50_000, BETAS),
                               theory.mean_age(BETAS))


@pytest.mark.equation("2.8")
@given(st.integers(1, 40), decay)
def test_the_variance_factor_is_the_sum_of_the_squared_weights(t, beta):
    # the average of a unit vector's entries holds the weights
    weights = theory.exponential_average(np.eye(t), beta)[-1]
    assert theory.variance_factor(t, beta) == pytest.approx(
        (weights**2).sum())


@pytest.mark.equation("2.9")
@pytest.mark.parametrize("n", [1, 3, 4, 19, 199])
def test_the_plain_mean_of_n_entries_has_the_same_noise_and_the_same_age(n):
    beta = (n - 1) / (n + 1)
    assert theory.plain_mean_length(beta) == pytest.approx(n)
    assert theory.variance_factor(np.inf, beta) == pytest.approx(1 / n)
    assert theory.mean_age(beta) == pytest.approx(np.mean(np.arange(n)))


@pytest.mark.equation("2.10")
@pytest.mark.parametrize("B", [1, 2, 3, 4])
def test_over_all_minibatches_with_replacement_the_variance_is_one_over_b(B):
    g = all_means(product(DATA, repeat=B))
    assert g.mean() == pytest.approx(DATA.mean())
    assert theory.minibatch_variance(DATA.var(), B) == pytest.approx(g.var())


@pytest.mark.equation("2.12")
@pytest.mark.parametrize("B", [1, 2, 3, 4, 5])
def test_over_all_minibatches_without_replacement_the_variance_is_less(B):
    g = all_means(combinations(DATA, B))
    assert g.mean() == pytest.approx(DATA.mean())
    assert theory.minibatch_variance_without(DATA.var(), B, 5) == (
        pytest.approx(g.var(), abs=1e-12))


@pytest.mark.equation("2.11")
@pytest.mark.parametrize("B", [1, 2, 3, 4])
def test_the_second_moment_of_all_minibatches_is_signal_plus_noise(B):
    g = all_means(product(DATA, repeat=B))
    assert theory.minibatch_second_moment(DATA.mean(), DATA.var(), B) == (
        pytest.approx(np.mean(g**2)))


def test_the_networks_gradient_is_the_mean_of_its_examples_gradients():
    (X, y), _, _ = split(*digits())
    network = Network()
    theta, X, y = network.init(0), X[:50] / 16, y[:50]
    single = network.grad(theta, X[:, None], y[:, None])
    np.testing.assert_allclose(single.mean(0), network.grad(theta, X, y),
                               atol=1e-14)


GAMMA = np.array([0.95, 0.9, 0.8, 0.7])


STRAIGHT = np.arange(28.0, 0, -1) / 406


def newest_last(x, beta):
    return ((1 - beta) * beta ** np.arange(len(x)) * x[::-1]).sum()


@pytest.mark.parametrize("check, answer, verdict", [
    (check_half_lives, np.log(2) / -np.log(GAMMA), "correct"),
    (check_half_lives, 1 / GAMMA, "claim itself"),
    (check_half_lives, 1 / (1 - GAMMA), "1/e"),
    (check_half_lives, np.log(2) / (1 - GAMMA), "only the limit"),
    (check_half_lives, GAMMA / (1 - GAMMA), "mean age"),
    (check_half_lives, [14, 7, 4, 2], "whole number"),
    (check_nothing_comes_twice, 809, "correct"),
    (check_nothing_comes_twice, 808, "a little more than half"),
    (check_nothing_comes_twice, 540, "halves the variance"),
    (check_backwards_average, newest_last, "correct"),
    (check_backwards_average, lambda x, b: newest_last(x[::-1], b),
     "oldest entry"),
    (check_backwards_average, lambda x, b: newest_last(x, b) / (1 - b),
     "1 − β is missing"),
    (check_larger_batch, 0.9**16, "correct"),
    (check_larger_batch, -0.6, "colleague"),
    (check_larger_batch, 0.9, "in steps"),
    (check_half_lives, -1 / np.log(GAMMA), "time constant"),
    (check_larger_batch, 0.9 ** (1 / 16), "smaller batch"),
    (check_beat_both_means, STRAIGHT, "correct"),
    (check_beat_both_means, lambda: list(STRAIGHT), "correct"),
    (check_beat_both_means, None, "not done yet"),
    (check_beat_both_means, lambda: None, "not done yet"),
    (check_beat_both_means, STRAIGHT[::-1], "the oldest comes last"),
    (check_beat_both_means, 2 * STRAIGHT, "sum to 2"),
    (check_beat_both_means, [1.5, -0.5], "age 1 is negative"),
    (check_beat_both_means, np.full(30, 1 / 30), "mean age is 14.5"),
    (check_beat_both_means, np.full(19, 1 / 19), "plain mean of 19"),
    (check_beat_both_means, 0.1 * 0.9 ** np.arange(300), "exponential"),
    (check_beat_both_means, [1.0], "at most 0.05"),
    (check_beat_both_means, "abc", "must be a number"),
    (check_beat_both_means, [], "a list of finite numbers"),
    (check_beat_both_means, np.eye(2), "a list"),
    (check_beat_both_means, [np.nan, 1.0], "finite"),
])
def test_the_checks_know_the_answer_and_the_likely_mistakes(
        check, answer, verdict, capsys):
    check(answer)
    assert verdict in capsys.readouterr().out


def test_no_weights_beat_the_straight_line():
    """Mixed with any others of this mean age or less, the noise is higher."""
    ages, draws = np.arange(40), np.random.default_rng(0)
    best = np.r_[STRAIGHT, np.zeros(12)]
    assert ages @ best == pytest.approx(9) and best @ best < 0.0469
    tried = 0
    for other in draws.dirichlet(np.r_[np.ones(18), np.full(22, 0.02)], 500):
        if ages @ other <= 9:
            for share in (0.001, 0.1, 1):
                mixed = best + share * (other - best)
                assert mixed @ mixed > best @ best
            tried += 1
    assert tried > 20


PAGE = (Path(__file__).parents[1] / "chapters"
        / "02_an_average_that_forgets.ipynb")


@pytest.mark.parametrize("seed", [11, 12])
def test_the_valley_of_other_trainings_moves_where_the_truth_runs_faster(seed):
    """Not only in the page's training is β best near 0.9, then near 0.8."""
    needed = ("from descent.network", "def minibatch_gradient",
              "def noise_at", "def new_squares", "def late_errors")
    names = {"N": 1078}
    for cell in nbformat.read(PAGE, as_version=4).cells:
        if cell.cell_type == "code" and any(n in cell.source for n in needed):
            source = cell.source.replace("default_rng(2)",
                                         f"default_rng({seed})")
            source = source.replace("network.init(0)",
                                    f"network.init({seed})")
            exec(compile(source, cell.id, "exec"), names)
    off = {(b, step): names["rms"](names["late_errors"](
        names["clouds"], b, step)) for b in (0.5, 0.8, 0.9, 0.95)
        for step in (1, 4)}
    assert off[0.9, 1] < min(off[0.8, 1], off[0.95, 1], off[0.5, 1])
    assert off[0.8, 4] < min(off[0.5, 4], off[0.9, 4], off[0.95, 4])


def test_the_best_n_of_a_ramp_with_noise_is_near_the_cube_root():
    n = np.arange(1, 400)
    for slope in (0.001, 0.004, 0.016):
        error = (slope * (n - 1) / 2)**2 + 0.19 / n
        best = n[error.argmin()]
        assert best == pytest.approx((2 * 0.19 / slope**2)**(1 / 3), abs=1)


# ---- a reader's edits -----------------------------------------------------

EDITS = {  # what stands in a cell, and what a reader may write there
    "last = 200": "last = 115",
    "default_rng(2)": "default_rng(7)",
    "alpha=0.1": "alpha=0.2",
    "decay = np.array([0, 0.5, 0.7,": "decay = np.array([0, 0.2, 0.4, 0.7,",
    "beta, m = 0.9, 0.0": "beta, m = 0.6, 0.0",
    "b = 0.99": "b = 0.8",
    "streams=100": "streams=5",
    "minibatches=200": "minibatches=20",
    "4 ** np.arange(6)": "3 ** np.arange(6)",
    "beta = 0.9\nv": "beta = 0.99\nv",
    "speeds, where = [1, 2, 4]": "speeds, where = [1, 3, 5]",
}


def test_a_reader_who_edits_numbers_reaches_the_end(capsys):
    edits.run_with(PAGE, EDITS)
    assert capsys.readouterr().out.count(": correct\n") == 5  # solutions
