"""Problem sets: for each chapter one neutral list of cells, from which nbgrader's and otter's source are written.

    python course/make.py --only assignments 3 4 7      one part of `make course CHAPTERS="3 4 7"`

`write` makes below FOLDER

* `assignments/NN/NN.ipynb`: what students get, by nbgrader's own generate step;
* `instructor/nbgrader/`: a course folder; `nbgrader generate_assignment 07`, `autograde`, `generate_feedback`
  and `export` work in it (submissions belong in `submitted/STUDENT/07/07.ipynb`);
* `instructor/otter/NN/`: the source in otter's format, and what `otter assign` makes of it;
* `instructor/gradescope/NN.zip`: otter's autograder with this release's wheel inside.

The cells
=========

Every cell has the metadata `"descent": {"edition", "chapter", "exercise", "role", "part"}`; `exercise` is "7.1",
or "" where a cell belongs to none, and `part` counts an exercise's checks from 1 (0 where there is none).
The roles, in their order:

    title       Markdown: chapter, points, what to do
    find        code: finds or installs this release
    name        code: `name = ""`, filled in by the student
    setup       code: imports and definitions that the exercises need, locked
    statement   Markdown: "Exercise 7.1 · Title", a line of what earns its points, and the words, locked
    numbers     code, with own_numbers: shows the student's numbers, locked
    answer      code: the skeleton, filled in by the student
    given       code: a cell that stands between skeleton and check in the book, locked
    check       code: one line of the book's own check; a graded test, locked
    hidden      code: a comment; a graded test, locked
    words       Markdown: what a person reads and grades

In nbgrader a cell's `grade_id` (and the cell's id) is `7-1-answer`, `7-1-check-1`, `7-1-hidden-1`, `7-1-words`; in
otter `q7_1` is the question that is graded by tests, whose test cases are check 1, check 2, ..., hidden 1, ..., and
`q7_1_words` the manual one.  So marks are equal in both: a test cell gets all its points or none.

Marks are `points` - `words` for code, split evenly over an exercise's checks, half of each for the check and half
for the hidden test, in steps of half a point; where the book's check judges an experiment, there is no hidden test.

A test cell does not trust the notebook (judge.py).  It fails with one message; or it prints, and fails with,

    FLAG: exercise 7.2: calls descent.rules.adam

one line for each thing that a person should look at.  The marks are withheld until then, because the cell failed.
A flag holds for the exercise's later cells as well; whoever collects withholds all marks of the exercise.
Replacing parts of the package, of numpy or of Python is a flag at every exercise from there on.
With own numbers each test cell of such an exercise prints `NAME: <the name>`: compare it with who handed it in.
Hidden inputs and right numbers stand in the autograded notebook: feedback must show the outputs of `check` and
`hidden`, never their source.
"""

import ast
import base64
import builtins
import contextlib
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
import symtable
import tempfile
import textwrap
import zlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import numpy as np

import exercises as book
import hidden
import judge
import package
import reading
from collect import assignment, question
from notebooks import ROOT, title_of

LEVELS = {"number": "a number or a formula", "code": "code", "bug": "find the bug", "experiment": "an experiment",
          "proof": "a proof", "": ""}


# ---- which names a cell needs ------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """One statement of a chapter's cells: its text, what it binds, changes and needs."""

    text: str
    binds: frozenset
    changes: frozenset
    needs: frozenset
    imported: bool = False


@cache
def statements(source):
    """The statements of a cell, an import of several names as one each."""
    out = []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                one = (ast.Import([alias]) if isinstance(node, ast.Import)
                       else ast.ImportFrom(node.module, [alias], node.level))
                name = (alias.asname or alias.name).split(".")[0]
                out.append(Statement(ast.unparse(one), frozenset({name}), frozenset(), frozenset(), True))
            continue
        lines = source.splitlines()
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        text = "\n".join(lines[first - 1:node.end_lineno])
        if first == node.lineno and not getattr(node, "decorator_list", ()):
            text = ast.get_source_segment(source, node)
        binds, changes = set(), set()
        for part in _outside_functions(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                binds.add(part.id)
            elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
                binds.add(part.name)
            elif isinstance(part, (ast.Subscript, ast.Attribute)) and isinstance(part.ctx, ast.Store):
                changes.add(_base(part))
            elif (isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
                  and part.func.attr in ("append", "extend", "update", "setdefault", "add")):
                changes.add(_base(part.func))
            if isinstance(part, ast.AugAssign):
                changes.add(_base(part.target))
        needs = _needs(text, binds - changes if not isinstance(node, ast.Assign) else set())
        if isinstance(node, ast.Assign) and not binds & {n.id for n in ast.walk(node.value)
                                                         if isinstance(n, ast.Name)}:
            needs -= binds
        out.append(Statement(text, frozenset(binds - changes), frozenset(changes - {None}), frozenset(needs)))
    return out


def _outside_functions(node):
    yield node
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
        return
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            yield from _outside_functions(child)


def _base(node):
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _needs(text, bound=()):
    """Names that a piece of code takes from outside itself."""
    found = set()

    def look(table, top):
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                found.add(symbol.get_name())
        for child in table.get_children():
            look(child, False)

    look(symtable.symtable(text, "cell", "exec"), True)
    return found - set(bound) - set(dir(builtins))


def closure(names, pool, have=()):
    """The statements of `pool` (in order) that are needed for `names`, in order; and what is found nowhere."""
    chosen, todo, seen, lost = set(), list(names), set(have), set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        bound = [n for n, statement in enumerate(pool) if name in statement.binds]
        if not bound:
            lost.add(name)
            continue
        last = bound[-1]
        for n in [last, *(n for n, s in enumerate(pool) if n > last and name in s.changes
                          and not pool[last].imported)]:   # np.append changes no np
            if n not in chosen:
                chosen.add(n)
                todo += pool[n].needs
        for n in bound:   # x = f(x)
            if n < last and name in pool[last].needs:
                chosen.add(n)
                todo += pool[n].needs
    return [pool[n] for n in sorted(chosen)], lost


def text_of(chosen):
    """Code of these statements: imports first, by module, then the rest."""
    whole, parts, rest = [], {}, []
    for statement in chosen:
        if not statement.imported:
            rest.append(statement)
            continue
        node = ast.parse(statement.text).body[0]
        if isinstance(node, ast.Import):
            whole.append(statement.text)
        else:
            alias = node.names[0]
            parts.setdefault(node.module, []).append(
                alias.name + (f" as {alias.asname}" if alias.asname else ""))
    lines = sorted(dict.fromkeys(whole))
    for module, names in sorted(parts.items()):
        lines += _import(module, sorted(dict.fromkeys(names)))
    text, before = "\n".join(lines), None
    for statement in rest:
        long = statement.text.startswith(("def ", "class ", "@"))
        apart = "\n\n\n" if long or (before and before.startswith(("def ", "class ", "@"))) else (
            "\n" if before else "\n\n")
        text += (apart if text else "") + statement.text
        before = statement.text
    return text


def _import(module, names):
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 79:
        return [line]
    words = textwrap.wrap(", ".join(names), 74, break_long_words=False)
    return [f"from {module} import (", *(f"    {w}" for w in words[:-1]), f"    {words[-1]})"]


def code_in(markdown):
    """Names that the words of an exercise use as code: in its programs, and called in its lines."""
    found = set()
    fenced = re.findall(r"(?ms)^(?:~~~|```)\w*\n(.*?)^(?:~~~|```)", markdown)
    indented = re.findall(r"(?m)(?:^(?: {4}.*)?\n)+", markdown + "\n")
    for program in [*fenced, *(textwrap.dedent(block) for block in indented)]:
        with contextlib.suppress(SyntaxError):
            found |= _needs(program, {n for s in statements(program) for n in s.binds})
    for snippet in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"\{\w+\}`[^`]*`", "", markdown)):
        with contextlib.suppress(SyntaxError):
            tree = ast.parse(snippet.strip(), mode="eval")
            found |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)
                      and not isinstance(tree.body, (ast.Name, ast.Tuple, ast.List))}
    return found


# ---- an exercise, with its parts and its solution ------------------------------


@dataclass(frozen=True)
class Checked:
    """One check of an exercise: its line, the answers in it, the check's names, and how it is tested."""

    line: str
    answers: tuple
    checks: tuple
    part: hidden.Part
    expression: str   # of the argument that is judged


@dataclass
class Cell:
    """One cell of a problem set, before nbgrader or otter."""

    role: str
    source: str
    kind: str = "code"
    exercise: str = ""
    part: int = 0
    points: float = 0.0
    secret: str = ""   # of an answer its solution, of a test its hidden lines, of words the key


@dataclass
class ProblemSet:
    chapter: str
    edition: object   # make.Edition
    cells: list = field(default_factory=list)


def chapter_cells(chapter):
    """[(source, solution?)] of the code cells of a chapter."""
    notebook = nbformat.read(book.chapters()[str(chapter)], as_version=4)
    return [(cell.source, "solution" in cell.metadata.get("tags", ()))
            for cell in notebook.cells if cell.cell_type == "code"]


def pool_before(chapter, source):
    """The statements of all public cells before the cell with this source."""
    out = []
    for text, solution in chapter_cells(chapter):
        if text == source:
            return out
        if not solution:
            out += statements(_python(text))
    raise ValueError(f"chapter {chapter} has no cell that begins {source[:40]!r}")


def _python(source):
    """A cell's code without what only IPython understands."""
    return re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", source)


def checked(exercise):
    """The checks of an exercise, in their order; [] on paper."""
    if exercise.on_paper:
        return []
    lines = []
    for source in exercise.checks:
        for node in ast.parse(source).body:
            names = tuple(sorted({n.id for n in ast.walk(node) if isinstance(n, ast.Name)
                                  and n.id.startswith("check_")}))
            if names and not isinstance(node, (ast.Import, ast.ImportFrom)):
                lines.append((node, ast.get_source_segment(source, node), names))
    parts = hidden.PARTS.get(exercise.label)
    if parts is None:
        raise ValueError(f"exercise {exercise.number} ({exercise.label}) has no line in hidden.PARTS")
    own = answers_of(exercise)
    if len(lines) == 1 and len(parts) > 1:   # a loop over several answers
        lines = [(ast.parse(part.line).body[0], part.line, lines[0][2]) for part in parts]
        named = [(name,) for name in own]
    elif len(lines) == len(parts):
        named = [tuple(n for n in own if re.search(rf"\b{n}\b", text)) for _, text, _ in lines]
    else:
        raise ValueError(f"exercise {exercise.number} has {len(lines)} checks, and hidden.PARTS has {len(parts)}")
    out = []
    for (node, text, names), part, answers in zip(lines, parts, named):
        call = next(n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
                    and n.func.id in names)
        out.append(Checked(text, answers, names, part, ast.unparse(call.args[-1])))
    return out


def answers_of(exercise):
    """The names that the skeleton defines and a check uses, in the skeleton's order."""
    text = "\n".join(exercise.checks)
    return list(dict.fromkeys(name for s in statements(exercise.skeleton) for name in sorted(
        s.binds, key=lambda n: s.text.index(n)) if re.search(rf"\b{name}\b", text)))


def solution_of(exercise, setup):
    """Code that defines the exercise's answers by the book's own solution, after the skeleton."""
    pool = pool_before(exercise.chapter, exercise.skeleton)
    pool += statements(exercise.skeleton)
    pool += [s for source in exercise.checks for s in statements(_python(source))]
    own = [s for kind, source in exercise.solution if kind == "code" for s in statements(_python(source))]
    binds = {name for s in own for name in s.binds}
    lines = []
    for one in checked(exercise):
        for answer in one.answers or (one.expression,):
            if one.part.solved:
                right = one.part.solved
            elif answer + "_solved" in binds:
                right = answer + "_solved"
            else:
                right = _argument_in(own, one) or ""
            left = answer if len(one.answers) < 2 else one.expression
            if not right:
                raise ValueError(f"exercise {exercise.number}: the solution of `{left}` is not found")
            lines.append(f"{left} = {right}")
    lines = list(dict.fromkeys(lines))
    have = {name for s in statements(setup) for name in s.binds}
    names = {n for line in lines for n in _needs(line.split(" = ", 1)[1])}
    chosen, lost = closure(names, pool + own, have=have)
    if lost:
        raise ValueError(f"exercise {exercise.number}: its solution needs {', '.join(sorted(lost))}")
    skeleton = {s.text for s in statements(exercise.skeleton)}
    return text_of([s for s in chosen if s.text not in skeleton]) + "\n\n\n" + "\n".join(lines)


def _argument_in(own, one):
    """What the solution gives to this check."""
    for statement in own:
        for node in ast.walk(ast.parse(statement.text)):
            if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in one.checks
                    and node.args):
                return ast.unparse(node.args[-1])


def setup_of(chapter):
    """Imports and definitions that the skeletons, words and checks of a chapter need, and the solver's imports."""
    chosen, skeletons = {}, set()
    for exercise in book.exercises(chapter):
        first = exercise.skeleton or next((s for k, s in exercise.solution if k == "code"), "")
        if not first:
            continue
        pool = pool_before(chapter, first)
        for source in exercise.checks:   # the first check of a chapter brings the imports of all
            pool += [s for s in statements(_python(source)) if s.imported]
        imports = {name for s in pool if s.imported for name in s.binds}
        defined = {name for s in pool for name in s.binds if s.text.startswith("def ")} | imports
        needs = {name for source in (exercise.skeleton, *exercise.checks) for name in _needs(_python(source))}
        needs -= {name for source in exercise.checks for s in statements(_python(source)) if not s.imported
                  for name in s.binds}
        needs |= code_in(exercise.statement) & defined
        for kind, source in exercise.solution:
            if kind == "code":
                needs |= _needs(_python(source)) & imports
        skeletons |= {name for s in statements(exercise.skeleton) for name in s.binds}
        found, _ = closure((needs - skeletons) | {"np"}, pool)
        chosen |= {statement.text: statement for statement in found}
    order = [s.text for source, solution in chapter_cells(chapter) if not solution
             for s in statements(_python(source))]
    return text_of(sorted(chosen.values(), key=lambda s: order.index(s.text)))


# ---- hidden tests --------------------------------------------------------------


def literal(value):
    """Python text of an input or a right number; arrays as `array(...)`."""
    if isinstance(value, np.ndarray):
        return f"array({literal(value.tolist())})"
    if isinstance(value, (tuple, list)):
        inside = ", ".join(map(literal, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value != value:
        return "nan"
    return repr(value)


@cache
def packed():
    """The text of judge.py for one line of a cell."""
    return base64.b85encode(zlib.compress(Path(judge.__file__).read_bytes(), 9)).decode()


@cache
def package_digest():
    return judge.digest(ROOT / "code" / "descent")


def hidden_lines(edition, exercise, one, call):
    """The lines of a test that students do not see: the judge, and what it is asked."""
    options = {name: getattr(one.part, name) for name in ("forbids", "allows", "limit")}
    return "\n".join([
        "import base64, builtins, numpy, zlib",
        "array, nan = numpy.array, float('nan')",
        "judge = {'__name__': 'judge'}",
        "builtins.exec(builtins.compile(zlib.decompress(base64.b85decode(",
        f"    {packed()!r}",
        ")), '<frozen judge>', 'exec'), judge)",
        "",
        "",
        f"judge = judge['Judge'](globals(), {exercise.number!r}, {edition.version!r}, {package_digest()!r},",
        f"    checks={one.checks!r}, " + ", ".join(f"{k}={v!r}" for k, v in options.items()) + ")",
        call])


def hidden_call(edition, exercise, n, one, space):
    """What the hidden test of part n asks: inputs by the secret seed, right numbers by the book's solution."""
    part = one.part
    name = one.answers[0]
    if part.kind == "value":
        right = eval(name, space)
        right = right() if callable(right) else right
        right = hidden.stored(right)
        order = "" if part.order else ", order=False"
        return f"right = {literal(right)}\njudge.value({name!r}, right, rtol={part.rtol!r}{order})"
    solved, cases = eval(name, space), []
    rng = hidden.generator(edition.secret, exercise.label, n)
    for _ in range(part.cases):
        args = part.draw(rng)
        given = judge.copy.deepcopy(args)
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            result = judge.DRIVERS[part.driver](solved, *given) if part.driver else solved(*given)
        parts = [result] if len(part.quantities) == 1 else result
        cases.append((args, [hidden.stored(quantity) for quantity in parts]))
    text = ",\n    ".join(literal(case) for case in cases)
    driver = f", driver={part.driver!r}" if part.driver else ""
    return (f"cases = [\n    {text}]\n"   # a graders' report shows the line that fails, which must tell nothing
            f"judge.function({name!r}, cases, rtol={part.rtol!r}, quantities={part.quantities!r}{driver})")


def own_call(edition, exercise, n, one, own):
    """What the test of a part with numbers of one's own asks: what is right is computed for the name there."""
    rng = hidden.generator(edition.secret, exercise.label, n, "own")
    inputs = [own.draw(rng) for _ in range(one.part.cases)] if own.draw else []
    choices = literal_dict(own.choices)
    return (f"choices = {choices}\nright = {own.right!r}\ninputs = {literal(inputs)}\n"
            f"judge.own({one.answers[0]!r}, {edition.seed!r}, choices, right, {own.kind!r}, inputs=inputs, "
            f"rtol={own.rtol!r})")


def numbers_cell(edition, exercise, own):
    """Shows a student his numbers, and keeps them for him in mine_3_2."""
    kept = own_name(exercise)
    choices = [textwrap.fill(f"{letter}={numbers}", 79, initial_indent="    ", subsequent_indent="        ")
               for letter, numbers in own.choices.items()]
    return "\n".join([
        f"{kept} = my_numbers(", f"    name, {edition.seed}, {exercise.number!r},", ",\n".join(choices) + ")",
        f'print("Exercise {exercise.number}:", "{own.told}".format(**{kept}) if name.strip()',
        '      else "write your name into its cell, and run this one again")'])


def own_name(exercise):
    return "mine_" + exercise.number.replace(".", "_")


def literal_dict(choices):
    return "{" + ", ".join(f"{key!r}: {literal(value)}" for key, value in choices.items()) + "}"


def shares(exercise, parts):
    """[(points of the check, of the hidden test)] of the parts, in halves of a point."""
    halves = round(2 * (exercise.points - exercise.words))
    out = []
    for n, one in enumerate(parts):
        mine = halves // len(parts) + (n < halves % len(parts))
        visible = mine if one.part.kind == "judged" else mine // 2
        out.append((visible / 2, (mine - visible) / 2))
    return out


def _with_own(n, own, visible, kept):
    """The same of part n, where it may have numbers of one's own: the book's check may not hold for these."""
    if own and n == own.part:
        if not own.keeps_check:
            return 0, visible + kept
        if not kept:
            return visible // 1 / 2, visible - visible // 1 / 2
    return visible, kept


def told(exercise, marks):
    """"4 points (1 check, 1 grader, 2 words), about 20 minutes, code"."""
    earned = {"check": sum(visible for visible, _ in marks), "grader": sum(kept for _, kept in marks),
              "words": exercise.words}
    earned = {name: points for name, points in earned.items() if points}
    names = ", ".join(f"{points:g} {name}" for name, points in earned.items()) if len(earned) > 1 else "".join(earned)
    level = LEVELS[exercise.level]
    return ", ".join(filter(None, [
        f"{exercise.points} point{'s' * (exercise.points != 1)} ({names})",
        f"about {exercise.minutes} minutes" if exercise.minutes else "",
        "" if exercise.title.lower().startswith(level) else level]))


# ---- the problem set -------------------------------------------------------------


TITLE = """\
# {title}: problem set

{count} exercises, {points} points, about {minutes} minutes. Release {version} of *RMSprop and Adam, step by step*.
Equations, sections and figures that an exercise names stand in the chapter, `{page}`.

1. **Begin.** Write your name into its cell, and run all cells (*Run*, *Run All Cells*).
2. **Answer.** Code goes into the cell below an exercise, in place of `None`. Words go where *Your words* stands:
   double-click it; formulas between dollar signs or in plain letters. You may add cells; leave all others as they are.
3. **Points.** Below its title each exercise says what earns them:
   * *check*: the cell below your code, which says *not done yet*, *correct*, or what goes wrong first;
   * *grader*: what is tried after you have handed in, mostly inputs that you do not see;
   * *words*: a person reads them. Answer every question of the exercise, and say why.
4. **Hand in.** Restart and run all cells, save, and hand in this file, `{file}`."""

OWN_HIDDEN = "# After you hand in, the grader compares this with what is right for your own numbers."
HIDDEN = {"function": "# After you hand in, the grader tries other inputs here.",
          "value": "# After you hand in, the grader compares your number again here."}
STUB = "**Your words:** *double-click, and write here.*"


def problem_set(chapter, edition, own_numbers=False):
    """The neutral cells of a chapter's problem set."""
    chapter = str(chapter)
    listed = book.exercises(chapter)
    path = reading.page(chapter)
    setup = setup_of(chapter)
    out = ProblemSet(chapter, edition)
    add = out.cells.append
    add(Cell("title", TITLE.format(
        title=title_of(nbformat.read(path, as_version=4)), count=len(listed), points=sum(e.points for e in listed),
        minutes=sum(e.minutes for e in listed), version=edition.version, page=path.name,
        file=f"{assignment(chapter)}.ipynb"), "markdown"))
    add(Cell("find", reading.first_cell(edition)))
    add(Cell("name", '# Your name:\nname = ""'))
    add(Cell("setup", setup + ("\n\n\n" + inspect.getsource(judge.my_numbers).rstrip() if own_numbers else "")))
    space = {"__name__": "descent_solutions"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(setup, space)
    for exercise in listed:
        mine = checked(exercise)
        own = hidden.OWN.get(exercise.label) if own_numbers else None
        marks = [_with_own(n, own, *points) for n, points in enumerate(shares(exercise, mine), 1)]
        add(Cell("statement", f"## Exercise {exercise.number} · {exercise.title}\n\n*{told(exercise, marks)}*\n\n"
                 + reading.plain(exercise.statement, chapter)
                 + (f"\n\n**Numbers of your own.** {own.words} They come from your name." if own else ""),
                 "markdown", exercise.number))
        if own:
            add(Cell("numbers", numbers_cell(edition, exercise, own), exercise=exercise.number))
        if mine:
            solution = solution_of(exercise, setup)
            if own:
                answer = mine[own.part - 1].answers[0]
                right = f"({own.solved or own.right})(**{own_name(exercise)})"
                own_solution = (f"\nimport math\n{answer} = "
                                + (f"lambda: {right}" if own.kind == "value" else right))
            add(Cell("answer", exercise.skeleton, exercise=exercise.number,
                     secret=solution + (own_solution if own else "")))
            for source in exercise.checks:
                if not re.search(r"^(for|check_)", source, re.M):
                    add(Cell("given", source, exercise=exercise.number))
            with contextlib.redirect_stdout(io.StringIO()):
                exec(exercise.skeleton + "\n\n\n" + solution, space)
        for n, (one, (visible, kept)) in enumerate(zip(mine, marks), 1):
            again = f"judge.by_the_book({one.line!r}, {one.answers!r})"
            if visible:
                add(Cell("check", one.line, "code", exercise.number, n, visible,
                         hidden_lines(edition, exercise, one, again)))
            if own and n == own.part:
                add(Cell("hidden", OWN_HIDDEN, "code", exercise.number, n, kept,
                         hidden_lines(edition, exercise, one, own_call(edition, exercise, n, one, own))))
            elif kept:
                add(Cell("hidden", HIDDEN[one.part.kind], "code", exercise.number, n, kept,
                         hidden_lines(edition, exercise, one, hidden_call(edition, exercise, n, one, space))))
        if exercise.words:
            key = "\n\n".join(reading.plain(source, chapter) for kind, source in exercise.solution
                              if kind == "markdown") or "See the answer key."
            add(Cell("words", STUB, "markdown", exercise.number, 0, exercise.words, key))
    return out


# ---- nbgrader --------------------------------------------------------------------


def metadata(made, cell):
    return {"edition": made.edition.name, "chapter": made.chapter, "exercise": cell.exercise, "role": cell.role,
            "part": cell.part}


def identity(made, cell):
    """"7-1-check-1": the cell's id and grade_id."""
    where = cell.exercise.replace(".", "-") if cell.exercise else made.chapter
    return f"{where}-{cell.role}" + (f"-{cell.part}" if cell.part else "")


def notebook_of(made, cells):
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={
        "kernelspec": kernel, "language_info": {"name": "python"},
        "descent": {"edition": made.edition.name, "chapter": made.chapter}})


def _cells(made, sources):
    """The notebook's cells; `sources` gives each its text."""
    seen, out = {}, []
    for cell in made.cells:
        id_ = identity(made, cell)
        seen[id_] = seen.get(id_, 0) + 1
        id_ += f"-{seen[id_]}" if seen[id_] > 1 else ""
        new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        folded = {"jupyter": {"source_hidden": True}} if cell.role in ("find", "numbers") else {}   # not to be read
        made_cell = new(sources(cell), id=id_, metadata={"descent": metadata(made, cell), **folded})
        out.append(made_cell)
    return out


def nbgrader_source(made):
    """The source notebook of nbgrader."""
    def source(cell):
        if cell.role == "answer":
            return f"{cell.source}\n### BEGIN SOLUTION\n{cell.secret}\n### END SOLUTION"
        if cell.role in ("check", "hidden"):
            inside = textwrap.indent(cell.secret.replace("globals()", "env"), "    ")   # a student's names stay his
            hidden_part = ("### BEGIN HIDDEN TESTS\n"
                           f"def _graded(env):\n{inside}\n\n\n_graded(globals())\n### END HIDDEN TESTS")
            return f"{hidden_part}\n{cell.source}" if cell.role == "check" else f"{cell.source}\n{hidden_part}"
        return cell.secret if cell.role == "words" else cell.source

    cells = _cells(made, source)
    for cell, new in zip(made.cells, cells):
        graded = cell.role in ("check", "hidden", "words")
        solution = cell.role in ("answer", "words", "name")
        new.metadata["nbgrader"] = {
            "schema_version": 3, "grade_id": new.id, "grade": graded, "solution": solution,
            "locked": not solution, "task": False} | ({"points": cell.points} if graded else {})
        if cell.role == "name":
            new.source = f"{cell.source}\n### BEGIN SOLUTION\n### END SOLUTION"
    return notebook_of(made, cells)


NBGRADER_CONFIG = '''\
c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "rmsprop-and-adam"
c.ClearSolutions.code_stub = {"python": ""}
c.ClearSolutions.text_stub = %r
c.ExecutePreprocessor.timeout = 60
c.ExecutePreprocessor.error_on_timeout = {
    "ename": "CellTimeoutError", "evalue": "", "traceback": ["This cell ran longer than 60 seconds."]}
''' % STUB


# One process for all chapters: these programs take seconds to start.
GENERATE = """
import sys
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import PyFileConfigLoader
api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
for name in sys.argv[1:]:
    done = api.generate_assignment(name)
    if not done["success"]:
        sys.exit(done.get("log", "") + done.get("error", ""))
"""
ASSIGN = """
import sys
from otter.assign import main
for name in sys.argv[1:]:
    main(f"{name}/{name}.ipynb", f"{name}/dist", no_run_tests=True)
"""


def write_nbgrader(sets, course, released):
    """The sources in nbgrader's course folder; its generate step makes what students get, in `released`."""
    names = [assignment(made.chapter) for made in sets]
    for name, made in zip(names, sets):
        source = course / "source" / name / f"{name}.ipynb"
        source.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbgrader_source(made), source)
    (course / "nbgrader_config.py").write_text(NBGRADER_CONFIG, "utf-8")
    _run([sys.executable, "-c", GENERATE, *names], course)
    for name in names:
        (released / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(course / "release" / name / f"{name}.ipynb", released / name / f"{name}.ipynb")


def _run(command, folder):
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"   # nbgrader calls alembic
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": beside})
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command[1:]))} stopped:\n{(done.stdout + done.stderr)[-3000:]}")


# ---- otter -----------------------------------------------------------------------


def otter_source(made, wheel=""):
    """The source notebook of `otter assign`: a question with hidden test cases for each check, one for words."""
    new, cells, todo = nbformat.v4.new_raw_cell, [], {}
    config = {"init_cell": False, "export_cell": False, "check_all_cell": False,
              "run_tests": False, "requirements": "requirements.txt", "files": [],
              "autograder_files": [wheel] if wheel else [], "tests": {"files": True, "ok_format": False},
              "generate": {"points_possible": None, "show_hidden": True, "pdf": False},
              "python_version": "3.12"}
    cells.append(new("# ASSIGNMENT CONFIG\n" + json.dumps(config, indent=2), id="assignment-config"))
    plain = dict(zip(map(id, made.cells), _cells(made, lambda cell: cell.source)))

    def block(*words):
        cells.append(new("# " + "\n".join(words), id=f"otter-{len(cells)}"))

    def close():
        """The question's tests, and its end."""
        tests = todo.pop("tests", None)
        if tests:
            block("BEGIN TESTS")
            for cell in tests:
                test = "\n".join([
                    '""" # BEGIN TEST CONFIG', f"points: {cell.points}", "hidden: true", '""" # END TEST CONFIG',
                    f"def test_{cell.role}_{cell.part}(env):",
                    textwrap.indent(cell.secret.replace("globals()", "env"), "    ")])
                cells.append(nbformat.v4.new_code_cell(test, id="test-" + identity(made, cell)))
            block("END TESTS")
            block("END QUESTION")

    for cell in made.cells:
        shown, name = plain[id(cell)], question(cell.exercise)
        if cell.role in ("statement", "words"):
            close()
        if cell.role == "answer":
            tests = [c for c in made.cells if c.exercise == cell.exercise and c.role in ("check", "hidden")]
            tests.sort(key=lambda c: c.role)   # checks, then hidden ones
            block("BEGIN QUESTION", f"name: {name}", "check_cell: false",
                  f"points: {[c.points for c in tests]}")
            block("BEGIN SOLUTION")
            shown.source += f"\n# BEGIN SOLUTION NO PROMPT\n{cell.secret}\n# END SOLUTION"
            cells.append(shown)
            block("END SOLUTION")
            todo["tests"] = tests
        elif cell.role == "words":
            block("BEGIN QUESTION", f"name: {name}_words", "manual: true", f"points: {cell.points}")
            block("BEGIN PROMPT")
            cells.append(shown)
            block("END PROMPT")
            block("BEGIN SOLUTION")
            cells.append(nbformat.v4.new_markdown_cell(cell.secret, id="solution-" + shown.id))
            block("END SOLUTION")
            block("END QUESTION")
        else:
            cells.append(shown)
    close()
    return notebook_of(made, cells)


REQUIREMENTS = """\
# what Gradescope installs; the book's package is the wheel in its zip
numpy=={numpy}
matplotlib=={matplotlib}
ipywidgets=={ipywidgets}
anywidget=={anywidget}
/autograder/source/files/{wheel}
"""


@cache
def wheel():
    """This release's wheel: (name, bytes)."""
    with tempfile.TemporaryDirectory() as folder:
        made = package.wheel(folder)
        return made.name, made.read_bytes()


def write_otter(sets, otter, gradescope):
    """otter's sources, what `otter assign` makes of them, and its autograders for Gradescope."""
    (wheel_name, content), pins = wheel(), package.pins()
    names = [assignment(made.chapter) for made in sets]
    for name, made in zip(names, sets):
        folder = otter / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / wheel_name).write_bytes(content)
        (folder / "requirements.txt").write_text(REQUIREMENTS.format(**(pins | {"wheel": wheel_name})), "utf-8")
        nbformat.write(otter_source(made, wheel_name), folder / f"{name}.ipynb")
        shutil.rmtree(folder / "dist", ignore_errors=True)   # only otter assign writes there
    _run([sys.executable, "-c", ASSIGN, *names], otter)
    gradescope.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(next((otter / name / "dist" / "autograder").glob("*.zip")), gradescope / f"{name}.zip")


# ---- all of it -------------------------------------------------------------------


def write(folder, chapters, edition, own_numbers=False):
    """Problem sets of these chapters below `folder`: for students, nbgrader, otter and Gradescope.

    own_numbers : True where exercises of chapters 3, 4 and 7 take their numbers from each student's name
    """
    folder = Path(folder)
    sets = [problem_set(chapter, edition, own_numbers) for chapter in chapters]
    if sets:
        write_nbgrader(sets, folder / "instructor" / "nbgrader", folder / "assignments")
        write_otter(sets, folder / "instructor" / "otter", folder / "instructor" / "gradescope")
