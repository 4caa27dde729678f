"""Chapter 1, One rate must serve every coordinate: closed forms against runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edits
from conftest import ROOT
from descent import exercises, gradient_descent, run, theory
from descent.problems import quadratic

numbers = st.floats(0.1, 3.0)
curvatures = st.floats(0.5, 50.0)


def descend(problem, start, steps, alpha):
    return run(gradient_descent, problem.grad, start, steps, alpha=alpha)


@pytest.mark.equation("G1")
@pytest.mark.equation("1.1")
@given(curvatures, curvatures, st.floats(0.0, 3.0), numbers, numbers,
       st.floats(0.01, 1.1))
def test_each_eigenvector_has_a_recursion_of_its_own(a, b, angle, x, y, share):
    problem = quadratic([a, b], angle=angle)
    alpha = share * 2 / max(a, b)
    path = descend(problem, [x, -y], 12, alpha)
    c = path.theta @ problem.rotation  # columns are the eigenvectors
    predicted = theory.eigen_coordinate(
        path.t[:, None], alpha, np.array([a, b]), c[0])
    np.testing.assert_allclose(c, predicted, rtol=1e-9,
                               atol=1e-9 * np.abs(c).max())


@pytest.mark.equation("1.2")
@given(curvatures, curvatures, st.floats(0.0, 3.0), numbers, numbers)
def test_the_height_is_a_sum_over_the_eigenvectors(a, b, angle, x, y):
    problem = quadratic([a, b], angle=angle)
    alpha = 1.9 / max(a, b)
    path = descend(problem, [x, y], 12, alpha)
    c0 = path.theta[0] @ problem.rotation
    np.testing.assert_allclose(
        problem(path.theta),
        theory.height(path.t[:, None], alpha, np.array([a, b]), c0),
        rtol=1e-8, atol=1e-9 * problem([x, y]))
    many = theory.height(3, np.full((2, 4, 1), alpha), np.array([a, b]), c0)
    np.testing.assert_allclose(many, np.full((2, 4), problem(path.theta[3])),
                               rtol=1e-8, atol=1e-9 * problem([x, y]))


@pytest.mark.equation("1.3")
@given(curvatures, curvatures)
def test_below_the_limit_every_start_shrinks_and_above_it_one_grows(a, b):
    problem = quadratic([a, b])
    limit = theory.largest_stable_rate(max(a, b))
    inside = descend(problem, [1.0, 1.0], 200, 0.99 * limit).theta
    outside = descend(problem, [1.0, 1.0], 200, 1.01 * limit).theta
    assert np.all(np.abs(inside[-1]) < 1)
    assert np.abs(outside[-1]).max() > 1


@pytest.mark.equation("1.4")
@given(st.lists(curvatures, min_size=2, max_size=5), st.floats(0.0, 0.5))
def test_the_worst_factor_is_the_largest_of_all_factors(lam, alpha):
    sizes = [abs(1 - alpha * one) for one in lam]
    assert theory.worst_factor(alpha, min(lam), max(lam)) == pytest.approx(
        max(sizes), abs=1e-12)


@pytest.mark.equation("1.5")
@given(curvatures, st.floats(1.0, 100.0))
def test_no_rate_of_a_fine_grid_has_a_smaller_worst_factor(low, kappa):
    best = theory.best_rate(low, kappa * low)
    grid = best * np.linspace(0.5, 1.5, 1001)
    at_best = theory.worst_factor(best, low, kappa * low)
    factors = theory.worst_factor(grid, low, kappa * low)
    assert at_best <= factors.min() + 1e-12
    # the two sides of the maximum cross there
    assert 1 - best * low == pytest.approx(best * kappa * low - 1, abs=1e-12)


@pytest.mark.equation("1.6")
@given(curvatures, st.floats(1.0, 1000.0))
def test_the_best_factor_is_the_worst_factor_at_the_best_rate(low, kappa):
    best = theory.best_rate(low, kappa * low)
    assert theory.best_factor(kappa) == pytest.approx(
        theory.worst_factor(best, low, kappa * low), abs=1e-12)


def test_the_distance_shrinks_at_least_by_the_worst_factor():
    problem = quadratic([1.0, 3.0, 7.0, 20.0])
    starts = np.random.default_rng(0).standard_normal((50, 4))
    for alpha in (0.02, theory.best_rate(1.0, 20.0), 0.099):
        path = descend(problem, starts, 30, alpha)
        length = np.linalg.norm(path.theta, axis=-1)
        q = theory.worst_factor(alpha, 1.0, 20.0)
        bound = q ** path.t[:, None] * length[0]
        assert np.all(length <= bound * (1 + 1e-12))


def first_below(problem, start, alpha, tol, steps):
    f = problem(descend(problem, start, steps, alpha).theta)
    assert (f < tol).any()
    return np.argmax(f < tol)


@pytest.mark.equation("1.7")
@pytest.mark.parametrize("kappa", [2.0, 10.0, 100.0, 1000.0])
@pytest.mark.parametrize("tol", [0.3, 1e-3, 1e-8])
def test_steps_at_the_best_rate_are_predicted_to_the_step(kappa, tol):
    problem = quadratic([1.0, kappa])
    steps = first_below(problem, [1.0, 1.0], theory.best_rate(1.0, kappa), tol,
                        8000)
    assert theory.steps_at_best_rate(kappa, problem([1.0, 1.0]), tol) == steps


def test_eigenvalues_in_between_need_no_more_steps():
    problem = quadratic([1.0, 5.0, 40.0, 100.0])
    steps = first_below(problem, np.ones(4), theory.best_rate(1.0, 100.0),
                        1e-8, 2000)
    bound = theory.steps_at_best_rate(100.0, problem(np.ones(4)), 1e-8)
    assert 0.8 * bound < steps <= bound


@pytest.mark.equation("1.8")
@pytest.mark.parametrize("kappa", [10.0, 100.0, 1000.0])
def test_steps_are_proportional_to_the_condition_number(kappa):
    f0, tol = (1 + kappa) / 2, 1e-8
    exact = theory.steps_at_best_rate(kappa, f0, tol)
    short = theory.steps_proportional_to_kappa(kappa, f0, tol)
    # one step for rounding up, and the share that ln q* ≈ −2/κ drops
    assert abs(short - exact) <= 1 + exact / (3 * kappa**2)


def test_from_one_one_another_rate_is_faster_than_the_best_guarantee():
    bowl = quadratic([1.0, 1000.0])
    guaranteed = first_below(bowl, [1.0, 1.0], 2 / 1001, 1e-8, 7000)
    assert guaranteed == 6160
    assert first_below(bowl, [1.0, 1.0], 0.001996, 1e-8, 7000) < (
        0.75 * guaranteed)


@pytest.mark.equation("1.9")
@pytest.mark.parametrize("alpha", [0.01, 0.3])
def test_new_units_are_a_rate_for_each_coordinate(alpha):
    problem = quadratic([1.0, 30.0], angle=0.4)
    s = np.array([2.0, 7.0])  # φ = s θ
    new = run(gradient_descent, lambda phi: problem.grad(phi / s) / s,
              s * [1.0, -2.0], 40, alpha=alpha).theta / s
    rate = theory.rate_in_old_units(alpha, s)
    old = run(gradient_descent, lambda theta: rate * problem.grad(theta),
              [1.0, -2.0], 40, alpha=1.0).theta
    np.testing.assert_allclose(new, old, rtol=1e-12)


def test_rates_one_over_the_eigenvalues_in_turn_reach_the_minimum():
    problem = quadratic([1.0, 10.0, 100.0])
    path = descend(problem, np.ones(3), 3, lambda t: 10.0 ** (t - 3))
    np.testing.assert_allclose(path.theta[-1], 0, atol=1e-12)


def rescaled(kappa, angle, power=0.5):
    c, s = np.cos(angle), np.sin(angle)
    h = (1 - kappa) * c * s / (
        (c**2 + kappa * s**2) * (s**2 + kappa * c**2))**power
    return (1 + abs(h)) / (1 - abs(h))


@given(curvatures, curvatures, st.floats(0.0, 3.0))
def test_units_of_root_h_leave_the_condition_number_of_the_formula(a, b, angle):
    H = quadratic([a, b], angle=angle).H
    s = np.diagonal(H) ** -0.5
    low, high = np.linalg.eigvalsh(s[:, None] * H * s)
    assert rescaled(b / a, angle) == pytest.approx(high / low, rel=1e-6)


@pytest.mark.equation("1.10")
def test_squares_of_independent_parts_add_whatever_their_shapes():
    rng = np.random.default_rng(0)
    for shape in (rng.standard_normal, lambda n: rng.choice([-1.0, 1.0], n),
                  lambda n: rng.choice([-5.0, 0, 5.0], n, p=[.02, .96, .02])):
        g = 3.0 * 0.5 * shape(200_000) + 0.8 * rng.standard_normal(200_000)
        # four standard errors: the fourth moment of the rare shape is 25
        assert np.mean(g**2) == pytest.approx(
            theory.mean_square_gradient(3.0, 0.5, 0.8), rel=0.04)


@pytest.mark.parametrize("check, answer, says", [
    ("three_rates", (1.0, 0.01, 0.1), "correct"),
    ("three_rates", (1, 10, 100), "the eigenvalues themselves"),
    ("axis_limit", 1 - 0.9 * 2 / 500.5 * 1000, "correct"),
    ("axis_limit", 0.9 * 2 / 500.5 * 1000 - 1, "sign is wrong"),
    ("axis_limit", None, "not done yet"),
    ("condition_after_rescaling", rescaled, "correct"),
    ("condition_after_rescaling", lambda kappa, angle: rescaled(
        kappa, np.deg2rad(angle)), "radians already"),
    ("condition_after_rescaling", lambda kappa, angle: 1 / rescaled(
        kappa, angle), "1 over the right value"),
    ("condition_after_rescaling", lambda kappa, angle: rescaled(
        kappa, angle, power=1.0), "the unit is √H_jj, not H_jj"),
    ("rates_of_layers", (0.005, 0.005, 2.0, 0.2), "correct"),
    ("rates_of_layers", lambda: [0.005, 0.005, 2.0, 0.2], "correct"),
    ("rates_of_layers", (0.016,) * 4, "this is one rate for all"),
    ("rates_of_layers", (0.016, 0.24, 0.01, 0.24), "the smaller rate"),
    ("rates_of_layers", (1.0, 1.0, 1.0, 1.0), "a rate is too large"),
    ("rates_of_layers", (0.005, np.nan, 2.0, 0.2), "a positive number"),
    ("rates_of_layers", "four", "of type str"),
    ("rates_of_layers", lambda: 1 / 0, "raised ZeroDivisionError"),
])
def test_the_checks_name_the_mistake(check, answer, says, capsys):
    getattr(exercises, f"check_{check}")(answer)
    assert says in capsys.readouterr().out


# ---- a reader's edits -----------------------------------------------------

EDITS = {  # what stands in a cell, and what a reader may write there
    "alpha, theta = 0.05": "alpha, theta = 0.15",
    "quadratic([1.0, 10.0], angle=np.pi / 6)":
        "quadratic([1.0, 12.0], angle=np.pi / 4)",
    "low = np.array([5, 2, 1,": "low = np.array([4, 3, 1.5,",
    "range(10, 26)": "range(30, 36)",
    "range(6)": "range(6, 9)",
    "np.geomspace(1, 1000, 10)": "np.geomspace(1, 300, 8)",
    "np.array([0.0, 1.0, 10.0,": "np.array([0.0, 2.0, 20.0,",
    "default_rng(1)": "default_rng(5)",
}


def test_a_reader_who_edits_numbers_reaches_the_end(capsys):
    names = edits.run_with(ROOT / "chapters" / "01_one_rate.ipynb", EDITS)
    assert capsys.readouterr().out.count(": correct\n") == 4  # solutions
    # for these starts, too, the valleys lie in one place: one over λ_X
    where = list(names["where"].values())
    assert max(where) < 3 * min(where)
    assert max(names["best"].values()) > 50 * min(names["best"].values())
