"""A small network with exact gradients; a grid of runs is trained at once.

All weights and biases of a network are one vector θ on the last axis, so that
every rule of `descent.rules` drives it as it drives a function of the plane.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from descent.loop import (
    checked_numbers, checked_start, common_shape, split_hyperparameters,
)
from descent.rules import State

ACTIVATIONS = {  # name: (h as a function of z, dh/dz as a function of h)
    "relu": (lambda z: np.maximum(z, 0), lambda h: h > 0),
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda h: h * (1 - h)),
}

# sizes that fit a processor's cache (the results do not depend on the first):
# the runs of a grid are trained in groups whose θ has this many bytes,
GROUP_BYTES = 2**18
# and evaluated on so many examples at a time
PIECE = 128


@dataclass(frozen=True)
class Network:
    """A fully connected network with softmax outputs and cross-entropy loss.

    h_0 = x,   z_k = h_{k−1} W_k + b_k,   h_k = activation(z_k),
    p = softmax(z_K),   loss = mean of −ln p_y over the examples (nats).

    sizes : units per layer, inputs first; (64, 10) is softmax regression.
        The default is the digits network of the book.
    activation : "relu", "tanh" or "sigmoid", for all layers but the last

    In all methods θ has shape (..., size): parameters last, experiments
    before. X has shape (examples, inputs) and y holds labels 0, 1, … of shape
    (examples,); with axes in front, each experiment has examples of its own.
    Everything is computed in the precision of θ. A batch of experiments
    equals the single ones bit for bit.

    >>> network = Network((2, 3, 2))
    >>> network.size
    17
    >>> theta = network.init(seeds=[0, 1])
    >>> X, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])
    >>> network.loss(theta, X, y).shape, network.grad(theta, X, y).shape
    ((2,), (2, 17))
    """

    sizes: tuple = (64, 32, 10)
    activation: str = "relu"

    def __post_init__(self):
        if len(self.sizes) < 2 or not all(
                isinstance(n, (int, np.integer)) and n > 0
                for n in self.sizes):
            raise ValueError("sizes must be two or more positive integers, "
                             f"got {self.sizes!r}")
        if self.sizes[-1] < 2:
            raise ValueError(f"the last of sizes is {self.sizes[-1]}, but softmax needs two or more "
                             "classes: with one, its output is always 1 and the loss 0. "
                             "This network classifies; it does not fit numbers")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {list(ACTIVATIONS)}, "
                             f"got {self.activation!r}")

    @cached_property
    def size(self):
        """The number of parameters."""
        return sum(n * m + m for n, m in pairwise(self.sizes))

    def init(self, seeds):
        """Starting parameters: normal weights of variance 2/inputs, biases 0.

        seeds : an integer, or an array of them that becomes the experiment
            axes; each draws from a generator of its own

        Source: He, Zhang, Ren and Sun (2015), arXiv 1502.01852, equation (10);
        here for all layers and activations.
        """
        generators = map(np.random.default_rng, np.ravel(seeds))
        theta = np.stack([generator.standard_normal(self.size)
                          for generator in generators])
        for W, b in self.layers(theta):
            W *= np.sqrt(2 / W.shape[-2])
            b[...] = 0
        return theta.reshape(*np.shape(seeds), self.size)

    def layers(self, theta):
        """The pairs (W, b) of all layers: views of θ, or of a gradient, m, v.

        W has shape (..., inputs, outputs), b has shape (..., outputs).
        """
        pairs, start = [], 0
        for n, m in pairwise(self.sizes):
            middle, end = start + n * m, start + n * m + m
            W = theta[..., start:middle].reshape(*theta.shape[:-1], n, m)
            pairs.append((W, theta[..., middle:end]))
            start = end
        return pairs

    def loss(self, theta, X, y):
        """Mean cross-entropy in nats, shape (...)."""
        return self.evaluate(theta, X, y)[0]

    def accuracy(self, theta, X, y):
        """Fraction of examples whose largest output is right, shape (...).

        NaN where the loss is not finite.
        """
        return self.evaluate(theta, X, y)[1]

    def evaluate(self, theta, X, y):
        """(loss, accuracy), from one pass through the network."""
        theta, X, y = self._check(theta, X, y)
        z = np.concatenate([
            self._forward(theta, X[..., i:i + PIECE, :])[-1]
            for i in range(0, X.shape[-2], PIECE)], axis=-2)
        labels = np.broadcast_to(y, z.shape[:-1])
        correct = np.argmax(z, axis=-1) == labels
        z -= z.max(axis=-1, keepdims=True)
        at_label = np.take_along_axis(z, labels[..., None], axis=-1)[..., 0]
        loss = (np.log(np.exp(z).sum(axis=-1)) - at_label).mean(axis=-1)
        accuracy = correct.mean(axis=-1, dtype=theta.real.dtype)
        return loss, np.where(np.isfinite(loss), accuracy, np.nan)[()]

    def grad(self, theta, X, y):
        """Gradient of the loss by backpropagation, shape (..., size).

        With δ_k = ∂loss/∂z_k, one row per example:
        δ_K = (p − onehot(y)) / examples,
        ∂loss/∂W_k = h_{k−1}ᵀ δ_k,   ∂loss/∂b_k = sum of δ_k over examples,
        δ_{k−1} = (δ_k W_kᵀ) · activation'(z_{k−1}).

        Source: Rumelhart, Hinton and Williams (1986), Nature 323, 533–536.
        """
        theta, X, y = self._check(theta, X, y)
        *inputs, z = self._forward(theta, X)
        derivative = ACTIVATIONS[self.activation][1]
        delta = np.exp(z - z.max(axis=-1, keepdims=True))
        delta /= delta.sum(axis=-1, keepdims=True)
        delta -= np.eye(self.sizes[-1], dtype=delta.dtype)[y]
        delta /= X.shape[-2]
        g = np.empty((*delta.shape[:-2], self.size), dtype=delta.dtype)
        steps = list(zip(self.layers(theta), self.layers(g), inputs))
        for k, ((W, _), (dW, db), h) in reversed(list(enumerate(steps))):
            dW[...] = np.swapaxes(h, -1, -2) @ delta
            db[...] = delta.sum(axis=-2)
            if k:
                delta = delta @ np.swapaxes(W, -1, -2)
                delta *= derivative(h)
        return g

    def _forward(self, theta, X):
        """[h_0, …, h_{K−1}, z_K]: the inputs of all layers and the output."""
        activation = ACTIVATIONS[self.activation][0]
        inputs = []
        for W, b in self.layers(theta):
            inputs.append(activation(z) if inputs else X)
            z = inputs[-1] @ W
            z += b[..., None, :]
        return [*inputs, z]

    def _check(self, theta, X, y):
        theta, y = np.asarray(theta), np.asarray(y)
        X = np.asarray(X, dtype=theta.dtype)
        if theta.shape[-1:] != (self.size,):
            raise ValueError(f"theta must have {self.size} parameters on its "
                             f"last axis, got shape {theta.shape}")
        if X.ndim < 2 or X.shape[-1] != self.sizes[0] or not X.size:
            raise ValueError(f"X must have shape (examples, {self.sizes[0]}), "
                             f"got {X.shape}")
        if not np.isfinite(X).all():
            raise ValueError("X holds a NaN or an infinity, but it must be finite")
        if y.shape != X.shape[:-1]:
            raise ValueError(f"y must have one label per example, shape "
                             f"{X.shape[:-1]}, got {y.shape}")
        largest = self.sizes[-1] - 1
        if y.dtype.kind not in "iu" or y.min() < 0 or y.max() > largest:
            raise ValueError(f"y must hold integers from 0 to {largest}, "
                             f"got {y!r}")
        return theta, X, y


class Training(NamedTuple):
    """What `train` returns; `...` stands for the axes of the grid.

    state : the rule's State after the last step, θ of shape (..., size);
        given to `train` as theta0, it continues
    loss, accuracy : on all training examples, shape (epochs + 1, ...);
        entry 0 is the start
    validation_loss, validation_accuracy : likewise, where asked for
    watched : what `watch` returned at each step, shape (steps, ..., *its own)
    """

    state: State
    loss: np.ndarray
    accuracy: np.ndarray
    validation_loss: np.ndarray = None
    validation_accuracy: np.ndarray = None
    watched: np.ndarray = None

    @property
    def diverged(self):
        """True where θ or the last loss is infinite or NaN; shape (...)."""
        return self.state.diverged | ~np.isfinite(self.loss[-1])


def train(network, rule, theta0, X, y, *, batch=64, epochs=15, seed=0,
          validation=None, watch=None, **hyper):
    """Train a grid of networks by minibatches, all runs at once.

    network : a `Network`
    rule : an update rule such as `descent.adam`, or any function
        (state, g, **hyper) → state; to scale the loss by 1000, say,
        ``lambda state, g, **hyper: adam(state, 1000 * g, **hyper)``
    theta0 : parameters to start at, shape (..., size), as from
        ``network.init(seeds)``; or the State of an earlier training
    X, y : training examples, shape (examples, inputs), and their labels
    batch : examples per step (64); the last batch of an epoch is smaller
        where the division leaves a rest
    epochs : times each example is used (15)
    seed : decides the order of the examples, new in each epoch; an integer
        for the same order in all runs, or an array of them that broadcasts
        with the experiment axes of theta0
    validation : a pair (X, y) on which loss and accuracy are also recorded
    watch : a function (before, after) of the State before and after a step
        that returns an array to record. It is called with groups of runs on
        one leading axis, and its result must have that axis first, such as
        ``lambda before, after: np.abs(after.theta - before.theta).max(-1)``
    hyper : as for `descent.run`: numbers, arrays of shape (..., 1) that
        broadcast over the grid, or functions of t = 1, 2, … for schedules

    The defaults are those of the book's comparisons (chapter 12).
    The grid's shape is that of theta0 (without its last axis), seed and
    hyperparameters (likewise), broadcast together. A run that diverges ends
    in inf or NaN and does not disturb the others: see `Training.diverged`.
    A grid equals the single runs bit for bit.
    Raises ValueError or TypeError for an argument that is not allowed.

    >>> from descent.recorded.data import digits, split
    >>> from descent.rules import adam
    >>> (X, y), _, _ = split(*digits())
    >>> network, rates = Network(), np.array([[[1e-4]], [[1e-2]]])
    >>> result = train(network, adam, network.init([0, 1, 2]), X / 16, y,
    ...                epochs=1, seed=[0, 1, 2], alpha=rates)
    >>> result.loss.shape, result.state.theta.shape
    ((2, 2, 3), (2, 3, 2410))
    """
    for name, value, least in ("batch", batch, 1), ("epochs", epochs, 0):
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name} must be an integer of at least {least}, "
                             f"got {value!r}")
    seed = np.asarray(seed)
    if seed.dtype.kind not in "iu" or seed.min() < 0:
        raise ValueError("seed must be an integer of at least 0, or an array "
                         f"of them, got {seed!r}")
    start = theta0 if isinstance(theta0, State) else State(checked_start(theta0))
    pairs = [(X, y)] if validation is None else [(X, y), validation]
    pairs = [network._check(start.theta, *pair)[1:] for pair in pairs]
    dtype = start.theta.dtype
    steps = range(start.t + 1, start.t + 1 + epochs * -(-len(X) // batch))
    constant, schedules, switches = split_hyperparameters(rule, hyper, dtype)
    schedules = {t: {name: checked_numbers(name, schedule(t), dtype)
                     for name, schedule in schedules.items()} for t in steps}
    *shape, _ = common_shape(start.theta, None, {
        **constant, **schedules.get(start.t + 1, {}),
        "seed[..., None]": seed[..., None]})

    constant, start = _rows(constant, shape), _rows(start._asdict(), shape)
    schedules = {t: _rows(now, shape) for t, now in schedules.items()}
    seeds = np.broadcast_to(seed, shape).ravel()
    orders = {s: _orders(s, len(X), epochs) for s in set(seeds.tolist())}
    runs = max(1, GROUP_BYTES // start["theta"][0].nbytes)
    groups = []
    with np.errstate(all="ignore"):
        for first in range(0, len(seeds), runs):
            group = slice(first, first + runs)
            groups.append(_train_group(
                network, partial(rule, **switches), pairs, batch, watch,
                state=State(**_take(start, group)),
                hyper=lambda t: _take({**constant, **schedules[t]}, group),
                order=np.stack([orders[s] for s in seeds[group].tolist()], 1)))
    states, curves, watched = zip(*groups)
    state = State(*(_join(field, shape, axis=0) for field in zip(*states)))
    curves = _join(curves, shape, axis=2)
    return Training(state, *np.moveaxis(curves, 1, 0),
                    watched=watch and _join(watched, shape, axis=1))


def _train_group(network, rule, pairs, batch, watch, state, hyper, order):
    """Train the runs of one group, one leading axis in `state` and `order`."""
    X, y = pairs[0]

    def evaluate():
        return [curve for pair in pairs
                for curve in network.evaluate(state.theta, *pair)]

    curves, watched = [evaluate()], []
    for epoch in order:
        for chosen in np.split(epoch, range(batch, len(X), batch), axis=1):
            before = state
            g = network.grad(state.theta, X[chosen], y[chosen])
            state = rule(state, g, **hyper(state.t + 1))
            if watch:
                watched.append(watch(before, state))
        curves.append(evaluate())
    return state, np.array(curves), np.array(watched)


def _orders(seed, examples, epochs):
    """The order of the examples in each epoch, shape (epochs, examples)."""
    generator = np.random.default_rng([seed, 1])  # not the one of `init`
    return np.array([generator.permutation(examples) for _ in range(epochs)],
                    dtype=int).reshape(epochs, examples)


def _rows(values, shape):
    """The values, if not single numbers, with all runs on one leading axis."""
    return {name: value if np.ndim(value) == 0 else np.broadcast_to(
                value, (*shape, value.shape[-1])).reshape(-1, value.shape[-1])
            for name, value in values.items()}


def _take(values, group):
    return {name: value if np.ndim(value) == 0 else value[group]
            for name, value in values.items()}


def _join(groups, shape, axis):
    """Put groups together along `axis`, which becomes the grid's axes."""
    if np.ndim(groups[0]) == 0:
        return groups[0]
    joined = np.concatenate(groups, axis)
    return joined.reshape(
        *joined.shape[:axis], *shape, *joined.shape[axis + 1:])
