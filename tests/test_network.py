"""The network's gradients are exact; a grid of runs equals the single runs."""

import warnings
from functools import partial

import numpy as np
import pytest
import sympy

from descent import (State, adam, adamw, amsgrad, gradient_descent, momentum,
                     network, rmsprop, rmsprop_momentum)
from descent.recorded.data import digits, split
from descent.network import Network, train

# every kind of network the chapters train
NETWORKS = {
    "digits": Network(),
    "softmax regression": Network((64, 10)),
    "tanh": Network((64, 5, 7, 10), "tanh"),
    "deep sigmoid": Network((64, *[32] * 8, 10), "sigmoid"),
}


@pytest.fixture(params=NETWORKS)
def net(request):
    return NETWORKS[request.param]


@pytest.fixture(scope="module")
def parts():
    return [(X / 16, y) for X, y in split(*digits())]


@pytest.fixture(scope="module")
def examples(parts):
    X, y = parts[0]
    return X[:54], y[:54]


def everything(result):
    """All arrays of a Training."""
    return [np.asarray(field) for field in (*result.state, *result[1:])
            if field is not None]


def assert_same(result, other):
    pairs = list(zip(everything(result), everything(other), strict=True))
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def pick(result, *index):
    """One run of a grid."""
    state = State(*(field if np.ndim(field) == 0 else field[index]
                    for field in result.state))
    return result._replace(state=state, **{
        name: getattr(result, name)[:, *index] for name in result._fields[1:]
        if getattr(result, name) is not None})


# -- gradients ----------------------------------------------------------------


def test_gradient_is_the_derivative_of_the_loss(net, examples):
    # complex step: no subtraction, so it errs by rounding alone; parameters
    # of all layers, since each of the rows tests one
    rng = np.random.default_rng(5)
    theta = net.init(3) + 0.1 * rng.standard_normal(net.size)
    tested = rng.choice(net.size, size=60, replace=False)
    steps = np.zeros((60, net.size), dtype=complex)
    steps[np.arange(60), tested] = 1e-30j
    derivative = net.loss(theta + steps, *examples).imag / 1e-30
    gradient = net.grad(theta, *examples)
    assert np.abs(derivative - gradient[tested]).max() < (
        1e-13 * np.abs(gradient).max())


def test_gradient_equals_central_differences(examples):
    net = NETWORKS["tanh"]
    theta, h = net.init(3), 1e-5
    shifts = h * np.eye(net.size)
    difference = (net.loss(theta + shifts, *examples)
                  - net.loss(theta - shifts, *examples)) / (2 * h)
    # h²/6 times a third derivative of order one, plus rounding 1e-16 / h
    np.testing.assert_allclose(net.grad(theta, *examples), difference,
                               atol=1e-9)


def test_gradient_of_a_tiny_network_agrees_with_sympy():
    net = Network((2, 2, 2), "tanh")
    symbols = sympy.symbols(f"a:{net.size}")
    W1, b1, W2, b2 = (sympy.Matrix(2, 2, symbols[0:4]),
                      sympy.Matrix(1, 2, symbols[4:6]),
                      sympy.Matrix(2, 2, symbols[6:10]),
                      sympy.Matrix(1, 2, symbols[10:12]))
    X, y = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([1, 0])
    loss = 0
    for x, label in zip(X, y):
        h = (sympy.Matrix([x.tolist()]) * W1 + b1).applyfunc(sympy.tanh)
        z = h * W2 + b2
        loss += sympy.log(sum(sympy.exp(entry) for entry in z)) - z[label]
    theta = np.random.default_rng(0).standard_normal(net.size)
    at = dict(zip(symbols, theta))
    exact = [float((loss / 2).diff(symbol).subs(at)) for symbol in symbols]
    np.testing.assert_allclose(net.grad(theta, X, y), exact, rtol=1e-13)
    assert net.loss(theta, X, y) == pytest.approx(float((loss / 2).subs(at)),
                                                  rel=1e-14)


def test_softmax_regression_from_zero_is_known_by_hand(parts):
    X, y = parts[0]
    net, zero = NETWORKS["softmax regression"], np.zeros(650)
    assert net.loss(zero, X, y) == pytest.approx(np.log(10), rel=1e-15)
    onehot = np.eye(10)[y]
    (dW, db), = net.layers(net.grad(zero, X, y))
    np.testing.assert_allclose(dW, X.T @ (0.1 - onehot) / len(X), atol=1e-15)
    np.testing.assert_allclose(db, (0.1 - onehot).mean(axis=0), atol=1e-15)


def test_minibatch_gradients_average_to_the_full_gradient(net, parts):
    X, y = parts[0][0][:1050], parts[0][1][:1050]
    theta = net.init(0)
    batches = net.grad(theta, X.reshape(42, 25, 64), y.reshape(42, 25))
    assert batches.shape == (42, net.size)
    full = net.grad(theta, X, y)
    # sums of a thousand rounded terms, in another order
    assert np.abs(batches.mean(axis=0) - full).max() < (
        1e-13 * np.abs(full).max())


def test_large_outputs_neither_overflow_nor_warn(examples):
    net = NETWORKS["softmax regression"]
    theta = 1e6 * net.init(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(net.loss(theta, *examples))
        assert np.isfinite(net.grad(theta, *examples)).all()


# -- batches ------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7, 54])
def test_batch_of_networks_equals_the_single_ones_bit_for_bit(net, parts,
                                                              count):
    X, y = parts[0][0][:count], parts[0][1][:count]
    theta = net.init(np.arange(6).reshape(2, 3))
    for method in net.loss, net.accuracy, net.grad:
        batch = method(theta, X, y)
        for i in np.ndindex(2, 3):
            assert np.array_equal(method(theta[i], X, y), batch[i])


def test_seeds_equal_single_seeds(net):
    theta = net.init([[4, 5]])
    assert theta.shape == (1, 2, net.size)
    assert np.array_equal(theta[0, 1], net.init(5))
    assert not np.array_equal(theta[0, 0], theta[0, 1])


def test_he_initialisation_has_variance_two_over_inputs(net):
    theta = net.init(range(200))
    for W, b in net.layers(theta):
        assert not b.any()
        # six standard errors of a variance
        error = 6 * np.sqrt(2 / W.size)
        assert W.var() * W.shape[-2] / 2 == pytest.approx(1, abs=error)


def test_layers_are_views_that_cover_theta_once(net):
    theta = np.zeros((2, net.size))
    for W, b in net.layers(theta):
        W += 1
        b += 1
    assert (theta == 1).all()
    assert [W.shape[1:] for W, _ in net.layers(theta)] == [
        *zip(net.sizes, net.sizes[1:])]


HYPER = {  # rule: settings that cover arrays, schedules and switches
    gradient_descent: {"alpha": np.array([0.1, 1.0])[:, None, None]},
    momentum: {"alpha": lambda t: 0.1 / t, "mu": [[[0.5]], [[0.9]]]},
    rmsprop: {"alpha": np.array([1e-3, 1e-2])[:, None, None], "v0": 1.0},
    rmsprop_momentum: {"beta2": np.array([0.9, 0.99])[:, None, None]},
    adam: {"beta1": np.array([0.0, 0.9])[:, None, None], "correct": "none",
           "alpha": lambda t: np.array([[1e-3], [1e-2], [1e-1]]) / t**0.5},
    adamw: {"weight_decay": np.array([0.0, 0.1])[:, None, None]},
    amsgrad: {"alpha": [[[1e-3]], [[1e-2]]], "maximum": "corrected"},
}


def largest_step(before, after):
    return np.abs(after.theta - before.theta).max(axis=-1)


@pytest.mark.parametrize("rule", HYPER, ids=lambda rule: rule.__name__)
def test_grid_equals_single_runs_bit_for_bit(rule, parts):
    net, seeds = Network((64, 6, 10)), np.arange(3)
    options = {"epochs": 2, "batch": 100, "validation": parts[1],
               "watch": largest_step}
    grid = train(net, rule, net.init(seeds), *parts[0], seed=seeds, **options,
                 **HYPER[rule])
    assert grid.loss.shape == grid.validation_accuracy.shape == (3, 2, 3)
    assert grid.watched.shape == (22, 2, 3)
    for i, j in np.ndindex(2, 3):

        def single(value):
            if callable(value):
                return lambda t: single(value(t))
            if isinstance(value, str) or np.ndim(value) == 0:
                return value
            value = np.broadcast_to(value, (2, 3, 1))
            return value[i, j, 0]

        hyper = {name: single(value) for name, value in HYPER[rule].items()}
        run = train(net, rule, net.init(j), *parts[0], seed=j, **options,
                    **hyper)
        assert run.loss.shape == (3,) and run.state.theta.shape == (net.size,)
        assert_same(run, pick(grid, i, j))


@pytest.mark.parametrize("runs", [1, 2, 5, 1000])
def test_results_do_not_depend_on_the_size_of_groups(runs, parts, monkeypatch):
    net, seeds = NETWORKS["digits"], np.arange(4)
    go = partial(train, net, adam, net.init(seeds), *parts[0], epochs=1,
                 seed=seeds, alpha=np.array([1e-3, 1.0, 1e3])[:, None, None],
                 watch=largest_step)
    expected = go()
    monkeypatch.setattr(network, "GROUP_BYTES", runs * net.size * 8)
    assert_same(go(), expected)


def test_train_is_the_plain_loop_it_describes(parts):
    net, (X, y) = NETWORKS["digits"], parts[0]
    result = train(net, adam, net.init(0), X, y, batch=100, epochs=2, seed=7,
                   alpha=lambda t: 0.01 / t)
    state, order = State(net.init(0)), np.random.default_rng([7, 1])
    for _ in range(2):
        examples = order.permutation(len(X))
        for first in range(0, len(X), 100):
            rows = examples[first:first + 100]
            g = net.grad(state.theta, X[rows], y[rows])
            alpha = np.asarray(0.01 / (state.t + 1))
            state = adam(state, g, alpha=alpha, beta1=np.asarray(0.9),
                         beta2=np.asarray(0.999))
    assert state.t == result.state.t == 2 * 11
    assert np.array_equal(state.theta, result.state.theta)
    assert result.loss[-1] == net.loss(state.theta, X, y)
    assert result.accuracy[0] == net.accuracy(net.init(0), X, y)


def test_training_continues_from_its_own_state(parts):
    net = NETWORKS["digits"]
    go = partial(train, net, adam, X=parts[0][0], y=parts[0][1], batch=2000,
                 alpha=lambda t: np.array([[0.01], [0.1]]) / t)
    whole = go(net.init(0), epochs=8)
    half = go(net.init(0), epochs=3)
    # full batches, whose order matters to rounding alone
    rest = go(half.state, epochs=5)
    assert rest.state.t == 8
    np.testing.assert_allclose(rest.loss[-1], whole.loss[-1], rtol=1e-9)


def test_one_seed_gives_one_order_and_many_seeds_many(parts):
    net = NETWORKS["softmax regression"]
    go = partial(train, net, gradient_descent, np.zeros((2, 650)), *parts[0],
                 epochs=1, alpha=0.1)
    common, own = go(seed=3).state.theta, go(seed=[3, 4]).state.theta
    assert np.array_equal(common[0], common[1])
    assert np.array_equal(common[0], own[0])
    assert not np.array_equal(own[0], own[1])


# -- training -----------------------------------------------------------------


def test_full_batch_gradient_descent_lowers_the_loss_at_every_step(parts):
    net = NETWORKS["digits"]
    result = train(net, gradient_descent, net.init([0, 1]), *parts[0],
                   batch=2000, epochs=60, alpha=0.1)
    assert (np.diff(result.loss, axis=0) < 0).all()


def test_adam_reaches_the_known_accuracy_on_the_digits(parts):
    net, seeds = NETWORKS["digits"], np.arange(3)
    result = train(net, adam, net.init(seeds), *parts[0], seed=seeds,
                   validation=parts[1], alpha=0.01)
    # measured over 20 seeds: 0.981 to 0.993 in training, mean 0.961 outside;
    # four standard errors of such a fraction of 359 images are 0.04
    assert result.accuracy[-1].min() > 0.97
    assert abs(result.validation_accuracy[-1].mean() - 0.961) < 0.04
    assert not result.diverged.any()


def test_diverged_runs_are_reported_and_disturb_nobody(parts):
    net = NETWORKS["digits"]
    rates = np.array([0.1, 1e200, 0.1])[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = train(net, gradient_descent, net.init(0), *parts[0],
                       epochs=2, alpha=rates)
    assert result.diverged.tolist() == [False, True, False]
    assert not np.isfinite(result.loss[-1, 1])
    assert np.isnan(result.accuracy[-1, 1])
    alone = train(net, gradient_descent, net.init(0), *parts[0], epochs=2,
                  alpha=0.1)
    assert_same(pick(result, 2), alone)


def test_a_scaled_loss_is_a_rule_that_scales_its_gradient(parts):
    net = NETWORKS["softmax regression"]
    go = partial(train, net, theta0=np.zeros(650), X=parts[0][0],
                 y=parts[0][1], epochs=1, alpha=0.01, beta1=0.9, beta2=0.999,
                 eps=0.0)
    scaled = go(lambda state, g, **hyper: adam(state, 2.0**-20 * g, **hyper))
    # to multiply by a power of two is exact, and Adam at ε = 0 does not see it
    assert np.array_equal(scaled.loss, go(adam).loss)


def test_no_epochs_return_the_start(parts):
    net = NETWORKS["digits"]
    result = train(net, adam, net.init([0, 1]), *parts[0], epochs=0,
                   alpha=lambda t: 1 / t)
    assert np.array_equal(result.state.theta, net.init([0, 1]))
    assert result.loss.shape == (1, 2)


def test_float32_stays_float32(parts):
    net = NETWORKS["digits"]
    theta = net.init(0).astype(np.float32)
    result = train(net, adam, theta, *parts[0], epochs=1, alpha=0.01)
    assert result.state.theta.dtype == result.loss.dtype == np.float32


# -- bad input ----------------------------------------------------------------


@pytest.mark.parametrize("make, message", [
    (lambda: Network((64,)), "sizes must be two or more positive integers"),
    (lambda: Network((64, 0, 10)), "got .64, 0, 10."),
    (lambda: Network((64, 3.5, 10)), "sizes must be two or more positive"),
    (lambda: Network(activation="gelu"), "activation must be one of .'relu'"),
])
def test_bad_networks_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


X, Y = np.zeros((5, 3)), np.array([0, 1, 0, 1, 1])
NET = Network((3, 2))


@pytest.mark.parametrize("arguments, message", [
    ((np.zeros(9), X, Y), "theta must have 8 parameters .* shape .9,."),
    ((np.zeros(8), X[:, :2], Y), r"X must have shape \(examples, 3\)"),
    ((np.zeros(8), X[0], Y), r"X must have shape .* got \(3,\)"),
    ((np.zeros(8), X[:0], Y[:0]), "X must have shape"),
    ((np.zeros(8), X, Y[:4]), "y must have one label per example"),
    ((np.zeros(8), X, Y + 1), "y must hold integers from 0 to 1"),
    ((np.zeros(8), X, Y - 1), "y must hold integers from 0 to 1"),
    ((np.zeros(8), X, Y * 1.0), "y must hold integers from 0 to 1"),
    ((np.zeros(8), X + np.nan, Y), "X holds a NaN or an infinity"),
])
def test_bad_examples_are_refused(arguments, message):
    for method in NET.loss, NET.accuracy, NET.grad:
        with pytest.raises(ValueError, match=message):
            method(*arguments)
    with pytest.raises(ValueError, match=message):
        train(NET, adam, *arguments)


@pytest.mark.parametrize("options, message", [
    ({"batch": 0}, "batch must be an integer of at least 1, got 0"),
    ({"batch": 2.0}, "batch must be"),
    ({"epochs": -1}, "epochs must be an integer of at least 0, got -1"),
    ({"seed": 0.5}, "seed must be"),
    ({"seed": -1}, "seed must be"),
    ({"seed": [0, 1, 2], "alpha": [[0.1], [0.2]]}, "shapes do not fit"),
    ({"alpha": -1.0}, "alpha = -1.0 must be"),
    ({"beta2": 1.0}, "beta2 = 1.0 must be"),
    ({"alpha": [0.1, 0.2]}, "alpha has shape"),
    ({"alpha": lambda t: 2.0 - t}, "alpha = -1.0 must be"),
    ({"rate": 0.1}, "adam has no hyperparameter rate"),
    ({"validation": (X, Y[:3])}, "y must have one label per example"),
])
def test_bad_options_of_train_are_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        train(NET, adam, np.zeros(8), X, Y, **{"batch": 2, **options})


def test_theta0_must_be_finite():
    with pytest.raises(ValueError, match="theta0 .* must be finite"):
        train(NET, adam, np.full(8, np.nan), X, Y)


def test_a_single_output_is_refused():
    """Softmax over one class is always 1: the loss would be 0, and nothing would be learned."""
    with pytest.raises(ValueError, match="last of sizes is 1, but softmax needs two"):
        Network((4, 8, 1))
