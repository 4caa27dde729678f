"""The book builds without a warning, and builds the same bytes again."""

import subprocess
import sys
from pathlib import Path

from conftest import build_book


def contents(folder):
    """Every file of a built book, without Sphinx's own records of the build."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and ".doctrees" not in path.parts and path.name != ".buildinfo"}


def test_the_book_builds_without_a_warning(built_book):
    code, log, html = built_book
    assert code == 0, log.read_text()[-6000:]
    assert (html / "index.html").exists()


def test_two_builds_in_two_folders_are_byte_identical(html, tmp_path):
    again = tmp_path / "another folder"
    again.mkdir()
    assert build_book(again, tmp_path / "log", "123") == 0, (tmp_path / "log").read_text()[-6000:]
    one, two = contents(html), contents(again / "_build" / "html")
    assert sorted(one) == sorted(two)
    assert [name for name in one if one[name] != two[name]] == []


def test_an_equation_is_printed_and_cited_by_its_name(built_book, tmp_path):
    """The small extension in book/, on two pages that cite each other's equations."""
    for name, text in {
        "_config.yml": "execute: {execute_notebooks: 'off'}\nsphinx:\n"
                       "  local_extensions: {equation_names: book}\n  config: {numfig: false}\n",
        "_toc.yml": "format: jb-book\nroot: one\nchapters:\n- file: two\n",
        "one.md": "# One\n\n$$ v = 1 $$ (R1)\n\nSee {eq}`3.4`.\n",
        "two.md": "# Two\n\n$$ m = 2 $$ (3.4)\n\nSee {eq}`R1`.\n",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "book").mkdir()
    source = Path(__file__).parents[1] / "book" / "equation_names.py"
    (tmp_path / "book" / source.name).write_text(source.read_text())

    done = subprocess.run([Path(sys.executable).with_name("jupyter-book"), "build", ".", "-n"],
                          cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    one = (tmp_path / "_build/html/one.html").read_text()
    two = (tmp_path / "_build/html/two.html").read_text()
    assert '<span class="eqno">(R1)' in one and '<span class="eqno">(3.4)' in two
    assert '<a class="reference internal" href="two.html#equation-3-4">(3.4)</a>' in one
    assert '<a class="reference internal" href="one.html#equation-r1">(R1)</a>' in two
