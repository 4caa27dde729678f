"""The page for instructors: what it says about the chapters is so."""

import re
import xml.etree.ElementTree as et
from functools import cache

import nbformat

import instructors
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
    return instructors.with_theirs(instructors.needs(PAGE))


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


def test_the_picture_and_the_table_of_exercises_are_those_of_the_script():
    """After a change of the table, of an exercise or of course/exercises.toml: python book/instructors.py."""
    assert instructors.page() == PAGE
    assert instructors.table() == instructors.TABLE.read_text("utf-8")


def test_the_arrows_say_what_the_table_says_and_nothing_twice():
    said = instructors.needs(PAGE)
    drawn = {chapter: set() for chapter in said}
    for before, chapter in instructors.arrows(said):
        drawn[chapter].add(before)
    assert instructors.with_theirs(drawn) == instructors.with_theirs(said)
    for chapter in said:
        for before in drawn[chapter]:
            fewer = drawn | {chapter: drawn[chapter] - {before}}
            assert instructors.with_theirs(fewer) != instructors.with_theirs(said)


def test_the_picture_has_a_box_for_each_chapter_below_what_it_needs_and_no_arrow_behind_a_box():
    svg, said = instructors.picture(instructors.needs(PAGE)), instructors.needs(PAGE)
    root = et.fromstring(svg)
    boxes = {int(group.find("text").text): group.find("rect") for group in root.findall("g") if group.find("rect") is not None}
    assert set(boxes) == set(said)
    assert "arrow" in root.get("aria-label")
    places = [(float(box.get("x")), float(box.get("y"))) for box in boxes.values()]
    for before, chapter in instructors.arrows(said):
        assert instructors.PLACES[before][1] < instructors.PLACES[chapter][1]
    for path in root.findall("g/path"):
        x, y, x1, y1, x2, y2, x3, y3 = map(float, re.findall(r"-?[\d.]+", path.get("d")))
        for t in (k / 50 for k in range(1, 50)):
            at = [(1 - t)**3 * a + 3 * (1 - t)**2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
                  for a, b, c, d in ((x, x1, x2, x3), (y, y1, y2, y3))]
            assert not any(0 < at[0] - left < instructors.WIDE and 0 < at[1] - top < instructors.HIGH for left, top in places)


def test_every_command_of_the_page_is_there():
    made = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"make (\w+)", re.sub(r"(?s)<svg.*?</svg>", "", PAGE)):
        assert re.search(rf"(?m)^{target}:", made), f"make {target}"
    for script in re.findall(r"course/\w+\.py", PAGE):
        assert (ROOT / script).exists(), script


def test_the_readme_and_the_opening_page_lead_here():
    assert "for_instructors.md" in (ROOT / "README.md").read_text("utf-8")
    assert "(chapters/for_instructors.md)" in (ROOT / "index.ipynb").read_text("utf-8")


def test_the_opening_counts_the_exercises_that_there_are():
    every = [exercise for name in instructors.exercises.chapters() for exercise in instructors.exercises.exercises(name)]
    count, checked = map(int, re.search(r"(\d+) exercises, (\d+) of them checked by the computer", PAGE).groups())
    assert (count, checked) == (len(every), sum(not exercise.on_paper for exercise in every))


def cited(chapters, known):
    """Equations that main lines cite from chapters that are neither among them nor known."""
    home = {label: number for number in CHAPTERS for label in re.findall(r"^\$\$ \((\S+)\)", parts(number)[1], re.M)}
    used = {label for number in chapters for label in re.findall(r"\{eq\}`(\S+?)`", parts(number)[0])}
    return {label for label in used if home.get(label, chapters[0]) not in {*chapters, *known}}


def test_a_way_through_names_the_equations_that_it_borrows():
    rows = [row.split("|")[3] for row in PAGE.split("## Five ways through")[1].splitlines() if row.startswith("| ")]
    session, adam = ({*re.findall(r"\{eq\}`(\S+?)`", known)} for known in (rows[1], rows[3]))
    assert adam == cited([2, 3, 6, 7, 8], [1])
    assert cited([3], []) - {"2.2"} <= session   # "2.1 to 2.3" has 2.2
