"""A test that names an equation fails when the equation's line is changed.

mutants.py makes the changes: every operator, constant, call, comparison and
decay rate in a line labelled ``# (A3)``, one at a time.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mutants

TESTS = Path(__file__).parent
# {label: {changed statement: why it computes the same}}
EQUIVALENT = {}


def measured(folder, report, *options, paths):
    """Run mutants.py as a plugin; its report."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(
        [str(folder), str(TESTS), os.environ.get("PYTHONPATH", "")])}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "mutants",
         "-p", "no:cacheprovider", "-o", "addopts=", "--strict-markers",
         "-W", "ignore::pytest.PytestAssertRewriteWarning",
         f"--mutants-report={report}", *options, *paths],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    assert report.exists(), result.stdout + result.stderr
    return json.loads(report.read_text("utf-8"))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    paths = [path for path in sorted(TESTS.glob("test_*.py"))
             if "mark.equation(" in path.read_text("utf-8")]
    return measured(TESTS.parent, tmp_path_factory.mktemp("mutants") / "report",
                    paths=paths)


@pytest.mark.parametrize("label", mutants.all_lines())
def test_every_change_of_an_equation_is_noticed(report, label):
    entry = report[label]
    assert entry["tests"], f"no test is marked equation({label!r})"
    assert not entry["failing"], "these fail without any change"
    assert entry["mutants"] > 0
    survivors = set(entry["survivors"]) - EQUIVALENT.get(label, {}).keys()
    assert not survivors, "no test marked for this label notices: " + (
        "; ".join(sorted(survivors)))


def test_a_change_is_called_equivalent_only_where_it_survives(report):
    for label, reasons in EQUIVALENT.items():
        assert reasons.keys() <= set(report[label]["survivors"]), label


# ---- the harness itself, on a small module --------------------------------

MODULE = '''
from functools import wraps

def twice(rule):
    @wraps(rule)
    def both(*args, **kwargs):
        return rule(*args, **kwargs)
    return both

@twice
def average(m, g, beta1=0.25, beta2=0.5):
    m = beta1 * m + (1 - beta1) * g  # (X1)
    return m

def power(x):
    """A label in a docstring does not count  (X9)."""
    return x**2  # (X2)

def untested(x):
    return -x  # (X3)
'''
TEST = '''
import pytest
from small import average, power, untested

@pytest.fixture(scope="session")
def computed_once():
    return power(3.0)

@pytest.mark.equation("X1")
@pytest.mark.parametrize("g", [3.0, 5.0])
def test_average(g):
    assert average(3.0, g) == 0.75 + 0.75 * g

@pytest.mark.equation("X2")
def test_power(computed_once):
    assert computed_once == 9.0

@pytest.mark.equation("X3")
def test_weak():
    assert untested(0.0) == 0.0
'''


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.py").write_text(MODULE)
    (folder / "test_small.py").write_text(TEST)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = equation(label)")
    return measured(folder, folder / "report", "--mutants-modules=small",
                    paths=["test_small.py"])


def test_a_strong_test_notices_every_change_through_decorators(small):
    assert small["X1"]["survivors"] == [] and small["X1"]["mutants"] >= 12
    assert len(small["X1"]["tests"]) == 2 and small["X1"]["failing"] == []


def test_fixtures_are_computed_again_for_each_change(small):
    assert small["X2"]["survivors"] == [] and small["X2"]["mutants"] >= 3


def test_a_weak_test_lets_a_change_survive(small):
    assert small["X3"]["survivors"] == ["return x"]


def test_each_operator_is_changed_at_least_once():
    number, = mutants.labels(MODULE)["X1"]
    line = mutants.labelled_line("small", ast.parse(MODULE), number)
    texts = {text for text, _ in mutants.mutants(line)}
    assert {"m = beta1 * m - (1 - beta1) * g", "m = beta1 / m + (1 - beta1) * g",
            "m = beta1 * m + (1 + beta1) * g", "m = beta1 * m + (1 - beta1) / g",
            "m = beta2 * m + (1 - beta1) * g",
            "m = beta1 * m + (2 - beta1) * g"} <= texts
