"""Chapter 8: its closed forms against simulations and sums."""

import numpy as np
import pytest

from descent import State, adam, exercises, rmsprop_momentum, run, theory
from descent.problems import hinton_cycle

ROUNDING = 1e-12  # a few hundred operations in float64, with room
HINTON = hinton_cycle(1)[:, 0]
FORGOTTEN = 2e-13  # 0.9**280: what is left of the start


def random_gradients(steps, seed=8):
    """Gradients whose size and sign vary, shape (steps, 3)."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((steps, 3)) * [1e-3, 1.0, 1e3]


def random_signs(steps, seed=8):
    return np.random.default_rng(seed).integers(0, 2, steps) * 2.0 - 1


@pytest.mark.equation("8.1")
@pytest.mark.parametrize("eps", [0.0, 1e-8, 0.5, 3.0])
def test_first_adam_step_is_g_over_g_plus_eps(eps):
    g = np.array([1e-9, -0.5, 2.0, -300.0])
    path = run(adam, theta0=np.zeros(4), gradients=[g], alpha=0.25, eps=eps)
    assert np.abs(path.theta[1]) / 0.25 == pytest.approx(
        theory.first_adam_step(g, eps), rel=ROUNDING)


def test_first_adam_step_never_exceeds_alpha():
    g = random_gradients(200)
    assert (theory.first_adam_step(g, 1e-8) <= 1).all()


@pytest.mark.equation("8.2")
@pytest.mark.parametrize("beta1, beta2", [(0.9, 0.999), (0.5, 0.3)])
@pytest.mark.parametrize("late", [1, 2, 5])
def test_counting_t_too_high_changes_every_step_by_one_factor(beta1, beta2, late):
    gradients = random_gradients(30)
    hyper = dict(alpha=0.1, beta1=beta1, beta2=beta2, eps=0.0)
    right, wrong = State(theta=np.zeros(3)), State(theta=np.zeros(3), t=late)
    for t, g in enumerate(gradients, 1):
        after, after_wrong = adam(right, g, **hyper), adam(wrong, g, **hyper)
        ratio = (after_wrong.theta - wrong.theta) / (after.theta - right.theta)
        predicted = theory.step_with_wrong_t(t, beta1, beta2, late)
        # the steps are differences of sums of up to 30 steps
        assert ratio == pytest.approx(predicted, rel=1e-9)
        right, wrong = after, after_wrong


@pytest.mark.equation("8.2")
def test_a_count_that_stays_at_one_is_the_same_formula():
    path = run(adam, theta0=[0.0], gradients=np.ones((40, 1)), eps=0.0)
    t = np.arange(1, 41)
    stuck = path.m[1:, 0] / (1 - 0.9) / np.sqrt(path.v[1:, 0] / (1 - 0.999))
    assert theory.step_with_wrong_t(t, 0.9, 0.999, 1 - t) == pytest.approx(
        stuck, rel=1e-10)


@pytest.mark.equation("8.3")
@pytest.mark.equation("8.4")
@pytest.mark.parametrize("eps", [1e-8, 0.3])
def test_rate_and_eps_before_correction_give_the_same_path(eps):
    gradients, beta1, beta2 = random_gradients(50), 0.8, 0.97
    path = run(adam, theta0=np.zeros(3), gradients=gradients, alpha=0.1,
               beta1=beta1, beta2=beta2, eps=eps)
    theta = np.zeros(3)
    for t in range(1, 51):
        alpha_t = theory.rate_before_correction(t, 0.1, beta1, beta2)
        eps_t = theory.eps_before_correction(t, eps, beta2)
        theta = theta - alpha_t * path.m[t] / (np.sqrt(path.v[t]) + eps_t)
        assert theta == pytest.approx(path.theta[t], rel=1e-10)


@pytest.mark.equation("8.5")
@pytest.mark.parametrize("eps_hat", [1e-7, 0.2])
def test_eps_after_correction_gives_the_path_of_a_constant_eps_hat(eps_hat):
    gradients, beta1, beta2 = random_gradients(50), 0.8, 0.97
    path = run(adam, theta0=np.zeros(3), gradients=gradients, alpha=0.1,
               beta1=beta1, beta2=beta2,
               eps=lambda t: theory.eps_after_correction(t, eps_hat, beta2))
    m, v, theta = np.zeros(3), np.zeros(3), np.zeros(3)
    for t, g in enumerate(gradients, 1):  # Keras: ε̂ is added to √v
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        rate = 0.1 * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        theta = theta - rate * m / (np.sqrt(v) + eps_hat)
        assert theta == pytest.approx(path.theta[t], rel=1e-10)


@pytest.mark.equation("8.5")
def test_keras_eps_is_31_6_times_larger_at_the_first_step():
    factor = theory.eps_after_correction(1, 1.0, 0.999)
    assert factor == pytest.approx(np.sqrt(1000), rel=1e-10)
    assert theory.eps_after_correction(1, 4.0, 0.75) == 8.0


@pytest.mark.equation("8.6")
@pytest.mark.parametrize("beta1, beta2", [(0.9, 0.999), (0.6, 0.5)])
def test_adam_on_gradients_of_one_size_averages_their_signs(beta1, beta2):
    signs = random_signs(60)
    path = run(adam, theta0=[0.0], gradients=7 * signs[:, None], alpha=1.0,
               beta1=beta1, beta2=beta2, eps=0.0)
    for t in range(1, 61):
        assert np.diff(path.theta[:, 0])[t - 1] == pytest.approx(
            theory.adam_step_on_signs(signs[:t], beta1), abs=1e-11)


@pytest.mark.equation("8.7")
@pytest.mark.parametrize("mu, beta2", [(0.9, 0.999), (0.6, 0.5)])
def test_rmsprop_with_momentum_on_gradients_of_one_size(mu, beta2):
    signs = random_signs(60)
    path = run(rmsprop_momentum, theta0=[0.0], gradients=7 * signs[:, None],
               alpha=1 - mu, mu=mu, beta2=beta2, eps=0.0)
    for t in range(1, 61):
        assert np.diff(path.theta[:, 0])[t - 1] == pytest.approx(
            theory.rmsprop_momentum_step_on_signs(signs[:t], mu, beta2),
            abs=1e-11)


@pytest.mark.equation("8.6")
@pytest.mark.equation("8.7")
def test_predicted_steps_on_signs_broadcast_over_streams():
    signs = random_signs(60).reshape(3, 20)
    adams = theory.adam_step_on_signs(signs, 0.9)
    others = theory.rmsprop_momentum_step_on_signs(signs, 0.9, 0.99)
    for i in range(3):
        assert adams[i] == theory.adam_step_on_signs(signs[i], 0.9)
        assert others[i] == theory.rmsprop_momentum_step_on_signs(
            signs[i], 0.9, 0.99)


@pytest.mark.equation("8.6")
@pytest.mark.equation("8.7")
def test_mean_step_over_streams_is_the_step_on_the_mean_signs():
    signs = random_signs(60).reshape(3, 20)
    for predict in (lambda s: theory.adam_step_on_signs(s, 0.9),
                    lambda s: theory.rmsprop_momentum_step_on_signs(s, 0.9, 0.5)):
        assert predict(signs.mean(0)) == pytest.approx(predict(signs).mean(),
                                                       rel=1e-10)


def test_on_gradients_of_one_size_the_two_agree_after_the_start():
    signs = random_signs(400)
    adams = theory.adam_step_on_signs(signs, 0.9)
    others = theory.rmsprop_momentum_step_on_signs(signs, 0.9, 0.9)
    assert others == pytest.approx(adams, abs=FORGOTTEN)
    early = theory.rmsprop_momentum_step_on_signs(signs[:3], 0.9, 0.9)
    assert abs(early - theory.adam_step_on_signs(signs[:3], 0.9)) > 0.1


@pytest.mark.equation("8.8")
@pytest.mark.parametrize("beta1", [0.3, 0.9])
def test_first_moment_on_cycle_is_what_adam_settles_to(beta1):
    cycle = np.array([1.0, -3.0, 0.5, 4.0, -2.0, 0.1, 0.7])
    path = run(adam, theta0=[0.0], gradients=np.tile(cycle, 60)[:, None],
               beta1=beta1)
    assert path.m[-7:, 0] == pytest.approx(
        theory.first_moment_on_cycle(beta1, cycle), rel=1e-11)


@pytest.mark.equation("8.8")
def test_first_moment_on_cycle_broadcasts_and_starts_at_the_gradient():
    m = theory.first_moment_on_cycle(np.array([0.0, 0.3, 0.9]), HINTON)
    assert m.shape == (3, 10)
    assert m[0] == pytest.approx(HINTON, rel=ROUNDING)
    assert m[2] == pytest.approx(theory.first_moment_on_cycle(0.9, HINTON))
    assert m.sum(-1) == pytest.approx(np.zeros(3), abs=ROUNDING)


@pytest.mark.equation("8.9")
@pytest.mark.parametrize("beta2, cycles", [(0.9, 60), (0.99, 400)])
def test_drift_of_adam_on_a_cycle_is_predicted(beta2, cycles):
    path = run(adam, theta0=[0.0], gradients=hinton_cycle(cycles), alpha=1.0,
               beta2=beta2, eps=0.0)
    measured = path.theta[-1, 0] - path.theta[-11, 0]
    assert measured == pytest.approx(
        theory.adam_drift_on_cycle(0.9, beta2, HINTON), abs=1e-11)


@pytest.mark.equation("8.9")
def test_drift_of_adam_broadcasts_and_is_that_of_rmsprop_at_beta1_zero():
    beta2 = np.array([0.5, 0.9, 0.99])
    drifts = theory.adam_drift_on_cycle(0.0, beta2, HINTON)
    assert drifts == pytest.approx(theory.drift_on_cycle(beta2, HINTON))
    assert drifts[1] == theory.adam_drift_on_cycle(0.0, 0.9, HINTON)


@pytest.mark.parametrize("beta2, cycles", [(0.9, 60), (0.99, 400)])
def test_momentum_after_division_leaves_the_drift_of_rmsprop(beta2, cycles):
    path = run(rmsprop_momentum, theta0=[0.0], gradients=hinton_cycle(cycles),
               alpha=0.1, mu=0.9, beta2=beta2, eps=0.0)
    measured = path.theta[-1, 0] - path.theta[-11, 0]
    assert measured == pytest.approx(theory.drift_on_cycle(beta2, HINTON),
                                     abs=1e-11)


@pytest.mark.equation("8.10")
@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("n", [3, 10])
def test_share_of_drift_is_the_limit_of_the_two_drifts(beta1, n):
    cycle = np.array([1.0] * (n - 1) + [1.0 - n])
    beta2 = 1 - 1e-6
    ratio = (theory.adam_drift_on_cycle(beta1, beta2, cycle)
             / theory.drift_on_cycle(beta2, cycle))
    # the remainder is of order 1 − β₂, times a few n
    assert ratio == pytest.approx(theory.share_of_drift(beta1, n), abs=1e-4)


@pytest.mark.equation("8.10")
def test_share_of_drift_vanishes_where_all_ages_are_equally_likely():
    # K → (n − 1)/2 for β₁ → 1; what is left is (1 − β₁)(n² − 1)/12 / ((n − 1)/2)
    assert theory.share_of_drift(0.999, 10) == pytest.approx(
        0.001 * (10 + 1) / 6, rel=0.01)


def test_another_cycle_on_which_adam_drifts_more():
    cycle = np.array([1.0, 1, 0, -1, -5, 1, 3])
    assert cycle.sum() == 0
    assert theory.adam_drift_on_cycle(0.9, 0.99, cycle) < 2 * (
        theory.drift_on_cycle(0.99, cycle)) < 0


def calm(shape=(1,)):
    """Adam after gradients of 1 for ever: both averages are 1."""
    return State(theta=np.zeros(shape), t=10**6, m=np.ones(shape), v=np.ones(shape))


@pytest.mark.equation("8.11")
@pytest.mark.parametrize("r", [0.01, 0.3, 5.0])
@pytest.mark.parametrize("beta1, beta2", [(0.9, 0.999), (0.6, 0.8), (0.0, 0.9)])
def test_adam_after_a_jump_of_its_gradients(r, beta1, beta2):
    path = run(adam, theta0=calm(), gradients=np.full((60, 1), r), alpha=1.0,
               beta1=beta1, beta2=beta2, eps=0.0)
    k = np.arange(1, 61)
    assert -np.diff(path.theta[:, 0]) == pytest.approx(
        theory.adam_speed_after_jump(k, r, beta1, beta2), abs=1e-10)


@pytest.mark.equation("8.11")
def test_without_momentum_adam_falls_as_rmsprop_does_and_returns_with_it():
    k = np.array([1, 10, 1000])
    assert theory.adam_speed_after_jump(k, 0.01, 0.0, 0.99) == pytest.approx(
        theory.speed_after_jump(k, 0.01, 0.99), rel=ROUNDING)
    last = np.ceil(theory.steps_to_half_speed(0.01, 0.999))
    assert last == 8108
    before, at = theory.adam_speed_after_jump(last - [1, 0], 0.01, 0.9, 0.999)
    assert before < 0.5 <= at


@pytest.mark.equation("8.12")
@pytest.mark.parametrize("H", [1000.0, -30.0, 2.0])
@pytest.mark.parametrize("beta1, beta2", [(0.9, 0.999), (0.6, 0.8), (0.0, 0.9)])
def test_adam_after_one_spike(H, beta1, beta2):
    stream = np.ones((60, 1))
    stream[0] = H
    path = run(adam, theta0=calm(), gradients=stream, alpha=1.0, beta1=beta1,
               beta2=beta2, eps=0.0)
    assert -np.diff(path.theta[:, 0]) == pytest.approx(
        theory.adam_speed_after_spike(np.arange(60), H, beta1, beta2), abs=1e-10)


@pytest.mark.equation("8.13")
@pytest.mark.parametrize("beta1, beta2", [(0.9, 0.999), (0.5, 0.7), (0.0, 0.9)])
def test_lurch_is_the_sum_of_the_steps_after_an_immense_spike(beta1, beta2):
    k = np.arange(400)
    # ten orders of magnitude before the ones are felt, of which v takes two
    steps = theory.adam_speed_after_spike(k, 1e30, beta1, beta2)
    felt = (beta1 / np.sqrt(beta2)) ** k > 1e-12
    assert steps[felt].sum() == pytest.approx(theory.lurch(beta1, beta2), rel=1e-9)


@pytest.mark.equation("8.13")
def test_lurch_of_the_defaults_is_little_more_than_the_step_of_rmsprop():
    assert theory.lurch(0.9, 0.999) == pytest.approx(31.766, abs=1e-3)
    assert theory.lurch(0.0, 0.999) == pytest.approx(
        theory.first_step_after_jump(1e9, 0.999), rel=1e-6)


@pytest.mark.parametrize("check, answer, verdict", [
    (exercises.check_two_steps, ("before", 8e-8, 0.96), "correct"),
    (exercises.check_two_steps, lambda: (None, None, None), "not done yet"),
    (exercises.check_two_steps, ("before", None, 0.96), "ε is not done yet"),
    (exercises.check_two_steps, ("after", 8e-8, 0.96), "equally long"),
    (exercises.check_two_steps, ("beside", 8e-8, 0.96), '"before" or "after"'),
    (exercises.check_two_steps, ("before", 2.857e-7, 0.96), "ε_2"),
    (exercises.check_two_steps, ("before", 0.08, 0.96), "units of the gradient"),
    (exercises.check_two_steps, ("before", 8e-8, 1.4), "square it"),
    (exercises.check_two_steps, ("before", 8e-8, 1.96), "1 + β₂"),
    (exercises.check_two_steps, ("before", 8e-8, 0.04), "1 − β₂"),
    (exercises.check_two_steps, ("before", 8e-8, np.nan), "β₂ is not right"),
    (exercises.check_two_steps, ("before", 8e-8), "it has 2 parts"),
    (exercises.check_two_steps, 7, "cannot be read"),
    (exercises.check_two_steps, ("before", "small", 0.96), "cannot be read"),
    (exercises.check_shortest_test, [3e-8, -3e-7], "correct"),
    (exercises.check_shortest_test, lambda: [None, None], "not done yet"),
    (exercises.check_shortest_test, [1.0, -1.0], "6 of 27 broken Adams"),
    (exercises.check_shortest_test, [1e-8, 3e-8], "β₁ and β₂ are exchanged"),
    (exercises.check_shortest_test, [1e-8] * 3, "two are asked for"),
    (exercises.check_shortest_test, [1e-8, np.nan], "each gradient is a number"),
    (exercises.check_shortest_test, 3e-8, "a list of two numbers"),
    (exercises.check_shortest_test, "abc", "a list of two numbers"),
    (exercises.check_shortest_test, [], "a list of two numbers"),
    (exercises.check_shortest_test, lambda: 1 / 0, "ZeroDivisionError"),
    (exercises.check_stuck_counter, (0.316, 12), "correct"),
    (exercises.check_stuck_counter, lambda: (None, None), "not done yet"),
    (exercises.check_stuck_counter, (3.162, 12), "too short, not too long"),
    (exercises.check_stuck_counter, (1.0, 12), "uncorrected Adam at the rate α"),
    (exercises.check_stuck_counter, (0.316, 11), "counted from 1"),
    (exercises.check_stuck_counter, (1.0, 28), "one too high"),
])
def test_checks_of_the_exercises_know_the_likely_mistakes(
        check, answer, verdict, capsys):
    check(answer)
    assert verdict in capsys.readouterr().out
