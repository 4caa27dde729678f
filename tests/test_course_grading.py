"""Hand-ins are graded end to end, with nbgrader and with otter: course/collect.py, course/grade.py."""

import csv
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import collect
import grade
import hand_ins
from conftest import once_for_all_workers

FULL = (3, 2, 5, 4, 2, 0)   # of 7.1 to 7.6, by the tests
NONE = (0,) * 6
MARKS = {   # the same by both graders, and what a person is asked to look at
    "01 right": (FULL, ""),
    "02 half": ((3, 2, 5, 0, 0, 0), ""),
    "03 wrong": (NONE, ""),
    "04 syntax": ((3, 0, 5, 4, 2, 0), ""),
    "05 loop": ((3, 2, 0, 4, 2, 0), "could not be stopped: it was left out"),
    "06 killed": (FULL, "ended the kernel: it was left out"),
    "07 raises": (FULL, ""),
    "08 says": (NONE, ""),
    "09 patches": ((3, 0, 0, 0, 0, 0), "replaces np.allclose"),
    "10 library": ((3, 0, 5, 4, 2, 0), "calls descent.theory"),
    "11 names": ((3, 0, 5, 4, 2, 0), "corrected_avg, not corrected_average: a person should look"),
    "12 renamed": (FULL, ""),
    "13 cleared": (FULL, "lost their metadata"),
    "14 deleted": ((3, 2, 0, 4, 2, 0), "an answer cell of Exercise 7.3 is missing"),
    "15 empty": (NONE, "counts as nothing handed in"),
}
NOTES = {   # unusual, and nobody needs to look
    "04 syntax": "no Python: line 1",
    "07 raises": "raises ZeroDivisionError",
    "14 deleted": "deleted and are back: the problem set, Exercise 7.1, Exercise 7.2",
}
CHEATS = ("16 looks", "17 deaf")
# What was done to these is mended or named before a grader sees it: one grader shows that.
MENDED = {"11 names", "12 renamed", "13 cleared", "14 deleted"}
GRADERS = {"nbgrader": [*MARKS, *CHEATS], "otter": [name for name in (*MARKS, *CHEATS) if name not in MENDED]}


@pytest.fixture(scope="session")
def release(kit, tmp_path_factory, worker_id):
    """A release with the problem set of chapter 7; its hand-ins stand beside it in hand_ins/."""
    def make(folder):
        hand_ins.fifteen(kit, folder)
        hand_ins.cheats(kit, folder)

    once_for_all_workers(tmp_path_factory, worker_id, "hand_ins", make)
    return kit


def command(*words):
    return subprocess.run([sys.executable, grade.__file__, *map(str, words)], capture_output=True, text=True)


@pytest.fixture(scope="module", params=GRADERS)
def graded(request, release, tmp_path_factory):
    """(grader, what was printed, folder) of the hand-ins."""
    out, given = tmp_path_factory.mktemp(request.param), tmp_path_factory.mktemp("given")
    for name in GRADERS[request.param]:
        shutil.copytree(release.with_name("hand_ins") / name, given / name)
    done = command(release, given, "--chapter", "7", "--with", request.param, "--out", out, "--timeout", "6")
    assert done.returncode == 0, done.stderr
    return request.param, done.stdout, out


def table(path):
    return list(csv.DictReader(path.open(encoding="utf-8-sig", newline="")))


def flags(out, student, look=None):
    return [row["what"] for row in table(out / "flags.csv") if row["student"] == student
            and look in (None, row["look"] == "yes")]


# ---- the marks ------------------------------------------------------------------


def test_each_hand_in_gets_the_marks_it_deserves_or_a_flag(graded):
    grader, _, out = graded
    rows = {row["student"]: row for row in table(out / "marks.csv")}
    for student in MARKS.keys() & GRADERS[grader]:
        row, (expected, look) = rows[student], MARKS[student]
        assert tuple(float(row[f"7.{n}"]) for n in range(1, 7)) == expected, row
        assert float(row["total"]) == sum(expected), row
        asked = flags(out, student, look=True)
        assert any(look in what for what in asked) if look else not asked, (student, asked)
        assert row["look"] == ("yes" if look else ""), row
        assert NOTES.get(student, "") in "; ".join(flags(out, student, look=False)), student


def test_one_who_reads_the_tests_variables_is_flagged(graded):
    _, _, out = graded
    assert "uses f_locals (other functions' variables)" in flags(out, "16 looks", look=True)


def test_one_who_makes_the_kernel_deaf_to_tests_is_flagged(graded):
    grader, _, out = graded
    asked = "; ".join(flags(out, "17 deaf", look=True))
    assert "uses get_ipython" in asked
    if grader == "nbgrader":   # for which a cell that does nothing has passed; otter asks a function
        assert "a check of Exercise 7.3 gives points and does not say so" in asked


def test_the_table_is_complete(graded):
    grader, printed, out = graded
    rows = table(out / "marks.csv")
    assert [row["student"] for row in rows] == ["(out of)", *GRADERS[grader]]
    assert [float(rows[0][f"7.{n}"]) for n in range(1, 7)] == list(FULL)
    right, half, empty = (next(row for row in rows if row["student"] == name)
                          for name in ("01 right", "02 half", "15 empty"))
    assert right["name"] == "Ada Right"
    assert (out / "feedback" / right["feedback"]).is_file()
    assert (right["words to read"], half["words to read"], empty["words to read"]) == ("7.2 7.5 7.6", "7.2", "")
    assert float(right["points for words"]) == float(rows[0]["points for words"]) == 17
    assert printed.startswith("Students' code runs on this machine now")
    assert re.search(rf"{len(rows) - 1} hand-ins with {grader}: .* s of processor each; \d+ answers in words to read", printed)


def test_feedback_shows_a_figure_each_verdict_and_no_hidden_input(graded, release):
    grader, _, out = graded
    pages = {path.stem: path.read_text("utf-8") for path in (out / "feedback").glob("*.html")}
    assert len(pages) == len(GRADERS[grader])
    right, wrong, loop = pages["01-right"], pages["03-wrong"], pages["05-loop"]
    assert re.search(r'<img[^>]+src="data:image/png;base64,[\w+/]{1000}', right)
    for n, points in enumerate(FULL[:-1], 1):
        assert f"Exercise 7.{n}: {points} of {points} points" in right
    assert "Exercise 7.2: 0 of 2 points" in wrong and "m_hat is wrong at t = 2" in wrong
    assert "hidden input 1 of 3" in wrong
    assert "Left out when this was graded: this cell ran longer than" in loop
    secret = next(c.source for c in nbformat.read(release / "instructor/nbgrader/source/07/07.ipynb", 4).cells
                  if c.id == "7-2-hidden-1")
    array = re.search(r"array\(\[\[(.{12})", secret)[1]
    for page in pages.values():
        assert array not in page and "b85decode" not in page


def test_what_was_handed_in_is_kept_and_unchanged(graded, release):
    grader, _, out = graded
    for path in [path for name in GRADERS[grader] for path in (release.with_name("hand_ins") / name).glob("*.ipynb")]:
        copy = out / "originals" / path.parent.name.replace(" ", "-") / path.parent.name / path.name
        assert copy.read_bytes() == path.read_bytes()


# ---- putting into the frame -------------------------------------------------------


@pytest.fixture(scope="module")
def frame(release):
    return collect.Frame(release / "assignments" / "07" / "07.ipynb")


def sources(notebook, role, number=""):
    return [c.source for c in notebook.cells if collect.role(c) == role and collect.exercise(c) == number]


def test_a_hand_in_that_was_not_touched_comes_back_as_it_was(frame):
    mended, found = collect.mend(frame, nbformat.from_dict(frame.notebook))
    assert mended.cells == frame.notebook.cells
    assert found == []


def test_a_changed_check_is_the_released_one_again_and_the_student_s_stands_before_it(frame):
    notebook = nbformat.from_dict(frame.notebook)
    hand_ins.at(notebook, "7.2", "check").source = "corrected_average = lambda g, beta: g"
    mended, found = collect.mend(frame, notebook)
    order = [c.source for c in mended.cells]
    released = sources(frame.notebook, "check", "7.2")[0]
    assert order.index("corrected_average = lambda g, beta: g") == order.index(released) - 1
    assert [flag.exercise for flag in found if flag.look] == ["7.2"]


def test_own_cells_keep_their_place_and_lose_a_grader_s_marks(frame):
    notebook = nbformat.from_dict(frame.notebook)
    place = hand_ins.place(notebook, "answer", "7.3")
    own = new_code_cell("helper = 3", metadata={"nbgrader": {"grade": True, "grade_id": "mine", "points": 9},
                                               "otter": {"tests": ["q7_1"]}, "tags": ["otter_ignore"]})
    notebook.cells.insert(place, own)
    mended, _ = collect.mend(frame, notebook)
    assert mended.cells[place].source == "helper = 3" and not mended.cells[place].metadata


def test_two_answer_cells_are_both_run_in_their_order(frame):
    notebook = nbformat.from_dict(frame.notebook)
    place = hand_ins.place(notebook, "answer", "7.4")
    second = nbformat.from_dict(notebook.cells[place])
    second.source, second.id = "schedule = max", "again"
    notebook.cells.insert(place + 1, second)
    mended, found = collect.mend(frame, notebook)
    assert [c.source for c in mended.cells][place + 1] == "schedule = max"
    assert ["is there twice" in flag.what for flag in found] == [True]


def test_a_photograph_in_a_words_cell_is_kept(frame):
    notebook = nbformat.from_dict(frame.notebook)
    hand_ins.at(notebook, "7.6", "words").attachments = {"proof.png": {"image/png": "iVBORw0KGgo="}}
    mended, _ = collect.mend(frame, notebook)
    assert mended.cells[hand_ins.place(mended, "words", "7.6")].attachments["proof.png"]


@pytest.mark.parametrize("kept", ["id", "functions"])
def test_answers_without_metadata_are_found(frame, kept):
    notebook = nbformat.from_dict(frame.notebook)
    hand_ins.at(notebook, "7.4").source = "def schedule(t):\n    return 0.1"
    hand_ins.at(notebook, "7.6", "words").source = "By convexity."
    for n, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({})
        cell.id = cell.id if kept == "id" else f"cell-{n}"
    mended, _ = collect.mend(frame, notebook)
    assert sources(mended, "answer", "7.4") == ["def schedule(t):\n    return 0.1"]
    assert sources(mended, "words", "7.6") == ["By convexity."]
    assert len(mended.cells) == len(frame.cells)


def test_a_notebook_of_something_else_counts_as_nothing(frame, tmp_path):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Cooking"), new_code_cell("soup = 1")]),
                   tmp_path / "soup.ipynb")
    found = collect.take_in(frame, "x", [tmp_path / "soup.ipynb"], "x", tmp_path)
    assert found.notebook is None
    assert found.flags[0].what == "soup.ipynb has nothing of this problem set"


@pytest.mark.parametrize("source, said", [
    ("np.allclose = lambda *a: True", "replaces np.allclose"),
    ("check_schedule = print", "defines check_schedule anew, which the checks use"),
    ("import builtins\nbuiltins.print = len", "replaces builtins.print"),
    ("open('tests/q7_1.py')", "uses open (files)"),
    ("getattr(x, 'f_' + 'locals')", "uses getattr with a name made at run time"),
    ("import otter", "imports otter (the grader)"),
    ("%run tests.py", "uses get_ipython (the notebook's kernel)"),
    ("!pip list; rm -r .", "uses get_ipython (the notebook's kernel)"),
    ("%time eval('1')", "uses eval (code made at run time)"),
])
def test_a_cell_that_reaches_too_far_is_named(frame, source, said):
    assert said in collect.suspicions(source, frame)


@pytest.mark.parametrize("source", ["%matplotlib inline\nx = 1", "!pip install tqdm", "%pip install -q tqdm",
                                    "%%time\ndef schedule(t):\n    return 1"])
def test_a_line_that_notebooks_often_have_is_not_suspected(frame, source):
    assert collect.suspicions(source, frame) == []


def test_an_answer_that_is_timed_is_found(frame):
    assert collect.defined("%%time\ndef schedule(t):\n    return 1") == ["schedule"]


@pytest.mark.parametrize("number", ["7.1", "7.2", "7.3", "7.4", "7.5"])
def test_the_book_s_solutions_reach_for_nothing(frame, release, number):
    answer = hand_ins.Maker(release).answers[number]
    assert collect.suspicions(answer, frame) == []


def test_the_cell_that_ends_the_kernel_is_found_and_no_other(frame):
    notebook = nbformat.from_dict(frame.notebook)
    place = hand_ins.place(notebook, "statement", "7.3")
    notebook.cells.insert(place, new_code_cell("import os\nos._exit(1)", id="own-1"))
    assert grade.culprit(notebook, "own-1", ()) == "own-1"
    assert grade.culprit(notebook, "7-4-answer", ()) == "own-1"   # a kernel may die a moment later
    assert grade.culprit(notebook, "7-4-answer", (), late=True) == "7-4-answer"
    assert grade.culprit(notebook, "7-4-check-1", {"own-1"}) == "7-4-answer"   # the function that is checked
    assert grade.culprit(notebook, "7-1-check-1", ()) == "7-1-answer"
    assert grade.culprit(notebook, "", grade.students_cells(notebook)) is None


def test_a_comment_that_changed_asks_nobody_to_look(frame):
    notebook = nbformat.from_dict(frame.notebook)
    hand_ins.at(notebook, "7.2", "hidden").source = "# Another comment."
    _, found = collect.mend(frame, notebook)
    assert [(flag.exercise, flag.look) for flag in found] == [("7.2", False)]


def test_words_in_a_cell_of_one_s_own_are_read(frame):
    notebook = nbformat.from_dict(frame.notebook)
    notebook.cells.insert(hand_ins.place(notebook, "words", "7.2") + 1, new_markdown_cell("*Proof.* Divide."))
    mended, _ = collect.mend(frame, notebook)
    assert list(grade.to_read(frame, grade.Table(frame), mended)) == ["7.2"]
    assert grade.to_read(frame, grade.Table(frame), frame.notebook) == {}


@pytest.mark.parametrize("source, name", [
    ("name = 'Seán O\\'Brien'", "Seán O'Brien"), ('# Your name:\nname = "Анна \\"Аня\\""  # me', 'Анна "Аня"'),
    ('name = ("Kim")', "Kim"), ("name = Kim", ""), ("name = 'Kim", ""), ('name = ""', "")])
def test_a_name_is_read_as_python_reads_it(source, name):
    assert grade.name_of(new_notebook(cells=[new_code_cell(
        source, metadata={"descent": {"role": "name"}})])) == name


def test_feedback_draws_formulas_without_a_network_and_shortens_what_is_long(frame):
    notebook = nbformat.from_dict(frame.notebook)
    words = hand_ins.at(notebook, "7.2", "words")
    words.source = r"With $\beta_1$: $$\frac{1}{2}$$ and $\nonsense{x}$ <script>bad()</script>"
    loud = hand_ins.at(notebook, "7.2")
    loud.outputs = [nbformat.v4.new_output("stream", text="x" * 1_000_000)]
    hand_in = collect.HandIn("Анна", "student", [], notebook)
    table = grade.Table(frame)
    page = grade.feedback(hand_in, frame, table, dict.fromkeys(table.numbers, 0), {}, notebook, {})
    assert not re.search(r"<script[^>]+src=|mathjax", page, re.I) and "bad()</script>" not in page
    assert "<mi>β</mi>" in page and "<mfrac>" in page and r"<code>\nonsense{x}</code>" in page
    assert "more characters: not shown here" in page and len(page) < 600_000


def test_a_kernel_works_in_a_folder_that_may_be_deleted_and_pip_does_nothing(tmp_path, release):
    found = grade.settings(release, tmp_path)
    config = (tmp_path / "profile_default" / "ipython_kernel_config.py").read_text()
    lines = re.search(r"(?s)exec_lines = (.*)", config)
    code = "\n".join([*eval(lines[1]), "import os, shutil, subprocess, sys", "print(os.getcwd(), flush=True)",
                      "subprocess.run([sys.executable, '-m', 'pip', 'list'])", "shutil.rmtree(os.getcwd())"])
    done = subprocess.run([sys.executable, "-c", code], cwd=release, env={**os.environ, **found}, text=True,
                          capture_output=True)
    assert done.stdout.splitlines()[0].startswith(str(tmp_path))
    assert "Could not locate Python interpreter nothing-is-installed-while-grading" in done.stdout + done.stderr


def named(name):
    return collect.HandIn(name, name, [], new_notebook(cells=[new_code_cell(
        f'# Your name:\nname = "{name}"', metadata={"descent": {"role": "name"}})]))


def test_own_numbers_of_another_are_flagged():
    hand_ins = [named("Ada L"), named("ada  l"), named(""), named("Kim")]
    grade.same_numbers(hand_ins)
    assert [[flag.what[:25] for flag in h.flags] for h in hand_ins] == [
        ["has the same name in its "], ["has the same name in its "], ["has no name in its name c"], []]
    test = new_code_cell("check()", id="test", outputs=[nbformat.v4.new_output("stream", text="NAME: Kim\n")])
    mended = hand_ins[0].notebook
    found = grade.what_happened(mended, new_notebook(cells=[*mended.cells, test]), {}, set())
    assert [flag.what for flag in found] == ["has the numbers of 'Kim', where the name cell says 'Ada L'"]


# ---- files as platforms give them ----------------------------------------------------


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path.read_bytes()


def test_a_zip_in_a_zip_in_a_zip_is_read_and_none_below_it(tmp_path):
    held = zipped(tmp_path / "scratch.zip", {"07.ipynb": "{}"})
    for depth in 2, 3, 4:
        path = tmp_path / f"{depth}.zip"
        held = zipped(path, {f"in {depth}.zip": held})
        files, told = collect.unpacked([path], tmp_path / f"unpacked {depth}")
        assert len(told) == (depth == 4) and (files[-1].name == "07.ipynb") == (depth < 4)
    assert told == ["in 2.zip is a zip in 3 others: it was left out"]


def test_zips_that_would_fill_the_disk_are_left_out_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "LARGEST", 5_000_000)
    one = zipped(tmp_path / "one.zip", {"07.ipynb": bytes(2_000_000)})
    zipped(tmp_path / "many.zip", {f"{n}.zip": one for n in range(9)})
    files, told = collect.unpacked([tmp_path / "many.zip"], tmp_path / "unpacked")
    assert [path.name for path in files].count("07.ipynb") == 2 and len(told) == 7
    assert told[0] == "2.zip would be 6 MB with the zips before it, more than 5, so it was left out"
    assert sum(path.stat().st_size for path in (tmp_path / "unpacked").rglob("*") if path.is_file()) < 5_000_000


def test_a_class_in_one_zip_is_a_student_a_file(tmp_path, frame, release):
    text = (release.with_name("hand_ins") / "02 half" / "07.ipynb").read_text("utf-8")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("lovelaceada_4711_815_07 (1).ipynb", text)
        archive.writestr("Emmy N_12_assignsubmission_file/seven.ipynb", text)
        archive.writestr("__MACOSX/._junk", "")
    _, taken = collect.collect(release / "assignments/07/07.ipynb", tmp_path / "class.zip", tmp_path / "out")
    assert [(h.student, h.id, h.notebook is not None) for h in taken] == [
        ("Emmy N", "Emmy-N", True), ("lovelaceada", "lovelaceada", True)]


def test_two_students_of_one_name_stay_apart(tmp_path):
    for name in "kimjan_11_501_07.ipynb", "kimjan_12_502_07.ipynb", "kimjan_12_503_notes.pdf", "adaml_13_504_07.ipynb":
        (tmp_path / name).touch()
    (tmp_path / "Jan Kim_17_assignsubmission_file").mkdir()
    (tmp_path / "Jan Kim_18_assignsubmission_file").mkdir()
    found = {student: len(paths) for student, paths in collect.students(tmp_path, tmp_path).items()}
    assert found == {"kimjan (11)": 1, "kimjan (12)": 2, "adaml": 1, "Jan Kim (17)": 1, "Jan Kim (18)": 1}


def test_the_problem_set_of_another_chapter_is_named(tmp_path, frame):
    other = nbformat.from_dict(frame.notebook)
    for cell in other.cells:
        cell.metadata["descent"]["chapter"] = "4"
    nbformat.write(other, tmp_path / "04.ipynb")
    found = collect.take_in(frame, "Kim", [tmp_path / "04.ipynb"], "Kim", tmp_path)
    assert found.notebook is None and found.flags[0].what == "04.ipynb is the problem set of chapter 4, not of 7"


def test_a_notebook_that_a_browser_called_txt_is_read(tmp_path, frame):
    nbformat.write(frame.notebook, tmp_path / "07.ipynb.txt")
    assert collect.take_in(frame, "Kim", [tmp_path / "07.ipynb.txt"], "Kim", tmp_path).notebook is not None


def test_names_that_differ_in_case_or_signs_alone_stay_apart():
    assert list(collect.identities(["Ana B", "ana-b", "Ana_B", "../x", "+"]).values()) == [
        "Ana-B", "ana-b-2", "Ana-B-3", "x", "student"]


def test_of_several_notebooks_the_fullest_is_graded(tmp_path, frame, release):
    folder = tmp_path / "Kim"
    folder.mkdir()
    (folder / "07.ipynb").write_bytes((release.with_name("hand_ins") / "02 half" / "07.ipynb").read_bytes())
    nbformat.write(new_notebook(cells=[new_code_cell("def schedule(t):\n    return 1")]), folder / "tries.ipynb")
    found = collect.take_in(frame, "Kim", [folder], "Kim", tmp_path)
    assert "handed in 2 notebooks: 07.ipynb is graded, not tries.ipynb" in [flag.what for flag in found.flags]


# ---- the command -----------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_the_container_has_no_network_and_cannot_write_the_release(release, engine):
    done = command(release, release.with_name("hand_ins"), "--chapter", "7", "--with", "otter", "--container", engine)
    assert done.returncode == 0
    assert f"{engine} run --rm --network none" in done.stdout
    assert f"{release}:/release:ro" in done.stdout and "/hand_ins:ro" in done.stdout


def test_the_image_has_all_that_grading_needs():
    root = Path(grade.ROOT)
    copied = re.findall(r"(?m)^COPY (.+) \S+$", (root / "course" / "Dockerfile").read_text("utf-8"))
    names = " ".join(copied).split()
    assert {"code", "book", "course", "pyproject.toml", "constraints.txt", "_config.yml"} <= set(names)
    assert all((root / name).exists() for name in names)


def test_a_chapter_that_the_release_lacks_is_named(release):
    done = command(release, release.with_name("hand_ins"), "--chapter", "3", "--with", "otter")
    assert done.returncode and "has no problem set of chapter 3" in done.stderr


def test_a_spreadsheet_does_not_run_a_name():
    assert grade._cell("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert grade._cell("Ada") == "Ada"
