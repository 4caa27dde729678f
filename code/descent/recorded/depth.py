"""What eight layers of sigmoids learn, by rule, by first weights and by minibatches: chapter 16.

`experiments/depth.py` recorded it.  An arm is one change to the plain training; `trained` makes it again.
"""

from functools import cache, partial
from pathlib import Path

import numpy as np

from descent import theory
from descent.network import Network
from descent.recorded.data import digits, split
from descent.rules import State, adam, gradient_descent, rmsprop

FILE = Path(__file__).with_name("depth.npz")
EPOCHS, LONG = 60, 240
TUNING, FRESH = np.arange(10), np.arange(100, 120)
LAYERS, BATCH = 8, 50
NETWORK = Network((64, *[32] * LAYERS, 10), "sigmoid")


def rate_per_layer(state, g, *, alpha):
    """Gradient descent whose rate undoes the factor that each layer has at the start, by (16.1)."""
    c = theory.layer_factor(theory.settled_variance())
    factors = np.empty(NETWORK.size)
    for k, (W, b) in enumerate(NETWORK.layers(factors), 1):
        W[...] = b[...] = c ** (k - 1 - LAYERS)
    return gradient_descent(state, factors * g, alpha=alpha)


def layer_squares(g):
    """For each parameter, the mean square of its layer's weights' gradients; the shape of g."""
    square = np.empty_like(g)
    for (W, b), (sW, sb) in zip(NETWORK.layers(g), NETWORK.layers(square)):
        mean = (W**2).mean((-2, -1))
        sW[...], sb[...] = mean[..., None, None], mean[..., None]
    return square


def steps(epochs):
    """How many minibatches some epochs have."""
    return epochs * (len(examples()[1]) // BATCH)


def capped(state, g, *, alpha, layers):
    """`rate_per_layer`; after one epoch the gradient of `layers` is cut to three times its size in that epoch."""
    square, first = layer_squares(g), state.t < steps(1)
    v = state.v + square / steps(1) if first else state.v
    if not first:
        keep = np.ones_like(g)
        for k in layers:
            for part, has, had in zip(*(NETWORK.layers(a)[k - 1] for a in (keep, square, v))):
                part[...] = np.minimum(1, 3 * np.sqrt(had / has))
        g = keep * g
    return rate_per_layer(state, g, alpha=alpha)._replace(v=v)


def divisor_per_layer(state, g, *, alpha, beta2=0.9, eps=1e-12):
    """RMSprop with one v for each layer, the mean square of its weights' gradients."""
    v = beta2 * state.v + (1 - beta2) * layer_squares(g)
    theta = state.theta - alpha * g / (np.sqrt(v) + eps)
    return State(theta=theta, t=state.t + 1, g=g, v=v)


def frozen_divisor(state, g, *, alpha, epochs):
    """`divisor_per_layer` for some epochs, and from then on with the v of their end."""
    step = divisor_per_layer(state, g, alpha=alpha)
    if step.t <= steps(epochs):
        return step
    theta = state.theta - alpha * g / (np.sqrt(state.v) + 1e-12)
    return step._replace(theta=theta, v=state.v)


def then_descent(state, g, *, alpha, epochs, before):
    """`divisor_per_layer` at the rate `before` for some epochs, and from then on gradient descent."""
    if state.t < steps(epochs):
        return divisor_per_layer(state, g, alpha=before)
    return gradient_descent(state, g, alpha=alpha)


def _without_eps(rule):
    return lambda state, g, *, alpha: rule(state, g, alpha=alpha, eps=1e-12)


_DOWN, _SMALL, _PER_LAYER = np.logspace(-2, 1, 7), np.logspace(-4, -1, 7), np.logspace(-2.25, -0.75, 7)
ARMS = {  # name: (rule, variance of the first weights times inputs, dealt minibatches, rates)
    "gradient descent": (gradient_descent, 2, False, _DOWN),
    "a rate per layer": (rate_per_layer, 2, False, _PER_LAYER),
    "a divisor per layer": (divisor_per_layer, 2, False, _SMALL),
    "RMSprop": (_without_eps(rmsprop), 2, False, _SMALL),
    "Adam": (_without_eps(adam), 2, False, _SMALL),
    "Adam, dealt batches": (_without_eps(adam), 2, True, _SMALL),
    "gradient descent, large weights": (gradient_descent, 32, False, _DOWN),
    "Adam, large weights": (_without_eps(adam), 32, False, _SMALL),
    "a divisor, frozen": (partial(frozen_divisor, epochs=2), 2, False, _SMALL),
    "a divisor, frozen later": (partial(frozen_divisor, epochs=10), 2, False, _SMALL),
    # the rate before is what "a divisor, frozen later" chose: both go on from the same weights
    "a divisor, then descent": (partial(then_descent, epochs=10, before=_SMALL[3]), 2, False, _DOWN),
    "a rate per layer, 1 to 3 capped": (partial(capped, layers=(1, 2, 3)), 2, False, np.logspace(-1.75, -0.25, 7)),
    "a rate per layer, 4 to 9 capped": (partial(capped, layers=range(4, 10)), 2, False, _PER_LAYER),
}
CAPS = list(ARMS)[-2:]
RATES = np.array([rates for *_, rates in ARMS.values()])


@cache
def examples():
    """Images and labels of the training digits, equally many of each class, class after class."""
    (X, y), _, _ = split(*digits())
    each = np.bincount(y).min() // 5 * 5
    chosen = np.concatenate([np.flatnonzero(y == k)[:each] for k in range(10)])
    return X[chosen] / 16, y[chosen]


def order(seed, dealt, epochs):
    """The order of the examples in each epoch, of shape (epochs, examples).

    dealt : every minibatch gets five of each class; else they come at random
    """
    rng, n = np.random.default_rng([seed, 16]), len(examples()[1])
    if not dealt:
        return np.array([rng.permutation(n) for _ in range(epochs)])
    rows = np.arange(n).reshape(10, -1)  # class, example
    return np.array([rng.permuted(rows, axis=1).reshape(10, -1, BATCH // 10).swapaxes(0, 1).ravel()
                     for _ in range(epochs)])


def start(seeds, weight_variance=2):
    """First weights of the network, the hidden layers' of the given variance times inputs."""
    theta = NETWORK.init(seeds)
    for W, _ in NETWORK.layers(theta)[:-1]:
        W *= np.sqrt(weight_variance / 2)
    return theta


def trained(arm, seeds, alpha, epochs, *, weight_variance=None, watch=lambda g: None):
    """Train an arm; return the training losses and accuracies after each epoch, (epochs + 1, seeds).

    weight_variance : of the first weights, where it is not the arm's
    watch : is called with the gradients of each step, shape (seeds, size)
    """
    rule, variance, dealt, _ = ARMS[arm]
    X, y = examples()
    state = State(start(seeds, variance if weight_variance is None else weight_variance))
    orders = np.stack([order(seed, dealt, epochs) for seed in seeds], 1)
    curve = [NETWORK.evaluate(state.theta, X, y)]
    with np.errstate(all="ignore"):
        for epoch in orders:
            for chosen in np.split(epoch, len(y) // BATCH, axis=1):
                g = NETWORK.grad(state.theta, X[chosen], y[chosen])
                watch(g)
                state = rule(state, g, alpha=alpha)
            curve.append(NETWORK.evaluate(state.theta, X, y))
    return np.moveaxis(np.array(curve), 1, 0)


def layer_sizes(g):
    """Root mean square of each layer's weights' gradient, (..., layers)."""
    return np.stack([np.sqrt((W**2).mean((-2, -1))) for W, _ in NETWORK.layers(g)], -1)


def depth():
    """The record, a dict of arrays.

    arm, rate, chosen : names of the arms; their seven rates; the one chosen on seeds 0 to 9
    tuning : training loss at the end, axes (arm, rate, seed 0 to 9)
    loss : training loss of the chosen rate, axes (arm, seed 100 to 119, epoch)
    accuracy : on the training examples at the end, axes (arm, seed)
    descent_fresh : training loss of gradient descent at the end, axes (rate, seed 100 to 119)
    sizes : of each layer's gradient in "a rate per layer", mean of an epoch, axes (seed 100 to 119, epoch, layer)
    capped, capped_sizes : training loss and sizes, before the cap, of the arms `CAPS` at the rate that
        "a rate per layer" chose, axes (arm, seed 100 to 119, epoch) and (arm, seed, epoch, layer)
    slow : training loss of "a rate per layer" at 0.01, a third of the chosen rate, axes (seed 100 to 107, epoch 0 to 240)
    slow_growth : in these runs, the first layer's gradient in its largest epoch over its first, axis (seed)
    """
    with np.load(FILE) as file:
        return dict(file)
