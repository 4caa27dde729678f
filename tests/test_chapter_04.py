"""Chapter 4, RMSprop remembers, one-sidedly: predictions against runs."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from descent import rmsprop, run, theory
from descent.exercises import (check_clipped_rmsprop, check_decay_rate_for,
                               check_even_travel, check_worst_decay_rate)
from descent.problems import spike, step_change

BETAS = np.array([0.9, 0.99, 0.999])
rates = st.floats(0.3, 0.995)
# so far from 1 that the jump is one, and no rounding decides about a step
jumps = st.floats(0.001, 0.45) | st.floats(2.5, 1000.0)


def after(gradients, beta2, v0=1.0):
    """Speeds and second moments of RMSprop at steps k = 1, 2, ..."""
    path = run(rmsprop, theta0=[0.0], gradients=gradients, alpha=1.0,
               beta2=beta2, eps=0.0, v0=v0)
    return -np.diff(path.theta[:, 0]), path.v[1:, 0]


def constant(size, steps):
    return np.full((steps, 1), float(size))


@pytest.mark.equation("4.1")
@given(jumps, rates)
def test_the_second_moment_goes_from_old_to_new_square_by_beta_a_step(r, beta2):
    _, v = after(constant(r, 40), beta2)
    k = np.arange(1, 41)
    np.testing.assert_allclose(theory.second_moment_after_jump(k, r, beta2),
                               v, rtol=1e-11)
    past = np.concatenate([[1.0], np.full(40, r)])  # and the explicit sum
    weights = beta2 ** np.arange(40) * (1 - beta2)
    total = beta2**40 * past[0] ** 2 + (weights * past[:0:-1] ** 2).sum()
    assert v[-1] == pytest.approx(total, rel=1e-11)


@pytest.mark.equation("4.1")
@pytest.mark.equation("4.2")
def test_a_start_at_one_stands_for_a_long_steady_stretch():
    speeds, v = after(step_change(500, at=401, factor=0.01), 0.9, v0=0.0)
    k = np.arange(1, 101)
    np.testing.assert_allclose(
        v[400:], theory.second_moment_after_jump(k, 0.01, 0.9), rtol=1e-8)
    np.testing.assert_allclose(
        speeds[400:], theory.speed_after_jump(k, 0.01, 0.9), rtol=1e-8)


@pytest.mark.equation("4.2")
@given(jumps, rates)
def test_the_speed_after_a_jump_is_the_length_of_the_step(r, beta2):
    speeds, _ = after(constant(r, 40), beta2)
    np.testing.assert_allclose(
        speeds, theory.speed_after_jump(np.arange(1, 41), r, beta2),
        rtol=1e-11)


@pytest.mark.equation("4.3")
@pytest.mark.parametrize("beta2, step", [(0.9, 77), (0.99, 808), (0.999, 8108)])
def test_after_a_hundredfold_fall_half_speed_is_back_at_this_step(beta2, step):
    speeds, _ = after(constant(0.01, 8200), beta2)
    assert (speeds >= 0.5).argmax() + 1 == step
    assert np.ceil(theory.steps_to_half_speed(0.01, beta2)) == step


@pytest.mark.equation("4.3")
@given(st.floats(0.001, 0.45), rates)
def test_at_the_computed_step_the_speed_is_one_half(r, beta2):
    k = theory.steps_to_half_speed(r, beta2)
    assert k > 0
    v = r**2 + (1 - r**2) * beta2**k
    assert r / v**0.5 == pytest.approx(0.5, rel=1e-9)


def test_a_fall_by_less_than_half_never_brings_the_speed_below_half():
    assert theory.steps_to_half_speed(0.5, 0.9) == pytest.approx(0)
    assert theory.steps_to_half_speed(0.6, 0.9) < 0
    assert after(constant(0.5, 50), 0.9)[0].min() > 0.5


@pytest.mark.equation("4.4")
@given(jumps, rates)
def test_the_first_step_after_a_jump(R, beta2):
    speeds, _ = after(constant(R, 1), beta2)
    assert theory.first_step_after_jump(R, beta2) == pytest.approx(
        speeds[0], rel=1e-12)


def test_the_first_step_after_a_rise_tends_to_the_bound_from_below():
    first = theory.first_step_after_jump(np.geomspace(1, 1e8, 30), 0.99)
    assert np.all(np.diff(first) > 0)
    assert first[-1] < theory.largest_rmsprop_step(0.99) * (1 + 1e-12)
    assert first[-1] == pytest.approx(10, rel=1e-9)


@pytest.mark.equation("4.5")
@given(st.floats(2.5, 1000.0), rates, st.floats(0.01, 1.2))
def test_the_excess_is_c_at_the_computed_step(R, beta2, c):
    k = theory.steps_to_excess(c, R, beta2)
    v = R**2 + (1 - R**2) * beta2**k
    assert R / v**0.5 == pytest.approx(1 + c, rel=1e-9)


@pytest.mark.equation("4.5")
@pytest.mark.parametrize("beta2, steps", [(0.9, 2), (0.99, 28), (0.999, 287)])
def test_after_a_hundredfold_rise_so_many_steps_are_twice_too_long(
        beta2, steps):
    speeds, _ = after(constant(100, 1000), beta2)
    assert (speeds > 2).sum() == steps
    assert np.ceil(theory.steps_to_excess(1.0, 100.0, beta2)) - 1 == steps


def test_overshooting_ends_and_crawling_does_not():
    jumps = np.array([1e2, 1e4, 1e6])
    up = theory.steps_to_excess(1.0, jumps, 0.99)
    down = theory.steps_to_half_speed(1 / jumps, 0.99)
    assert np.all(up * -np.log(0.99) < np.log(4 / 3))
    np.testing.assert_allclose(
        np.diff(down), 4 * np.log(10) / -np.log(0.99), rtol=1e-3)


def after_with(p, r, beta2, steps):
    """Speeds after a jump by r where the average of |g|^p is the divisor."""
    size, back = ((np.log, np.exp) if p == 0 else
                  (lambda g: g**p, lambda a: a ** (1 / p)))
    average, speeds = size(1.0), []
    for _ in range(steps):
        average = beta2 * average + (1 - beta2) * size(r)
        speeds.append(r / back(average))
    return np.array(speeds)


powers = st.sampled_from([2.0, 1.0, 0.0, -1.0, 0.5, 3.0, -2.0])


@pytest.mark.equation("4.9")
@given(powers, jumps, rates)
def test_the_speed_with_another_average_is_that_of_its_recursion(p, r, beta2):
    k = np.arange(1, 31)
    np.testing.assert_allclose(theory.speed_of_average(k, r, beta2, p),
                               after_with(p, r, beta2, 30), rtol=1e-6)


@pytest.mark.equation("4.9")
@given(jumps, rates)
def test_the_average_of_squares_is_rmsprop(r, beta2):
    k = np.arange(1, 31)
    np.testing.assert_allclose(theory.speed_of_average(k, r, beta2, 2),
                               theory.speed_after_jump(k, r, beta2), rtol=1e-9)


@given(powers, jumps, rates)
def test_a_power_after_a_rise_is_its_negative_after_the_fall(p, r, beta2):
    k = np.arange(1, 31)
    np.testing.assert_allclose(
        theory.speed_of_average(k, r, beta2, p)
        * theory.speed_of_average(k, 1 / r, beta2, -p), 1, rtol=1e-6)


@pytest.mark.equation("4.10")
@given(powers, st.floats(2.5, 1000.0), rates)
def test_at_the_computed_step_the_average_has_the_speed(p, R, beta2):
    for r, speed in (R, 2.0), (1 / R, 0.5):
        k = theory.steps_to_speed(speed, r, beta2, p)
        assert k > 0
        assert theory.speed_of_average(k, r, beta2, p) == pytest.approx(
            speed, rel=1e-6)


@pytest.mark.equation("4.10")
@pytest.mark.parametrize("p, crawl, overshoot", [
    (2, 807, 28), (1, 457, 67), (0, 188, 188), (-1, 67, 457)])
def test_one_sidedness_needs_a_floor_and_no_square(p, crawl, overshoot):
    fall, rise = (after_with(p, r, 0.99, 1000) for r in (0.01, 100.0))
    assert (fall < 0.5).sum() == crawl and (rise > 2).sum() == overshoot
    steps = (theory.steps_to_speed(0.5, 0.01, 0.99, p),
             theory.steps_to_speed(2, 100, 0.99, p))
    assert tuple(np.ceil(steps) - 1) == (crawl, overshoot)


@pytest.mark.equation("4.11")
@pytest.mark.parametrize("r", [0.01, 0.3, 3.0, 100.0])
def test_lost_travel_is_its_integral_up_to_the_first_steps(r):
    beta2 = 0.9999
    lost = (1 - theory.speed_after_jump(np.arange(1, 400_000), r, beta2)).sum()
    # a sum and its integral differ by about half the first term, |1 − r|/2
    assert abs(lost - theory.lost_travel(r, beta2)) <= 0.6 * abs(1 - r) + 0.1


@pytest.mark.equation("4.11")
def test_at_most_two_half_lives_of_travel_are_gained():
    half_life = theory.half_life(0.99)
    assert theory.lost_travel(1e12, 0.99) == pytest.approx(-2 * half_life)


@pytest.mark.equation("4.6")
@given(st.floats(2.0, 1000.0), rates)
def test_the_second_moment_after_a_spike(H, beta2):
    _, v = after(spike(41, at=1, height=H), beta2)
    np.testing.assert_allclose(
        theory.second_moment_after_spike(np.arange(41), H, beta2), v,
        rtol=1e-11)


@pytest.mark.equation("4.7")
@pytest.mark.parametrize("beta2, step", [(0.9, 56), (0.99, 349), (0.999, 1204)])
def test_after_a_spike_of_100_half_speed_is_back_at_this_step(beta2, step):
    speeds, _ = after(spike(1500, at=1, height=100.0), beta2)
    assert (speeds[1:] >= 0.5).argmax() + 1 == step
    assert np.ceil(theory.steps_after_spike(100.0, beta2)) == step


@pytest.mark.equation("4.7")
@given(st.floats(2.0, 1000.0), rates)
def test_at_the_computed_step_after_a_spike_v_is_four(H, beta2):
    k = theory.steps_after_spike(H, beta2)
    v = 1 + (1 - beta2) * (H**2 - 1) * beta2**k
    assert v == pytest.approx(4, rel=1e-9)


@pytest.mark.equation("4.8")
@given(rates)
def test_a_spike_of_the_harmless_height_lifts_v_to_four(beta2):
    c = theory.harmless_clip(beta2)
    _, v = after([[c]], beta2)
    assert v[0] == pytest.approx(4, rel=1e-9)


@pytest.mark.parametrize("beta2, steps", [(0.9, 6), (0.99, 68), (0.999, 692)])
def test_the_harmless_height_is_for_one_spike_and_not_for_two(beta2, steps):
    gradients = constant(1, 1000)
    gradients[0] = theory.harmless_clip(beta2)
    assert (after(gradients, beta2)[0][1:] < 0.5).sum() == 0
    gradients[1] = gradients[0]
    assert (after(gradients, beta2)[0][2:] < 0.5).sum() == steps


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=60), rates)
def test_clipped_at_twice_the_ordinary_size_no_sequence_makes_it_crawl(
        heights, beta2):
    spikes = np.minimum(heights, 2.0)[:, None]
    speeds, _ = after(np.concatenate([spikes, constant(1, 3)]), beta2)
    assert speeds.max() <= 2 + 1e-12 and speeds[-3:].min() >= 0.5


@pytest.mark.parametrize("beta2", BETAS)
def test_clipped_at_three_it_crawls_after_enough_spikes(beta2):
    alone, many = constant(1, 1003), constant(1, 1003)
    alone[0], many[:1000] = 3.0, 3.0
    assert after(alone, beta2)[0].min() >= 0.5
    assert after(many, beta2)[0].min() < 0.5


@pytest.mark.parametrize("spikes, crawls", [(47, False), (48, True)])
def test_clipped_at_three_it_crawls_from_the_48th_spike_on(spikes, crawls):
    gradients = constant(1, 1000)
    gradients[:spikes] = 3.0
    assert (after(gradients, 0.99)[0].min() < 0.5) == crawls


def test_a_change_of_sign_is_no_change_for_rmsprop():
    speeds, _ = after(np.array([[1.0], [1.0], [-1.0], [-1.0]]), BETAS[-1])
    np.testing.assert_allclose(speeds, [1, 1, -1, -1], rtol=1e-12)


# ---- exercises ------------------------------------------------------------


def test_the_worst_memory_for_a_spike_is_where_the_derivative_is_zero():
    a, delta = sympy.symbols("a delta", positive=True)
    wait = sympy.log(a * delta) / delta
    worst = sympy.solve(sympy.diff(wait, delta), delta)
    assert worst == [sympy.E / a]
    assert wait.subs(delta, worst[0]) == a / sympy.E
    delta = np.geomspace(1e-5, 1e-2, 3001)
    exact = delta[theory.steps_after_spike(100.0, 1 - delta).argmax()]
    assert exact == pytest.approx(3 * np.e / (100**2 - 1), rel=5e-3)


@pytest.mark.parametrize("answer", [1, 1.0, 0.995, lambda: 1.005])
def test_powers_that_are_even_in_travel_are_accepted(answer, capsys):
    check_even_travel(answer)
    assert capsys.readouterr().out == "your power: correct\n"


@pytest.mark.parametrize("answer", [
    None, "one", np.nan, np.inf, [1, 2], 1e9, -1e9, 1e-300, lambda p: p,
    lambda: 1 / 0, 1j, True + 1])
def test_a_power_that_is_none_is_not_correct_and_does_not_raise(answer, capsys):
    check_even_travel(answer)
    said = capsys.readouterr().out
    assert said.startswith("your power: ") and "correct" not in said


@pytest.mark.parametrize("check, answer, cause", [
    (check_even_travel, 2, "RMSprop itself"),
    (check_even_travel, 0.0, "the logarithm"),
    (check_even_travel, -1, "mirror image"),
    (check_even_travel, 1.1, "the fall loses 4907.1 α"),
    (check_worst_decay_rate, lambda H: 1 - 3 / (H**2 - 1), "wait is zero"),
    (check_worst_decay_rate, lambda H: 3 * np.e / (H**2 - 1), "this is 1 − β₂"),
    (check_decay_rate_for, lambda r, k: (r**2 / (1 - r**2)) ** (1 / k), "2r²"),
    (check_decay_rate_for, lambda r, k: (3 * r**2) ** (1 / k), "small enough"),
    (check_decay_rate_for, lambda r, k: 1 - 8 / k, "hundredfold"),
])
def test_a_likely_mistake_is_named(check, answer, cause, capsys):
    check(answer)
    said = capsys.readouterr().out
    assert "correct" not in said and cause in said


def clipping(order):
    """RMSprop that clips, with the lines in this order."""
    def path(theta, gradients, alpha, beta2, eps, clip):
        v, thetas = np.zeros_like(theta), [theta]
        for raw in gradients:
            g = clipped = np.clip(raw, -clip, clip)
            if order == "top only":
                g = clipped = np.minimum(raw, clip)
            in_v = raw if order == "late" else clipped
            g = raw if order == "in v only" else g
            v = beta2 * v + (1 - beta2) * in_v**2
            ratio = g / (np.sqrt(v) + eps)
            if order == "quotient":
                v = (v - (1 - beta2) * in_v**2) + (1 - beta2) * raw**2
                ratio = np.clip(raw / (np.sqrt(v) + eps), -clip, clip)
            theta = theta - alpha * ratio
            thetas.append(theta)
        return np.array(thetas)
    return path


@pytest.mark.parametrize("order, cause", [
    ("right", "correct"), ("late", "before it was clipped"),
    ("in v only", "the step does not"), ("top only", "negative gradients"),
    ("quotient", "the quotient"),
])
def test_the_clip_in_the_wrong_line_is_recognised(order, cause, capsys):
    check_clipped_rmsprop(clipping(order))
    assert cause in capsys.readouterr().out
