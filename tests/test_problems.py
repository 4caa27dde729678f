"""Test problems have exact gradients, streams the moments they promise."""


import numpy as np
import pytest
import sympy

from descent import adam, gradient_descent, problems, run, sign_descent
from descent.problems import (OneHot, OneHotColumn, Quadratic, Rosenbrock,
                              Wilson, Zhang, quadratic, ravine, zipf)

ANGLE = np.pi / 4


def complex_step(f, theta):
    """∂f/∂θ_i = Im f(θ + i h e_i) / h: no subtraction, so no rounding."""
    h = 1e-30
    return np.stack([f(theta + 1j * h * e).imag / h
                     for e in np.eye(theta.shape[-1])], axis=-1)


FUNCTIONS = {
    "general": Quadratic([[2, 1, 0], [1, 3, -1], [0, -1, 5]]),
    "ravine": ravine,
    "turned": quadratic([1, 1000], ANGLE),
    "wide": quadratic(np.geomspace(1, 100, 20)),
    "Rosenbrock": Rosenbrock(),
}


@pytest.fixture(params=FUNCTIONS)
def function(request):
    return FUNCTIONS[request.param]


def points(function, *shape):
    size = function.H.shape[-1] if isinstance(function, Quadratic) else 2
    return np.random.default_rng(1).standard_normal((*shape, size))


def test_gradient_is_the_derivative_of_the_value(function):
    theta = points(function, 5, 7)
    scale = np.abs(function.grad(theta)).max()
    # both sides are sums of at most 20 terms, each rounded
    assert np.abs(complex_step(function, theta)
                  - function.grad(theta)).max() < 1e-14 * scale


def test_value_and_gradient_of_a_batch_equal_those_of_its_points(function):
    theta = points(function, 4, 9)
    value, gradient = function(theta), function.grad(theta)
    assert value.shape == (4, 9) and gradient.shape == theta.shape
    for i in np.ndindex(4, 9):
        assert np.array_equal(function(theta[i]), value[i])
        assert np.array_equal(function.grad(theta[i]), gradient[i])
    shuffled = np.asfortranarray(theta)
    assert np.array_equal(function(shuffled), value)
    assert np.array_equal(function.grad(shuffled), gradient)


def test_lists_and_integers_are_points(function):
    theta = points(function).round().astype(int)
    for given in theta, theta.tolist():
        assert np.array_equal(function(given), function(theta.astype(float)))
        assert np.array_equal(function.grad(given),
                              function.grad(theta.astype(float)))


def test_points_of_the_wrong_length_are_refused(function):
    for theta in np.ones(7), 1.0, np.ones((2, 1)):
        with pytest.raises(ValueError, match="theta must have . parameters|"
                                             "theta must have 20"):
            function(theta)
        with pytest.raises(ValueError, match="got shape"):
            function.grad(theta)


def test_ravine_is_the_one_of_the_book():
    assert ravine([-8.0, 1.5]) == 0.5 * (64 + 50 * 1.5**2)
    assert ravine.grad([-8.0, 1.5]).tolist() == [-8, 75]


def test_rosenbrock_agrees_with_sympy():
    x, y = sympy.symbols("x y")
    f = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    point = {x: sympy.Rational(-6, 5), y: 1}
    exact = [float(f.diff(s).subs(point)) for s in (x, y)]
    np.testing.assert_allclose(Rosenbrock().grad([-1.2, 1]), exact, rtol=1e-14)
    assert Rosenbrock()([1, 1]) == 0


@pytest.mark.parametrize("angle", [0.0, 0.3, ANGLE, np.pi / 2, 4.0])
def test_turned_quadratic_keeps_its_eigenvalues_and_values(angle):
    straight, turned = quadratic([1, 1000]), quadratic([1, 1000], angle)
    R = turned.rotation
    np.testing.assert_allclose(R @ R.T, np.eye(2), atol=1e-15)
    np.testing.assert_allclose(R @ straight.H @ R.T, turned.H, atol=1e-12)
    np.testing.assert_allclose(turned(R @ [1, 1]), straight([1, 1]),
                               rtol=1e-14)
    np.testing.assert_allclose(R @ [1, 0], [np.cos(angle), np.sin(angle)])


def test_stack_of_quadratics_equals_the_single_ones():
    kappa, angle = np.array([[2.0], [50.0], [1000.0]]), np.array([0.0, 0.1])
    eigenvalues = np.stack(np.broadcast_arrays(1.0, kappa), axis=-1)
    stack = quadratic(eigenvalues, angle)
    assert stack.H.shape == (3, 2, 2, 2)
    theta = points(stack, 5, 1, 1)
    for i, j in np.ndindex(3, 2):
        single = quadratic([1.0, kappa[i, 0]], angle[j])
        assert np.array_equal(stack(theta)[:, i, j], single(theta)[:, 0, 0])
        assert np.array_equal(stack.grad(theta)[:, i, j],
                              single.grad(theta)[:, 0, 0])


def test_run_takes_a_problem_for_a_whole_grid():
    rates = np.geomspace(1e-3, 1, 7)[:, None]
    grid = run(adam, ravine.grad, [-8.0, 1.5], 50, alpha=rates)
    single = run(adam, ravine.grad, [-8.0, 1.5], 50, alpha=rates[3, 0])
    assert np.array_equal(grid.theta[:, 3], single.theta)


@pytest.mark.parametrize("make", [
    lambda: Quadratic([[1, 2], [3, 4]]),
    lambda: Quadratic([1, 2]),
    lambda: Quadratic([[1, np.nan], [np.nan, 1]]),
    lambda: Quadratic(np.ones((2, 3))),
])
def test_a_matrix_that_is_not_symmetric_is_refused(make):
    with pytest.raises(ValueError, match="H must be a symmetric matrix"):
        make()


def test_only_the_plane_can_be_turned():
    with pytest.raises(ValueError, match="angle must be 0 unless"):
        quadratic([1, 2, 3], angle=0.5)
    with pytest.raises(ValueError, match="eigenvalues must be a list"):
        quadratic(3.0)


@pytest.mark.parametrize("n", [2, 10, 20, 50])
def test_zhang_functions_sum_to_h_with_exact_gradients(n):
    problem = Zhang(n)
    x = np.linspace(-4, 2, 25)[:, None] + 1e-3
    parts = [problem(x, t) for t in range(1, n + 1)]
    h = np.where(x >= -1, x, 0.5 * (x + 2) ** 2 - 1.5)[:, 0]
    # n values of size up to 2 that cancel
    np.testing.assert_allclose(sum(parts), h, atol=1e-14)
    assert np.array_equal(problem.total(x), h)
    for t in 1, 2, n, n + 1:
        derivative = complex_step(lambda x: problem(x, t), x)
        np.testing.assert_allclose(problem.grad(x, t), derivative, rtol=1e-14)
        assert np.array_equal(problem.grad(x, t), problem.grad(x, t + n))
    assert problem.total([-2.0]) == -1.5 and problem.grad([-2.0], 1) == 0


def test_zhang_needs_two_functions():
    for n in 1, 2.5, "10":
        with pytest.raises(ValueError, match="n must be an integer of at"):
            Zhang(n)


# -- streams ------------------------------------------------------------------


def test_hinton_cycle_sums_to_zero():
    stream = problems.hinton_cycle(3)
    assert stream.shape == (30, 1)
    assert (stream == 0.1).sum() == 27 and (stream[9::10] == -0.9).all()
    assert abs(stream.sum()) < 1e-14  # thirty terms below one


def test_reddi_stream_follows_theorem_1():
    C = np.array([[2.5], [3.0], [10.0]])
    stream = problems.reddi(9000, C)
    assert stream.shape == (9000, 3, 1)
    for t in 1, 2, 3, 4, 9000:
        expected = C if t % 3 == 1 else -np.ones((3, 1))
        assert np.array_equal(stream[t - 1], expected)
    assert np.array_equal(stream[:, 1], problems.reddi(9000, 3.0))


def test_noise_is_shared_by_all_settings_and_differs_between_seeds():
    eta = np.array([0.0, 0.5, 2.0])[:, None]
    stream = problems.noisy(1000, eta, seed=3)
    assert stream.shape == (1000, 3, 1)
    assert (stream[:, 0] == 1).all()
    np.testing.assert_allclose((stream[:, 2] - 1), 4 * (stream[:, 1] - 1),
                               rtol=1e-12)
    assert np.array_equal(stream[:, 1], problems.noisy(1000, 0.5, seed=3))
    seeds = problems.noisy(1000, eta[:, None], seed=[3, 4])
    assert seeds.shape == (1000, 3, 2, 1)
    assert np.array_equal(seeds[:, :, 0], stream)
    assert not np.array_equal(seeds[:, 2, 0], seeds[:, 2, 1])


def test_noise_has_mean_one_and_variance_eta_squared():
    ξ = problems.noisy(100_000, 2.0) - 1
    # four standard errors: 2 / √n of the mean, η² √(2/n) of the variance
    assert abs(ξ.mean()) < 4 * 2 / np.sqrt(100_000)
    assert abs(ξ.var() - 4) < 4 * 4 * np.sqrt(2 / 100_000)


def test_drift_has_the_promised_second_moment():
    a, b, t = 2.0, 0.5, np.arange(1, 101)
    stream = problems.drift(100, a, b)
    np.testing.assert_allclose(stream[:, 0] ** 2, a + b * t, rtol=1e-15)
    assert set(np.sign(stream[:, 0])) == {-1, 1}
    normal = problems.drift(100, a, b, seed=range(4000), noise="normal")
    assert normal.shape == (100, 4000, 1)
    ratio = (normal**2).mean(axis=(1, 2)) / (a + b * t)
    # five standard errors √(2/4000) for the worst of 100 steps
    assert np.abs(ratio - 1).max() < 5 * np.sqrt(2 / 4000)


def test_steps_spikes_ramps_and_growth_have_their_shapes_in_time():
    factor = np.array([0.01, 100.0])[:, None]
    change = problems.step_change(10, at=4, factor=factor)
    assert change.shape == (10, 2, 1)
    assert (change[:3] == 1).all() and (change[3:] == factor).all()
    spike = problems.spike(10, at=4, height=100.0)[:, 0]
    assert spike[3] == 100 and spike.sum() == 109
    assert problems.ramp(10, slope=0.1)[9] == 1
    growth = problems.growing(50, np.array([[0.9], [0.999 / 0.9]]))
    np.testing.assert_allclose(growth[1:] / growth[:-1] / [[0.9], [1.11]], 1,
                               atol=1e-14)


@pytest.mark.parametrize("make, message", [
    (lambda: problems.hinton_cycle(0), "cycles must be an integer"),
    (lambda: problems.hinton_cycle(1.5), "got 1.5"),
    (lambda: problems.reddi(10, C=2.0), "C must be greater than 2, got 2.0"),
    (lambda: problems.reddi(-1, C=3.0), "steps must be .* got -1"),
    (lambda: problems.noisy(10, eta=-1.0), "eta must be at least 0"),
    (lambda: problems.noisy(10.0, eta=1.0), "steps must be an integer"),
    (lambda: problems.drift(10, a=1.0, b=-0.2), "a . b t is at least 0"),
    (lambda: problems.drift(10, 1.0, 1.0, noise="gauss"), '"sign" or "nor'),
    (lambda: problems.spike("9", at=1, height=2.0), "steps must be"),
    (lambda: problems.growing(10, q=0.0), "q must be greater than 0"),
    (lambda: problems.growing(10_000, q=1.1), "q must be small enough"),
])
def test_bad_settings_of_a_stream_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ---- rare classes and Wilson's data ---------------------------------------


@pytest.mark.parametrize("f, size", [
    (OneHot([5, 2, 1]), 9), (OneHotColumn(0.3, 7), 2), (Wilson(3, 2), 28)])
def test_gradients_of_losses_are_their_derivatives(f, size):
    theta = np.random.default_rng(2).standard_normal((4, size))
    h, right = 1e-6, f.grad(theta)
    differences = np.stack([(f(theta + h * e) - f(theta - h * e)) / (2 * h)
                            for e in np.eye(size)], axis=-1)
    if isinstance(f, OneHotColumn):  # grad is that of one wrong entry of six
        right = right * [1, f.classes - 1]
    np.testing.assert_allclose(right, differences, atol=1e-8)


@pytest.mark.parametrize("rule", [adam, gradient_descent, sign_descent])
def test_a_column_of_two_numbers_is_the_column_of_the_matrix(rule):
    c = 8
    full, columns = OneHot(zipf(c)), OneHotColumn(zipf(c), c)
    W = run(rule, full.grad, np.zeros(c * c), 60, alpha=0.3).theta
    ab = run(rule, columns.grad, np.zeros((c, 2)), 60, alpha=0.3).theta
    W = W.reshape(-1, c, c)
    for k in range(c):
        wrong = np.delete(W[:, :, k], k, axis=1)
        np.testing.assert_allclose(W[:, k, k], ab[:, k, 0], atol=1e-12)
        np.testing.assert_allclose(wrong, np.tile(ab[:, k, 1:], c - 1),
                                   atol=1e-12)
    np.testing.assert_allclose(full.class_loss(W.reshape(-1, c * c)),
                               columns.class_loss(ab), atol=1e-12)
    np.testing.assert_allclose(full(W.reshape(-1, c * c)),
                               columns(ab).sum(axis=-1), atol=1e-12)


def test_frequencies_are_divided_by_their_sum():
    assert zipf(1000).sum() == pytest.approx(1)
    np.testing.assert_allclose(zipf(1000)[0] / zipf(1000)[99], 100)
    np.testing.assert_allclose(OneHot([3, 1]).frequencies, [0.75, 0.25])


def test_large_logits_do_not_overflow():
    f = OneHot([1, 1])
    np.testing.assert_allclose(f.class_loss([1000.0, 0.0, 0.0, 1000.0]), 0)
    assert np.isfinite(f.grad([1000.0, -1000.0, 0.0, 0.0])).all()


def test_wilson_has_the_features_of_the_paper():
    f = Wilson(120, 80)
    assert f.X.shape == (200, 1003) and f.y.sum() == 40
    assert np.array_equal(f.X[:, 0], f.y) and (f.X[:, 1:3] == 1).all()
    own = f.X[:, 3:].reshape(200, 200, 5).sum(axis=2)
    assert np.array_equal(own, np.diag(np.where(f.y > 0, 1, 5)))
    assert np.array_equal(f.X @ np.sign(f.X.T @ f.y), 4 * f.y)
    new = f.unseen([1, -1, 1])
    assert np.array_equal(new[:, 0], [1, -1, 1]) and new[:, 3:].sum() == 0


@pytest.mark.parametrize("make, message", [
    (lambda: OneHot([1]), "frequencies must be a list of at least two"),
    (lambda: OneHot([1, 0]), "frequencies must be"),
    (lambda: OneHot([1, 1]).grad(np.zeros(3)), "theta must have 4 param"),
    (lambda: OneHotColumn(0.0, 3), "frequency must be greater than 0"),
    (lambda: OneHotColumn(0.5, 1), "classes must be an integer of at least"),
    (lambda: zipf(2.5), "classes must be an integer"),
    (lambda: Wilson(2, 2), "positives must be an integer of at least 3"),
    (lambda: Wilson(2, 0), "negatives must be an integer of at least 1"),
    (lambda: Wilson(2, 1).grad(np.zeros(3)), "theta must have 18 param"),
])
def test_bad_settings_of_a_loss_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
