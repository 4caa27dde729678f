"""run: apply a rule step after step, to a function or a stream, and record.

All checks of what the caller passes live here, before the first step.
"""

from inspect import Parameter, signature
from operator import index

import numpy as np

from descent.rules import State

ALLOWED = {  # name: (test, what is allowed)
    "alpha": (lambda x: x >= 0, "a finite number of at least 0"),
    "mu": (lambda x: (x >= 0) & (x < 1), "at least 0 and less than 1"),
    "beta1": (lambda x: (x >= 0) & (x < 1), "at least 0 and less than 1"),
    "beta2": (lambda x: (x >= 0) & (x < 1), "at least 0 and less than 1"),
    "eps": (lambda x: x >= 0, "a finite number of at least 0"),
    "weight_decay": (lambda x: x >= 0, "a finite number of at least 0"),
    "v0": (lambda x: x >= 0, "a finite number of at least 0"),
}


class NaNGradient(ValueError):
    """A gradient was NaN at finite parameters.

    step : the step t at which it happened
    path : the State recorded up to the step before, as `run` returns it
    """

    def __init__(self, message, step, path):
        super().__init__(message)
        self.step, self.path = step, path


def run(rule, grad=None, theta0=None, steps=None, *, gradients=None,
        project=None, record=True, stop=None, **hyper):
    """Make `steps` steps of `rule` from `theta0` and return the path.

    rule : an update rule such as `descent.adam`: (state, g, **hyper) → state
    grad : a function of θ that returns the gradient, of θ's shape; with two
        required arguments it is a function of θ and t
    theta0 : where to start, shape (..., d); or the State, or the path, of an
        earlier run, which goes on: t counts on, and the two halves equal one
        run bit for bit
    steps : number of steps; not needed with `gradients`
    gradients : instead of `grad`, a stream of given gradients of shape
        (steps, ...); entry 0 is g_1
    project : a function of θ that brings it back into the allowed set, such
        as ``lambda theta: np.clip(theta, -1, 1)``; applied after each step
    record : False keeps no history and returns the last State only; a number
        k keeps every k-th step and the last one
    stop : a function of θ; the run ends early where it is true, for a batch
        where it is true for all runs
    hyper : the rule's hyperparameters; each is a number, an array of shape
        (..., 1) that broadcasts over experiments, or a function of t (t from
        1) that returns one of these, for schedules

    Returns a State with a leading time axis, of length steps + 1 where all
    is recorded, in every field that the rule uses, None in the others; the
    field t says which steps they are.  Entry 0 is the start: θ_0,
    and zero for the averages; g, m_hat and v_hat do not exist there: NaN.
    Everything is computed in the precision of `theta0`; integers become
    float64.  A batch of runs equals the single runs bit for bit.

    A gradient function is given the whole batch, θ of shape (..., d).  In
    the first two steps one run of the batch is compared with a call for it
    alone, so that a function that is not written for batches is refused.
    (Not where the function draws random numbers, or holds something of its
    own for every run, so that it cannot be called for one.)

    Raises ValueError or TypeError for an argument that is not allowed, and
    NaNGradient (a ValueError that keeps the path so far) with the step for a
    NaN gradient at finite θ.  Divergence is a result, not an error: see
    ``path.diverged``.

    >>> from descent import adam, run
    >>> path = run(adam, lambda theta: theta, [1.0, 1.0], 200, alpha=0.1)
    >>> path.theta.shape
    (201, 2)
    >>> rates = np.geomspace(1e-3, 1, 7)[:, None]
    >>> grid = run(adam, lambda theta: theta, [1.0, 1.0], 200, alpha=rates)
    >>> grid.theta.shape
    (201, 7, 2)
    >>> run(adam, lambda theta: theta, [1.0], 200, record=50).t
    array([  0,  50, 100, 150, 200])
    >>> longer = run(adam, lambda theta: theta, path, 100, alpha=0.1)
    >>> longer.t[0], longer.t[-1]
    (np.int64(200), np.int64(300))
    """
    _check_order(rule, grad, steps)
    start = theta0.last if isinstance(theta0, State) else State(theta0)
    theta0 = checked_start(start.theta)
    if theta0.size == 0:
        raise ValueError(f"theta0 has shape {theta0.shape}: it must hold at least one parameter")
    stream = _stream(grad, gradients, theta0.dtype)
    steps = _steps(steps, stream)
    every = _every(record)
    timed = stream is None and _takes_t(grad)
    _check_projection(project, theta0)
    constant, schedules, switches = split_hyperparameters(rule, hyper,
                                                          theta0.dtype)
    first = {name: checked_numbers(name, f(1), theta0.dtype)
             for name, f in schedules.items()}
    shape = common_shape(theta0, stream, {**constant, **first})
    if stop is not None and not callable(stop):
        raise TypeError(f"stop = {stop!r} must be a function of theta")

    state = start._replace(theta=np.broadcast_to(theta0, shape).copy())
    if "v0" in constant and not state.t:
        state = state._replace(v=constant["v0"])
    history = [state]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore",
                     under="ignore"):
        for t in range(start.t + 1, start.t + steps + 1):
            if stream is not None:
                g = stream[t - start.t - 1]
            else:
                g = _called(grad, state.theta, *(t,) * timed)
            g = _gradient(g, state, t, history)
            if stream is None and t <= start.t + 2 and state.theta.ndim > 1:
                _compare_one(grad, (t,) if timed else (), state.theta, g)
            now = {name: checked_numbers(name, f(t), theta0.dtype)
                   for name, f in schedules.items()}
            state = _stepped(rule(state, g, **constant, **now, **switches),
                             rule, t, shape)
            if project is not None:
                state = state._replace(theta=_projected(project, state.theta))
            done = t == start.t + steps or (
                stop is not None and _stops(stop, state.theta))
            if every and (t % every == 0 or done):
                history.append(state)
            if done:
                break
    return _stack(history) if every else state


def _called(grad, theta, *t):
    """The gradient at θ, which the function may read and not change."""
    lent = theta.view()
    lent.flags.writeable = False
    try:
        return grad(lent, *t)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise ValueError("grad changes theta in place; it may read it only: "
                         "compute with a copy, theta = theta.copy()") from error


def _stops(stop, theta):
    """Whether `stop` says so of all runs."""
    said = np.asarray(stop(theta))
    if said.dtype != bool or said.shape not in ((), theta.shape[:-1]):
        raise TypeError(f"stop returned {said!r:.60}, but it must return True or False, "
                        f"or an array of them with one entry a run, shape {theta.shape[:-1]}")
    return bool(said.all())


def _check_order(rule, grad, steps):
    """Arguments that stand in each other's place."""
    if not callable(rule) or isinstance(rule, type):
        raise TypeError(f"rule = {rule!r:.80} must be an update rule, such as "
                        "descent.adam: run(rule, grad, theta0, steps)")
    if callable(grad) and next(iter(_parameters(grad)), "") == "state":
        raise TypeError(f"grad is the rule {grad.__name__}: the rule comes "
                        "first, run(rule, grad, theta0, steps)")
    if np.ndim(steps) > 0:
        raise TypeError(f"steps = {steps!r:.80} must be an integer; theta0 "
                        "comes before it, run(rule, grad, theta0, steps)")


def _parameters(function):
    try:
        return signature(function).parameters
    except (TypeError, ValueError):  # some built-in functions do not say
        return {}


def checked_start(theta0):
    if theta0 is None:
        raise TypeError("theta0 is missing: give the parameters to start at")
    if np.ma.is_masked(theta0):
        raise TypeError("theta0 has masked entries, but each parameter needs a number")
    try:
        theta0 = np.asarray(theta0)
    except ValueError:
        raise ValueError(f"theta0 = {theta0!r:.60} has rows of different lengths, but it must "
                         "be an array of shape (..., d)") from None
    if theta0.dtype.kind in "iub":
        theta0 = theta0.astype(float)
    if theta0.dtype.kind != "f":
        raise TypeError(f"theta0 has dtype {theta0.dtype}, but it must hold "
                        "real numbers")
    if not np.isfinite(theta0).all():
        raise ValueError(f"theta0 = {theta0} must be finite")
    return theta0


def _stream(grad, gradients, dtype):
    if (grad is None) == (gradients is None):
        raise TypeError("give either grad, a function of theta, or "
                        "gradients, a stream of shape (steps, ...)")
    if gradients is None:
        if not callable(grad):
            raise TypeError(f"grad = {grad!r} must be a function of theta; a "
                            "stream of gradients goes to gradients=")
        return None
    stream = np.asarray(gradients, dtype=dtype)
    if stream.ndim == 0:
        raise ValueError(f"gradients = {stream} must have a leading axis of "
                         "steps")
    if stream.size == 0:
        raise ValueError(f"gradients has shape {stream.shape}, but it must hold at least one gradient")
    bad = ~np.isfinite(stream).reshape(len(stream), -1).all(axis=1)
    if bad.any():
        t = int(bad.argmax()) + 1
        raise ValueError(f"gradients at step {t} are {stream[t - 1]}, but "
                         "they must be finite")
    return stream


def _steps(steps, stream):
    if steps is None:
        if stream is None:
            raise TypeError("steps is missing: give the number of steps")
        return len(stream)
    try:
        if isinstance(steps, (bool, np.bool_)):
            raise TypeError
        steps = index(steps)
    except TypeError:
        raise TypeError(f"steps = {steps!r} must be an integer") from None
    if steps < 0:
        raise ValueError(f"steps = {steps} must be at least 0")
    if stream is not None and steps != len(stream):
        raise ValueError(f"steps = {steps}, but gradients has {len(stream)}; "
                         "leave steps out or shorten the stream")
    return steps


def _every(record):
    """record as the number of steps between two kept ones; 0 for none."""
    if isinstance(record, (bool, np.bool_)):
        return int(record)
    try:
        every = index(record)
    except TypeError:
        every = 0
    if every < 1:
        raise ValueError(f"record = {record!r} must be True, False or a "
                         "number of steps of at least 1")
    return every


def _takes_t(grad):
    return sum(p.default is p.empty and p.kind in
               (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
               for p in _parameters(grad).values()) == 2


def _check_projection(project, theta0):
    if project is None:
        return
    if not callable(project):
        raise TypeError(f"project = {project!r} must be a function of theta")
    kept = _projected(project, theta0.copy())
    if not np.allclose(kept, theta0):
        raise ValueError(f"theta0 = {theta0} must lie in the set that "
                         f"project keeps to, but it maps to {kept}")


def _projected(project, theta):
    projected = np.asarray(project(theta), dtype=theta.dtype)
    if projected.shape != theta.shape:
        raise ValueError(f"project returns shape {projected.shape}, but theta "
                         f"has shape {theta.shape}")
    return projected


def split_hyperparameters(rule, hyper, dtype):
    """Split into constants (arrays), functions of t, and switches."""
    known = {name: p for name, p in signature(rule).parameters.items()
             if p.kind is Parameter.KEYWORD_ONLY}
    free = any(p.kind is Parameter.VAR_KEYWORD
               for p in signature(rule).parameters.values())
    constant, schedules, switches = {}, {}, {}
    for name, value in hyper.items():
        if known and not free and name not in known:
            raise TypeError(f"{rule.__name__} has no hyperparameter "
                            f"{name} = {value!r}; it has {', '.join(known)}")
        default = known[name].default if name in known else None
        if isinstance(default, bool) and not isinstance(value, (bool,
                                                                np.bool_)):
            raise TypeError(f"{name} = {value!r} must be True or False")
        if isinstance(default, (bool, str)) or (
                default is None and isinstance(value, (bool, str))):
            switches[name] = value
        elif callable(value):
            schedules[name] = _of_one_argument(name, value)
        else:
            constant[name] = checked_numbers(name, value, dtype)
    # the defaults too, so that a default and the same value given are equal
    for name, p in known.items():
        if isinstance(p.default, float) and name not in hyper:
            constant[name] = np.asarray(p.default, dtype=dtype)
    return constant, schedules, switches


def _of_one_argument(name, schedule):
    try:
        signature(schedule).bind(1)
    except TypeError:
        raise TypeError(f"{name} = {schedule!r:.60} must be a number, an array or a function "
                        "of t alone") from None
    except ValueError:  # some built-in functions do not say
        pass
    return schedule


def checked_numbers(name, value, dtype):
    try:
        if value is None or isinstance(value, (str, bytes)):
            raise TypeError
        array = np.asarray(value, dtype=dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {value!r} must be a number, an array or a "
                        "function of t") from None
    test, allowed = ALLOWED.get(name, (np.isfinite, "finite"))
    good = np.isfinite(array) & test(array)
    if not good.all():
        raise ValueError(f"{name} = {array[~good].flat[0]} must be {allowed}")
    if array.ndim and array.shape[-1] != 1:
        raise ValueError(
            f"{name} has shape {array.shape}, but its last axis, that of the "
            f"parameters, must have length 1: write {name}[..., None] for a "
            "grid of experiments")
    return array


def common_shape(theta0, stream, numbers):
    shapes = {"theta0": theta0.shape}
    if stream is not None:
        shapes["one step of gradients"] = stream.shape[1:]
    shapes.update((name, a.shape) for name, a in numbers.items() if a.ndim)
    try:
        shape = np.broadcast_shapes(*shapes.values())
    except ValueError:
        shape = None
    # the stream may add experiments, but not parameters
    if shape is None or shape[-1:] != theta0.shape[-1:] and theta0.ndim:
        text = ", ".join(f"{name} {s}" for name, s in shapes.items())
        raise ValueError(f"shapes do not fit together: {text}; parameters "
                         "stand on the last axis, experiments before it")
    if stream is not None and stream.ndim == 1 and theta0.size != 1:
        raise ValueError(f"gradients has shape {stream.shape}, but it must "
                         f"be (steps, ..., {theta0.shape[-1]}) for theta0 "
                         f"of shape {theta0.shape}")
    return shape


def _stepped(state, rule, t, shape):
    """What a rule returned, if it is the next State."""
    name = getattr(rule, "__name__", "the rule")
    if not isinstance(state, State):
        what = "None" if state is None else f"a {type(state).__name__}"
        raise TypeError(f"{name} returned {what} at step {t}, but a rule "
                        "returns the next State, such as state._replace("
                        "theta=state.theta - alpha * g, t=state.t + 1)")
    if state.t != t:
        raise ValueError(f"{name} returned t = {state.t} at step {t}: a rule "
                         "counts its step, t=state.t + 1")
    if np.shape(state.theta) != shape:
        raise ValueError(f"{name} returned theta of shape "
                         f"{np.shape(state.theta)} at step {t}, but it has "
                         f"shape {shape}")
    return state


def _array_of(g, dtype, t):
    """What a gradient function returned, as an array of numbers."""
    if g is None:
        raise TypeError(f"grad returned None at step {t}: does it end in "
                        "`return`?")
    if isinstance(g, tuple) and len({np.shape(part) for part in g}) > 1:
        raise TypeError(f"grad returned a tuple of {len(g)} at step {t}: if "
                        "it is (loss, gradient), return the gradient alone, "
                        "lambda theta: f(theta)[1]")
    try:
        return np.array(g, dtype=dtype)  # a copy: grad may fill one array again and again
    except (TypeError, ValueError):
        raise TypeError(f"grad returned {g!r:.80} at step {t}, but it must "
                        "return an array of theta's shape") from None


def _compare_one(grad, t, theta, g):
    """Refuse a gradient function that is not written for batches."""
    if _generators(grad):
        return
    for run in {(0,) * (theta.ndim - 1), (-1,) * (theta.ndim - 1)}:
        try:
            alone = grad(theta[run].copy(), *t)
            alone = np.asarray(alone, dtype=theta.dtype)
        except Exception:  # it cannot be called for one run: nothing to compare
            return
        if alone.size == 1 and theta.shape[-1] > 1:
            raise ValueError(f"grad returns one number for one run, {alone.item():.6g}, but theta has "
                             f"{theta.shape[-1]} parameters: is it the loss?")
        if alone.shape not in ((), theta.shape[-1:]):
            return
        again = grad(theta.copy(), *t)
        if not np.array_equal(np.broadcast_to(again, g.shape), g,
                              equal_nan=True):
            return  # it draws random numbers that we do not see
        slack = 1e3 * np.finfo(theta.dtype).eps * np.abs(alone).max()
        if not np.allclose(g[run], alone, rtol=1e-3 if theta.dtype.itemsize
                           < 8 else 1e-6, atol=slack, equal_nan=True):
            raise ValueError(
                "grad is not written for a batch: with theta of shape "
                f"{theta.shape} it returns {g[run]} for the run at "
                f"{theta[run]}, alone it returns {alone}. Parameters stand on "
                "the last axis: write theta[..., 0] for theta[0], and sum "
                "with axis=-1")


def _generators(function):
    """The random generators that a function can see."""
    function = getattr(function, "func", function)  # a partial
    code = getattr(function, "__code__", None)
    seen = [cell.cell_contents for cell in
            getattr(function, "__closure__", None) or () if _filled(cell)]
    seen += getattr(function, "__defaults__", None) or ()
    if code is not None:
        names = getattr(function, "__globals__", {})
        seen += [names[name] for name in code.co_names if name in names]
    own = getattr(function, "__self__", function)
    seen += list(getattr(own, "__dict__", {}).values())
    return [x for x in seen if isinstance(x, (np.random.Generator,
                                              np.random.RandomState))]


def _filled(cell):
    try:
        cell.cell_contents
    except ValueError:
        return False
    return True


def _gradient(g, state, t, history):
    theta = state.theta
    g = _array_of(g, theta.dtype, t)
    if g.size == 1 and theta.shape[-1:] > (1,):
        raise ValueError(f"the gradient at step {t} is one number, {g.item():.6g}, "
                         f"but theta has {theta.shape[-1]} parameters: is it "
                         "the loss? A constant gradient is np.full_like(theta, c)")
    if g.shape != theta.shape:
        try:
            fits = np.broadcast_shapes(g.shape, theta.shape) == theta.shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"the gradient at step {t} has shape {g.shape}, "
                             f"but theta has shape {theta.shape}")
    if np.isnan(g).any():
        # beyond this size θ² overflows, and a NaN gradient is divergence
        sound = np.abs(theta) < np.sqrt(np.finfo(theta.dtype).max)
        bad = (np.isnan(g) & sound.all(axis=-1, keepdims=True)
               if theta.ndim else np.isnan(g) & sound)
        if bad.any():
            where = np.argwhere(bad)[0]
            at = theta[tuple(where[:-1])] if theta.ndim else theta
            if history[-1] is not state:  # not all steps are recorded
                history = [*history, state]
            raise NaNGradient(
                f"the gradient is NaN at step {t}, at theta = {at}; the "
                "steps before it are in this error's .path",
                t, _stack(history))
    return g


def _stack(history):
    """One State with a leading time axis, from a list of States."""
    start, last = history[0], history[-1]
    fields = {}
    for name in State._fields:
        if len(history) > 1 and name not in ("theta", "t") and (
                getattr(last, name) is getattr(start, name)):
            fields[name] = None
            continue
        if len(history) == 1 and name not in ("theta", "t"):
            fields[name] = None
            continue
        first = getattr(start, name)
        later = [getattr(s, name) for s in history[1:]]
        shape = np.shape(later[0] if later else first)
        dtype = np.asarray(later[0] if later else first).dtype
        out = np.empty((len(history), *shape), dtype=dtype)
        out[0] = np.nan if first is None else first
        for i, value in enumerate(later, 1):
            out[i] = value
        fields[name] = out
    return State(**fields)
