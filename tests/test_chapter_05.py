"""Chapter 5, the small print: closed forms against runs, sums and bit tricks."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from descent import (gradient_descent, rmsprop, rmsprop_centered,
                     rmsprop_momentum, run, theory)
from descent.exercises import (check_best_translation, check_noise,
                               check_rattle, check_runaway)
from descent.precision import BITS, round_to, spacing
from descent.problems import ravine

sizes = st.floats(1e-6, 1e3)
betas = st.floats(0.3, 0.97)


def steps(rule, gradients, **hyper):
    path = run(rule, theta0=[0.0], gradients=gradients, alpha=1.0, **hyper)
    return -np.diff(path.theta[:, 0])


def constant(g, n):
    return np.full((n, 1), g)


# ---- epsilon --------------------------------------------------------------


@pytest.mark.equation("5.6")
@given(sizes, sizes)
def test_with_epsilon_outside_the_late_step_is_g_over_g_plus_epsilon(g, eps):
    late = steps(rmsprop, constant(-g, 60), beta2=0.5, eps=eps)[-1]
    np.testing.assert_allclose(theory.settled_step(-g, eps), -late, 1e-12)


@pytest.mark.equation("5.7")
@given(sizes, sizes)
def test_with_epsilon_inside_the_late_step_is_g_over_the_root(g, eps):
    late = steps(rmsprop, constant(-g, 60), beta2=0.5, eps=eps,
                 eps_inside=True)[-1]
    np.testing.assert_allclose(theory.settled_step_inside(-g, eps), -late,
                               1e-12)


def test_the_floors_are_epsilon_and_its_root():
    eps = np.array([1e-4, 1e-8])
    np.testing.assert_allclose(theory.settled_step(eps / 1e4, eps), 1e-4,
                               rtol=1e-3)
    np.testing.assert_allclose(
        theory.settled_step_inside(np.sqrt(eps) / 1e4, eps), 1e-4, rtol=1e-3)


@pytest.mark.equation("5.8")
@given(sizes, sizes)
def test_the_translated_epsilon_makes_the_divisors_equal(eps, root_v):
    v = root_v**2
    inside = theory.eps_inside_for(eps, v)
    np.testing.assert_allclose(np.sqrt(v + inside), root_v + eps, rtol=1e-12)
    assert theory.eps_inside_for(eps, 0.0) == eps**2


@pytest.mark.equation("5.9")
@given(sizes)
def test_epsilon_squared_inside_is_too_fast_by_the_gap(x):
    eps = 0.01
    g = constant(x * eps, 60)
    ratio = (steps(rmsprop, g, beta2=0.5, eps=eps**2, eps_inside=True)[-1]
             / steps(rmsprop, g, beta2=0.5, eps=eps)[-1])
    np.testing.assert_allclose(theory.translation_gap(x), ratio, rtol=1e-9)


@pytest.mark.equation("5.9")
def test_the_gap_is_one_at_both_ends_and_at_most_root_two():
    x = np.geomspace(1e-9, 1e9, 1001)
    gap = theory.translation_gap(x)
    assert np.all(gap >= 1) and np.all(gap <= np.sqrt(2) * (1 + 1e-15))
    assert gap[0] == pytest.approx(1) and gap[-1] == pytest.approx(1)
    assert theory.translation_gap(1.0) == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize("inside, power", [(False, 1), (True, 2)])
def test_scaling_the_loss_is_dividing_epsilon(inside, power):
    c, start = 64.0, [-8.0, 1.5]
    a = run(rmsprop, lambda theta: c * ravine.grad(theta), start, 60,
            alpha=0.1, eps=1.0, eps_inside=inside)
    b = run(rmsprop, ravine.grad, start, 60, alpha=0.1, eps=1 / c**power,
            eps_inside=inside)
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-12)


def test_a_large_epsilon_is_gradient_descent():
    a = run(gradient_descent, ravine.grad, [-8.0, 1.5], 100, alpha=0.02)
    for inside, rate in ((False, 1e9), (True, 1e9**0.5)):
        b = run(rmsprop, ravine.grad, [-8.0, 1.5], 100, alpha=0.02 * rate,
                eps=1e9, eps_inside=inside)
        np.testing.assert_allclose(a.theta, b.theta, atol=1e-5)


@given(st.floats(0.01, 1), st.floats(0.1, 100), st.floats(0, 0.45))
def test_rmsprop_rattles_at_half_a_step_less_epsilon_over_curvature(
        alpha, lam, share):
    eps = share * alpha * lam
    path = run(rmsprop, lambda theta: lam * theta, [10 * alpha], 800,
               alpha=alpha, beta2=0.8, eps=eps)
    assert abs(path.theta[-1, 0]) == pytest.approx(alpha / 2 - eps / lam,
                                                   rel=1e-6)
    assert path.theta[-1, 0] * path.theta[-2, 0] < 0


@given(st.floats(0.05, 1), st.floats(1, 100), st.sampled_from([0.9, 1.1]))
def test_epsilon_of_half_a_step_times_curvature_stops_the_rattle(alpha, lam,
                                                                share):
    far = np.abs(run(rmsprop, lambda theta: lam * theta, [10 * alpha], 900,
                     alpha=alpha, beta2=0.8,
                     eps=share * alpha * lam / 2).theta[-1, 0])
    assert (far < 1e-6 * alpha) == (share > 1)


# ---- few digits -----------------------------------------------------------


def bfloat16(x):
    """By its bits: the upper half of a float32, rounded to the even one."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    bits = bits + 0x7FFF + (bits >> 16 & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32)


def test_rounding_to_bits_is_rounding_to_the_formats_with_so_many():
    x = np.random.default_rng(0).standard_normal(10_000)
    x = np.concatenate([x, -x, [0.0, 1.0, 0.999, 2.0**-9, 3 * 2.0**20]])
    np.testing.assert_array_equal(round_to(x, BITS["float64"]), x)
    np.testing.assert_array_equal(round_to(x, BITS["float32"]),
                                  x.astype(np.float32))
    x = x[(x == 0) | (np.abs(x) > 1e-4) & (np.abs(x) < 6e4)]
    np.testing.assert_array_equal(round_to(x, BITS["float16"]),
                                  x.astype(np.float16))
    x = x.astype(np.float32)
    np.testing.assert_array_equal(round_to(x, BITS["bfloat16"]), bfloat16(x))


def test_halves_are_rounded_to_the_even_neighbour():
    one = spacing(1.0, 8)
    assert round_to(1 + one / 2, 8) == 1 and round_to(1 + 1.5 * one, 8) == (
        1 + 2 * one)


def test_the_spacing_is_the_distance_to_the_next_number():
    x = np.random.default_rng(1).uniform(0.01, 100, 1000).astype(np.float32)
    np.testing.assert_array_equal(spacing(x, 24), np.spacing(x))
    np.testing.assert_array_equal(spacing(x.astype(float), 53),
                                  np.spacing(x.astype(float)))


def climbed(beta2, bits, target=1.0, n=20_000):
    v = 0.0
    for _ in range(n):
        v = round_to(v + (1 - beta2) * (target - v), bits)
    return float(v)


@pytest.mark.equation("5.3")
@pytest.mark.parametrize("bits", [6, 8, 11])
@pytest.mark.parametrize("beta2", [0.9, 0.99, 0.999])
def test_a_rounded_average_stands_still_where_the_gap_says(beta2, bits):
    """It stands at v, and would not have stood one number before."""
    v = climbed(beta2, bits)
    assert 1 - v <= theory.stall_gap(spacing(v, bits), beta2) * (1 + 1e-9)
    before = v - spacing(v * (1 - 2.0**-20), bits)
    gap = theory.stall_gap(spacing(before, bits), beta2)
    assert 1 - before >= gap * (1 - 1e-9)


@pytest.mark.equation("5.3")
def test_the_gap_is_where_a_move_is_half_a_spacing():
    s, v, beta2 = 0.25, 4.0, 0.5
    gap = theory.stall_gap(s, beta2)
    assert (1 - beta2) * gap == s / 2
    assert theory.stall_gap(s, 0.75) == 0.5
    moved = [v + (1 - beta2) * share * gap for share in (0.99, 1.01)]
    assert [round(x / s) * s - v for x in moved] == [0, s]


def test_in_bfloat16_v_stops_at_a_quarter_and_never_falls():
    assert climbed(0.999, 8) == 0.25
    v = np.geomspace(1e-6, 1e6, 10_001)
    v = round_to(v, 8)
    np.testing.assert_array_equal(round_to(0.999 * v, 8), v)
    np.testing.assert_array_equal(round_to((1 - 2.0**-9) * v, 8), v)
    assert np.any(round_to(0.997 * v, 8) < v)


def test_rounded_twice_a_step_v_stops_twice_as_high_in_bfloat16():
    v = 0.0
    for _ in range(20_000):
        v = round_to(round_to(0.999 * v, 8) + 0.001, 8)
    assert v == 0.5


def test_in_float16_a_small_gradient_makes_an_infinite_step():
    path = run(rmsprop, theta0=np.zeros(1, np.float16), gradients=[[1e-4]])
    assert path.v[1, 0] == 0 and np.isinf(path.theta[1, 0])


def test_without_gradients_and_epsilon_there_is_no_step():
    for rule in (rmsprop, rmsprop_momentum, rmsprop_centered):
        path = run(rule, theta0=[0.5], gradients=np.zeros((3, 1)), eps=0.0)
        np.testing.assert_array_equal(path.theta, 0.5)


# ---- centering ------------------------------------------------------------


@pytest.mark.equation("5.1")
@given(sizes, betas, st.integers(1, 12))
def test_on_a_constant_gradient_the_centered_moment_vanishes(g, beta2, t):
    path = run(rmsprop_centered, theta0=[0.0], gradients=constant(g, t),
               beta2=beta2)
    np.testing.assert_allclose(theory.centered_moment(t, g, beta2),
                               (path.v - path.m**2)[-1, 0], rtol=1e-6)


@pytest.mark.equation("5.1")
def test_the_centered_moment_in_exact_arithmetic():
    b, g = sympy.Rational(9, 10), sympy.Rational(3, 7)
    m = v = sympy.Integer(0)
    for t in range(1, 40):
        m, v = b * m + (1 - b) * g, b * v + (1 - b) * g**2
        assert theory.centered_moment(t, g, b) == v - m**2


@pytest.mark.equation("5.2")
@given(betas, st.integers(1, 12))
def test_the_centered_step_falls_to_two_and_grows(beta2, t):
    step = steps(rmsprop_centered, constant(0.5, t), beta2=beta2, eps=0.0)
    np.testing.assert_allclose(theory.centered_step(t, beta2), step[-1],
                               rtol=1e-6)


@pytest.mark.equation("5.2")
def test_the_shortest_centered_step_is_at_the_half_life():
    for beta2 in (0.5, 0.9, 0.99):
        half = np.log(2) / -np.log(beta2)
        assert theory.centered_step(half, beta2) == pytest.approx(2)
        t = np.linspace(0.1, 10, 1001) * half
        assert theory.centered_step(t, beta2).min() >= 2 - 1e-12
        assert theory.centered_step(20 * half, beta2) == pytest.approx(
            2**10, rel=1e-5)


@pytest.mark.equation("5.4")
@given(st.floats(1e-3, 10), st.floats(1e-6, 1e-4), betas)
def test_at_the_cap_the_root_of_the_centered_moment_is_epsilon(g, eps, beta2):
    t = theory.centered_until_cap(-g, eps, beta2)
    np.testing.assert_allclose(g * beta2 ** (t / 2), eps, rtol=1e-9)


@pytest.mark.equation("5.4")
def test_the_centered_step_ends_at_g_over_epsilon():
    step = steps(rmsprop_centered, constant(1e-2, 400), eps=1e-6)
    t = round(float(theory.centered_until_cap(1e-2, 1e-6, 0.9)))
    assert step[-1] == pytest.approx(1e4, rel=1e-2)
    assert step[t - 1] == pytest.approx(1e4 / 2, rel=0.05)


@pytest.mark.equation("5.5")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("beta2", [0.8, 0.9, 0.95])
def test_rounding_takes_over_at_the_predicted_step(kind, beta2):
    """Computed and exact v − m² part company: within two memories."""
    g = (np.arange(1, 301) / 300).astype(kind)
    t = np.arange(800)[:, None]
    path = run(rmsprop_centered, theta0=np.zeros(300, kind), beta2=beta2,
               gradients=np.tile(g, (799, 1)))
    w = (path.v - path.m**2).astype(float)
    exact = theory.centered_moment(t, g.astype(float), float(kind(beta2)))
    wrong = (np.abs(w - exact) > exact / 2)
    first = 799 - (~wrong[::-1]).argmax(axis=0) + 1  # wrong from here on
    predicted = theory.centered_until_rounding(BITS[kind.__name__], beta2)
    assert abs(np.median(first) - predicted) < 2 / (1 - beta2)


@pytest.mark.equation("5.5")
@given(st.integers(8, 53), st.floats(0.9, 0.99))
def test_at_the_predicted_step_the_moment_is_the_rounding_error(bits, beta2):
    t = theory.centered_until_rounding(bits, beta2)
    np.testing.assert_allclose(beta2**t * (1 - beta2), 2.0**-bits, rtol=1e-9)


@pytest.mark.parametrize("kind, beta2, end", [
    (np.float64, 0.9, None), (np.float64, 0.99, 3227),
    (np.float32, 0.9, 138), (np.float32, 0.99, 1202)])
def test_centered_rmsprop_on_a_tenth_ends_as_the_chapter_says(kind, beta2,
                                                              end):
    path = run(rmsprop_centered, theta0=np.zeros(1, kind), alpha=1.0,
               gradients=constant(0.1, 4000), beta2=beta2, eps=1e-8)
    bad = np.flatnonzero(path.diverged)
    assert (bad[0] if len(bad) else None) == end


@pytest.mark.parametrize("g, end", [(0.1, None), (0.2, 140)])
def test_epsilon_inside_comes_in_time_at_a_tenth_not_at_two_tenths(g, end):
    path = run(rmsprop_centered, theta0=np.zeros(1, np.float32), eps=1e-8,
               gradients=constant(g, 400), eps_inside=True, beta2=0.9)
    bad = np.flatnonzero(path.diverged)
    assert (bad[0] if len(bad) else None) == end


def test_whether_nan_comes_depends_on_the_order_of_operations():
    """With m + (1 − β₂)(g − m) a tenth makes no NaN, and 0.09 does."""
    g, w = np.array([0.1, 0.09], np.float32), np.float32(1 - 0.9)
    m, v, negative = 0 * g, 0 * g, np.zeros(2, bool)
    for _ in range(240):
        m, v = m + w * (g - m), np.float32(0.9) * v + w * (g * g)
        negative |= v < m * m
    np.testing.assert_array_equal(negative, [False, True])


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20), betas)
def test_the_centered_moment_without_a_difference(g, beta2):
    path = run(rmsprop_centered, theta0=[0.0], beta2=beta2,
               gradients=np.array(g)[:, None])
    m = w = 0.0
    for t, g_t in enumerate(g, 1):
        w = beta2 * w + beta2 * (1 - beta2) * (g_t - m) ** 2
        m = beta2 * m + (1 - beta2) * g_t
        assert w == pytest.approx((path.v - path.m**2)[t, 0], abs=1e-12)


# ---- momentum -------------------------------------------------------------


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_behind_the_division_multiplies_the_rate(nesterov):
    step = steps(rmsprop_momentum, constant(3.0, 400), mu=0.8, eps=0.0,
                 nesterov=nesterov)
    assert step[-1] == pytest.approx(5)


@pytest.mark.equation("5.10")
@given(st.integers(0, 40), st.floats(0.0, 3.0), st.floats(0.1, 0.9))
def test_a_rate_inside_the_buffer_is_averaged(k, r, mu):
    b = 1 / (1 - mu)
    for _ in range(k):
        b = mu * b + r
    assert theory.momentum_after_rate_change(k, r, mu) == pytest.approx(b)


def test_a_rate_outside_the_buffer_acts_at_once():
    step = steps(lambda state, g, *, rate, **hyper: rmsprop_momentum(
        state, g, **hyper | {"alpha": rate}), np.ones((420, 1)), mu=0.5,
        eps=0.0, rate=lambda t: 1.0 if t <= 400 else 0.25)
    np.testing.assert_allclose(step[399:401], [2, 0.5])


# ---- the exercises --------------------------------------------------------


def snippet(gradients, beta2, old=False, factor=1.0):
    m, w, all_w = 0.0, 0.0, [0.0]
    for g in gradients:
        before, m = m, beta2 * m + (1 - beta2) * g
        mean = before if old else m
        w = beta2 * w + factor * (1 - beta2) * (g - mean) ** 2
        all_w.append(w)
    return np.array(all_w)


def difference(gradients, beta2):
    m = v = 0.0
    all_w = [0.0]
    for g in gradients:
        m, v = (beta2 * x + (1 - beta2) * y for x, y in ((m, g), (v, g * g)))
        all_w.append(v - m * m)
    return np.array(all_w)


def welford(gradients, beta2):
    """The right moment, from the old distance and the new one."""
    m, all_w = 0.0, [0.0]
    for g in gradients:
        old, m = m, beta2 * m + (1 - beta2) * g
        all_w.append(beta2 * all_w[-1] + (1 - beta2) * (g - old) * (g - m))
    return np.array(all_w)


def jerks(half, spread=0.1):
    """Forth at an even pace, and back in jerks."""
    back = -0.5 + spread * (-1.0) ** np.arange(half)
    return np.concatenate([np.full(half, 0.5), back])


@pytest.mark.parametrize("check, answer, said", [
    (check_rattle, lambda a, lam, e: max(a / 2 - e / lam, 0), ": correct"),
    (check_rattle, lambda a, lam, e: a / 2 - e / lam, "return 0 there"),
    (check_rattle, lambda a, lam, e: max(a - e / lam, 0), "the length 2a"),
    (check_rattle, lambda a, lam, e: max(a - 2 * e / lam, 0), "whole jump"),
    (check_rattle, lambda a, lam, e: max(a / 2 - e, 0), "not with a"),
    (check_noise, lambda g, b: snippet(g, b, old=True, factor=b), ": correct"),
    (check_noise, snippet, "this is the snippet"),
    (check_noise, lambda g, b: snippet(g, b, old=True), "factor is missing"),
    (check_noise, lambda g, b: difference(g, b), "rounding eats it"),
    (check_noise, lambda g, b: welford(g, b), ": correct"),
    (check_runaway, jerks(100), ": correct"),
    (check_runaway, lambda: jerks(100), ": correct"),
    (check_runaway, jerks(100, spread=0), "come back in jerks"),
    (check_runaway, np.tile([0.5, -0.5], 100), "never steady"),
    (check_runaway, np.repeat([0.1, -0.9], [180, 20]), "as many steps back"),
    (check_runaway, -jerks(100), ": correct"),
    (check_runaway, jerks(100) * 3, "between −1 and 1"),
    (check_runaway, jerks(100) + 0.01, "the sum is 2, not zero"),
    (check_runaway, jerks(50), "(200,) is needed"),
    (check_runaway, np.full(200, np.nan), "between −1 and 1"),
    (check_runaway, "rubbish", "array of numbers"),
    (check_runaway, lambda: 1 / 0, "ZeroDivisionError"),
    (check_runaway, lambda: None, "not done yet"),
    (check_best_translation, ((1 + 5**0.5) / 2, ((1 + 5**0.5) / 2) ** 0.5),
     ": correct"),
    (check_best_translation, (1.0, 2**0.5), "smaller worst factor"),
    (check_best_translation, (0.618, 1.272), "upside down"),
])
def test_the_checks_tell_right_from_wrong(check, answer, said, capsys):
    check(answer)
    assert said in capsys.readouterr().out


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20), betas)
def test_the_snippet_is_the_right_moment_times_beta(g, beta2):
    np.testing.assert_allclose(
        snippet(g, beta2), beta2 * snippet(g, beta2, old=True, factor=beta2),
        atol=1e-12)


def test_the_golden_ratio_is_the_best_translation():
    x, c = np.geomspace(1e-7, 1e7, 5001), np.linspace(0.5, 3, 501)[:, None]
    worst = np.abs(np.log((1 + x) / np.sqrt(x**2 + c))).max(axis=1)
    best = worst.argmin()
    golden = (1 + np.sqrt(5)) / 2
    assert c[best, 0] == pytest.approx(golden, abs=0.006)
    assert np.exp(worst[best]) == pytest.approx(np.sqrt(golden), rel=2e-3)
