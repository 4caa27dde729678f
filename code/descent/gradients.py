"""A gradient by central differences, and whether another is the gradient of that function."""

import numpy as np

__all__ = ["central_differences", "check_gradient"]


def check_gradient(f, grad, theta, *, rtol=1e-5):
    """Compare `grad` with central differences of `f` at θ, one parameter after the other.

    ∂f/∂θ_i ≈ (f(θ + h e_i) − f(θ − h e_i)) / 2h,   h = ε_machine^{1/3} max(1, |θ_i|)

    f : a function of θ that returns one number, the loss
    grad : the function that is meant to be its gradient, of θ's shape
    theta : the place, shape (d,) or a number; take one where no kink is near
    rtol : allowed difference, relative to the largest entry of either gradient

    Returns the largest relative difference.  Raises ValueError that names the
    parameter, both values and, where it is a known one, the mistake;
    TypeError where `f` or `grad` is no such function.  Everything is computed
    in float64.

    >>> bowl = lambda theta: 0.5 * theta @ theta
    >>> bool(check_gradient(bowl, lambda theta: theta, [1.0, -2.0]) < 1e-8)
    True
    >>> check_gradient(bowl, lambda theta: -theta, [1.0, -2.0])
    Traceback (most recent call last):
        ...
    ValueError: grad says -1 for parameter 0 at theta = [ 1. -2.], but f changes by 1: the sign is wrong
    """
    theta = np.array(theta, dtype=float)
    if theta.ndim > 1 or not theta.size or not np.isfinite(theta).all():
        raise ValueError(f"theta = {theta} must be one finite point, of shape (d,)")
    given = grad(theta.copy())
    if given is None:
        raise TypeError("grad returned None: does it end in `return`?")
    try:
        given = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"grad returned {given!r:.80}, but it must return an array of shape {theta.shape}") from None
    if given.shape != theta.shape:
        hint = ": is it the loss?" if given.ndim == 0 else ""
        raise ValueError(f"grad returned shape {given.shape}, but theta has shape {theta.shape}{hint}")
    h = np.finfo(float).eps ** (1 / 3) * np.maximum(1, np.abs(theta))
    measured = np.empty_like(theta)
    for i in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[i] = h[i]
        measured[i] = (_loss(f, theta + step) - _loss(f, theta - step)) / (2 * h[i])
    if not np.isfinite(measured).all():
        raise ValueError(f"f is not finite near theta = {theta}")
    scale = max(np.abs(given).max(), np.abs(measured).max())
    error = np.abs(given - measured) / scale if scale else np.abs(given)
    if error.max() <= rtol:
        return float(error.max())
    i = np.unravel_index(np.argmax(~(error <= rtol)), error.shape)   # the first, NaN too
    where = f"for parameter {i[0]} " if theta.ndim else ""
    raise ValueError(f"grad says {given[i]:.6g} {where}at theta = {theta}, but f changes by {measured[i]:.6g}"
                     + _cause(given, measured, rtol * scale))


def central_differences(f):
    """Return a gradient function for `run`, of a function f that takes its parameters one by one.

    ∂f/∂θ_i ≈ (f(θ + h e_i) − f(θ − h e_i)) / 2h,   h = ε_machine^{1/3} max(1, |θ_i|)

    f : a function of d numbers, or of d arrays entry by entry, such as ``lambda x, y: x**2 + 3 * y**2``; the gradient is then
        written for batches. It is right to some ten digits where f is smooth.

    >>> grad = central_differences(lambda x, y: x**2 + 3 * y**2)
    >>> grad(np.array([[1.0, 0.0], [0.0, 1.0]])).round(6)
    array([[2., 0.],
           [0., 6.]])
    """

    def grad(theta):
        theta = np.asarray(theta, dtype=float)
        at, slopes = list(np.moveaxis(theta, -1, 0)), []
        for i, x in enumerate(at):
            h = np.finfo(float).eps ** (1 / 3) * np.maximum(1, np.abs(x))
            up, down = x + h, x - h
            rise = f(*at[:i], up, *at[i + 1:]) - f(*at[:i], down, *at[i + 1:])
            slopes.append(np.broadcast_to(rise / (up - down), x.shape))
        return np.stack(slopes, axis=-1)

    return grad


def _loss(f, theta):
    value = f(theta)
    if np.ndim(value) != 0 or value is None:
        raise TypeError(f"f returned {value!r:.80}, but it must return one number")
    return float(value)


def _cause(given, measured, slack):
    for factor, what in (-1, "the sign is wrong"), (2, "twice the gradient"), (0.5, "half the gradient"):
        if np.abs(given - factor * measured).max() <= slack:
            return f": {what}"
    return ""
