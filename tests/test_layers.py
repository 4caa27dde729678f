"""Which room may import which: downwards only, never in a circle."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "code" / "descent"
# From the ground up: a room imports from the floors below it, or from its own room.
FLOORS = [
    {"rules", "precision", "problems", "theory", "gradients"},
    {"loop"},
    {"network", "inplace", "frameworks"},
    {"recorded"},
    {"figures", "exercises"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def modules():
    """(dotted name below descent, file) of every module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


NAMES = {name for name, _ in modules()}


def imported(path):
    """The modules of descent that a file imports, wherever in the file: dotted names below descent."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative imports hide what they name"
            below = node.module.removeprefix("descent").lstrip(".")
            for alias in node.names:
                inside = f"{below}.{alias.name}".lstrip(".")
                found.add(f"descent.{inside}" if inside in NAMES else node.module)
    return {name.removeprefix("descent").lstrip(".") for name in found if name.split(".")[0] == "descent"}


def room(name):
    return name.split(".")[0]


def test_every_room_stands_on_a_floor():
    assert {room(name) for name in NAMES} - {""} == set(FLOOR)


def test_no_import_runs_upwards():
    """The package's own front, `descent/__init__.py`, gathers names for readers: no room reads them from there."""
    wrong = []
    for name, path in modules():
        if name == "":
            continue
        for other in imported(path):
            if other == "":
                wrong.append(f"{name} imports from descent itself: name the room")
            elif room(other) != room(name) and FLOOR[room(other)] >= FLOOR[room(name)]:
                wrong.append(f"{name} imports {other}, which stands on the same floor or above")
    assert wrong == []


def test_no_imports_form_a_circle():
    graph = {name: imported(path) - {name} for name, path in modules() if name}
    while free := {name for name, others in graph.items() if not others & graph.keys()}:
        graph = {name: others for name, others in graph.items() if name not in free}
    assert graph == {}


def test_only_what_draws_imports_matplotlib_or_widgets():
    drawing = {"matplotlib", "anywidget", "ipywidgets", "traitlets", "PIL", "IPython"}
    found = [(name, line) for name, path in modules() if room(name) != "figures"
             for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, (ast.Import, ast.ImportFrom))
             for line in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
             if line.split(".")[0] in drawing]
    assert found == []


def test_the_book_imports_nothing_of_the_course_kit():
    kit = {path.stem for path in (ROOT / "course").glob("*.py")}
    found = [(path.name, name) for path in (ROOT / "book").rglob("*.py")
             for name in re.findall(r"(?m)^ *(?:import|from) (\w+)", path.read_text("utf-8")) if name in kit]
    assert kit and found == []
