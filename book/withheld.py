"""The book without its solutions: what `SOLUTIONS=none` and the course material are made of.

    python book/withheld.py      `make book SOLUTIONS=none`, into _build/without-solutions/html

Nothing that Sphinx, the search, a download or a copy for the browser could show is there to be shown: the
solutions are taken out of a copy of the sources, and the book is built from that copy.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "without-solutions" / "html"
SOURCES = ["_config.yml", "_toc.yml", "index.ipynb", "chapters", "book"]
TAG = "solution"
# Sentences about solutions, and what stands in their place: the first one tells the reader.
SENTENCES = [
    ("chapters/contents.md", "An exercise has its solution folded away below it.", "This edition leaves out the solutions."),
    ("chapters/equations_and_experiments.md", "unless it is on paper, and a worked solution folded away.",
     "unless it is on paper."),
]


def without_solutions(notebook):
    """The notebook without the cells that are tagged `solution`."""
    return nbformat.from_dict({**notebook, "cells": [
        cell for cell in notebook.cells if TAG not in cell.metadata.get("tags", ())]})


def write_sources(folder):
    """Copy what the book is built from into `folder`, without solutions."""
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    for path in [folder / "index.ipynb", *(folder / "chapters").glob("*.ipynb")]:
        nbformat.write(without_solutions(nbformat.read(path, as_version=4)), path)
    for name, says, instead in SENTENCES:
        text = (folder / name).read_text("utf-8")
        if says not in text:
            raise SystemExit(f"{name} has no sentence {says!r} any more: "
                             "change SENTENCES in book/withheld.py, so that the edition without solutions says what is true")
        (folder / name).write_text(text.replace(says, instead), "utf-8")


def build(folder, *options):
    """Build the book from the sources in `folder`; stops where that fails."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going", *options]
    if subprocess.run(command, cwd=folder).returncode:
        raise SystemExit("The book does not build; see the messages above.")


def main(arguments):
    if arguments:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        write_sources(scratch)
        build(scratch)
        shutil.rmtree(SITE, ignore_errors=True)
        SITE.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(scratch / "_build" / "html", SITE)
    print(f"The book without its solutions: {SITE}")


if __name__ == "__main__":
    main(sys.argv[1:])
