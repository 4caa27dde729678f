"""The laboratory: every field, every sentence, and the code that is copied; in JupyterLab, test_jupyterlab.py."""

import re
from datetime import datetime

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from descent import adam, rmsprop, run, theory
from descent.figures import laboratory, typed
from descent.figures.laboratory import Laboratory

# ---- what is typed --------------------------------------------------------


@pytest.mark.parametrize("text, values", [
    ("0.5**t", [0.5, 0.25, 0.125]), ("1 if t % 3 == 1 else -0.5", [1, -0.5, -0.5]), ("t == 2", [0, 1, 0]), ("[4, 5, 6][t - 1]", [4, 5, 6]),
    ("np.where(t > 1, 1, 2)", [2, 1, 1]), ("-t // 2 + abs(-1) * np.pi * 0", [-1, -1, -2]), ("max(t, 2) if not t > 2 or t == 9 else 7", [2, 2, 7])])
def test_a_formula_of_t_is_computed_step_by_step(text, values):
    assert typed.gradients_of(text, 3, seed=0) == values


def test_a_formula_draws_from_its_generator_as_the_code_would():
    rng = np.random.default_rng(7)
    assert typed.gradients_of("1 + 3 * rng.standard_normal()", 50, seed=7) == [1 + 3 * rng.standard_normal() for _ in range(50)]


@pytest.mark.parametrize("text, said", [
    ("", "empty"), ("1 +", "cannot read this"), ("g = t", "right-hand side"), ("t^2", "written **"), ("x", "x is not known: a formula knows t, rng and np"),
    ("sin(t)", "write np.sin"), ("normal()", "write rng.normal()"), ("open('f')", "no function that a formula may call"),
    ("__import__('os')", "no function that a formula may call"), ("t.__class__", "allowed behind np and rng only"),
    ("np.load(t)", "np.load is not among"), ("np.linalg.inv(t)", "allowed behind"), ("rng.bit_generator", "not among"), ("lambda: 1", "lambda is not allowed"),
    ("[t for t in [1]]", "not allowed"), ("'a'", "'a' is no number"), ("t(3)", "for a product write t * (...)"), ("(1)(2)", "name of a function"),
    ("t is None", "not allowed"), ("1j * t", "no number"), ("(-1)**0.5", "complex number"), ("rng.standard_normal", "needs brackets"),
    ("rng.standard_normal(3)", "array of shape (3,)"), ("1 / (t - 2)", "At t = 2: the formula divides by zero"), ("np.log(t - 1)", "At t = 1 the formula is -inf"),
    ("10**400", "too large a number"), ("9**9**9", "too large a whole number"), ("[1, 2][t]", "At t = 2: list index out of range"),
    ("np.sin(t, t, t, t)", "At t = 1: "), ("t << 3", "not one of numbers"), ("(" * 300 + ")" * 300, "cannot read this")])
def test_what_a_formula_may_not_be_is_told_in_a_sentence(text, said):
    with pytest.raises(typed.Refused, match=re.escape(said)) as error:
        typed.gradients_of(text, 3, seed=0)
    assert str(error.value).endswith((".", ")")) and "Traceback" not in str(error.value)


def test_a_formula_that_takes_for_ever_is_stopped(monkeypatch):
    monkeypatch.setattr(typed, "SECONDS", 0)
    with pytest.raises(typed.Refused, match="The formula is slow: 1 of 100 steps"):
        typed.gradients_of("t", 100, seed=0)


@settings(max_examples=300)
@given(st.text(alphabet="tx rng.np0123456789+-*/%()[],<>=!'\"_abcifelsno:\\\n", max_size=24))
def test_whatever_is_typed_ends_in_numbers_or_in_a_sentence(text):
    try:
        assert len(typed.gradients_of(text, 2, seed=0)) == 2
    except typed.Refused as error:
        assert str(error)


@pytest.mark.parametrize("text, said", [
    ("", "missing"), ("0,9", "write a point, as in 0.9"), ("abc", "abc is no number"), ("1/0", "divides by zero"), ("1e400", "finite"),
    ("nan", "finite"), ("1", "less than 1"), ("-0.1", "at least 0"), ("t", "t is no number")])
def test_a_number_that_is_none_is_told_in_a_sentence(text, said):
    with pytest.raises(typed.Refused, match=re.escape(said)):
        typed.number(text, 0, 1)


def test_numbers_are_typed_as_one_writes_them():
    assert [typed.number(t) for t in ("0.9995", "1e-3", "1/4", "1 - 1e-4", "−2")] == [0.9995, 1e-3, 0.25, 1 - 1e-4, -2]
    with pytest.raises(typed.Refused, match="not a whole number"):
        typed.number("2.5", whole=True)
    with pytest.raises(typed.Refused, match="at most 5"):
        typed.number("6", 0, 5, whole=True)


def test_pasted_numbers_may_be_separated_by_anything():
    assert typed.numbers("array([[1.0], [-2e-3],\n 3])") == typed.numbers("1; -0.002 | 3") == typed.numbers("1\t−0.002\n3") == [1, -0.002, 3]
    for text, said in [("", "No number"), ("1, two", "Entry 2, two, is no number"), ("1 nan", "Entry 2 is nan")]:
        with pytest.raises(typed.Refused, match=said):
            typed.numbers(text)


@pytest.mark.parametrize("text, said", [
    ("x if x > 0 else y", "np.where(condition, a, b)"), ("max(x, y)", "np.where"), ("np.sum(x)", "no sums"), ("x > y", "not bool"),
    ("t", "a formula knows x, y and np"), ("1 / np", "unsupported"), ("np.linspace(0, 1, 3)", "one number is wanted")])
def test_what_a_function_of_two_may_not_be_is_told(text, said):
    with pytest.raises(typed.Refused, match=re.escape(said)):
        typed.plane(text)


def saved(folder, name, content):
    path = folder / name
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content)
    return path.read_bytes()


@pytest.mark.parametrize("name, content, column", [
    ("a.npy", np.arange(4.0), 1), ("b.npy", np.arange(6.0).reshape(3, 2), 2), ("c.npy", np.arange(24, dtype=np.float32).reshape(2, 3, 4), 12),
    ("d.csv", b"1\n-2.5\n", 1), ("e.csv", "step,g\r\n1,0.5\r\n2,1e-3\r\n".encode("utf-8-sig"), 2), ("f.txt", b"# a comment\n1 2\n3 4\n", 2),
    ("g.csv", b"1;2\n3;4\n", 2), ("h.csv", b"1\t2\n3\t4\n", 1)])
def test_a_file_and_the_code_that_reads_it_are_the_same_numbers(tmp_path, monkeypatch, name, content, column):
    values, code, note = typed.uploaded(name, saved(tmp_path, name, content), column)
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(eval(code, {"np": np}), values) and f"{len(values)} rows" in note


@pytest.mark.parametrize("name, content, said", [
    ("a.csv", b"", "empty"), ("a.csv", b"a,b\n", "numbers alone"), ("a.csv", b"1\n2\nx\n", "could not convert"), ("a.csv", b"\xff\x00", "neither"),
    ("a.npy", b"abc", "np.save"), ("a.npy", np.array(["a"]), "real numbers"), ("a.npy", np.zeros(0), "a row for each step"),
    ("a.npy", np.array(1.0), "a row for each step"), ("a.csv", b"1\nnan\n", "Row 2"), ("a.csv", b"1,2\n3,\n", "could not convert"),
    ("a.csv", b"1\n2\n", "3 is not one of them")])
def test_a_file_that_cannot_be_read_is_told_in_a_sentence(tmp_path, name, content, said):
    with pytest.raises(typed.Refused, match=said):
        typed.uploaded(name, saved(tmp_path, name, content), 3 if "one of them" in said else 1)


# ---- the widgets ----------------------------------------------------------


@pytest.fixture
def stream():
    return laboratory.Stream()


@pytest.fixture
def plane():
    return laboratory.Plane()


def again(bench):
    """What the copied code makes: its path and its other."""
    space = {}
    exec(bench.text, space)
    return space.get("path"), space.get("other")


def same(bench):
    path, other = again(bench)
    assert np.array_equal(path.theta, bench.path.theta) and np.array_equal(path.t, bench.path.t)
    assert (other is None) == (bench.other is None)
    assert other is None or np.array_equal(other.theta, bench.other.theta)


@pytest.mark.parametrize("rule", laboratory.RULES)
def test_the_copied_code_makes_the_path_of_each_rule_bit_for_bit(stream, plane, rule):
    for bench in stream, plane:
        bench.rules["A"].rule.value = rule
        bench.rules["B"].rule.value = rule
        bench.rules["B"].inside.value = True
        bench.rules["B"].numbers["eps"].text.value = "1e-3"
        bench.rules["B"].numbers["beta2"].text.value = "0.9995"
        same(bench)
        assert "eps_inside=True" in bench.text and "beta2=0.9995" in bench.text
        assert not np.array_equal(bench.path.theta, bench.other.theta)


@pytest.mark.parametrize("correct", ["both", "none", "first", "second"])
def test_the_four_corrections_are_adam_s(stream, correct):
    stream.rules["A"].correct.value = correct
    wanted = run(adam, theta0=[0.0], gradients=np.array(typed.gradients_of(stream.formula.field.value, 1000, 0))[:, None], correct=correct)
    assert np.array_equal(stream.path.theta, wanted.theta)
    same(stream)


@pytest.mark.parametrize("source", ["numbers, pasted", "a curve, drawn", "a file"])
def test_the_copied_code_makes_the_path_of_given_gradients(stream, source, tmp_path, monkeypatch):
    content = saved(tmp_path, "mine.npy", np.random.default_rng(0).standard_normal((30, 2)))
    monkeypatch.chdir(tmp_path)
    stream.source.value = source
    stream.pad.stroke = [[1, 0.3], [200.4, -1.23456], [150, 0.1]]
    if source == "a file":
        assert "No file is chosen yet" in stream.file_says.value
        stream.file.value = ({"name": "mine.npy", "type": "", "size": len(content), "content": content, "last_modified": datetime(2026, 1, 1)},)
        stream.column.field.value = "2"
    same(stream)


def test_what_is_drawn_are_the_gradients(stream):
    stream.source.value = "a curve, drawn"
    stream.pad.stroke = [[10, 1.5], [20, -0.5]]
    assert np.allclose(stream.path.g[10:21, 0], np.linspace(1.5, -0.5, 11), atol=5e-3)
    assert stream.path.g[9, 0] == stream.path.g[21, 0] == 1   # as it was
    stream.pad.stroke = [[30, 1.0], [12, 0.0]]   # to the left
    assert stream.path.g[12, 0] == 0 and stream.path.g[30, 0] == 1
    stream.drawn_steps.field.value = "50"
    assert len(stream.path.t) == 51
    stream.flat.click()
    assert not stream.path.g[1:].any()


@pytest.mark.parametrize("problem", laboratory.Plane.PROBLEMS)
def test_the_copied_code_makes_the_path_in_the_plane(plane, problem):
    plane.problem.value = problem
    plane.picture.stroke = [[0.51234, -0.75678]]
    assert plane.path.theta[0].tolist() == [0.512, -0.757]
    plane.angle.field.value = "30"
    plane.rules["B"].rule.value = "RMSprop"
    same(plane)
    plane.rates.field.value = "0.01, 0.1, 1"
    assert plane.path.theta.shape == (301, 3, 2)
    assert plane.table.value.count("<tr>") == 7
    same(plane)


def test_going_on_is_the_uninterrupted_run(stream, plane):
    stream.formula.field.value, stream.steps.field.value = "np.sin(t)", "300"
    plane.steps.field.value = "150"
    for bench in stream, plane:
        bench.rules["B"].rule.value = "RMSprop"
        half = bench.path.theta
        bench.on.click()
        same(bench)
        assert bench.path.t[0] == len(half) - 1 and np.array_equal(bench.path.theta[0], half[-1])
    g = np.sin(np.arange(1, 601))[:, None]
    assert np.array_equal(stream.path.theta, run(adam, theta0=[0.0], gradients=g).theta[300:])
    assert np.array_equal(stream.other.theta, run(rmsprop, theta0=[0.0], gradients=g, beta2=0.999).theta[300:])
    stream.back.click()
    assert stream.path.t[0] == 0
    same(stream)


def test_a_rule_that_comes_later_goes_on_from_where_the_first_stood(stream):
    stream.on.click()
    stream.rules["B"].rule.value = "RMSprop"
    assert np.array_equal(stream.path.theta[0], stream.other.theta[0])
    same(stream)


@pytest.mark.parametrize("change, where, said", [
    (lambda s: setattr(s.formula.field, "value", "1/(t-3)"), lambda s: s.formula.says, "divides by zero"),
    (lambda s: setattr(s.steps.field, "value", "1e6"), lambda s: s.steps.says, "at most 20000"),
    (lambda s: setattr(s.seed.field, "value", "-1"), lambda s: s.seed.says, "at least 0"),
    (lambda s: setattr(s.rules["A"].numbers["beta1"].text, "value", "1"), lambda s: s.rules["A"].numbers["beta1"].says, "less than 1"),
    (lambda s: setattr(s.rules["A"].numbers["eps"].text, "value", "small"), lambda s: s.rules["A"].numbers["eps"].says, "no number")])
def test_an_error_is_a_sentence_below_its_field_and_goes_when_it_is_mended(stream, change, where, said):
    before = stream.picture.html
    fields = [*stream.rules["A"].numbers.values()]
    was = [f.text.value for f in fields], stream.formula.field.value, stream.steps.field.value, stream.seed.field.value
    change(stream)
    assert said in where(stream).value and "role=\"alert\"" in where(stream).value
    assert "older than the fields" in stream.says.value and stream.picture.html == before and stream.code.html == "" and stream.on.disabled
    for field, value in zip(fields, was[0]):
        field.text.value = value
    stream.formula.field.value, stream.steps.field.value, stream.seed.field.value = was[1:]
    assert where(stream).value == stream.says.value == "" and stream.code.html and not stream.on.disabled


@pytest.mark.parametrize("field, text, said", [
    ("own", "max(x, y)", "np.where"), ("angle", "steep", "no number"), ("x", "", "missing"), ("y", "1e999", "finite"),
    ("window", "1, 0, 0, 1", "Four numbers"), ("steps", "0", "at least 1"), ("rates", "0.1, -1", "at least 0"), ("rates", "a", "no number")])
def test_an_error_in_the_plane_is_a_sentence_below_its_field(plane, field, text, said):
    plane.problem.value = "an own function" if field == "own" else "turned ravine"
    getattr(plane, field).field.value = text
    assert said in getattr(plane, field).says.value and plane.code.html == ""


def test_a_path_that_leaves_the_numbers_is_told(plane):
    plane.problem.value = "an own function"
    plane.own.field.value = "np.exp(x**2) * 1e300 + y"
    plane.picture.stroke = [[2.9, 0.0]]
    assert plane.says.value
    plane.own.field.value = "x**2 + y**2"
    assert plane.says.value == ""


def test_sliders_and_numbers_follow_each_other(stream):
    beta2 = stream.rules["A"].numbers["beta2"]
    beta2.text.value = "0.9995"
    assert beta2.slider.value == pytest.approx(-np.log10(5e-4)) and beta2.text.value == "0.9995"
    beta2.slider.value = 2.0
    assert beta2.text.value == "0.99" and "beta2=0.99," in stream.text
    alpha = stream.rules["A"].numbers["alpha"]
    alpha.slider.value = -1.0
    assert alpha.text.value == "0.1"
    alpha.text.value = "0"   # allowed: nothing moves
    assert not stream.path.theta.any() and stream.says.value == ""


def rows(bench):
    return [[cell.get_text() for cell in row.find_all(["td", "th"])] for row in BeautifulSoup(bench.table.value, "html.parser").find_all("tr")]


def test_the_read_outs_are_the_book_s_numbers(stream):
    stream.formula.field.value = "1"
    stream.rules["A"].numbers["beta2"].text.value = "0.9995"
    stream.rules["A"].numbers["eps"].text.value = "0"
    stream.rules["A"].correct.value = "none"
    stream.rules["B"].rule.value = "RMSprop"
    heads, a, b = rows(stream)
    assert heads[:4] == ["rule", "half-life of m", "of v", "first step"]
    assert a[2] == f"{theory.half_life(0.9995):.4g} steps" and a[3] == f"{theory.startup_ratio(1, 0.9, 0.9995):.4g} α"
    t = np.arange(1, 1001)
    rho = theory.startup_ratio(t, 0.9, 0.9995)
    assert a[4] == f"{rho.max():.4g} α at t = {rho.argmax() + 1}"
    assert b[3] == b[5] == "31.62 α" and b[6] == "100 %"   # (3.8), reached at once


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("correct", ["both", "none", "first", "second"])
def test_no_gradients_exceed_the_bound(seed, correct):
    rng = np.random.default_rng(seed)
    beta1, beta2 = rng.uniform(0, 0.99), rng.uniform(0.3, 0.9999)
    g = rng.standard_normal((200, 50)) * 10.0 ** rng.uniform(-6, 6, (200, 50))
    g[:, 0] = (beta2 / max(beta1, 0.5)) ** np.arange(200.0)   # the worst, (9.3)
    path = run(adam, theta0=np.zeros(50), gradients=g, alpha=1.0, beta1=beta1, beta2=beta2, eps=0.0, correct=correct)
    bound = laboratory.largest("adam", {"beta1": beta1, "beta2": beta2, "correct": correct}, 200)
    quotient = np.abs(path.m_hat[1:] / np.sqrt(path.v_hat[1:]))
    assert quotient.max() <= bound * (1 + 1e-9)


def test_the_start_up_ratio_is_the_step_over_the_corrected_one():
    g, t = np.random.default_rng(1).standard_normal((50, 1)), np.arange(1, 51)
    steps = {c: np.diff(run(adam, theta0=[0.0], gradients=g, eps=0.0, alpha=1.0, correct=c).theta[:, 0])
             for c in ("both", "none", "first", "second")}
    for c, made in steps.items():
        assert np.allclose(made / steps["both"], laboratory.start_up("adam", {"beta1": 0.9, "beta2": 0.999, "correct": c}, t), rtol=1e-9)


def test_a_picture_keeps_every_peak():
    y = np.zeros(5000)
    y[[0, 1234, 4999]] = 1, -7, 9
    x, thin = laboratory.thinned(np.arange(5000.0), y)
    assert len(x) <= 2 * laboratory.MOST_DRAWN and {1.0, -7.0, 9.0} <= set(thin) and np.all(np.diff(x) > 0)


@pytest.mark.parametrize("rule", laboratory.RULES)
def test_the_picture_is_well_formed_and_names_no_infinity(stream, plane, rule):
    for bench in stream, plane:
        bench.rules["A"].rule.value = rule
        for formula in ("0", "1e200", "1e-200 * t") if bench is stream else ("0 * x", "1e150 * x**2 + y"):
            if bench is stream:
                bench.formula.field.value = formula
            else:
                bench.problem.value = "an own function"
                bench.own.field.value = formula
            BeautifulSoup(bench.picture.html, "xml")
            assert not re.search(r"\b(nan|inf)\b", re.sub(r"<text[^>]*>[^<]*</text>", "", bench.picture.html))


def test_the_page_shows_the_way_to_a_kernel_and_the_view_comes_apart(monkeypatch):
    shown, made = [], Laboratory()
    monkeypatch.setattr(laboratory, "display", lambda data, raw: shown.append(data))
    made._ipython_display_()
    assert [set(data) for data in shown] == [{"text/plain", "text/html"}, {laboratory.VIEW}]
    assert shown[0]["text/plain"] == repr(made) and "JupyterLab" in shown[0]["text/html"]
    assert shown[1][laboratory.VIEW]["model_id"] == made.model_id


# ---- what the page says and asks ------------------------------------------

CELLS = {cell.id: cell for cell in nbformat.read(ROOT / "chapters" / "laboratory.ipynb", as_version=4).cells}
BETAS = np.array([0.9, 0.95, 0.98, 0.99, 0.995])   # of the first figure
THINGS = re.findall(r"^\d+\. (.*)$", CELLS["lab-try"].source, re.M)


def ways(rule, gradients, **more):
    """Along 500 given gradients, in units of α: axes t, β₂."""
    return -run(rule, theta0=np.zeros(1), gradients=np.asarray(gradients, float)[:, None, None], alpha=1.0, eps=0.0,
                beta2=BETAS[:, None], **more).theta[..., 0]


def test_a_spike_throws_both_rules_back_whatever_the_memory():
    t = np.arange(1, 501)
    for rule in rmsprop, adam:
        behind = ways(rule, np.ones(500)) - ways(rule, np.where(t == 200, 100.0, 1.0))
        assert (behind[300] > 40).all()


def test_a_long_memory_drifts_less_in_a_late_turn_although_its_start_carries_it_farther():
    gradients = np.where(np.arange(1, 501) % 50 == 0, -49.0, 1.0)
    way = ways(rmsprop, gradients)
    assert (np.diff(way[500] - way[450]) < 0).all() and (np.diff(way[49]) > 0).all()
    assert way[500, 4] > way[500, 1] and way[500, 4] - way[50, 4] < way[500, 1] - way[50, 1]
    level = ways(rmsprop, gradients, v0=np.mean(gradients**2))[500]   # without a start: the long memory is nearer home
    assert (np.diff(level) < 0).all() and level[4] < 5 < 47 < level[1]


def test_there_are_ten_things_to_try():
    assert len(THINGS) == 10


def test_thing_1_the_ways_part_most_for_the_longest_memory_and_at_the_start():
    assert "*Noise around 1*" in THINGS[0]
    g = 1 + 3 * np.random.default_rng(0).standard_normal(500)
    gap = ways(rmsprop, g) - ways(adam, g)
    assert (np.diff(gap[500]) > 5).all() and gap[100, 4] > 0.75 * gap[500, 4]


def test_thing_2_a_nearer_start_needs_a_larger_rate_or_does_not_cross():
    assert "start at (2, 1)" in THINGS[1]
    rates, starts = [0.03, 0.05, 0.1, 0.2, 0.3, 0.5], [2.0, 1.75, 1.5]
    x = run(adam, lambda x: 2 * x + 3 * np.cos(3 * x), np.array(starts)[:, None, None], 150, alpha=np.array(rates)[:, None]).theta[-1, ..., 0]
    assert [[rate for rate, end in zip(rates, ends) if end < 0][:1] for ends in x] == [[0.2], [0.3], []]


def test_thing_3_steps_and_path_do_not_see_the_size_of_the_gradients(stream):
    assert "1000 times as much, then on −0.001 times" in THINGS[2]
    first = stream.path.theta
    for factor in 1000, -0.001:
        stream.formula.field.value = f"{factor} * (1 + 3 * rng.standard_normal())"
        assert np.allclose(np.sign(factor) * stream.path.theta, first, rtol=2e-4, atol=1e-6)


def test_thing_4_without_corrections_the_first_step_is_alpha_at_one_beta2(stream):
    assert "without any correction" in THINGS[3]
    stream.rules["A"].correct.value, first = "none", {}
    for beta2 in "0.9", "0.98", "0.99", "0.995", "0.999":
        stream.rules["A"].numbers["beta2"].text.value = beta2
        first[beta2] = rows(stream)[1][3]
    assert [beta2 for beta2, said in first.items() if said == "1 α"] == ["0.99"]


def test_thing_5_adam_recovers_from_a_spike_in_time_up_to_a_beta2_that_the_slider_has(stream):
    stream.formula.field.value = re.search("`(.*?)`", THINGS[4])[1]
    beta2, back = stream.rules["A"].numbers["beta2"], {}
    for place in 1.7, 1.9, 1.95, 2.0:
        beta2.slider.value = place
        back[beta2.text.value] = -np.diff(stream.path.theta[:, 0])[-1] / 0.001 > 0.9
    assert list(back.values()) == [True, True, False, False] and "0.987" in back


def test_thing_6_rmsprop_climbs_for_short_memories_and_adam_for_none(stream):
    stream.formula.field.value = re.search("`(.*?)`", THINGS[5])[1]
    ends = {}
    for rule in "RMSprop", "Adam":
        stream.rules["A"].rule.value = rule
        for beta2 in "0", "0.4", "0.55", "0.9", "0.999":
            stream.rules["A"].numbers["beta2"].text.value = beta2
            ends[rule, beta2] = stream.path.theta[-1, 0]
    assert [key for key, end in ends.items() if end > 0.01] == [("RMSprop", "0"), ("RMSprop", "0.4")]
    assert all(abs(end) > 0.01 for end in ends.values())


def test_thing_7_two_places_of_epsilon_agree_for_gradients_of_one_size_only(stream):
    assert "A is Adam with ε = 0.001" in THINGS[6]
    stream.rules["A"].numbers["eps"].text.value = "0.001"
    stream.rules["B"].rule.value = "Adam"
    stream.rules["B"].inside.value = True
    apart = {}
    for size in "0.001", "0.0001":
        stream.formula.field.value = f"{size} * rng.standard_normal()"
        for eps in "1e-3", "1e-5", "3e-6", "1e-6":
            stream.rules["B"].numbers["eps"].text.value = eps
            a, b = (np.diff(path.theta[:, 0])[50:] for path in (stream.path, stream.other))
            apart[size, eps] = np.abs(a - b).max() / np.abs(a).max()
    assert apart["0.001", "3e-6"] < 0.03 < 0.3 < min(apart["0.001", "1e-5"], apart["0.001", "1e-6"], apart["0.0001", "3e-6"])


def test_thing_8_turning_the_ravine_lifts_the_end_of_adam_by_ten_decades(plane):
    assert "turned ravine" in THINGS[7]
    plane.problem.value, f = "turned ravine", {}
    for angle in "0", "60", "70":
        plane.angle.field.value = angle
        f[angle] = float(rows(plane)[1][7])
    assert f["0"] < 1e-10 and min(f["60"], f["70"]) > 1


def test_thing_9_a_ramp_behind_silence_comes_nearer_to_the_bound_than_a_jump(stream):
    assert "95 %" in THINGS[8]
    stream.source.value, share = "a curve, drawn", []
    for stroke in [], [[980, 0], [981, 2], [1000, 2]], [[980, 0], [1000, 2]]:   # zeros; a jump; a ramp
        stream.flat.click()
        stream.pad.stroke = stroke
        share.append(float(rows(stream)[1][6].split()[0]) if stroke else 0)
    assert share[0] == 0 and 85 < share[1] < 95 < share[2]


def test_thing_10_adam_ends_low_in_rosenbrocks_valley_if_it_forgets_sooner(plane):
    assert "f below 0.001" in THINGS[9]
    plane.problem.value = "Rosenbrock"
    plane.rates.field.value = "0.05, 0.1, 0.2, 0.3, 0.5, 1"
    default = [float(row[7]) for row in rows(plane)[1:]]
    plane.rules["A"].numbers["beta2"].text.value = "0.99"
    sooner = [float(row[7]) for row in rows(plane)[1:]]
    assert min(default) > 0.001 > 0.0005 > min(sooner)


def test_chapters_lead_to_the_laboratory(html):
    for name in "04_rmsprop_remembers", "07_bias_correction":
        text = (html / "chapters" / f"{name}.html").read_text("utf-8")
        (article,) = re.findall("(?s)<article.*</article>", text)   # without the contents and the links to the next page
        assert 'href="laboratory.html"' in article, name
    page = (html / "chapters" / "laboratory.html").read_text("utf-8")
    assert "descent-way" in page and 'data-name="presets"' in page
