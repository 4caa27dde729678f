"""Write the index of equations, interactive figures, exercises and experiments.

    python book/indices.py              chapters/equations_and_experiments.md
    python book/indices.py --measure    first run all notebooks and note the seconds of each cell

The index is read off the notebooks and the package, so it cannot be out of date
without a test noticing.  Seconds are in book/run_times.json: a cell is found there
by its id, and a cell that is not there takes less than a tenth of a second.
"""

import ast
import asyncio
import html
import io
import json
import platform
import re
import sys
import tempfile
import tokenize
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import nbformat
import yaml

import exercises
import notebooks
from notebooks import ROOT

PAGE = ROOT / "chapters" / "equations_and_experiments.md"
TIMES = ROOT / "book" / "run_times.json"
SHORTEST = 0.3  # seconds: an experiment that is listed

INTRO = """\
# Equations, figures, experiments

What the book has, in reading order, with links.
An instructor can link to each: an equation by its name, a figure with its settings, a section.
"""
EQUATIONS = """
## Equations

Each has a line of code that ends in its name, and a test that fails when the line is changed.
Rules have a letter and stand in `descent.rules`; results have the number of their chapter and stand in `descent.theory`.
"""
FIGURES = """
## Interactive figures

The last column, put behind the address of the page, opens the figure as the page shows it first.
Move a figure, and its settings are in the address of the page.
"""
EXERCISES = """
## Exercises

Each has a check that says what is wrong without saying what is right, unless it is on paper, and a worked solution folded away.
"""
EXPERIMENTS = """
## Experiments and how long they take

Sections whose cells run for at least {shortest} seconds, measured with `python book/indices.py --measure` on {machine}.
All {count} notebooks together take {total:.0f} seconds there, one after the other.
"""


# ---- what the book has ----------------------------------------------------


def pages():
    """(path, title, notebook) of every notebook in the contents, in reading order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    for name in files:
        path = ROOT / f"{name}.ipynb"
        if path.is_file():
            notebook = nbformat.read(path, as_version=4)
            yield path, notebooks.title_of(notebook), notebook


def labelled_lines():
    """{label: (module, function name, where it stands, first line of its docstring, the line of code)}."""
    found = {}
    package = ROOT / "code" / "descent"
    for path in package / "rules.py", *sorted((package / "theory").glob("*.py")):
        module = "rules" if path.stem == "rules" else "theory"
        source = path.read_text("utf-8")
        place = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
        lines = source.splitlines()
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            label = token.type == tokenize.COMMENT and re.fullmatch(r"#\s*\(([^()\s]+)\)", token.string)
            if not label:
                continue
            row = token.start[0]
            function = next(f for f in functions if f.lineno <= row <= f.end_lineno)
            text = (ast.get_docstring(function) or "").split("\n\n")[0]
            found.setdefault(label[1], (module, function.name, place, " ".join(text.split()),
                                        lines[row - 1].split("#")[0].strip()))
    return found


def equation_labels(notebook):
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.findall(r"\$\$(?:(?!\$\$).)*?\$\$[ \t]*\(([^()\s]+)\)", re.sub(r"`[^`\n]*`", "", text), re.S)


def figures(notebook):
    """(name, alternative text, [(control, number of positions, start)]) of each interactive figure."""
    from descent.figures.explore import decode
    for cell in notebook.cells:
        for out in cell.get("outputs", ()):
            page = out.get("data", {}).get("text/html", "")
            if 'class="descent"' not in page:
                continue
            spec = decode(page)
            alt = re.search(r'aria-label="([^"]*)"', page)[1]
            yield spec["name"], alt, [(control, len(labels), labels[at])
                                      for (control, labels), at in zip(spec["controls"].items(), spec["start"])]


def sections(notebook):
    """(heading, cells) for each part of a notebook that begins with `## `."""
    heading, cells = None, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("## "):
                    yield heading, cells
                    heading, cells = line[3:].strip(), []
        cells.append(cell)
    yield heading, cells


def anchor(heading):
    """As MyST makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


# ---- seconds --------------------------------------------------------------


async def _seconds(path, notebook, environment):
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    await notebooks.execute(notebook, path.parent, environment, record_timing=True)
    found = {}
    for cell in notebook.cells:
        times = cell.metadata.get("execution", {})
        if {"iopub.execute_input", "shell.execute_reply"} <= times.keys():
            begin, end = (datetime.fromisoformat(times[key].replace("Z", "+00:00"))
                          for key in ("iopub.execute_input", "shell.execute_reply"))
            if (seconds := round((end - begin).total_seconds(), 1)) >= 0.1:
                found[cell.id] = seconds
    return found


def measure(machine):
    times = {"machine": machine, "python": platform.python_version()}
    with tempfile.TemporaryDirectory() as scratch:
        environment = notebooks.kernel_environment(scratch)
        for path, title, notebook in pages():
            name = path.relative_to(ROOT).as_posix()
            times[name] = asyncio.run(_seconds(path, notebook, environment))
            print(f"{title}: {sum(times[name].values()):.1f} s")
    TIMES.write_text(json.dumps(times, indent=1) + "\n", "utf-8")


# ---- the page -------------------------------------------------------------


def text():
    times = json.loads(TIMES.read_text("utf-8"))
    lines, book = labelled_lines(), list(pages())
    out = [INTRO, EQUATIONS]
    for path, title, notebook in book:
        labels = [label for label in equation_labels(notebook) if label in lines]
        if labels:
            out.append(f"\n### Equations of {_link(path, title)}\n\n| equation | what it says | in the package |\n|---|---|---|\n")
        for label in labels:
            module, function, place, says, code = lines[label]
            says = f"`{code}`" if module == "rules" else says.rstrip(".")
            out.append(f"| {{eq}}`{label}` | {_cell(says)} | {{py:func}}`{module}.{function} <{place}.{function}>` |\n")
    out.append(FIGURES)
    out.append("\n| figure | what can be moved | its address as shown |\n|---|---|---|\n")
    for path, title, notebook in book:
        for name, alt, controls in figures(notebook):
            setting = ",".join(f"{control}={start}" for control, _, start in controls)
            says = re.split(r"(?<=\w)[.:;] ", alt)[0].rstrip(".")
            moves = ", ".join(f"{control} ({positions})" for control, positions, _ in controls)
            out.append(f"| {_link(path, _short(title))}: {_cell(html.unescape(says))} "
                       f"| {_cell(moves)} | `#{_cell(f'{name}:{setting}')}` |\n")
    out.append(EXERCISES)
    out.append("\n| chapter | exercises |\n|---|---|\n")
    for path, title, _ in book:
        if (chapter := exercises.chapter_of(path.name)) in exercises.chapters():
            names = [f"[{one.number} {one.title}](#{one.label}){' (on paper)' * one.on_paper}"
                     for one in exercises.exercises(chapter)]
            out.append(f"| {_short(title)} | {' · '.join(map(_cell, names))} |\n")
    totals, rows = defaultdict(float), []
    for path, title, notebook in book:
        seconds = times.get(path.relative_to(ROOT).as_posix(), {})
        for heading, cells in sections(notebook):
            took = sum(seconds.get(cell.get("id"), 0) for cell in cells)
            totals[title] += took
            if took >= SHORTEST:
                link = _link(path, heading or "the opening", anchor(heading) if heading else "")
                rows.append(f"| {_short(title)} | {link} | {took:.1f} |\n")
    out.append(EXPERIMENTS.format(shortest=SHORTEST, machine=times["machine"], count=len(book),
                                  total=sum(totals.values())))
    out.append("\n| chapter | experiment | seconds |\n|---|---|---:|\n")
    out += rows
    return "".join(out)


def _link(path, words, target=""):
    file = path.name if path.parent.name == "chapters" else f"../{path.name}"
    return f"[{_cell(words)}]({file}{'#' * bool(target)}{target})"


def _short(title):
    number = re.match(r"(\d+) · ", title)
    return f"Chapter {number[1]}" if number else title


def _cell(words):
    return words.replace("|", r"\|")


def main(arguments):
    if arguments[:1] == ["--measure"]:
        measure(" ".join(arguments[1:]) or f"one core of a machine with {platform.machine()} processors")
    elif arguments:
        sys.exit(__doc__)
    PAGE.write_text(text(), "utf-8")
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
