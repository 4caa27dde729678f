"""The in-place Adam equals the readable rule to rounding, and says what it cannot do."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import State, adam, run
from descent.inplace import InPlaceAdam

# some roundings a step, relative to the steps that were made
ROUNDING = {np.float32: 2e-6, np.float64: 4e-15}


def gradients(steps, shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((steps, *shape)) ** 3).astype(dtype)


def both(theta0, stream, block_bytes=128 * 1024, **hyper):
    """θ, m, v of the readable rule and the in-place optimizer."""
    theta0 = np.asarray(theta0)
    state, optimizer = State(theta=theta0), InPlaceAdam(
        theta0.copy(), block_bytes=block_bytes, **hyper)
    hyper = {name: theta0.dtype.type(x) for name, x in hyper.items()}
    for g in stream:
        state = adam(state, g, **hyper)
        optimizer.step(g)
    assert optimizer.t == state.t
    return state, optimizer


def assert_same(state, optimizer, travel):
    for name in ("theta", "m", "v"):
        a, b = getattr(state, name), getattr(optimizer, name)
        assert a.shape == b.shape and a.dtype == b.dtype, name
        scale = travel if name == "theta" else np.abs(a).max(initial=0)
        np.testing.assert_allclose(
            b, a, rtol=0, atol=ROUNDING[b.dtype.type] * (scale + 1e-300))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 7, 64, 1000])
@pytest.mark.parametrize("block", [1, 3, 64, 999, 1000, 4096])
def test_it_makes_the_steps_of_the_readable_rule(dtype, n, block):
    theta0 = np.random.default_rng(1).standard_normal(n).astype(dtype)
    state, optimizer = both(theta0, gradients(30, (n,), dtype), alpha=0.01,
                            block_bytes=block * np.dtype(dtype).itemsize)
    assert_same(state, optimizer, 4.0)  # θ itself is rounded, size 3 and less


@given(st.integers(1, 40), st.integers(1, 50), st.floats(0, 0.99),
       st.floats(0, 0.9999), st.sampled_from([0.0, 1e-8, 0.1]),
       st.floats(1e-4, 1.0), st.integers(0, 99))
def test_it_does_so_for_all_settings(n, block, beta1, beta2, eps, alpha, seed):
    theta0 = np.zeros(n)
    stream = gradients(12, (n,), float, seed)
    state, optimizer = both(theta0, stream, block_bytes=8 * block, alpha=alpha,
                            beta1=beta1, beta2=beta2, eps=eps)
    # 1 − β^t loses digits for small 1 − β, in the same way on both sides
    longest = np.abs(np.diff(run(adam, theta0=theta0, gradients=stream,
                                 alpha=alpha, beta1=beta1, beta2=beta2,
                                 eps=eps).theta, axis=0)).max()
    assert_same(state, optimizer, 12 * longest)


def test_it_changes_the_array_it_was_given_and_returns_nothing():
    theta = np.ones(5)
    optimizer = InPlaceAdam(theta)
    assert optimizer.step(np.ones(5)) is None
    assert optimizer.theta is theta
    np.testing.assert_allclose(theta, 1 - 0.001)


def test_a_view_of_a_larger_array_changes_there_and_nowhere_else():
    whole = np.zeros((4, 6))
    optimizer = InPlaceAdam(whole[1:3], alpha=0.5, block_bytes=40)
    optimizer.step(np.full((2, 6), 3.0))
    np.testing.assert_allclose(whole[1:3], -0.5)
    assert not whole[0].any() and not whole[3].any()


def test_a_strided_vector_is_changed_in_place():
    whole, g = np.zeros(9), np.arange(1.0, 6)
    InPlaceAdam(whole[::2], alpha=0.5, block_bytes=16).step(g)
    np.testing.assert_allclose(whole[::2], -0.5)
    assert not whole[1::2].any()


def test_any_shape_and_an_empty_one():
    for shape in ((), (2, 3, 4), (0,)):
        theta = np.zeros(shape)
        InPlaceAdam(theta, alpha=0.5).step(np.ones(shape))
        np.testing.assert_allclose(theta, np.full(shape, -0.5))


def test_a_gradient_that_shares_memory_is_read_before_it_is_changed():
    """θ itself is the gradient of ½ θ²; backwards, blocks would collide."""
    for view in (slice(None), slice(None, None, -1)):
        theta0 = np.arange(1.0, 11)
        theta = theta0.copy()
        InPlaceAdam(theta, alpha=0.5, eps=1.0, block_bytes=24).step(theta[view])
        expected = adam(State(theta=theta0), theta0[view], alpha=0.5, eps=1.0)
        np.testing.assert_allclose(theta, expected.theta, rtol=1e-14)
    optimizer = InPlaceAdam(np.zeros(6), alpha=0.5, block_bytes=16)
    optimizer.step(np.arange(1.0, 7))
    m, v = optimizer.m.copy(), optimizer.v.copy()
    optimizer.step(optimizer.m[::-1])
    np.testing.assert_allclose(optimizer.m, 0.9 * m + 0.1 * m[::-1])
    np.testing.assert_allclose(optimizer.v, 0.999 * v + 0.001 * m[::-1] ** 2)


def test_the_gradient_is_left_as_it_was():
    g = np.arange(5.0)
    InPlaceAdam(np.zeros(5)).step(g)
    np.testing.assert_array_equal(g, np.arange(5.0))


def test_a_gradient_of_another_kind_is_converted():
    theta = np.zeros(3, np.float32)
    InPlaceAdam(theta, alpha=0.5).step([1, -2, 3])
    np.testing.assert_allclose(theta, [-0.5, 0.5, -0.5])


def test_without_eps_a_coordinate_that_never_had_a_gradient_stays():
    theta = np.zeros(4)
    optimizer = InPlaceAdam(theta, alpha=0.5, eps=0.0)
    with np.errstate(all="raise"):
        optimizer.step(np.array([1.0, 0.0, -1.0, 0.0]))
    np.testing.assert_allclose(theta, [-0.5, 0.0, 0.5, 0.0], rtol=1e-15)


def test_the_rate_may_follow_a_schedule():
    theta = np.zeros(1)
    optimizer = InPlaceAdam(theta)
    for t in range(1, 9):
        optimizer.alpha = 0.1 / t
        optimizer.step(np.ones(1))
    expected = run(adam, theta0=np.zeros(1), gradients=np.ones((8, 1)),
                   alpha=lambda t: 0.1 / t).theta[-1]
    np.testing.assert_allclose(theta, expected, rtol=1e-12)


def test_no_array_of_the_size_of_theta_is_made_in_a_step():
    import tracemalloc

    optimizer = InPlaceAdam(np.zeros(10**6, np.float32))
    g = np.ones(10**6, np.float32)
    optimizer.step(g)
    tracemalloc.start()
    optimizer.step(g)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000


@pytest.mark.parametrize("theta, error, words", [
    ([1.0, 2.0], TypeError, "array"),
    (np.array([1, 2]), TypeError, "floats"),
    (np.array([1.0, np.nan]), ValueError, "finite"),
    (np.ones((4, 6))[:, 1:4], ValueError, "contiguous"),
    (np.broadcast_to(1.0, 3), ValueError, "read-only"),
])
def test_an_array_that_cannot_be_changed_in_place_is_refused(theta, error, words):
    with pytest.raises(error, match=words):
        InPlaceAdam(theta)


@pytest.mark.parametrize("hyper", [
    {"alpha": -1.0}, {"beta1": 1.0}, {"beta2": -0.1}, {"eps": -1e-8},
    {"alpha": np.array([0.1, 0.2])[:, None]}, {"block_bytes": 4}])
def test_a_bad_hyperparameter_is_named(hyper):
    with pytest.raises(ValueError, match=next(iter(hyper))):
        InPlaceAdam(np.zeros(3), **hyper)


@pytest.mark.parametrize("name, value", [("alpha", -1.0), ("beta2", 2.0), ("eps", np.nan), ("alpha", np.array([0.1, 0.2]))])
def test_a_hyperparameter_that_is_changed_between_steps_is_named(name, value):
    theta = np.ones(3)
    optimizer = InPlaceAdam(theta)
    setattr(optimizer, name, value)
    with pytest.raises(ValueError, match=f"{name} = "):
        optimizer.step(np.ones(3))
    assert optimizer.t == 0 and (theta == 1).all()


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(4,\).*\(3,\)"):
        InPlaceAdam(np.zeros(3)).step(np.zeros(4))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
                         ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("shape, block", [((5,), 1024), ((40, 3), 64)])
def test_a_copy_goes_on_alone_and_bit_for_bit(again, shape, block):
    rng = np.random.default_rng(0)
    stream = rng.standard_normal((12, *shape))
    one = InPlaceAdam(np.ones(shape), alpha=0.1, block_bytes=block)
    for g in stream[:6]:
        one.step(g)
    two = again(one)
    before = two.theta.copy()
    for g in stream[6:]:
        one.step(g)
    np.testing.assert_array_equal(two.theta, before)   # nothing is shared
    for g in stream[6:]:
        two.step(g)
    assert two.t == one.t == 12
    for name in "theta", "m", "v":
        np.testing.assert_array_equal(getattr(two, name), getattr(one, name))


def test_an_array_that_is_not_contiguous_survives_pickling():
    one = InPlaceAdam(np.ones(10)[::2], alpha=0.1)
    one.step(np.ones(5))
    two = pickle.loads(pickle.dumps(one))
    one.step(np.ones(5))
    two.step(np.ones(5))
    np.testing.assert_array_equal(two.theta, one.theta)


def test_in_place_an_eps_below_the_precision_is_zero():
    one = InPlaceAdam(np.ones(2, np.float32), eps=1e-60)
    one.step(np.array([0.0, 1.0], np.float32))
    assert one.theta[0] == 1 and np.isfinite(one.theta).all()
