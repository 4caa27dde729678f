"""run: paths, batches bit for bit, schedules, and what bad input says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import (
    NaNGradient, State, adagrad, adam, adamw, amsgrad, gradient_descent,
    momentum, nesterov, rmsprop, rmsprop_centered, rmsprop_momentum, run,
    sign_descent,
)


def bowl(theta):
    return theta * [1.0, 50.0]


def test_a_path_has_a_leading_time_axis_and_starts_at_theta0():
    path = run(adam, bowl, theta0=[1.0, 2.0], steps=7)
    for name in ("theta", "g", "m", "v", "m_hat", "v_hat"):
        assert getattr(path, name).shape == (8, 2)
    np.testing.assert_array_equal(path.theta[0], [1, 2])
    np.testing.assert_array_equal(path.t, np.arange(8))
    assert (path.m[0] == 0).all() and (path.v[0] == 0).all()
    assert np.isnan(path.g[0]).all() and np.isnan(path.m_hat[0]).all()
    assert path.b is None and path.v_max is None


def test_the_gradient_of_step_t_is_taken_before_the_step():
    path = run(gradient_descent, bowl, [1.0, 2.0], 5, alpha=0.01)
    np.testing.assert_array_equal(path.g[1:], bowl(path.theta[:-1]))


def test_a_stream_equals_the_function_that_made_it():
    path = run(adam, bowl, [1.0, 2.0], 20, alpha=0.1)
    again = run(adam, theta0=[1.0, 2.0], gradients=path.g[1:], alpha=0.1)
    np.testing.assert_array_equal(path.theta, again.theta)


@pytest.mark.parametrize("rule", [adam, adamw, amsgrad])
def test_a_batch_equals_the_single_runs_bit_for_bit(rule):
    beta1, beta2 = np.linspace(0, 0.99, 5), 1 - np.geomspace(1e-4, 0.9, 7)
    alpha = np.geomspace(1e-3, 1, 3)
    grid = run(rule, bowl, [1.0, 1.0], 60, beta1=beta1[:, None, None],
               beta2=beta2[:, None], alpha=alpha[:, None, None, None])
    assert grid.theta.shape == (61, 3, 5, 7, 2)
    for k, a in enumerate(alpha):
        for i, b1 in enumerate(beta1):
            for j, b2 in enumerate(beta2):
                one = run(rule, bowl, [1.0, 1.0], 60, beta1=b1, beta2=b2,
                          alpha=a)
                np.testing.assert_array_equal(grid.theta[:, k, i, j],
                                              one.theta)
                np.testing.assert_array_equal(grid.v_hat[:, k, i, j],
                                              one.v_hat)


def test_a_batch_of_starts_and_of_streams_broadcasts():
    starts = np.array([[1.0, 1.0], [2.0, -3.0], [0.0, 0.0]])
    path = run(rmsprop, bowl, starts, 9)
    one = run(rmsprop, bowl, starts[1], 9)
    np.testing.assert_array_equal(path.theta[:, 1], one.theta)
    streams = np.random.default_rng(1).standard_normal((9, 4, 2))
    path = run(rmsprop, theta0=[0.0, 0.0], gradients=streams)
    one = run(rmsprop, theta0=[0.0, 0.0], gradients=streams[:, 3])
    np.testing.assert_array_equal(path.theta[:, 3], one.theta)


def test_a_number_is_a_parameter_too():
    path = run(rmsprop, theta0=0.0, gradients=np.ones(5), beta2=0.75)
    column = run(rmsprop, theta0=[0.0], gradients=np.ones((5, 1)), beta2=0.75)
    assert path.theta.shape == (6,)
    np.testing.assert_array_equal(path.theta, column.theta[:, 0])


def test_a_default_and_the_same_value_given_are_the_same_run():
    a = run(adam, bowl, [1.0, 1.0], 50)
    b = run(adam, bowl, [1.0, 1.0], 50, alpha=0.001, beta1=0.9, beta2=0.999,
            eps=1e-8, correct="both", eps_inside=False)
    np.testing.assert_array_equal(a.theta, b.theta)


def test_a_schedule_is_a_function_of_t_from_one():
    seen = []

    def alpha(t):
        seen.append(t)
        return 1 / t

    path = run(gradient_descent, theta0=[0.0], gradients=np.ones((4, 1)),
               alpha=alpha)
    np.testing.assert_allclose(-np.diff(path.theta[:, 0]),
                               [1, 1 / 2, 1 / 3, 1 / 4])
    assert max(seen) == 4 and min(seen) == 1


def test_any_hyperparameter_may_be_a_schedule_and_a_grid():
    grid = np.array([0.5, 0.9])[:, None]
    path = run(momentum, bowl, [1.0, 1.0], 6, alpha=0.01,
               mu=lambda t: grid * (t > 3))
    plain = run(gradient_descent, bowl, [1.0, 1.0], 3, alpha=0.01)
    assert path.theta.shape == (7, 2, 2)
    np.testing.assert_array_equal(path.theta[:4, 0], plain.theta)


def test_without_a_record_only_the_last_state_is_kept():
    path = run(adam, bowl, [1.0, 1.0], 30)
    last = run(adam, bowl, [1.0, 1.0], 30, record=False)
    np.testing.assert_array_equal(last.theta, path.theta[-1])
    np.testing.assert_array_equal(last.v, path.v[-1])
    assert last.t == 30


def test_every_kth_step_can_be_recorded_and_the_last_one_is():
    path = run(adam, bowl, [1.0, 1.0], 32, alpha=0.1)
    thin = run(adam, bowl, [1.0, 1.0], 32, alpha=0.1, record=10)
    np.testing.assert_array_equal(thin.t, [0, 10, 20, 30, 32])
    np.testing.assert_array_equal(thin.theta, path.theta[thin.t])
    np.testing.assert_array_equal(thin.v_hat[1:], path.v_hat[thin.t[1:]])


def test_a_gradient_of_theta_and_t_is_told_the_step():
    def grad(theta, t):
        return np.full_like(theta, t)

    path = run(gradient_descent, grad, [0.0], 4, alpha=1.0)
    np.testing.assert_array_equal(path.theta[:, 0], [0, -1, -3, -6, -10])


def test_a_second_argument_with_a_default_is_not_the_step():
    path = run(gradient_descent, lambda theta, scale=2: scale * theta, [1.0],
               1, alpha=0.25)
    assert path.theta[1, 0] == 0.5


def test_a_projection_keeps_every_step_in_its_set():
    path = run(adam, lambda x: -np.ones_like(x), [0.0, 0.5], 40, alpha=0.1,
               project=lambda x: np.clip(x, -1, 1))
    free = run(adam, lambda x: -np.ones_like(x), [0.0, 0.5], 40, alpha=0.1)
    np.testing.assert_allclose(path.theta, np.minimum(free.theta, 1))
    np.testing.assert_array_equal(path.m, free.m)


def test_no_steps_give_the_start():
    assert run(adam, bowl, [1.0, 2.0], 0).theta.shape == (1, 2)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_everything_is_computed_in_the_precision_of_theta0(dtype):
    path = run(adam, bowl, np.ones(2, dtype), 5,
               alpha=np.array([[0.1], [0.2]]))
    assert path.theta.dtype == path.v.dtype == path.m_hat.dtype == dtype


def test_integers_become_float64():
    assert run(adam, bowl, [1, 2], 3).theta.dtype == np.float64


@pytest.mark.filterwarnings("error")
def test_divergence_is_a_result_and_does_not_disturb_the_others():
    rates = np.array([[0.01], [10.0]])
    path = run(gradient_descent, bowl, [1.0, 1.0], 400, alpha=rates)
    assert path.theta.shape == (401, 2, 2)
    np.testing.assert_array_equal(path.diverged[-1], [False, True])
    one = run(gradient_descent, bowl, [1.0, 1.0], 400, alpha=0.01)
    np.testing.assert_array_equal(path.theta[:, 0], one.theta)


def test_the_start_is_not_changed_even_by_a_gradient_that_writes():
    theta0 = np.array([1.0, 2.0])
    run(adam, bowl, theta0, 5)
    np.testing.assert_array_equal(theta0, [1, 2])


def test_a_nan_gradient_names_the_step_and_keeps_the_path():
    def grad(theta):
        return np.where(theta < 0.75, np.nan, 1.0)

    with pytest.raises(NaNGradient, match=r"NaN at step 4, at theta = \[0.7"
                       ) as error:
        run(gradient_descent, grad, [1.0], 10, alpha=0.1)
    assert error.value.step == 4
    np.testing.assert_allclose(error.value.path.theta[:, 0],
                               [1.0, 0.9, 0.8, 0.7])


@pytest.mark.parametrize("record, kept", [(False, [0, 3]), (2, [0, 2, 3])])
def test_a_nan_gradient_keeps_the_last_step_even_of_a_thin_record(record,
                                                                  kept):
    with pytest.raises(NaNGradient, match="step 4") as error:
        run(gradient_descent, lambda x: np.where(x < 0.75, np.nan, 1.0),
            [1.0], 10, alpha=0.1, record=record)
    np.testing.assert_array_equal(error.value.path.t, kept)


def test_a_nan_gradient_at_the_first_step_keeps_the_start():
    with pytest.raises(NaNGradient, match="step 1") as error:
        run(adam, lambda x: x * np.nan, [1.0], 10)
    np.testing.assert_array_equal(error.value.path.theta, [[1.0]])


BAD = {
    "negative rate": (dict(alpha=-0.1), ValueError, "alpha = -0.1 must be"),
    "infinite rate": (dict(alpha=np.inf), ValueError, "alpha = inf must be"),
    "rate in a grid": (dict(alpha=np.array([[1.0], [-2.0]])), ValueError,
                       "alpha = -2.0 must be"),
    "rate in a schedule": (dict(alpha=lambda t: -t), ValueError,
                           "alpha = -1.0 must be"),
    "rate as text": (dict(alpha="fast"), TypeError, "alpha = 'fast' must"),
    "beta1 of one": (dict(beta1=1.0), ValueError,
                     "beta1 = 1.0 must be at least 0 and less than 1"),
    "beta2 negative": (dict(beta2=-0.5), ValueError, "beta2 = -0.5 must be"),
    "beta2 NaN": (dict(beta2=np.nan), ValueError, "beta2 = nan must be"),
    "negative eps": (dict(eps=-1e-8), ValueError, "eps = -1e-08 must be"),
    "grid without its axis": (dict(alpha=np.ones(3)), ValueError,
                              r"alpha has shape \(3,\).*alpha\[..., None\]"),
    "unknown name": (dict(beta=0.9), TypeError,
                     "adam has no hyperparameter beta = 0.9; it has alpha, "
                     "beta1"),
    "switch": (dict(eps_inside=1e-8), TypeError,
               "eps_inside = 1e-08 must be True or False"),
    "NaN start": (dict(theta0=[1.0, np.nan]), ValueError, "theta0 = .*nan"),
    "no start": (dict(theta0=None), TypeError, "theta0 is missing"),
    "complex start": (dict(theta0=[1j]), TypeError, "theta0 has dtype compl"),
    "no steps": (dict(steps=None), TypeError, "steps is missing"),
    "negative steps": (dict(steps=-1), ValueError, "steps = -1 must be"),
    "half a step": (dict(steps=2.5), TypeError, "steps = 2.5 must be an int"),
    "wrong shape": (dict(grad=lambda x: np.ones(3)), ValueError,
                    r"gradient at step 1 has shape \(3,\), but theta has"),
    "grad not a function": (dict(grad=np.ones(2)), TypeError,
                            "must be a function of theta"),
    "record of none": (dict(record=0), ValueError, "record = 0 must be True"),
    "half a record": (dict(record=1.5), ValueError, "record = 1.5 must be"),
    "project not a function": (dict(project=2), TypeError,
                               "project = 2 must be a function of theta"),
    "projection of another shape": (dict(project=np.sum), ValueError,
                                    r"project returns shape \(\)"),
    "start outside the set": (dict(project=lambda x: np.clip(x, -0.5, 0.5)),
                              ValueError, "theta0 = .* must lie in the set"),
    "rule and gradient swapped": (dict(rule=bowl, grad=adam), TypeError,
                                  "grad is the rule adam: the rule comes fi"),
    "no rule": (dict(rule="adam"), TypeError, "rule = 'adam' must be an upd"),
    "start and steps swapped": (dict(theta0=3, steps=[1.0, 1.0]), TypeError,
                                r"steps = \[1.0, 1.0\] must be an integer; th"),
    "forgotten return": (dict(grad=lambda x: None), TypeError,
                         "grad returned None at step 1.*`return`"),
    "loss and gradient": (dict(grad=lambda x: (x @ x / 2, x)), TypeError,
                          r"tuple of 2 at step 1: if it is \(loss, gradient"),
    "the loss": (dict(grad=lambda x: x @ x / 2), ValueError,
                 "one number, 1, but theta has 2 parameters: is it the loss"),
    "gradient as text": (dict(grad=lambda x: "down"), TypeError,
                         "grad returned 'down' at step 1"),
    "gradient of unequal parts": (dict(grad=lambda x: [[1.0], [1.0, 2.0]]),
                                  TypeError, r"grad returned \[\[1.0\], "),
    "stop not a function": (dict(stop=True), TypeError, "stop = True must be"),
    "rule that returns an array": (
        dict(rule=lambda state, g: state.theta - g), TypeError,
        "returned a ndarray at step 1, but a rule returns the next State"),
    "rule that returns nothing": (dict(rule=lambda state, g: None), TypeError,
                                  "returned None at step 1"),
    "rule that does not count": (
        dict(rule=lambda state, g: state._replace(theta=state.theta - g)),
        ValueError, "returned t = 0 at step 1: a rule counts"),
    "rule that changes the shape": (
        dict(rule=lambda state, g: state._replace(theta=state.theta[:1],
                                                  t=state.t + 1)),
        ValueError, r"returned theta of shape \(1,\) at step 1"),
    "grids that do not fit": (dict(beta1=np.zeros((3, 1)),
                                   beta2=np.zeros((4, 1))), ValueError,
                              r"beta1 \(3, 1\), beta2 \(4, 1\)"),
    "gradient that changes theta": (
        dict(grad=lambda x: np.multiply(x, 2, out=x)), ValueError,
        "grad changes theta in place; it may read it only"),
    "rate as text": (dict(alpha="0.1"), TypeError,
                     "alpha = '0.1' must be a number, an array"),
    "True steps": (dict(steps=True), TypeError, "steps = True must be an int"),
    "no parameters": (dict(theta0=[]), ValueError,
                      r"theta0 has shape \(0,\): it must hold at least one"),
    "masked start": (dict(theta0=np.ma.array([1.0, 2.0], mask=[0, 1])),
                     TypeError, "theta0 has masked entries"),
    "start of unequal rows": (dict(theta0=[[1.0], [1.0, 2.0]]), ValueError,
                              "theta0 = .* has rows of different lengths"),
    "a class for a rule": (dict(rule=State), TypeError,
                           "rule = .*State.* must be an update rule"),
    "schedule of nothing": (dict(alpha=lambda: 0.1), TypeError,
                            "alpha = .* function of t alone"),
    "schedule of two": (dict(alpha=lambda t, theta: 0.1), TypeError,
                        "alpha = .* function of t alone"),
    "schedule that returns nothing": (dict(alpha=lambda t: None), TypeError,
                                      "alpha = None must be a number"),
    "stop that says nothing": (dict(stop=lambda x: None), TypeError,
                               "stop returned .*None.* must return True or"),
    "stop with a word a coordinate": (dict(stop=lambda x: x < 0), TypeError,
                                      r"stop returned .* entry a run"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_names_the_argument_its_value_and_what_is_allowed(case):
    change, error, message = BAD[case]
    arguments = dict(rule=adam, grad=bowl, theta0=[1.0, 1.0], steps=3)
    with pytest.raises(error, match=message):
        run(**{**arguments, **change})


BAD_STREAMS = {
    "both": (dict(grad=bowl), TypeError, "either grad.*or gradients"),
    "neither": (dict(gradients=None), TypeError, "either grad.*or gradients"),
    "NaN": (dict(gradients=[[1.0, 1.0], [1.0, np.nan]]), ValueError,
            r"gradients at step 2 are .*nan"),
    "length": (dict(steps=5), ValueError, "steps = 5, but gradients has 3"),
    "parameters": (dict(gradients=np.ones((3, 4))), ValueError,
                   r"theta0 \(2,\), one step of gradients \(4,\)"),
    "one gradient": (dict(gradients=[1.0, 1.0]), ValueError,
                     r"gradients has shape \(2,\), but it must be \(steps"),
    "a number": (dict(gradients=1.0), ValueError, "leading axis of steps"),
    "none": (dict(gradients=np.ones((0, 2))), ValueError,
             r"gradients has shape \(0, 2\), but it must hold at least one"),
}


@pytest.mark.parametrize("case", BAD_STREAMS)
def test_a_bad_stream_says_what_is_wrong(case):
    change, error, message = BAD_STREAMS[case]
    arguments = dict(rule=adam, theta0=[1.0, 1.0], gradients=np.ones((3, 2)))
    with pytest.raises(error, match=message):
        run(**{**arguments, **change})


def test_more_parameters_than_theta0_are_refused():
    with pytest.raises(ValueError, match="shapes do not fit"):
        run(adam, theta0=[1.0], gradients=np.ones((3, 2)))


@given(st.integers(1, 40), st.floats(0.0, 0.99))
def test_the_centered_variance_is_never_recorded_as_something_else(t, beta2):
    path = run(rmsprop_centered, theta0=[0.0], gradients=np.ones((t, 1)),
               beta2=beta2, eps=1.0)
    np.testing.assert_allclose(
        path.v[1:, 0] - path.m[1:, 0] ** 2,
        [beta2**k * (1 - beta2**k) for k in range(1, t + 1)], atol=1e-14)


# ---- gradients that are not written for batches ----------------------------


def first_is_flat(theta):
    """A bowl for one point; given a batch, it takes runs for parameters."""
    return np.array([theta[0], 50 * theta[1]])


NOT_FOR_BATCHES = {
    "indexed from the front": first_is_flat,
    "summed over all runs": lambda theta: theta.sum() * np.ones_like(theta),
    "a matrix on the wrong side": lambda theta: np.array([[1.0, 3.0],
                                                          [0.0, 2.0]]) @ theta,
    "normed over all runs": lambda theta: theta / np.linalg.norm(theta),
    "maximum of all runs": lambda theta: theta * (theta == theta.max()),
}


@pytest.mark.parametrize("case", NOT_FOR_BATCHES)
def test_a_gradient_that_is_not_written_for_batches_is_refused(case):
    grad = NOT_FOR_BATCHES[case]
    rates = np.array([[0.01], [0.02]])
    with pytest.raises(ValueError, match="grad is not written for a batch"):
        run(adam, grad, [1.0, 2.0], 5, alpha=rates)
    assert run(adam, grad, [1.0, 2.0], 5).theta.shape == (6, 2)


def test_runs_that_begin_alike_are_told_apart_at_the_second_step():
    with pytest.raises(ValueError, match="not written for a batch"):
        run(gradient_descent, lambda theta: theta[0] * np.ones_like(theta),
            [1.0, 1.0], 5, alpha=np.array([[0.1], [0.2]]))


def test_a_gradient_with_something_of_its_own_for_every_run_is_accepted():
    curvature = np.array([[1.0], [50.0]])
    path = run(gradient_descent, lambda theta: curvature * theta,
               np.ones((2, 3)), 4, alpha=0.01)
    np.testing.assert_allclose(path.theta[4, 1], 0.5**4)


def test_a_random_gradient_is_not_called_twice():
    rng, calls = np.random.default_rng(0), []

    def noisy(theta):
        calls.append(1)
        return theta + rng.standard_normal(theta.shape)

    run(adam, noisy, [1.0, 1.0], 6, alpha=np.array([[0.1], [0.2]]))
    assert len(calls) == 6


def test_a_loss_given_for_a_batch_is_refused():
    with pytest.raises(ValueError, match="one number for one run, 5, .*is it the loss"):
        run(adam, lambda theta: (theta**2).sum(-1), [1.0, 2.0], 5,
            alpha=np.array([[0.01], [0.02]]))


# ---- going on, and ending early ---------------------------------------------


@pytest.mark.parametrize("rule", [adam, adamw, amsgrad, momentum, rmsprop,
                                  rmsprop_centered])
@pytest.mark.parametrize("record", [True, False, 7])
def test_two_halves_are_one_run_bit_for_bit(rule, record):
    whole = run(rule, bowl, [1.0, 2.0], 30, alpha=lambda t: 0.01 / t)
    first = run(rule, bowl, [1.0, 2.0], 12, alpha=lambda t: 0.01 / t,
                record=record)
    second = run(rule, bowl, first, 18, alpha=lambda t: 0.01 / t)
    np.testing.assert_array_equal(second.t, np.arange(12, 31))
    np.testing.assert_array_equal(second.theta, whole.theta[12:])
    for name in "b", "m", "v", "v_max":
        if getattr(whole, name) is not None:
            np.testing.assert_array_equal(getattr(second, name),
                                          getattr(whole, name)[12:])


def test_a_stream_goes_on_where_the_first_half_ended():
    stream = np.random.default_rng(3).standard_normal((20, 2))
    whole = run(rmsprop, theta0=[0.0, 0.0], gradients=stream, v0=1.0)
    first = run(rmsprop, theta0=[0.0, 0.0], gradients=stream[:9], v0=1.0)
    second = run(rmsprop, theta0=first, gradients=stream[9:], v0=1.0)
    np.testing.assert_array_equal(second.theta, whole.theta[9:])


def test_a_batch_goes_on_too():
    rates = np.array([[0.01], [0.1]])
    whole = run(adam, bowl, [1.0, 2.0], 20, alpha=rates)
    half = run(adam, bowl, [1.0, 2.0], 10, alpha=rates, record=False)
    np.testing.assert_array_equal(
        run(adam, bowl, half, 10, alpha=rates).theta, whole.theta[10:])


def test_a_run_ends_where_stop_is_true_for_all():
    rates = np.array([[0.01], [0.005]])
    path = run(gradient_descent, bowl, [1.0, 1.0], 1000, alpha=rates,
               stop=lambda theta: np.abs(theta).max(-1) < 0.5)
    whole = run(gradient_descent, bowl, [1.0, 1.0], 1000, alpha=rates)
    reached = (np.abs(whole.theta).max(-1) < 0.5).all(-1).argmax()
    assert path.t[-1] == reached
    np.testing.assert_array_equal(path.theta, whole.theta[:reached + 1])
    thin = run(gradient_descent, bowl, [1.0, 1.0], 1000, alpha=rates,
               stop=lambda theta: np.abs(theta).max(-1) < 0.5, record=100)
    assert thin.t[-1] == reached


# ---- what a precision cannot hold -------------------------------------------


def test_an_infinite_v_is_reported():
    stream = np.ones((5, 2), np.float32)
    stream[2, 0] = 1e25   # its square is beyond float32
    path = run(adam, theta0=np.zeros(2, np.float32), gradients=stream)
    assert np.isfinite(path.theta).all()
    np.testing.assert_array_equal(path.diverged,
                                  [False, False, False, True, True, True])


def test_divergence_in_single_precision_is_a_result_too():
    path = run(gradient_descent, lambda x: x**3 - x**3 + 2e19 * x,
               np.ones(1, np.float32), 30, alpha=1.0)
    assert path.diverged[-1]


RULES = [adam, adamw, adagrad, amsgrad, gradient_descent, momentum, nesterov,
         rmsprop, rmsprop_centered, rmsprop_momentum, sign_descent]


@pytest.mark.parametrize("rule", RULES)
def test_a_gradient_function_may_fill_one_array_again_and_again(rule):
    one = np.empty(2)
    filled = run(rule, lambda x: np.multiply(x, [1, 3], out=one), [1.0, 2.0],
                 5, alpha=0.1)
    fresh = run(rule, lambda x: x * [1, 3], [1.0, 2.0], 5, alpha=0.1)
    for again, right in zip(filled, fresh):
        if right is not None:
            np.testing.assert_array_equal(again, right)


def test_an_error_of_the_gradient_function_is_its_own():
    def grad(theta):
        raise ValueError("no such batch")
    with pytest.raises(ValueError, match="^no such batch$"):
        run(adam, grad, [1.0], 3)


def test_a_schedule_may_be_a_function_that_does_not_say_its_arguments():
    built_in = run(gradient_descent, bowl, [1.0, 2.0], 5, alpha=np.sqrt)
    written = run(gradient_descent, bowl, [1.0, 2.0], 5,
                  alpha=lambda t: np.sqrt(t))
    np.testing.assert_array_equal(built_in.theta, written.theta)


def test_a_projection_in_place_leaves_the_start_of_the_caller():
    start = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="must lie in the set"):
        run(adam, bowl, start, 2,
            project=lambda x: np.clip(x, -1.5, 1.5, out=x))
    np.testing.assert_array_equal(start, [1.0, 2.0])
