"""Chapter 9: its bounds against runs, explicit sums and a search for worse."""

import numpy as np
import pytest
import sympy

from descent import adam, exercises, run, theory
from descent.problems import growing
from descent.rules import divide

PAIRS = [(0.9, 0.999), (0.9, 0.95), (0.5, 0.6), (0.9, 0.85), (0.9, 0.5)]
WITH_LIMIT = [(0.9, 0.999), (0.9, 0.99), (0.9, 0.95), (0.95, 0.999),
              (0.5, 0.75), (0.9, 0.85)]


def steps_of(gradients, correct="both", **betas):
    """Adam's steps in units of α, ε = 0; shape of `gradients`."""
    gradients = np.asarray(gradients, dtype=float)
    path = run(adam, theta0=np.zeros(gradients.shape[-1]), alpha=1.0, eps=0.0,
               gradients=gradients, correct=correct, **betas)
    return np.abs(np.diff(path.theta, axis=0))


def ratios(gradients, **hyper):
    """|m̂|/√v̂, without the rounding of θ."""
    path = run(adam, theta0=[0.0], gradients=gradients, eps=0.0, **hyper)
    return divide(np.abs(path.m_hat), np.sqrt(path.v_hat))[1:, 0]


def after_silence(gradients, steps=40_000):
    silence = np.zeros((steps, 1))
    return np.concatenate([silence, np.reshape(gradients, (-1, 1))])


# ---- the paper's case -----------------------------------------------------


@pytest.mark.equation("9.1")
@pytest.mark.parametrize("beta1, beta2", PAIRS)
def test_single_gradient_makes_the_step_of_9_1(beta1, beta2):
    when = np.array([1, 2, 7, 50])
    g = -3.0 * (np.arange(1, 51)[:, None] == when)
    step = steps_of(g, beta1=beta1, beta2=beta2)[when - 1, range(4)]
    predicted = theory.single_gradient_step(when, beta1, beta2)
    assert step == pytest.approx(predicted, rel=1e-9)


@pytest.mark.equation("9.1")
def test_single_gradient_late_is_the_bound_of_the_adam_paper():
    late = theory.single_gradient_step(np.inf, 0.9, 0.999)
    assert late == pytest.approx(0.1 / np.sqrt(0.001), rel=1e-12)
    assert late == pytest.approx(np.sqrt(10), rel=1e-9)


# ---- the sharp bound ------------------------------------------------------


@pytest.mark.equation("9.2")
@pytest.mark.parametrize("beta1, beta2", PAIRS)
def test_bound_is_the_sum_of_squared_weights_over_weights(beta1, beta2):
    for t in (1, 2, 9):
        w = [beta1**k / sum(beta1**j for j in range(t)) for k in range(t)]
        u = [beta2**k / sum(beta2**j for j in range(t)) for k in range(t)]
        total = sum(a * a / b for a, b in zip(w, u))
        assert theory.sharp_bound_sum(t, beta1, beta2) == pytest.approx(
            total**0.5, rel=1e-10)


@pytest.mark.equation("9.2")
@pytest.mark.parametrize("beta1, beta2", PAIRS)
def test_no_gradients_make_a_longer_step(beta1, beta2):
    rng = np.random.default_rng(9)
    wild = rng.standard_normal((30, 500))**3
    growth = 2.0 ** np.outer(np.arange(30), rng.uniform(-1, 1, 500))
    step = steps_of(np.abs(wild) ** rng.uniform(0, 1, 500) * growth,
                    beta1=beta1, beta2=beta2)
    bound = [theory.sharp_bound_sum(t, beta1, beta2) for t in range(1, 31)]
    assert (step <= np.array(bound)[:, None] * (1 + 1e-9)).all()
    assert (step[10] > 0.8 * bound[10]).any()  # the search is not idle


@pytest.mark.equation("9.3")
@pytest.mark.parametrize("beta1, beta2", PAIRS)
def test_gradients_that_grow_by_the_worst_factor_reach_the_bound(beta1, beta2):
    q = theory.worst_growth(beta1, beta2)
    step = ratios(growing(40, q), beta1=beta1, beta2=beta2)
    bound = [theory.sharp_bound_sum(t, beta1, beta2) for t in range(1, 41)]
    assert step == pytest.approx(np.array(bound), rel=1e-9)


@pytest.mark.equation("9.4")
@pytest.mark.parametrize("beta1, beta2", [*PAIRS, (0.5, 0.25), (0.0, 0.9)])
def test_closed_form_is_the_sum(beta1, beta2):
    for t in (1, 2, 3, 30):
        assert theory.sharp_bound(t, beta1, beta2) == pytest.approx(
            theory.sharp_bound_sum(t, beta1, beta2), rel=1e-9)


@pytest.mark.parametrize("beta1, beta2", [
    (0.9, 0.999), (0.9, 0.9), (0.9, 0.85), (0.9, 0.81), (0.9, 0.5),
    (0.0, 0.9), (0.1, 0.999), (0.999, 0.9)])
def test_bound_never_falls_with_t(beta1, beta2):
    S = theory.sharp_bound(np.arange(1.0, 800), beta1, beta2)
    S = S[np.isfinite(S)]
    assert (np.diff(S) >= -1e-10 * S[1:]).all() and S[0] == pytest.approx(1)


@pytest.mark.equation("9.5")
@pytest.mark.parametrize("beta1, beta2", WITH_LIMIT)
def test_limit_of_the_bound(beta1, beta2):
    ever = theory.sharp_bound_ever(beta1, beta2)
    assert ever == pytest.approx(
        theory.sharp_bound(np.inf, beta1, beta2), rel=1e-9)
    assert ever == pytest.approx(
        theory.sharp_bound(200_000, beta1, beta2), rel=1e-9)


@pytest.mark.equation("9.5")
def test_numbers_of_the_sharp_bound():
    assert theory.sharp_bound_ever(0.9, 0.999) == pytest.approx(7.27029, 1e-6)
    assert theory.sharp_bound_ever(0.9, 0.95) == pytest.approx(1.16496, 1e-5)
    assert theory.sharp_bound_ever(0.7, 0.7) == pytest.approx(1, 1e-12)
    assert theory.sharp_bound_ever(0.0, 0.99) == pytest.approx(
        theory.largest_rmsprop_step(0.99))
    assert (theory.sharp_bound_ever(0.9, np.array([0.81, 0.5])) > 1e7).all()


# ---- where α is the limit, and where there is none ------------------------


@pytest.mark.equation("9.6")
@pytest.mark.parametrize("beta1, beta2", PAIRS)
def test_excess_is_what_the_bound_is_above_one(beta1, beta2):
    for t in (1, 2, 25):
        assert theory.squared_excess(t, beta1, beta2) == pytest.approx(
            theory.sharp_bound(t, beta1, beta2)**2 - 1, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("t", [2, 3, 20])
def test_bound_is_one_exactly_for_equal_betas(t):
    betas = np.linspace(0.05, 0.95, 19)
    S = theory.sharp_bound(t, betas[:, None], betas)
    assert np.diag(S) == pytest.approx(np.ones(19), rel=1e-12)
    assert (S[~np.eye(19, dtype=bool)] > 1 + 1e-7).all()


@pytest.mark.equation("9.7")
def test_limit_of_the_excess_is_an_identity():
    a, b = sympy.symbols("beta1 beta2")
    square = (1 - a)**2 / ((1 - b) * (1 - a**2 / b))
    assert sympy.simplify(
        square - 1 - theory.squared_excess_ever(a, b)) == 0


@pytest.mark.equation("9.8")
@pytest.mark.parametrize("beta1, beta2", PAIRS)
def test_echo_of_a_single_gradient(beta1, beta2):
    g = np.zeros((60, 1))
    g[0] = -2.0
    predicted = theory.echo_step(np.arange(1, 61), beta1, beta2)
    assert ratios(g, beta1=beta1, beta2=beta2) == pytest.approx(
        predicted, rel=1e-9)


def test_echo_grows_exactly_if_beta1_exceeds_the_root_of_beta2():
    for beta2 in (0.5, 0.81, 0.99):
        for factor, grows in ((0.99, False), (1.005, True)):
            late = theory.echo_step(np.array([10_000, 20_000]),
                                    factor * np.sqrt(beta2), beta2)
            assert (late[1] > late[0]) == grows


# ---- how hard it is to get there ------------------------------------------


@pytest.mark.equation("9.9")
@pytest.mark.parametrize("beta1, beta2", [
    (0.9, 0.999), (0.9, 0.95), (0.5, 0.25)])
def test_worst_gradients_after_a_silence_reach_their_bound(beta1, beta2):
    n = np.arange(1, 13)
    surge = after_silence((beta2 / beta1) ** n)
    step = ratios(surge[-20_000 - 12:], beta1=beta1, beta2=beta2)[-12:]
    # 0.999^20000 is 2e-9
    assert step == pytest.approx(
        theory.bound_after_silence(n, beta1, beta2), rel=1e-7)


@pytest.mark.equation("9.9")
@pytest.mark.parametrize("beta1, beta2", PAIRS)
def test_bound_after_silence_is_that_of_uncorrected_adam(beta1, beta2):
    n = np.arange(1, 30)
    assert theory.bound_after_silence(n, beta1, beta2) == pytest.approx(
        theory.startup_ratio(n, beta1, beta2)
        * theory.sharp_bound(n, beta1, beta2), rel=1e-10)


@pytest.mark.equation("9.10")
@pytest.mark.parametrize("beta1, beta2, q", [
    (0.9, 0.999, 1.05), (0.9, 0.999, 1.3), (0.9, 0.95, 1.1), (0.5, 0.6, 0.9)])
def test_late_step_on_growing_gradients(beta1, beta2, q):
    step = ratios(growing(600, q), beta1=beta1, beta2=beta2, correct="none")
    assert step[-1] == pytest.approx(
        theory.step_on_growth(q, beta1, beta2), rel=1e-9)


@pytest.mark.equation("9.10")
@pytest.mark.parametrize("beta1, beta2", [(0.9, 0.999), (0.8, 0.7)])
def test_worst_growth_is_the_maximum_of_the_late_step(beta1, beta2):
    worst = beta2 / beta1
    around = theory.step_on_growth(worst * np.array([0.99, 1, 1.01]),
                                   beta1, beta2)
    assert around.argmax() == 1
    assert around[1] == pytest.approx(theory.sharp_bound_ever(beta1, beta2))


@pytest.mark.equation("9.11")
@pytest.mark.parametrize("beta1, beta2", [(0.9, 0.999), (0.6, 0.6)])
def test_distance_is_reached_by_the_worst_gradients(beta1, beta2):
    path = run(adam, theta0=[2.0], gradients=growing(50, beta2 / beta1),
               alpha=0.3, beta1=beta1, beta2=beta2, eps=0.0)
    assert abs(path.theta[-1, 0] - 2.0) == pytest.approx(
        theory.farthest(50, 0.3, beta1, beta2), rel=1e-9)


def test_epsilon_only_shortens_steps():
    g = np.random.default_rng(1).standard_normal((200, 1))**3
    bare = run(adam, theta0=[0.0], gradients=g, alpha=1.0, eps=0.0)
    for inside in (False, True):
        path = run(adam, theta0=[0.0], gradients=g, alpha=1.0, eps=0.1,
                   eps_inside=inside)
        assert (np.abs(np.diff(path.theta, axis=0))
                <= np.abs(np.diff(bare.theta, axis=0)) + 1e-12).all()


# ---- the exercises --------------------------------------------------------


LONGEST = np.clip(29.8 * (0.9 / 0.999)**np.arange(5000), 1, 10)[::-1]


def test_no_gradients_of_the_exercise_make_a_longer_last_step():
    w, u = (theory.corrected_weights(5000, b)[::-1] for b in (0.9, 0.999))
    best = LONGEST @ w / np.sqrt(LONGEST**2 @ u)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((300, 5000)) * rng.choice(
        [0.01, 0.1, 1, 5], (300, 1))
    near = np.clip(LONGEST + noise, 1, 10)  # no second maximum: it is enough
    assert (near @ w / np.sqrt(near**2 @ u) <= best * (1 + 1e-5)).all()


def bound_of_uncorrected_adam(t, beta1, beta2):
    return theory.bound_after_silence(t, beta1, beta2)


@pytest.mark.parametrize("check, answer, said", [
    (exercises.check_counterexample, (3, 1.0, 1.11), "correct"),
    (exercises.check_counterexample, (3, -10.0, -11.0), "correct"),
    (exercises.check_counterexample, (3, 1.0, -1.0), "second step is"),
    (exercises.check_counterexample, (2, 1.0, 1.11), "not line 2"),
    (exercises.check_counterexample, (3, 1.0), "give the line"),
    (exercises.check_counterexample, (None, None, None), "not done yet"),
    (exercises.check_counterexample, "three", "answer: it is of type str"),
    (exercises.check_counterexample, lambda: 1 / 0, "answer: your function"),
    (exercises.check_my_bound, theory.sharp_bound, "correct"),
    (exercises.check_my_bound, bound_of_uncorrected_adam, "uncorrected Adam"),
    (exercises.check_my_bound, theory.single_gradient_step, "one gradient"),
    (exercises.check_my_bound,
     lambda t, b1, b2: theory.sharp_bound_sum(t, b1, b2)**2, "root"),
    (exercises.check_my_bound,
     lambda t, b1, b2: theory.sharp_bound_sum(t, b2, b1), "exchanged"),
    (exercises.check_never_silent, lambda: LONGEST, "correct"),
    (exercises.check_never_silent, -LONGEST, "correct"),
    (exercises.check_never_silent, None, "not done yet"),
    (exercises.check_never_silent, LONGEST[::-1], "must come last"),
    (exercises.check_never_silent, LONGEST[-300:], "are too few"),
    (exercises.check_never_silent, LONGEST * (-1.0)**np.arange(5000),
     "cancel in m"),
    (exercises.check_never_silent, np.r_[np.ones(4900), 10 * np.ones(99)],
     "99 loud gradients are too many"),
    (exercises.check_never_silent, np.r_[np.ones(4983), 10 * np.ones(17)],
     "from quiet to loud, in a jump?"),
    (exercises.check_never_silent, np.ones(5000), "its last step is 1 α;"),
    (exercises.check_never_silent, np.r_[np.zeros(4000), 1.0],
     "yours go from 0 to 1"),
    (exercises.check_never_silent, np.ones(6000), "a list of 1 to 5000"),
    (exercises.check_never_silent, [1.0, np.nan], "must be finite"),
    (exercises.check_never_silent, [], "a list of 1 to 5000"),
    (exercises.check_never_silent, "loud", "it is of type str"),
])
def test_checks_of_the_exercises_name_the_cause(capsys, check, answer, said):
    check(answer)
    printed = capsys.readouterr().out
    assert said in printed
    assert (": correct\n" in printed) == (said == "correct")
