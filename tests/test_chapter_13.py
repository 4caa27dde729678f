"""Chapter 13, geometry: closed forms against runs on the real problems."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from descent import (adagrad, adam, gradient_descent, momentum, nesterov,
                     rmsprop, run, sign_descent, theory)
from descent.exercises import check_axes, check_steps_turned
from descent.problems import (OneHot, OneHotColumn, Quadratic, Wilson,
                              quadratic, zipf)

ADAPTIVE = [sign_descent, adagrad, rmsprop, adam]
H = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 1.0]])
START = np.array([1.0, -2.0, 0.5])


def a_rotation(seed=0, d=3):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


def turned(R):
    problem = Quadratic(H)
    return lambda phi: theory.turned_gradient(problem.grad, R, phi)


# ---- turning --------------------------------------------------------------


@pytest.mark.equation("13.1")
def test_the_turned_gradient_is_the_gradient_of_the_turned_quadratic():
    R = a_rotation()
    phi = np.random.default_rng(1).standard_normal((5, 3))
    np.testing.assert_allclose(turned(R)(phi), phi @ (R @ H @ R.T), rtol=1e-12)


@pytest.mark.equation("13.2")
@pytest.mark.parametrize("rule", [gradient_descent, momentum, nesterov])
def test_rules_without_a_divisor_turn_with_the_problem(rule):
    R = a_rotation()
    straight = run(rule, Quadratic(H).grad, START, 50, alpha=0.05).theta
    there = run(rule, turned(R), R @ START, 50, alpha=0.05).theta
    np.testing.assert_allclose(there, theory.turned_path(straight, R),
                               atol=1e-12)


@pytest.mark.equation("13.2")
@pytest.mark.parametrize("rule", ADAPTIVE)
def test_adaptive_rules_follow_a_change_of_order_and_signs_only(rule):
    P = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    straight = run(rule, Quadratic(H).grad, START, 50, alpha=0.05).theta
    there = run(rule, turned(P), P @ START, 50, alpha=0.05).theta
    np.testing.assert_allclose(there, theory.turned_path(straight, P),
                               atol=1e-12)
    R = a_rotation()
    there = run(rule, turned(R), R @ START, 50, alpha=0.05).theta
    assert np.abs(there - theory.turned_path(straight, R)).max() > 0.1


@pytest.mark.equation("13.3")
def test_dividing_coordinates_leaves_the_condition_of_the_divided_matrix():
    D = np.array([[1.0, 2.0, 5.0], [3.0, 3.0, 3.0]])
    left = theory.condition_left(H, D)
    for i in range(2):
        lam = np.linalg.eigvals(H / D[i][:, None])  # similar matrices
        np.testing.assert_allclose(left[i], max(lam.real) / min(lam.real))
    assert left[1] == pytest.approx(np.linalg.cond(H))


@pytest.mark.equation("13.3")
def test_the_divisor_helps_along_the_axes_and_not_at_45_degrees():
    Λ, turned = quadratic([1, 1000]), quadratic([1, 1000], np.pi / 4)
    assert theory.condition_left(Λ.H, Λ.grad([1, 1])) == pytest.approx(1)
    g = np.abs(turned.grad(turned.rotation @ [1, 1]))
    assert theory.condition_left(turned.H, g) == pytest.approx(1000, rel=1e-5)


# ---- gradient scale, not curvature ----------------------------------------


@pytest.mark.equation("13.4")
@pytest.mark.parametrize("x, G", [(0.3, 1.0), (-2.0, 5.0), (0.5, 0.5)])
@pytest.mark.parametrize("rule", [adam, rmsprop])
def test_a_swing_divides_a_steady_gradient_by_the_root_mean_square(rule, x, G):
    swing = x + G * np.where(np.arange(12_000) % 2, -1, 1)[:, None]
    path = run(rule, theta0=[0.0], gradients=swing, alpha=1.0,
               beta2=0.999).theta[:, 0]
    mean = (path[-1] - path[-2001]) / 2000
    # what the memory leaves is of the order of 1 − β₂
    assert mean == pytest.approx(theory.step_under_swing(x, G), rel=2e-3)


# ---- rare classes ---------------------------------------------------------


@pytest.mark.equation("13.5")
@given(st.floats(-5, 30), st.integers(2, 2000))
def test_the_loss_of_a_gap_is_that_of_the_softmax(d, c):
    z = np.r_[d, np.zeros(c - 1)]
    expected = np.log(np.exp(z).sum()) - d
    np.testing.assert_allclose(theory.class_loss(d, c), expected, atol=1e-12)


@pytest.mark.equation("13.6")
@given(st.floats(0.01, 5), st.integers(2, 2000))
def test_the_gap_needed_has_the_loss_asked_for(loss, c):
    d = theory.gap_needed(loss, c)
    z = np.r_[d, np.zeros(c - 1)]
    np.testing.assert_allclose(np.log(np.exp(z).sum()) - d, loss, rtol=1e-9)


@pytest.mark.equation("13.7")
@pytest.mark.parametrize("c", [2, 7])
def test_gradient_descent_moves_the_gap_as_the_recursion_says(c):
    f = OneHot(zipf(c))
    path = run(gradient_descent, f.grad, np.zeros(c * c), 40, alpha=3.0)
    W = path.theta.reshape(-1, c, c)
    for k, pi in enumerate(f.frequencies):
        d = [0.0]
        for _ in range(40):
            d.append(theory.next_gap(d[-1], 3.0, pi, c))
        np.testing.assert_allclose(W[:, k, k] - W[:, (k + 1) % c, k], d,
                                   rtol=1e-12, atol=1e-14)


@pytest.mark.equation("13.8")
def test_small_steps_need_the_scaled_time():
    pi, c = 0.2, 50
    f = OneHotColumn(pi, c)
    path = run(gradient_descent, f.grad, [0.0, 0.0], 40_000, alpha=0.002,
               record=1000)
    d = path.theta[:, 0] - path.theta[:, 1]
    # Euler's error is of the order of one step
    np.testing.assert_allclose(theory.scaled_time(d, c), 0.002 * pi * path.t,
                               rtol=5e-4)


@pytest.mark.equation("13.9")
def test_sign_descent_widens_the_gap_by_two_alpha_a_step():
    f = OneHotColumn(zipf(30)[[0, 29]], 30)
    path = run(sign_descent, f.grad, np.zeros((2, 2)), 20, alpha=0.05)
    d = path.theta[..., 0] - path.theta[..., 1]
    np.testing.assert_allclose(theory.sign_steps(d, 0.05).T,
                               [np.arange(21)] * 2, atol=1e-12)


def test_the_steps_of_the_chapter():
    f = OneHotColumn(zipf(1000)[[0, 9, 99]], 1000)

    def steps(rule, number, **hyper):
        path = run(rule, f.grad, np.zeros((3, 2)), number, **hyper)
        return (f.class_loss(path.theta) < 0.1).argmax(axis=0).tolist()

    assert steps(gradient_descent, 14_000, alpha=1.0) == [139, 1395, 13958]
    assert steps(sign_descent, 100, alpha=0.05) == [92, 92, 92]
    assert steps(adam, 150, alpha=0.05, eps=1e-16) == [133, 133, 133]


def for_good(f, low=1e-8):
    """The first t from which on f stays below `low`; len(f): never."""
    return max(t + 1 for t in range(len(f)) if not f[t] < low)


def test_the_chapter_counts_for_good_and_not_to_a_first_crossing():
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(
        (ROOT / "chapters" / "13_geometry.ipynb").read_text())["cells"]}
    assert [i for i in cells if "< 1e-8)" in cells[i]] == [
        "geo67b", "geo67g"]  # the exercise's, whose check counts so
    space = {"np": np}
    exec(cells["geo12"].split("degrees")[0], space)
    f = quadratic([1.0, 1000.0], 0.0)
    swings = f(run(momentum, f.grad, [1.0, 1.0], 1000, alpha=0.003).theta)
    assert (swings < 1e-8).argmax() == 204  # and above it again
    assert space["for_good"](swings) == for_good(swings) == 246
    never = np.array([1.0, 1e-9, 1.0, np.nan])
    assert space["for_good"](never) == for_good(never) == 4


@pytest.mark.parametrize("beta2, expected", [
    (0.9, [173, 248]), (0.99, [197, 1188]), (0.999, [234, 5114])])
def test_the_price_of_the_turn_for_good_at_an_untuned_rate(beta2, expected):
    f = quadratic([[1.0, 1000.0]] * 2, np.radians([0, 45]))
    path = run(adam, f.grad, f.rotation @ [1.0, 1.0], 9000, alpha=0.01,
               beta2=beta2)
    heights = f(path.theta).T
    assert [for_good(h, 0.01) for h in heights] == expected
    # the small height is kept at 0.999 alone, and once reached by all
    assert (heights < 1e-8).any(axis=1).all()
    assert [for_good(h) == 9001 for h in heights] == [beta2 < 0.999] * 2


GRID = 0.003 * 1.52 ** np.arange(17)
SLOW = 0.0029 * 1.52 ** np.arange(-4.0, 2.0)  # momentum's rates
HUNDRED = np.random.default_rng(1).standard_normal((100, 2))


def medians(rule, turn, rates, steps=1000, low=1e-8, starts=HUNDRED, **hyper):
    """The median over the starts of the steps to f < low for good, for each rate; and those steps."""
    f = quadratic([1.0, 1000.0], np.radians(turn))
    path = np.tile(starts @ f.rotation.T, (len(rates), 1, 1))
    last = np.zeros(path.shape[:-1], int)  # the last step at which f is not below
    done = 0
    while done < steps:  # a thousand at a time: nine thousand do not fit
        now = min(1000, steps - done)
        with np.errstate(all="ignore"):
            path = run(rule, f.grad, path, now, alpha=rates[:, None, None], **hyper)
            high = ~(f(path.theta) < low)
        t = done + now - high[::-1].argmax(0)
        last, done = np.where(high.any(0), t, last), done + now
    return np.median(last + 1, axis=1), last + 1


def test_the_medians_count_for_good_as_the_chapter_does():
    f = quadratic([1.0, 1000.0], np.radians(45))
    theta = run(adam, f.grad, HUNDRED[:3] @ f.rotation.T, 2500, alpha=1.6).theta
    assert medians(adam, 45, np.array([1.6]), 2500, starts=HUNDRED[:3])[1][0].tolist() == [
        for_good(f(theta)[:, i]) for i in range(3)]


def test_in_short_runs_at_tuned_rates_the_turn_costs_adam_less_than_three_times():
    along, turned, level = (medians(*rule)[0].min() for rule in (
        (adam, 0, GRID), (adam, 45, GRID), (momentum, 0, SLOW)))
    assert (along, turned, level) == (219.5, 589, 235.5)
    assert 2.6 < turned / along < 2.8


def test_in_runs_of_9000_steps_no_rate_settles_the_turned_adam_before_7000():
    along, n = medians(adam, 0, GRID, 9000)
    assert along.argmin() == 3 and along.min() == 559.5  # 0.0105, near the opening's 0.01
    assert (np.median(np.minimum(n, 7000), axis=1)[5:] == 7000).all()
    assert medians(adam, 45, GRID, 9000)[0].min() > 7000
    # and momentum needs as many as in short runs
    assert medians(momentum, 45, SLOW[:5], 9000)[0].min() == 235.5


def test_other_starts_at_the_rates_of_these_pay_the_same_price():
    other = np.random.default_rng(3).standard_normal((400, 2))
    short = [medians(adam, turn, GRID[i:i + 1], starts=other)[0][0] for turn, i in ((0, 10), (45, 15))]
    long = [medians(adam, turn, GRID[i:i + 1], 9000, starts=other)[0][0] for turn, i in ((0, 3), (45, 4))]
    assert 2.6 < short[1] / short[0] < 2.8
    assert 7000 < long[1] and 10 < long[1] / long[0] < 19


def held(state, g, *, alpha, beta2, share):
    """Adam whose rate may not pass a share of 2(1 + β₁)/((1 − β₁)λ), (6.8)."""
    after = adam(state, g, alpha=alpha, beta2=beta2)
    root = np.maximum(np.sqrt(after.v_hat), alpha / (share * 0.038))
    return after._replace(theta=state.theta - alpha * after.m_hat / root)


def test_it_is_the_limit_of_the_rate_that_keeps_short_memories_from_settling():
    steps = [medians(held, 45, GRID, beta2=beta2, share=share)[0].min()
             for beta2 in (0.9, 0.99) for share in (0.9, 1.3)]
    assert 200 < steps[0] < 300 < steps[2] < 400
    assert steps[1] == steps[3] == 1001
    assert [medians(adam, 45, GRID, beta2=beta2)[0].min() for beta2 in (0.9, 0.99)] == [1001, 1001]


@pytest.mark.parametrize("turn", [0, 45])
def test_run_on_adam_is_thrown_out_again_and_the_held_one_is_not(turn):
    for rule, more, stay in (adam, {}, 0), (held, {"beta2": 0.999, "share": 0.9}, 100):
        median, n = medians(rule, turn, GRID, **more)
        at = median.argmin()
        assert (n[at] <= 1000).all()
        on = medians(rule, turn, GRID[at:at + 1], 9000, **more)[1]
        assert (on <= 1000).sum() == stay


def test_a_constant_divisor_with_the_correction_lies_between_momentum_and_the_turned_adam():
    drowned = {"rates": 1e10 * SLOW, "eps": 1e9}
    assert medians(adam, 45, correct="none", **drowned)[0].min() == 235.5
    assert [medians(adam, 45, steps=steps, **drowned)[0].min() for steps in (1000, 9000)] == [412, 412]
    constant, default, short, level = (medians(*rule, low=0.01, **more)[0].min() for rule, more in (
        ((adam, 45), drowned), ((adam, 45, GRID), {}), ((adam, 45, GRID), {"beta2": 0.9}),
        ((momentum, 45, SLOW), {})))
    assert level < short < constant < default
    # no edge: slower and faster divided rates are worse
    slower, here, faster = medians(adam, 45, 1e10 * SLOW[:3], low=0.01, eps=1e9)[0]
    assert here == constant < min(slower, faster)


def test_turned_the_divisor_takes_nothing_away_from_any_start_along_the_axes_that_depends_on_it():
    pair = quadratic([[1.0, 1000.0]] * 2, np.radians([0, 45]))
    starts = np.einsum("kij,nj->nki", pair.rotation, HUNDRED)
    for beta2 in (0.9, 0.99, 0.999):
        path = run(adam, pair.grad, starts, 100, alpha=0.01, beta2=beta2)
        along, turned = theory.condition_left(pair.H, np.sqrt(path.v_hat[100])).T
        assert along.min() < 2 < np.median(along) < 10 and along.max() > 100
        assert turned.min() > 999.99


def test_aligned_and_turned_ravine_need_these_steps():
    counts = []
    for angle in (0.0, np.pi / 4):
        f = quadratic([1, 1000], angle)
        path = run(adam, f.grad, f.rotation @ [1.0, 1.0], 15_000, alpha=0.01)
        counts.append(int(for_good(f(path.theta[:9001]))))
        assert for_good(f(path.theta)) > 12_000  # run on, both are thrown out
    assert counts == [344, 7908]


def one_divisor(state, g, *, alpha):
    after = adam(state, g, alpha=alpha)
    v_hat = after.v_hat.mean(axis=-1, keepdims=True)
    return after._replace(
        theta=state.theta - alpha * after.m_hat / (np.sqrt(v_hat) + 1e-8))


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4])
def test_at_45_degrees_adam_is_adam_with_one_divisor(angle):
    f = quadratic([1, 1000], angle)
    path = run(one_divisor, f.grad, f.rotation @ [1.0, 1.0], 8000, alpha=0.01)
    assert for_good(f(path.theta)) == 7908


# ---- Wilson ---------------------------------------------------------------


@pytest.mark.equation("13.10")
def test_on_the_line_the_gradient_is_a_multiple_of_the_first():
    f = Wilson(7, 4)
    Xy = f.X.T @ f.y
    for s in (0.0, 0.1, 0.25, 2.0):
        np.testing.assert_allclose(
            theory.gradient_on_the_line(s, 4, Xy, 11),
            f.X.T @ (f.X @ (s * np.sign(Xy)) - f.y) / 11, atol=1e-14)


@pytest.mark.parametrize("rule", ADAPTIVE)
def test_adaptive_rules_stay_on_the_line_of_signs(rule):
    f = Wilson(30, 20)
    u = np.sign(f.X.T @ f.y)
    options = {} if rule is sign_descent else {"eps": 0.0}
    # stop before γ s − 1 is rounding error, whose signs are anything
    w = run(rule, f.grad, np.zeros(len(u)), 60, alpha=0.003, **options).theta
    s = w[:, :1]  # u_1 = 1
    np.testing.assert_allclose(w, s * u, rtol=1e-10, atol=1e-15)
    assert (f.unseen([1, -1]) @ w[-1] > 0).all()


def test_gradient_descent_finds_the_smallest_solution_and_the_label():
    f = Wilson(30, 20)
    w = run(gradient_descent, f.grad, np.zeros(f.X.shape[1]), 3000,
            alpha=0.4, record=False).theta
    np.testing.assert_allclose(w, np.linalg.pinv(f.X) @ f.y, atol=1e-10)
    assert np.sign(f.unseen([1, -1]) @ w).tolist() == [1, -1]


# ---- the checks of the exercises ------------------------------------------


def steps_turned(angle, turn=True, start=True):
    f = quadratic([1.0, 1000.0], angle * turn)
    R = quadratic([1.0, 1000.0], angle).rotation
    path = run(adam, f.grad, R @ [1.0, 1.0] if start else [1.0, 1.0], 7000,
               alpha=0.015)
    return (f(path.theta) < 1e-8).argmax()


def eigenvectors(gradients):
    A = np.linalg.eigh(gradients.T @ gradients)[1]
    return A * [np.linalg.det(A), 1.0]  # a rotation: its transpose differs


@pytest.mark.parametrize("check, answer, said", [
    (check_steps_turned, steps_turned, "correct"),
    (check_steps_turned, lambda a: steps_turned(a, start=False),
     "H is turned, the start is not"),
    (check_steps_turned, lambda a: steps_turned(a, turn=False),
     "the start is turned, H is not"),
    (check_axes, eigenvectors, "correct"),
    (check_axes, lambda g: eigenvectors(g)[:, ::-1], "correct"),
    (check_axes, lambda g: eigenvectors(g).T, "rows"),
    (check_axes, lambda g: np.eye(2)[::-1], "the old axes"),
    (check_axes, lambda g: np.diag([1.0, 2.0]), "not orthogonal"),
    (check_axes, lambda g: g, "shape (20, 2)"),
    (check_axes, lambda g: None, "not done yet"),
    (check_axes, lambda: None, "raised TypeError"),
    (check_axes, 3, "must be a function"),
])
def test_a_check_accepts_what_is_right_and_names_the_slip(
        check, answer, said, capsys):
    check(answer)
    assert said in capsys.readouterr().out
