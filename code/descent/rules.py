"""The update rules: pure functions, one line of code per equation.

A rule takes a state, a gradient and hyperparameters, and returns the next
state::

    state = adam(state, g, alpha=0.001)

Parameters stand on the last axis, experiments on the axes before it.  A
hyperparameter is a number, or an array that ends in an axis of length 1 and
broadcasts, so that one call advances a whole grid of experiments.  Nothing is
changed in place.

The mathematics carries a subscript t, the code drops it: on the right-hand
side ``state.m`` is m_{t-1}, and the ``m`` that the line computes is m_t.  The
label at the end of a line, such as (A3), is the number of that equation in
the book.

Rules check only their switches.  `descent.run` checks everything else.
"""

from functools import wraps
from inspect import Parameter, signature
from typing import NamedTuple

import numpy as np


class State(NamedTuple):
    """Everything that the equations name, at one step t.

    theta : the parameters θ, shape (..., d)
    t : number of steps made; the first step is t = 1
    g : the gradient that made the step (weight decay included if coupled)
    b : the momentum buffer of heavy ball, Nesterov, RMSprop with momentum
    m : exponential average of the gradients (first moment)
    v : exponential average of the squared gradients (second moment);
        for AdaGrad their sum
    v_max : AMSGrad's running maximum
    m_hat, v_hat : the averages that the step used, corrected or not

    The averages begin at zero.  A field that a rule does not use is left as
    it was.  `descent.run` returns one State whose fields carry a leading time
    axis of length steps + 1, with None for the fields that are not used.

    >>> State(theta=1.0).m
    0.0
    """

    theta: np.ndarray
    t: int = 0
    g: np.ndarray = None
    b: np.ndarray = 0.0
    m: np.ndarray = 0.0
    v: np.ndarray = 0.0
    v_max: np.ndarray = 0.0
    m_hat: np.ndarray = None
    v_hat: np.ndarray = None

    @property
    def diverged(self):
        """True where θ or an average has an entry that is infinite or NaN; shape (...).

        An infinite v is a silent end: every step divides by it, and θ stands.
        """
        sound = np.isfinite(self.theta)
        for average in self.b, self.m, self.v, self.v_max:
            if average is not None:
                sound = sound & np.isfinite(average)
        return ~sound.all(axis=-1)

    @property
    def last(self):
        """The last step of a path that `run` recorded, as a State to go on from."""
        if np.ndim(self.t) == 0:
            return self
        return State(**{name: value[-1] for name, value in self._asdict().items()
                        if value is not None})._replace(t=int(self.t[-1]))


def divide(a, b, least=None):
    """a / b with 0 / 0 = 0: what a / (b + ε) tends to when ε → 0.

    least : something whose being positive makes b positive, such as ε; it
        is searched for a zero in place of b, because it is shorter.  It is
        compared in b's precision: 1e-8 is 0 for an array of float16.

    >>> divide(np.array([0.0, 1.0]), np.array([0.0, 2.0]))
    array([0. , 0.5])
    """
    least = b if least is None else np.asarray(least, np.result_type(b))
    if np.minimum.reduce(least, axis=None, initial=np.inf) > 0:
        return a / b
    return a / np.where((a == 0) & (b == 0), 1, b)


def root(v, eps, eps_inside):
    """√v + ε, or √(v + ε) if `eps_inside`.

    >>> float(root(4.0, 0.5, False)), float(root(4.0, 0.5, True))
    (2.5, 2.1213203435596424)
    """
    if eps_inside:
        return np.sqrt(v + eps)  # (R3)
    return np.sqrt(v) + eps


def takes_weight_decay(rule):
    """Give `rule` the options `weight_decay=0.0` (λ) and `decoupled=False`.

    Coupled, as in PyTorch's SGD, Adagrad and RMSprop, λθ joins the gradient
    before anything else is computed.  Decoupled, as everywhere in Keras, αλθ
    is subtracted from the parameters next to the rule's own step.
    """

    @wraps(rule)
    def decaying(state, g, *, weight_decay=0.0, decoupled=False, **hyper):
        if decoupled:
            alpha = hyper.get("alpha", default_alpha)
            after = rule(state, g, **hyper)
            return after._replace(
                theta=after.theta - alpha * weight_decay * state.theta)
        return rule(state, g + weight_decay * state.theta, **hyper)

    own = signature(rule)
    default_alpha = own.parameters["alpha"].default
    options = signature(decaying, follow_wrapped=False).parameters
    decaying.__signature__ = own.replace(parameters=[
        *own.parameters.values(),
        *(p for p in options.values() if p.default is not Parameter.empty)])
    return decaying


@takes_weight_decay
def gradient_descent(state, g, *, alpha=0.01):
    """Gradient descent.

    θ_t = θ_{t-1} − α g_t                                               (G1)

    Defaults: α = 0.01 as in Keras.
    Options: `weight_decay=0.0`, `decoupled=False`, see `takes_weight_decay`.

    >>> gradient_descent(State(theta=1.0), 2.0, alpha=0.1).theta
    0.8
    """
    theta = state.theta - alpha * g  # (G1)
    return state._replace(theta=theta, t=state.t + 1, g=g)


@takes_weight_decay
def momentum(state, g, *, alpha=0.01, mu=0.9):
    """Heavy ball (Polyak 1964), with the rate outside the buffer.

    b_t = μ b_{t-1} + g_t                                               (M1)
    θ_t = θ_{t-1} − α b_t                                               (M2)

    PyTorch and Optax keep α outside the buffer as here, Keras keeps it
    inside; at a constant α the paths are the same.
    Defaults: α = 0.01 as in Keras, μ = 0.9.
    Options: `weight_decay=0.0`, `decoupled=False`, see `takes_weight_decay`.

    >>> momentum(State(theta=1.0, b=1.0), 2.0, alpha=0.1).b
    2.9
    """
    b = mu * state.b + g  # (M1)
    theta = state.theta - alpha * b  # (M2)
    return state._replace(theta=theta, t=state.t + 1, g=g, b=b)


@takes_weight_decay
def nesterov(state, g, *, alpha=0.01, mu=0.9):
    """Nesterov's momentum, in the form of the frameworks.

    b_t = μ b_{t-1} + g_t                                               (N1)
    θ_t = θ_{t-1} − α (g_t + μ b_t)                                     (N2)

    Source: Sutskever et al. 2013, with the look-ahead point as θ, as in
    PyTorch, Keras and Optax.  Defaults and options as for `momentum`.

    >>> round(nesterov(State(theta=1.0, b=1.0), 2.0, alpha=0.1).theta, 6)
    0.539
    """
    b = mu * state.b + g  # (N1)
    theta = state.theta - alpha * (g + mu * b)  # (N2)
    return state._replace(theta=theta, t=state.t + 1, g=g, b=b)


def sign_descent(state, g, *, alpha=0.001):
    """Sign descent: only the direction of each coordinate counts.

    θ_t = θ_{t-1} − α sign(g_t)                                         (S1)

    Source: Rprop (Riedmiller and Braun 1993) with a fixed step size.
    Default: α = 0.001, as for RMSprop, whose steps have the same unit.

    >>> float(sign_descent(State(theta=1.0), -7.0, alpha=0.1).theta)
    1.1
    """
    theta = state.theta - alpha * np.sign(g)  # (S1)
    return state._replace(theta=theta, t=state.t + 1, g=g)


@takes_weight_decay
def adagrad(state, g, *, alpha=0.01, eps=1e-10, eps_inside=False, v0=0.0):
    """AdaGrad with a diagonal matrix.

    v_t = v_{t-1} + g_t²                                                (D1)
    θ_t = θ_{t-1} − α g_t / (√v_t + ε)                                  (D2)

    Source: Duchi, Hazan and Singer 2011, figure 1.
    Defaults: α and ε as in PyTorch.  Keras and Optax start at v0 = 0.1 and
    put ε inside the root.
    Options: `weight_decay=0.0`, `decoupled=False`, see `takes_weight_decay`.

    >>> round(float(adagrad(State(theta=1.0), -7.0, alpha=0.1).theta), 6)
    1.1
    """
    v_before = state.v if state.t else v0
    v = v_before + g**2  # (D1)
    theta = state.theta - alpha * divide(g, root(v, eps, eps_inside))  # (D2)
    return state._replace(theta=theta, t=state.t + 1, g=g, v=v)


@takes_weight_decay
def rmsprop(state, g, *, alpha=0.001, beta2=0.9, eps=1e-8, eps_inside=False,
            v0=0.0):
    """RMSprop.

    v_t = β₂ v_{t-1} + (1 − β₂) g_t²                                    (R1)
    θ_t = θ_{t-1} − α g_t / (√v_t + ε)                                  (R2)
    with `eps_inside`: θ_t = θ_{t-1} − α g_t / √(v_t + ε)               (R3)

    Source: Tieleman and Hinton 2012, lecture 6.5, slide 29, which has no ε.
    Defaults: β₂ = 0.9 as there; α = 0.001 as in Keras; ε = 1e-8 outside the
    root as in PyTorch (whose β₂ is 0.99 and α 0.01).  TensorFlow 1 starts
    at v0 = 1.
    Options: `weight_decay=0.0`, `decoupled=False`, see `takes_weight_decay`.

    The first step from v = 0 has length α / √(1 − β₂):

    >>> start = State(theta=0.0)
    >>> after = rmsprop(start, -5.0, alpha=0.1, beta2=0.99, eps=0.0)
    >>> round(float(after.theta), 6)
    1.0
    """
    v_before = state.v if state.t else v0
    v = beta2 * v_before + (1 - beta2) * g**2  # (R1)
    theta = state.theta - alpha * divide(g, root(v, eps, eps_inside))  # (R2)
    return state._replace(theta=theta, t=state.t + 1, g=g, v=v)


@takes_weight_decay
def rmsprop_momentum(state, g, *, alpha=0.001, beta2=0.9, mu=0.9, eps=1e-8,
                     eps_inside=False, v0=0.0, nesterov=False):
    """RMSprop with momentum after the division.

    v_t = β₂ v_{t-1} + (1 − β₂) g_t²                                    (R1)
    b_t = μ b_{t-1} + g_t / (√v_t + ε)                                  (R6)
    θ_t = θ_{t-1} − α b_t                                               (R7)
    with `nesterov`: θ_t = θ_{t-1} − α (g_t / (√v_t + ε) + μ b_t)       (R8)

    Source: the option `momentum` of PyTorch, Keras, Optax and TensorFlow 1.
    PyTorch keeps α outside the buffer as here, the others inside; at a
    constant α the paths are the same.  Only Optax has `nesterov`.
    For centering and momentum together use ``rmsprop_centered(mu=...)``.
    Defaults as for `rmsprop`, μ = 0.9.
    Options: `weight_decay=0.0`, `decoupled=False`, see `takes_weight_decay`.

    >>> start = State(theta=0.0)
    >>> float(rmsprop_momentum(start, 5.0, beta2=0.75, eps=0.0).b)
    2.0
    """
    v_before = state.v if state.t else v0
    v = beta2 * v_before + (1 - beta2) * g**2
    ratio = divide(g, root(v, eps, eps_inside))
    b = mu * state.b + ratio  # (R6)
    theta = state.theta - alpha * b  # (R7)
    if nesterov:
        theta = state.theta - alpha * (ratio + mu * b)  # (R8)
    return state._replace(theta=theta, t=state.t + 1, g=g, v=v, b=b)


@takes_weight_decay
def rmsprop_centered(state, g, *, alpha=0.001, beta2=0.9, mu=0.0, eps=1e-8,
                     eps_inside=False, v0=0.0, nesterov=False):
    """Centered RMSprop: divides by an estimate of the standard deviation.

    m_t = β₂ m_{t-1} + (1 − β₂) g_t                                     (R4)
    v_t = β₂ v_{t-1} + (1 − β₂) g_t²                                    (R1)
    θ_t = θ_{t-1} − α g_t / (√(v_t − m_t²) + ε)                         (R5)
    with μ > 0 the ratio goes through the buffer of (R6) and (R7), and with
    `nesterov` of (R8), as in the frameworks.

    Source: Graves 2013 (arXiv 1308.0850), equations 38 to 41, with
    ε = 1e-4 inside the root, β₂ = 0.95, μ = 0.9, α = 1e-4.
    Defaults here as for `rmsprop`, so that centering is the only change.
    Rounding can make v_t − m_t² negative; the result is then NaN, as in
    PyTorch, and `diverged` says so.
    Options: `weight_decay=0.0`, `decoupled=False`, see `takes_weight_decay`.

    >>> start = State(theta=0.0)
    >>> float(rmsprop_centered(start, 5.0, beta2=0.5, eps=0.0).theta)
    -0.002
    """
    v_before = state.v if state.t else v0
    m = beta2 * state.m + (1 - beta2) * g  # (R4)
    v = beta2 * v_before + (1 - beta2) * g**2
    ratio = divide(g, root(v - m**2, eps, eps_inside))  # (R5)
    b = mu * state.b + ratio
    theta = state.theta - alpha * (ratio + mu * b if nesterov else b)
    return state._replace(theta=theta, t=state.t + 1, g=g, m=m, v=v, b=b)


def adam(state, g, *, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8,
         eps_inside=False, correct="both"):
    """Adam.

    m_t = β₁ m_{t-1} + (1 − β₁) g_t                                     (A1)
    v_t = β₂ v_{t-1} + (1 − β₂) g_t²                                    (A2)
    m̂_t = m_t / (1 − β₁^t)                                              (A3)
    v̂_t = v_t / (1 − β₂^t)                                              (A4)
    θ_t = θ_{t-1} − α m̂_t / (√v̂_t + ε)                                  (A5)
    with `eps_inside` the denominator is √(v̂_t + ε), Optax's `eps_root`.

    correct : "both" as above; "none" uses m_t and v_t as they are; "first"
        corrects m_t alone, "second" v_t alone.

    The lines of (A3) and (A4) divide one number and multiply the array by
    the result: a tenth faster than dividing every entry.

    Source: Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1, with its
    defaults.  Keras and TensorFlow add their ε̂ to √v_t before the
    correction: ``eps=lambda t: eps_hat / np.sqrt(1 - beta2**t)``.

    The first step has length α, whatever the gradient:

    >>> float(adam(State(theta=0.0), -5.0, alpha=0.25, eps=0.0).theta)
    0.25
    """
    if correct not in ("both", "none", "first", "second"):
        raise ValueError(f"correct={correct!r}, but it must be 'both', "
                         "'none', 'first' or 'second'")
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * g  # (A1)
    v = beta2 * state.v + (1 - beta2) * g**2  # (A2)
    first, second = correct in ("both", "first"), correct in ("both", "second")
    m_hat = m * (1 / (1 - beta1**t)) if first else m  # (A3)
    v_hat = v * (1 / (1 - beta2**t)) if second else v  # (A4)
    ratio = divide(m_hat, root(v_hat, eps, eps_inside), least=eps)
    theta = state.theta - alpha * ratio  # (A5)
    return state._replace(theta=theta, t=t, g=g, m=m, v=v, m_hat=m_hat,
                          v_hat=v_hat)


def adam_l2(state, g, *, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8,
            eps_inside=False, weight_decay=0.01):
    """Adam with an L2 penalty: the decay goes through both averages.

    g_t ← g_t + λ θ_{t-1}                                               (W1)
    then (A1) to (A5) with this gradient.

    Source: Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2;
    ``torch.optim.Adam(weight_decay=λ)``.  Default λ = 0.01 so that it
    compares with `adamw`.

    >>> start = State(theta=1.0)
    >>> float(adam_l2(start, 0.0, alpha=0.25, eps=0.0).theta)
    0.75
    """
    g = g + weight_decay * state.theta  # (W1)
    return adam(state, g, alpha=alpha, beta1=beta1, beta2=beta2, eps=eps,
                eps_inside=eps_inside)


def adamw(state, g, *, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8,
          eps_inside=False, weight_decay=0.01):
    """AdamW: the decay stands beside Adam's step, not divided by √v̂.

    (A1) to (A4), then
    θ_t = θ_{t-1} − α (m̂_t / (√v̂_t + ε) + λ θ_{t-1})                    (W2)

    Source: Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2, with
    the rate multiplying the decay as in PyTorch, Keras and Optax.
    Default: λ = 0.01 as in PyTorch (Keras 0.004, Optax 1e-4).

    >>> start = State(theta=1.0)
    >>> float(adamw(start, 0.0, alpha=0.5, weight_decay=0.5).theta)
    0.75
    """
    after = adam(state, g, alpha=alpha, beta1=beta1, beta2=beta2, eps=eps,
                 eps_inside=eps_inside)
    theta = after.theta - alpha * weight_decay * state.theta  # (W2)
    return after._replace(theta=theta)


@takes_weight_decay
def amsgrad(state, g, *, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8,
            eps_inside=False, maximum="raw"):
    """AMSGrad: Adam with a second moment that never falls.

    (A1), (A2), (A3), then
    maximum="raw":        v_max,t = max(v_max,t-1, v_t)                 (A6)
                          v̂_t = v_max,t / (1 − β₂^t)                    (A7)
    maximum="corrected":  v_max,t = max(v_max,t-1, v_t / (1 − β₂^t))    (A8)
                          v̂_t = v_max,t
    and (A5).

    Source: Reddi, Kale and Kumar 2018 (arXiv 1904.09237), algorithm 2, which
    has no bias correction.  "raw" is PyTorch (and Keras, with its ε̂),
    "corrected" is Optax.  Defaults as for `adam`.
    Options: `weight_decay=0.0`, `decoupled=False`, see `takes_weight_decay`.

    >>> start = State(theta=0.0)
    >>> float(amsgrad(start, -5.0, alpha=0.25, eps=0.0).theta)
    0.25
    """
    if maximum not in ("raw", "corrected"):
        raise ValueError(f"maximum={maximum!r}, but it must be 'raw' or "
                         "'corrected'")
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * g
    v = beta2 * state.v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    if maximum == "raw":
        v_max = np.maximum(state.v_max, v)  # (A6)
        v_hat = v_max / (1 - beta2**t)  # (A7)
    else:
        v_max = np.maximum(state.v_max, v / (1 - beta2**t))  # (A8)
        v_hat = v_max
    theta = state.theta - alpha * divide(m_hat, root(v_hat, eps, eps_inside))
    return state._replace(theta=theta, t=t, g=g, m=m, v=v, v_max=v_max,
                          m_hat=m_hat, v_hat=v_hat)
