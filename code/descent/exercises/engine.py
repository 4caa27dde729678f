"""Checks for the exercises: they say what is wrong, and they never raise.

A check prints "not done yet" while the skeleton still returns None, "correct",
or the first quantity that is wrong, with the cause where it is a known one.
It returns this as a `Verdict`, for those who grade; a notebook shows it once.
Whatever a learner's function does (raise, return a string, a wrong shape, NaN)
the check says so and goes on.

For authors
===========

A number, an array, a word (or a function of no arguments that returns one)::

    check_value("first step", answer, 1 / np.sqrt(1 - 0.99),
                wrong={"this is β₂ = 0.9": 1 / np.sqrt(1 - 0.9)})

The tolerance is 5e-3, three digits as one types them; an integer must be
exact, so that t = 3911 is not t = 3912.  A wrong sign, a reciprocal, a missing
or superfluous root are recognised without being listed.  Where the answer may
be measured on random draws, `sampled="20,000 streams scatter by 0.2 %"` keeps
too few draws from being taken for another mistake.

A function, compared with a reference at every input (tuples of arguments).
`wrong` maps a diagnosis to the function that makes this mistake, or to an
exception class.  Take the mistaken functions from `descent.rules` with other
options; where several agree with the answer, the first is named::

    def step(m, v, g, t): ...                  # the learner's: m_hat, v_hat

    check_function(step, reference, inputs=[(0.1, 0.2, 3.0, 1), ...],
                   quantities=("m_hat", "v_hat"),
                   wrong={"t is counted from 0":
                              lambda m, v, g, t: reference(m, v, g, t - 1)})

Six digits are enough, unless `rtol` asks for more.
`quantities` names what is returned, in the order of the algorithm: a tuple,
or a dict or State with these names.  `first_t=0` says that the leading axis
of every quantity is time and begins at t = 0; the first wrong step is named.

Checks of single exercises stand in the module of their chapter.

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
import linecache
import sysconfig
import traceback
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from pathlib import Path

import numpy as np


# ---- what a check returns --------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What a check found, beside printing it.

    points : share of what can be had, 0 to 1; of an exercise in parts, the
        share of its right parts
    message : what the check printed

    True where all is right, so that ``assert check_adam(my_adam)`` grades.

    >>> verdict = check_value("half-life", 10, 6.58)
    half-life: not right: 10
    >>> verdict.points, bool(verdict)
    (0.0, False)
    """

    points: float
    message: str

    def __bool__(self):
        return self.points == 1

    def _ipython_display_(self):
        """Nothing: the message stands there already."""

    @classmethod
    def of_parts(cls, verdicts):
        """One verdict on an exercise whose parts have one each."""
        verdicts = list(verdicts)
        return cls(sum(v.points for v in verdicts) / len(verdicts),
                   "\n".join(v.message for v in verdicts))


# ---- reading what a learner gives -----------------------------------------


class Complaint(Exception):
    """What a check prints instead of "correct"."""


class Interrupted(KeyboardInterrupt):
    """An interrupt that a notebook shows in one line."""

    def _render_traceback_(self):
        return [f"KeyboardInterrupt: {self}"]


def never_raises(check):
    """A check prints and returns its verdict, whatever object it is given."""

    @wraps(check)
    def safe(answer, *args, **kwargs):
        try:
            name, verdict = check(answer, *args, **kwargs)
        except KeyboardInterrupt as stopped:
            raise Interrupted("stopped" + _line(stopped)) from None
        except Complaint as complaint:
            name, verdict = "answer", str(complaint)
        except BaseException as error:  # an answer can be any object at all
            name, verdict = "answer", f"cannot be read: {_describe(error)}"
        print(f"{name}: {verdict}")
        right = verdict.split("\n")[0] == "correct"
        return Verdict(float(right), f"{name}: {verdict}")

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
        text = f"your function raised {_describe(error)}{where}{_line(error)}"
        for cause, mistake in dict(wrong).items():
            if isinstance(mistake, type) and isinstance(error, mistake):
                text += _cause(cause)
        raise Complaint(text) from None


ELSEWHERE = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"),
             "<frozen ", "<__array_function__")


def _line(error):
    """The innermost line of a learner's own code that an error went through."""
    own = [(frame.f_code, number)
           for frame, number in traceback.walk_tb(error.__traceback__)
           if not frame.f_code.co_filename.startswith(ELSEWHERE)
           and "-packages" not in frame.f_code.co_filename]
    if not own:
        return ""
    code, number = own[-1]
    source = linecache.getline(code.co_filename, number).strip()
    return f"\n    line {number}, in {code.co_name}" + (
        f": {_cut(source)}" if source else "")


def _describe(error):
    try:
        text = str(error)
    except Exception:
        text = ""
    return type(error).__name__ + (f": {text}" if text else "")


def _array(value, name=""):
    """A real array of floats, or a Complaint that says what it is instead."""
    missing = _first_undone(value)
    if missing:
        raise Complaint(f"{name}: {missing}".removeprefix(": "))
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = array.astype(float)
    except Exception:
        array = None
    if array is None or array.dtype.kind not in "biuf":
        raise Complaint(f"{name or 'it'} is of type {type(value).__name__}, "
                        "but it must be a number or an array of numbers")
    return array.astype(float)


def _undone(value):
    """None, the Ellipsis of a skeleton, or a collection of nothing else."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return len(value) > 0 and all(_undone(part) for part in value)
    return value is None or value is Ellipsis


def _given(answer):
    """The numbers of an answer, or what the learner's function returns, as `_array`; None where nothing is done yet."""
    value = _call(answer, ()) if callable(answer) else answer
    return None if _undone(value) else _array(value)


def _first_undone(value):
    """The first place of a collection that is not filled in, in words."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        for n, part in enumerate(value, 1):
            if part is None or part is Ellipsis:
                return f"value {n} of {len(value)} is not done yet"
            inside = _first_undone(part)
            if inside:
                return f"in value {n} of {len(value)}, {inside}"
    return ""


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


def _short(value, digits=6):
    """At most 70 characters that show a value, numbers to so many digits."""
    if isinstance(value, tuple):
        text = "(" + ", ".join(_short(part) for part in value) + ")"
    elif isinstance(value, (float, np.floating)):
        text = f"{value:.{digits}g}"
    elif isinstance(value, np.ndarray):
        text = np.array2string(
            value, precision=digits, separator=", ", threshold=6, edgeitems=2,
            formatter={"float_kind": lambda x: f"{x:.{digits}g}"})
        text = " ".join(text.split())
    elif isinstance(value, (bool, int, str, list)):
        text = repr(value)
    else:
        text = f"<{type(value).__name__}>"
    return _cut(text)


def _cut(text):
    return text if len(text) <= 70 else text[:67] + "..."


def _told_apart(value, target):
    """Both as text: six digits, or as many more as show that they differ."""
    for digits in (6, 9, 12, 17):
        texts = _short(value, digits), _short(target, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _distance(value, target):
    """The largest relative error."""
    with np.errstate(all="ignore"):
        error = np.abs(value - target) / np.abs(target)
    return np.max(np.where(value == target, 0.0, error), initial=0.0)


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


def _compare_values(answer, expected, rtol, wrong, sampled):
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
    text = "not right: " + _told_apart(answer, expected)[0]
    near = [(round(_distance(answer, _array(value)), 9), cause)
            for cause, value in wrong.items()
            if _agree(answer, _array(value), rtol)]
    text += (_cause(min(near, key=lambda pair: pair[0])[1]) if near
             else _guess(answer, expected, rtol))
    if sampled and _agree(answer, expected, 10 * rtol):
        text += (_cause if "likely" not in text else "\n    or: {}".format)(
            f"it is near, but from how many draws? {sampled}")
    raise Complaint(text)


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


def _changes(function, args, before, quantities):
    """Whether a second call returns something else."""
    try:
        after = _read(_call(function, args), quantities)
    except Complaint:
        return True
    return not all(np.array_equal(before[q], after[q], equal_nan=True)
                   for q in quantities)


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
        try:
            difference = _first_difference(got, wanted, rtol, first_t)
        except Complaint as shape:
            raise Complaint(str(shape) + _known(
                wrong, inputs, answers, quantities, rtol)) from None
        if difference:
            break
    else:
        return
    name, where, value, target = difference
    value, target = np.asarray(value), np.asarray(target)
    state, error = "is wrong", _distance(value, target)
    if np.isnan(value).any() > np.isnan(target).any():
        state = "is NaN"
    elif error < 1e-4:
        state = f"is right to {-np.log10(error):.0f} digits only"
    yours, right_one = _told_apart(value, target)
    if yours == right_one:  # arrays that differ where they are not shown
        entry = tuple(map(int, np.argwhere(~_equal(value, target, rtol))[0]))
        where += f", entry {entry if len(entry) > 1 else entry[0]}"
        yours, right_one = _told_apart(value[entry], target[entry])
    text = (f"{name} {state}{where}\n    yours: {yours}"
            f"\n    right: {right_one}"
            f"\n    input: {_arguments(function, args)}")
    if _changes(function, args, got, quantities):
        raise Complaint(text + _cause(
            "at a second call with the same input it returns another value: "
            "it draws at random, or keeps something from call to call"))
    raise Complaint(text + (
        _known(wrong, inputs, answers, quantities, rtol)
        or _changed_in_place(name, got[name], wanted[name], rtol, first_t)
        or _guess(got[name], wanted[name], rtol)
        or _guess(value, target, rtol)))


def _changed_in_place(name, got, wanted, rtol, first_t):
    """Whether every row of a path is its right last one."""
    if first_t is None or not _agree(
            got, np.broadcast_to(wanted[-1], wanted.shape), rtol):
        return ""
    return _cause(f"{name} is changed in place, so that every row of the path "
                  "is the last one")


def _known(wrong, inputs, answers, quantities, rtol):
    """The mistake that gives these answers, or nothing."""
    for cause, mistake in wrong.items():
        if isinstance(mistake, type):
            continue
        try:
            made = [_read(_call(mistake, args), quantities) for args in inputs]
        except Complaint:
            continue  # the mistake has no value here
        if all(_agree(got[q], variant[q], rtol)
               for got, variant in zip(answers, made) for q in quantities):
            return _cause(cause)
    return ""


# ---- the two engines ------------------------------------------------------


def check_value(name, answer, expected, *, rtol=5e-3, wrong={}, sampled=""):
    """Print a `Verdict` on a number, an array or a word, and return it.

    name : how the message calls it
    answer : the learner's value, or a function of no arguments
    expected : the right value
    rtol : relative tolerance; an integer must be exact
    wrong : {diagnosis: the value that this mistake gives, or an exception
        class}
    sampled : where the answer may be measured on random draws: how many
        draws scatter by how much

    >>> check_value("half-life", None, 6.58)
    half-life: not done yet
    >>> check_value("half-life", 6.58, 6.5788)
    half-life: correct
    >>> check_value("half-life", 10, 6.58, wrong={"this is 1/(1 − β)": 10})
    half-life: not right: 10
        likely cause: this is 1/(1 − β)
    """
    return _check_value(answer, name, expected, rtol, wrong, sampled)


@never_raises
def _check_value(answer, name, expected, rtol, wrong, sampled):
    try:
        value = _call(answer, (), wrong) if callable(answer) else answer
    except Complaint as complaint:
        return name, str(complaint)
    if _undone(value):
        return name, "not done yet"
    values = {cause: mistake for cause, mistake in wrong.items()
              if not isinstance(mistake, type)}
    return name, _verdict(_compare_values, value, expected, rtol, values,
                          sampled)


@never_raises
def check_function(function, reference, inputs, *, quantities=("the result",),
                   rtol=5e-6, first_t=None, wrong={}, name=None):
    """Print a `Verdict` on a learner's function, and return it.

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
