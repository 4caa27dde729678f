"""The update rules: identities, limits, and each equation against sums."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import descent.theory
from descent import (
    State, adagrad, adam, adam_l2, adamw, amsgrad, gradient_descent, momentum,
    nesterov, rmsprop, rmsprop_centered, rmsprop_momentum, run, sign_descent,
)
from descent.rules import divide, root

RULES = [gradient_descent, momentum, nesterov, sign_descent, adagrad, rmsprop,
         rmsprop_momentum, rmsprop_centered, adam, adam_l2, adamw, amsgrad]
# rounding of a sum of a few tens of terms of size one
TOL = 1e-13

rng = np.random.default_rng(0)
STREAM = rng.standard_normal((30, 3)) * [1e-3, 1.0, 50.0]

streams = arrays(float, (12, 2), elements=st.floats(-1e3, 1e3).filter(
    lambda x: x == 0 or abs(x) > 1e-3))
rates = st.floats(0.01, 1.0)
betas = st.floats(0.0, 0.999)


def average(x, beta):
    """Exponential average of x_1 … x_t from zero, by its unrolled sum."""
    x = np.asarray(x)
    return np.stack([
        sum((1 - beta) * beta ** (t - i) * x[i - 1] for i in range(1, t + 1))
        for t in range(1, len(x) + 1)])


def geometric(x, mu):
    """b_t = Σ μ^{t−i} x_i."""
    return np.stack([sum(mu ** (t - i) * x[i] for i in range(t + 1))
                     for t in range(len(x))])


def steps_of(rule, **hyper):
    """The path of `rule` on STREAM from zero and its steps −Δθ/α."""
    path = run(rule, theta0=np.zeros(3), gradients=STREAM, alpha=0.5, **hyper)
    return path, -np.diff(path.theta, axis=0) / 0.5


def close(a, b, tol=TOL):
    np.testing.assert_allclose(a, b, rtol=tol, atol=tol)


@pytest.mark.equation("G1")
def test_gradient_descent_moves_by_alpha_g():
    close(steps_of(gradient_descent)[1], STREAM)


@pytest.mark.equation("S1")
def test_sign_descent_moves_by_alpha_against_the_sign():
    close(steps_of(sign_descent)[1], np.sign(STREAM))
    path = run(sign_descent, theta0=[1.0], gradients=[[0.0]], alpha=0.5)
    assert path.theta[1] == 1


@pytest.mark.equation("M1")
@pytest.mark.equation("M2")
def test_heavy_ball_sums_gradients_with_geometric_weights():
    path, steps = steps_of(momentum, mu=0.8)
    close(path.b[1:], geometric(STREAM, 0.8))
    close(steps, geometric(STREAM, 0.8), 1e-12)


@pytest.mark.equation("N1")
@pytest.mark.equation("N2")
def test_nesterov_adds_the_gradient_to_the_buffer_looked_ahead():
    path, steps = steps_of(nesterov, mu=0.8)
    close(path.b[1:], geometric(STREAM, 0.8))
    close(steps, STREAM + 0.8 * geometric(STREAM, 0.8), 1e-12)


@pytest.mark.equation("D1")
@pytest.mark.equation("D2")
def test_adagrad_divides_by_the_root_of_the_sum_of_squares():
    path, steps = steps_of(adagrad, eps=0.01, v0=0.3)
    total = 0.3 + np.cumsum(STREAM**2, axis=0)
    close(path.v[1:], total)
    close(steps, STREAM / (np.sqrt(total) + 0.01), 1e-12)


@pytest.mark.equation("R1")
@pytest.mark.equation("R2")
def test_rmsprop_divides_by_the_root_of_the_average_square():
    path, steps = steps_of(rmsprop, beta2=0.7, eps=0.01)
    v = average(STREAM**2, 0.7)
    close(path.v[1:], v)
    close(steps, STREAM / (np.sqrt(v) + 0.01), 1e-12)


@pytest.mark.equation("R1")
def test_rmsprop_starts_at_v0_where_asked():
    path, _ = steps_of(rmsprop, beta2=0.7, v0=2.0)
    decayed = 2.0 * 0.7 ** np.arange(31)[:, None]
    close(path.v, decayed + np.vstack([np.zeros(3), average(STREAM**2, 0.7)]))


@pytest.mark.equation("R3")
def test_epsilon_inside_the_root_adds_to_the_square():
    steps = steps_of(rmsprop, beta2=0.7, eps=0.01, eps_inside=True)[1]
    close(steps, STREAM / np.sqrt(average(STREAM**2, 0.7) + 0.01), 1e-12)
    close(root(9.0, 16.0, True), 5.0)
    close(root(9.0, 16.0, False), 19.0)


@pytest.mark.equation("R6")
@pytest.mark.equation("R7")
def test_rmsprop_with_momentum_averages_the_ratios():
    path, steps = steps_of(rmsprop_momentum, beta2=0.7, mu=0.6, eps=0.01)
    ratio = STREAM / (np.sqrt(average(STREAM**2, 0.7)) + 0.01)
    close(path.b[1:], geometric(ratio, 0.6), 1e-12)
    close(steps, geometric(ratio, 0.6), 1e-12)


@pytest.mark.equation("R8")
def test_rmsprop_with_nesterov_adds_the_ratio_to_its_buffer():
    _, steps = steps_of(rmsprop_momentum, beta2=0.7, mu=0.6, eps=0.01,
                        nesterov=True)
    ratio = STREAM / (np.sqrt(average(STREAM**2, 0.7)) + 0.01)
    close(steps, ratio + 0.6 * geometric(ratio, 0.6), 1e-12)


@pytest.mark.equation("R4")
@pytest.mark.equation("R5")
def test_centered_rmsprop_divides_by_the_standard_deviation():
    path, steps = steps_of(rmsprop_centered, beta2=0.7, eps=0.01)
    m, v = average(STREAM, 0.7), average(STREAM**2, 0.7)
    close(path.m[1:], m)
    close(steps, STREAM / (np.sqrt(v - m**2) + 0.01), 1e-11)


@pytest.mark.parametrize("nesterov", [False, True])
def test_centered_rmsprop_takes_momentum_as_the_plain_one_does(nesterov):
    _, centered = steps_of(rmsprop_centered, beta2=0.7, eps=0.01)
    _, steps = steps_of(rmsprop_centered, beta2=0.7, eps=0.01, mu=0.6,
                        nesterov=nesterov)
    b = geometric(centered, 0.6)
    close(steps, centered + 0.6 * b if nesterov else b, 1e-11)


def adam_parts(beta1=0.6, beta2=0.7):
    t = np.arange(1, 31)[:, None]
    m, v = average(STREAM, beta1), average(STREAM**2, beta2)
    return m, v, m / (1 - beta1**t), v / (1 - beta2**t)


@pytest.mark.equation("A1")
@pytest.mark.equation("A2")
@pytest.mark.equation("A3")
@pytest.mark.equation("A4")
@pytest.mark.equation("A5")
def test_adam_is_the_ratio_of_the_two_corrected_averages():
    path, steps = steps_of(adam, beta1=0.6, beta2=0.7, eps=0.01)
    m, v, m_hat, v_hat = adam_parts()
    close(path.m[1:], m)
    close(path.v[1:], v)
    close(path.m_hat[1:], m_hat)
    close(path.v_hat[1:], v_hat)
    close(steps, m_hat / (np.sqrt(v_hat) + 0.01), 1e-12)


@pytest.mark.equation("A3")
@pytest.mark.equation("A4")
def test_adam_without_correction_uses_the_averages_as_they_are():
    m, v, m_hat, v_hat = adam_parts()
    _, steps = steps_of(adam, beta1=0.6, beta2=0.7, correct="none")
    close(steps, m / (np.sqrt(v) + 1e-8), 1e-12)
    _, steps = steps_of(adam, beta1=0.6, beta2=0.7, correct="first")
    close(steps, m_hat / (np.sqrt(v) + 1e-8), 1e-12)
    _, steps = steps_of(adam, beta1=0.6, beta2=0.7, correct="second")
    close(steps, m / (np.sqrt(v_hat) + 1e-8), 1e-12)


@pytest.mark.equation("A6")
@pytest.mark.equation("A7")
def test_amsgrad_keeps_the_largest_raw_second_moment():
    path, steps = steps_of(amsgrad, beta1=0.6, beta2=0.7, eps=0.01)
    m, v, m_hat, _ = adam_parts()
    v_max = np.maximum.accumulate(v)
    v_hat = v_max / (1 - 0.7 ** np.arange(1, 31)[:, None])
    close(path.v_max[1:], v_max)
    close(steps, m_hat / (np.sqrt(v_hat) + 0.01), 1e-12)


@pytest.mark.equation("A8")
def test_amsgrad_keeps_the_largest_corrected_second_moment():
    path, steps = steps_of(amsgrad, beta1=0.6, beta2=0.7, eps=0.01,
                           maximum="corrected")
    _, _, m_hat, v_hat = adam_parts()
    close(path.v_max[1:], np.maximum.accumulate(v_hat))
    close(steps, m_hat / (np.sqrt(np.maximum.accumulate(v_hat)) + 0.01),
          1e-12)


@pytest.mark.equation("W1")
def test_l2_decay_goes_through_the_averages():
    def loss_and_penalty(theta):
        return 3 * theta + 0.2 * theta

    a = run(adam_l2, lambda x: 3 * x, [1.0, -2.0], 20, alpha=0.1,
            weight_decay=0.2)
    b = run(adam, loss_and_penalty, [1.0, -2.0], 20, alpha=0.1)
    close(a.theta, b.theta, 1e-12)
    # on a zero gradient the penalty alone makes a full Adam step
    c = run(adam_l2, theta0=[2.0], gradients=np.zeros((1, 1)), alpha=0.1,
            weight_decay=0.2, eps=0.4)
    close(c.theta[1], 2 - 0.1 * 0.4 / (0.4 + 0.4))


@pytest.mark.equation("W2")
def test_decoupled_decay_shrinks_theta_by_alpha_lambda():
    path = run(adamw, theta0=[2.0, -1.0], gradients=np.zeros((20, 2)),
               alpha=0.1, weight_decay=0.3)
    shrink = (1 - 0.1 * 0.3) ** np.arange(21)
    close(path.theta, shrink[:, None] * [2.0, -1.0])


@pytest.mark.parametrize("rule", [gradient_descent, momentum, nesterov,
                                  adagrad, rmsprop, rmsprop_momentum,
                                  rmsprop_centered, amsgrad])
def test_weight_decay_coupled_is_a_penalty_and_decoupled_a_shrinking(rule):
    grad = np.array([1.0, 5.0]).__mul__
    coupled = run(rule, grad, [1.0, -2.0], 9, alpha=0.01, weight_decay=0.2)
    penalty = run(rule, lambda x: grad(x) + 0.2 * x, [1.0, -2.0], 9,
                  alpha=0.01)
    close(coupled.theta, penalty.theta)
    start = State(theta=np.array([1.0, -2.0]))
    plain = rule(start, grad(start.theta), alpha=0.01)
    decoupled = rule(start, grad(start.theta), alpha=0.01, weight_decay=0.2,
                     decoupled=True)
    close(plain.theta - decoupled.theta, 0.01 * 0.2 * start.theta)
    # the rate that the decay uses when alpha is left at its default
    default = inspect.signature(rule).parameters["alpha"].default
    still = rule(State(theta=np.ones(1)), np.zeros(1), weight_decay=0.5,
                 decoupled=True)
    close(still.theta, 1 - 0.5 * default)


# ---- identities and limits ------------------------------------------------


@given(streams, rates, betas, betas)
def test_first_adam_step_has_length_alpha(g, alpha, beta1, beta2):
    path = run(adam, theta0=np.zeros(2), gradients=g[:1], alpha=alpha,
               beta1=beta1, beta2=beta2, eps=0.0)
    close(path.theta[1], -alpha * np.sign(g[0]), 1e-12)


@given(streams, rates, betas)
def test_first_rmsprop_step_is_alpha_over_root_one_minus_beta(g, alpha,
                                                              beta2):
    path = run(rmsprop, theta0=np.zeros(2), gradients=g[:1], alpha=alpha,
               beta2=beta2, eps=0.0)
    close(path.theta[1], -alpha * np.sign(g[0]) / np.sqrt(1 - beta2), 1e-11)


@pytest.mark.equation("3.8")
@given(streams, betas)
def test_no_rmsprop_step_exceeds_alpha_over_root_one_minus_beta(g, beta2):
    path = run(rmsprop, theta0=np.zeros(2), gradients=g, alpha=1.0,
               beta2=beta2, eps=0.0)
    longest = np.abs(np.diff(path.theta, axis=0)).max()
    assert longest <= descent.theory.largest_rmsprop_step(beta2) * (1 + 1e-9)


@pytest.mark.parametrize("rule", [sign_descent, rmsprop, rmsprop_momentum,
                                  adagrad, adam, amsgrad])
@given(g=streams, power=st.integers(-20, 20))
def test_scaling_one_coordinates_gradient_changes_nothing(rule, g, power):
    eps = {} if rule is sign_descent else {"eps": 0.0}
    c = np.array([2.0**power, 1.0])  # a power of two: exact in floating point
    a = run(rule, theta0=np.zeros(2), gradients=g, **eps)
    b = run(rule, theta0=np.zeros(2), gradients=c * g, **eps)
    np.testing.assert_array_equal(a.theta, b.theta)


@given(streams, betas)
def test_bias_corrected_rmsprop_is_adam_with_beta1_zero(g, beta2):
    a = run(adam, theta0=np.zeros(2), gradients=g, beta1=0.0, beta2=beta2,
            alpha=0.1, eps=0.0)
    b = run(rmsprop, theta0=np.zeros(2), gradients=g, beta2=beta2, eps=0.0,
            alpha=lambda t: 0.1 * np.sqrt(1 - beta2**t))
    close(a.theta, b.theta, 1e-10)


@given(streams)
def test_rmsprop_without_memory_is_sign_descent(g):
    a = run(rmsprop, theta0=np.zeros(2), gradients=g, beta2=0.0, eps=0.0)
    b = run(sign_descent, theta0=np.zeros(2), gradients=g)
    close(a.theta, b.theta, 1e-12)


@given(streams, st.floats(0.0, 6.28))
def test_a_rotation_leaves_gradient_descent_alone_and_not_adam(g, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)],
                     [np.sin(angle), np.cos(angle)]])
    for rule in (gradient_descent, momentum, nesterov):
        a = run(rule, theta0=np.zeros(2), gradients=g)
        b = run(rule, theta0=np.zeros(2), gradients=g @ turn.T)
        np.testing.assert_allclose(a.theta @ turn.T, b.theta, rtol=1e-9,
                                   atol=1e-9)
    turned = run(adam, theta0=np.zeros(2), gradients=[[1.0, 1.0]], alpha=1.0)
    one = run(adam, theta0=np.zeros(2), gradients=[[2**0.5, 0]], alpha=1.0)
    assert np.linalg.norm(turned.theta[1]) > 1.4
    assert np.linalg.norm(one.theta[1]) < 1.01


@pytest.mark.parametrize("rule", [adagrad, rmsprop, rmsprop_momentum, adam,
                                  amsgrad])
def test_zero_over_zero_is_no_step(rule):
    path = run(rule, theta0=[1.0, 1.0], gradients=[[0.0, 1.0]] * 3, eps=0.0)
    assert (path.theta[:, 0] == 1).all() and (path.theta[1:, 1] < 1).all()


def test_divide_keeps_every_other_quotient():
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(
            divide(np.array([0.0, 1.0, 0.0, 6.0]),
                   np.array([0.0, 0.0, 2.0, 3.0])), [0.0, np.inf, 0.0, 2.0])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_changes_nothing_in_place(rule):
    start = State(theta=np.ones(2), b=np.ones(2), m=np.ones(2),
                  v=np.full(2, 4.0), v_max=np.ones(2), t=3)
    before = [np.copy(x) for x in start if x is not None]
    g = np.array([1.0, -3.0])
    rule(start, g)
    for old, new in zip(before, [x for x in start if x is not None]):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(g, [1.0, -3.0])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_its_equation_its_defaults_and_its_source(rule):
    doc = inspect.getdoc(rule)
    assert "θ_t = θ_{t-1}" in doc or "(A5)" in doc
    assert "efault" in doc and ">>>" in doc
    assert "ource" in doc or rule is gradient_descent or rule is momentum


def test_unknown_switches_say_what_is_allowed():
    with pytest.raises(ValueError, match="correct='twice'.*'first'"):
        run(adam, lambda x: x, [1.0], 3, correct="twice")
    with pytest.raises(ValueError, match="maximum='min'.*'corrected'"):
        run(amsgrad, lambda x: x, [1.0], 3, maximum="min")


@pytest.mark.parametrize("dtype, eps", [(np.float16, 1e-8), (np.float32, 1e-50)])
@pytest.mark.parametrize("rule", [adam, adamw, amsgrad, rmsprop, adagrad])
@pytest.mark.parametrize("inside", [False, True])
def test_an_eps_that_the_precision_cannot_hold_is_an_eps_of_zero(rule, dtype, eps, inside):
    """0 / 0 is no step, by hand too: the guard compares in the arrays' precision."""
    g = np.array([0, 1], dtype)
    state = State(theta=np.ones(2, dtype), m=np.zeros(2, dtype), v=np.zeros(2, dtype), v_max=np.zeros(2, dtype))
    with np.errstate(all="ignore"):
        after = rule(state, g, eps=eps, eps_inside=inside, alpha=dtype(0.125))
    assert after.theta[0] == 1 or rule is adamw
    assert np.isfinite(after.theta).all()
