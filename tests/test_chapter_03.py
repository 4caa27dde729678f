"""Chapter 3, Deriving RMSprop: closed forms against simulations and sums."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from descent import adagrad, gradient_descent, rmsprop, run, sign_descent
from descent import exercises, theory
from descent.problems import hinton_cycle, quadratic, ravine

HINTON = hinton_cycle(1)[:, 0]
BETAS = np.array([0.5, 0.9, 0.99, 0.999])
cycles = st.lists(st.floats(0.05, 2.0) | st.floats(-2.0, -0.05), min_size=2,
                  max_size=7).map(np.array)


def last_turn(g, beta2, turns):
    path = run(rmsprop, theta0=[0.0], gradients=np.tile(g, turns)[:, None],
               alpha=1.0, beta2=beta2, eps=0.0)
    return path.v[-len(g):, 0], path.theta[-1, 0] - path.theta[-len(g) - 1, 0]


@pytest.mark.equation("3.1")
def test_adagrads_step_on_a_constant_gradient_falls_like_one_over_root_t():
    path = run(adagrad, theta0=[0.0], gradients=np.full((50, 1), 3.0),
               alpha=1.0, eps=0.0)
    np.testing.assert_allclose(-np.diff(path.theta[:, 0]),
                               theory.adagrad_step(np.arange(1, 51)))


@pytest.mark.equation("3.2")
@pytest.mark.equation("R1")
@given(cycles, st.floats(0.0, 0.999))
def test_the_second_moment_unrolls_into_weights_that_decay(g, beta2):
    path = run(rmsprop, theta0=[0.0], gradients=g[:, None], beta2=beta2)
    np.testing.assert_allclose(theory.unrolled_second_moment(g, beta2),
                               path.v[-1, 0], rtol=1e-12)
    two = np.stack([g, 2 * g], axis=-1)
    np.testing.assert_allclose(theory.unrolled_second_moment(two, beta2),
                               path.v[-1, 0] * np.array([1, 4]), rtol=1e-12)


@pytest.mark.equation("3.3")
@given(cycles, st.floats(0.0, 0.9))
def test_on_a_cycle_the_second_moment_settles_at_its_closed_form(g, beta2):
    v, _ = last_turn(g, beta2, 400 // len(g) + 1)  # 0.9**400 is below 1e-18
    np.testing.assert_allclose(theory.second_moment_on_cycle(beta2, g), v,
                               rtol=1e-12)
    grid = theory.second_moment_on_cycle([[beta2], [0.0], [0.5]], g)
    assert grid.shape == (3, 1, len(g))
    np.testing.assert_allclose(grid[:2, 0], [v, g**2], rtol=1e-12)


@pytest.mark.equation("3.4")
@given(cycles, st.floats(0.0, 0.9))
def test_the_drift_on_a_cycle_is_what_one_turn_moves(g, beta2):
    _, drift = last_turn(g, beta2, 400 // len(g) + 1)
    np.testing.assert_allclose(theory.drift_on_cycle(beta2, g), drift,
                               atol=1e-9)


@pytest.mark.equation("3.4")
def test_the_drift_on_hintons_cycle_for_the_chapters_decay_rates():
    for beta2 in BETAS:
        _, drift = last_turn(HINTON, beta2, 3000)
        assert theory.drift_on_cycle(beta2, HINTON) == pytest.approx(
            drift, rel=1e-8)


def test_without_memory_the_drift_is_sign_descents_and_with_all_of_it_none():
    assert theory.drift_on_cycle(0.0, HINTON) == pytest.approx(-8)
    assert abs(theory.drift_on_cycle(1 - 1e-9, HINTON)) < 1e-7
    path = run(sign_descent, theta0=[0.0], gradients=hinton_cycle(1),
               alpha=1.0)
    assert path.theta[-1, 0] == pytest.approx(-8)


@pytest.mark.equation("3.5")
def test_the_first_order_drift_is_the_derivative_of_the_exact_one():
    g = [sympy.Rational(x) for x in (3, -1, -4, 2)]
    delta = sympy.symbols("delta", positive=True)
    n, beta = len(g), 1 - delta
    v = [delta / (1 - beta**n) * sum(beta**k * g[(j - k) % n] ** 2
                                     for k in range(n)) for j in range(n)]
    drift = -sum(x / sympy.sqrt(sympy.cancel(w)) for x, w in zip(g, v))
    slope = float(sympy.diff(drift, delta).subs(delta, 0))
    first = theory.drift_to_first_order(0.99, np.array(g, dtype=float))
    assert first == pytest.approx(0.01 * slope, rel=1e-10)


@pytest.mark.equation("3.5")
def test_hintons_cycle_drifts_by_twenty_thirds_of_one_minus_beta():
    first = theory.drift_to_first_order(BETAS, HINTON)
    np.testing.assert_allclose(first, -20 / 3 * (1 - BETAS))
    exact = theory.drift_on_cycle(BETAS, HINTON)
    assert np.all(np.abs(first / exact - 1) < (1 - BETAS) / 2)


@given(st.floats(0.05, 2.0), st.integers(1, 6), st.integers(1, 6))
def test_a_cycle_that_reads_the_same_backwards_drifts_by_its_skewness(
        small, a, b):
    g = np.array([small * b] * a + [-small * a] * b)  # sums to zero
    sum_of_cubes = (g**3).sum() / (4 * np.mean(g**2) ** 1.5)
    np.testing.assert_allclose(theory.drift_to_first_order(0.0, g),
                               sum_of_cubes, atol=1e-9)


@pytest.mark.equation("3.6")
@given(st.integers(1, 60), st.floats(0.0, 0.999))
def test_the_weights_of_an_average_sum_to_one_minus_beta_to_the_t(t, beta):
    weights = [(1 - beta) * beta**k for k in range(t)]
    assert theory.mass(t, beta) == pytest.approx(sum(weights), abs=1e-13)


@pytest.mark.equation("3.7")
@pytest.mark.parametrize("size", [1e-3, 5.0])
def test_rmsprop_starts_too_fast_on_a_constant_gradient(size):
    path = run(rmsprop, theta0=[0.0], gradients=np.full((300, 1), size),
               alpha=1.0, beta2=BETAS[:, None], eps=0.0)
    steps = -np.diff(path.theta[:, :, 0], axis=0)
    t = np.arange(1, 301)[:, None]
    np.testing.assert_allclose(steps, theory.rmsprop_step(t, BETAS),
                               rtol=1e-10)


@pytest.mark.equation("3.8")
def test_the_first_rmsprop_step_attains_the_bound():
    np.testing.assert_allclose(theory.largest_rmsprop_step(BETAS),
                               [2**0.5, 10**0.5, 10, 1000**0.5])
    path = run(rmsprop, theta0=[0.0], gradients=[[-7.0]], alpha=1.0,
               beta2=BETAS[:, None], eps=0.0)
    np.testing.assert_allclose(path.theta[1, :, 0],
                               theory.largest_rmsprop_step(BETAS))


def test_rmsprops_path_is_the_same_for_all_curvatures_along_the_axes():
    bowls = quadratic(np.stack([np.ones(4), [1, 50, 100, 1e4]], axis=-1))
    path = run(rmsprop, bowls.grad, np.tile([-8.0, 1.5], (4, 1)), 100,
               alpha=0.1, eps=0.0)
    for i in range(4):
        # rounding of λθ against θ, carried through 100 steps
        np.testing.assert_allclose(path.theta[:, i], path.theta[:, 0],
                                   atol=1e-12)


def test_changing_the_unit_of_theta_is_changing_alpha():
    a = run(rmsprop, ravine.grad, [-8.0, 1.5], 100, alpha=0.1, eps=0.0)
    b = run(rmsprop, lambda phi: 1000 * ravine.grad(1000 * phi),
            [-0.008, 0.0015], 100, alpha=0.0001, eps=0.0)
    np.testing.assert_allclose(1000 * b.theta, a.theta, atol=1e-10)


@pytest.mark.equation("3.9")
def test_of_a_unit_s_rmsprop_needs_one_factor_and_gradient_descent_two():
    s, lam, alpha = np.array([1.0, 10.0]), np.array([1.0, 50.0]), 0.1
    in_phi = run(rmsprop, lambda phi: lam * phi / s**2, s * [-8.0, 1.5], 60,
                 alpha=alpha, eps=0.0).theta / s
    for j in range(2):
        alone = run(rmsprop, lambda theta: lam[j] * theta,
                    [[-8.0], [1.5]][j], 60, eps=0.0,
                    alpha=theory.rmsprop_rate_in_old_units(alpha, s[j]))
        np.testing.assert_allclose(alone.theta[:, 0], in_phi[:, j], rtol=1e-6)
    gd = run(gradient_descent, lambda phi: lam * phi / s**2, s * [-8.0, 1.5],
             60, alpha=alpha).theta / s
    for j in range(2):
        alone = run(gradient_descent, lambda theta: lam[j] * theta,
                    [[-8.0], [1.5]][j], 60,
                    alpha=theory.rate_in_old_units(alpha, s[j]))
        np.testing.assert_allclose(alone.theta[:, 0], gd[:, j], rtol=1e-9)


@pytest.mark.equation("3.10")
@pytest.mark.parametrize("beta2", [0.0, 0.3, 0.9, 0.98])
def test_rmsprop_ends_in_jumps_of_alpha_for_every_curvature(beta2):
    lam, alpha = np.array([0.01, 1.0, 5000.0]), 0.1
    path = run(rmsprop, lambda theta: lam * theta, [3.01, -8.0, 1.54], 3000,
               alpha=alpha, beta2=beta2, eps=0.0)
    last = path.theta[-2:]
    if beta2:  # sign descent rattles too, around where it happens to come by
        np.testing.assert_allclose(np.abs(last), theory.rattle(alpha),
                                   rtol=1e-6)
        np.testing.assert_allclose(alpha * lam / np.sqrt(path.v[-1]), 2,
                                   rtol=1e-6)  # the limit (1.3)
    np.testing.assert_allclose(np.abs(last[1] - last[0]), alpha, rtol=1e-6)


@pytest.mark.parametrize("beta2, bits, end", [
    (0.9, np.float32, 0.5), (0.99, np.float64, 0.5), (0.99, np.float32, 0.0),
    (0.999, np.float64, 0.0)])
def test_what_is_rounded_to_zero_does_not_return(beta2, bits, end):
    path = run(rmsprop, lambda theta: 50 * theta, bits([1.5]), 6000,
               alpha=0.01, beta2=beta2, eps=0.0)
    assert np.abs(path.theta[-1, 0]) / 0.01 == pytest.approx(end, rel=1e-4)
    assert (path.theta == 0).any() == (end == 0)


@pytest.mark.parametrize("beta2", [0.2, 0.5, 0.9])
def test_the_rattle_attracts_by_the_root_of_beta_a_step(beta2):
    """θ/(α/2) = ±(1 + ξ), √v/(αλ/2) = 1 + ω, to first order in ξ and ω."""
    path = run(rmsprop, lambda theta: theta, [0.05 * (1 + 1e-4)], 40,
               alpha=0.1, beta2=beta2, v0=0.05**2, eps=0.0)
    M = np.array([[2 * beta2 - 1, -2 * beta2], [1 - beta2, beta2]])
    off = np.array([1e-4, 0.0])
    for t in range(1, 41):
        off = M @ off
        assert abs(path.theta[t, 0]) / 0.05 - 1 == pytest.approx(
            off[0], abs=3e-8)  # squares of 1e-4
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(M)), beta2**0.5)


def test_the_ravine_is_solved_and_left_again_because_v_leaks():
    lam, alpha, beta2 = ravine.H[1, 1], 0.1, 0.9
    path = run(rmsprop, ravine.grad, [-8.0, 1.5], 400, alpha=alpha, eps=0.0)
    far, rate = np.abs(path.theta[:, 1]), alpha / np.sqrt(path.v[1:, 1])
    nearest = far.argmin()
    assert far[nearest] < 1e-20 and far[-1] > 0.04
    # it is nearest when the effective rate crosses chapter 1's limit
    assert rate[nearest - 1] * lam < 2 < rate[nearest] * lam
    # without the leak it stays
    held = np.sqrt(path.v[50, 1])
    theta = path.theta[50, 1]
    for _ in range(350):
        theta = theta - alpha * lam * theta / held
    assert abs(theta) < 1e-100


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out


@pytest.mark.parametrize("answer, words", [
    (None, "not done yet"), ([0.1] * 9 + [-0.9], "drifts by -0.679496 α"),
    ([1.0] * 10, "sum to 10"), ([0.0] * 10, "not all zero"),
    ([1, -1], "ten gradients"), ([*range(1, 10), -45], ": correct\n"),
    ([-1, -2, -3, -4, -5, -6, -7, -8, -9, 45], ": correct\n"),
    ([*range(9, 0, -1), -45], "go beyond")])
def test_a_cycle_of_ones_own_is_judged_by_its_drift(capsys, answer, words):
    assert words in said(capsys, exercises.check_beat_hinton, answer)


@pytest.mark.parametrize("rate, words", [
    (lambda t: None, "not done yet"), (lambda t: 0.1, "rattles at α/2"),
    (lambda t: 0.1 / t**0.5, "too little for the way"),
    (lambda t: 0.1 * (t < 147), "thrown out"), (lambda t: -1, "at least 0"),
    (0.1, "a function of t"), (lambda t: 0.1 * (1 - t / 400), ": correct\n")])
def test_a_schedule_of_ones_own_is_judged_by_where_it_ends(capsys, rate,
                                                            words):
    assert words in said(capsys, exercises.check_bring_to_rest, rate)


def test_turning_the_whole_problem_changes_rmsprop_and_not_gradient_descent():
    turned = quadratic([1.0, 50.0], angle=np.pi / 4)
    R = turned.rotation
    gaps = {}
    for rule, alpha in ((gradient_descent, 0.02), (rmsprop, 0.1)):
        a = run(rule, ravine.grad, [-8.0, 1.5], 200, alpha=alpha).theta
        b = run(rule, turned.grad, R @ [-8.0, 1.5], 200, alpha=alpha).theta
        gaps[rule] = np.abs(b @ R - a).max()
    assert gaps[gradient_descent] < 1e-12 and gaps[rmsprop] > 1


def test_the_turned_run_is_slower_from_most_starts_and_never_arrives_from_some():
    problem, turned = quadratic([1.0, 50.0]), quadratic([1.0, 50.0], angle=np.pi / 4)
    starts = np.random.default_rng(0).uniform(-1, 1, (1000, 2)) * [8, 2]
    paths = [run(rmsprop, f.grad, starts @ Q.T, 2000, alpha=0.1).theta @ Q
             for f, Q in ((problem, np.eye(2)), (turned, turned.rotation))]
    below = [problem(path) < 0.1 for path in paths]
    assert below[0].any(0).all()  # along the axes it arrives from everywhere
    never = ~below[1].any(0)
    straight, back = (b.argmax(0)[~never] for b in below)
    assert [never.sum(), (back > straight).sum(), (back < straight).sum()] == [50, 772, 154]
    rattle = paths[1][-1][never]  # along the steep axis, at λα²/4
    np.testing.assert_allclose(np.abs(rattle @ turned.rotation.T), 0.05, rtol=1e-5)
    np.testing.assert_allclose(problem(rattle), 50 * 0.1**2 / 4, rtol=1e-5)
