"""The exercises of the book, as the course kit needs them: one mechanism for problem sets, keys, tables and slides.

An exercise's words, skeleton, check and solution are read from its chapter's notebook; what an instructor
needs besides (points, minutes, level, outcome, rubric) stands in exercises.toml beside this file.
"""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "course")]

TABLE = Path(__file__).with_name("exercises.toml")
LEVELS = ("number", "code", "bug", "experiment", "proof")


@dataclass(frozen=True)
class Exercise:
    """One exercise of the book.

    chapter : "7", or "F" for the page about frameworks
    number : "7.1", as the book prints it
    label, title : "ex-right-by-accident", "Right by accident"
    on_paper : a proof, a calculation or an essay, without a check
    statement : its words, Markdown as in the book
    skeleton : source of the cell to fill in, or "" on paper
    checks : sources of the cells between the skeleton and the solution
    solution : the cells of the solution without the gates, (cell type, source)
    points : all that can be had, `words` of them for what a person reads (a proof, reasons)
    minutes, level, outcome, rubric : from exercises.toml, too; the rubric is for the words
    """

    chapter: str
    number: str
    label: str
    title: str
    on_paper: bool
    statement: str
    skeleton: str = ""
    checks: tuple = ()
    solution: tuple = ()
    points: int = 2
    words: int = 0
    minutes: int = 0
    level: str = ""
    outcome: str = ""
    rubric: tuple = field(default=())


@dataclass(frozen=True)
class Edition:
    """What is handed out: its name, where it comes from, and its seeds.

    name : "2.0.0", the folder below _build/course
    version : of the package
    commit : of the repository, with "+" where files differ from it
    seed : public; students' own numbers
    secret : inputs of the hidden tests; stands only in instructor/
    own : whether the problem sets take their numbers from the student's name
    """

    name: str
    version: str
    commit: str
    seed: int
    secret: int
    own: bool = False


def chapters():
    """{"1": path, ..., "F": path}: every notebook with exercises, in the order of the book."""
    found = {str(int(path.name[:2])): path for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))}
    found["F"] = ROOT / "chapters" / "frameworks.ipynb"
    return {name: path for name, path in found.items() if exercises_of(path)}


def exercises(chapter):
    """The exercises of chapter "7" (or 7), in the order of the book, numbered 7.1, 7.2, ..."""
    known = chapters()
    if str(chapter) not in known:
        raise ValueError(f"chapter = {chapter!r} has no exercises; those with exercises are {', '.join(known)}")
    table, out = _table(), []
    for n, found in enumerate(exercises_of(known[str(chapter)]), 1):
        row = dict(table.get(found["label"], {}))
        if "rubric" in row:
            row["rubric"] = tuple(row["rubric"])
        out.append(Exercise(chapter=str(chapter), number=f"{chapter}.{n}", **found, **row))
    return out


@cache
def _table():
    return tomllib.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}


def exercises_of(path):
    """The exercises of a notebook as they stand in it: [{label, title, on_paper, statement, ...}]."""
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path, _when):
    found, inside = [], False
    for cell in nbformat.read(path, as_version=4).cells:
        tags = cell.metadata.get("tags", ())
        begins = re.search(r"(?m)^(`{3,})\{exercise\} *(.*)\n((?::.*\n)*)", cell.source)
        if cell.cell_type == "markdown" and begins:
            inside = True
            words = cell.source[begins.end():].strip().removesuffix(begins[1]).strip()
            found.append({"label": re.search(r":label: (\S+)", begins[3])[1], "title": begins[2].strip(),
                          "on_paper": "on-paper" in begins[3], "statement": words,
                          "skeleton": "", "checks": (), "solution": ()})
        elif not inside:
            continue
        elif "solution" in tags:
            words = cell.source
            if cell.cell_type == "markdown":   # the gates go, what stands between them stays
                words = re.sub(r"(?s)`{3,}\{solution-(start|end)\}.*?\n`{3,}", "", words).strip()
            if words:
                found[-1]["solution"] += ((cell.cell_type, words),)
        elif cell.cell_type == "markdown":
            inside = not re.match(r"#+ ", cell.source)   # a heading ends the exercises
        elif "exercise" in tags:
            found[-1]["skeleton"] = cell.source
        elif not found[-1]["solution"]:
            found[-1]["checks"] += (cell.source,)
    return found


def version():
    """Of the package, read from its source."""
    return re.search(r'__version__ = "(.+)"', (ROOT / "code" / "descent" / "__init__.py").read_text("utf-8"))[1]


def commit():
    """The commit, with "+" where files differ from it; "unknown" outside git."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if git("rev-parse").returncode:
        return "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no").stdout.strip()
    return git("rev-parse", "HEAD").stdout.strip() + "+" * bool(changed)
