"""Problem sets: right answers get their marks, wrong ones none, and nothing is given away."""

import contextlib
import io
import re
import shutil
import sys

import nbformat
import pytest

import assignments
import exercises as book
import hidden
import judge
import make

EDITION = make.Edition("test", make.version(), make.commit(), seed=11, secret=22)
CHAPTERS = list(book.chapters())
made = {}


def problem_set(chapter, edition=EDITION, own=False):
    key = chapter, edition, own
    if key not in made:
        made[key] = assignments.problem_set(chapter, edition, own)
    return made[key]


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """What a hand-in does to the process is undone: it has a kernel of its own, this has not."""
    before = dict(sys.modules)
    yield
    for name in [name for name in sys.modules if name not in before and name[0] == "_" and len(name) == 65]:
        del sys.modules[name]
    sys.modules.update({name: module for name, module in before.items() if name.split(".")[0] == "descent"})


def hand_in(chapter, answers={}, *, solved=False, own=False, name="Ada Lovelace", only=None, edit=lambda text: text):
    """Runs a problem set as a grader does; {cell: (marks, what is said)}.

    answers : {"7.2": source of the answer's cell}, "solved" for the book's; all others are skeletons
    only : the exercise whose test cells are run
    edit : what is changed in the test cells
    """
    space, found = {"__name__": "__main__"}, {}
    for cell in problem_set(chapter, own=own).cells:
        if cell.kind != "code" or cell.role == "find":
            continue
        source, tested = cell.source, cell.role in ("check", "hidden")
        if cell.role == "name":
            source = f"name = {name!r}"
        elif cell.role == "answer":
            source = answers.get(cell.exercise, "solved" if solved else source)
            if source == "solved":
                source = f"{cell.source}\n{cell.secret}"
        elif tested:
            if only and cell.exercise != only:
                continue
            source = edit(cell.secret) + ("\n" + cell.source if cell.role == "check" else "")
        out, right = io.StringIO(), True
        with contextlib.redirect_stdout(out):
            try:
                exec(compile(source, f"<{cell.role}>", "exec"), space)
            except Exception as error:
                right = False
                print(error)
        if tested:
            found[assignments.identity(problem_set(chapter, own=own), cell)] = cell.points * right, out.getvalue()
    return found


def marks(found):
    return sum(points for points, _ in found.values())


def words(found):
    return "\n".join(text for _, text in found.values())


def code_points(chapter):
    return sum(e.points - e.words for e in book.exercises(chapter) if not e.on_paper)


# ---- every exercise of every chapter ------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_books_own_solution_gets_all_points_and_no_flag(chapter):
    found = hand_in(chapter, solved=True)
    assert {cell: text for cell, (points, text) in found.items() if not points} == {}
    assert marks(found) == code_points(chapter) and "FLAG" not in words(found)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_skeleton_gets_nothing_and_is_told_so(chapter):
    found = hand_in(chapter)
    assert marks(found) == 0 and "FLAG" not in words(found)
    assert all("not done yet" in text for _, text in found.values())


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_all_points_of_the_table_are_somewhere(chapter):
    cells = problem_set(chapter).cells
    for exercise in book.exercises(chapter):
        mine = [cell for cell in cells if cell.exercise == exercise.number]
        assert sum(cell.points for cell in mine) == exercise.points
        assert sum(cell.points for cell in mine if cell.role == "words") == exercise.words
        for part in {cell.part for cell in mine if cell.role == "hidden"}:   # halves, but for half a point
            check, other = (next((c.points for c in mine if (c.role, c.part) == (role, part)), 0)
                            for role in ("check", "hidden"))
            assert 0 <= other - check <= 0.5


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_student_is_told_what_earns_the_points(chapter):
    for own in {False, chapter in ("3", "4", "7")}:
        cells = problem_set(chapter, own=own).cells
        for exercise in book.exercises(chapter):
            mine = [cell for cell in cells if cell.exercise == exercise.number]
            said = re.search(r"^\*\d points? \((.+?)\)", mine[0].source, re.M)[1]
            given = {name: sum(c.points for c in mine if c.role == role)
                     for name, role in {"check": "check", "grader": "hidden", "words": "words"}.items()}
            given = {name: points for name, points in given.items() if points}
            assert said == (", ".join(f"{points:g} {name}" for name, points in given.items()) if len(given) > 1
                            else "".join(given))


def test_every_exercise_with_a_check_is_known_and_no_other():
    labels = {e.label for chapter in CHAPTERS for e in book.exercises(chapter) if not e.on_paper}
    assert labels == set(hidden.PARTS) and set(hidden.OWN) < labels


@pytest.mark.parametrize("chapter, exercise, name, known", [
    ("3", "3.1", "my_rmsprop", "BROKEN_RMSPROPS"), ("8", "8.1", "adam_from_scratch", "BROKEN_ADAMS")])
def test_every_known_mistake_fails_on_the_hidden_inputs(chapter, exercise, name, known):
    from descent.exercises import mistakes
    for cause in getattr(mistakes, known):
        found = hand_in(chapter, {exercise: f"from descent.exercises import mistakes\n{name} = "
                                            f"lambda *args: mistakes.{known}[{cause!r}](*args)"}, only=exercise)
        points, text = found[exercise.replace(".", "-") + "-hidden-1"]
        assert marks(found) == 0 and ("is wrong" in text or "raised" in text), cause


# ---- what does not count ------------------------------------------------------------


GOOD = """
def corrected_average(gradients, beta1):
    m_hat, result = 0, []
    for t, g in enumerate(gradients, 1):
        m_hat = m_hat + (1 - beta1) / (1 - beta1**t) * (g - m_hat)
        result.append(m_hat)
    return np.array(result)
"""
BAD = "def corrected_average(gradients, beta1):\n    return gradients\n"
LIBRARY = """
def corrected_average(gradients, beta1):
    state, result = State(theta=0 * gradients[0]), []
    for g in gradients:
        state = foo(state, g, beta1=beta1)
        result.append(state.m_hat)
    return np.array(result)
"""
CHEATS = {   # of exercise 7.2: source, the marks of it, what is said
    "prints that it is correct": (BAD + "print('corrected_average: correct')", 0, "m_hat is wrong"),
    "prints it when called": (BAD.replace("    return", "    print('corrected_average: correct')\n    return"), 0,
                              "m_hat is wrong"),
    "right on the book's inputs only": (
        GOOD + "right = corrected_average\ndef corrected_average(g, b):\n"
        "    return right(g, b) if g.shape == (5, 3) and g[0, 0] == 2 else g", 1, "hidden input 1 of 3"),
    "calls the library": ("from descent import State\nfrom descent.rules import adam as foo" + LIBRARY, 0,
                          "FLAG: exercise 7.2: calls descent.rules.adam\n"),
    "calls it under an alias": ("import descent as d\nState, foo = d.State, vars(d)['adam']" + LIBRARY, 0,
                                "FLAG: exercise 7.2: calls descent.rules.adam\n"),
    "calls a closed form": (
        "import descent.theory as th\ndef corrected_average(g, b):\n    return np.array([np.tensordot("
        "th.corrected_weights(t, b)[::-1], g[:t], 1) for t in range(1, len(g) + 1)])", 0,
        "FLAG: exercise 7.2: calls descent.theory.bias_correction.corrected_weights\n"),
    "calls what the checks know": (
        "from descent.exercises import mistakes\ndef corrected_average(g, b):\n"
        "    mistakes._adam_path(g[0], g, 0.1, b, b, 0.1)\n    return right(g, b)\nright = None" + GOOD.replace(
            "corrected_average", "right"), 0, "FLAG: exercise 7.2: calls descent.exercises.mistakes._adam_path\n"),
    "switches off what watches": (
        "import sys\nfrom descent import State\nfrom descent.rules import adam as foo" + LIBRARY.replace(
            "    state,", "    sys.setprofile(None)\n    state,"), 0, "FLAG: exercise 7.2: switches off"),
    "redefines the check": (GOOD + "def check_corrected_average(f):\n    print('correct')", 0,
                            "FLAG: exercise 7.2: `check_corrected_average` is not the book's\n"),
    "patches the check": (BAD + "import descent.exercises as e\ne.check_corrected_average = print", 0,
                          "FLAG: exercise 7.2: descent.exercises.check_corrected_average is replaced\n"),
    "patches the engine": (
        BAD + "from descent.exercises import engine\nengine._equal = lambda a, b, rtol: np.ones(b.shape, bool)", 0,
        "FLAG: exercise 7.2: descent.exercises.engine._equal is replaced\n"),
    "patches numpy": (BAD + "np.isclose = lambda a, b, **k: np.ones(np.shape(b), bool)", 0,
                      "FLAG: exercise 7.2: numpy.isclose is replaced\n"),
    "another name": (GOOD.replace("corrected_average", "corrected"), 0, "there is no `corrected_average`"),
    "no function": ("corrected_average = 3", 0, "must be a function"),
    "leaves Python": (BAD.replace("return gradients", "raise SystemExit"), 0, "SystemExit"),
    "rebinds everything": (
        GOOD.replace("np.", "numpy.") + "import numpy\nnp = print = exec = zlib = judge = array = None", 2,
        "corrected_average: correct"),
    "changes its input": (GOOD.replace("    return np", "    gradients *= 0\n    return np"), 2, "correct"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_gets_nothing_or_a_flag_and_costs_no_other_exercise(cheat, monkeypatch):
    import numpy
    from descent.exercises import engine
    import descent.exercises as checks
    monkeypatch.setattr(numpy, "isclose", numpy.isclose)   # put back afterwards
    monkeypatch.setattr(engine, "_equal", engine._equal)
    monkeypatch.setattr(checks, "check_corrected_average", checks.check_corrected_average)
    source, points, said = CHEATS[cheat]
    found = hand_in("7", {"7.1": "solved", "7.2": source})
    mine = {cell: one for cell, one in found.items() if cell.startswith("7-2")}
    assert marks(mine) == points and said in words(mine)
    assert found["7-1-check-1"][0] == 3
    if "patches" not in cheat:   # these change the package under all that follows
        assert "FLAG" not in words({cell: one for cell, one in found.items() if cell not in mine})


@pytest.mark.parametrize("body", [
    "    while True:\n        pass\n",
    "    while True:\n        try:\n            while True:\n                pass\n        except:\n            pass\n",
    "    import time\n    time.sleep(60)\n"], ids=["plain", "swallows every exception", "sleeps"])
def test_an_endless_loop_costs_that_exercise_and_its_limit_once(body):
    if not hasattr(judge.signal, "setitimer"):
        pytest.skip("no limit without timers")
    found = hand_in("7", {"7.1": "solved", "7.2": "def corrected_average(gradients, beta1):\n" + body, "7.4": "solved"},
                    edit=lambda text: text.replace("limit=4.0", "limit=0.3"))
    assert found["7-1-check-1"][0] == 3 and found["7-4-check-1"][0] == 4
    assert "longer than 0.3 seconds" in found["7-2-check-1"][1]
    assert "not tried again" in found["7-2-hidden-1"][1]


def test_a_busy_machine_makes_nobody_late():
    """The limit is one of processor time: here a first call waits longer than it by the clock on the wall."""
    waits = "m_hat, result = 0, []\n    if not vars(corrected_average):\n        corrected_average.called = True\n        __import__('time').sleep(1.2)"
    found = hand_in("7", {"7.2": GOOD.replace("m_hat, result = 0, []", waits)}, only="7.2",
                    edit=lambda text: text.replace("limit=4.0", "limit=1.0"))
    mine = {cell: one for cell, one in found.items() if cell.startswith("7-2")}
    assert "ran longer" not in words(mine) and marks(mine) == marks(hand_in("7", {"7.2": GOOD}, only="7.2")) > 0


def test_another_package_than_the_releases_is_a_flag():
    found = hand_in("7", {"7.2": GOOD}, only="7.2", edit=lambda text: text.replace(
        assignments.package_digest(), "0" * 16))
    assert marks(found) == 0 and f"are not those of release {EDITION.version}" in words(found)


# ---- numbers of one's own -----------------------------------------------------------


@pytest.mark.parametrize("chapter", ["3", "4", "7"])
def test_right_answers_to_ones_own_numbers_get_all_points_and_a_neighbours_do_not(chapter):
    found = hand_in(chapter, solved=True, own=True)
    assert marks(found) == code_points(chapter) and "NAME: Ada Lovelace" in words(found)
    own = [e for e in book.exercises(chapter) if e.label in hidden.OWN]
    assert len(own) >= 2
    for exercise in own:
        cell = next(c for c in problem_set(chapter, own=True).cells
                    if (c.exercise, c.role) == (exercise.number, "answer"))
        right = f"{cell.source}\n{cell.secret}"
        copied = right.replace(f"(**{assignments.own_name(exercise)})", f"(**{somebodys(exercise)})")
        assert copied != right
        found = hand_in(chapter, {exercise.number: copied}, own=True, only=exercise.number)
        part = hidden.OWN[exercise.label].part
        assert found[f"{exercise.number.replace('.', '-')}-hidden-{part}"][0] == 0


def somebodys(exercise):
    """Somebody's numbers that are not Ada's."""
    choices = hidden.OWN[exercise.label].choices
    mine = judge.my_numbers("Ada Lovelace", EDITION.seed, exercise.number, **choices)
    return next(other for name in "abcdefgh" if (other := judge.my_numbers(
        name, EDITION.seed, exercise.number, **choices)) != mine)


def test_ones_own_numbers_are_the_same_in_every_version_of_python():
    choices = {"q": list(range(1000)), "T": list(range(1000))}
    assert judge.my_numbers("Ada Lovelace", 11, "4.1", **choices) == {"q": 657, "T": 779}
    assert judge.my_numbers("  ada   LOVELACE ", 11, "4.1", **choices) == {"q": 657, "T": 779}


def test_without_a_name_the_test_asks_for_it():
    assert "write your name" in words(hand_in("4", own=True, name="", only="4.1"))


# ---- secrets ------------------------------------------------------------------------


def student_version(source):
    """What nbgrader's own preprocessors leave of a source notebook."""
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
    from traitlets.config import Config
    config = Config()
    config.ClearSolutions.code_stub, config.ClearSolutions.text_stub = {"python": ""}, assignments.STUB
    for step in ClearSolutions, ClearHiddenTests:
        source, _ = step(config=config).preprocess(source, {})
    return source


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_nothing_hidden_stands_in_what_students_get(chapter):
    for own in {False, chapter in ("3", "4", "7")}:
        ready = problem_set(chapter, own=own)
        notebook = student_version(assignments.nbgrader_source(ready))
        text = nbformat.writes(notebook)
        cells = {cell.id: cell for cell in notebook.cells}
        for cell in ready.cells:
            given = cells[assignments.identity(ready, cell)] if cell.role != "given" else None
            if cell.role == "answer":
                assert given.source.rstrip() == cell.source.rstrip()
            elif cell.role in ("check", "hidden"):
                assert given.source == cell.source
        shown = {line.strip() for cell in notebook.cells for line in cell.source.splitlines()}
        for cell in ready.cells:
            secret = {line.strip() for line in cell.secret.splitlines()}
            public = {line.strip() for c in ready.cells for line in c.source.splitlines()}
            assert not {line for line in secret - public if len(line) > 11} & shown
        assert "HIDDEN" not in text and "SOLUTION" not in text and str(EDITION.secret) + "," not in text
        assert "b85decode" not in text and "forbids" not in text


def test_hidden_inputs_come_from_the_editions_secret_seed():
    other = make.Edition("other", EDITION.version, EDITION.commit, EDITION.seed, secret=23)
    again = make.Edition("again", EDITION.version, EDITION.commit, EDITION.seed, secret=22)

    def secrets(edition):
        return [cell.secret for cell in problem_set("8", edition).cells if cell.role == "hidden"]
    assert secrets(again) == secrets(EDITION)
    assert [a == b for a, b in zip(secrets(other), secrets(EDITION))] == [False, True]   # a function, a value


# ---- the cells ------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_cell_says_what_it_is(chapter):
    notebook = assignments.nbgrader_source(problem_set(chapter, own=chapter in ("3", "4", "7")))
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in notebook.cells:
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert folded == (cell.metadata.descent.role in ("find", "numbers"))   # long, and nobody needs to read it
        assert set(cell.metadata["descent"]) == {"edition", "chapter", "exercise", "role", "part"}
        assert cell.metadata["nbgrader"]["grade_id"] == cell.id
    titles = ["\n".join(cell.source.splitlines()[:3]) for cell in notebook.cells if cell.metadata.descent.role == "statement"]
    assert titles == [title for title in titles if re.fullmatch(
        r"## Exercise [\dF]+\.\d+ · .+\n\n\*\d points? \(.+\), about \d+ minutes(, .+)?\*", title)]
    assert not [cell.id for cell in notebook.cells if cell.cell_type == "markdown" and re.search(
        r"(?m)^(`{3,}|:{3,}|~{3,})\{|\{(eq|ref|cite|doc|term)\}`", cell.source)]


def test_the_setup_is_what_the_exercises_need():
    assert assignments.setup_of("7").startswith("import numpy as np\nfrom descent import adam, run, theory\n")
    assert "matplotlib" not in "".join(map(assignments.setup_of, CHAPTERS))
    first = assignments.setup_of("1")   # the words of 1.4 call log_loss, and what that calls comes along, in order
    assert first.index("units = ") < first.index("def start") < first.index("def log_loss")
    assert "explore" not in first and "bowl" not in first


def test_names_are_followed_to_where_they_are_bound_and_changed():
    pool = assignments.statements("import numpy as np\na = 1\na = 2\nb = [a]\nb.append(3)\nc = np.append(a, 1)\n"
                                  "def f(x):\n    a = b\n    return a\nfor i in b:\n    d = i")
    texts, lost = assignments.closure({"f", "np", "nowhere"}, pool)
    assert [s.text.splitlines()[0] for s in texts] == ["import numpy as np", "a = 2", "b = [a]", "b.append(3)",
                                                       "def f(x):"]
    assert lost == {"nowhere"}


# ---- the graders' own programs; hand-ins are graded in test_course_grading.py --------------


def test_nbgraders_and_otters_students_get_the_same(kit):
    ours = nbformat.read(kit / "assignments" / "07" / "07.ipynb", as_version=4)
    otters = nbformat.read(kit / "instructor" / "otter" / "07" / "dist" / "student" / "07.ipynb", as_version=4)

    def content(notebook):
        found = [(cell.cell_type, re.sub(r"<!-- (BEGIN|END) QUESTION -->\s*", "", cell.source).strip(),
                  cell.metadata.get("descent")) for cell in notebook.cells]
        return [one for one in found if one[1]]
    assert content(ours) == content(otters) and len(content(ours)) == len(ours.cells)
    for path in (kit / "instructor" / "otter" / "07" / "dist" / "student").rglob("*"):
        assert path.is_dir() or "b85decode" not in path.read_text("utf-8")


def test_gradescopes_zip_brings_the_package(kit, tmp_path):
    shutil.unpack_archive(kit / "instructor" / "gradescope" / "07.zip", tmp_path)
    wheel = next((tmp_path / "files").glob("descent-*.whl"))
    shutil.unpack_archive(wheel, tmp_path / "wheel", "zip")
    assert judge.digest(tmp_path / "wheel" / "descent") == assignments.package_digest()
    assert f"/autograder/source/files/{wheel.name}" in (tmp_path / "environment.yml").read_text()


def test_a_chapter_without_exercises_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="chapter = '0' has no exercises; those with exercises are 1, 2"):
        problem_set("0")


def test_tests_leave_a_students_names_alone():
    cells = assignments.nbgrader_source(problem_set("4")).cells
    theirs = dict.fromkeys(["cases", "right", "array", "judge", "nan"], 7)
    space = {"__name__": "__main__", **theirs}
    for cell in cells:
        if cell.id in ("4-setup", "4-1-answer", "4-1-check-1", "4-1-hidden-1"):
            with contextlib.redirect_stdout(io.StringIO()):
                exec(cell.source, space)
    assert {name: space[name] for name in theirs} == theirs


def test_a_function_that_prints_without_end_is_late_and_not_suspected():
    found = hand_in("4", {"4.1": "def decay_rate_for(r, steps):\n    while True:\n        print('y' * 1000)"},
                    only="4.1", edit=lambda text: text.replace("limit=4.0", "limit=0.2"))
    assert marks(found) == 0 and "ran longer than" in words(found) and "FLAG" not in words(found)
