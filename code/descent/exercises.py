"""Checks for the exercises: they say what is wrong, and they never raise.

A check prints "not done yet" while the skeleton still returns None, "correct",
or the first quantity that is wrong, with the cause where it is a known one.
Whatever a learner's function does (raise, return a string, a wrong shape, NaN)
the check says so and goes on.

For authors
===========

A number, an array, a word (or a function of no arguments that returns one)::

    check_value("first step", answer, 1 / np.sqrt(1 - 0.99),
                wrong={"this is β₂ = 0.9": 1 / np.sqrt(1 - 0.9)})

The tolerance is 1e-3, three digits as one types them; an integer must be
exact, so that t = 3911 is not t = 3912.  A wrong sign, a reciprocal, a missing
or superfluous root are recognised without being listed.

A function, compared with a reference at every input (tuples of arguments).
`wrong` maps a diagnosis to the function that makes this mistake, or to an
exception class.  Take the mistaken functions from `descent.rules` with other
options; where several agree with the answer, the first is named::

    def step(m, v, g, t): ...                  # the learner's: m_hat, v_hat

    check_function(step, reference, inputs=[(0.1, 0.2, 3.0, 1), ...],
                   quantities=("m_hat", "v_hat"),
                   wrong={"t is counted from 0":
                              lambda m, v, g, t: reference(m, v, g, t - 1)})

`quantities` names what is returned, in the order of the algorithm: a tuple,
or a dict or State with these names.  `first_t=0` says that the leading axis
of every quantity is time and begins at t = 0; the first wrong step is named.

Named checks of single exercises stand at the end of this file.

The cells of an exercise
========================

All solution cells, Markdown too, carry the tag ``solution``; no headings
between the gates (the build would stop)::

    Markdown                  ```{exercise} Adam from scratch
                              :label: ex-adam-from-scratch

                              Write the five lines of Adam ...
                              ```
    Code [exercise]           def my_adam(theta, gradients, ...):
                                  ...
    Code                      check_adam(my_adam)
    Markdown [solution]       ```{solution-start} ex-adam-from-scratch
                              :label: sol-adam-from-scratch
                              :class: dropdown
                              ```
    Markdown [solution]       The average starts at zero, so ...
    Code [solution]           def my_adam_solved(theta, gradients, ...): ...
                              check_adam(my_adam_solved)
    Markdown [solution]       ```{solution-end}
                              ```

The first check prints "not done yet" in the book, the second "correct"; a test
looks for both.  Cite an exercise as {ref}`ex-adam-from-scratch`.  An exercise
without code has no code cells; its solution may be a single pair of gates with
Markdown between them.
"""

import copy
import math
import re
from functools import partial, wraps
from inspect import signature

import numpy as np

from descent import theory, transformer
from descent.loop import run
from descent.problems import quadratic
from descent.rules import (State, adam, adamw, amsgrad, divide, rmsprop,
                           rmsprop_momentum, root)
from descent.transformer import select


# ---- reading what a learner gives -----------------------------------------


class Complaint(Exception):
    """What a check prints instead of "correct"."""


def never_raises(check):
    """A check prints its verdict, also about objects that cannot be read."""

    @wraps(check)
    def safe(answer, *args, **kwargs):
        try:
            name, verdict = check(answer, *args, **kwargs)
        except KeyboardInterrupt:
            raise
        except Complaint as complaint:
            name, verdict = "answer", str(complaint)
        except BaseException as error:  # an answer can be any object at all
            name, verdict = "answer", f"cannot be read: {_describe(error)}"
        print(f"{name}: {verdict}")

    return safe


def _verdict(compare, *args, **kwargs):
    try:
        compare(*args, **kwargs)
    except Complaint as complaint:
        return str(complaint)
    return "correct"


def _call(function, args, wrong=()):
    """What a learner's function returns; its exception as a Complaint."""
    where = f" at input {_short(args)}" if args else ""
    try:
        with np.errstate(all="ignore"):
            return function(*copy.deepcopy(args))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # exit() too
        text = f"your function raised {_describe(error)}{where}"
        for cause, mistake in dict(wrong).items():
            if isinstance(mistake, type) and isinstance(error, mistake):
                text += _cause(cause)
        raise Complaint(text) from None


def _describe(error):
    try:
        text = str(error)
    except Exception:
        text = ""
    return type(error).__name__ + (f": {text}" if text else "")


def _array(value, name="it"):
    """A real array of floats, or a Complaint that says what it is instead."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = array.astype(float)
    except Exception:
        array = None
    if array is None or array.dtype.kind not in "biuf":
        raise Complaint(f"{name} is of type {type(value).__name__}, "
                        "but it must be a number or an array of numbers")
    return array.astype(float)


def _undone(value):
    """None, the Ellipsis of a skeleton, or a collection of nothing else."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return len(value) > 0 and all(_undone(part) for part in value)
    return value is None or value is Ellipsis


# ---- comparing and diagnosing ---------------------------------------------


def _equal(a, b, rtol):
    """Equal entry by entry; the tolerance is relative to the largest entry."""
    if a.shape != b.shape:
        return np.zeros(b.shape, bool)
    with np.errstate(all="ignore"):
        scale = np.max(np.abs(b[np.isfinite(b)]), initial=0)
        return np.isclose(a, b, rtol=rtol, atol=rtol * 1e-3 * scale,
                          equal_nan=True)


def _agree(a, b, rtol):
    return a.shape == b.shape and bool(_equal(a, b, rtol).all())


ALWAYS_TRIED = {
    "the sign is wrong": lambda x: -x,
    "this is the square of the right value: a root is missing": np.square,
    "this is the square root of the right value": np.sqrt,
    "this is 1 over the right value": np.reciprocal,
}


def _guess(answer, expected, rtol):
    """A slip that every quantity can suffer, or nothing."""
    with np.errstate(all="ignore"):
        for cause, slip in ALWAYS_TRIED.items():
            if _agree(answer, slip(expected), rtol):
                return _cause(cause)
    return ""


def _cause(text):
    return f"\n    likely cause: {text}"


def _short(value):
    """At most 70 characters that show a value, numbers to 6 digits."""
    if isinstance(value, tuple):
        text = "(" + ", ".join(_short(part) for part in value) + ")"
    elif isinstance(value, (float, np.floating)):
        text = f"{value:.6g}"
    elif isinstance(value, np.ndarray):
        text = np.array2string(
            value, precision=6, separator=", ", threshold=6, edgeitems=2,
            formatter={"float_kind": lambda x: f"{x:.6g}"})
        text = " ".join(text.split())
    elif isinstance(value, (bool, int, str, list)):
        text = repr(value)
    else:
        text = f"<{type(value).__name__}>"
    return _cut(text)


def _cut(text):
    return text if len(text) <= 70 else text[:67] + "..."


def _arguments(function, args):
    """The arguments; where they are too long, by name and numbers first."""
    text = _short(args)
    if not text.endswith("..."):
        return text
    try:
        names = list(signature(function).parameters)[:len(args)]
    except (TypeError, ValueError):
        names = []
    if len(names) < len(args):
        names = ["array" if np.ndim(a) else "number" for a in args]
    order = sorted(zip(names, args), key=lambda pair: np.ndim(pair[1]))
    return _cut(", ".join(f"{name} = {_short(a)}" for name, a in order))


def _compare_values(answer, expected, rtol, wrong):
    if isinstance(expected, str):
        if not isinstance(answer, str):
            raise Complaint("it must be a word (a string), but it is of type "
                            f"{type(answer).__name__}")
        if answer.strip().casefold() != expected.casefold():
            causes = [_cause(cause) for cause, value in wrong.items()
                      if answer.strip().casefold() == value.casefold()]
            raise Complaint("not right: " + _short(answer)
                            + "".join(causes[:1]))
        return
    # t = 3911 is not t = 3912, though they are close
    exact = np.asarray(expected).dtype.kind in "biu"
    answer, expected = _array(answer), _array(expected)
    if _agree(answer, expected, 1e-9 if exact else rtol):
        return
    if answer.shape != expected.shape:
        raise Complaint(f"it has shape {answer.shape}, "
                        f"but {expected.shape} is needed")
    text = "not right: " + _short(answer if answer.ndim else float(answer))
    for cause, value in wrong.items():
        if _agree(answer, _array(value), rtol):
            raise Complaint(text + _cause(cause))
    raise Complaint(text + _guess(answer, expected, rtol))


def _parts(result, quantities):
    """The named quantities in what a function returned, as a dict."""
    if isinstance(result, dict):
        missing = [name for name in quantities if name not in result]
        if missing:
            raise Complaint(f"the dict has no entry {missing[0]!r}")
        return {name: result[name] for name in quantities}
    if all(hasattr(result, name) for name in quantities):
        return {name: getattr(result, name) for name in quantities}
    if len(quantities) == 1:
        return {quantities[0]: result}
    if not isinstance(result, (tuple, list)):
        raise Complaint(f"it must return {', '.join(quantities)}, but it "
                        f"returns one value of type {type(result).__name__}")
    if len(result) != len(quantities):
        raise Complaint(f"it must return {len(quantities)} values "
                        f"({', '.join(quantities)}), but it returns "
                        f"{len(result)}")
    return dict(zip(quantities, result))


def _read(result, quantities):
    parts = {}
    for name, value in _parts(result, quantities).items():
        if _undone(value):
            raise Complaint(f"{name} is not done yet")
        parts[name] = _array(value, name)
    return parts


def _first_difference(got, wanted, rtol, first_t):
    """The first wrong quantity: (name, where, got, wanted), or None.

    First in time where there is time, then in the order of the algorithm.
    """
    found = []
    for order, (name, right) in enumerate(wanted.items()):
        value = got[name]
        if value.shape != right.shape:
            rows = ("" if first_t is None else
                    f": one row for each of t = {first_t} to "
                    f"{first_t + len(right) - 1}")
            raise Complaint(f"{name} has shape {value.shape}, but "
                            f"{right.shape} is needed{rows}")
        good = _equal(value, right, rtol)
        if good.all():
            continue
        if first_t is None:
            found.append((0, order, name, "", value, right))
        else:
            row = int((~good).reshape(len(good), -1).any(axis=1).argmax())
            found.append((row, order, name, f" at t = {first_t + row}",
                          value[row], right[row]))
    return min(found, key=lambda f: f[:2])[2:] if found else None


def _compare_function(function, reference, inputs, quantities, rtol, first_t,
                      wrong):
    answers = []
    for args in inputs:
        result = _call(function, args, wrong)
        if _undone(result):
            raise Complaint("not done yet")
        answers.append(_read(result, quantities))
    right = [_read(reference(*copy.deepcopy(args)), quantities)
             for args in inputs]
    if first_t is not None and all(
            got[q].shape == wanted[q][:1].shape != wanted[q].shape
            and _agree(got[q], wanted[q][:1], rtol)
            for got, wanted in zip(answers, right) for q in quantities):
        raise Complaint("not done yet")  # the start, and not one step
    for args, got, wanted in zip(inputs, answers, right):
        difference = _first_difference(got, wanted, rtol, first_t)
        if difference:
            break
    else:
        return
    name, where, value, target = difference
    value, target = np.asarray(value), np.asarray(target)
    state = "is NaN" if np.isnan(value).any() > np.isnan(target).any() else (
        "is wrong")
    text = (f"{name} {state}{where}\n    yours: {_short(value)}"
            f"\n    right: {_short(target)}"
            f"\n    input: {_arguments(function, args)}")
    for cause, mistake in wrong.items():
        if isinstance(mistake, type):
            continue
        try:
            made = [_read(_call(mistake, args), quantities) for args in inputs]
        except Complaint:
            continue  # the mistake has no value here
        if all(_agree(got[q], variant[q], rtol)
               for got, variant in zip(answers, made) for q in quantities):
            raise Complaint(text + _cause(cause))
    whole = _guess(got[name], wanted[name], rtol)
    raise Complaint(text + (whole or _guess(value, target, rtol)))


# ---- the two engines ------------------------------------------------------


def check_value(name, answer, expected, *, rtol=5e-3, wrong={}):
    """Print what is to be said about a number, an array or a word.

    name : how the message calls it
    answer : the learner's value, or a function of no arguments
    expected : the right value
    rtol : relative tolerance; an integer must be exact
    wrong : {diagnosis: the value that this mistake gives, or an exception
        class}

    >>> check_value("half-life", None, 6.58)
    half-life: not done yet
    >>> check_value("half-life", 6.58, 6.5788)
    half-life: correct
    >>> check_value("half-life", 10, 6.58, wrong={"this is 1/(1 − β)": 10})
    half-life: not right: 10
        likely cause: this is 1/(1 − β)
    """
    _check_value(answer, name, expected, rtol, wrong)


@never_raises
def _check_value(answer, name, expected, rtol, wrong):
    try:
        value = _call(answer, (), wrong) if callable(answer) else answer
    except Complaint as complaint:
        return name, str(complaint)
    if _undone(value):
        return name, "not done yet"
    values = {cause: mistake for cause, mistake in wrong.items()
              if not isinstance(mistake, type)}
    return name, _verdict(_compare_values, value, expected, rtol, values)


@never_raises
def check_function(function, reference, inputs, *, quantities=("the result",),
                   rtol=1e-9, first_t=None, wrong={}, name=None):
    """Print what is to be said about a learner's function.

    function : the learner's
    reference : the right function, with the same arguments
    inputs : tuples of arguments at which they are compared
    quantities : names of what is returned, in the order of the algorithm
    rtol : relative tolerance
    first_t : the t of the first row, where the leading axis is time
    wrong : {diagnosis: the function that makes this mistake, or an
        exception class}
    name : how the message calls it; default: the function's own name

    >>> def rms(x):
    ...     return np.mean(x**2)
    >>> check_function(rms, lambda x: np.sqrt(np.mean(x**2)),
    ...                [(np.array([3.0, 4.0]),)])
    rms: the result is wrong
        yours: 12.5
        right: 3.53553
        input: ([3, 4])
        likely cause: this is the square of the right value: a root is missing
    """
    name = name or getattr(function, "__name__", "your function")
    if _undone(function):
        return name, "not done yet"
    if not callable(function):
        return name, (f"it must be a function, but it is of type "
                      f"{type(function).__name__}")
    return name, _verdict(_compare_function, function, reference, inputs,
                          quantities, rtol, first_t, wrong)


# ---- the rules and what goes wrong in them --------------------------------

# Three coordinates of very different size, a zero and signs that change.
STREAM = np.array([[2.0, -0.01, 0.5], [1.0, 0.03, 0.0], [-3.0, 0.02, 0.7],
                   [0.5, -0.04, 0.9], [4.0, 0.01, -0.2]])
START = np.array([1.0, -2.0, 0.5])


def _adam_path(theta, gradients, *hyper, rule=adam, **other):
    options = dict(zip(("alpha", "beta1", "beta2", "eps"), hyper)) | other
    return run(rule, theta0=theta, gradients=gradients, **options).theta


def _adam_with(**options):
    """Adam whose options are functions of (alpha, beta1, beta2, eps)."""
    def path(theta, gradients, *hyper):
        return _adam_path(theta, gradients, *hyper,
                          **{k: f(*hyper) for k, f in options.items()})
    return path


def _adam_counting(count):
    """Adam that takes count(t) for t."""
    def rule(state, g, **hyper):
        after = adam(state._replace(t=count(state.t + 1) - 1), g, **hyper)
        return after._replace(t=state.t + 1)
    return partial(_adam_path, rule=rule)


def _adam_keeping_corrected(state, g, **hyper):
    after = adam(state, g, **hyper)
    return after._replace(m=after.m_hat, v=after.v_hat)


def _adam_without_root(state, g, *, alpha, eps, **hyper):
    after = adam(state, g, alpha=alpha, eps=eps, **hyper)
    step = alpha * divide(after.m_hat, after.v_hat + eps)
    return after._replace(theta=state.theta - step)


def _adam_without_square(state, g, *, alpha, beta2, eps, **hyper):
    # the line of m with β₂ in it: the average of g where that of g² belongs
    v = adam(state._replace(m=state.v), g, beta1=beta2, beta2=beta2).m
    after = adam(state, g, alpha=alpha, beta2=beta2, eps=eps, **hyper)
    v_hat = v / (1 - beta2**after.t)
    step = alpha * divide(after.m_hat, root(v_hat, eps, False))
    return after._replace(theta=state.theta - step, v=v)


def _adam_late(m, v):
    """Adam whose step uses the m or v of the step before, where True."""
    def rule(state, g, *, alpha, eps, beta1=0.9, beta2=0.999):
        after = adam(state, g, beta1=beta1, beta2=beta2)
        m_hat = (state if m else after).m / (1 - beta1**after.t)
        v_hat = (state if v else after).v / (1 - beta2**after.t)
        step = alpha * divide(m_hat, root(v_hat, eps, False))
        return after._replace(theta=state.theta - step)
    return partial(_adam_path, rule=rule)


def _rmsprop_with_momentum(theta, gradients, alpha, beta1, beta2, eps):
    return run(rmsprop_momentum, theta0=theta, gradients=gradients,
               alpha=alpha, mu=beta1, beta2=beta2, eps=eps).theta


def _averaged_ratios(theta, gradients, alpha, beta1, beta2, eps):
    # v̂ of Adam on the gradients, then m̂ of Adam on the ratios
    v_hat = run(adam, theta0=theta, gradients=gradients, beta2=beta2).v_hat[1:]
    ratios = divide(gradients, root(v_hat, eps, False))
    m_hat = run(adam, theta0=theta, gradients=ratios, beta1=beta1).m_hat[1:]
    return np.cumsum([theta, *(-alpha * m_hat)], axis=0)


def _in_place(theta, *args):
    path = _adam_path(theta, *args)
    return np.broadcast_to(path[-1], path.shape)


def _reversed(path):
    """The same steps in the opposite direction."""
    return lambda theta, *args: 2 * theta - path(theta, *args)


T_FROM_ONE = "t is counted from 0, so that 1 − β^t is 0 at the first step"

# Where a step is a known function of t times Adam's, rate and ε say it.
BROKEN_ADAMS = {
    "the bias correction is missing":
        _adam_with(correct=lambda *_: "none"),
    "v̂ is missing: only the first moment is corrected":
        _adam_with(correct=lambda *_: "first"),
    "m̂ is missing: only the second moment is corrected":
        _adam_with(alpha=lambda a, b1, b2, e: lambda t: a * (1 - b1**t)),
    "ε is inside the root":
        _adam_with(eps_inside=lambda *_: True),
    "ε is added before the correction, to √v":
        _adam_with(eps=lambda a, b1, b2, e:
                   lambda t: e / np.sqrt(1 - b2**t)),
    "ε is missing":
        _adam_with(eps=lambda *_: 0.0),
    T_FROM_ONE: _adam_counting(lambda t: t - 1),
    "the correction is one step ahead: t is 2 at the first step":
        _adam_counting(lambda t: t + 1),
    "t does not advance: the correction is that of t = 1 at every step":
        _adam_counting(lambda t: 1),
    "β₁ and β₂ are exchanged":
        _adam_with(beta1=lambda a, b1, b2, e: b2,
                   beta2=lambda a, b1, b2, e: b1),
    "v is corrected with β₁ instead of β₂":
        _adam_with(alpha=lambda a, b1, b2, e:
                   lambda t: a * np.sqrt((1 - b1**t) / (1 - b2**t)),
                   eps=lambda a, b1, b2, e:
                   lambda t: e * np.sqrt((1 - b1**t) / (1 - b2**t))),
    "the corrected averages are carried on; carry on m and v instead":
        partial(_adam_path, rule=_adam_keeping_corrected),
    "the square root is missing":
        partial(_adam_path, rule=_adam_without_root),
    "the gradient is not squared in v":
        partial(_adam_path, rule=_adam_without_square),
    "the factor 1 − β₁ is missing in m":
        _adam_with(alpha=lambda a, b1, b2, e: a / (1 - b1)),
    "the factor 1 − β₂ is missing in v":
        _adam_with(alpha=lambda a, b1, b2, e: a * np.sqrt(1 - b2),
                   eps=lambda a, b1, b2, e: e * np.sqrt(1 - b2)),
    "the sign of the update is wrong: it climbs":
        _reversed(_adam_path),
    "the rate α is missing":
        _adam_with(alpha=lambda *_: 1.0),
    "the root is taken of v alone: √v̂ is √(v / (1 − β₂^t))":
        _adam_with(alpha=lambda a, b1, b2, e:
                   lambda t: a * np.sqrt(1 - b2**t),
                   eps=lambda a, b1, b2, e:
                   lambda t: e * np.sqrt(1 - b2**t)),
    "m and v are multiplied by 1 − β^t; divide by it":
        _adam_with(alpha=lambda a, b1, b2, e:
                   lambda t: a * (1 - b1**t)**2 / (1 - b2**t),
                   eps=lambda a, b1, b2, e: lambda t: e / (1 - b2**t)),
    "the step uses m of the step before: update m first":
        _adam_late(m=True, v=False),
    "the step uses v of the step before: update v first":
        _adam_late(m=False, v=True),
    "the step uses m and v of the step before: update them first":
        _adam_late(m=True, v=True),
    "this is RMSprop with momentum: you divide first and average after":
        _rmsprop_with_momentum,
    "this is RMSprop with momentum at the rate α(1 − β₁): "
    "you divide first and average after":
        lambda theta, g, a, b1, b2, e: _rmsprop_with_momentum(
            theta, g, a * (1 - b1), b1, b2, e),
    "the ratios g/√v̂ are averaged: you divide first and average after":
        _averaged_ratios,
    "theta is changed in place, so that every row of the path is the last one":
        _in_place,
}


def check_adam(function):
    """Check ``my_adam(theta, gradients, alpha, beta1, beta2, eps)``.

    It must return θ_0, θ_1, ..., an array of shape (steps + 1, d), for
    gradients g_1, g_2, ... of shape (steps, d).

    >>> check_adam(lambda theta, gradients, alpha, beta1, beta2, eps: None)
    <lambda>: not done yet
    """
    check_function(
        function, _adam_path, quantities=("theta",), first_t=0,
        inputs=[(START, STREAM, 0.1, 0.9, 0.95, 0.01),
                (START, 10 * STREAM, 0.02, 0.6, 0.99, 0.1)],
        wrong={**BROKEN_ADAMS, T_FROM_ONE + " ": ZeroDivisionError})


def _rmsprop_path(theta, gradients, *hyper, rule=rmsprop, **other):
    options = dict(zip(("alpha", "beta2", "eps"), hyper)) | other
    return run(rule, theta0=theta, gradients=gradients, **options).theta


def _rmsprop_with(**options):
    """RMSprop whose options are functions of (alpha, beta2, eps)."""
    def path(theta, gradients, *hyper):
        return _rmsprop_path(theta, gradients, *hyper,
                             **{k: f(*hyper) for k, f in options.items()})
    return path


def _rmsprop_without_root(state, g, *, alpha, eps, **hyper):
    after = rmsprop(state, g, alpha=alpha, eps=eps, **hyper)
    step = alpha * divide(g, after.v + eps)
    return after._replace(theta=state.theta - step)


def _rmsprop_late(state, g, *, alpha, eps, **hyper):
    after = rmsprop(state, g, alpha=alpha, eps=eps, **hyper)
    step = alpha * divide(g, root(state.v, eps, False))
    return after._replace(theta=state.theta - step)


def _rmsprop_without_square(state, g, *, alpha, beta2, eps, **hyper):
    v = adam(state._replace(m=state.v), g, beta1=beta2, beta2=beta2).m
    after = rmsprop(state, g, alpha=alpha, beta2=beta2, eps=eps, **hyper)
    step = alpha * divide(g, root(v, eps, False))
    return after._replace(theta=state.theta - step, v=v)


BROKEN_RMSPROPS = {
    "ε is inside the root":
        _rmsprop_with(eps_inside=lambda *_: True),
    "ε is missing":
        _rmsprop_with(eps=lambda *_: 0.0),
    "β₂ and 1 − β₂ are exchanged":
        _rmsprop_with(beta2=lambda a, b2, e: 1 - b2),
    "v starts at one instead of zero":
        _rmsprop_with(v0=lambda *_: 1.0),
    "v is bias-corrected; RMSprop's is not":
        _rmsprop_with(alpha=lambda a, b2, e: lambda t: a * np.sqrt(1 - b2**t),
                      eps=lambda a, b2, e: lambda t: e * np.sqrt(1 - b2**t)),
    "the step uses v of the step before: update v first":
        partial(_rmsprop_path, rule=_rmsprop_late),
    "the square root is missing":
        partial(_rmsprop_path, rule=_rmsprop_without_root),
    "the gradient is not squared in v":
        partial(_rmsprop_path, rule=_rmsprop_without_square),
    "the factor 1 − β₂ is missing in v":
        _rmsprop_with(alpha=lambda a, b2, e: a * np.sqrt(1 - b2),
                      eps=lambda a, b2, e: e * np.sqrt(1 - b2)),
    "the sign of the update is wrong: it climbs":
        _reversed(_rmsprop_path),
    "the rate α is missing":
        _rmsprop_with(alpha=lambda *_: 1.0),
}


def check_rmsprop(function):
    """Check ``my_rmsprop(theta, gradients, alpha, beta2, eps)``.

    It must return θ_0, θ_1, ..., an array of shape (steps + 1, d), for
    gradients g_1, g_2, ... of shape (steps, d).  ε stands outside the root.

    >>> check_rmsprop(lambda theta, gradients, alpha, beta2, eps: None)
    <lambda>: not done yet
    """
    check_function(
        function, _rmsprop_path, quantities=("theta",), first_t=0,
        inputs=[(START, STREAM, 0.1, 0.9, 0.01),
                (START, 10 * STREAM, 0.02, 0.6, 0.1)],
        wrong=BROKEN_RMSPROPS)


# ---- chapter 1 ------------------------------------------------------------


def check_three_curvatures(answer):
    """Limit, best rate and worst-case factor for λ = (2, 10, 50).

    >>> check_three_curvatures((0.04, 0.04, 0.92))
    limit, best rate, factor: not right: [0.04, 0.04, 0.92]
    """
    low, high = 2.0, 50.0
    rate = theory.best_rate(low, high)
    factor = theory.best_factor(high / low)
    limit = theory.largest_stable_rate(high)
    check_value("limit, best rate, factor", answer,
                np.array([limit, rate, factor]), rtol=2e-3, wrong={
        "the order is limit, rate, factor": np.array([rate, limit, factor]),
        "the limit is that of the flattest direction":
            np.array([theory.largest_stable_rate(low), rate, factor]),
        "the best rate is not 1/λ_max":
            np.array([limit, 1 / high, factor]),
        "the best rate has λ_min and λ_max, not the mean of all three":
            np.array([limit, 3 / (low + 10 + high), factor]),
        "the factor is squared: that is the one for f":
            np.array([limit, rate, factor**2]),
        "the middle eigenvalue does not count":
            np.array([limit, rate, abs(1 - 10 * rate)])})


def check_three_rates(answer):
    """Three rates that take λ = (1, 10, 100) to the minimum, in any order.

    >>> check_three_rates([0.02, 0.2, 2.0])
    the three rates: not right: [0.02, 0.2, 2]
        likely cause: these are the limits: the coordinates jump to the other side
    """
    try:
        given = _call(answer, ()) if callable(answer) else answer
        if not _undone(given):
            answer = np.sort(_array(given), axis=None)
    except Complaint:
        pass  # check_value says what is wrong with it
    right = 1 / np.array([100.0, 10.0, 1.0])
    check_value("the three rates", answer, right, rtol=1e-6, wrong={
        "these are the limits: the coordinates jump to the other side":
            theory.largest_stable_rate(1 / right),
        "these are the eigenvalues themselves": np.sort(1 / right),
        "one rate for all three steps, the one with the best guarantee":
            np.full(3, theory.best_rate(1.0, 100.0))})


def check_axis_limit(answer):
    """The factor of the steep direction at 0.9 times the limit of the axes.

    >>> check_axis_limit(-0.8)
    the factor: not right: -0.8
        likely cause: this is the factor at 0.9 times the true limit
    """
    def factor(rate):
        return theory.eigen_coordinate(1, rate, 1000.0, 1.0)

    code = theory.largest_stable_rate(500.5)
    check_value("the factor", answer, factor(0.9 * code), wrong={
        "this is the factor at 0.9 times the true limit":
            factor(0.9 * theory.largest_stable_rate(1000.0)),
        "this is the factor at the code's limit, not at 0.9 times it":
            factor(code),
        "this is the factor along an axis, not along the eigenvector":
            theory.eigen_coordinate(1, 0.9 * code, 500.5, 1.0),
        "this is the factor of the flat direction":
            theory.eigen_coordinate(1, 0.9 * code, 1.0, 1.0)})


def _turned_and_rescaled(kappa, angle, power=0.5):
    H = quadratic([1.0, kappa], angle=angle).H
    s = np.diagonal(H) ** -power
    low, high = np.linalg.eigvalsh(s[:, None] * H * s)
    return high / low


def check_condition_after_rescaling(function):
    """Check ``condition_after_rescaling(kappa, angle)``.

    >>> check_condition_after_rescaling(lambda kappa, angle: None)
    <lambda>: not done yet
    """
    check_function(
        function, _turned_and_rescaled,
        inputs=[(1000.0, 0.1), (50.0, np.pi / 4), (7.0, -0.4), (9.0, 0.0)],
        rtol=1e-6, wrong={
            "this is κ itself, without the rescaling":
                partial(_turned_and_rescaled, power=0.0),
            "angle is in radians already":
                lambda kappa, angle: _turned_and_rescaled(
                    kappa, np.deg2rad(angle)),
            "the unit is √H_jj, not H_jj":
                partial(_turned_and_rescaled, power=1.0),
            "the sign of r: take |r|":
                lambda kappa, angle: _turned_and_rescaled(kappa, angle) ** (
                    1.0 if angle < 0 else -1.0)})


# ---- chapter 2 ------------------------------------------------------------


def check_half_lives(answer):
    """The half-lives of exponential averages with β = 0.95, 0.9, 0.8, 0.7.

    >>> check_half_lives((20, 10, 5, 10 / 3))
    the half-lives: not right: [20, 10, 5, 3.33333]
        likely cause: this is 1/(1 − γ): the time to fall to about 1/e
    """
    gamma = np.array([0.95, 0.9, 0.8, 0.7])
    check_value("the half-lives", answer, theory.half_life(gamma), wrong={
        "this is γ⁻¹, the claim itself": 1 / gamma,
        "this is 1/(1 − γ): the time to fall to about 1/e": 1 / (1 - gamma),
        "this is the time to fall to 1/e exactly": -1 / np.log(gamma),
        "this is γ/(1 − γ), the mean age": theory.mean_age(gamma),
        "ln 2/(1 − γ) is only the limit for γ → 1":
            np.log(2) / (1 - gamma),
        "a half-life need not be a whole number":
            np.ceil(theory.half_life(gamma))}, rtol=2e-3)


def check_nothing_comes_twice(answer):
    """The smallest batch of 1078 with half the noise, without replacement.

    >>> check_nothing_comes_twice(540)
    the batch: not right: 540
        likely cause: this halves the variance
    """
    B = np.arange(1, 1079)
    left = theory.minibatch_variance_without(1.0, B, 1078) * B
    right = int(B[left <= 0.25][0])
    check_value("the batch", answer, right, wrong={
        "this halves the variance": int(B[left <= 0.5][0]),
        "here it is still a little more than half": right - 1,
        "a smaller batch will do": right + 1,
        "this leaves 3/4 of the variance": int(B[left <= 0.75][0])})


def check_backwards_average(function):
    """Check ``fast_average(x, beta)``, which returns m_t from m_0 = 0.

    >>> check_backwards_average(lambda x, beta: None)
    <lambda>: not done yet
    """
    right = theory.unrolled_average
    x = np.array([2.0, -1.0, 0.5, 3.0, 7.0])
    check_function(
        function, right, inputs=[(x, 0.9), (x**2, 0.5)],
        wrong={"the oldest entry still has the largest weight":
                   lambda x, b: right(x[::-1], b),
               "the factor 1 − β is missing":
                   lambda x, b: right(x, b) / (1 - b),
               "the weights are made to sum to one; m_t starts from zero":
                   lambda x, b: right(x, b) / theory.weight_of_last(len(x), b),
               "the newest entry already has a factor β":
                   lambda x, b: b * right(x, b),
               "β and 1 − β are exchanged": lambda x, b: right(x, 1 - b),
               "m_t after every entry is returned; the last one is asked for":
                   theory.exponential_average})


def check_larger_batch(answer):
    """β′ that keeps the memory in examples, for β = 0.9 and r = 16.

    >>> check_larger_batch(-0.6)
    the new β: not right: -0.6
        likely cause: this is the colleague's rule
    """
    check_value("the new β", answer, 0.9**16, wrong={
        "this is the colleague's rule": 1 - 16 * 0.1,
        "this keeps the memory in steps, not in examples": 0.9,
        "this is for a smaller batch": 0.9 ** (1 / 16),
        "this gives the newcomer a smaller share": 1 - 0.1 / 16})


def check_noise_that_remembers(function):
    """Check ``factor_with_memory(beta, rho)``.

    >>> check_noise_that_remembers(lambda beta, rho: None)
    <lambda>: not done yet
    """
    def right(beta, rho):
        white = theory.variance_factor(np.inf, beta)
        return white * (1 + beta * rho) / (1 - beta * rho)

    check_function(
        function, right, inputs=[(0.9, 0.5), (0.5, -0.8), (0.99, 0.9)],
        wrong={"this is white noise: ρ is missing":
                   lambda b, r: theory.variance_factor(np.inf, b),
               "each pair of entries counts twice in a variance":
                   lambda b, r: theory.variance_factor(np.inf, b)
                   / (1 - b * r),
               "the sign of ρ is wrong": lambda b, r: right(b, -r),
               "x_t and m_{t−1} are a step further apart":
                   lambda b, r: theory.variance_factor(np.inf, b)
                   * (1 + 2 * b / (1 - b * r))})


# ---- chapter 3 ------------------------------------------------------------


def check_start_at_one(answer):
    """TensorFlow 1's first RMSprop step for g = 0.01 and β₂ = 0.9, over α.

    >>> check_start_at_one(3.162)
    the first step: not right: 3.162
        likely cause: this is the start from v₀ = 0
    """
    def first_step(g, **options):
        path = run(rmsprop, theta0=0.0, gradients=[g], alpha=1.0, eps=0.0,
                   **options)
        return -path.theta[1]

    check_value("the first step", answer, first_step(0.01, v0=1.0), wrong={
        "this is the start from v₀ = 0": first_step(0.01),
        "β₂ and 1 − β₂ are exchanged": first_step(0.01, v0=1.0, beta2=0.1),
        "the root of v is missing": 0.01 / (0.9 + 0.1 * 0.01**2)})


def check_frugal_step(answer):
    """The second step of the bug hunt on g = 1, 10 with β₂ = 0.9, over α.

    >>> check_frugal_step(10)
    the second step: not right: 10
        likely cause: this is the first step
    """
    beta2, g = 0.9, np.array([1.0, 10.0])
    mean = adam(adam(State(theta=0.0), g[0], beta1=beta2), g[1], beta1=beta2).m
    own = -np.diff(run(rmsprop, theta0=0.0, gradients=g, alpha=1.0,
                       beta2=beta2, eps=0.0).theta)
    check_value("the second step", answer, g[1] / mean, wrong={
        "this is the first step": 1 / (1 - beta2),
        "the average starts at zero, not at |g₁|":
            g[1] / (beta2 * g[0] + (1 - beta2) * g[1]),
        "this is RMSprop's own second step": own[1],
        "this is a length, not in units of α": 0.1 * g[1] / mean})


def check_drift_from_skewness(function):
    """Check ``drift_from_skewness(beta2, g)`` on cycles that read the same
    backwards.

    >>> check_drift_from_skewness(lambda beta2, g: None)
    <lambda>: not done yet
    """
    right = theory.drift_to_first_order
    check_function(
        function, right,
        inputs=[(0.99, np.array([0.1] * 9 + [-0.9])),
                (0.9, np.array([0.3, 0.3, -0.2, -0.2, -0.2]))],
        wrong={"the factor is 1/4, not 1/2": lambda b, g: 2 * right(b, g),
               "cubes are summed, not averaged":
                   lambda b, g: right(b, g) / len(g),
               "1 − β₂ is missing": lambda b, g: right(0.0, g)})


# ---- chapter 4 ------------------------------------------------------------


def check_fivehundredfold_fall(answer):
    """The step at half speed after a fall by 500, β₂ = 0.99.

    >>> check_fivehundredfold_fall(108)
    the step: not right: 108
        likely cause: this is β₂ = 0.9
    """
    def step(r, beta2):
        return int(np.ceil(theory.steps_to_half_speed(r, beta2)))

    memory = -1 / np.log(0.99)
    check_value("the step", answer, step(0.002, 0.99), wrong={
        "this is β₂ = 0.9": step(0.002, 0.9),
        "this is β₂ = 0.999": step(0.002, 0.999),
        "this is a hundredfold fall": step(0.01, 0.99),
        "this is a thousandfold fall": step(0.001, 0.99),
        "round up: here the speed is still below one half":
            step(0.002, 0.99) - 1,
        "half speed means v = 4r², not 2r²":
            int(np.ceil(memory * np.log((1 - 4e-6) / 4e-6))),
        "v is an average of squares: r², not r":
            int(np.ceil(memory * np.log((1 - 2e-3) / 6e-3))),
        "divide by −ln β₂, not by 1 − β₂":
            int(np.ceil(100 * np.log((1 - 4e-6) / 12e-6)))})


def check_decay_rate_for(function):
    """Check ``decay_rate_for(r, steps)``: the β₂ that is back in time.

    >>> check_decay_rate_for(lambda r, steps: 1 / steps)
    <lambda>: the result is wrong
        yours: 0.005
        right: 0.960253
        input: (0.01, 200)
    """
    def root(x):
        return lambda r, steps: x(r) ** (1 / steps)

    def share(r):
        return 3 * r**2 / (1 - r**2)

    check_function(
        function, root(share), inputs=[(0.01, 200.0), (0.1, 35.0), (0.3, 7.5)],
        wrong={
            "1 − x is only the first order of e^(−x)":
                lambda r, steps: 1 + np.log(share(r)) / steps,
            "half speed means v = 4r², not 2r²":
                root(lambda r: r**2 / (1 - r**2)),
            "v is an average of squares: r², not r":
                root(lambda r: 3 * r / (1 - r)),
            "r² is not small enough to leave the 1 − r² away":
                root(lambda r: 3 * r**2),
            "eight time constants are for a hundredfold fall, and rounded":
                lambda r, steps: 1 - 8 / steps,
            "this is β₂ to the power of `steps`; take the root":
                lambda r, steps: share(r),
            "this is 1 − β₂": lambda r, steps: 1 - share(r) ** (1 / steps)})


def _clipped_path(theta, gradients, alpha, beta2, eps, clip, *,
                  path=_rmsprop_path):
    return path(theta, np.clip(gradients, -clip, clip), alpha, beta2, eps)


def _clipping(rule):
    """The path of rule(state, g, clip, **hyper), which clips by itself."""
    def path(theta, gradients, alpha, beta2, eps, clip):
        def step(state, g, **hyper):
            return rule(state, g, clip, **hyper)
        return run(step, theta0=theta, gradients=gradients, alpha=alpha,
                   beta2=beta2, eps=eps).theta
    return path


def _clipped_after_v(state, g, clip, *, alpha, **hyper):
    # the step of RMSprop, times the share of the gradient that the clip leaves
    after = rmsprop(state, g, alpha=alpha, **hyper)
    left = divide(np.clip(g, -clip, clip), g)
    return after._replace(
        theta=state.theta + left * (after.theta - state.theta))


def _clipped_in_v_only(state, g, clip, **hyper):
    clipped = np.clip(g, -clip, clip)
    after = rmsprop(state, clipped, **hyper)
    return after._replace(theta=state.theta + divide(g, clipped) * (
        after.theta - state.theta))


def _clipped_step(state, g, clip, *, alpha, **hyper):
    after = rmsprop(state, g, alpha=1.0, **hyper)
    step = np.clip(after.theta - state.theta, -clip, clip)
    return after._replace(theta=state.theta + alpha * step)


def _clipped_norm(state, g, clip, **hyper):
    return rmsprop(state, g * min(1, clip / np.linalg.norm(g)), **hyper)


CLIPPED_WRONG = {
    "v has seen the gradient before it was clipped":
        _clipping(_clipped_after_v),
    "v takes the clipped gradient, but the step does not":
        _clipping(_clipped_in_v_only),
    "the quotient g/√v is clipped, not the gradient":
        _clipping(_clipped_step),
    "the whole vector is scaled; here each coordinate is clipped for itself":
        _clipping(_clipped_norm),
    "negative gradients are not clipped":
        _clipping(lambda s, g, c, **h: rmsprop(s, np.minimum(g, c), **h)),
    "nothing is clipped": _clipping(lambda s, g, c, **h: rmsprop(s, g, **h)),
    **{cause: partial(_clipped_path, path=path)
       for cause, path in BROKEN_RMSPROPS.items()},
}


def check_clipped_rmsprop(function):
    """Check ``my_clipped_rmsprop(theta, gradients, alpha, beta2, eps, clip)``.

    >>> check_clipped_rmsprop(lambda *args: None)
    <lambda>: not done yet
    """
    check_function(
        function, _clipped_path, quantities=("theta",), first_t=0,
        inputs=[(START, STREAM, 0.1, 0.9, 0.01, 1.5),
                (START, 10 * STREAM, 0.02, 0.6, 0.1, 8.0)],
        wrong=CLIPPED_WRONG)


def check_worst_decay_rate(function):
    """Check ``worst_decay_rate(H)``, where the crawl after a spike is longest.

    >>> check_worst_decay_rate(lambda H: None)
    <lambda>: not done yet
    """
    def worst(factor):
        return lambda H: 1 - factor / (H**2 - 1)

    check_function(function, worst(3 * np.e),
                   inputs=[(10.0,), (100.0,), (1000.0,)], wrong={
        "this is 1 − β₂": lambda H: 3 * np.e / (H**2 - 1),
        "here the wait is zero; it is longest where ln(aδ) = 1": worst(3.0),
        "a is (H² − 1)/3, the 3 is missing": worst(np.e),
        "H² − 1, not H²": lambda H: 1 - 3 * np.e / H**2,
        "this is the number of steps": lambda H: (H**2 - 1) / (3 * np.e)})


def check_lost_travel(answer):
    """The travel gained by the largest rise, in half-lives.

    >>> check_lost_travel(1.386)
    the travel gained: not right: 1.386
        likely cause: this is in units of 1/(−ln β₂); a half-life is ln 2 of them
    """
    check_value("the travel gained", answer, 2.0, wrong={
        "this is in units of 1/(−ln β₂); a half-life is ln 2 of them":
            2 * np.log(2),
        "the 2 in front of the logarithm is missing": 1.0})


# ---- chapter 5 ------------------------------------------------------------


def check_eps_outside(answer):
    """The ε outside the root that equals 1e-7 inside it at g = 1e-4.

    >>> check_eps_outside(1e-7)
    the ε: not right: 1e-07
        likely cause: this is the same number: outside, it is compared with |g|
    """
    g, eps = 1e-4, 1e-7
    right = np.sqrt(g**2 + eps) - g
    check_value("the ε", answer, right, wrong={
        "this is the same number: outside, it is compared with |g|": eps,
        "this is right at v = 0, not at this gradient": np.sqrt(eps),
        "this is the translation in the other direction": eps**2,
        "this is the other direction: from outside to inside":
            theory.eps_inside_for(eps, g**2),
        "this is the whole divisor; subtract √v": np.sqrt(g**2 + eps),
        "√v is |g|, not g²": np.sqrt(g**2 + eps) - g**2})


def check_rattle(function):
    """Check ``rattle(alpha, lam, eps)``: where RMSprop jumps for ever.

    >>> check_rattle(lambda alpha, lam, eps: alpha / 2)
    <lambda>: the result is wrong
        yours: 0.05
        right: 0.03
        input: (0.1, 50, 1)
        likely cause: this is the rattle without ε
    """
    def right(alpha, lam, eps):
        return max(alpha / 2 - eps / lam, 0.0)

    check_function(
        function, right,
        inputs=[(0.1, 50.0, 1.0), (0.1, 1.0, 0.01), (0.2, 7.0, 0.0),
                (0.1, 50.0, 2.6)],
        wrong={
            "this is the rattle without ε": lambda a, lam, e: a / 2,
            "it is negative where the rattle has stopped: return 0 there":
                lambda a, lam, e: a / 2 - e / lam,
            "a jump from a to −a has the length 2a":
                lambda a, lam, e: max(a - e / lam, 0.0),
            "this is the whole jump, 2a":
                lambda a, lam, e: max(a - 2 * e / lam, 0.0),
            "ε is compared with the gradient λa, not with a":
                lambda a, lam, e: max(a / 2 - e, 0.0),
            "√v is λa, not a": lambda a, lam, e: max(a * lam / 2 - e, 0.0),
            "this is ε inside the root": lambda a, lam, e: np.sqrt(
                max(a**2 / 4 - e / lam**2, 0.0))})


def _noise(gradients, beta2, new_mean=False, factor=None):
    m, w, path = 0.0, 0.0, [0.0]
    for g in gradients:
        m_new = beta2 * m + (1 - beta2) * g
        scale = (beta2 if factor is None else factor) * (1 - beta2)
        w = beta2 * w + scale * (g - (m_new if new_mean else m)) ** 2
        m = m_new
        path.append(w)
    return np.array(path)


def check_noise(function):
    """Check ``noise(gradients, beta2)``: v_t − m_t² without a difference.

    >>> check_noise(lambda gradients, beta2: None)
    <lambda>: not done yet
    """
    def difference(g, beta2):
        path = run(adam, theta0=0.0, gradients=g, beta1=beta2, beta2=beta2)
        return path.v - path.m**2

    stream = np.random.default_rng(5).standard_normal(40)
    check_function(
        function, _noise, quantities=("w",), first_t=0,
        inputs=[(stream, 0.9), (1 + 0.3 * stream, 0.6),
                (np.full(400, 0.1), 0.9)],
        wrong={
            "this is the snippet: the new mean stands in (g − m)":
                lambda g, b: _noise(g, b, new_mean=True, factor=1.0),
            "the new mean stands in (g − m), and a factor on top of it":
                lambda g, b: _noise(g, b, new_mean=True),
            "the old mean is right, but a factor is missing":
                lambda g, b: _noise(g, b, factor=1.0),
            "this is v − m²: on a constant gradient rounding eats it":
                difference})


def check_best_translation(answer):
    """The c of ε_in = c ε² with the smallest worst factor, and that factor.

    >>> check_best_translation((1.0, 1.41421))
    (c, factor): not right: [1, 1.41421]
        likely cause: this is ε_in = ε²; another c has a smaller worst factor
    """
    c = (1 + np.sqrt(5)) / 2
    check_value("(c, factor)", answer, np.array([c, np.sqrt(c)]), wrong={
        "this is ε_in = ε²; another c has a smaller worst factor":
            np.array([1, np.sqrt(2)]),
        "c is right; the factor is not: steps go with roots":
            np.array([c, c]),
        "c is right; this factor is less than one: turn it over":
            np.array([c, 1 / np.sqrt(c)]),
        "the factor is right; c is upside down":
            np.array([1 / c, np.sqrt(c)]),
        "the two are exchanged": np.array([np.sqrt(c), c])})


# ---- chapter 6 ------------------------------------------------------------


def check_two_rates(answer):
    """The averaged form's rate, and the one for 0.98, of SGD(0.05, 0.9).

    >>> check_two_rates((0.5, 0.05))
    the two rates: not right: [0.5, 0.05]
        likely cause: with 0.98 the sum is five times as long as with 0.9
    """
    check_value("the two rates", answer, (0.05 / 0.1, 0.5 * 0.02), wrong={
        "with 0.98 the sum is five times as long as with 0.9": (0.5, 0.05),
        "the average's steps are shorter, so its rate must be larger":
            (0.005, 0.01),
        "both are the average's rate; the second one is a sum's": (0.5, 0.5),
        "a longer memory makes a sum larger, so its rate must be smaller":
            (0.5, 0.25),
        "these are in the wrong order": (0.01, 0.5)})


def check_dampened_weights(function):
    """Check ``weights(t, beta)``: what a dampened buffer weighs with.

    >>> check_dampened_weights(lambda t, beta: None)
    <lambda>: not done yet
    """
    def average(t, beta):
        return (1 - beta) * beta ** np.arange(t - 1, -1, -1.0)

    def right(t, beta):
        return np.r_[beta ** (t - 1), average(t - 1, beta)]

    check_function(
        function, right, inputs=[(1, 0.9), (2, 0.9), (5, 0.5), (30, 0.9)],
        wrong={
            "this is the average from zero; here g_1 comes in whole": average,
            "this is the corrected average: all weights too large, not one":
                lambda t, beta: average(t, beta) / (1 - beta**t),
            "the oldest gradient first":
                lambda t, beta: right(t, beta)[::-1],
            "this is the sum's weights, without dampening":
                lambda t, beta: average(t, beta) / (1 - beta),
            "g_1 fades, too: one factor β a step":
                lambda t, beta: np.r_[1.0, average(t - 1, beta)],
            "g_1 has faded t − 1 times, not t times":
                lambda t, beta: np.r_[beta**t, average(t - 1, beta)]})


def check_window_of_rates(function):
    """Check ``window(beta1, lam_min, lam_max)``: where q is √β₁ everywhere.

    >>> check_window_of_rates(lambda *args: None)
    <lambda>: not done yet
    """
    def ends(root=np.sqrt, power=1, swap=False, scale=1.0):
        def window(beta1, lam_min, lam_max):
            s, (low, high) = root(beta1), (lam_min, lam_max)
            if swap:
                low, high = high, low
            by = 1 - beta1 * scale
            return ((1 - s) ** 2 / by / low, (1 + s) ** 2 / by / high)
        return window

    check_function(
        function, ends(), quantities=("low", "high"),
        inputs=[(0.9, 1.0, 50.0), (0.64, 2.0, 30.0), (0.25, 1.0, 9.0)],
        wrong={
            "these are heavy ball's rates: divide by 1 − β₁": ends(scale=0.0),
            "the flat direction limits α from below, the steep from above":
                ends(swap=True),
            "√β₁, not β₁": ends(root=lambda x: x),
            "the upper end is where the roots become real again, not where "
            "momentum becomes unstable": lambda b, low, high: (
                ends()(b, low, high)[0],
                theory.largest_stable_rate_with_momentum(b, high)),
            "low and high are in the wrong order": lambda b, low, high: (
                ends()(b, low, high)[::-1])})


def check_nesterov_limit(function):
    """Check ``nesterov_limit(mu, lam)``: the largest stable rate.

    >>> check_nesterov_limit(lambda mu, lam: 2 * (1 + mu) / lam)
    <lambda>: the result is wrong
        yours: 3.8
        right: 1.35714
        input: (0.9, 1)
        likely cause: this is heavy ball's limit
    """
    def right(mu, lam):
        return 2 * (1 + mu) / ((1 + 2 * mu) * lam)

    check_function(
        function, right, inputs=[(0.9, 1.0), (0.5, 30.0), (0.99, 2.0)],
        wrong={
            "this is heavy ball's limit": lambda mu, lam: 2 * (1 + mu) / lam,
            "this is gradient descent's limit": lambda mu, lam: 2 / lam,
            "this is a, not the rate: divide by λ":
                lambda mu, lam: right(mu, 1.0),
            "here the product of the roots is −μ²/(1 + 2μ), not zero: the "
            "roots leave at −1": lambda mu, lam: 1 / lam,
            "this is the rate of an averaged form; the question is α_HB":
                lambda mu, lam: right(mu, lam) / (1 - mu),
            "this is the limit (6.8), of heavy ball and in averaged form":
                lambda mu, lam: 2 * (1 + mu) / ((1 - mu) * lam)})


# ---- chapter 7 ------------------------------------------------------------


def check_forgetful_start(answer):
    """First step, longest step and its t without correction, β₂ = 0.9999.

    >>> check_forgetful_start((3.162, 6.569, 12))
    the start: not right: [3.162, 6.569, 12]
        likely cause: this is β₂ = 0.999
    """
    def start(beta1, beta2):
        t = np.arange(1, 1001)
        rho = theory.startup_ratio(t, beta1, beta2)
        return np.array([rho[0], rho.max(), t[rho.argmax()]])

    right = start(0.9, 0.9999)
    check_value("the start", answer, right, wrong={
        "t is a whole number; the formula gives its neighbourhood":
            right * [1, 1, 0] + [0, 0, theory.worst_step(0.9)],
        "the first step is not the longest":
            np.array([right[0], right[0], 1]),
        "first and longest are exchanged": right[[1, 0, 2]],
        "v is under a root":
            np.array([right[0] * 100, right[0] * 100, 1]),
        "at the first step m lacks its mass, too": right * [10, 1, 1],
        "this is β₂ = 0.999": start(0.9, 0.999),
        "only v lacks its correction here; m lacks it too":
            start(0.0, 0.9999),
        "these are corrected over uncorrected; the other way round":
            right ** [-1, -1, 1],
        "t is counted from 1": right - [0, 0, 1]})


def check_corrected_average(function):
    """Check ``corrected_average(gradients, beta1)``: m̂_1, m̂_2, ...

    >>> check_corrected_average(lambda gradients, beta1: None)
    <lambda>: not done yet
    """
    def average(field):
        return lambda g, beta1: getattr(
            run(adam, theta0=START, gradients=g, beta1=beta1), field)[1:]

    def started_late(g, beta1):
        t = np.arange(1, len(g) + 1)[:, None]
        return average("m")(g, beta1) / (1 - beta1 ** (t + 1))

    def recurrence(change):
        def path(g, beta1):
            m_hat = [0 * g[0]]
            for t, g_t in enumerate(g, 1):
                m_hat.append(change(m_hat[-1], g_t, beta1, 1 - beta1**t))
            return np.array(m_hat[1:])
        return path

    check_function(
        function, average("m_hat"), inputs=[(STREAM, 0.9), (STREAM, 0.5)],
        quantities=("m_hat",), first_t=1, wrong={
            "this is m, which is not corrected": average("m"),
            T_FROM_ONE: ZeroDivisionError,
            "t is 2 at the first step": started_late,
            "what comes in is g_t − m̂_{t−1}, not g_t":
                recurrence(lambda m, g, beta1, mass:
                           m + (1 - beta1) / mass * g),
            "the corrected average is put back into the line for m":
                recurrence(lambda m, g, beta1, mass:
                           (beta1 * m + (1 - beta1) * g) / mass),
            "these are the gradients": lambda g, beta1: g,
            "this is the plain mean, the limit for β₁ → 1":
                lambda g, beta1: average("m_hat")(g, 1 - 1e-12)})


def check_tidy_second_step(answer):
    """The second step of the bug hunt on a constant gradient, over α.

    >>> check_tidy_second_step(1)
    the second step: not right: 1
        likely cause: this is the step after the repair
    """
    state, one = State(theta=0.0), np.ones(())
    for _ in range(2):
        before, state = state, _adam_keeping_corrected(
            state, one, alpha=1.0, eps=0.0)
    right = before.theta - state.theta
    check_value("the second step", answer, right, wrong={
        "this is the step after the repair": 1.0,
        "this is uncorrected Adam": theory.startup_ratio(2, 0.9, 0.999),
        "this is m; divide by √v": state.m,
        "m is written back too, and is no longer 1": 1 / np.sqrt(state.v)})


def check_mean_inverse_root(answer):
    """E[1/√v̂_10] for standard normal gradients, β₂ = 0.999, within 0.7 %.

    >>> check_mean_inverse_root(1.0)
    E[1/√v̂] at t = 10: not right: 1
        likely cause: this is 1/√E[v̂]: take the root first, then the mean
    """
    def mean_of(n):
        """√(n/2) Γ((n − 1)/2) / Γ(n/2), the weights being all but equal."""
        return np.sqrt(n / 2) * math.gamma((n - 1) / 2) / math.gamma(n / 2)

    right = mean_of(10)
    check_value("E[1/√v̂] at t = 10", answer, right, rtol=0.007, wrong={
        "this is 1/√E[v̂]: take the root first, then the mean": 1.0,
        "v is not corrected": right / np.sqrt(1 - 0.999**10),
        "this is t = 9": mean_of(9), "this is t = 5": mean_of(5),
        "this is t = 100": mean_of(100)})


# ---- chapter 8 ------------------------------------------------------------


def check_keras_factor(answer):
    """How many times Keras's ε counts at t = 10, for β₂ = 0.999.

    >>> check_keras_factor(1000**0.5)
    factor at t = 10: not right: 31.6228
        likely cause: this is the factor at t = 1
    """
    factor = theory.eps_after_correction
    check_value("factor at t = 10", answer, factor(10, 1.0, 0.999), wrong={
        **{f"this is the factor at t = {t}": factor(t, 1.0, 0.999)
           for t in (1, 2, 9, 11, 100)},
        "β₁ is taken for β₂": factor(10, 1.0, 0.9)})


def check_first_wrong_step(answer):
    """The first step at which the suspect of chapter 8 differs from Adam.

    >>> check_first_wrong_step(1)
    first wrong step: not right: 1
        likely cause: m̂₁ = g₁ and v̂₁ = g₁²: the first step is right
    """
    check_value("first wrong step", answer, 2, wrong={
        "m̂₁ = g₁ and v̂₁ = g₁²: the first step is right": 1})


def check_stuck_counter(answer):
    """What an Adam whose t stays at 1 does in the end, and when it is worst.

    >>> check_stuck_counter((0.316, 11))
    the end and the worst t: not right: [0.316, 11]
        likely cause: t is counted from 1
    """
    t = np.arange(1, 10001)
    factor = theory.step_with_wrong_t(t, 0.9, 0.999, late=1 - t)
    end, worst = factor[-1], t[factor.argmax()]
    check_value("the end and the worst t", answer, np.array([end, worst]),
                wrong={
        "t is counted from 1": [end, worst - 1],
        "these are right over wrong: in the end the step is too short, "
        "not too long": [1 / end, worst],
        "this is uncorrected Adam at the rate α: here the first step is right":
            [1.0, worst],
        "this is a count that is one too high, s = 1": [1.0, 28]})


# ---- chapter 9 ------------------------------------------------------------


def check_another_pair(answer):
    """The largest possible step for (0.95, 0.98), and the growth behind it.

    >>> check_another_pair((1.0, 0.969))
    largest step and growth: not right: [1, 0.969]
    """
    beta1, beta2 = 0.95, 0.98
    right = theory.sharp_bound_ever(beta1, beta2)
    growth = theory.worst_growth(beta1, beta2)
    alone = theory.single_gradient_step(np.inf, beta1, beta2)
    steps = {
        "the step is that of one gradient after a silence": alone,
        "the step is the paper's second case": 1.0,
        "the step is squared: a root is missing": right**2,
        "the step has x = β₁/β₂, not β₁²/β₂":
            alone / np.sqrt(1 - beta1 / beta2),
        "the step has x = β₁², not β₁²/β₂": alone / np.sqrt(1 - beta1**2)}
    check_value("largest step and growth", answer, np.array([right, growth]),
                rtol=2e-3, wrong={
        "the growth is upside down: so these gradients would shrink":
            np.array([right, 1 / growth]),
        "the order is step, growth": np.array([growth, right]),
        **{text: np.array([step, growth]) for text, step in steps.items()}})


@never_raises
def check_counterexample(answer):
    """A wrong line of a proof, and two gradients whose second step is > α.

    >>> check_counterexample((3, 1.0, 1.0))
    counterexample: not right: your second step is 1 α long
    """
    name = "counterexample"
    given = _call(answer, ()) if callable(answer) else answer
    if _undone(given):
        return name, "not done yet"
    given = _array(given)
    if given.shape != (3,):
        return name, "give the line, g₁ and g₂"
    if given[0] != 3:
        why = {1: "(7.3) says exactly this of m̂",
               2: "(7.3), with β₂ and g², says exactly this of v̂",
               4: "it follows from line 3"}
        return name, f"not line {given[0]:g}" + (
            f": {why[given[0]]}" if given[0] in why else "")
    path = run(adam, theta0=[0.0], gradients=given[1:, None], alpha=1.0,
               eps=0.0)
    step = abs(path.theta[2, 0] - path.theta[1, 0])
    if step > 1 + 1e-9:
        return name, "correct"
    return name, f"not right: your second step is {step:.6g} α long"


def check_my_bound(function):
    """Check ``my_bound(t, beta1, beta2)``, the largest t-th step over α.

    >>> check_my_bound(lambda t, beta1, beta2: None)
    <lambda>: not done yet
    """
    def weighted(power_w=2, power_u=1, correct_w=True, correct_u=True, more=0,
                 root=True):
        def bound(t, beta1, beta2):
            k = np.arange(t + more)
            w = (1 - beta1) * beta1**k / (1 - beta1**t if correct_w else 1)
            u = (1 - beta2) * beta2**k / (1 - beta2**t if correct_u else 1)
            total = (w**power_w / u**power_u).sum()
            return np.sqrt(total) if root else total
        return bound

    check_function(
        function, theory.sharp_bound_sum, quantities=("S_t",),
        inputs=[(1, 0.9, 0.999), (7, 0.9, 0.95), (10, 0.5, 0.9),
                (4, 0.8, 0.6)],
        rtol=1e-6, wrong={
            "the root is missing": weighted(root=False),
            "the weights of m are not squared": weighted(power_w=1),
            "the weights of v are squared too": weighted(power_u=2),
            "the weights of v are under a root": weighted(power_u=0.5),
            "this is uncorrected Adam": weighted(
                correct_w=False, correct_u=False),
            "v is not corrected": weighted(correct_u=False),
            "m is not corrected": weighted(correct_w=False),
            "the sum has t + 1 terms": weighted(more=1),
            "the sum has t − 1 terms": weighted(more=-1),
            "this is one gradient after a silence":
                theory.single_gradient_step,
            "this is the limit t → ∞":
                lambda t, beta1, beta2: theory.sharp_bound_ever(beta1, beta2),
            "β₁ and β₂ are exchanged":
                lambda t, beta1, beta2: theory.sharp_bound_sum(
                    t, beta2, beta1)})


# ---- chapter 10 -----------------------------------------------------------


def check_signal_shows(answer):
    """Mean step at η = 10, and the steps until the signal's way shows.

    >>> check_signal_shows((0.1, 100))
    mean step and steps: not right: [0.1, 100]
        likely cause: this is 1/η; below the root stands 1 + η²
    """
    step = theory.mean_step(10.0)
    F1, F2 = (theory.rms_step_on_noise(beta) ** 2 for beta in (0.9, 0.999))
    check_value("mean step and steps", answer, np.array([step, 100]),
                rtol=1e-3, wrong={
        "this is 1/η; below the root stands 1 + η²": [0.1, 100],
        "this is the share of the signal; take its root": [step**2, 100],
        "the order is step, number of steps": [100, step],
        "noise grows with the root of the number of steps": [step, 10],
        "the steps are not independent: momentum spreads each gradient "
        "over many of them, and nothing of it is lost":
            [step, 100 * F1],
        "the averages keep the whole sum; β₂ does not matter here":
            [step, 100 * F2]})


def check_rate_for_floor(answer):
    """The rate for a floor of 0.001 at λ = 10, σ = 2, and its time.

    >>> check_rate_for_floor((0.002, 100))
    rate and steps: not right: [0.002, 100]
        likely cause: this is the time of θ; that of its square is half
    """
    check_value("rate and steps", answer, np.array([0.002, 50.0]), wrong={
        "this is the time of θ; that of its square is half": [0.002, 100],
        "this is the floor of E[θ²]; the loss is ½λ times that": [0.01, 10],
        "the order is rate, steps": [50, 0.002],
        "the curvature cancels in the loss": [0.0002, 500],
        "these are steps to a half, not to 1/e": [0.002, 50 * np.log(2)],
        "σ is missing in the time": [0.002, 25.0],
        "the noise is σ, not σ²": [0.001, 100.0]})


def check_share_on_noise(answer):
    """What m²/v tends to on pure noise, for β = 0.9.

    >>> check_share_on_noise(0.0)
    share on pure noise: not right: 0
        likely cause: an average keeps some of the noise, and its square counts
    """
    check_value("share on pure noise", answer, 0.1 / 1.9, wrong={
        "an average keeps some of the noise, and its square counts": 0.0,
        "this is the step; the function returns its square":
            theory.rms_step_on_noise(0.9),
        "the squares of the weights count, and their sum": 0.1})


def _signal_share(gradients, beta, corrected=True, late=False, whole=True):
    t = len(gradients)
    last = run(adam, theta0=np.zeros(gradients.shape[-1]),
               gradients=gradients, beta1=beta, beta2=beta, record=False)
    Q = (last.m**2).sum() / last.v.sum()
    if corrected:
        Q = Q / (1 - beta**t)
    F = theory.rms_step_on_noise(beta) ** 2
    if not late:
        F = F * (1 + beta**t) / (1 - beta**t)
    return (Q - F) / (1 - F) if whole else Q - F


def check_signal_share(function):
    """Check ``signal_share(gradients, beta)``, gradients (steps, coordinates).

    >>> check_signal_share(lambda gradients, beta: None)
    <lambda>: not done yet
    """
    def quotient(g, beta, corrected):
        last = run(adam, theta0=np.zeros(g.shape[-1]), gradients=g,
                   beta1=beta, beta2=beta, record=False)
        if corrected:
            return (last.m_hat**2).sum() / last.v_hat.sum()
        return (last.m**2).sum() / last.v.sum()

    def each(g, beta):
        last = run(adam, theta0=np.zeros(g.shape[-1]), gradients=g,
                   beta1=beta, beta2=beta, record=False)
        t, F = len(g), theory.rms_step_on_noise(beta) ** 2
        F = F * (1 + beta**t) / (1 - beta**t)
        return ((last.m_hat**2 / last.v_hat).mean() - F) / (1 - F)

    noise = np.random.default_rng(10).standard_normal((40, 50))
    check_function(
        function, _signal_share,
        inputs=[(1 + noise[:5], 0.9), (noise, 0.8), (2 + noise, 0.95)],
        quantities=("share",), wrong={
            "this is the snippet": lambda g, b: quotient(g, b, False),
            "the averages are corrected; the noise in m̂² is still there":
                lambda g, b: quotient(g, b, True),
            "F₁ is right late; early the sum of the squared weights is larger":
                lambda g, b: _signal_share(g, b, late=True),
            "the averages are not corrected":
                lambda g, b: _signal_share(g, b, corrected=False),
            "neither the averages nor the factor are corrected":
                lambda g, b: _signal_share(g, b, corrected=False, late=True),
            "divide by 1 − F: the noise has left the numerator only":
                lambda g, b: _signal_share(g, b, whole=False),
            "sum first, then divide; a mean of quotients is another number":
                each})


# ---- chapter 11 -----------------------------------------------------------


def check_reddi_threshold(answer):
    """The β₂* of Reddi's example for C = 5, to four digits.

    >>> check_reddi_threshold(1 / 26)
    the threshold: not right: 0.0384615
        likely cause: this is the β₂ of theorem 1, far below the threshold
    """
    right = theory.reddi_threshold(5.0)
    check_value("the threshold", answer, right, rtol=2e-4, wrong={
        "this is the β₂ of theorem 1, far below the threshold": 1 / 26,
        "this is 1 − β₂*": 1 - right,
        "this is the threshold for C = 4": theory.reddi_threshold(4.0),
        "this is the threshold for C = 6": theory.reddi_threshold(6.0),
        "(11.6) holds only for C close to 2":
            theory.reddi_threshold_near_two(5.0)})


def _one_against_many(n, beta1, beta2):
    """Adam's drift on one gradient n and n − 1 gradients of −1."""
    return theory.adam_drift_on_cycle(
        beta1, beta2, np.append(float(n), -np.ones(n - 1)))


def check_shortest_wrong_cycle(answer):
    """The smallest n at which Adam with (0.9, 0.99) walks the wrong way.

    >>> check_shortest_wrong_cycle(29)
    the shortest cycle: not right: 29
        likely cause: this is the last one that goes the right way
    """
    def first(beta1, beta2):
        return next(n for n in range(3, 200)
                    if _one_against_many(n, beta1, beta2) > 0)

    right = first(0.9, 0.99)
    check_value("the shortest cycle", answer, right, wrong={
        "this is the last one that goes the right way": right - 1,
        "this is β₂ = 0.999": first(0.9, 0.999),
        "this is β₁ = 0: the first moment is missing": first(0.0, 0.99)})


def _amsgrad_path(theta, gradients, *hyper, rule=amsgrad, **other):
    options = dict(zip(("alpha", "beta1", "beta2", "eps"), hyper)) | other
    return run(rule, theta0=theta, gradients=gradients, **options).theta


def _amsgrad_writing_back(state, g, **hyper):
    # a previous v that is the maximum: the average starts from it
    after = amsgrad(state, g, **hyper)
    return after._replace(v=after.v_max)


def _amsgrad_of_squares(state, g, *, alpha, beta1, beta2, eps):
    after = adam(state, g, beta1=beta1, beta2=beta2)
    v_max = np.maximum(state.v_max, g**2)
    step = alpha * divide(after.m_hat, root(v_max, eps, False))
    return after._replace(theta=state.theta - step, v_max=v_max)


def _amsgrad_without_corrections(state, g, *, alpha, beta1, beta2, eps):
    after = amsgrad(state, g, beta1=beta1, beta2=beta2)
    step = alpha * divide(after.m, root(after.v_max, eps, False))
    return after._replace(theta=state.theta - step)


# The second half is smaller: the maximum stands while v falls.
_FALLING = np.concatenate([STREAM, 0.1 * STREAM, -0.1 * STREAM])


def check_amsgrad(function):
    """AMSGrad with the maximum before the correction, as in PyTorch.

    >>> check_amsgrad(lambda theta, g, a, b1, b2, e: None)
    <lambda>: not done yet
    """
    check_function(
        function, _amsgrad_path,
        [(START, _FALLING, 0.1, 0.9, 0.5, 1e-8),
         (START, _FALLING, 0.01, 0.5, 0.999, 1e-3)],
        quantities=("θ",), first_t=0, wrong={
            "the maximum is written back into v, and the average goes on "
            "from there": partial(_amsgrad_path, rule=_amsgrad_writing_back),
            "this is Adam: the maximum is missing": _adam_path,
            "the maximum is taken after the correction, as in Optax":
                partial(_amsgrad_path, maximum="corrected"),
            "this is the maximum of g², not of its average":
                partial(_amsgrad_path, rule=_amsgrad_of_squares),
            "the corrections are missing": partial(
                _amsgrad_path, rule=_amsgrad_without_corrections)})


def check_two_maxima(answer):
    """What v tends to on Reddi's stream: the short code's, and AMSGrad's.

    >>> check_two_maxima((3.66933, 9.0))
    the two limits: not right: [3.66933, 9]
        likely cause: the two are exchanged
    """
    largest = float(theory.reddi_second_moment(3.0, 0.999)[0])
    check_value("the two limits", answer, np.array([9.0, largest]), rtol=2e-4,
                wrong={
        "the two are exchanged": [largest, 9.0],
        "the second is the mean of the squares; the largest v is a little "
        "above it": [9.0, 11 / 3],
        "both are the same only if the maximum waits beside v":
            [largest, largest]})


# ---- chapter 12 -----------------------------------------------------------


def check_carried_gaps(answer):
    """(1 − β₁', 1 − β₂') at batch 32 of a run with (0.9, 0.95) at batch 512.

    >>> check_carried_gaps((0.1, 0.05))
    1 − β₁', 1 − β₂': not right: [0.1, 0.05]
        likely cause: these are the old ones: they forget 16 times too early
    """
    betas = np.array([0.9, 0.95])
    right = 1 - theory.same_memory(betas, 512, 32)
    check_value("1 − β₁', 1 − β₂'", answer, right, rtol=2e-3, wrong={
        "these are the old ones: they forget 16 times too early": 1 - betas,
        "the exponent is upside down: it is new batch over old":
            1 - theory.same_memory(betas, 32, 512),
        "this divides 1 − β by 16, which is right to first order only":
            (1 - betas) / 16,
        "this multiplies 1 − β by 16": (1 - betas) * 16,
        "these are β₁' and β₂'": 1 - right,
        "16 is 2 to the 4, but the exponent is 1/16": 1 - betas ** 0.25,
        "β₁' comes first": right[::-1]})


UNFAIR = "acef"  # lines of the comparison in the bug hunt of chapter 12


def check_unfair_lines(answer):
    """The letters of the unfair lines, in any order.

    >>> check_unfair_lines("b")
    unfair lines: not right: 'b'
        likely cause: 4 unfair lines are missing, 1 fair line is accused
    """
    def counted(n, what, verb):
        return f"{n} {what} line{'s' * (n != 1)} {verb[n != 1]}"

    if isinstance(answer, (list, tuple, set, frozenset)):
        answer = "".join(map(str, answer))
    wrong = {}
    if isinstance(answer, str):
        answer = "".join(sorted(set(re.findall("[a-z]", answer.lower()))))
        missing = len(set(UNFAIR) - set(answer))
        accused = len(set(answer) - set(UNFAIR))
        said = [counted(missing, "unfair", ("is missing", "are missing"))
                ] * (missing > 0)
        said += [counted(accused, "fair", ("is accused", "are accused"))
                 ] * (accused > 0)
        wrong = {", ".join(said): answer} if said else {}
    check_value("unfair lines", answer, UNFAIR, wrong=wrong)


def check_best_with_replacement(function):
    """Check ``best_with_replacement(k, losses)``.

    >>> check_best_with_replacement(lambda k, losses: None)
    <lambda>: not done yet
    """
    def best(power):
        def expected(k, losses):
            x, n = np.sort(losses), len(losses)
            share = power(np.arange(n, -1, -1) / n, k)  # at least as large
            return (x * (share[:-1] - share[1:])).sum()
        return expected

    def largest(k, losses):
        return -best(np.power)(k, -np.asarray(losses))

    check_function(
        function, best(np.power),
        inputs=[(1, np.array([3.0, 1.0, 2.0])),
                (2, np.array([3.0, 1.0, 2.0])),
                (5, np.array([0.3, 0.1, 0.4, 0.15, 0.92, 0.65])),
                (9, np.array([0.3, 0.1, 0.4]))],
        quantities=("the expected best",), wrong={
            "this draws without replacement, as in (12.3)":
                lambda k, losses: (theory.expected_best(k, losses)
                                   if k <= len(losses) else np.nan),
            "this is the expected worst, not the expected best": largest,
            "this is the mean of one draw": lambda k, losses: np.mean(losses),
            "this is the smallest of all": lambda k, losses: np.min(losses),
            "the losses must be sorted first":
                lambda k, losses: (np.asarray(losses) * -np.diff(
                    (np.arange(len(losses), -1, -1) / len(losses))**k)).sum(),
            "k and k − 1 are confused":
                lambda k, losses: best(np.power)(k - 1, losses)})


# ---- chapter 13 -----------------------------------------------------------


def check_rare_class(answer):
    """Steps of gradient descent and of sign descent; c = 100, k = 50.

    >>> check_rare_class((4196, 35))
    steps to a loss below 0.1: not right: [4196, 35]
        likely cause: this is gradient descent at the rate 1
    """
    def steps(c=100, k=50, gd=2.0, sign=0.1, whole=np.ceil, norm=True):
        d = theory.gap_needed(0.1, c)
        pi = 1 / k / (np.sum(1 / np.arange(1, c + 1)) if norm else 1)
        return np.array([theory.scaled_time(d, c) / (gd * pi),
                         whole(theory.sign_steps(d, sign))])

    right = steps()
    check_value("steps to a loss below 0.1", answer, right, wrong={
        "this is gradient descent at the rate 1": steps(gd=1.0),
        "these are the rates of the chapter, 1 and 0.05":
            steps(gd=1.0, sign=0.05),
        "π_k must sum to one; this is π_k = 1/k": steps(norm=False),
        "this is c = 1000": steps(c=1000),
        "this is the class k = 1": steps(k=1),
        "sign descent needs a whole number of steps": steps(whole=float),
        "sign descent is there one step later": steps(whole=np.floor),
        "sign descent moves both ends of the gap": steps(sign=0.05),
        "the two are exchanged": right[::-1]})


def _steps_turned(angle, start=lambda R: R @ [1.0, 1.0], turn=1.0, late=0):
    problem = quadratic([1.0, 1000.0], angle)
    f = quadratic([1.0, 1000.0], turn * angle)
    path = run(adam, f.grad, start(problem.rotation), 7000, alpha=0.015)
    return int((f(path.theta) < 1e-8).argmax()) + late


def check_steps_turned(function):
    """Check ``steps_turned(angle)``: Adam's steps when all is turned.

    >>> check_steps_turned(lambda angle: None)
    <lambda>: not done yet
    """
    check_function(
        function, _steps_turned, inputs=[(np.pi / 4,), (np.pi / 9,)],
        quantities=("the number of steps",), wrong={
            "H is turned, the start is not: turn both":
                partial(_steps_turned, start=lambda R: [1.0, 1.0]),
            "the start is turned, H is not: turn both":
                partial(_steps_turned, turn=0.0),
            "the start is turned the other way: R, not its transpose":
                partial(_steps_turned, start=lambda R: R.T @ [1.0, 1.0]),
            "nothing is turned":
                partial(_steps_turned, start=lambda R: [1.0, 1.0], turn=0.0),
            "the start counts as t = 0": partial(_steps_turned, late=1)})


def check_resting_places(answer):
    """Where L2 in Adam and AdamW rest for g = 0.002 and λ = 0.05.

    >>> check_resting_places((-0.04, -0.04))
    (L2, AdamW): not right: [-0.04, -0.04]
        likely cause: AdamW balances λθ with g/√v, not with g
    """
    g, lam = 0.002, 0.05
    check_value("(L2, AdamW)", answer, np.array([-g / lam, -1 / lam]), wrong={
        "AdamW balances λθ with g/√v, not with g": [-g / lam, -g / lam],
        "this is AdamW for both; L2 rests where g + λθ = 0":
            [-1 / lam, -1 / lam],
        "the two are exchanged": [-1 / lam, -g / lam],
        "the signs are wrong: θ runs against the gradient":
            [g / lam, 1 / lam],
        "λ is in the denominator": [-g * lam, -lam]})


# ---- chapter 14 -----------------------------------------------------------


def check_warm_up_gain(answer):
    """What a warm-up is worth to Adam (0.9, 0.95), and the standard error.

    >>> check_warm_up_gain((None, None))
    gain and its error: not done yet
    """
    runs = select(transformer.comparison(), optimizer="Adam 0.9, 0.95")
    none, warm = (select(runs, warmup=w, best_lr=True)["val_loss"]
                  for w in (0, 100))
    gain = none.mean() - warm.mean()

    def error(ddof=1, seeds=3):
        return np.sqrt((none.var(ddof=ddof) + warm.var(ddof=ddof)) / seeds)

    lowest = [select(runs, warmup=w)["val_loss"].min() for w in (0, 100)]
    check_value("gain and its error", answer, np.array([gain, error()]),
                rtol=0.01, wrong={
        "a variance from three seeds needs ddof=1": [gain, error(0)],
        "this is the spread of one run; divide the variances by 3":
            [gain, error(seeds=1)],
        "the standard deviations were added; add the squares":
            [gain, (none.std(ddof=1) + warm.std(ddof=1)) / np.sqrt(3)],
        "these are the lowest losses of all; take the means of the seeds":
            [lowest[0] - lowest[1], error()]})


def check_best_of_eight(answer):
    """How much the best of eight equally good settings flatters itself.

    In units of σ; the check allows 1 %.

    >>> check_best_of_eight(theory.flattery(1.0))
    best of eight: not right: 0.56419
        likely cause: this is the best of two
    """
    check_value("best of eight", answer, 1.4236, rtol=0.01, wrong={
        "this is the best of two": theory.flattery(1.0),
        "this is the best of three": 0.8463,
        "this is the best of seven": 1.3522,
        "this is the distance of the best from the worst": 2 * 1.4236})


def _lowest_mean(loss):
    return np.nanmin(np.mean(loss, axis=1))


DIVERGED = np.array([[2.31, 2.28, 2.35], [2.05, np.nan, np.nan],
                     [3.12, 3.08, np.nan]])


def check_survivors(answer):
    """What the suspect of chapter 14 reports on `losses`.

    >>> check_survivors(2.28)
    the report: not right: 2.28
        likely cause: means are compared, not single runs
    """
    check_value("the report", answer, 2.05, wrong={
        "means are compared, not single runs": 2.28,
        "this is the answer after the repair": _lowest_mean(DIVERGED)})


def check_fair_best(function):
    """Check ``fair_best(loss)``: axes rate and seed, NaN where it diverged.

    >>> check_fair_best(lambda loss: np.nanmin(loss))
    <lambda>: the result is wrong
        yours: 2.05
        right: 2.31333
        input: ([[2.31, 2.28, 2.35], [2.05, nan, nan], [3.12, 3.08, nan]])
        likely cause: this is the luckiest single run of all
    """
    other = np.array([[3.0, 2.9, 3.2], [2.6, 2.4, 2.7], [2.2, np.nan, 2.1],
                      [2.5, 3.6, 2.6]])
    check_function(function, _lowest_mean, inputs=[(DIVERGED,), (other,)],
                   wrong={
        "a mean over the survivors: a rate that lost some of its runs is "
        "judged by the others": lambda loss: np.nanmin(_over_survivors(loss)),
        "a median over the survivors is still one over the survivors":
            lambda loss: np.nanmin(_over_survivors(loss, np.median)),
        "this is the luckiest single run of all": np.nanmin,
        "each seed has its own rate here; nobody can choose that before the "
        "run": lambda loss: np.nanmin(loss, axis=0).mean(),
        "one rate that diverged makes the whole answer NaN":
            lambda loss: np.mean(loss, axis=1).min()})


def _over_survivors(loss, mean=np.mean):
    rows = [row[np.isfinite(row)] for row in loss]
    return np.array([mean(row) if len(row) else np.nan for row in rows])


def check_warm_up_length(answer):
    """The shortest warm-up after which no step is more than doubled.

    >>> check_warm_up_length(1000)
    warm-up: not right: 1000
        likely cause: this is the whole memory, 1/(1 − β₂)
    """
    W = math.ceil(theory.last_step_above(2.0, 0.999))
    check_value("warm-up", answer, W, wrong={
        "one step short: the factor is still above 2": W - 1,
        "this is the approximation 1/√(W (1 − β₂)) = 2": 250,
        "this is the whole memory, 1/(1 − β₂)": 1000,
        "this is the step with the largest ratio, without a warm-up": 12,
        "the root is missing: this is 1/(1 − β₂^W) = 2": 693})


# ---- chapter 15 -----------------------------------------------------------


def check_largest_model(answer):
    """The largest models that Adam trains in 80 GB: float32, 8-bit state.

    >>> check_largest_model((10e9, 40e9))
    the largest models: not right: [1e+10, 4e+10]
        likely cause: this is the optimizer's state alone; θ and g need room
    """
    right, small = 80e9 / theory.memory(1, 2), 80e9 / theory.memory(1, 2, state=1)
    check_value("the largest models", answer, np.array([right, small]),
                wrong={
        "this is the optimizer's state alone; θ and g need room":
            [80e9 / 8, 80e9 / 2],
        "the gradient needs room, too": [80e9 / 12, 80e9 / 6],
        "8 bits are one byte": [right, 80e9 / theory.memory(1, 2, state=8)],
        "Adam keeps two arrays": [80e9 / 12, 80e9 / 9],
        "m and v alone have 8 bits; θ and g stay in float32":
            [right, 80e9 / 4],
        "this counts in billions": [right / 1e9, small / 1e9]})


def check_floor(answer):
    """AMSGrad on 1e8 parameters at 20 GB/s: floor, and numbers moved in 0.45 s.

    >>> check_floor((0.14, 22.5))
    the floor: not right: [0.14, 22.5]
        likely cause: this is the floor of Adam; AMSGrad keeps a maximum
    """
    floor = theory.least_time(theory.must_move(1e8, 3), 20e9)
    moved = 0.45 * 20e9 / (4 * 1e8)
    check_value("the floor", answer, np.array([floor, moved]), wrong={
        "this is the floor of Adam; AMSGrad keeps a maximum": [0.14, moved],
        "these are reads; θ and the state are written, too": [0.1, moved],
        "θ is written, too": [0.16, moved],
        "the floor is asked in seconds": [1e3 * floor, moved],
        "the second is in bytes; a number has 4": [floor, 4 * moved],
        "float32 has 4 bytes, not 8": [2 * floor, moved / 2]})


def check_twin_averages(answer):
    """The first step of chapter 15's suspect on the gradient 1, in α.

    >>> check_twin_averages(1.0)
    the first step: not right: 1
        likely cause: this is a sound Adam; follow the arrays line by line
    """
    one = 0.999 * 0.1 + 0.001
    check_value("the first step", answer, one / 0.1 / np.sqrt(one / 0.001),
                rtol=1e-3, wrong={
        "this is a sound Adam; follow the arrays line by line": 1.0,
        "nearly: look at m once more after v's line": 0.1})


# ---- chapter 16 -----------------------------------------------------------


def _over_epochs(theta, epochs, *hyper, path=_adam_path):
    return path(theta, epochs.reshape(-1, len(theta)), *hyper)


def _restarting(theta, epochs, *hyper):
    """Adam whose t begins again at 1 in each epoch, the averages do not."""
    return _adam_counting(lambda t: (t - 1) % epochs.shape[1] + 1)(
        theta, epochs.reshape(-1, len(theta)), *hyper)


def _forgetting(theta, epochs, *hyper):
    """Adam that begins anew in each epoch, averages too."""
    path = [theta]
    for gradients in epochs:
        path.extend(_adam_path(path[-1], gradients, *hyper)[1:])
    return np.array(path)


def _one_array(state, g, *, alpha, beta1, beta2, eps):
    """Adam whose two averages are one array."""
    both = beta2 * (beta1 * state.m + (1 - beta1) * g) + (1 - beta2) * g**2
    t = state.t + 1
    step = alpha * divide(both / (1 - beta1**t),
                          root(both / (1 - beta2**t), eps, False))
    return state._replace(theta=state.theta - step, t=t, m=both, v=both)


def _squares_of(corrected):
    """Adam whose v averages the squares of m or of m̂."""
    def rule(state, g, *, alpha, beta1, beta2, eps):
        m_hat = adam(state, g, beta1=beta1).m_hat
        m = m_hat if corrected else adam(state, g, beta1=beta1).m
        v_hat = adam(state, m, beta2=beta2).v_hat
        after = adam(state, g, beta1=beta1)
        step = alpha * divide(m_hat, root(v_hat, eps, False))
        return after._replace(theta=state.theta - step,
                              v=adam(state, m, beta2=beta2).v)
    return partial(_adam_path, rule=rule)


def _adding_eps(power):
    """Adam that adds ε, or ε², to v at every step."""
    def rule(state, g, *, alpha, beta1, beta2, eps):
        after = adam(state, g, beta1=beta1, beta2=beta2)
        v = after.v + eps**power
        step = alpha * after.m_hat / np.sqrt(v / (1 - beta2**after.t))
        return after._replace(theta=state.theta - step, v=v)
    return partial(_adam_path, rule=rule)


def _with_decay(rule):
    def path(theta, gradients, alpha, beta1, beta2, eps, decay):
        return run(rule, theta0=theta, gradients=gradients, alpha=alpha,
                   beta1=beta1, beta2=beta2, eps=eps,
                   weight_decay=decay).theta
    return path


def _decay_in(m, v, beside):
    """Adam with λθ in the gradient of m, of v, beside the step."""
    def rule(state, g, *, weight_decay, **hyper):
        lam = weight_decay * state.theta
        one = adam(state, g + m * lam, **hyper)
        two = adam(state, g + v * lam, **hyper)
        step = hyper["alpha"] * (divide(one.m_hat, root(
            two.v_hat, hyper["eps"], False)) + beside * lam)
        return one._replace(theta=state.theta - step, v=two.v)
    return _with_decay(rule)


def _decay_after(state, g, *, weight_decay, **hyper):
    """The decay applied to the new θ instead of the old one."""
    after = adam(state, g, **hyper)
    return after._replace(
        theta=after.theta * (1 - hyper["alpha"] * weight_decay))


def _decay_without_rate(state, g, *, weight_decay, **hyper):
    return adamw(state, g, weight_decay=weight_decay / hyper["alpha"], **hyper)


STILL_BROKEN = "these are still the steps of the broken one; "
EPOCHS = np.stack([STREAM, -STREAM[::-1]])
BROKEN_PARTS = {
    "a": {STILL_BROKEN + "look at m and v after one step":
              partial(_adam_path, rule=_one_array)},
    "b": {STILL_BROKEN + "a constant gradient does not show it, noise does":
              _squares_of(True),
          "v averages the squares of m; it needs those of g":
              _squares_of(False)},
    "c": {STILL_BROKEN + "look at the first steps of the second epoch":
              _restarting,
          "m and v begin anew in each epoch: they must go on": _forgetting},
    "d": {STILL_BROKEN + "look at the size of the first step":
              BROKEN_ADAMS["v is corrected with β₁ instead of β₂"]},
    "e": {STILL_BROKEN + "let all gradients be 0 and look at v":
              _decay_in(m=0, v=1, beside=1),
          "the decay is missing": _decay_in(m=0, v=0, beside=0),
          "this is Adam with an L2 penalty: the decay goes through m and v":
              _decay_in(m=1, v=1, beside=0),
          "the decay is there twice, in the gradient and beside the step":
              _decay_in(m=1, v=1, beside=1),
          "the decay takes the new θ; take the one before the step":
              _with_decay(_decay_after),
          "the rate is missing in the decay": _with_decay(
              _decay_without_rate)},
    "f": {STILL_BROKEN + "try gradients as small as ε": _adding_eps(2),
          "ε is still added to v at every step": _adding_eps(1)},
}


def check_broken_adam(part, function):
    """Check the repaired (a), ..., (f) of chapter 16.

    Adam as ``check_adam`` takes it; (c) takes gradients of shape (epochs,
    steps, d), and (e) is AdamW with λ as its last argument.

    >>> check_broken_adam("a", None)
    (a): not done yet
    """
    if part not in BROKEN_PARTS:
        print(f"({part}): there are parts a to f")
        return
    right, wrong = _adam_path, BROKEN_PARTS[part] | BROKEN_ADAMS
    inputs = [(START, STREAM, 0.1, 0.9, 0.95, 0.01),
              (START, 10 * STREAM, 0.02, 0.6, 0.99, 0.1)]
    if part == "c":
        right = _over_epochs
        wrong = BROKEN_PARTS[part] | {
            cause: partial(_over_epochs, path=path)
            for cause, path in BROKEN_ADAMS.items()}
        inputs = [(START, EPOCHS, *inputs[0][2:]),
                  (START, 10 * EPOCHS, *inputs[1][2:])]
    if part == "e":
        right, wrong = _with_decay(adamw), BROKEN_PARTS[part]
        inputs = [(*args, 0.2) for args in inputs]
    check_function(function, right, inputs, quantities=("theta",), first_t=0,
                   wrong=wrong, name=f"({part})")


def check_tensorflow_by_hand(answer):
    """TensorFlow's RMSprop in PyTorch: lr, alpha, eps, end of the crawl.

    >>> check_tensorflow_by_hand((0.003, 0.9, 1e-10, None))
    lr: correct
    alpha: correct
    eps: not right: 1e-10
        likely cause: ε has left the root: what is the smallest denominator?
    step: not done yet
    """
    late = _crawl_ends()
    checks = {
        "lr": (0.003, {"this is PyTorch's default": 0.01}),
        "alpha": (0.9, {"this is PyTorch's default": 0.99}),
        "eps": (1e-5, {
            "ε has left the root: what is the smallest denominator?": 1e-10,
            "this is PyTorch's default": 1e-8,
            "this is the floor of Keras's default": 1e-7**0.5}),
        "step": (late, {
            "one step early: it is still less than half as long": late - 1,
            "one step late: the one before it is half as long": late + 1,
            "compare with PyTorch's step of the same t, not with α":
                _crawl_ends(final=True),
            "half as long is four times the v, not twice":
                _crawl_ends(share=0.5**0.5)})}
    for i, (name, (right, wrong)) in enumerate(checks.items()):
        check_value(name, lambda i=i: (answer() if callable(answer)
                                       else answer)[i], right, wrong=wrong)


def _crawl_ends(final=False, share=0.5):
    g = np.full((300, 1), 0.02)
    old, new = (-np.diff(run(rmsprop, theta0=[0.0], gradients=g, alpha=1.0,
                             eps=1e-10, eps_inside=True, v0=v0).theta[:, 0])
                for v0 in (1.0, 0.0))
    return int((old >= share * (1.0 if final else new)).argmax()) + 1


def check_converter(function):
    """Check ``convert(lr, rho, epsilon, weight_decay)`` of chapter 16.

    >>> check_converter(lambda *settings: None)
    <lambda>: not done yet
    """
    def right(lr, rho, epsilon, weight_decay):
        return lr, rho, math.sqrt(epsilon), 0.0, 1 - lr * weight_decay

    check_function(
        function, right, [(0.01, 0.9, 1e-6, 0.1), (0.002, 0.95, 1e-4, 0.5)],
        quantities=("lr", "alpha", "eps", "weight_decay", "factor"), wrong={
            "this is the colleague's: ε and the decay have changed sides":
                lambda lr, rho, eps, decay: (lr, rho, eps, decay, 1.0),
            "ε has left the root; what is the smallest denominator?":
                lambda lr, rho, eps, decay: (lr, rho, eps, 0.0,
                                             1 - lr * decay),
            "the square has the wrong direction":
                lambda lr, rho, eps, decay: (lr, rho, eps**2, 0.0,
                                             1 - lr * decay),
            "PyTorch would add the decay to the gradient, where it is "
            "divided by √v": lambda lr, rho, eps, decay: (
                lr, rho, math.sqrt(eps), decay, 1.0),
            "the decay is there twice": lambda lr, rho, eps, decay: (
                lr, rho, math.sqrt(eps), decay, 1 - lr * decay),
            "Keras's decay is multiplied by the rate":
                lambda lr, rho, eps, decay: (lr, rho, math.sqrt(eps), 0.0,
                                             1 - decay),
            "the decay is lost": lambda lr, rho, eps, decay: (
                lr, rho, math.sqrt(eps), 0.0, 1.0)})
