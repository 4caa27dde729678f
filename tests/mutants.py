"""Change every labelled line of code, one small change at a time.

A pytest plugin that test_mutations.py starts in a process of its own:

    pytest -p mutants --mutants-report report.json tests/...

It collects the tests marked ``equation("A3")`` once.  For every mutant of the
line that ends in ``# (A3)`` it puts the changed code into the living function
(a function's ``__code__`` can be replaced, so whoever imported the function
runs the change) and runs the tests of this label until one fails.  A mutant
that no test notices has survived.
"""

import ast
import copy
import importlib
import inspect
import io
import json
import pkgutil
import re
import signal
import time
import tokenize
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from descent import theory

MODULES = ("descent.rules", *(f"descent.theory.{found.name}" for found in pkgutil.iter_modules(theory.__path__)))
SECONDS = 20  # a mutant that makes a test run longer is noticed

SWAPPED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Pow: ast.Mult, ast.Mod: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt,
    ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.And: ast.Or, ast.Or: ast.And,
}
RENAMED = {"beta1": "beta2", "beta2": "beta1", "maximum": "minimum",
           "minimum": "maximum", "sum": "mean", "mean": "sum",
           "sqrt": "square", "log": "exp", "exp": "log", "cumsum": "cumprod"}
SYMMETRIC = {"maximum", "minimum"}


# ---- labels in code -------------------------------------------------------


def labels(source):
    """{label: [line numbers]} of the lines that end in ``# (label)``."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        match = token.type == tokenize.COMMENT and re.fullmatch(
            r"#\s*\(([^()\s]+)\)", token.string)
        if match:
            found.setdefault(match[1], []).append(token.start[0])
    return found


@dataclass
class Line:
    """A labelled statement in its function."""

    module: str
    function: ast.FunctionDef
    statement: ast.stmt


def labelled_line(module, tree, number):
    """The function and the innermost statement that line `number` is in."""
    function = statement = None
    for node in ast.walk(tree):  # outer nodes come first
        if isinstance(node, ast.stmt) and (
                node.lineno <= number <= node.end_lineno):
            statement = node
            if isinstance(node, ast.FunctionDef):
                function = node
    if function not in tree.body:
        raise ValueError(f"{module}, line {number}: a labelled line must stand "
                         "in a function at the top level of the module")
    return Line(module, function, statement)


# ---- mutants --------------------------------------------------------------


def mutations(node, parameters):
    """Each small change of one node: a new node."""
    def changed(**fields):
        new = copy.deepcopy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return new

    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPPED:
        yield changed(op=SWAPPED[type(node.op)]())
        if isinstance(node, ast.BinOp):
            yield node.left
            yield node.right
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        yield changed(ops=[SWAPPED[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield changed(value=not node.value)
        elif isinstance(node.value, (int, float)):
            yield changed(value=node.value + 1)
        elif isinstance(node.value, str):
            yield changed(value=node.value + "x")
    elif isinstance(node, ast.Name) and node.id in RENAMED and (
            RENAMED[node.id] in parameters):
        yield changed(id=RENAMED[node.id])
    elif isinstance(node, ast.Attribute) and node.attr in ("m", "v"):
        yield changed(attr="v" if node.attr == "m" else "m")
    elif isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", None))
        if called in RENAMED:
            new = copy.deepcopy(node)
            new.func.attr = RENAMED[called]
            yield new
        if len(node.args) == 1 and called not in ("sum", "mean"):
            yield node.args[0]
        elif len(node.args) > 1 and called not in SYMMETRIC:
            first, second, *rest = node.args
            yield changed(args=[second, first, *rest])


def places(node, path=()):
    """(path, child) of every expression below `node`, outer ones first."""
    for name, value in ast.iter_fields(node):
        for index, child in (enumerate(value) if isinstance(value, list)
                             else [(None, value)]):
            if isinstance(child, ast.expr):
                yield (*path, (name, index)), child
                yield from places(child, (*path, (name, index)))
            elif isinstance(child, ast.AST) and not isinstance(
                    child, (ast.expr_context, ast.operator)):
                yield from places(child, (*path, (name, index)))


def replaced(tree, path, new):
    """A copy of `tree` with the node at `path` replaced by `new`."""
    tree = copy.deepcopy(tree)
    node = tree
    for name, index in path[:-1]:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
    name, index = path[-1]
    if index is None:
        setattr(node, name, copy.deepcopy(new))
    else:
        getattr(node, name)[index] = copy.deepcopy(new)
    return tree


def mutants(line):
    """(changed statement as text, changed function's code) of a Line."""
    parameters = {a.arg for a in ast.walk(line.function)
                  if isinstance(a, ast.arg)}
    original, seen = ast.unparse(line.statement), set()
    for path, node in places(line.statement):
        for new in mutations(node, parameters):
            statement = replaced(line.statement, path, new)
            text = ast.unparse(statement)
            if text not in seen | {original}:
                seen.add(text)
                yield text, compiled(line.function, line.statement, statement)


def compiled(function, old, new):
    """The code of `function` with the statement `old` replaced by `new`."""
    class Replace(ast.NodeTransformer):
        def visit(self, node):
            return new if node is old else super().generic_visit(node)

    marked = copy.copy(function)
    marked.decorator_list = []
    memo = {id(old): old}  # deepcopy keeps the old statement itself
    marked = Replace().visit(copy.deepcopy(marked, memo))
    module = ast.fix_missing_locations(ast.Module([marked], []))
    code = compile(module, f"<mutant of {function.name}>", "exec")
    return next(c for c in code.co_consts if inspect.iscode(c)
                and c.co_name == function.name)


@contextmanager
def living(line, code):
    """The module's function runs `code` inside this block."""
    function = inspect.unwrap(getattr(importlib.import_module(line.module),
                                      line.function.name))
    before = function.__code__
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = before


def all_lines(modules=MODULES):
    """{label: [Line, ...]} of the modules."""
    found = {}
    for name in modules:
        source = Path(importlib.import_module(name).__file__).read_text("utf-8")
        tree = ast.parse(source)
        for label, numbers in labels(source).items():
            found.setdefault(label, []).extend(
                labelled_line(name, tree, number) for number in numbers)
    return found


# ---- the plugin -----------------------------------------------------------


def pytest_addoption(parser):
    parser.addoption("--mutants-report", metavar="FILE", type=Path)
    parser.addoption("--mutants-modules", default=",".join(MODULES))


def pytest_configure(config):
    from hypothesis import Phase, settings
    # a counterexample will do, it need not be a small one nor a rare one
    settings.register_profile(
        "mutants", phases=[Phase.explicit, Phase.generate], derandomize=True,
        database=None, deadline=None, max_examples=20)
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items):
    items[:] = [item for item in items
                if item.get_closest_marker("equation")]


class TooLong(BaseException):
    pass


def notices(item):
    """Does the test fail?"""
    state = item.session._setupstate
    item._initrequest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state.setup(item)
            item.runtest()
    except (Exception, TooLong):
        return True
    except BaseException as outcome:  # pytest.fail and pytest.skip
        if type(outcome).__name__ not in ("Failed", "Skipped"):
            raise
        return type(outcome).__name__ == "Failed"
    finally:
        state.teardown_exact(None)
    return False


def pytest_runtestloop(session):
    if session.testsfailed:
        raise session.Failed("the tests could not be collected")

    def too_long(*_):
        raise TooLong

    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, too_long)
    tests, seconds = {}, {}
    for item in session.items:
        for mark in item.iter_markers("equation"):
            for label in mark.args:
                tests.setdefault(label, []).append(item)
    report = {}
    modules = session.config.option.mutants_modules.split(",")
    for label, lines in all_lines(modules).items():
        entry = {"tests": [], "failing": [], "mutants": 0, "survivors": []}
        report[label] = entry
        for item in tests.get(label, ()):
            entry["tests"].append(item.nodeid)
            begin = time.perf_counter()
            if notices(item):
                entry["failing"].append(item.nodeid)
            seconds[item] = time.perf_counter() - begin
        begin = time.perf_counter()
        for line in lines:
            for text, code in mutants(line):
                entry["mutants"] += 1
                with living(line, code):
                    if not any(noticed_in_time(item) for item in sorted(
                            tests.get(label, ()), key=seconds.get)):
                        entry["survivors"].append(text)
        entry["seconds"] = round(time.perf_counter() - begin, 3)
    session.config.option.mutants_report.write_text(
        json.dumps(report, indent=1, ensure_ascii=False), "utf-8")
    return True


def noticed_in_time(item):
    if not hasattr(signal, "SIGALRM"):
        return notices(item)
    signal.alarm(SECONDS)
    try:
        return notices(item)
    finally:
        signal.alarm(0)
