"""A reader changes one number: each chapter runs to its end, or stops with a sentence.

`python tests/edits.py` makes two hundred such edits, in all chapters; here is one in every sixth, always the same.
"""

import nbformat
import numpy as np
import pytest

import edits
from conftest import ROOT

CHAPTERS = [ROOT / "index.ipynb", *sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))]


@pytest.mark.parametrize("path", CHAPTERS[3::6], ids=lambda path: path.stem)
def test_an_edited_chapter_runs_to_its_end_or_stops_with_a_sentence(path):
    (words, error), = edits.tried(path, count=1, seed=0)
    assert error is None, f"{words}\n{error}"


def test_what_ends_badly_is_told():
    assert edits.outcome(["x = 1", "assert x == 2, 'this needs the number two'"]) is None
    assert edits.outcome(["from descent import adam, run", "run(adam, lambda x: x, [1.0], 3, beta2=2.0)"]) is None
    assert "AssertionError" in edits.outcome(["x = 1", "assert x == 2"])
    assert "KeyError" in edits.outcome(["{}['β']"])


def test_an_edit_changes_one_number_of_a_cell_that_is_shown():
    cells = [nbformat.v4.new_code_cell("alpha, note = 0.1, 'α'; gradient = [1.0, 2.0]"),
             nbformat.v4.new_code_cell("beta1 = 0.9", metadata={"tags": ["hide-input"]})]
    (first, second), words = edits.edit(cells, np.random.default_rng(0))
    assert second == cells[1].source and first != cells[0].source
    assert "'α'; gradient = [1.0, 2.0]" in first and "rate 0.1 -> " in words
