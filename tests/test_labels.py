"""Every equation of the book is a line of code, and has a test.

An equation on a page is ``$$ ... $$ (A3)``; its line of code ends in
``# (A3)``; its test is marked ``equation("A3")``.
"""

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

import mutants
import notebooks

# Labels on a page without a line of code: {label: why}.  They have tests.
NO_CODE = {}
# Lines of code whose chapter is not written yet: {label: chapter}.
WAITING = {
}


def page_labels(text):
    """The labels of the equations in Markdown text."""
    text = re.sub(r"`[^`\n]*`", "", text)  # code spans talk about labels
    return (re.findall(r"\$\$(?:(?!\$\$).)*?\$\$[ \t]*\(([^()\s]+)\)", text, re.S)
            + re.findall(r"\{math\}[^\n]*\n(?:\s*:[\w-]+:[^\n]*\n)*?"
                         r"\s*:label: (\S+)", text))


def page_references(text):
    """The labels cited as {eq}`A3` or {eq}`the mean <A3>`."""
    return [found[1] or found[0] for found in
            re.findall(r"\{eq\}`(?:([^`<]+)|[^`]*<([^`>]+)>)`", text)]


@pytest.fixture(scope="module")
def pages():
    """{file name: text of its Markdown cells}, for notebooks and text pages."""
    found = {}
    for path in notebooks.book_notebooks():
        cells = nbformat.read(path, as_version=4).cells
        found[path.name] = "\n\n".join(
            cell.source for cell in cells if cell.cell_type == "markdown")
    for path in (notebooks.ROOT / "chapters").glob("*.md"):
        found[path.name] = path.read_text("utf-8")
    return found


@pytest.fixture(scope="module")
def on_pages(pages):
    return Counter(label for text in pages.values()
                   for label in page_labels(text))


@pytest.fixture(scope="module")
def in_code():
    return mutants.all_lines()


@pytest.fixture(scope="module")
def in_tests():
    """{label: number of marks}, read from the source of the tests."""
    found = Counter()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (
                    ast.unparse(node.func) == "pytest.mark.equation"):
                found.update(arg.value for arg in node.args)
    return found


def test_a_label_stands_on_one_page_only(on_pages):
    assert [label for label, n in on_pages.items() if n > 1] == []


def test_every_equation_is_a_line_of_code(on_pages, in_code):
    assert on_pages.keys() - in_code.keys() == NO_CODE.keys()


def test_every_line_of_code_is_an_equation_of_the_book(on_pages, in_code):
    missing = in_code.keys() - on_pages.keys() - WAITING.keys()
    assert not missing, f"no page has the equations {sorted(missing)}"


def test_no_line_waits_for_a_chapter_that_is_there(on_pages, in_code):
    assert not WAITING.keys() & on_pages.keys(), "shorten WAITING"
    assert WAITING.keys() <= in_code.keys(), "WAITING names what no line has"


def test_every_equation_has_a_test(on_pages, in_code, in_tests):
    untested = (on_pages.keys() | in_code.keys()) - in_tests.keys()
    assert not untested, f"no test is marked for {sorted(untested)}"


def test_no_test_is_marked_for_an_equation_that_does_not_exist(
        on_pages, in_code, in_tests):
    assert in_tests.keys() <= on_pages.keys() | in_code.keys()


def test_every_reference_to_an_equation_resolves(pages, on_pages):
    for name, text in pages.items():
        unknown = set(page_references(text)) - on_pages.keys()
        assert not unknown, f"{name} cites {sorted(unknown)}"


def test_a_labelled_line_is_in_the_docstring_of_its_function(in_code):
    """Someone who asks for help(rmsprop) sees the equation and its label."""
    for label, lines in in_code.items():
        for line in lines:
            module = importlib.import_module(line.module)
            text = getattr(module, line.function.name).__doc__ or ""
            if line.function.name != "root":  # (R3), which rules share
                assert f"({label})" in text, f"{line.function.name}: {label}"


def test_labels_are_found_in_every_form():
    text = ("$$\na\n$$ (R1)\n\n$$ b $$ (3.2)\n\n$$ no label $$\n\n(A9)\n\n"
            "```{math}\n:label: M1\nc\n```\nwritten `$$ x $$ (Z1)`, "
            "see {eq}`R1` and {eq}`the mean <3.2>`")
    assert page_labels(text) == ["R1", "3.2", "M1"]
    assert page_references(text) == ["R1", "3.2"]
    assert mutants.labels("x = 1  # (R1)\ny = 2  # see (R2)\n'''# (R3)'''\n"
                          "z = 3  # (3.10)\n") == {"R1": [1], "3.10": [4]}
