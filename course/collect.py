"""Take hand-ins in, whatever they look like, and make of each a notebook that nbgrader and otter can grade.

    frame, hand_ins = collect(released_notebook, folder_or_zip, out)

`course/grade.py` calls this first.  A folder (or a zip of it, as a learning platform gives it) holds one file or
one folder a student.  Nothing in it is changed, and a copy stands in out/originals.

The released problem set is the frame.
Statements, setup and checks are always the released ones; a student's answers are put into it, found by

1. their metadata (`descent`, else nbgrader's `grade_id`),
2. their cell's id,
3. the functions that they define,
4. their place between cells that were found, or likeness to a released cell.

A student's own cells stay where they are.  Cells that were deleted come back, and a released cell that was
changed is run as the student's own beside the released one, so that nothing handed in is lost.
Whatever is unusual is a `Flag`, a sentence; some say that a person should look.
"""

import ast
import builtins
import difflib
import re
import shutil
import tempfile
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell

EDITABLE = {"answer", "words", "name"}
LARGEST = 200_000_000   # bytes that the zips of one hand-in, or the zip of a class, may hold
DEEPEST = 3   # zips in one another
SKIPPED = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db"}


@dataclass(frozen=True)
class Flag:
    """Something unusual.

    what : a sentence
    exercise : "7.2", or "" for the whole hand-in
    look : whether a person should look before the marks count
    told : whether the student reads it in his feedback
    """

    what: str
    exercise: str = ""
    look: bool = False
    told: bool = True


@dataclass
class HandIn:
    """What one student handed in.

    student : as the folder, the file or the platform names him
    id : the same for graders: letters, digits, "-" and "."
    files : his files, as they came
    notebook : mended, ready to be graded; None where nothing was handed in
    flags : what was unusual
    """

    student: str
    id: str
    files: list
    notebook: nbformat.NotebookNode | None = None
    flags: list = field(default_factory=list)


# ---- the frame ----------------------------------------------------------------


def assignment(chapter):
    """"07" for chapter 7, "F" for the page about frameworks: the name of a problem set and of its file."""
    return f"{int(chapter):02}" if str(chapter).isdigit() else str(chapter)


def question(number):
    """"q7_1": what otter calls an exercise."""
    return "q" + number.replace(".", "_")


def about(cell):
    """What the kit wrote into a cell's metadata: {"edition", "chapter", "exercise", "role"}, or {}."""
    found = cell.metadata.get("descent", {})
    return found if isinstance(found, dict) else {}


def role(cell):
    return about(cell).get("role", "")


def exercise(cell):
    return str(about(cell).get("exercise") or "")


def key(cell):
    """What identifies a released cell in whatever became of it, or None."""
    mark, nbgrader = about(cell), cell.metadata.get("nbgrader", {})
    if isinstance(nbgrader, dict) and nbgrader.get("grade_id"):
        return nbgrader["grade_id"]
    return (str(mark.get("chapter")), str(mark.get("exercise")), mark["role"]) if mark.get("role") else None


def editable(cell):
    return role(cell) in EDITABLE


class Frame:
    """The released problem set of a chapter."""

    def __init__(self, path):
        self.notebook = nbformat.read(path, as_version=4)
        self.cells = self.notebook.cells
        self.edition = next((about(c)["edition"] for c in self.cells if "edition" in about(c)), "")
        self.keys = {key(c): n for n, c in enumerate(self.cells) if key(c)}
        self.ids = {c.id: n for n, c in enumerate(self.cells)}
        self.names = {}   # what the skeletons define: {name: place of the cell}
        for n, cell in enumerate(self.cells):
            if role(cell) == "answer" and cell.cell_type == "code":
                self.names.update(dict.fromkeys(defined(cell.source), n))
        released = [c for c in self.cells if c.cell_type == "code" and not editable(c)]
        self.imported = {name for c in released for name in brought(c.source)}
        self.used = {name for c in released if role(c) in ("given", "check") for name in loaded(c.source)}
        self.used -= set(self.names)


# ---- reading Python that may be none --------------------------------------------


def parsed(source):
    """The syntax tree of a cell, magics and all; raises SyntaxError."""
    source = re.sub(r"\A\s*%%(?:time|capture)\b.*", "", source)   # such a cell is still the student's Python
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(TransformerManager().transform_cell(source))


def defined(source):
    """Names that a cell defines at its top level, with what can be made out where it is not Python."""
    try:
        body = parsed(source).body
    except (SyntaxError, ValueError):
        return re.findall(r"(?m)^(?:async +)?(?:def|class) +(\w+)", source)
    names = []
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names += [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
    return names


def loaded(source):
    """Names that a cell reads."""
    try:
        return {n.id for n in ast.walk(parsed(source)) if isinstance(n, ast.Name)}
    except (SyntaxError, ValueError):
        return set()


def brought(source):
    """Names that a cell imports."""
    try:
        return {alias.asname or alias.name.split(".")[0] for n in ast.walk(parsed(source))
                if isinstance(n, (ast.Import, ast.ImportFrom)) for alias in n.names}
    except (SyntaxError, ValueError):
        return set()


def same_code(source):
    """What a cell does, whatever its comments say; its text where it is no Python."""
    try:
        return ast.dump(parsed(source))
    except (SyntaxError, ValueError):
        return source


def plain(source):
    """Without blanks at the ends of lines: what an editor may change."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


# ---- putting a hand-in into the frame --------------------------------------------


def place(frame, cells):
    """{index of a submitted cell: index of its released cell}, [how each was found]."""
    found, taken, how = {}, set(), {}

    def take(n, target, way):
        if n not in found and target is not None and target not in taken:
            found[n], how[n] = target, way
            taken.add(target)

    for n, cell in enumerate(cells):
        take(n, frame.keys.get(key(cell)), "metadata")
    for n, cell in enumerate(cells):
        take(n, frame.ids.get(cell.get("id")), "id")
    for n, cell in enumerate(cells):   # a copy of a released cell, from a platform that drops ids
        if n not in found and cell.source.strip():
            same = [r for r, c in enumerate(frame.cells) if r not in taken and plain(c.source) == plain(cell.source)]
            take(n, same[0] if same else None, "likeness")
    for n, cell in enumerate(cells):
        if n not in found and cell.cell_type == "code":
            targets = [frame.names[name] for name in defined(cell.source) if name in frame.names]
            take(n, targets[0] if targets else None, "its functions")
    for n, cell in enumerate(cells):   # a changed copy
        if n not in found and len(cell.source) > 40:
            likely = [(difflib.SequenceMatcher(None, c.source, cell.source).ratio(), r)
                      for r, c in enumerate(frame.cells) if r not in taken and c.cell_type == cell.cell_type
                      and not editable(c)]
            if likely and max(likely)[0] > 0.8:
                take(n, max(likely)[1], "likeness")
    for target, cell in enumerate(frame.cells):   # what stands between two that were found
        if target not in taken and editable(cell) and target:
            before = next((n for n, t in found.items() if t == target - 1), None)
            if before is not None:
                follows = [n for n in range(before + 1, len(cells)) if cells[n].source.strip()][:1]
                for n in follows:
                    if cells[n].cell_type == cell.cell_type:
                        take(n, target, "its place")
    return found, how


def mend(frame, submitted):
    """(the frame with a student's answers and own cells in it, flags)."""
    cells, flags = submitted.cells, []
    found, how = place(frame, cells)
    notebook = nbformat.from_dict(dict(frame.notebook, cells=[nbformat.from_dict(dict(c)) for c in frame.cells]))
    own = {n: [] for n in range(-1, len(notebook.cells))}   # own cells behind each cell of the frame
    mark = {n: f"Exercise {exercise(c)}" if exercise(c) else "the problem set" for n, c in enumerate(frame.cells)}
    anchor = -1

    editions = {str(about(c)["edition"]) for c in cells if "edition" in about(c)} - {frame.edition}
    if editions:
        flags.append(Flag(f"was handed out with release {', '.join(sorted(editions))} and is graded by "
                          f"{frame.edition}", look=True))
    lost = {way for n, way in how.items() if editable(frame.cells[found[n]])} - {"metadata"}
    if lost:
        flags.append(Flag("cells have lost their metadata; answers were found by " + ", ".join(sorted(lost)),
                          look="its place" in lost))

    for n, cell in enumerate(cells):
        if n not in found:
            own[anchor] += _own(cell)
            twice = frame.keys.get(key(cell))
            if twice is not None and editable(frame.cells[twice]):
                flags.append(Flag(f"an answer cell of {mark[twice]} is there twice; both are run, in their order",
                                  exercise(frame.cells[twice]), look=True))
            continue
        target = found[n]
        released, mended = frame.cells[target], notebook.cells[target]
        if editable(released):
            mended.source = cell.source
            if cell.get("attachments") and mended.cell_type == "markdown":
                mended.attachments = cell.attachments
            if cell.cell_type != released.cell_type:
                flags.append(Flag(f"an answer cell of {mark[target]} was turned into a {cell.cell_type} cell; it is "
                                  f"read as {released.cell_type}", exercise(released)))
        elif plain(cell.source) != plain(released.source):
            before = role(released) in ("given", "check", "hidden")   # what is tested must stand before the test
            if role(released) != "find":   # installs a package; the machine that grades has it
                own[target - 1 if before else target] += _own(cell)
            flags.append(Flag(f"a released cell of {mark[target]} was changed ({role(released) or 'text'}); the "
                              "released one counts, the student's stands beside it", exercise(released),
                              look=released.cell_type == "code" and role(released) != "find"
                              and same_code(cell.source) != same_code(released.source)))
        anchor = target

    gone = [n for n in range(len(frame.cells)) if n not in found.values()]
    for name in dict.fromkeys(mark[n] for n in gone if editable(frame.cells[n]) and role(frame.cells[n]) != "name"):
        place_ = next(n for n in gone if mark[n] == name)
        flags.append(Flag(f"an answer cell of {name} is missing", exercise(frame.cells[place_]), look=True))
    back = list(dict.fromkeys(mark[n] for n in gone if not editable(frame.cells[n])))
    if back:
        flags.append(Flag(f"released cells were deleted and are back: {', '.join(back)}"))

    flags += _names(frame, notebook, own)
    cells = own[-1] + [c for n, cell in enumerate(notebook.cells) for c in (cell, *own[n])]
    for n, cell in enumerate(cells):
        if not about(cell):
            cell.id = f"own-{n}"
    notebook.cells = cells
    return notebook, flags


def _own(cell):
    """A student's own cell, without what would make a grader take it for one of ours."""
    if not cell.source.strip():
        return []
    if cell.cell_type == "code":
        return [new_code_cell(cell.source)]
    fresh = new_markdown_cell(cell.source)
    if cell.get("attachments"):
        fresh.attachments = cell.attachments
    return [fresh]


def _names(frame, notebook, own):
    """Flags for what cannot be read, and for answers under another name."""
    everywhere = {name for cells in own.values() for c in cells if c.cell_type == "code" for name in defined(c.source)}
    everywhere |= {name for c in notebook.cells if c.cell_type == "code" for name in defined(c.source)}
    flags = []
    for n, cell in enumerate(notebook.cells):
        if not (role(cell) == "answer" and cell.cell_type == "code"):
            continue
        number, released = exercise(cell), frame.cells[n]
        try:
            parsed(cell.source)
        except SyntaxError as error:
            flags.append(Flag(f"the answer of Exercise {number} is no Python: line {error.lineno}, {error.msg}",
                              number))
        except ValueError as error:
            flags.append(Flag(f"the answer of Exercise {number} is no Python: {error}", number))
        wanted = [name for name in defined(released.source) if name not in everywhere]
        instead = [name for name in defined(cell.source) if name not in defined(released.source)]
        if wanted:
            says = f"defines {', '.join(instead)}, not" if instead else "does not define"
            flags.append(Flag(f"the answer of Exercise {number} {says} {', '.join(wanted)}: a person should look",
                              number, look=True))
    return flags


# ---- what a person should look at --------------------------------------------------

REACHES = {   # names, and what one does with them
    "sys": "the interpreter", "inspect": "other functions' variables", "gc": "all objects", "ctypes": "memory",
    "threading": "threads", "multiprocessing": "processes", "subprocess": "processes", "signal": "signals",
    "importlib": "modules", "builtins": "Python's own functions", "get_ipython": "the notebook's kernel",
    "IPython": "the notebook's kernel", "eval": "code made at run time", "exec": "code made at run time",
    "compile": "code made at run time", "__import__": "modules", "setattr": "attributes", "globals": "all names",
    "locals": "all names", "vars": "all names",
    "open": "files", "os": "the system", "pathlib": "files", "shutil": "files", "glob": "files",
    "socket": "the network", "urllib": "the network", "requests": "the network",
    "otter": "the grader", "nbgrader": "the grader", "unittest": "patches",
}


HARMLESS = re.compile(   # what notebooks often have: a line by itself, or a word before Python; of pip: grade.settings
    r"(?m)^[ \t]*(?:%(?:autoreload|config|load_ext|matplotlib|precision)\b.*$|[%!]pip\b[^;&|`$\n{]*$|%time(?:it)?[ \t])")


def suspicions(source, frame):
    """Sentences about a student's cell that reaches for more than an exercise needs.

    They are read from its text, so that a person looks; what a call of the package costs, the tests see when they run.
    """
    try:
        tree = parsed(HARMLESS.sub("", source))
    except (SyntaxError, ValueError):
        return []
    found, imported, used = [], frame.imported, frame.used
    modules = set(imported)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            modules |= {alias.asname or alias.name for alias in node.names}
        else:
            continue
        for name in named:
            if name.startswith("descent.exercises"):
                found.append(f"imports {name}, the checks")
            elif name.split(".")[0] in REACHES:
                found.append(f"imports {name} ({REACHES[name.split('.')[0]]})")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in REACHES:
            if hasattr(builtins, node.id) or node.id == "get_ipython":
                found.append(f"uses {node.id} ({REACHES[node.id]})")
        elif isinstance(node, ast.Call) and _root(node.func) == "getattr":
            if len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
                found.append("uses getattr with a name made at run time")
        elif isinstance(node, ast.Attribute):
            root = _root(node)
            if isinstance(node.ctx, (ast.Store, ast.Del)) and root in modules:
                found.append(f"replaces {ast.unparse(node)}")
            elif node.attr.startswith("__") and node.attr not in ("__name__", "__doc__", "__init__"):
                found.append(f"uses {node.attr}")
            elif node.attr in ("_getframe", "f_locals", "f_back"):
                found.append(f"uses {node.attr} (other functions' variables)")
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _root(node) in modules:
            found.append(f"writes into {ast.unparse(node)}")
    again = (set(defined(source)) | modules - set(imported)) & (used | set(dir(builtins)))
    found += [f"defines {name} anew, which the checks use" for name in sorted(again)]
    return list(dict.fromkeys(found))


def _root(node):
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


# ---- files as they come ------------------------------------------------------------

PLATFORMS = (   # how a learning platform names what it gives back, with a number for each person
    r"(?P<student>[^_]+)(?:_LATE)?_(?P<number>\d+)_\d+_.+",                    # Canvas
    r"(?P<student>.+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?",  # Moodle
    r".+_(?P<student>[^_]+)_attempt_\d{4}-\d\d-\d\d(?:-\d\d)*(?:_.+)?",         # Blackboard
)


def student_of(name):
    """(student, the platform's number for him or "") in the name of a file or folder: all of it but what is added.

    >>> student_of("adaml_4711_815_Chapter 7 (1).ipynb"), student_of("Ada L_17_assignsubmission_file")
    (('adaml', '4711'), ('Ada L', '17'))
    """
    for pattern in PLATFORMS:
        if found := re.fullmatch(pattern, name):
            return found["student"], found.groupdict().get("number", "")
    return re.sub(r"\.(ipynb|zip)$", "", name), ""


def unpack(path, folder, before=0):
    """Unpack a zip below `folder`, where there are `before` bytes already; raises ValueError with a sentence."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = before + sum(entry.file_size for entry in archive.infolist())
            if size > LARGEST:
                others = " with the zips before it" if before else ""
                raise ValueError(f"{path.name} would be {size / 1e6:.0f} MB{others}, more than {LARGEST / 1e6:.0f}")
            archive.extractall(folder)   # drops ".." and absolute paths
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise ValueError(f"{path.name} cannot be unpacked: {error}") from None
    return folder


def unpacked(paths, folder):
    """(the files at or below these paths, with those in their zips; sentences about what was left out)."""
    files, told = [], []
    todo = [(file, 0) for path in paths for file in inside(path)]
    while todo:
        file, depth = todo.pop(0)
        files.append(file)
        if file.suffix.lower() != ".zip":
            continue
        if depth == DEEPEST:
            told.append(f"{file.name} is a zip in {DEEPEST} others: it was left out")
            continue
        before = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
        try:
            todo += [(one, depth + 1) for one in inside(unpack(file, folder / str(len(files)), before))]
        except ValueError as error:
            told.append(f"{error}, so it was left out")
    return files, told


def inside(path):
    """The files at or below a path, without what systems leave there."""
    found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [p for p in found if not SKIPPED.intersection(p.parts) and not p.name.startswith("._")]


def students(hand_ins, scratch):
    """{student: paths of what he handed in}; a zip of the whole class is unpacked below `scratch`.

    Two of one name are "Jan Kim (17)" and "Jan Kim (18)", by the platform's numbers.
    """
    if hand_ins.is_file():
        hand_ins = unpack(hand_ins, scratch / "class")
    entries = [p for p in sorted(hand_ins.iterdir()) if p.name not in SKIPPED and not p.name.startswith(".")]
    if len(entries) == 1 and (entries[0].is_dir() or entries[0].suffix == ".zip"):   # a class in one zip or folder
        only = entries[0] if entries[0].is_dir() else unpack(entries[0], scratch / "class")
        below = [p for p in sorted(only.iterdir()) if p.name not in SKIPPED]
        if len(below) > 1 and (all(p.is_dir() for p in below) or all(p.is_file() for p in below)):
            entries = below
    found = {}
    for path in entries:
        found.setdefault(student_of(path.name), []).append(path)
    names = [student for student, _ in found]
    return {f"{student} ({number})" if names.count(student) > 1 and number else student: paths
            for (student, number), paths in found.items()}


def read(path):
    """A notebook of any version, or a ValueError with a sentence."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is no notebook") from None
    if not text.strip():
        raise ValueError(f"{path.name} is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            cell.metadata, cell.source = cell.get("metadata", {}), cell.source
            if isinstance(cell.source, list):
                cell.source = "".join(cell.source)
            if not isinstance(cell.source, str) or cell.cell_type not in ("code", "markdown", "raw"):
                raise ValueError
    except Exception:   # JSON or its form: there are many ways to be no notebook
        raise ValueError(f"{path.name} is no notebook") from None
    if not any(cell.source.strip() for cell in notebook.cells):
        raise ValueError(f"{path.name} is an empty notebook")
    return notebook


def chapters_of(notebook):
    """The chapters whose problem sets a notebook's cells come from, by their metadata."""
    return {str(about(cell)["chapter"]) for cell in notebook.cells if about(cell).get("chapter")}


def take_in(frame, student, paths, identity, scratch):
    """One student's hand-in, mended."""
    hand_in = HandIn(student, identity, list(paths))
    files, told = unpacked(paths, scratch / f"{identity}-zips")
    hand_in.flags += [Flag(what, look=True) for what in told]
    best = None
    for path in files:
        if path.suffix.lower() == ".zip":
            continue
        if path.suffix.lower() not in (".ipynb", ".json", "") and ".ipynb" not in path.name.lower():   # "x.ipynb.txt"
            continue
        try:
            notebook = read(path)
        except ValueError as error:
            hand_in.flags.append(Flag(str(error), look=True))
            continue
        if others := chapters_of(notebook) - {about(frame.cells[0]).get("chapter")}:
            hand_in.flags.append(Flag(f"{path.name} is the problem set of chapter {' and '.join(sorted(others))}, "
                                      f"not of {about(frame.cells[0]).get('chapter')}", look=True))
            if len(others) == len(chapters_of(notebook)):
                continue
        found, _ = place(frame, notebook.cells)
        belongs = sum(editable(frame.cells[n]) for n in found.values())
        if belongs and (best is None or (belongs, path.stat().st_mtime) >= best[:2]):
            best = (belongs, path.stat().st_mtime, path, notebook)
        elif not belongs:
            hand_in.flags.append(Flag(f"{path.name} has nothing of this problem set"))
    others = [p for p in files if p.suffix.lower() == ".ipynb" and best and p != best[2]]
    if others:
        hand_in.flags.append(Flag(f"handed in {len(others) + 1} notebooks: {best[2].name} is graded, not "
                                  + ", ".join(p.name for p in others), look=True))
    if best is None:
        names = ", ".join(p.name for p in files) or "an empty folder"
        hand_in.flags.append(Flag(f"counts as nothing handed in: {names}", look=True))
        return hand_in
    hand_in.notebook, flags = mend(frame, best[3])
    hand_in.flags += flags
    return hand_in


def identities(names):
    """{name: the same in letters, digits, "-" and "."}, each once."""
    found = {}
    for name in names:
        base = re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.") or "student"
        taken, n, identity = {i.lower() for i in found.values()}, 1, base
        while identity.lower() in taken:
            n += 1
            identity = f"{base}-{n}"
        found[name] = identity
    return found


def collect(released, hand_ins, out):
    """Take in a folder (or zip) of hand-ins: [HandIn], with the originals in out/originals."""
    frame = Frame(released)
    hand_ins, out = Path(hand_ins), Path(out)
    with tempfile.TemporaryDirectory() as scratch:
        found = students(hand_ins, Path(scratch))
        taken = []
        for student, identity in identities(found).items():
            for path in found[student]:
                copy = out / "originals" / identity / path.name
                copy.parent.mkdir(parents=True, exist_ok=True)
                if path.is_dir():
                    shutil.copytree(path, copy, dirs_exist_ok=True)
                else:
                    shutil.copy2(path, copy)
            taken.append(take_in(frame, student, found[student], identity, Path(scratch)))
    return frame, taken
