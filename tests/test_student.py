"""The student edition: it gives nothing away, and it runs."""

import asyncio
import re
import subprocess
import sys

import nbformat
import pytest

import address
import notebooks
from outside import plain_references

PATHS = notebooks.book_notebooks()


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edition") / "student"
    write(folder)
    return folder


def write(folder):
    subprocess.run([sys.executable, notebooks.ROOT / "book" / "student.py",
                    folder], check=True, capture_output=True)


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", ())


def lines(cells):
    return {line.strip() for cell in cells for line in cell.source.splitlines()
            if line.strip()}


def copies(edition):
    return [nbformat.read(edition / path.relative_to(notebooks.ROOT),
                          as_version=4) for path in PATHS]


def test_no_line_of_a_solution_survives(edition):
    book = [nbformat.read(path, as_version=4) for path in PATHS]
    given = [cell for notebook in book for cell in notebook.cells]
    public = lines(cell for cell in given if not is_solution(cell))
    secret = {line for line in lines(cell for cell in given if is_solution(cell))
              if not any(line in open_to_all for open_to_all in public)}   # a line that is broken begins like others
    assert secret, "the book has no solutions"
    kept = lines(cell for copy in copies(edition) for cell in copy.cells)
    assert not secret & kept
    # nor as a part of a line, nor in another field of the file
    for path in edition.rglob("*.ipynb"):
        text = path.read_text("utf-8")
        assert '"solution"' not in text and "{solution" not in text
        assert not [line for line in secret if len(line) > 20
                    and line.replace("\\", "\\\\").replace('"', '\\"') in text]


def test_everything_but_the_solutions_is_kept(edition):
    for path, copy in zip(PATHS, copies(edition)):
        kept = [cell for cell in nbformat.read(path, as_version=4).cells if not is_solution(cell)]
        assert [(cell.id, cell.source) for cell in copy.cells] == [
            (cell.id, plain_references(cell.source, address.published())
             if cell.cell_type == "markdown" else cell.source) for cell in kept]


def test_equations_have_their_names_and_nothing_refers_to_what_a_student_does_not_have(edition):
    names = [path.name for path in PATHS]
    for path, copy in zip(PATHS, copies(edition)):
        words = "\n".join(cell.source for cell in copy.cells if cell.cell_type == "markdown")
        book = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if not is_solution(cell))
        labels = re.findall(r"^\$\$ \(([^)\n]+)\)", book, re.M)
        assert [label for label in labels if rf"\tag{{{label}}}" not in words] == []
        assert re.findall(r"\{(?:eq|cite|cite:t|doc|term|numref)\}`.*?`", words) == []
        assert [link for link in re.findall(r"\]\((?!\w+:|#)([^)#]+)", words)
                if link.rpartition("/")[2] not in names] == []


def test_the_notation_is_there_for_a_reader_without_the_book(edition):
    words = (edition / "chapters" / "notation.md").read_text("utf-8")
    assert "## Letters of one chapter" in words and not re.search(r"\{\w+\}`", words)
    assert [link for link in re.findall(r"\]\((?!\w+:|#)([^)#]+)", words) if not (edition / "chapters" / link).exists()] == []


def test_copies_have_no_outputs_and_no_execution_counts(edition):
    for copy in copies(edition):
        for cell in copy.cells:
            if cell.cell_type == "code":
                assert cell.outputs == [] and cell.execution_count is None


def test_writing_it_again_gives_the_same_files(edition, tmp_path):
    again = tmp_path / "again"
    write(again)
    write(again)  # over its own older edition
    for path in edition.rglob("*"):
        if path.is_file():
            other = again / path.relative_to(edition)
            assert path.read_bytes() == other.read_bytes()


def test_a_folder_that_is_not_a_student_edition_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(subprocess.CalledProcessError):
        write(tmp_path)
    assert (tmp_path / "mine.txt").exists()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_copy_runs_and_its_exercises_are_not_done_yet(edition, tmp_path,
                                                        path):
    where = edition / path.relative_to(notebooks.ROOT)
    copy = nbformat.read(where, as_version=4)
    skeletons = sum("exercise" in cell.metadata.get("tags", ())
                    for cell in copy.cells)
    copy.cells.append(nbformat.v4.new_code_cell(
        "import descent\nprint('package', descent.__file__)"))
    environment = notebooks.kernel_environment(tmp_path)
    environment["PYTHONPATH"] = str(edition / "code")
    asyncio.run(notebooks.execute(copy, where.parent, environment))
    printed = "".join(out.get("text", "") for cell in copy.cells
                      if cell.cell_type == "code" for out in cell.outputs)
    assert f"package {edition}" in printed  # the edition needs nothing outside
    assert printed.count("not done yet") >= skeletons
    assert not re.search(r": correct$", printed, re.M)
