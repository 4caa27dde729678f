"""check_gradient: right gradients pass, wrong ones are named."""


import numpy as np
import pytest

from descent import check_gradient, gradients
from descent.network import Network
from descent.problems import Rosenbrock


def f(theta):
    return theta[0] ** 2 + 3 * np.sin(theta[1])


def grad(theta):
    return np.array([2 * theta[0], 3 * np.cos(theta[1])])


def test_a_right_gradient_passes():
    assert check_gradient(f, grad, [0.3, -1.2]) < 1e-8
    valley = Rosenbrock()
    assert check_gradient(valley, valley.grad, [-0.5, 1.3]) < 1e-7
    assert check_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0) < 1e-8


def test_the_network_s_own_gradient_passes():
    network, rng = Network((4, 5, 3), "tanh"), np.random.default_rng(0)
    X, y = rng.standard_normal((6, 4)), rng.integers(0, 3, 6)
    assert check_gradient(lambda theta: network.loss(theta, X, y), lambda theta: network.grad(theta, X, y),
                          network.init(1)) < 1e-7


@pytest.mark.parametrize("wrong, error, message", [
    (lambda t: -grad(t), ValueError, "the sign is wrong"),
    (lambda t: 2 * grad(t), ValueError, "twice the gradient"),
    (lambda t: grad(t) / 2, ValueError, "half the gradient"),
    (lambda t: grad(t) + [0, 0.1], ValueError, "for parameter 1 at theta"),
    (lambda t: grad(t) * [np.nan, 1], ValueError, "says nan for parameter 0"),
    (f, ValueError, "is it the loss"),
    (lambda t: None, TypeError, "does it end in `return`"),
    (lambda t: "uphill", TypeError, "grad returned 'uphill'"),
])
def test_a_wrong_gradient_is_named(wrong, error, message):
    with pytest.raises(error, match=message):
        check_gradient(f, wrong, [0.3, -1.2])


def test_a_loss_that_is_no_number_is_named():
    with pytest.raises(TypeError, match="must return one number"):
        check_gradient(grad, grad, [0.3, -1.2])
    with pytest.raises(ValueError, match="one finite point"):
        check_gradient(f, grad, [[0.3, -1.2]])
    with pytest.raises(ValueError, match="not finite near"):
        check_gradient(lambda t: np.inf, grad, [0.3, -1.2])
