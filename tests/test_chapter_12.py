"""Chapter 12: its closed forms against sums and simulations, its records."""

import asyncio
import itertools
import re

import nbformat
import numpy as np
import pytest
import sympy
from scipy import integrate, stats

import notebooks
from descent import adam, adamw, exercises, gradient_descent, rmsprop, run, theory
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


def test_quantiles_of_the_chapter_are_those_of_19_degrees_of_freedom():
    source = "\n".join(cell.source for cell in
                       nbformat.read(CHAPTER, as_version=4).cells)
    for p in (0.975, 1 - 0.05 / 8, 1 - 0.05 / 6):
        assert f"{stats.t.ppf(p, 19):.3f}" in source


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


# ---- depth ----------------------------------------------------------------


def normal_mean(f, q):
    """E[f(z)] for normal z of variance q, by adaptive quadrature."""
    if q == 0:
        return f(0.0)
    density = stats.norm(scale=np.sqrt(q)).pdf
    return integrate.quad(lambda z: f(z) * density(z), -40, 40, points=[0],
                          limit=200, epsabs=1e-12)[0]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.equation("12.7")
@pytest.mark.parametrize("q", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("weight_variance", [2.0, 7.0])
def test_input_variance_is_the_mean_square_of_the_layer_below(
        q, weight_variance):
    close(theory.input_variance(q, weight_variance),
          weight_variance * normal_mean(lambda z: sigmoid(z)**2, q), 1e-6)


@pytest.mark.equation("12.8")
@pytest.mark.parametrize("q", [0.0, 0.5, 4.0])
@pytest.mark.parametrize("weight_variance", [2.0, 7.0])
def test_layer_factor_is_the_root_mean_square_slope(q, weight_variance):
    slope = lambda z: sigmoid(z) * (1 - sigmoid(z))  # noqa: E731
    close(theory.layer_factor(q, weight_variance),
          np.sqrt(weight_variance * normal_mean(lambda z: slope(z)**2, q)),
          1e-6)


@pytest.mark.equation("12.7", "12.8")
def test_variance_and_factor_are_measured_in_a_wide_network():
    q = 1.0
    for _ in range(30):
        q = theory.input_variance(q)
    network = Network((64, *[200] * 6, 10), "sigmoid")
    images = np.random.default_rng(0).uniform(size=(2, 64))
    images[1] = images[0] + 1e-3 * images[1]
    *h, _ = network._forward(network.init(np.arange(10)), images)
    z = np.log(h[5] / (1 - h[5]))
    assert np.mean(z**2) == pytest.approx(q, rel=0.1)
    before, after = (np.std(x, axis=-2) for x in h[5:7])
    shrunk = np.sqrt(np.mean(after**2) / np.mean(before**2))
    assert shrunk == pytest.approx(theory.layer_factor(q), rel=0.1)


@pytest.mark.equation("12.9")
def test_signal_to_noise_falls_by_the_factor_at_each_layer():
    for k in (1, 2, 5):
        expected = 0.7 * np.prod([0.3] * (k - 1))
        close(theory.signal_to_noise(k, 0.3, first=0.7), expected)


# ---- the record -----------------------------------------------------------


@pytest.fixture(scope="module")
def record():
    return sweeps()


def test_record_has_the_shapes_that_its_docstring_names(record):
    grid = [len(record[f"map_{axis}"]) for axis in ("rule", "gap", "alpha")]
    assert grid == [2, 20, 25]
    assert record["map_loss"].shape == (*grid, 10)
    assert record["map_validation_loss"].shape == (*grid, 10)
    assert record["map_curve"].shape == (*grid, 16)
    assert record["batch_validation_loss"].shape == (2, 4, 9, 7, 5)
    assert record["rates_loss"].shape == (5, 11, 5, 16)
    assert record["rates_validation_accuracy"].shape == (5, 11, 5, 16)
    assert record["rise_validation_loss"].shape == (2, 2, 3, 20)
    assert record["depth_accuracy"].shape == (3, 2, 7, 5)
    assert record["depth_loss"].shape == (3, 2, 7, 5, 61)
    assert record["depth_alpha"].shape == (3, 7)
    for name, axes in (("map", ("gap", "alpha", "seed")),
                       ("batch", ("batch", "half_life", "alpha", "seed"))):
        shape = record[f"{name}_validation_loss"].shape[1:]
        assert shape == tuple(len(record[f"{name}_{a}"]) for a in axes)


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
    fresh = again(rmsprop, record["batch_seed"][:2], batch=16,
                  alpha=record["batch_alpha"][4],
                  beta2=0.5 ** (16 / record["batch_half_life"][3]))
    assert fresh.validation_loss[-1] == pytest.approx(
        record["batch_validation_loss"][0, 1, 3, 4, :2], rel=2e-3)
    deep = Network((64, *[32] * 4, 10), "sigmoid")
    fresh = again(gradient_descent, record["depth_seed"][:2], deep, epochs=5,
                  alpha=record["depth_alpha"][0, 4])
    assert fresh.loss.T == pytest.approx(
        record["depth_loss"][0, 0, 4, :2, :6], rel=2e-3)


# ---- the sliders of the free-form cell ------------------------------------


def test_the_free_form_cell_shows_sliders_where_a_kernel_runs(tmp_path):
    notebook = nbformat.read(CHAPTER, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    last, = [cell for cell in code if "SLIDERS = " in cell.source]
    assert "SLIDERS = False" in last.source
    assert not [out for out in last.outputs if "widget" in str(out)]
    last.source = last.source.replace("= False", "= True")
    needed = "import matplotlib|use_style|rules =|def try_it"
    notebook.cells = [*(cell for cell in code
                        if re.match(needed, cell.source)), last]
    environment = notebooks.kernel_environment(tmp_path)
    asyncio.run(notebooks.execute(notebook, tmp_path, environment))
    view = "application/vnd.jupyter.widget-view+json"
    assert any(view in out.get("data", {}) for out in last.outputs)


# ---- the checks of the exercises ------------------------------------------


@pytest.fixture
def said(capsys):
    def say(check, *args):
        assert check(*args) is None
        return capsys.readouterr().out
    return say


def test_checks_accept_the_right_answers(said):
    gaps = 1 - np.array([0.9, 0.95]) ** (32 / 512)
    assert said(exercises.check_carried_gaps, gaps).endswith(": correct\n")
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
    ("carried_gaps", (0.1 / 16, 0.05 / 16), "first order only"),
    ("carried_gaps", 1 - np.array([0.9, 0.95]) ** 16, "upside down"),
    ("carried_gaps", 0.9 ** (1 / 16), "shape"),
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
