"""The form of the book's notebooks, and the tools that keep it.

That every cell prints what is stored is proved by nbval, with conftest.py.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import (new_code_cell, new_markdown_cell, new_notebook,
                         new_output)

import address
import notebooks

PATHS = notebooks.book_notebooks()
# Cells that nbval does not compare, or not fully.  Each is an exception that
# somebody decided on: whoever adds one changes this number and says why here.
EXCEPTIONS = 0
EXCEPTION_TAGS = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception",
                  "raises-exception", "pytest-validate-ignore-output"}
FOLDED = {"hide-input", "hide-cell", "solution"}
CORRECT = re.compile(r": correct$", re.M)
MOST_LINES, MOST_LINES_FOLDED, MOST_COLUMNS = 10, 15, 79
FORBIDDEN = re.compile(r"\b(simply|obviously|easy to see|"
                       r"just(?! (before|after|above|below|as)))\b", re.I)


def name_of(path):
    return path.stem


@pytest.fixture(params=PATHS, ids=name_of)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    """(number in the file, cell) for every code cell."""
    return [(i, cell) for i, cell in enumerate(notebook.cells)
            if cell.cell_type == "code"]


def prose(notebook):
    """(number in the file, line) for every line outside code and quotations."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        fence = None
        for line in cell.source.splitlines():
            opening = re.match(r"\s*(```+)\s*(.*)", line)
            if fence and line.strip() == fence:
                fence = None
            elif not fence and opening and not opening[2].startswith("{"):
                fence = opening[1]  # code; a directive such as {note} is prose
            elif not fence and not line.lstrip().startswith(">"):
                yield number, line


def printed(notebook):
    """(number in the file, text) of everything that cells print or show."""
    for number, cell in code_cells(notebook):
        for out in cell.outputs:
            if out.output_type == "stream":
                yield number, out.text
            elif "data" in out:
                yield number, out.data.get("text/plain", "")


def tags(cell):
    return set(cell.metadata.get("tags", ()))


# ---- every notebook -------------------------------------------------------


def test_a_notebook_is_executed_and_in_normal_form(path):
    assert notebooks.check(path) == []


def test_cells_ran_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for _, cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_code_cells_are_short_and_narrow(notebook):
    for number, cell in code_cells(notebook):
        lines = cell.source.splitlines()
        most = MOST_LINES_FOLDED if tags(cell) & FOLDED else MOST_LINES
        assert len(lines) <= most, f"cell {number} has {len(lines)} lines"
        for line in lines:
            assert len(line) <= MOST_COLUMNS, f"cell {number}: {line}"


def test_a_picture_says_what_is_seen(notebook):
    said = [(n, notebooks.alternative_text(cell))
            for n, cell in code_cells(notebook)
            if any("image/png" in out.get("data", {}) for out in cell.outputs)]
    # the same where a front end or an export shows the stored picture itself
    said += [(n, out.metadata.get("image/png", {}).get("alt", "")) for n, cell in code_cells(notebook)
             for out in cell.outputs if "image/png" in out.get("data", {})]
    # and where a builder takes the picture in place of the page
    said += [(n, cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")) for n, cell in code_cells(notebook)
             if any("image/png" in out.get("data", {}) for out in cell.outputs)]
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            said += [(number, alt) for alt in
                     re.findall(r"!\[(.*?)\]\(", cell.source)]
            said += [(number, re.search(r":alt: (.*)|$", body)[1] or "")
                     for body in re.findall(r"\{(?:figure|image)\}([^`]*)",
                                            cell.source)]
    for number, alt in said:
        assert len(alt) >= 20, f"cell {number}: alternative text {alt!r}"
        assert not re.search(r"\.(png|svg|jpe?g)\b", alt), f"cell {number}"


def test_printed_numbers_have_at_most_six_digits(notebook):
    number = re.compile(r"(?<![\w.])(\d+\.\d*|\.\d+|\d+(?=[eE]))"
                        r"(?:[eE][-+]?\d+)?")
    for cell, text in printed(notebook):
        for found in number.finditer(text):
            digits = found[1].replace(".", "").lstrip("0")
            assert len(digits) <= 6, f"cell {cell} prints {found[0]}"


def test_outputs_have_no_addresses_paths_or_warnings(notebook):
    for number, text in printed(notebook):
        assert not re.search(r"\b0x[0-9a-f]{6}", text), f"cell {number}: {text}"
        assert not re.search(r"(?<![\w.:<])/[\w.-]+/[\w./-]+|\b[A-Z]:\\", text), (
            f"cell {number} prints a path: {text}")
    for number, cell in code_cells(notebook):
        assert not [out.text for out in cell.outputs
                    if out.get("name") == "stderr"], f"cell {number} warns"


def test_no_cell_measures_time(notebook):
    for number, cell in code_cells(notebook):
        assert not re.search(r"\b(perf_counter|timeit|import time|datetime)\b|"
                             r"^%%?time", cell.source, re.M), f"cell {number}"


def test_the_first_cell_installs_the_package_on_colab_and_nowhere_else(notebook):
    first = notebook.cells[0]
    assert first.id == "colab" and "remove-cell" in first.metadata.tags
    assert first.source.index("google.colab") < first.source.index("%pip")
    url, branch = address.repository()
    assert f'"git+{url}@{branch}"' in first.source
    assert first.outputs == []


def test_a_fork_finds_its_own_address_in_the_first_cell(monkeypatch):
    monkeypatch.setattr(address, "repository",
                        lambda: ("https://github.com/a/fork", "main"))
    before = nbformat.read(PATHS[0], as_version=4)
    after = notebooks.with_colab_cell(before)
    assert "git+https://github.com/a/fork@main" in after.cells[0].source
    assert after.cells[1:] == before.cells[1:]
    assert notebooks.with_colab_cell(after) == after
    assert any("Colab" in problem for problem in notebooks.check(PATHS[0]))


def test_a_notebook_has_one_title(notebook):
    titles = [line for _, line in prose(notebook) if re.match("# ", line)]
    assert len(titles) == 1
    assert notebook.cells[1].source.splitlines()[0] == titles[0]


def test_prose_does_not_belittle(notebook):
    lines = list(prose(notebook))
    for number, cell in code_cells(notebook):
        text = json.dumps(cell.metadata.get("mystnb", {}), ensure_ascii=False)
        lines.append((number, text))
    for number, line in lines:
        assert not FORBIDDEN.search(line), f"cell {number}: {line}"


# ---- exercises ------------------------------------------------------------


def exercises(notebook):
    """{label: (options, code cells of the exercise, cells of its solution)}.

    Both lists end where the next exercise or solution begins.
    """
    found, label, part = {}, None, None
    for cell in notebook.cells:
        source = cell.source if cell.cell_type == "markdown" else ""
        begun = re.search(r"\{exercise\}.*\n:label: (\S+)", source)
        solved = re.search(r"\{solution-start\} (\S+)", source)
        if begun:
            assert not solved, f"{begun[1]}: its solution needs its own cells"
            label, part = begun[1], 1
            found[label] = (source, [], [])
        elif solved:
            label, part = solved[1], 2
            assert label in found, f"solution of unknown exercise {label}"
        if label:
            found[label][part].append(cell)
        if "{solution-end}" in source:
            label = None
    return found


def test_an_exercise_has_a_skeleton_and_a_solution(notebook):
    """On paper (`:class: on-paper`) it needs no skeleton."""
    for label, (source, asked, solved) in exercises(notebook).items():
        assert solved, f"{label} has no solution"
        assert "{solution-end}" in solved[-1].source, label
        skeletons = [cell for cell in asked if "exercise" in tags(cell)]
        assert skeletons or ":class: on-paper" in source, (
            f"{label} has no code cell tagged exercise")


def test_solutions_are_tagged_and_folded(notebook):
    for label, (_, asked, solved) in exercises(notebook).items():
        assert all("solution" in tags(cell) for cell in solved), label
        assert not any("solution" in tags(cell) for cell in asked), label
        assert ":class: dropdown" in solved[0].source, label
        # a heading between the gates stops the build
        assert not any(cell.cell_type == "markdown" and
                       re.search(r"^#+ ", cell.source, re.M)
                       for cell in solved), label
    inside = [id(c) for e in exercises(notebook).values() for c in e[2]]
    for number, cell in enumerate(notebook.cells):
        assert "solution" not in tags(cell) or id(cell) in inside, (
            f"cell {number} is tagged solution, but stands outside the gates")


def test_a_skeleton_is_not_done_yet_and_its_solution_is_correct(notebook):
    for label, (_, asked, solved) in exercises(notebook).items():
        if not any("exercise" in tags(cell) for cell in asked):
            continue
        before = shown(asked)
        assert "not done yet" in before and not CORRECT.search(before), label
        after = len(CORRECT.findall(shown(solved)))
        assert after >= before.count("not done yet"), label


def shown(cells):
    return "".join(out.get("text", "") for cell in cells
                   if cell.cell_type == "code" for out in cell.outputs)


# ---- the book as a whole --------------------------------------------------


def test_exceptions_from_strict_comparison_are_counted():
    count = 0
    for path in PATHS:
        for _, cell in code_cells(nbformat.read(path, as_version=4)):
            count += bool(tags(cell) & EXCEPTION_TAGS)
            count += len(re.findall("NBVAL_|PYTEST_VALIDATE_", cell.source))
    assert count == EXCEPTIONS


def test_labels_of_exercises_differ():
    labels = [label for path in PATHS for label in
              exercises(nbformat.read(path, as_version=4))]
    assert len(labels) == len(set(labels))


# ---- the tools ------------------------------------------------------------

FIGURE = """\
import matplotlib.pyplot as plt
import numpy as np
from descent.figures.explore import explore
x, a = np.linspace(0, 1, 5), np.linspace(1, 2, 20)
fig, ax = plt.subplots()
line, = ax.plot(x, x)
explore(fig, {"a": a}, {line: a[:, None] * x}, alt="a line that turns")"""


def written(path, *cells):
    path.write_text(nbformat.writes(new_notebook(cells=list(cells))), "utf-8")
    return path


def refresh(*arguments, **environment):
    return subprocess.run(
        [sys.executable, notebooks.ROOT / "book" / "notebooks.py", *arguments],
        capture_output=True, encoding="utf-8", env={**os.environ, **environment})


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    """Three small notebooks, executed, and a copy of the tools beside them: the first one's path and content, what was said."""
    folder = tmp_path_factory.mktemp("book")
    for tool in ("conftest.py", "book/notebooks.py", "book/address.py",
                 "tests/nbval_sanitize.cfg"):
        (folder / tool).parent.mkdir(exist_ok=True)
        shutil.copy(notebooks.ROOT / tool, folder / tool)
    path = written(
        folder / "small.ipynb",
        new_markdown_cell("# Title  \n", id="kept"),
        new_code_cell("import sys\nprint('a', end='')\n"
                      "print('!', file=sys.stderr)\nprint('b')",
                      metadata={"tags": [], "scrolled": True}),
        new_code_cell(FIGURE), new_code_cell(""),
        new_code_cell("plt.plot(x)\nplt.show()",
                      metadata={"mystnb": {"image": {"alt": "rising"}}}),
        new_code_cell(FIGURE))
    written(folder / "where.ipynb", new_code_cell("import sys\nprint(sys.prefix)"))
    bad = written(folder / "bad.ipynb", new_markdown_cell("# Title"),
                  new_code_cell("1 / 0", id="culprit")).read_bytes()
    spec = folder / "kernels" / "python3" / "kernel.json"   # a user's own
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["false"], "language": "python",
                                "display_name": "Python 3"}))
    once = refresh(path, path.with_name("where.ipynb"), path.with_name("bad.ipynb"), JUPYTER_PATH=str(folder))
    assert once.returncode == 1, once.stderr
    assert path.with_name("bad.ipynb").read_bytes() == bad
    return path, path.read_bytes(), once


def test_refreshing_twice_changes_nothing(refreshed):
    path, content, _ = refreshed
    twice = refresh(path)
    assert twice.returncode == 0, twice.stderr
    assert path.read_bytes() == content
    assert notebooks.main(["--check", str(path)]) == 0


def test_normal_form_has_only_what_a_reader_needs(refreshed):
    notebook = json.loads(refreshed[1])
    assert notebook["metadata"] == notebooks.METADATA
    title, prints, figure, picture, _ = notebook["cells"]
    assert title["id"] == "kept" and title["source"] == ["# Title"]
    assert prints["metadata"] == {}
    assert sorted((o["name"], o["text"]) for o in prints["outputs"]) == [
        ("stderr", ["!\n"]), ("stdout", ["ab\n"])]
    assert sorted(figure["outputs"][0]["data"]) == ["image/png", "text/html", "text/plain"]
    png = base64.b64decode(picture["outputs"][0]["data"]["image/png"])
    assert b"tEXt" not in png and b"IDAT" in png
    assert refreshed[1].endswith(b"}\n") and b"\\u" not in refreshed[1]


def test_ids_do_not_depend_on_chance():
    cells = [{"cell_type": "markdown", "metadata": {}, "source": "same"}] * 2
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4,
                       "nbformat_minor": 4})
    ids = [cell["id"] for cell in json.loads(notebooks.normal_form(text))["cells"]]
    assert len(set(ids)) == 2
    assert notebooks.normal_form(text) == notebooks.normal_form(text)


def test_a_failing_cell_is_named_and_its_file_left_alone(refreshed):
    path, _, once = refreshed
    for word in str(path.with_name("bad.ipynb")), "cell 1", "culprit", "ZeroDivisionError", "1 / 0":
        assert word in once.stderr
    assert "small.ipynb" not in once.stderr and "where.ipynb" not in once.stderr


def test_a_kernel_is_this_python_whatever_is_registered(refreshed):
    """A user's own kernel called python3 must not run the book."""
    out = nbformat.read(refreshed[0].with_name("where.ipynb"), as_version=4).cells[0].outputs[0].text
    assert Path(out.strip()) == Path(sys.prefix)


def test_what_nbval_would_pass_over_is_named(refreshed):
    view = "application/vnd.jupyter.widget-view+json"
    faults = {
        "not executed": lambda n: n.cells[1].update(execution_count=None),
        "ends in ;": lambda n: n.cells[3].update(source="plt.plot(x);"),
        "without alternative text": lambda n: n.cells[3].metadata.clear(),
        "widget view": lambda n: n.cells[2].outputs[0].data.update({view: {}}),
        "widget state": lambda n: n.metadata.update(widgets={}),
    }
    for complaint, spoil in faults.items():
        notebook = nbformat.reads(refreshed[1].decode(), as_version=4)
        assert notebooks.blind_spots(notebook) == []
        spoil(notebook)
        problems = notebooks.blind_spots(notebook)
        assert len(problems) == 1 and complaint in problems[0]


def altered(html, change):
    """The page of a figure with one coordinate of one position changed."""
    payload = re.search(r'"base64,([A-Za-z0-9+/=]+)"', html)[1]
    header, _, planes = zlib.decompress(base64.b64decode(payload)).partition(b"\n")
    planes = bytearray(planes)
    planes[len(planes) // 2 - 1] += change  # low byte of the last number
    data = zlib.compress(header + b"\n" + bytes(planes))
    return html.replace(payload, base64.b64encode(data).decode())


def test_a_figure_may_differ_by_one_quantum_only(refreshed):
    notebook = nbformat.reads(refreshed[1].decode(), as_version=4)
    outputs = notebook.cells[2].outputs
    html = outputs[0].data["text/html"]
    for change, allowed in ((0, True), (1, True), (2, False)):
        other = [new_output("display_data",
                            {"text/html": altered(html, change)})]
        verdict = notebooks.figure_difference(outputs, other)
        assert (verdict is None) is allowed, verdict
    assert notebooks.figure_difference(outputs, []) is not None


def test_nbval_compares_the_numbers_of_a_figure_and_refuses_widget_state(refreshed):
    """Of two figures one is changed; another notebook stores what nbval would pass over."""
    path, content, _ = refreshed
    notebook = nbformat.reads(content.decode(), as_version=4)
    path.with_name("refused.ipynb").write_text(nbformat.writes(nbformat.from_dict(
        {**notebook, "metadata": {**notebook.metadata, "widgets": {}}})), "utf-8")
    data = notebook.cells[4].outputs[0].data
    data["text/html"] = altered(data["text/html"], 5)
    path.with_name("changed.ipynb").write_text(nbformat.writes(notebook), "utf-8")
    (path.parent / "none.ini").write_text("[pytest]\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--color=no", "--nbval",
         "--nbval-current-env", "--rootdir", path.parent, "-c", path.with_name("none.ini"),
         "--nbval-sanitize-with=tests/nbval_sanitize.cfg",
         "--continue-on-collection-errors", "changed.ipynb", "refused.ipynb"],
        cwd=path.parent, capture_output=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(notebooks.ROOT / "code")})
    assert "1 failed, 3 passed, 1 error" in result.stdout, result.stdout
    assert "of artist 0 changed" in result.stdout and "widget state" in result.stdout


def test_code_is_a_source_root_and_never_a_package():
    """A package called `code` would shadow the standard library's module."""
    assert not (notebooks.ROOT / "code" / "__init__.py").exists()
