"""Write the student edition: every notebook without its solutions and outputs.

    python book/student.py [folder]      default: student/ (`make student`)

Left out are the cells tagged `solution`, all outputs and execution counts.
Equations carry their names, and references to other pages are links to the book.
The folder holds the notation, and what the notebooks need to run: the package
and its data, and a README that says how to install it.
"""

import shutil
import sys
from pathlib import Path

import nbformat

import address
import notebooks
from notebooks import ROOT
from outside import plain_references

TAG = "solution"

README = """\
# RMSprop and Adam, step by step: student edition

The notebooks of the book, with the exercises and without their solutions.
What a letter means stands in chapters/notation.md.
Needed: Python 3.11, 3.12 or 3.13.

    python -m venv .venv
    .venv/bin/python -m pip install -e ".[notebook]"
    .venv/bin/jupyter lab index.ipynb

On Windows the second and third line begin with `.venv\\Scripts\\python` and
`.venv\\Scripts\\jupyter`.

Run a notebook from the top (Run, Run All Cells).
An exercise is a cell to fill in; the cell below it says what is right, what
is not done yet, and what goes wrong.
"""


def without_solutions(notebook):
    """A copy for students: nothing executed, nothing given away."""
    cells, online = [], address.published()
    for cell in notebook.cells:
        if TAG in cell.metadata.get("tags", ()):
            continue
        cell = nbformat.from_dict(dict(cell))
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = plain_references(cell.source, online)
        cells.append(cell)
    return nbformat.from_dict({**notebook, "cells": cells})


def write(folder):
    """Write the student edition into `folder`, replacing an older one."""
    if folder.exists() and not (folder / ".student-edition").exists():
        raise SystemExit(f"{folder} exists and is not a student edition: "
                         "move it away or name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / ".student-edition").touch()
    for path in notebooks.book_notebooks():
        notebook = nbformat.read(path, as_version=4)
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        text = notebooks.normal_form(
            nbformat.writes(without_solutions(notebook)))
        copy.write_bytes(text.encode())
    letters = (ROOT / "chapters" / "notation.md").read_text("utf-8")
    (folder / "chapters" / "notation.md").write_text(plain_references(letters, address.published()), "utf-8")
    shutil.copytree(ROOT / "code" / "descent", folder / "code" / "descent",
                    ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT / "pyproject.toml", *ROOT.glob("LICENSE*"):
        shutil.copy(path, folder / path.name)
    (folder / "README.md").write_text(README, "utf-8")


def main(arguments):
    if len(arguments) > 1 or any(a.startswith("-") for a in arguments):
        print(__doc__)
        return 2
    folder = Path(arguments[0] if arguments else ROOT / "student")
    write(folder)
    print(f"student edition: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
