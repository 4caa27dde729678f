"""The page for instructors: what it says about the chapters is so."""

import re
from functools import cache

import nbformat

from conftest import ROOT

CHAPTERS = {int(path.name[:2]): path for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))}
PAGE = (ROOT / "chapters" / "for_instructors.md").read_text("utf-8")


@cache
def parts(number):
    """A chapter's Markdown: (main line, all of it)."""
    main, whole, folded = [], [], False
    for cell in nbformat.read(CHAPTERS[number], as_version=4).cells:
        if cell.cell_type != "markdown":
            continue
        whole.append(cell.source)
        if heading := re.match(r"(#+) (.*)", cell.source):
            deep = heading[2].startswith("Deeper: ") or heading[2] == "Exercises"
            folded = deep or folded and len(heading[1]) > 3
        if not folded and "{dropdown}" not in cell.source and "solution" not in cell.metadata.get("tags", []):
            main.append(cell.source)
    return "\n".join(main), "\n".join(whole)


def needs():
    """What the table says, with what these need in turn."""
    table = PAGE.split("| chapter | needs |")[1].split("\n\n")[0]
    said = {}
    for chapters, before in re.findall(r"^\| ([\d, ]+?) \| (.+?) \|$", table, re.M):
        for chapter in chapters.split(", "):
            said[int(chapter)] = set(map(int, re.findall(r"\d+", before)))
    for chapter in sorted(said):
        for before in sorted(said[chapter]):
            said[chapter] = said[chapter] | said[before]
    return said


def test_a_main_line_uses_equations_of_the_chapters_that_the_table_names_alone():
    home = {label: number for number in CHAPTERS for label in re.findall(r"^\$\$ \((\S+)\)", parts(number)[1], re.M)}
    said = needs()
    assert set(said) == set(CHAPTERS) - {0}
    for number in said:
        used = {home[label] for label in re.findall(r"\{eq\}`(\S+?)`", parts(number)[0]) if label in home}
        missing = {before for before in used if before < number} - said[number]
        assert not missing, f"chapter {number} uses equations of {sorted(missing)}, which the table does not name"


def test_what_may_be_left_out_is_used_by_no_main_line():
    home = {label: number for number in CHAPTERS for label in re.findall(r"^\$\$ \((\S+)\)", parts(number)[1], re.M)}
    for number in set(CHAPTERS) - {15, 16, 18}:
        used = {home.get(label) for label in re.findall(r"\{eq\}`(\S+?)`", parts(number)[0])}
        assert not used & {15, 16, 18}, f"chapter {number}"
