"""Chapter 15, what a step costs: the formulas against arrays, counts and the records."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import State, adam, inplace, theory
from descent.recorded import costs, transformer
from descent.exercises import (check_adam, check_lean_step,
                               check_twin_averages)
from descent.inplace import InPlaceAdam
from descent.recorded.transformer import select

# numbers read and written per parameter, line by line, as PyTorch 2.11 and
# 2.13 compute (torch/optim, the functions _single_tensor_...)
LERP, MUL, ADDCMUL, SQRT, DIV, ADD, ADDCDIV, ADD2 = (
    (2, 1), (1, 1), (2, 1), (1, 1), (1, 1), (1, 1), (3, 1), (2, 1))
SINGLE = {
    "SGD": ([ADD2], 0),
    "SGD momentum": ([MUL, ADD2, ADD2], 1),
    "RMSprop": ([MUL, ADDCMUL, SQRT, ADD, ADDCDIV], 1),
    "RMSprop centered": ([MUL, ADDCMUL, LERP, ADDCMUL, SQRT, ADD, ADDCDIV], 2),
    "Adam": ([LERP, MUL, ADDCMUL, SQRT, DIV, ADD, ADDCDIV], 2)}


# ---- the formulas ---------------------------------------------------------


@pytest.mark.equation("15.1")
def test_memory_is_that_of_the_arrays_of_a_training():
    theta = np.zeros(1000, np.float32)
    optimizer, g = InPlaceAdam(theta), np.zeros_like(theta)
    held = sum(x.nbytes for x in (theta, g, optimizer.m, optimizer.v))
    assert theory.memory(1000, 2) == held
    assert theory.memory(7e9, 2) == 112e9
    assert theory.memory(7e9, 2) - theory.memory(7e9, 0) == 56e9


@pytest.mark.equation("15.1")
@given(*[st.integers(1, 9)] * 5)
def test_memory_adds_up_array_by_array(n, k, theta, g, state):
    arrays = [theta, g] + [state] * k
    assert theory.memory(n, k, theta, g, state) == sum(n * b for b in arrays)


@pytest.mark.equation("15.1")
def test_mixed_precision_with_master_weights_needs_as_much_as_float32():
    """2 + 4 bytes of parameters, 2 of gradient, 8 of state (the ZeRO paper)."""
    assert theory.memory(1, 2, theta=2 + 4, g=2) == theory.memory(1, 2)


@pytest.mark.equation("15.2")
@given(*[st.integers(1, 9)] * 5)
def test_what_must_move_is_read_once_and_written_once(n, k, theta, g, state):
    read = [theta, g] + [state] * k
    written = [theta] + [state] * k
    assert theory.must_move(n, k, theta, g, state) == n * sum(read + written)


@pytest.mark.equation("15.2")
def test_the_recorded_bytes_are_those_that_must_move():
    table = transformer.cost()
    for name, (_, k) in SINGLE.items():
        rows = select(table, optimizer=name)
        np.testing.assert_array_equal(rows["bytes_must_move"],
                                      theory.must_move(rows["n"], k))


@pytest.mark.equation("15.3")
def test_the_slower_of_two_lanes_decides():
    for moved, operations in ((10.0, 1.0), (1.0, 10.0)):
        time = theory.least_time(moved, 2.0, operations, 5.0)
        assert time == max(moved / 2, operations / 5)
    both = theory.least_time(np.array([10.0, 1.0]), 2.0, 10.0, 5.0)
    np.testing.assert_array_equal(both, [5.0, 2.0])
    assert theory.least_time(10.0, 2.0) == 5.0


@pytest.mark.equation("15.3")
def test_the_recorded_floor_is_the_bytes_at_the_speed_of_the_copy():
    rows = transformer.cost()
    rows = rows[rows["optimizer"] != "copy"]
    floor = theory.least_time(rows["bytes_must_move"],
                              rows["copy_gb_per_s"] * 1e9)
    np.testing.assert_allclose(rows["floor_ms"], 1e3 * floor, rtol=1e-3)


@pytest.mark.equation("15.4")
@pytest.mark.parametrize("name", SINGLE)
def test_counted_passes_predict_single_tensor_on_the_gpu_within_5_percent(name):
    passes, states = SINGLE[name]
    rows = select(transformer.cost(), optimizer=name, n=10**9,
                  implementation="single-tensor")
    assert len(rows) == 2
    np.testing.assert_allclose(rows["ratio_to_floor"], rtol=0.05,
                               desired=theory.passes_over_floor(passes, states))


@pytest.mark.equation("15.4")
def test_one_pass_over_everything_is_the_floor():
    for k in range(5):
        assert theory.passes_over_floor([(2 + k, 1 + k)], k) == 1
    assert theory.passes_over_floor([(2, 2), (1, 1)], 0) == 2


@pytest.mark.equation("15.5")
@given(st.integers(1, 10**6), st.integers(1, 20), st.integers(4, 128),
       st.integers(0, 10))
def test_the_model_adds_calls_bytes_and_new_memory(n, calls, moved, new):
    a, W, p = 4e-7, 3e10, 7e-10
    time = sum([a] * calls) + n * moved / W + sum([n * p] * new)
    assert theory.step_time(n, calls, a, moved, W, new, p) == pytest.approx(time)
    assert theory.step_time(n, calls, a, moved, W) == pytest.approx(
        calls * a + n * moved / W)


@pytest.mark.equation("15.6")
@pytest.mark.parametrize("new", [0, 3])
def test_at_the_crossing_calls_and_bytes_cost_the_same(new):
    constants = 12, 4e-7, 112, 1e11, new, 7e-10
    n = theory.crossing(*constants)
    assert theory.step_time(n, *constants) == pytest.approx(2 * 12 * 4e-7)


@pytest.mark.equation("15.7")
@given(st.integers(1, 10**5), st.integers(1, 10**5))
def test_the_gain_is_that_of_the_model(runs, d):
    constants = 12, 4e-7, 112, 1e11
    gain = (runs * theory.step_time(d, *constants)
            / theory.step_time(runs * d, *constants))
    assert theory.gain_at_once(
        runs, d, theory.crossing(*constants)) == pytest.approx(gain)
    assert gain <= runs * (1 + 1e-12)


# ---- the records ----------------------------------------------------------


def seconds(method, n):
    row, = select(costs.times(), method=method, n=n, threads=1)
    return row["seconds"]


@pytest.mark.parametrize("n", [10**2, 10**4, 10**6, 10**7])
def test_in_blocks_numpy_is_recorded_as_no_slower_than_single_tensor(n):
    assert seconds("in blocks", n) <= seconds("PyTorch single", n)


def test_two_threads_of_single_tensor_win_at_1e5_and_1e6_only():
    for n in 10**np.arange(2, 8):
        row, = select(costs.times(), method="PyTorch single", n=n, threads=2)
        assert (row["seconds"] < seconds("in blocks", n)) == (n in (1e5, 1e6))


def test_the_passes_of_both_programs_are_those_of_the_tables():
    """Every ufunc call is seen, with the arrays that it reads and writes."""
    class Watched(np.ndarray):
        passes = []

        def __array_ufunc__(self, ufunc, method, *inputs, out=None, **rest):
            arrays = sum(np.size(x) == 7 for x in inputs)
            if method == "__call__":
                self.passes.append((arrays, 1))
            plain = [np.asarray(x) if np.size(x) == 7 else x for x in inputs]
            if out is not None:
                rest["out"] = tuple(map(np.asarray, out))
            result = getattr(ufunc, method)(*plain, **rest)
            return result.view(Watched) if np.size(result) == 7 else result

    def fresh():
        return np.ones(7).view(Watched)

    adam(State(theta=fresh(), t=1, m=fresh(), v=fresh()), fresh())
    assert np.sum(Watched.passes, axis=0).tolist() == [18, 14]
    assert len(Watched.passes) == 14
    Watched.passes.clear()
    inplace._adam(*(fresh() for _ in range(5)), 0.9, 0.999, 0.1, 1e-8)
    assert len(Watched.passes) == 12 and np.sum(Watched.passes) == 28


def test_the_records_say_what_was_measured():
    table, (machine, versions) = costs.times(), costs.machine()
    assert "core" in machine and "numpy" in versions and "PyTorch" in versions
    assert (table["seconds"] > 0).all() and (table["rounds"] >= 5).all()
    assert (table["seconds"] >= table["least"]).all()
    rows = [(row["method"], row["n"], row["threads"]) for row in table]
    assert len(set(rows)) == len(rows)


def test_nothing_that_moves_memory_beats_the_recorded_floor():
    """Fused Adam does not move its bytes faster than x += y moves its own."""
    floor = 28 / 12 * seconds("x += y", 17782794) / 17782794 * 1e7
    for method in set(costs.times()["method"].tolist()):
        if len(select(costs.times(), method=method, threads=1)) == 6:
            assert seconds(method, 10**7) > floor, method


# ---- the checks of the exercises ------------------------------------------


def said(check, answer, capsys):
    check(answer)
    return capsys.readouterr().out


def lean(theta, g, m, v, s, t, alpha, beta1, beta2, eps):
    root = np.sqrt((1 - beta2) / (1 - beta2**t))
    np.add(np.multiply(m, beta1, out=m), g, out=m)
    np.square(g, out=s)
    np.add(np.multiply(v, beta2, out=v), s, out=v)
    np.add(np.sqrt(v, out=s), eps / root, out=s)
    np.divide(m, s, out=s)
    np.multiply(s, alpha * (1 - beta1) / (1 - beta1**t) / root, out=s)
    np.subtract(theta, s, out=theta)


def wasteful(theta, g, m, v, s, t, alpha, beta1, beta2, eps):
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g * g - v)
    theta -= alpha * (m / (1 - beta1**t)) / (
        np.sqrt(v / (1 - beta2**t)) + eps)


def long_winded(*args):
    np.multiply(args[4], 1.0, out=args[4])
    lean(*args)


def raising(*args):
    raise KeyError("no")


@pytest.mark.parametrize("step, word", [
    (lambda *args: None, "not done yet"), (lean, ": correct"),
    (wasteful, "new arrays"), (raising, "KeyError"), (7, "not"),
    (lambda *args: lean(*args[:6], 2 * args[6], *args[7:]), "not the step of Adam")])
def test_the_check_of_the_lean_step(step, word, capsys):
    assert word in said(check_lean_step, step, capsys)


def test_eleven_passes_are_one_too_many(capsys):
    assert "11 passes" in said(check_lean_step, long_winded, capsys)


def test_the_new_arrays_of_foreach_are_those_of_the_chapter():
    for name, extra in (("single-tensor", 8), ("foreach", 4), ("fused", 0)):
        for row in select(transformer.cost(), optimizer="Adam", n=10**9,
                          implementation=name):
            assert row["temporary_bytes"] == extra * row["n"]


def test_one_core_no_longer_hides_the_arithmetic_of_a_fused_step():
    table = costs.times()

    def seconds(method, n, threads=1):
        (row,) = select(table, method=method, n=n, threads=threads)
        return row["seconds"]

    def copy_time(n):   # 28 bytes a parameter at the speed of x += y where θ, g, m, v live
        sizes = np.array(sorted({m for m in select(table, method="x += y")["n"].tolist() if m >= 10**4}))
        rates = [12 * m / (seconds("x += y", m) - seconds("x += y", 100)) for m in sizes]
        return 28 * n / np.interp(np.log(2 * n), np.log(sizes), rates)

    fused = [seconds("PyTorch fused", n) for n in (10**4, 10**7)]
    assert fused[1] / copy_time(10**7) == pytest.approx(1.19, abs=0.005)
    beyond = (fused[0] - seconds("PyTorch fused", 100)) / 10**4
    assert [1e9 * x for x in (beyond, copy_time(10**4) / 10**4, copy_time(10**7) / 10**7, fused[1] / 10**7)] == (
        pytest.approx([0.7, 0.2, 1.0, 1.2], abs=0.05))
    assert all(seconds("in blocks", 10**k) < seconds("PyTorch single", 10**k) for k in range(2, 8))


def test_the_check_of_the_twin_averages(capsys):
    m = v = np.zeros(1)  # one array with two names
    m *= 0.9
    m += 0.1
    v *= 0.999
    v += 0.001
    step = m[0] / 0.1 / np.sqrt(v[0] / 0.001)
    for answer, word in ((None, "not done yet"), (step, ": correct"),
                         (1.0, "sound"), (0.1, "once more")):
        assert word in said(check_twin_averages, answer, capsys), answer


def test_the_repaired_adam_passes_and_the_broken_one_does_not(capsys):
    def broken(theta, gradients, alpha, beta1, beta2, eps):
        theta = np.array(theta, dtype=float)
        m = v = np.zeros_like(theta)
        path = [theta]
        for t, g in enumerate(gradients, 1):
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * g**2
            root = np.sqrt(v / (1 - beta2**t)) + eps
            theta -= alpha / (1 - beta1**t) * m / root
            path.append(theta)
        return np.array(path)

    check_adam(broken)
    assert "correct" not in capsys.readouterr().out
