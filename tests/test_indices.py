"""The index of equations, figures and experiments says what is there."""

import json

import indices


def test_the_index_is_what_the_notebooks_and_the_package_say():
    assert indices.PAGE.read_text("utf-8") == indices.text(), "run python book/indices.py"


def test_every_equation_of_a_chapter_is_in_the_index():
    text = indices.PAGE.read_text("utf-8")
    lines = indices.labelled_lines()
    for _, title, notebook in indices.pages():
        labels = indices.equation_labels(notebook)
        assert not [label for label in labels if label not in lines]
        assert not [label for label in labels if f"{{eq}}`{label}`" not in text], title


def test_every_chapter_has_its_run_times_and_no_cell_has_left_them():
    times = json.loads(indices.TIMES.read_text("utf-8"))
    for path, title, notebook in indices.pages():
        noted = times[path.relative_to(indices.ROOT).as_posix()]
        assert noted.keys() <= {cell.id for cell in notebook.cells}, f"measure again: {title}"


def test_sections_hold_every_cell_once():
    for _, _, notebook in indices.pages():
        cells = [cell.id for _, cells in indices.sections(notebook) for cell in cells]
        assert cells == [cell.id for cell in notebook.cells]
