"""Chapter 6, momentum: its closed forms against runs, sums and eigenvalues."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from descent import (State, gradient_descent, momentum, nesterov,
                     rmsprop_momentum, run, theory)
from descent.exercises import (check_dampened_weights, check_nesterov_limit,
                               check_twenty_rates, check_window_of_rates)
from descent.problems import quadratic, ravine

betas = st.floats(0.05, 0.97)
# a = α(1−β₁)λ on both sides of the window and beyond the limit
sharpness = st.floats(0.01, 4.5)
ROUNDING = 1e-12


def averaged(state, g, *, alpha, beta1):
    m = beta1 * state.m + (1 - beta1) * g
    return State(theta=state.theta - alpha * m, t=state.t + 1, g=g, m=m)


def along(rule, lam, steps, **hyper):
    """c_0, ..., c_steps along one eigenvector, from 1 and an empty memory."""
    return run(rule, lambda c: lam * c, [1.0], steps, **hyper).theta[:, 0]


# ---- a sum, or an average -------------------------------------------------


@pytest.mark.equation("6.1")
@given(betas, st.floats(0.001, 10.0))
def test_sum_and_average_make_the_same_path_on_any_gradients(beta1, alpha):
    g = np.random.default_rng(6).standard_normal((60, 2)) * [1.0, 100.0]
    m = run(averaged, theta0=[0.0, 0.0], gradients=g, alpha=alpha,
            beta1=beta1)
    b = run(momentum, theta0=[0.0, 0.0], gradients=g, mu=beta1,
            alpha=theory.heavy_ball_rate(alpha, beta1))
    scale = alpha * np.abs(g).max(axis=0)
    assert np.abs((m.theta - b.theta) / scale).max() < 1e-11
    np.testing.assert_allclose(m.m, (1 - beta1) * b.b, rtol=0, atol=1e-10)


def test_the_forms_agree_under_a_schedule_outside_the_buffer():
    def rate(t):
        return 0.1 / np.sqrt(t)

    m = run(averaged, ravine.grad, [-8.0, 1.5], 300, alpha=rate, beta1=0.9)
    b = run(momentum, ravine.grad, [-8.0, 1.5], 300, mu=0.9,
            alpha=lambda t: rate(t) * (1 - 0.9))
    np.testing.assert_allclose(m.theta, b.theta, rtol=0, atol=ROUNDING)


def test_the_forms_agree_from_any_start_with_m0_one_minus_beta_times_b0():
    g = np.random.default_rng(7).standard_normal((40, 1))
    m, b = State(theta=np.zeros(1), m=0.3), State(theta=np.zeros(1), b=3.0)
    for g_t in g:
        m = averaged(m, g_t, alpha=1.0, beta1=0.9)
        b = momentum(b, g_t, alpha=0.1, mu=0.9)
    np.testing.assert_allclose(m.theta, b.theta, rtol=ROUNDING)


def test_a_decay_rate_that_changes_separates_the_forms():
    g = np.ones((20, 1))
    m, b = State(theta=np.zeros(1)), State(theta=np.zeros(1))
    for t, g_t in enumerate(g):
        beta1 = 0.9 if t < 10 else 0.5
        m = averaged(m, g_t, alpha=1.0, beta1=beta1)
        b = momentum(b, g_t, alpha=1 - beta1, mu=beta1)
    assert abs(m.theta - b.theta) > 0.1


@pytest.mark.equation("6.2")
@given(st.integers(1, 60), betas)
def test_on_a_constant_gradient_heavy_ball_sums_a_geometric_sequence(t, mu):
    path = run(momentum, theta0=[0.0], gradients=np.full((t, 1), 3.0),
               alpha=0.5, mu=mu)
    step = path.theta[-2, 0] - path.theta[-1, 0]
    assert theory.heavy_ball_step(t, mu) == pytest.approx(step / 1.5, rel=1e-9)


def test_the_average_is_ten_times_slower_for_nine_tenths_at_every_step():
    t = np.arange(1, 200)
    ratio = theory.heavy_ball_step(t, 0.9) / (1 - 0.9**t)
    np.testing.assert_allclose(ratio, 10, rtol=1e-9)


# ---- one recursion with a memory ------------------------------------------


@pytest.mark.equation("6.3")
@given(st.floats(0.01, 2.0), betas, st.floats(0.1, 10.0))
def test_a_step_along_an_eigenvector_is_the_matrix(alpha, beta1, lam):
    state = State(theta=np.array([0.7]), m=np.array([-0.4]))
    after = averaged(state, lam * state.theta, alpha=alpha, beta1=beta1)
    c, m = theory.momentum_matrix(alpha, beta1, lam) @ [0.7, -0.4]
    np.testing.assert_allclose([c, m], [after.theta[0], after.m[0]], 1e-9,
                               1e-12)


@pytest.mark.equation("6.4")
@given(st.floats(0.01, 2.0), betas, st.floats(0.1, 3.0))
def test_two_values_give_the_next(alpha, beta1, lam):
    c = along(averaged, lam, 12, alpha=alpha, beta1=beta1)
    predicted = theory.momentum_recursion(
        c[1:-1], c[:-2], alpha * (1 - beta1) * lam, beta1)
    np.testing.assert_allclose(c[2:], predicted, rtol=0,
                               atol=1e-12 * np.abs(c).max())


@pytest.mark.equation("6.5")
@given(sharpness, betas)
def test_the_roots_are_the_eigenvalues_of_the_matrix(a, beta1):
    z = theory.momentum_roots(a, beta1)
    A = theory.momentum_matrix(1.0, beta1, a / (1 - beta1))
    np.testing.assert_allclose(z.sum(), np.trace(A), atol=1e-9)
    np.testing.assert_allclose(z.prod(), np.linalg.det(A), atol=1e-9)
    np.testing.assert_allclose(z.prod(), beta1, atol=1e-9)
    assert z[0].real >= z[1].real


@pytest.mark.equation("6.5")
def test_the_roots_of_a_grid_have_an_axis_of_their_own():
    a, beta1 = np.array([0.1, 1.0, 3.9]), np.array([[0.25], [0.81]])
    z = theory.momentum_roots(a, beta1)
    assert z.shape == (2, 2, 3)
    np.testing.assert_allclose(z**2 - (1 + beta1 - a) * z + beta1, 0,
                               atol=1e-12)
    assert (z[:, 1, 1].imag != 0).all() and (z[:, :, 2].imag == 0).all()


@pytest.mark.equation("6.6")
@given(betas)
def test_the_discriminant_is_zero_at_the_ends_of_the_window(beta1):
    for a, inside in zip(theory.oscillation_range(beta1), (1e-3, -1e-3)):
        assert (1 + beta1 - a) ** 2 - 4 * beta1 == pytest.approx(0, abs=1e-9)
        assert (1 + beta1 - a - inside) ** 2 < 4 * beta1
        assert (1 + beta1 - a + inside) ** 2 > 4 * beta1


@pytest.mark.equation("6.7")
@given(sharpness, betas)
def test_the_radius_is_the_largest_eigenvalue(a, beta1):
    A = theory.momentum_matrix(1.0, beta1, a / (1 - beta1))
    radius = np.abs(np.linalg.eigvals(A)).max()
    # a double root is only as exact as the root of the rounding error
    assert theory.momentum_radius(a, beta1) == pytest.approx(radius, abs=1e-6)


@pytest.mark.equation("6.7")
def test_without_momentum_the_radius_is_that_of_gradient_descent():
    a = np.array([0.01, 0.5, 1.0, 1.7, 2.5])
    np.testing.assert_allclose(theory.momentum_radius(a, 0.0), abs(1 - a),
                               rtol=1e-12)


@pytest.mark.equation("6.7")
def test_in_the_window_the_radius_does_not_depend_on_the_curvature():
    a = np.linspace(0.0027, 3.79, 50)
    np.testing.assert_array_equal(theory.momentum_radius(a, 0.9),
                                  np.sqrt(0.9))


@given(sharpness, betas)
def test_no_direction_shrinks_faster_than_the_root_of_beta1(a, beta1):
    assert theory.momentum_radius(a, beta1) >= np.sqrt(beta1) - 1e-12


@pytest.mark.equation("6.8")
@given(betas, st.floats(0.1, 100.0))
def test_momentum_is_stable_exactly_below_its_limit(beta1, lam):
    limit = theory.largest_stable_rate_with_momentum(beta1, lam)
    a = limit * (1 - beta1) * lam
    assert a == pytest.approx(2 * (1 + beta1))
    assert theory.momentum_radius(a * (1 - 1e-3), beta1) < 1
    assert theory.momentum_radius(a * (1 + 1e-3), beta1) > 1


@pytest.mark.equation("6.8")
@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9])
def test_the_run_dies_out_below_the_limit_and_explodes_above(beta1):
    limit = theory.largest_stable_rate_with_momentum(beta1, 50.0)
    low, high = (abs(along(averaged, 50.0, 3000, alpha=part * limit,
                           beta1=beta1)[-1]) for part in (0.99, 1.01))
    assert low < 1e-3 and not high < 1e3


@pytest.mark.equation("6.9")
@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_the_angle_of_the_root_gives_the_period(share, beta1):
    low, high = theory.oscillation_range(beta1)
    a = low + share * (high - low)
    angle = np.angle(theory.momentum_roots(a, beta1)[0])
    assert theory.oscillation_period(a, beta1) == pytest.approx(
        2 * np.pi / abs(angle), rel=1e-6)


@pytest.mark.equation("6.9")
def test_the_run_changes_sign_twice_a_period():
    c = along(averaged, 6.3, 500, alpha=0.2, beta1=0.5)
    flips = (np.diff(np.sign(c)) != 0).sum()
    assert abs(flips - 1000 / theory.oscillation_period(0.63, 0.5)) <= 1


# ---- on a ravine ----------------------------------------------------------


@pytest.mark.equation("6.10")
@pytest.mark.equation("6.11")
@pytest.mark.parametrize("lam_min, lam_max", [(1.0, 50.0), (0.3, 2.7)])
def test_no_pair_on_a_grid_has_a_smaller_factor(lam_min, lam_max):
    lam = np.array([lam_min, lam_max])

    def q(alpha, beta1):
        return theory.momentum_radius(
            alpha[..., None] * (1 - beta1[..., None]) * lam,
            beta1[..., None]).max(-1)

    best = theory.best_factor_with_momentum(lam_max / lam_min)
    rate = np.array(theory.best_rate_with_momentum(lam_min, lam_max))
    # both roots are double: rounding by δ costs √δ
    assert q(rate, np.array(best**2)) == pytest.approx(best, abs=1e-6)
    grid = q(rate * np.geomspace(0.2, 5, 201)[:, None],
             np.linspace(0, 0.99, 199))
    assert grid.min() >= best - 1e-12
    assert grid.min() < best + 0.05


@pytest.mark.equation("6.10")
@given(st.floats(1.0, 1e5))
def test_the_window_of_the_best_beta1_has_the_ratio_kappa(kappa):
    low, high = theory.oscillation_range(
        theory.best_factor_with_momentum(kappa) ** 2)
    if kappa > 1:
        assert high / low == pytest.approx(kappa, rel=1e-6)


@pytest.mark.equation("6.12")
@pytest.mark.parametrize("lam_min, lam_max", [(1.0, 1000.0), (0.5, 8.0)])
def test_height_at_the_best_pair_follows_the_double_roots(lam_min, lam_max):
    f, q = quadratic([lam_min, lam_max]), np.sqrt(lam_max / lam_min)
    beta1 = ((q - 1) / (q + 1)) ** 2
    path = run(averaged, f.grad, [1.0, 1.0], 100, beta1=beta1,
               alpha=1 / np.sqrt(lam_min * lam_max))
    np.testing.assert_allclose(
        theory.height_at_best_momentum(path.t, lam_min, lam_max),
        f(path.theta), rtol=1e-8)


@pytest.mark.parametrize("kappa", [2.0, 50.0])
def test_twenty_rates_can_do_what_twenty_steps_of_the_best_pair_cannot(kappa):
    """Chebyshev's points reach the bound of all polynomials of degree 20."""
    lam = np.linspace(1, kappa, 2001)[:, None]
    angle = np.pi * (np.arange(1, 21) - 0.5) / 20
    rates = 2 / (1 + kappa + (kappa - 1) * np.cos(angle))
    q = theory.best_factor_with_momentum(kappa)
    left = np.abs(np.prod(1 - lam * rates, axis=1)).max()
    assert left == pytest.approx(2 / (q**20 + q**-20), rel=1e-6)
    beta1, rate = q**2, theory.best_rate_with_momentum(1.0, kappa)
    c = run(averaged, lambda c: lam * c, np.ones((2001, 1)), 20,
            alpha=rate, beta1=beta1).theta[-1]
    assert np.abs(c).max() > 10 * left


# ---- beyond a quadratic ---------------------------------------------------


def bend(x):
    return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))


def test_heavy_ball_cycles_on_a_strongly_convex_function():
    x = [Fraction(-2208, 1225), Fraction(2592, 1225)]
    for _ in range(3):
        g = float(bend(float(x[-1])))
        exact = 25 * x[-1] - (24 if x[-1] >= 2 else 0)
        assert float(exact) == pytest.approx(g)
        x.append(Fraction(13, 9) * x[-1] - Fraction(4, 9) * x[-2] - exact / 9)
    assert x[3:] == x[:2] and x[2] == Fraction(792, 1225)
    path = run(momentum, bend, [3.3], 200, alpha=1 / 9, mu=4 / 9).theta
    np.testing.assert_allclose(np.sort(path[-3:, 0]),
                               np.sort(np.array(x[:3], float)), rtol=1e-9)


def test_nesterov_at_his_pair_and_one_rate_arrive_there_from_everywhere():
    many = np.linspace(-5, 5, 201)[:, None]
    for rule, hyper in ((nesterov, {"mu": 2 / 3}), (gradient_descent, {})):
        end = run(rule, bend, many, 400, alpha=1 / 25, **hyper).theta[-1]
        assert np.abs(end).max() < 1e-6


# ---- noise ----------------------------------------------------------------


@pytest.mark.equation("6.13")
@pytest.mark.equation("6.14")
@pytest.mark.parametrize("alpha, beta1, lam, sigma2", [
    (0.1, 0.9, 1.0, 1.0), (1.9, 0.0, 1.0, 3.0), (0.7, 0.5, 2.5, 0.2),
    (0.04, 0.8, 30.0, 5.0)])
def test_stationary_variances_solve_the_matrix_equation(alpha, beta1, lam,
                                                        sigma2):
    A = theory.momentum_matrix(alpha, beta1, lam)
    kick = (1 - beta1) * np.array([-alpha, 1.0])
    # S = A S Aᵀ + σ² kick kickᵀ
    S = np.linalg.solve(np.eye(4) - np.kron(A, A),
                        sigma2 * np.kron(kick, kick)).reshape(2, 2)
    assert theory.momentum_noise(alpha, beta1, lam, sigma2) == pytest.approx(
        S[0, 0], rel=1e-9)
    assert theory.average_noise(alpha, beta1, lam, sigma2) == pytest.approx(
        S[1, 1], rel=1e-9)


def test_the_variance_of_theta_does_not_depend_on_beta1_to_first_order():
    alpha, beta1, lam, sigma2 = sympy.symbols("alpha beta1 lam sigma2",
                                              positive=True)
    X = theory.momentum_noise(alpha, beta1, lam, sigma2)
    first = sympy.series(X, alpha, 0, 2).removeO()
    assert sympy.simplify(first - alpha * sigma2 / (2 * lam)) == 0


def test_without_curvature_the_average_has_the_noise_of_chapter_2():
    assert theory.average_noise(1e-9, 0.9, 1.0, 1.0) == pytest.approx(
        theory.variance_factor(np.inf, 0.9))


def test_the_sum_of_the_averages_is_the_sum_of_the_gradients():
    g = np.random.default_rng(1).standard_normal((50, 1))
    m = run(averaged, theta0=[0.0], gradients=g, alpha=1.0, beta1=0.8).m
    np.testing.assert_allclose(g.sum(0), m[1:].sum(0) + 4 * m[-1])


# ---- Nesterov -------------------------------------------------------------


def test_nesterov_in_the_frameworks_is_the_look_ahead_point():
    theta, b = np.array([-8.0, 1.5]), np.zeros(2)
    path = run(nesterov, ravine.grad, theta, 100, alpha=0.01, mu=0.9)
    for stored in path.theta:
        np.testing.assert_allclose(stored, theta - 0.01 * 0.9 * b, atol=1e-12)
        b = 0.9 * b + ravine.grad(theta - 0.01 * 0.9 * b)
        theta = theta - 0.01 * b


@pytest.mark.equation("6.15")
@given(st.floats(0.01, 1.8), betas)
def test_nesterovs_roots_are_the_eigenvalues_of_its_step(a, mu):
    # (c, b) → (c − a c − α μ b', b') with α = 1: b' = μ b + a c
    A = np.array([[1 - a - mu * a, -(mu**2)], [a, mu]])
    z = theory.nesterov_roots(a, mu)
    np.testing.assert_allclose(z.sum(), np.trace(A), atol=1e-9)
    np.testing.assert_allclose(z.prod(), np.linalg.det(A), atol=1e-9)
    assert z[0].real >= z[1].real


@pytest.mark.equation("6.15")
def test_nesterovs_run_follows_its_roots():
    c = along(nesterov, 1.0, 40, alpha=0.3, mu=0.7)
    z = theory.nesterov_roots(np.array([0.3]), 0.7)
    assert z.shape == (2, 1)
    np.testing.assert_allclose(
        c[2:], z.sum().real * c[1:-1] - z.prod().real * c[:-2], atol=1e-12)


# ---- behind the division --------------------------------------------------


@pytest.mark.equation("6.16")
@given(st.integers(1, 40), betas, betas)
def test_rmsprop_with_momentum_starts_with_the_sum_of_faded_quotients(
        t, mu, beta2):
    path = run(rmsprop_momentum, theta0=[0.0], gradients=np.full((t, 1), -3.0),
               alpha=0.5, mu=mu, beta2=beta2, eps=0.0)
    step = (path.theta[-1, 0] - path.theta[-2, 0]) / 0.5
    assert theory.rmsprop_momentum_start(t, mu, beta2) == pytest.approx(
        step, rel=1e-9)


# ---- the exercises --------------------------------------------------------


def dampened(t, beta):
    """The weights, by feeding the buffer one gradient of 1 at a time."""
    weights = []
    for unit in np.eye(t):
        b = None
        for g in unit:
            b = g if b is None else beta * b + (1 - beta) * g
        weights.append(b)
    return np.array(weights)


def window(beta1, lam_min, lam_max):
    s = np.sqrt(beta1)
    return (1 - s) / (1 + s) / lam_min, (1 + s) / (1 - s) / lam_max


def nesterov_limit(mu, lam):
    return 2 * (1 + mu) / ((1 + 2 * mu) * lam)


def chebyshev_points():
    return 25.5 + 24.5 * np.cos(np.pi * (np.arange(1, 21) - 0.5) / 20)


@pytest.mark.parametrize("check, answer, said", [
    (check_twenty_rates, 1 / chebyshev_points(), ": correct"),
    (check_twenty_rates, lambda: 1 / chebyshev_points()[::-1], ": correct"),
    (check_twenty_rates, chebyshev_points(), "one over them"),
    (check_twenty_rates, np.full(20, 2 / 51), "in one place"),
    (check_twenty_rates, 1 / np.linspace(1, 50, 20), "evenly spaced"),
    (check_twenty_rates, 1 / np.geomspace(1, 50, 20), "flat end only"),
    (check_twenty_rates, 1 / np.r_[np.linspace(10, 40, 18), 45, 45.1],
     "must be denser"),
    (check_twenty_rates, 1 / np.linspace(0.5, 60, 20), "is wasted"),
    (check_twenty_rates, np.ones(19), "twenty numbers"),
    (check_twenty_rates, np.full(20, np.nan), "twenty numbers"),
    (check_twenty_rates, "many", "twenty numbers"),
    (check_twenty_rates, 10.0 ** np.arange(20, 40), "they leave inf"),
    (check_twenty_rates, lambda: None, "not done yet"),
    (check_dampened_weights, dampened, ": correct"),
    (check_dampened_weights, lambda t, b: dampened(t, b)[::-1], "oldest"),
    (check_dampened_weights, lambda t, b: (1 - b) * b ** np.arange(t)[::-1],
     "g_1 comes in whole"),
    (check_dampened_weights, lambda t, b: theory.corrected_weights(t, b)[::-1],
     "all weights too large"),
    (check_window_of_rates, window, ": correct"),
    (check_window_of_rates, lambda b, low, high: tuple(
        x * (1 - b) for x in window(b, low, high)), "heavy ball's rates"),
    (check_window_of_rates, lambda b, low, high: window(b, high, low),
     "from below"),
    (check_window_of_rates, lambda b, low, high: (
        (1 - b) / low, (1 + b) ** 2 / (1 - b) / high), "√β₁, not β₁"),
    (check_window_of_rates, lambda b, low, high: window(b, low, high)[::-1],
     "wrong order"),
    (check_nesterov_limit, nesterov_limit, ": correct"),
    (check_nesterov_limit, lambda mu, lam: 2 * (1 + mu) / ((1 - mu) * lam),
     "(6.8)"),
    (check_nesterov_limit, lambda mu, lam: 2 * (1 + mu) / lam, "heavy ball"),
    (check_nesterov_limit, lambda mu, lam: 2 / lam, "gradient descent's"),
])
def test_the_checks_tell_right_from_wrong(check, answer, said, capsys):
    check(answer)
    assert said in capsys.readouterr().out


@given(st.floats(0.05, 0.95), st.floats(0.2, 60.0))
def test_nesterov_is_stable_exactly_below_the_limit(mu, lam):
    a = nesterov_limit(mu, lam) * lam
    assert np.abs(theory.nesterov_roots(a * 0.999, mu)).max() < 1
    assert np.abs(theory.nesterov_roots(a * 1.001, mu)).max() > 1


def test_without_a_memory_all_are_gradient_descent():
    one = run(gradient_descent, ravine.grad, [-8.0, 1.5], 50, alpha=0.01)
    for rule, hyper in ((averaged, {"beta1": 0.0}), (momentum, {"mu": 0.0}),
                        (nesterov, {"mu": 0.0})):
        path = run(rule, ravine.grad, [-8.0, 1.5], 50, alpha=0.01, **hyper)
        np.testing.assert_array_equal(path.theta, one.theta)
