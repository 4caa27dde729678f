"""The table of the exercises, course/exercises.toml: it and the notebooks say the same."""

import sys
import tomllib

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "course"))

import exercises as course  # noqa: E402

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
