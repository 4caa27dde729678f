"""The exercise checks say what is wrong, and never raise."""

import importlib
import pkgutil
import re
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from descent import exercises
from descent.exercises import (BROKEN_ADAMS, BROKEN_RMSPROPS, Verdict, check_adam,
                               check_function, check_rmsprop, check_value)


def my_adam(theta, gradients, alpha, beta1, beta2, eps, *, t0=1, square=True,
            correct_m=True, correct_v=True, inside=False, sign=1, root=True):
    m = v = np.zeros_like(theta)
    path = [theta]
    for t, g in enumerate(gradients, t0):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * (g**2 if square else g)
        m_hat = m / (1 - beta1**t) if correct_m else m
        v_hat = v / (1 - beta2**t) if correct_v else v
        if inside:
            below = np.sqrt(v_hat + eps)
        else:
            below = (np.sqrt(v_hat) if root else v_hat) + eps
        theta = theta - sign * alpha * m_hat / below
        path.append(theta)
    return np.array(path)


def with_slips(**slips):
    return lambda *args: my_adam(*args, **slips)


# ---- the full rules -------------------------------------------------------


def test_a_right_adam_is_correct(said):
    assert said(check_adam, my_adam) == "my_adam: correct\n"


@pytest.mark.parametrize("slips, cause", [
    ({"correct_m": False, "correct_v": False}, "bias correction is missing"),
    ({"correct_v": False}, "only the first moment"),
    ({"correct_m": False}, "only the second moment"),
    ({"inside": True}, "ε is inside the root"),
    ({"t0": 0}, "t is counted from 0"),
    ({"t0": 2}, "t is 2 at the first step"),
    ({"sign": -1}, "sign of the update"),
    ({"root": False}, "square root is missing"),
    ({"square": False}, "not squared"),
])
def test_a_slip_in_adam_is_named(said, slips, cause):
    text = said(check_adam, with_slips(**slips))
    assert "theta is" in text and cause in text.split("likely cause: ")[1]


@pytest.mark.parametrize("denominator, cause", [
    (lambda v, t, b2: np.sqrt(v) / (1 - b2**t), "the root is taken of v alone"),
    (lambda v, t, b2: np.sqrt(v), "v̂ is missing"),
])
def test_a_slip_in_the_denominator_is_named(said, denominator, cause):
    def mine(theta, gradients, alpha, b1, b2, eps):
        path, m, v = [theta], 0, 0
        for t, g in enumerate(gradients, 1):
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
            path.append(path[-1] - alpha * m / (1 - b1**t)
                        / (denominator(v, t, b2) + eps))
        return path
    assert cause in said(check_adam, mine)


@pytest.mark.parametrize("late, cause", [
    ("m", "uses m of the step before"), ("v", "uses v of the step before"),
    ("mv", "uses m and v of the step before")])
def test_an_average_of_the_step_before_is_named(said, late, cause):
    def mine(theta, gradients, alpha, b1, b2, eps):
        path, m, v = [theta], np.zeros(3), np.zeros(3)
        for t, g in enumerate(gradients, 1):
            new_m, new_v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
            m_hat = (m if "m" in late else new_m) / (1 - b1**t)
            v_hat = (v if "v" in late else new_v) / (1 - b2**t)
            path.append(path[-1] - alpha * m_hat / (np.sqrt(v_hat) + eps))
            m, v = new_m, new_v
        return path
    assert cause in said(check_adam, mine)


@pytest.mark.parametrize("weight, corrected, cause", [
    (lambda b: 1, False, "this is RMSprop with momentum: "),
    (lambda b: 1 - b, False, "RMSprop with momentum at the rate α(1 − β₁)"),
    (lambda b: 1 - b, True, "the ratios g/√v̂ are averaged")])
def test_dividing_before_averaging_is_named(said, weight, corrected, cause):
    def mine(theta, gradients, alpha, b1, b2, eps):
        path, b, v = [theta], 0, 0
        for t, g in enumerate(gradients, 1):
            v = b2 * v + (1 - b2) * g**2
            v_hat = v / (1 - b2**t) if corrected else v
            b = b1 * b + weight(b1) * g / (np.sqrt(v_hat) + eps)
            b_hat = b / (1 - b1**t) if corrected else b
            path.append(path[-1] - alpha * b_hat)
        return path
    assert cause in said(check_adam, mine)


def test_multiplying_by_the_correction_is_named(said):
    def mine(theta, gradients, alpha, b1, b2, eps):
        path, m, v = [theta], 0, 0
        for t, g in enumerate(gradients, 1):
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
            path.append(path[-1] - alpha * m * (1 - b1**t)
                        / (np.sqrt(v * (1 - b2**t)) + eps))
        return path
    assert "multiplied by 1 − β^t" in said(check_adam, mine)


def test_theta_changed_in_place_is_named(said):
    def mine(theta, gradients, *hyper):
        path = [theta]
        for step in np.diff(my_adam(theta, gradients, *hyper), axis=0):
            theta += step
            path.append(theta)
        return path
    assert "theta is changed in place" in said(check_adam, mine)


def test_a_path_of_one_row_is_named_in_every_check_of_a_path(said):
    def mine(theta, gradients, alpha, beta2, eps):
        path, v = [theta], 0
        for g in gradients:
            v = beta2 * v + (1 - beta2) * g**2
            theta -= alpha * g / (np.sqrt(v) + eps)
            path.append(theta)
        return path
    assert "theta is changed in place" in said(check_rmsprop, mine)


def test_a_path_without_a_step_is_not_done_yet(said):
    for check in check_adam, check_rmsprop:
        for path in (lambda theta: [theta], lambda theta: np.array([theta])):
            text = said(check, lambda theta, *rest: path(theta))
            assert text == "<lambda>: not done yet\n"
    assert "has shape (1, 3)" in said(check_adam, lambda theta, *_: [theta + 1])


def test_a_long_input_names_the_hyperparameters_first(said):
    text = said(check_adam, with_slips(inside=True))
    assert "input: number = 0.1, number = 0.9, number = 0.95" in text
    def named(theta, gradients, alpha, beta1, beta2, eps):
        return my_adam(theta, gradients, alpha, beta1, beta2, eps, sign=-1)
    text = said(check_adam, named)
    assert ("input: alpha = 0.1, beta1 = 0.9, beta2 = 0.95, eps = 0.01, "
            "theta = ") in text


def test_exchanged_betas_are_named(said):
    text = said(check_adam, lambda theta, g, alpha, b1, b2, eps:
                my_adam(theta, g, alpha, b2, b1, eps))
    assert "β₁ and β₂ are exchanged" in text


def test_a_count_from_zero_in_plain_floats_is_named(said):
    """Python's floats raise where numpy's give inf."""
    def plain(theta, gradients, alpha, beta1, beta2, eps):
        return [1 / (1 - beta1**t) for t, _ in enumerate(gradients)]
    text = said(check_adam, plain)
    assert "ZeroDivisionError" in text and "t is counted from 0" in text


@pytest.mark.parametrize("check, broken", [
    *((check_adam, item) for item in BROKEN_ADAMS.items()),
    *((check_rmsprop, item) for item in BROKEN_RMSPROPS.items())],
    ids=lambda p: p.__name__ if callable(p) else p[0])
def test_every_known_mistake_is_told_from_the_others(said, check, broken):
    cause, mistake = broken
    text = said(check, lambda *args: mistake(*args))
    assert text.rstrip().endswith("likely cause: " + cause)


def test_a_right_rmsprop_is_correct(said):
    def mine(theta, gradients, alpha, beta2, eps):
        v, path = 0, [theta]
        for g in gradients:
            v = beta2 * v + (1 - beta2) * g**2
            theta = theta - alpha * g / (np.sqrt(v) + eps)
            path.append(theta)
        return path  # a list of arrays will do
    assert said(check_rmsprop, mine) == "mine: correct\n"


def test_the_first_wrong_step_is_named(said):
    def late(*args):
        path = my_adam(*args)
        path[3:] += 1e-3
        return path
    text = said(check_adam, late)
    assert "theta is wrong at t = 3\n" in text and "likely" not in text


def test_a_learner_cannot_spoil_the_inputs(said):
    def in_place(theta, gradients, *hyper):
        path = my_adam(theta.copy(), gradients, *hyper)
        theta += 1
        gradients *= 0
        return path
    for _ in range(2):
        assert said(check_adam, in_place).endswith("correct\n")


# ---- quantity by quantity -------------------------------------------------


def moments(m, v, g, t):
    m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
    return m, v, m / (1 - 0.9**t), v / (1 - 0.99**t)


NAMES = ("m", "v", "m_hat", "v_hat")
INPUTS = [(0.1, 0.2, 3.0, 1), (0.1, 0.2, -2.0, 5)]


def test_the_first_wrong_quantity_is_named_in_the_order_of_the_algorithm(said):
    def slip(m, v, g, t):
        m, v, m_hat, v_hat = moments(m, v, g, t)
        return m, 2 * v, m_hat, 2 * v_hat
    text = said(check_function, slip, moments, INPUTS, quantities=NAMES)
    assert text.startswith("slip: v is wrong\n")


def test_in_a_path_the_earlier_step_comes_before_the_earlier_quantity(said):
    right = {"m": np.arange(5.0), "v": np.arange(5.0)}
    wrong = {"m": np.array([0, 1, 2, 9, 9.0]), "v": np.array([0, 9, 9, 9, 9.0])}
    text = said(check_function, lambda: wrong, lambda: right, [()],
                quantities=("m", "v"), first_t=0)
    assert "v is wrong at t = 1" in text


def test_a_dict_or_an_object_with_the_names_will_do(said):
    def as_dict(*args):
        return dict(zip(NAMES, moments(*args)))
    assert "correct" in said(check_function, as_dict, moments, INPUTS,
                             quantities=NAMES)
    assert "no entry 'v'" in said(
        check_function, lambda *a: {"m": 1}, moments, INPUTS, quantities=NAMES)


def test_the_wrong_number_of_values_is_said(said):
    text = said(check_function, lambda *a: (1, 2), moments, INPUTS,
                quantities=NAMES)
    assert "must return 4 values (m, v, m_hat, v_hat), but it returns 2" in text


def test_a_half_done_function_is_told_what_is_missing(said):
    def half(*args):
        return *moments(*args)[:2], None, None
    text = said(check_function, half, moments, INPUTS, quantities=NAMES)
    assert text == "half: m_hat is not done yet\n"


# ---- numbers and words ----------------------------------------------------


@pytest.mark.parametrize("answer, verdict", [
    (None, "not done yet"), (..., "not done yet"), ([None, ...], "not done yet"),
    (3.1623, "correct"), (np.float32(3.1623), "correct"), ("3.16", "of type str"),
    (-3.1623, "the sign is wrong"), (10, "a root is missing"),
    (0.31623, "this is 1 over the right value"), (2.0, "this is β₂ = 0.75"),
    (5.0, "not right: 5\n"), (float("nan"), "not right: nan"),
    ([3.1623], "it has shape (1,), but () is needed"), (1 + 2j, "of type complex"),
    (lambda: 3.16228, "correct"), (lambda: None, "not done yet"),
    (lambda: 1 / 0, "raised ZeroDivisionError: division by zero\n"),
])
def test_a_number(said, answer, verdict):
    text = said(check_value, "length", answer, np.sqrt(10),
                wrong={"this is β₂ = 0.75": 2.0})
    assert text.startswith("length: ") and verdict in text


def test_an_integer_must_be_exact(said):
    """3912 is within 1e-3 of 3911, but it is another step."""
    assert "not right: 3912" in said(check_value, "t", 3912, 3911)
    assert ": correct" in said(check_value, "t", 3911.0, 3911)
    assert ": correct" in said(check_value, "age", 1 / (1 - 0.9), 10)
    assert "a root is missing" in said(check_value, "n", 100.01, 10)


def test_an_exception_may_have_a_known_cause(said):
    wrong = {"t is 0": ZeroDivisionError, "no root": 10.0}
    text = said(check_value, "x", lambda: 1 / 0, 3.0, wrong=wrong)
    assert text.endswith("likely cause: t is 0\n")
    text = said(check_value, "x", 10, 3.0, wrong=wrong)
    assert text.endswith("likely cause: no root\n")


def test_a_word(said):
    for answer, verdict in ((" Adam", "correct"), ("sgd", "has no memory"),
                            ("x", "not right: 'x'"), (3, "must be a word")):
        assert verdict in said(check_value, "which", answer, "adam",
                               wrong={"it has no memory": "SGD"})


# ---- never raising --------------------------------------------------------


class Hostile:
    """Everything that a check may touch raises."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __repr__(self):
        raise RuntimeError("no words")

    __str__ = __len__ = __iter__ = __float__ = __bool__ = __repr__
    __hash__ = None


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no message")


def raising(error):
    def function(*args):
        raise error
    return function


ANSWERS = [
    Hostile(), [Hostile()], object(), "text", b"bytes", {}, [], (), {1, 2},
    {"theta": None}, {"theta": Hostile()}, [[1, 2], [3]], np.array("x"),
    np.ma.masked, np.datetime64("2026-01-01"), np.zeros((0, 3)), 10**400,
    np.array([object()]), np.full((6, 3), np.nan), np.full((6, 3), np.inf),
    np.zeros((6, 3), complex), (x for x in range(3)), iter([1]), int, len,
    NotImplemented, range(3), True, slice(1), [None, 1.0], 1j, "π" * 10**4,
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: type(a).__name__)
def test_no_answer_makes_a_check_raise(said, answer):
    for wrap in (lambda *args: answer), answer:
        for check in check_adam, check_rmsprop:
            text = said(check, wrap)
            assert text.strip() and ": correct" not in text
        text = said(check_function, wrap, moments, INPUTS, quantities=NAMES)
        assert text.strip() and ": correct" not in text
        text = said(check_value, "number", wrap, 1.5)
        assert text.strip() and ": correct" not in text


@pytest.mark.parametrize("error", [
    ValueError("no"), Mute(), SystemExit(3), RecursionError(), StopIteration(),
    ZeroDivisionError("float division by zero"), AssertionError(),
    GeneratorExit(), np.linalg.LinAlgError("singular")],
    ids=lambda e: type(e).__name__)
def test_an_exception_in_a_function_is_reported_with_its_input(said, error):
    text = said(check_function, raising(error), moments, INPUTS,
                quantities=NAMES)
    assert f"raised {type(error).__name__}" in text
    assert "at input (0.1, 0.2, 3, 1)" in text


def test_an_interrupt_still_interrupts():
    with pytest.raises(KeyboardInterrupt):
        check_adam(raising(KeyboardInterrupt()))


def test_endless_recursion_is_reported(said):
    def again(*args):
        return again(*args)
    assert "raised RecursionError" in said(check_adam, again)


def test_wrong_arguments_are_reported(said):
    assert "TypeError" in said(check_adam, lambda theta: theta)


def test_numpy_does_not_warn_while_a_function_is_checked(said):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said(check_adam, with_slips(t0=0))
        said(check_value, "x", [np.nan, np.inf], [1.0, 2.0])


@given(st.one_of(st.none(), st.floats(), st.integers(), st.text(),
                 st.lists(st.floats(), max_size=3),
                 st.dictionaries(st.sampled_from(NAMES), st.floats())))
def test_whatever_a_function_returns_something_is_printed(answer):
    before = sys.stdout
    check_function(lambda *args: answer, moments, INPUTS, quantities=NAMES)
    check_value("x", answer, 1.25)
    assert sys.stdout is before


def test_messages_have_at_most_six_digits(said):
    text = said(check_adam, with_slips(inside=True))
    assert re.findall(r"\d*\.\d+", text)
    assert all(len(number.replace(".", "").lstrip("0")) <= 6
               for number in re.findall(r"\d*\.\d+", text))


# ---- a check's own care ---------------------------------------------------


def test_six_right_digits_are_right(said):
    for digits in (6, 9, 12):
        text = said(check_function, lambda x: round(np.sqrt(x), digits - 1),
                    np.sqrt, [(1.00001,), (2.0,)])
        assert text.endswith(": correct\n")
    assert ": correct" in said(check_function, lambda x: np.sqrt(np.float32(x)),
                               np.sqrt, [(2.0,)])


@pytest.mark.parametrize("error", [1e-2, 8e-5, 3e-6, 1e-8, 1e-12, 2.3e-16])
@pytest.mark.parametrize("right", [0.917628, np.pi, 3911.0, 1e-12])
def test_what_is_called_wrong_does_not_look_right(said, right, error):
    text = said(check_function, lambda: right * (1 + error), lambda: right,
                [()], rtol=0)
    if ": correct" not in text:  # 3e-16 of some numbers is below their last bit
        assert (re.search("yours: (.*)", text)[1]
                != re.search("right: (.*)", text)[1])
        assert ("digits only" in text) == (error < 1e-4)
    text = said(check_value, "n", 10 * (1 + error), 10)
    assert ": correct" in text or text != "n: not right: 10\n"


def test_entries_that_are_not_shown_are_shown_where_they_differ(said):
    right = np.arange(60.0)
    wrong = np.where(right == 31, 32, right)
    text = said(check_function, lambda: wrong, lambda: right, [()])
    assert "is wrong, entry 31\n    yours: 32\n    right: 31\n" in text
    text = said(check_function, lambda: wrong.reshape(6, 10),
                lambda: right.reshape(6, 10), [()])
    assert "entry (3, 1)\n    yours: 32\n    right: 31\n" in text


def helper(x):
    return x / 0


def test_an_error_is_told_with_the_line_of_ones_own_code(said):
    def mine(x):
        y = x + 1
        return helper(y)
    line = helper.__code__.co_firstlineno + 1
    text = said(check_function, mine, abs, [(1,)])
    assert f"at input (1)\n    line {line}, in helper: return x / 0\n" in text
    text = said(check_value, "x", lambda: np.linalg.inv([[1.0, 1], [1, 1]]), 1.0)
    assert "line " in text and "in <lambda>: text = said(check_value" in text
    assert "linalg.py" not in text
    cell = compile("def own(x):\n    return undefined\n", "<a cell>", "exec")
    exec(cell, names := {})
    assert "\n    line 2, in own\n" in said(check_function, names["own"], abs, [(1,)])


def test_a_function_that_never_ran_has_no_line(said):
    assert "\n    line" not in said(check_function, lambda: 1, abs, [(1,)])


def test_an_interrupt_is_one_line_that_says_where(monkeypatch):
    """61 lines, most of them of the check, say less."""
    from IPython.core.interactiveshell import InteractiveShell
    shell, shown = InteractiveShell(), []
    monkeypatch.setattr(shell, "_showtraceback",
                        lambda kind, value, lines: shown.extend(lines))
    def raise_interrupt():
        raise KeyboardInterrupt
    raise_interrupt.__code__ = raise_interrupt.__code__.replace(
        co_filename="<frozen by Ctrl+C>")
    shell.user_ns["raise_interrupt"] = raise_interrupt
    shell.run_cell("from descent.exercises import check_adam\n"
                   "def endless(*args):\n"
                   "    for _ in raise_interrupt():\n"
                   "        pass\n"
                   "check_adam(endless)")
    assert "\n".join(shown).splitlines() == [
        "KeyboardInterrupt: stopped",
        "    line 3, in endless: for _ in raise_interrupt():"]


@pytest.mark.parametrize("answer, verdict", [
    ((10, None, None), "value 2 of 3 is not done yet"),
    ([1.0, 2.0, ...], "value 3 of 3 is not done yet"),
    (np.array([10, None, 3]), "value 2 of 3 is not done yet"),
    ([1.0, [2.0, None], 3.0], "in value 2 of 3, value 2 of 2 is not done yet"),
    (lambda: (10, None, None), "value 2 of 3 is not done yet"),
    ((None, None, None), "not done yet"), ((10, np.nan, 1), "[10, nan, 1]")])
def test_what_is_half_filled_in_is_said_to_be(said, answer, verdict):
    text = said(check_value, "three", answer, np.array([1.0, 2.0, 3.0]))
    assert text.split("three: ")[1].removeprefix("not right: ") == verdict + "\n"


def test_a_path_that_is_half_filled_in_is_said_to_be(said):
    text = said(check_adam, lambda theta, *rest: [theta, None, None])
    assert text == "<lambda>: theta: value 2 of 3 is not done yet\n"


def test_too_few_draws_are_not_another_mistake(said):
    few = "100,000 draws scatter by 0.2 %"
    def say(answer):
        return said(check_value, "best of eight", answer, 1.4236, rtol=0.01,
                    sampled=few, wrong={"this is the best of seven": 1.3522})
    for answer in (1.38, 1.50):
        assert say(answer).endswith(
            "likely cause: it is near, but from how many draws? " + few + "\n")
    for answer in (1.3522, 1.36):  # nobody can tell
        assert say(answer).endswith(
            "likely cause: this is the best of seven\n"
            "    or: it is near, but from how many draws? " + few + "\n")
    assert say(1.43).endswith(": correct\n") and "likely" not in say(0.9)


def test_of_two_near_mistakes_the_nearer_one_is_named(said):
    wrong = {"one too many": 811, "one too few": 809}
    for answer, cause in ((809, "few"), (811, "many")):
        assert said(check_value, "n", answer, 810, wrong=wrong
                    ).endswith(f"one too {cause}\n")


def test_a_function_that_changes_its_mind_is_told_so(said):
    rng, kept = np.random.default_rng(0), []
    def mean(n):
        return rng.standard_normal(n).mean()
    def longer(n):
        kept.append(n)
        return len(kept)
    for function in mean, longer:
        assert "it draws at random, or keeps something from call to call" in (
            said(check_function, function, lambda n: 0.5, [(10,)]))


def test_a_wrong_shape_has_a_known_cause_too(said):
    text = said(check_function, np.cumsum, np.sum, [(np.arange(1.0, 4),)],
                wrong={"the last one is asked for": np.cumsum})
    assert "has shape (3,)" in text and text.endswith("is asked for\n")


def chapters():
    return [importlib.import_module("descent.exercises." + module.name)
            for module in pkgutil.iter_modules(exercises.__path__)
            if module.name != "engine"]


# What the inputs of a check do not show.
NOT_SHOWN = {
    "compare with PyTorch's step of the same t, not with α",
}


def test_no_mistake_that_a_check_knows_is_correct(said, monkeypatch):
    checks = []
    for module in chapters():
        for engine in (check_function, check_value):
            def recorded(*args, engine=engine, **kwargs):
                checks.append((engine, args, kwargs))
                return Verdict(0.0, "")
            if hasattr(module, engine.__name__):
                monkeypatch.setattr(module, engine.__name__, recorded)
    for module in chapters():
        for name, check in vars(module).items():
            if name.startswith("check_") and check.__module__ == module.__name__:
                check(*["a"] * (name == "check_broken_adam"), lambda *args: None)
    found = {cause for engine, args, kwargs in checks
             for cause, mistake in kwargs.get("wrong", {}).items()
             if not isinstance(mistake, type)
             and ": correct" in with_answer(said, engine, args, kwargs, mistake)}
    assert len(checks) > 50 and found <= NOT_SHOWN


def with_answer(said, engine, args, kwargs, mistake):
    if engine is check_value:
        return said(engine, args[0], mistake, *args[2:], **kwargs)
    return said(engine, lambda *inputs: mistake(*inputs), *args[1:], **kwargs)


def test_a_notebook_shows_a_verdict_once():
    shell = InteractiveShell.instance()
    with capture_output() as shown:
        shell.run_cell("from descent.exercises import check_value\ncheck_value('x', 2, 1)")
    assert shown.stdout.count("not right") == 1 and not shown.outputs


def test_an_exercise_in_parts_has_the_share_of_its_right_parts(said):
    parts = [check_value("a", 1, 1), check_value("b", None, 1)]
    whole = Verdict.of_parts(parts)
    assert (whole.points, bool(whole), whole.message) == (0.5, False, "a: correct\nb: not done yet")
