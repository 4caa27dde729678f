"""Chapter 12: its closed forms against sums and simulations, its records."""

import itertools
import re

import nbformat
import numpy as np
import pytest
import sympy
from scipy import stats

import notebooks
from descent import adam, adamw, exercises, gradient_descent, momentum, rmsprop, run, theory
from descent.exercises.chapter_12 import published_differences
from descent.recorded.data import digits, split, sweeps
from descent.network import Network, train
from descent.problems import Rosenbrock

ROUNDING = 1e-10
CHAPTER = (notebooks.ROOT / "chapters" /
           "12_a_real_network_compared_fairly.ipynb")


def close(measured, predicted, rel=ROUNDING):
    assert measured == pytest.approx(predicted, rel=rel)


# ---- intervals ------------------------------------------------------------


@pytest.mark.equation("12.1")
@pytest.mark.parametrize("n", [2, 5, 20])
def test_interval_is_that_of_students_distribution(n):
    difference = np.random.default_rng(n).standard_normal((n, 3)) * [1, 2, 9]
    quantile = stats.t.ppf(0.975, n - 1)
    low, high = stats.t.interval(0.95, n - 1, loc=difference.mean(0),
                                 scale=stats.sem(difference))
    close(theory.paired_interval(difference, quantile), (high - low) / 2)


@pytest.mark.equation("12.1")
def test_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).standard_normal((20, 4000)) + 3
    half = theory.paired_interval(draws, stats.t.ppf(0.975, 19))
    covered = np.mean(np.abs(draws.mean(0) - 3) < half)
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)


@pytest.mark.equation("12.7")
@pytest.mark.parametrize("n", [2, 3, 5, 20, 40])
@pytest.mark.parametrize("miss", [0.5, 0.05, 0.05 / 4])
def test_factor_is_the_quantile_of_students_distribution(n, miss):
    close(theory.t_factor(n, miss), stats.t.ppf(1 - miss / 2, n - 1), 1e-7)


@pytest.mark.equation("12.2")
def test_deviation_of_a_difference_needs_both_and_their_correlation():
    a, b = np.random.default_rng(1).standard_normal((2, 50))
    b = 3 * b + 2 * a
    s_a, s_b = a.std(ddof=1), b.std(ddof=1)
    close(theory.deviation_of_difference(s_a, s_b, np.corrcoef(a, b)[0, 1]),
          (a - b).std(ddof=1))


# ---- the best of several --------------------------------------------------


@pytest.mark.equation("12.3")
@pytest.mark.parametrize("k", [1, 2, 4, 7])
def test_expected_best_is_the_mean_over_all_choices(k):
    losses = np.random.default_rng(2).uniform(size=7)
    every = [min(chosen) for chosen in itertools.combinations(losses, k)]
    close(theory.expected_best(k, losses), np.mean(every))


@pytest.mark.equation("12.3")
def test_best_of_one_is_the_mean_and_best_of_all_the_smallest():
    losses = [4.0, 1.0, 7.0]
    close(theory.expected_best(1, losses), 4.0)
    close(theory.expected_best(3, losses), 1.0)


# ---- rise per decade ------------------------------------------------------


@pytest.mark.equation("12.4")
def test_rise_per_decade_of_a_parabola_is_its_curvature():
    x, a, b = sympy.symbols("x a b", real=True)
    log_loss = a * (x - b) ** 2 + 3
    values = [sympy.exp(log_loss.subs(x, b + d)) for d in (-1, 0, 1)]
    numbers = [float(v.subs({a: sympy.Rational(7, 5), b: 2})) for v in values]
    close(theory.rise_per_decade(*numbers), 1.4)


@pytest.mark.equation("12.4")
def test_rise_per_decade_is_the_mean_of_both_sides():
    close(theory.rise_per_decade(2.0, 1.0, 1.0), np.log(2) / 2)
    close(theory.rise_per_decade(1.0, 1.0, 3.0), np.log(3) / 2)
    close(theory.rise_per_decade(5.0, 5.0, 5.0) + 1, 1.0)


# ---- memory in examples, loss scale ---------------------------------------


@pytest.mark.equation("12.5")
@pytest.mark.parametrize("beta2, batch, new", [
    (0.9, 64, 4), (0.999, 64, 256), (0.5, 10, 20)])
def test_same_memory_weighs_examples_of_one_age_alike(beta2, batch, new):
    """Weight per example at an age of n examples, up to the first batch."""
    other = theory.same_memory(beta2, batch, new)
    for n in (512, 1024):  # ages that both batch sizes divide, or nearly
        close(np.log(other) * n / new, np.log(beta2) * n / batch)
    close(theory.half_life(other) * new, theory.half_life(beta2) * batch)


@pytest.mark.equation("12.6")
@pytest.mark.parametrize("c", [1000.0, 1e-6])
@pytest.mark.parametrize("rule", [adam, rmsprop, adamw])
def test_scaled_loss_is_the_loss_with_another_eps(rule, c):
    f = Rosenbrock()
    # two entries that ε makes differ, so that a wrong ε shows
    scaled = run(rule, lambda theta: c * f.grad(theta), [-1.2, 1.0], 50,
                 alpha=0.01, eps=1e-3 * c)
    plain = run(rule, f.grad, [-1.2, 1.0], 50, alpha=0.01,
                eps=theory.eps_of_unscaled_loss(1e-3 * c, c))
    assert scaled.theta == pytest.approx(plain.theta, rel=1e-8)
    other = run(rule, f.grad, [-1.2, 1.0], 50, alpha=0.01, eps=1e-3 * c)
    assert np.abs(other.theta - plain.theta).max() > 1e-7


# ---- the record -----------------------------------------------------------


@pytest.fixture(scope="module")
def record():
    return sweeps()


def test_record_has_the_shapes_that_its_docstring_names(record):
    grid = [len(record[f"map_{axis}"]) for axis in ("rule", "gap", "alpha")]
    assert grid == [2, 20, 25]
    assert record["map_validation_loss"].shape == (*grid, 10)
    assert record["map_curve"].shape == (*grid, 16)
    for field in ("loss", "validation_loss", "validation_accuracy"):
        assert record[f"rates_{field}"].shape == (5, 17, 20, 7)
    assert record["rise_validation_loss"].shape == (2, 2, 3, 40)
    assert record["carry_beta2"].shape == (2, 2)
    for name, axes in (("map", ("gap", "alpha", "seed")),
                       ("rates", ("alpha", "seed", "epoch")),
                       ("rise", ("setting", "miss", "seed")),
                       ("schedule", ("schedule", "alpha", "seed")),
                       ("carry", ("kept", "alpha", "seed"))):
        shape = record[f"{name}_validation_loss"].shape[1:]
        assert shape == tuple(len(record[f"{name}_{a}"]) for a in axes)


def test_seeds_that_report_are_none_of_those_that_choose(record):
    chose = {*record["rates_seed"], *record["map_seed"]}
    assert max(chose) < 100 <= min(record["rise_seed"])
    for name, chosen in (("schedule", 20), ("carry", 10)):
        seeds = record[f"{name}_seed"]
        assert (seeds[:chosen] < 100).all() and (seeds[chosen:] >= 100).all()


def again(rule, seeds, network=Network(), **hyper):
    (X, y), (X_val, y_val), _ = split(*digits())
    return train(network, rule, network.init(seeds), X / 16, y, seed=seeds,
                 validation=(X_val / 16, y_val), **hyper)


def test_a_row_of_each_sweep_comes_out_again(record):
    j, k = 12, 10
    fresh = again(adam, record["map_seed"][:2], alpha=record["map_alpha"][k],
                  beta2=1 - record["map_gap"][j])
    assert fresh.validation_loss[-1] == pytest.approx(
        record["map_validation_loss"][1, j, k, :2], rel=2e-3)
    fresh = again(rmsprop, record["rates_seed"][:2], epochs=3,
                  alpha=record["rates_alpha"][5])
    assert fresh.validation_loss[1:].T == pytest.approx(
        record["rates_validation_loss"][2, 5, :2, :3], rel=2e-3)
    fresh = again(adam, record["rise_seed"][:2], alpha=10**-1.75,
                  beta2=1 - 10**-3.6)
    assert fresh.validation_loss[-1] == pytest.approx(
        record["rise_validation_loss"][1, 1, 0, :2], rel=2e-3)
    fresh = again(adam, record["schedule_seed"][[0, -1]],
                  alpha=lambda t: 0.01 * min(1, t / 26, (256 - t) / 229))
    assert fresh.validation_loss[-1] == pytest.approx(
        record["schedule_validation_loss"][0, 3, 4, [0, -1]], rel=2e-3)
    fresh = again(rmsprop, record["carry_seed"][[0, -1]], batch=4,
                  alpha=record["carry_alpha"][1], beta2=0.9**(4 / 64))
    assert fresh.validation_loss[-1] == pytest.approx(
        record["carry_validation_loss"][0, 1, 1, [0, -1]], rel=2e-3)


# ---- what the page says ---------------------------------------------------


def page():
    return nbformat.read(CHAPTER, as_version=4).cells


def test_a_seed_makes_each_of_the_five_win(record):
    log_loss = np.log(record["rates_validation_loss"].astype(float))[..., -1]
    assert set(log_loss.min(1).argmin(0)[:7]) == set(range(5))


def test_the_test_set_is_looked_at_in_one_cell():
    """In the whole book: all other chapters discard the third part."""
    looks = []
    for path in sorted((notebooks.ROOT / "chapters").glob("*.ipynb")):
        code = [cell.source for cell in nbformat.read(path, as_version=4).cells
                if cell.cell_type == "code"]
        for source in code:
            parts = re.search(r"^(.*)= split\(\*digits", source, re.M)
            if parts and path != CHAPTER:
                assert parts[1].strip().endswith("_"), path.name
            looks += [path.name] * ("network.loss" in source
                                    and "images" in source)
    assert looks == [CHAPTER.name]


def test_intervals_in_the_text_are_those_that_cells_print():
    printed = " ".join(out.get("text", "") for cell in page()
                       for out in cell.get("outputs", []))
    text = " ".join(cell.source for cell in page()
                    if cell.cell_type == "markdown")
    found = re.findall(r"\$(-?[\d.]+) \\pm ([\d.]+)\$", text)
    assert len(found) >= 10
    for mean, half in found:
        assert f"{mean.lstrip('-')} ± {half}" in printed, (mean, half)


# ---- the checks of the exercises ------------------------------------------


def test_checks_accept_the_right_answers(said):
    order = np.argsort(published_differences())
    for answer in (order[:11], order[10::-1].tolist(), set(order[:11].tolist())):
        assert ": correct\n" in said(exercises.check_published, answer)
    for answer in ("acef", "FECA", "a, c, e, f", ["a", "c", "e", "f"],
                   {"a", "c", "e", "f"}):
        assert said(exercises.check_unfair_lines, answer).endswith(
            ": correct\n")

    def best_with_replacement(k, losses):
        draws = itertools.product(losses, repeat=k)
        return np.mean([min(draw) for draw in draws])

    assert said(exercises.check_best_with_replacement,
                best_with_replacement).endswith(": correct\n")


@pytest.mark.parametrize("check, answer, cause", [
    ("published", [0, 8, 10, 14], "fooled, but more"),
    ("published", range(20), "on Adam's side"),
    ("published", [6, 4], "on Adam's side"),
    ("published", [0, 1, 2, 3], "contains zero"),
    ("published", [6], "two or more"),
    ("published", [6, 6], "once only"),
    ("published", [0, 20], "from 0 to 19"),
    ("published", "06", "of type str"),
    ("unfair_lines", "ace", "1 unfair line is missing"),
    ("unfair_lines", "abcdefgh", "4 fair lines are accused"),
    ("unfair_lines", 3, "it must be a word"),
    ("best_with_replacement", theory.expected_best, "without replacement"),
    ("best_with_replacement", lambda k, losses: np.min(losses),
     "smallest of all"),
    ("best_with_replacement", lambda k, losses: np.mean(losses),
     "mean of one draw"),
])
def test_checks_say_what_is_wrong(said, check, answer, cause):
    message = said(getattr(exercises, f"check_{check}"), answer)
    assert cause in message and "correct" not in message


def test_nobody_can_publish_twelve_seeds():
    d, t = published_differences(), theory.t_factor(12)
    chosen = np.array(list(itertools.combinations(range(20), 12)))
    ends = d[chosen].mean(1) + theory.paired_interval(d[chosen].T, t)
    assert len(ends) == 125_970 and ends.min() > 0


# ---- the loss in other units: what a large ε makes of the rules --------------


def test_a_tiny_loss_makes_rmsprop_gradient_descent_and_adam_momentum():
    (X, y), (X_val, y_val), _ = split(*digits())
    network, seeds = Network(), np.arange(3)

    def ends(rule, **hyper):
        runs = train(network, rule, network.init(seeds), X / 16, y, seed=seeds, validation=(X_val / 16, y_val), **hyper)
        return runs.validation_loss[-1]

    def scaled(rule):
        return lambda state, g, **hyper: rule(state, 1e-8 * g, **hyper)

    assert ends(scaled(rmsprop), alpha=0.0133) == pytest.approx(ends(gradient_descent, alpha=0.0133), rel=0.02)
    assert ends(scaled(adam), alpha=0.0237) == pytest.approx(ends(momentum, alpha=0.00237), rel=0.02)
