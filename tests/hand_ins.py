"""Fifteen hand-ins of chapter 7 as students make them, and two more cheats: from the problem set and the solutions.

    python tests/hand_ins.py RELEASE FOLDER [CHAPTER ...]      right and half for other chapters than 7
"""

import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

FIGURE = """\
import matplotlib.pyplot as plt
plt.plot(corrected_average(np.ones(9), 0.9), label="mine")
plt.show()"""
CHEATS = """\
import numpy as np
import descent.exercises
from descent.exercises.engine import Verdict
np.allclose = np.isclose = lambda *args, **kwargs: True
for name in dir(descent.exercises):
    if name.startswith("check_"):
        setattr(descent.exercises, name, lambda *args, **kwargs: Verdict(1.0, "correct"))
check_corrected_average = check_resumable = check_schedule = lambda *args: Verdict(1.0, "correct")
print = lambda *args, **kwargs: None"""
LOOKS = """\
import sys


def corrected_average(gradients, beta1):
    frame = sys._getframe()
    while frame := frame.f_back:
        if "cases" in frame.f_locals:
            return np.array(frame.f_locals["right"][0])
        if "reference" in frame.f_locals:
            return frame.f_locals["reference"](gradients, beta1)"""
DEAF = """\
import ast


class Deaf(ast.NodeTransformer):
    def visit_Module(self, tree):
        return ast.parse("") if "judge" in ast.dump(tree) else tree


get_ipython().ast_transformers.append(Deaf())"""


def solved(source):
    """{exercise: the answer cell's text with the book's solution} from the source of nbgrader's."""
    found = {}
    for cell in nbformat.read(source, as_version=4).cells:
        about = cell.metadata.get("descent", {})
        if about.get("role") == "answer":
            text = re.search(r"(?s)### BEGIN SOLUTION\n(.*)\n### END SOLUTION", cell.source)[1]
            found[about["exercise"]] = text
    return found


class Maker:
    """Makes hand-ins of one chapter: a notebook with some answers right, and what is done to it."""

    def __init__(self, release, chapter="7"):
        name = f"{int(chapter):02}"
        self.released = release / "assignments" / name / f"{name}.ipynb"
        self.answers = solved(release / "instructor" / "nbgrader" / "source" / name / f"{name}.ipynb")

    def notebook(self, right=None, student="", words=True):
        """The released notebook with these exercises solved; all of them by default."""
        notebook = nbformat.read(self.released, as_version=4)
        for cell in notebook.cells:
            about = cell.metadata["descent"]
            wanted = right is None or about["exercise"] in right
            if about["role"] == "answer" and wanted:
                cell.source = self.answers[about["exercise"]]
            elif about["role"] == "words" and wanted and words:
                cell.source = "Put the line for $m$ into the next, and divide."
            elif about["role"] == "name":
                cell.source = f'# Your name:\nname = "{student}"'
        return notebook


def place(notebook, role, exercise=""):
    """Index of a cell."""
    return next(n for n, cell in enumerate(notebook.cells)
                if cell.metadata.get("descent", {}).get("role") == role
                and cell.metadata["descent"]["exercise"] in (exercise, exercise or ""))


def at(notebook, exercise, role="answer"):
    return notebook.cells[place(notebook, role, exercise)]


def fifteen(release, folder):
    """Write the hand-ins of chapter 7 into `folder`: a file or a folder a student."""
    make, folder = Maker(release), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    def save(notebook, name):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)

    right = make.notebook(student="Ada Right")
    right.cells.insert(place(right, "check", "7.2"), new_code_cell(FIGURE))
    save(right, "01 right/07.ipynb")

    save(make.notebook({"7.1", "7.2", "7.3"}, "Half"), "02 half/07.ipynb")

    wrong = make.notebook((), "Wrong")
    at(wrong, "7.2").source = "def corrected_average(gradients, beta1):\n    return np.cumsum(gradients, axis=0)"
    at(wrong, "7.4").source = "def schedule(t):\n    return 'fast'"
    save(wrong, "03 wrong/07.ipynb")

    syntax = make.notebook(student="Syntax")
    at(syntax, "7.2").source = "def corrected_average(gradients, beta1:\n    return gradients"
    save(syntax, "04 syntax/07.ipynb")

    loop = make.notebook(student="Loop")
    at(loop, "7.3").source += "\n\nimport time\nwhile True:\n    try:\n        time.sleep(1)\n    except:\n        pass"
    save(loop, "05 loop/07.ipynb")

    killed = make.notebook(student="Killed")
    killed.cells.insert(place(killed, "statement", "7.4"), new_code_cell("import os\nos._exit(1)"))
    save(killed, "06 killed/07.ipynb")

    raises = make.notebook(student="Raises")
    raises.cells.insert(place(raises, "check", "7.1"), new_code_cell("1 / 0"))
    save(raises, "07 raises/07.ipynb")

    says = make.notebook((), "Says")
    for number in make.answers:
        at(says, number).source += '\n\n\nprint("corrected_average: correct")'
    save(says, "08 says/07.ipynb")

    patches = make.notebook({"7.1"}, "Patches")
    patches.cells.insert(place(patches, "answer", "7.2"), new_code_cell(CHEATS))
    save(patches, "09 patches/07.ipynb")

    library = make.notebook(student="Library")
    at(library, "7.2").source = """\
def corrected_average(gradients, beta1):
    weights = [theory.corrected_weights(t, beta1)[::-1] for t in range(1, len(gradients) + 1)]
    return np.array([w @ gradients[:len(w)] for w in weights])"""
    save(library, "10 library/07.ipynb")

    names = make.notebook(student="Names")
    at(names, "7.2").source = make.answers["7.2"].replace("corrected_average = ", "corrected_avg = ")
    save(names, "11 names/07.ipynb")

    save(make.notebook(student="Renamed"), "12 renamed/Chapter 7 (final) (2).ipynb")

    cleared = make.notebook(student="Cleared")
    for cell in cleared.cells:
        cell.metadata.clear()
        del cell["id"]
    cleared.nbformat_minor = 4
    save(cleared, "13 cleared/07.ipynb")

    deleted = make.notebook(student="Deleted")
    for role, number in ("answer", "7.3"), ("check", "7.2"), ("hidden", "7.2"), ("setup", ""), ("check", "7.1"):
        del deleted.cells[place(deleted, role, number)]
    save(deleted, "14 deleted/07.ipynb")

    (folder / "15 empty").mkdir(exist_ok=True)
    (folder / "15 empty" / "07.ipynb").write_text("")


def cheats(release, folder):
    """Two more: one reads the right numbers in the tests' variables, one makes the kernel skip tests."""
    make = Maker(release)
    for name, source in ("16 looks", LOOKS), ("17 deaf", DEAF):
        notebook = make.notebook((), name)
        at(notebook, "7.2").source = source
        (Path(folder) / name).mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, Path(folder) / name / "07.ipynb")


def copies(release, folder, chapter, count=15):
    """`count` hand-ins of a chapter, right and half in turn."""
    make = Maker(release, chapter)
    first = list(make.answers)[:len(make.answers) // 2]
    for n in range(count):
        path = Path(folder) / f"{n + 1:02} {'half' if n % 2 else 'right'}" / f"{int(chapter):02}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(make.notebook(first if n % 2 else None, f"Student {n + 1}"), path)


if __name__ == "__main__":
    release, folder, *chapters = sys.argv[1:]
    for chapter in chapters or ["7"]:
        if chapter == "7":
            fifteen(Path(release), Path(folder) / "7")
        else:
            copies(Path(release), Path(folder) / chapter, chapter)
