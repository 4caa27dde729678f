"""Test problems with exact gradients, and gradient streams of the literature.

Functions: parameters are on the last axis, experiments on the axes before it,
so `problem(theta)` has the shape of theta without its last axis
and `problem.grad(theta)` has the shape of theta.

Streams: arrays of shape (steps, 1), entry t - 1 being the gradient of step t.
A number of a stream may be an array that ends in an axis of length 1, as for
`run`: the stream then has shape (steps, *array.shape), one stream per entry.
A seed may be a list of seeds: the stream then has shape (steps, seeds, 1).
"""

from dataclasses import dataclass
from operator import index

import numpy as np


def _parameters(theta, size):
    theta = np.asarray(theta)
    if theta.ndim == 0 or theta.shape[-1] != size:
        raise ValueError(
            f"theta must have {size} parameters on its last axis, "
            f"got shape {theta.shape}"
        )
    return theta.astype(np.result_type(theta, 1.0), order="C", copy=False)


def _require(condition, name, value, allowed):
    if not np.all(condition):
        raise ValueError(f"{name} must be {allowed}, got {value!r}")


def _count(name, value, least):
    """`value` as an int, if it is one and not below `least`."""
    try:
        whole = index(value)
    except TypeError:
        whole = None
    _require(whole is not None and whole >= least, name, value,
             f"an integer of at least {least}")
    return whole


# -- functions ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Quadratic:
    """f(θ) = ½ θᵀHθ with gradient Hθ and its minimum 0 at θ = 0.

    H: symmetric, shape (d, d); or (*experiments, d, d), one problem for each.
    rotation: the R of H = RΛRᵀ, where `quadratic` made H; else the identity.

    >>> f = Quadratic([[2, 1], [1, 3]])
    >>> f([1, 1]), f.grad([1, 1])
    (np.float64(3.5), array([3., 4.]))
    """

    H: np.ndarray
    rotation: np.ndarray = None

    def __post_init__(self):
        H = np.array(self.H, dtype=float)
        _require(H.ndim >= 2 and np.array_equal(H, np.swapaxes(H, -1, -2)),
                 "H", self.H, "a symmetric matrix (or a stack of them)")
        object.__setattr__(self, "H", H)
        if self.rotation is None:
            object.__setattr__(self, "rotation", np.eye(H.shape[-1]))

    def __call__(self, theta):
        theta = _parameters(theta, self.H.shape[-1])
        return 0.5 * (theta * self.grad(theta)).sum(axis=-1)

    def grad(self, theta):
        theta = _parameters(theta, self.H.shape[-1])
        # column by column: a matrix product may round differently in a batch
        gradient = self.H[..., 0] * theta[..., :1]
        for j in range(1, theta.shape[-1]):
            gradient = gradient + self.H[..., j] * theta[..., j, None]
        return gradient


def quadratic(eigenvalues, angle=0.0):
    """½ θᵀHθ with H = RΛRᵀ, where R turns the plane by `angle` radians.

    To turn a whole experiment, turn the start as well: θ₀ = R (1, 1) is
    `problem.rotation @ [1, 1]`. Turning H alone is another experiment.
    Eigenvalues of shape (*experiments, d) and an angle of shape (*experiments)
    make a stack of problems. Only d = 2 can be turned.

    >>> turned = quadratic([1, 1000], angle=np.pi / 4)
    >>> turned.H
    array([[ 500.5, -499.5],
           [-499.5,  500.5]])
    >>> turned(turned.rotation @ [1, 1])
    np.float64(500.5)
    """
    λ = np.asarray(eigenvalues, dtype=float)
    _require(λ.ndim >= 1, "eigenvalues", eigenvalues, "a list of numbers")
    if not np.any(angle):
        return Quadratic(λ[..., None] * np.eye(λ.shape[-1]))
    _require(λ.shape[-1] == 2, "angle", angle,
             "0 unless there are 2 eigenvalues")
    c, s = np.cos(angle), np.sin(angle)
    λ1, λ2 = λ[..., 0], λ[..., 1]
    return Quadratic(
        H=_matrix(λ1 * c**2 + λ2 * s**2, (λ1 - λ2) * c * s,
                  (λ1 - λ2) * c * s, λ1 * s**2 + λ2 * c**2),
        rotation=_matrix(c, -s, s, c),
    )


def _matrix(a, b, c, d):
    """The 2x2 matrix with rows (a, b) and (c, d), or a stack of them."""
    entries = np.stack(np.broadcast_arrays(a, b, c, d), axis=-1)
    return entries.reshape(*entries.shape[:-1], 2, 2)


ravine = quadratic([1, 50])
"""½ (θ₁² + 50 θ₂²), the ravine of the opening page and of chapter 3."""


class Rosenbrock:
    """f(θ) = (1 − θ₁)² + 100 (θ₂ − θ₁²)², with its minimum 0 at (1, 1).

    A curved valley; the usual start is (−1.2, 1).
    Source: H. H. Rosenbrock, The Computer Journal 3 (1960), 175–184.

    >>> f = Rosenbrock()
    >>> f([0, 0]), f.grad([0, 0])
    (np.float64(1.0), array([-2.,  0.]))
    """

    def __call__(self, theta):
        θ1, θ2 = np.moveaxis(_parameters(theta, 2), -1, 0)
        return (1 - θ1) ** 2 + 100 * (θ2 - θ1 * θ1) ** 2

    def grad(self, theta):
        θ1, θ2 = np.moveaxis(_parameters(theta, 2), -1, 0)
        valley = θ2 - θ1 * θ1
        return np.stack(
            [-2 * (1 - θ1) - 400 * θ1 * valley, 200 * valley], axis=-1)


@dataclass(frozen=True)
class Zhang:
    """n functions in cyclic order on which Adam's fate depends on its betas.

    h(x) = x for x ≥ −1, and ½(x + 2)² − 3/2 below;
    f_1 = (1 + (n−1)a) h and f_2 = … = f_n = −a h with a = 1/(n−1)²,
    so that f_1 + … + f_n = h, with its minimum −3/2 at x = −2.

    `problem(x, t)` is the value and `problem.grad(x, t)` the gradient of the
    function met at step t = 1, 2, …; `problem.total(x)` is h(x).
    One parameter: x has shape (..., 1).

    Source: Zhang, Chen, Shi, Sun and Luo (2022), arXiv 2208.09632.

    >>> problem = Zhang(11)
    >>> problem.total([-2.0])
    np.float64(-1.5)
    >>> problem.grad([1.0], t=1), problem.grad([1.0], t=2)
    (array([1.1]), array([-0.01]))
    """

    n: int

    def __post_init__(self):
        _count("n", self.n, least=2)

    def __call__(self, x, t):
        return self._weight(t) * self.total(x)

    def total(self, x):
        x = _parameters(x, 1)[..., 0]
        return np.where(x.real >= -1, x, (x + 2) ** 2 / 2 - 3 / 2)[()]

    def grad(self, x, t):
        x = _parameters(x, 1)
        return self._weight(t) * np.where(x.real >= -1, 1, x + 2)

    def _weight(self, t):
        a = 1 / (self.n - 1) ** 2
        return 1 + (self.n - 1) * a if t % self.n == 1 else -a


@dataclass(frozen=True, eq=False)
class OneHot:
    """Softmax regression where input e_k always has the label k.

    f(W) = Σ_k π_k ℓ_k with ℓ_k = −ln softmax(W e_k)_k, so that column k of W
    serves class k alone. θ is W, row by row, shape (..., c²).
    frequencies: π_1, ..., π_c, positive; they are divided by their sum.

    Source: Kunstner, Yadav, Milligan, Schmidt and Bietti (2024),
    arXiv 2402.19449, whose classes have π_k ∝ 1/k; see `zipf`.

    >>> f = OneHot([1, 1])
    >>> f.class_loss(np.zeros(4)), f.grad(np.zeros(4))
    (array([0.69314718, 0.69314718]), array([-0.25,  0.25,  0.25, -0.25]))
    """

    frequencies: np.ndarray

    def __post_init__(self):
        pi = np.array(self.frequencies, dtype=float)
        _require(pi.ndim == 1 and len(pi) >= 2 and (pi > 0).all(),
                 "frequencies", self.frequencies,
                 "a list of at least two positive numbers")
        object.__setattr__(self, "frequencies", pi / pi.sum())

    def __call__(self, theta):
        return (self.frequencies * self.class_loss(theta)).sum(axis=-1)

    def class_loss(self, theta):
        """ℓ_1, ..., ℓ_c, shape (..., c)."""
        W = self._matrix(theta)
        top = W.max(axis=-2)
        total = np.exp(W - top[..., None, :]).sum(axis=-2)
        return np.log(total) + top - np.diagonal(W, axis1=-2, axis2=-1)

    def grad(self, theta):
        W = self._matrix(theta)
        p = np.exp(W - W.max(axis=-2, keepdims=True))
        p = p / p.sum(axis=-2, keepdims=True)
        g = self.frequencies * (p - np.eye(len(self.frequencies)))
        return g.reshape(*g.shape[:-2], -1)

    def _matrix(self, theta):
        c = len(self.frequencies)
        theta = _parameters(theta, c * c)
        return theta.reshape(*theta.shape[:-1], c, c)


@dataclass(frozen=True, eq=False)
class OneHotColumn:
    """One class of `OneHot`, when its column starts at zero: two numbers.

    The c − 1 wrong entries of a column begin equal and have equal gradients,
    so they stay equal under every rule that treats coordinates alike.
    θ = (a, b): the right entry and the common value of the wrong ones.
    frequency: π_k, shape (*experiments), one class for each.
    classes: c.

    `grad` is the gradient with respect to a and to *one* wrong entry, as it
    stands in the column; the value π_k ℓ_k counts all of them.

    >>> f = OneHotColumn(0.5, classes=2)
    >>> f.class_loss([0.0, 0.0]), f.grad([0.0, 0.0])
    (np.float64(0.6931471805599453), array([-0.25,  0.25]))
    """

    frequency: np.ndarray
    classes: int

    def __post_init__(self):
        _count("classes", self.classes, least=2)
        pi = np.array(self.frequency, dtype=float)
        _require((pi > 0) & (pi <= 1), "frequency", self.frequency,
                 "greater than 0 and at most 1")
        object.__setattr__(self, "frequency", pi)

    def __call__(self, theta):
        return self.frequency * self.class_loss(theta)

    def class_loss(self, theta):
        """ℓ_k = ln(1 + (c − 1) e^(b − a)), shape (...)."""
        a, b = np.moveaxis(_parameters(theta, 2), -1, 0)
        return np.log1p((self.classes - 1) * np.exp(b - a))

    def grad(self, theta):
        a, b = np.moveaxis(_parameters(theta, 2), -1, 0)
        others = self.classes - 1
        wrong = self.frequency * others / (np.exp(a - b) + others)
        return np.stack([-wrong, wrong / others], axis=-1)


def zipf(classes):
    """π_k ∝ 1/k for k = 1, ..., classes, with sum 1.

    >>> zipf(3)
    array([0.54545455, 0.27272727, 0.18181818])
    """
    pi = 1 / np.arange(1, _count("classes", classes, least=1) + 1)
    return pi / pi.sum()


@dataclass(frozen=True, eq=False)
class Wilson:
    """Least squares ‖Xw − y‖²/2n on which adaptive rules learn the majority.

    Example i has the label y_i = ±1 and the features
    (y_i, 1, 1, then five of its own), where its own are 1, 0, 0, 0, 0 for
    y_i = 1 and five ones for y_i = −1; the own features of all others are 0.
    X has the shape (n, 3 + 5n), and X sign(Xᵀy) = 4 y where the majority is
    positive.
    positives, negatives: numbers of examples, positives > negatives ≥ 1.

    Source: Wilson, Roelofs, Stern, Srebro and Recht (2017), arXiv 1705.08292,
    with a fixed number of labels of each kind instead of random ones.

    >>> f = Wilson(2, 1)
    >>> f.X @ np.sign(f.X.T @ f.y)
    array([ 4.,  4., -4.])
    >>> f.unseen([1, -1])[:, :4]
    array([[ 1.,  1.,  1.,  0.],
           [-1.,  1.,  1.,  0.]])
    """

    positives: int
    negatives: int

    def __post_init__(self):
        _count("negatives", self.negatives, least=1)
        _count("positives", self.positives, least=self.negatives + 1)
        y = np.repeat([1.0, -1.0], [self.positives, self.negatives])
        own = np.where((y < 0)[:, None], 1, np.eye(5)[0])
        X = np.hstack([self._shared(y), (np.eye(len(y))[..., None]
                                         * own[:, None]).reshape(len(y), -1)])
        object.__setattr__(self, "y", y)
        object.__setattr__(self, "X", X)

    def __call__(self, w):
        return (self._residual(w) ** 2).sum(axis=-1) / (2 * len(self.y))

    def grad(self, w):
        return self._residual(w) @ self.X / len(self.y)

    def _residual(self, w):
        return _parameters(w, self.X.shape[1]) @ self.X.T - self.y

    @staticmethod
    def _shared(y):
        return np.stack([y, np.ones_like(y), np.ones_like(y)], axis=-1)

    def unseen(self, labels):
        """New examples with these labels: none of their own features is
        known, so only the first three are not zero. Shape (m, 3 + 5n)."""
        shared = self._shared(np.array(labels, dtype=float))
        return np.hstack([shared, np.zeros((len(shared), 5 * len(self.y)))])


# -- streams -----------------------------------------------------------------


def _rows(rows, *numbers):
    """Put axes behind the first, so that `rows` broadcasts with numbers."""
    missing = max(np.ndim(number) for number in numbers) - rows.ndim + 1
    return rows.reshape(len(rows), *[1] * missing, *rows.shape[1:])


def _times(steps, *numbers):
    """t = 1, 2, …, steps as a stream that broadcasts with `numbers`."""
    steps = _count("steps", steps, least=1)
    return _rows(np.arange(1, steps + 1)[:, None], *numbers)


def _draws(draw, steps, seed, *numbers):
    """The stream draw(generator, steps), one for each seed."""
    steps = _count("steps", steps, least=1)
    draws = [draw(np.random.default_rng(s), steps) for s in np.ravel(seed)]
    rows = np.stack(draws, axis=-1).reshape(steps, *np.shape(seed), 1)
    return _rows(rows, *numbers)


def hinton_cycle(cycles):
    """Nine gradients of +0.1, then one of −0.9, again and again; the sum is 0.

    Shape (10 · cycles, 1). It shows why sign descent fails on minibatches.
    Source: Tieleman and Hinton (2012), Lecture 6.5,
    "Why rprop does not work with mini-batches".

    >>> hinton_cycle(2).shape
    (20, 1)
    >>> hinton_cycle(1)[:, 0]
    array([ 0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.1,  0.1, -0.9])
    """
    t = _times(10 * _count("cycles", cycles, least=1), 0)
    return np.where(t % 10 == 0, -0.9, 0.1)


def reddi(steps, C):
    """g_t = C when t mod 3 = 1, else −1: the gradients of f_t(x) = Cx and −x.

    The problem lives on x ∈ [−1, 1]; the gradients do not depend on x, so they
    are a stream, and the caller clips x after each step.
    For C > 2 the sum of a cycle is (C − 2)x, with its minimum at x = −1.
    Shape (steps, 1), or (steps, *C.shape).
    Source: Reddi, Kale and Kumar (2018), arXiv 1904.09237, theorem 1.

    >>> reddi(6, C=3.0)[:, 0]
    array([ 3., -1., -1.,  3., -1., -1.])
    """
    _require(np.greater(C, 2), "C", C, "greater than 2")
    return np.where(_times(steps, C) % 3 == 1, C, -1.0)


def noisy(steps, eta, seed=0):
    """g_t = 1 + η ξ_t with independent standard normal ξ_t: signal and noise.

    η ≥ 0 is the noise in units of the signal; all values of η share the ξ_t.
    Shape (steps, 1); (steps, *eta.shape) for an array.

    >>> noisy(3, eta=0.5).round(3)[:, 0]
    array([1.063, 0.934, 1.32 ])
    """
    _require(np.greater_equal(eta, 0), "eta", eta, "at least 0")
    draw = np.random.Generator.standard_normal
    return 1 + eta * _draws(draw, steps, seed, eta)


def drift(steps, a, b, seed=0, noise="sign"):
    """g_t = s_t √(a + b t) with E[s_t²] = 1, so that E[g_t²] = a + b t.

    noise: "sign" draws s_t = ±1, and then g_t² itself is a + b t;
    "normal" draws s_t standard normal. Shape (steps, 1), or that of a and b.
    Made for chapter 7, where the second moment drifts.

    >>> drift(4, a=1.0, b=3.0)[:, 0] ** 2
    array([ 4.,  7., 10., 13.])
    """
    if noise not in ("sign", "normal"):
        raise ValueError(f'noise must be "sign" or "normal", got {noise!r}')
    draw = np.random.Generator.standard_normal if noise == "normal" else _sign
    s = _draws(draw, steps, seed, a, b)
    moment = a + b * _times(steps, a, b, s[0])
    _require(moment >= 0, "(a, b)", (a, b),
             f"such that a + b t is at least 0 up to t = {steps}")
    return s * np.sqrt(moment)


def _sign(generator, steps):
    return 2.0 * generator.integers(0, 2, steps) - 1


def step_change(steps, at, factor):
    """g_t = 1 before step `at`, and `factor` from step `at` on.

    Shape (steps, 1), or that of `at` and `factor`.

    >>> step_change(5, at=4, factor=0.01)[:, 0]
    array([1.  , 1.  , 1.  , 0.01, 0.01])
    """
    return np.where(_times(steps, at, factor) < at, 1.0, factor)


def spike(steps, at, height):
    """g_t = 1, but `height` at step `at`.

    Shape (steps, 1), or that of `at` and `height`.

    >>> spike(4, at=2, height=100.0)[:, 0]
    array([  1., 100.,   1.,   1.])
    """
    return np.where(_times(steps, at, height) == at, height, 1.0)


def ramp(steps, slope=1.0):
    """g_t = slope · t. Shape (steps, 1), or (steps, *slope.shape).

    >>> ramp(3, slope=0.5)[:, 0]
    array([0.5, 1. , 1.5])
    """
    return slope * _times(steps, slope)


def growing(steps, q):
    """g_t = q^(t−1) with q > 0: a gradient that grows by q each step.

    With q = β₂/β₁ Adam's step comes close to its bound (chapter 9).
    Shape (steps, 1), or (steps, *q.shape).
    Raises ValueError where g_t² would overflow.

    >>> growing(4, q=2.0)[:, 0]
    array([1., 2., 4., 8.])
    """
    _require(np.greater(q, 0), "q", q, "greater than 0")
    times = _times(steps, q)
    _require(2 * steps * np.log(q) < np.log(np.finfo(float).max), "q", q,
             f"small enough that q^(2·{steps}) does not overflow")
    return np.power(q, times - 1.0)
