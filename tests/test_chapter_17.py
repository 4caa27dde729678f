"""Chapter 17: the open start, where t begins, three broken Adams, a claim made true."""

import math

import numpy as np
import pytest

from descent import State, adam, adamw, exercises, rmsprop, run, theory
from descent.exercises import chapter_17, mistakes


@pytest.mark.equation("17.1")
@pytest.mark.parametrize("g, beta2, v0", [
    (0.01, 0.9, 1.0), (-3.0, 0.75, 12.0), (2.0, 0.5, 0.0), (0.5, 0.99, 0.3)])
def test_first_step_depends_on_where_v_starts(g, beta2, v0):
    path = run(rmsprop, theta0=[0.0], gradients=[[g]], alpha=1.0, beta2=beta2, eps=0.0, v0=v0)
    assert theory.first_step_from(g, beta2, v0) == pytest.approx(abs(path.theta[1, 0]), rel=1e-12)


@pytest.mark.equation("17.1")
def test_first_step_from_zero_does_not_see_the_gradient():
    steps = theory.first_step_from(np.array([1e-6, 1.0, 1e6]), 0.99, 0.0)
    assert np.allclose(steps, 1 / math.sqrt(0.01), rtol=1e-12)
    assert theory.first_step_from(0.1, 0.9, 0.01) == pytest.approx(1.0)  # v0 = g²


# ---- three broken Adams ---------------------------------------------------


def solved(theta, gradients, alpha, beta1, beta2, eps, decay=0.0, *, part=None):
    """Adam as the solution has it; `part` breaks it as the page does."""
    m, v, path = 0.0, 0.0, [theta]
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        m_hat = m / (1 - beta1**t)
        square = {"a": m_hat**2, "b": (g + decay * theta)**2}.get(part, g**2)
        v = beta2 * v + (1 - beta2) * square + (eps**2 if part == "c" else 0)
        below = np.sqrt(v / (1 - beta2**t)) + (0 if part == "c" else eps)
        theta = theta - alpha * (m_hat / below + decay * theta)
        path.append(theta)
    return np.array(path)


def given(part, broken):
    """The solution, or the broken one."""
    return lambda *args: solved(*args, part=part if broken else None)


@pytest.mark.parametrize("part", "abc")
def test_a_repaired_adam_is_correct(part, said):
    assert said(exercises.check_broken_adam, part, given(part, False)) == f"({part}): correct\n"


@pytest.mark.parametrize("part", "abc")
def test_a_broken_adam_is_recognised_as_it_stands_on_the_page(part, said):
    text = said(exercises.check_broken_adam, part, given(part, True))
    assert "still the steps of the broken one" in text


@pytest.mark.parametrize("part", "abc")
def test_a_part_that_is_not_repaired_is_not_done(part, said):
    assert said(exercises.check_broken_adam, part, None) == f"({part}): not done yet\n"
    assert said(exercises.check_broken_adam, part, lambda *args: None) == f"({part}): not done yet\n"


@pytest.mark.parametrize("part, cause, function", [
    ("a", "squares of m;", lambda *a: squares_of_m(*a)),
    ("b", "decay is missing", lambda *a: solved(*a[:-1])),
    ("b", "L2 penalty", lambda *a: l2(*a)),
    ("b", "takes the new θ", lambda *a: late_decay(*a)),
    ("b", "rate is missing in the decay", lambda *a: solved(*a[:-1], a[-1] / a[2])),
    ("c", "still added to v", lambda *a: added(*a)),
])
def test_a_half_repaired_adam_is_diagnosed(part, cause, function, said):
    assert cause in said(exercises.check_broken_adam, part, function)


def squares_of_m(theta, gradients, alpha, beta1, beta2, eps):
    m = v = 0.0
    path = [theta]
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * m**2
        theta = theta - alpha * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        path.append(theta)
    return np.array(path)


def l2(theta, gradients, alpha, beta1, beta2, eps, decay):
    m = v = 0.0
    path = [theta]
    for t, g in enumerate(gradients, 1):
        g = g + decay * theta
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        theta = theta - alpha * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        path.append(theta)
    return np.array(path)


def late_decay(theta, gradients, alpha, beta1, beta2, eps, decay):
    path = [theta]
    state = adam(State(theta=theta), gradients[0], alpha=alpha, beta1=beta1,
                 beta2=beta2, eps=eps)
    for g in [*gradients[1:], None]:
        state = state._replace(theta=state.theta * (1 - alpha * decay))
        path.append(state.theta)
        if g is not None:
            state = adam(state, g, alpha=alpha, beta1=beta1, beta2=beta2, eps=eps)
    return np.array(path)


def added(theta, gradients, alpha, beta1, beta2, eps):
    m = v = 0.0
    path = [theta]
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2 + eps
        theta = theta - alpha * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t))
        path.append(theta)
    return np.array(path)


def test_the_reference_of_part_b_is_adamw():
    right = chapter_17._with_decay(adamw)(mistakes.START, mistakes.STREAM, 0.1, 0.9, 0.95, 0.01, 0.2)
    assert np.allclose(right, solved(mistakes.START, mistakes.STREAM, 0.1, 0.9, 0.95, 0.01, 0.2))


# ---- where t begins -------------------------------------------------------


@pytest.mark.parametrize("first, wanted", [(1, 1.0), (2, 0.744)])
def test_first_step_on_ones_by_the_t_that_the_loop_begins_with(first, wanted):
    m_hat, v_hat = 0.1 / (1 - 0.9**first), 0.001 / (1 - 0.999**first)
    assert m_hat / math.sqrt(v_hat) == pytest.approx(wanted, abs=5e-4)


# ---- a claim made true ----------------------------------------------------


@pytest.mark.parametrize("gradients, verdict", [
    (np.r_[1.0, np.full(1999, 1e-6)], "correct"),
    (-np.r_[1.0, np.full(1999, 1e-6)], "correct"),
    (None, "not done yet"),
    ("gradients", "it must be a list of numbers"),
    ([], "a list of 1 to 2,000 numbers"),
    (np.ones(2001), "a list of 1 to 2,000 numbers"),
    ([np.nan], "at most 1e100"),
    ([0.0, 0.0], "nothing moves"),
    (np.ones(2000), "steady gradients"),
    ([1.0, 1e-6], "too few steps"),
    (np.r_[np.full(1500, 1e-3), np.ones(500)], "the other direction"),
    (np.r_[np.ones(100), np.full(1900, 0.1)], "make it deeper"),
])
def test_made_true_is_judged(gradients, verdict, said):
    assert verdict in said(exercises.check_made_true, gradients)


def test_a_way_is_proportional_to_alpha_and_free_of_the_gradients_unit():
    stream = np.random.default_rng(17).standard_normal(100)
    assert chapter_17.ways(1e3 * stream) == pytest.approx(chapter_17.ways(stream), rel=1e-12)
    path = run(rmsprop, theta0=[0.0], gradients=stream[:, None], alpha=0.1, beta2=0.9, eps=0.0).theta
    assert np.abs(np.diff(path[:, 0])).sum() == pytest.approx(0.1 * chapter_17.ways(stream)[0], rel=1e-12)
