"""What an instructor has and students have not: the key, the sheets for what a person grades, the table of points.

    python course/make.py --only key 3 4 7      one part of `make course CHAPTERS="3 4 7"`

writes key/07.ipynb (each exercise with its words, its solution as the book prints it, and its points; to read, in any
Jupyter), rubric/07.md (a line a point for proofs and reasons, with room for marks) and points.csv.
"""

import csv

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import reading
from exercises import chapters as with_exercises
from exercises import exercises
from notebooks import title_of

COLUMNS = "exercise title points words minutes level graded outcome label".split()


def graded(exercise):
    """By what: "on paper", "check", or "check and words"."""
    return "on paper" if exercise.on_paper else "check and words" if exercise.words else "check"


def name(chapter):
    """Of a chapter's files: "07", or "frameworks"."""
    return f"{int(chapter):02}" if chapter.isdigit() else "frameworks"


def printed(chapter):
    """{source of a cell: the text that it prints in the book} for the cells of solutions."""
    cells = nbformat.read(with_exercises()[chapter], as_version=4).cells
    return {cell.source: "".join(out.get("text", "") for out in cell.outputs) for cell in cells
            if cell.cell_type == "code" and "solution" in cell.metadata.get("tags", ())}


def earned(exercise):
    """"7 points: 2 for the check, 5 for words"."""
    check = exercise.points - exercise.words
    parts = f"{check} for the check, {exercise.words} for words" if check and exercise.words else graded(exercise)
    return f"{exercise.points} points: {parts} · {exercise.minutes} minutes · {exercise.level}"


def key(chapter):
    """The notebook with a chapter's exercises and their solutions."""
    todo, shown = exercises(chapter), printed(chapter)
    title = title_of(nbformat.read(with_exercises()[chapter], as_version=4))
    cells = [new_markdown_cell(f"# {title}: the key\n\n{sum(e.points for e in todo)} points, {sum(e.words for e in todo)} of them for "
                               f"words, {sum(e.minutes for e in todo)} minutes. Not for students.\n\nTo read; outputs are those of the book.")]
    for exercise in todo:
        cells.append(new_markdown_cell(f"## Exercise {exercise.number} · {exercise.title}\n\n*{earned(exercise)}*\n\n"
                                       f"Who has done it {exercise.outcome}.\n\n{reading.plain(exercise.statement, chapter)}"))
        cells.append(new_markdown_cell("### Solution"))
        for kind, source in exercise.solution:
            if kind == "markdown":
                cells.append(new_markdown_cell(reading.plain(source, chapter)))
            else:
                text = shown.get(source, "")
                cells.append(new_code_cell(source, outputs=[new_output("stream", name="stdout", text=text)] if text else []))
        if exercise.rubric:
            cells.append(new_markdown_cell("### A point each\n\n" + "\n".join(f"{n}. {line}" for n, line in enumerate(exercise.rubric, 1))))
    for n, cell in enumerate(cells):
        cell.id = f"key-{n}"   # the same on every day
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})


def rubric(chapter):
    """The sheet for what a person grades in a chapter, or nothing."""
    lines = []
    for exercise in exercises(chapter):
        if exercise.rubric:
            lines += [f"## Exercise {exercise.number} · {exercise.title}", "",
                      f"{exercise.words} of {exercise.points} points.", "", "| | earns a point | marks |", "|---|---|---|"]
            lines += [f"| {n} | {line.replace('|', chr(92) + '|')} | |" for n, line in enumerate(exercise.rubric, 1)]
            lines += [""]
    if not lines:
        return ""
    return "\n".join([f"# Words and proofs of chapter {chapter}", "",
                      "One point a line. \"Half\" is half a point; an argument of its own that is right earns the points of the lines that it replaces.",
                      "", *lines])


def table(chapters):
    """The rows of points.csv."""
    for chapter in chapters:
        for exercise in exercises(chapter):
            yield [exercise.number, exercise.title, exercise.points, exercise.words, exercise.minutes, exercise.level,
                   graded(exercise), exercise.outcome, exercise.label]


def write(folder, chapters, edition):
    """Write key/, rubric/ and points.csv for the chapters into `folder`."""
    for part in "key", "rubric":
        (folder / part).mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        nbformat.write(key(chapter), folder / "key" / f"{name(chapter)}.ipynb")
        if sheet := rubric(chapter):
            (folder / "rubric" / f"{name(chapter)}.md").write_text(sheet, "utf-8")
    with open(folder / "points.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *table(chapters)])
