"""The table of the exercises, course/exercises.toml: it and the notebooks say the same."""

import csv
import re
import tomllib

import nbformat
import pytest

import exercises as course
import key as answers

TABLE = tomllib.loads(course.TABLE.read_text("utf-8"))
ALL = [exercise for chapter in course.chapters() for exercise in course.exercises(chapter)]
each = pytest.mark.parametrize("label", TABLE)


def test_every_exercise_has_its_row_and_every_row_its_exercise_in_the_order_of_the_book():
    assert list(TABLE) == [exercise.label for exercise in ALL]
    assert len(set(TABLE)) == len(ALL)


@each
def test_a_row_says_all_that_is_asked_for_and_nothing_else(label):
    row = TABLE[label]
    assert set(row) - {"rubric"} == {"points", "words", "minutes", "level", "outcome"}
    assert 2 <= row["points"] <= 8 and 0 <= row["words"] <= row["points"]
    assert row["level"] in course.LEVELS
    assert 10 <= row["minutes"] <= 90 and row["minutes"] % 5 == 0
    assert row["outcome"].startswith("can ") and not row["outcome"].endswith(".")


@each
def test_the_lines_of_a_rubric_are_as_many_as_its_points(label):
    rubric = TABLE[label].get("rubric", ())
    assert len(rubric) == TABLE[label]["words"]
    for line in rubric:
        assert line.endswith(".") and len(line) > 10


def test_on_paper_a_person_reads_everything_and_elsewhere_the_check_has_its_part():
    for exercise in ALL:
        assert (exercise.words == exercise.points) == exercise.on_paper, exercise.number


def test_a_proof_or_a_reason_that_is_asked_for_has_points():
    """Words such as "prove" in a statement ask for what no check reads."""
    for exercise in ALL:
        asks = {word for word in ("prove", "*prove*", "derive", "show that", "why")
                if word in exercise.statement.lower()}
        assert not asks or exercise.words, f"{exercise.number} asks for words: {asks}"


# ---- what the instructor gets of it ---------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    written = tmp_path_factory.mktemp("instructor")
    answers.write(written, list(course.chapters()), None)
    return written


def test_the_table_of_points_is_the_whole_table(folder):
    with open(folder / "points.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == list(TABLE)
    for row, exercise in zip(rows, ALL):
        assert (row["exercise"], row["title"], row["outcome"]) == (exercise.number, exercise.title, exercise.outcome)
        assert int(row["points"]) == TABLE[row["label"]]["points"] and int(row["words"]) == len(exercise.rubric)
        assert row["graded"] == ("on paper" if exercise.on_paper else "check and words" if exercise.rubric else "check")


@pytest.mark.parametrize("chapter", course.chapters())
def test_a_key_has_every_exercise_with_its_solution_and_needs_no_extension(folder, chapter):
    key = nbformat.read(folder / "key" / f"{answers.name(chapter)}.ipynb", as_version=4)
    nbformat.validate(key)
    words = "\n\n".join(cell.source for cell in key.cells if cell.cell_type == "markdown")
    code = [cell for cell in key.cells if cell.cell_type == "code"]
    assert not re.search(r"\{(eq|ref|doc|cite|term|numref)\S*\}`|^`{3,}\{|^\$\$", words, re.M)
    for exercise in course.exercises(chapter):
        assert f"## Exercise {exercise.number} · {exercise.title}" in words
        assert exercise.outcome in words and f"{exercise.points} points" in words
        assert all(line in words for line in exercise.rubric)
        for kind, source in exercise.solution:
            assert kind == "markdown" or source in [cell.source for cell in code]
        if exercise.checks:   # what the book prints of the solution stands there
            mine = [cell for cell in code if cell.source in dict(map(reversed, exercise.solution))]
            assert "correct" in "".join(out.text for cell in mine for out in cell.outputs)


def test_a_sheet_has_a_line_for_each_point_of_words(folder):
    for chapter in course.chapters():
        path = folder / "rubric" / f"{answers.name(chapter)}.md"
        lines = re.findall(r"^\| \d+ \|", path.read_text("utf-8"), re.M) if path.exists() else []
        assert len(lines) == sum(exercise.words for exercise in course.exercises(chapter))


def test_written_twice_it_is_the_same(folder, tmp_path):
    answers.write(tmp_path, ["7"], None)
    for path in (file for file in tmp_path.rglob("*.*") if file.name != "points.csv"):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()
