"""The exercises of the book: one mechanism for their numbers, the index, problem sets, keys, tables and slides.

An exercise's words, skeleton, check and solution are read from its chapter's notebook; what an instructor
needs besides (points, minutes, level, outcome, rubric) stands in course/exercises.toml.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache

import nbformat

from notebooks import ROOT, book_notebooks

TABLE = ROOT / "course" / "exercises.toml"
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
    minutes, level, outcome, rubric : from course/exercises.toml; the rubric is for the words
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


def chapter_of(name):
    """What a page is called, by the name of its file: `07_bias_correction` is "7", `frameworks` is "F"."""
    return str(int(name[:2])) if name[0].isdigit() else name[0].upper()


def pages():
    """{"I": path, "0": path, ..., "18": path, "F": ..., "L": ...}: every notebook; "I" is the opening page."""
    return {chapter_of(path.name): path for path in book_notebooks()}


def chapters():
    """{"1": path, ..., "F": path}: every notebook with exercises, in the order of the book."""
    return {name: path for name, path in pages().items() if exercises_of(path)}


def exercises(chapter):
    """The exercises of chapter "7" (or 7), in the order of the book, numbered 7.1, 7.2, ..."""
    known = chapters()
    if str(chapter) not in known:
        raise ValueError(f"chapter = {chapter!r} has no exercises; those with exercises are {', '.join(known)}")
    return [Exercise(chapter=str(chapter), number=f"{chapter}.{n}", **found, **_table().get(found["label"], {}))
            for n, found in enumerate(exercises_of(known[str(chapter)]), 1)]


@cache
def exercise_numbers():
    """{label: ("7.3", its notebook)}."""
    return {one.label: (one.number, path) for name, path in chapters().items() for one in exercises(name)}


@cache
def _table():
    rows = tomllib.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}
    return {label: row | {"rubric": tuple(row.get("rubric", ()))} for label, row in rows.items()}


@cache
def exercises_of(path):
    """The exercises of a notebook as they stand in it: [{label, title, on_paper, statement, ...}]."""
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
