"""Grade hand-ins of one chapter with nbgrader or otter, and write marks, flags and feedback.

    python course/grade.py _build/course/<release> HAND_INS --chapter 7 --with nbgrader [--out FOLDER]

HAND_INS has one file or one folder a student, or is the zip that a learning platform gives.
FOLDER (default: HAND_INS with "-graded" behind it) gets

    marks.csv      a line a student: points of each exercise, total, words that a person still reads, flags, his page
    flags.csv      a line for everything unusual, with the exercise, and whether a person should look
    feedback/      a page a student: his answers and figures, and the verdict on each exercise
    originals/     what was handed in, as it came
    nbgrader/      the course of nbgrader with its gradebook: words are read in its formgrader
    otter/         the mended notebooks and otter's results

The grading is the graders' own; this script takes the hand-ins in (course/collect.py), runs them on all cores,
and writes down what comes out.  A cell that cannot be stopped, or ends the kernel, is left out, and the notebook
is graded again: it costs the exercise that it belongs to and no other.

STUDENTS' CODE RUNS ON THIS MACHINE, with your rights.  `--container docker` (or podman) runs nothing: it prints
how to do the same in a container without a network.
"""

import argparse
import ast
import contextlib
import csv
import html
import io
import json
import logging
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

sys.modules.setdefault("rfc3987_syntax", None)   # jsonschema would spend 1.4 s on a grammar that notebooks do not need

import nbformat  # noqa: E402
from jinja2 import pass_context  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "book" / "extensions")]

import collect  # noqa: E402
from collect import Flag, about, assignment, editable, exercise, question, role  # noqa: E402

GRADERS = ("nbgrader", "otter")
TIMEOUT = 20      # seconds for one cell; a problem set takes three
OURS = 180        # seconds for a cell of ours, where a busy machine loads the package
ROUNDS = 6        # times that one hand-in is graded again without one more of its cells
TAGS = ["a", "b", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i", "li", "ol", "p", "pre", "span", "strong",
        "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"]   # of outputs, such as a table
LONGEST = 10_000   # characters of one output that a page of feedback shows
ENDS = re.compile(r"\b(_exit|exit|ask_exit|quit|abort|kill|SIGKILL|SIGTERM|raise_signal|execv\w*|do_shutdown)\b")

CONTAINER = """\
Students' code in a container: no network, nothing of this machine but three folders, two of them read-only.

    mkdir -p {out}
    {engine} build -t descent-course -f {root}/course/Dockerfile {root}
    {engine} run --rm --network none --cap-drop ALL --security-opt no-new-privileges \\
        --memory 4g --pids-limit 512 --read-only --tmpfs /tmp:exec {user} \\
        -v {release}:/release:ro -v {hand_ins}:/hand_ins:ro -v {out}:/out \\
        descent-course /release /hand_ins --chapter {chapter} --with {grader} --out /out

The second line is needed once a release, with a network. A container shares this machine's kernel: it stops
carelessness and tricks, not an attack on the kernel; a virtual machine that is thrown away does more.
"""


# ---- one hand-in, run by its grader -------------------------------------------


class Stopped(Exception):
    """A grader gave up on a hand-in."""


class Hooks:
    """Where the execution of a notebook is; `options` are those of any `nbclient.NotebookClient`."""

    def __init__(self, timeout):
        self.last, self.late = None, []

        def begins(cell, cell_index):   # closures: a Config copies methods together with their object
            self.last = cell.id

        def fails(cell, cell_index, execute_reply):
            if execute_reply["content"].get("ename") == "CellTimeoutError":
                self.late.append(cell.id)

        def allowed(cell):   # what is ours runs as long as a busy machine needs for it
            ours = role(cell) in ("find", "setup", "numbers") or not (about(cell) or cell.id.startswith("own-"))
            return max(timeout, OURS) if ours else timeout

        said = f"stopped after {timeout} seconds"
        self.options = {
            "timeout_func": allowed, "interrupt_on_timeout": True, "raise_on_iopub_timeout": True, "iopub_timeout": 4,
            "shutdown_kernel": "immediate", "allow_errors": True, "on_cell_execute": begins, "on_cell_error": fails,
            "error_on_timeout": {"ename": "CellTimeoutError", "evalue": said, "traceback": [said]}}


def with_nbgrader(course, chapter, identity, mended, hooks):
    """({grade id: points}, executed notebook) by `nbgrader autograde`."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.db_url = gradebook(course)
    config.Execute.update(hooks.options)
    place = next((course / "source" / assignment(chapter)).glob("*.ipynb")).name
    submitted = course / "submitted" / identity / assignment(chapter)
    submitted.mkdir(parents=True, exist_ok=True)
    nbformat.write(mended, submitted / place)
    api = NbGraderAPI(config=config)
    quiet(api.log)
    result = api.autograde(assignment(chapter), identity)
    if not result["success"]:
        raise Stopped(result.get("error", "") + result.get("log", ""))
    executed = nbformat.read(course / "autograded" / identity / assignment(chapter) / place, as_version=4)
    with api.gradebook as book:
        graded = book.find_submission_notebook(Path(place).stem, assignment(chapter), identity)
        points = {grade.name: grade.auto_score for grade in graded.grades}
    return points, executed


def with_otter(autograder, chapter, mended, hooks):
    """({name of a test: points}, executed notebook) by `otter run`."""
    import nbconvert.preprocessors as nbconvert
    from otter.run import main as otter_run

    class Timed(nbconvert.ExecutePreprocessor):   # otter has no option for the time of a cell
        def __init__(self, **options):
            super().__init__(**options, **hooks.options)

        def preprocess(self, nb, *args, **kwargs):   # the kernel works in another folder: `settings`
            for cell in nb.cells[0], nb.cells[-1]:
                cell.source = cell.source.replace('"./tests', f'"{Path.cwd().as_posix()}/tests')
            return super().preprocess(nb, *args, **kwargs)

    usual, nbconvert.ExecutePreprocessor = nbconvert.ExecutePreprocessor, Timed
    here = os.getcwd()
    try:
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
            notebook = nbformat.from_dict(mended)
            notebook.metadata["otter"] = {"assignment_name": assignment(chapter)}
            for cell in {exercise(c): c for c in notebook.cells if role(c) in ("check", "hidden")}.values():
                cell.metadata["otter"] = {"tests": [question(exercise(cell))]}   # tested here, not at the end
            nbformat.write(notebook, Path(scratch) / "hand_in.ipynb")
            results = otter_run(str(Path(scratch) / "hand_in.ipynb"), autograder=str(autograder), output_dir=None,
                                no_logo=True)
    finally:
        nbconvert.ExecutePreprocessor = usual
        os.chdir(here)
    if results.has_catastrophic_failure():
        raise Stopped(str(results.catastrophic_error))
    return {name: (test.score, test) for name, test in results.results.items()}, results.notebook


def quiet(log):
    warnings.simplefilter("ignore")   # of the graders' libraries
    log.handlers[:] = [logging.NullHandler()]
    log.propagate = False


# ---- until nothing stops it ------------------------------------------------------


def students_cells(mended):
    """Ids of the code cells whose text is a student's."""
    return [c.id for c in mended.cells if c.cell_type == "code" and c.source.strip()
            and (editable(c) or c.id.startswith("own-"))]


def belongs(mended):
    """{id of a cell: the exercise it stands in}; a student's own cell belongs to what stands before it."""
    found, now = {}, ""
    for cell in mended.cells:
        now = exercise(cell) or ("" if about(cell) else now)
        found[cell.id] = now
    return found


def culprit(mended, last, out, late=False):
    """Id of the student's cell that most likely stopped the kernel while the cell `last` ran, or None.

    That is the nearest, at `last` or before it, that ends a process by name (a kernel may die a moment later);
    else `last` itself where it is a student's, the answer that `last` checks, or the nearest before it.
    `out` are those that were left out already.
    """
    candidates = [i for i in students_cells(mended) if i not in out]
    order = [c.id for c in mended.cells]
    end = order.index(last) if last in order else len(order)
    before = [i for i in candidates if order.index(i) <= end][::-1]
    source, home = {c.id: c.source for c in mended.cells}, belongs(mended)
    mine = [i for i in before if last in order and home[i] == home[last]]
    by_name = [i for i in before if ENDS.search(source[i])] if not late else []
    for choice in (by_name, [last] * (last in candidates), mine, before, candidates):
        if choice:
            return choice[0]
    return None


def leave_out(mended, identity, why):
    """Replace a cell by a comment that says so, with what stood there."""
    for cell in mended.cells:
        if cell.id == identity:
            was = "\n".join(f"#     {line}".rstrip() for line in cell.source.splitlines())
            cell.source = f"# Left out when this was graded: this cell {why}.\n{was}"


def run(grader, place, chapter, timeout, hand_in):
    """Grade one hand-in: ({name of a test: points or otter's test}, executed notebook, flags)."""
    mended, flags, out = hand_in.notebook, [], set()
    home = belongs(mended)
    for _ in range(ROUNDS):
        hooks = Hooks(timeout)
        try:
            if grader == "nbgrader":
                points, executed = with_nbgrader(place, chapter, hand_in.id, mended, hooks)
            else:
                points, executed = with_otter(place, chapter, mended, hooks)
            break
        except Exception as error:   # a dead kernel, or one that cannot be interrupted, by any name
            last, said = hooks.last, f"{type(error).__name__}: {error}"
        late = hooks.late[-1:] or ([last] if "Timeout" in said else [])
        found = culprit(mended, late[0] if late else last, out, bool(late)) if last else None
        if found is None:
            return {}, None, [*flags, Flag(f"could not be graded: {said.strip().splitlines()[-1]}", look=True)]
        why = f"ran longer than {timeout} seconds and could not be stopped" if late else "ended the kernel"
        out.add(found)
        leave_out(mended, found, why)
        flags.append(Flag(f"a cell of {_at(home[found])} {why}: it was left out", home[found], look=True))
    else:
        return {}, None, [*flags, Flag(f"could not be graded: {len(out)} cells stop it", look=True)]
    for identity in hooks.late:
        where = home.get(identity, "")
        flags.append(Flag(f"a cell of {_at(where)} was stopped after {timeout} seconds", where, look=True))
    return points, executed, flags + what_happened(mended, executed, points, set(hooks.late))


def _at(number):
    return f"Exercise {number}" if number else "the problem set"


def what_happened(mended, executed, points, late):
    """Flags for what the run shows: a student's cells that raise, what the tests notice, a test that is silent."""
    flags, home, own = [], belongs(mended), set(students_cells(mended))
    for cell in executed.cells:
        if role(cell) == "check" and not cell.outputs and points.get(collect.key(cell)):
            flags.append(Flag(f"a check of Exercise {exercise(cell)} gives points and does not say so: something keeps "
                              "it from running", exercise(cell), look=True, told=False))
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                for used in dict.fromkeys(re.findall(r"(?m)^NAME: (.*)$", output.text)):
                    if used.strip() != name_of(mended):
                        flags.append(Flag(f"has the numbers of {used!r}, where the name cell says {name_of(mended)!r}",
                                          look=True, told=False))
                seen = re.findall(r"(?m)^FLAG: exercise (\S+): (.+)$", output.text)
                for where in dict.fromkeys(where for where, _ in seen):
                    what = list(dict.fromkeys(what for at, what in seen if at == where))
                    more = f" (and {len(what) - 3} more)" if len(what) > 3 else ""
                    flags.append(Flag(", ".join(what[:3]) + more, where, look=True))
            elif output.output_type == "error" and cell.id in own and cell.id not in late:
                where = home.get(cell.id, "")
                name = ("an own cell of " if cell.id.startswith("own-") else "the answer cell of ") + _at(where)
                line = f"{output.ename}: {output.evalue}".splitlines()[0]
                flags.append(Flag(f"{'the name cell' if role(cell) == 'name' else name} raises {line[:200]}", where))
    return flags


# ---- what is read before anything runs ---------------------------------------------


def suspicious(frame, mended):
    """Flags for a student's cells that reach for more than an exercise needs."""
    released = {c.id: c.source for c in frame.cells}
    flags, home = [], belongs(mended)
    for cell in mended.cells:
        if cell.cell_type == "code" and cell.id in students_cells(mended) and cell.source != released.get(cell.id):
            flags += [Flag(what, home[cell.id], look=True, told=False)
                      for what in collect.suspicions(cell.source, frame)]
    return flags


# ---- what a release has for a chapter -----------------------------------------------


def gradebook(course):
    return f"sqlite:///{course / 'gradebook.db'}?timeout=60"   # workers wait for each other


def prepare(grader, release, chapter, out):
    """What the grader grades with: a course folder of nbgrader's in `out`, or otter's zip."""
    name = assignment(chapter)
    if grader == "otter":
        found = sorted((release / "instructor" / "otter" / name).rglob("*autograder*.zip"))
        if not found:
            raise SystemExit(f"{release} has no autograder of otter's for chapter {chapter}")
        import otter.run   # noqa: F401 -- once for all workers, where these are forks
        return found[0]
    import nbgrader.apps   # noqa: F401
    made, course = release / "instructor" / "nbgrader", out / "nbgrader"
    if not (made / "source" / name).is_dir():
        raise SystemExit(f"{release} has no source of nbgrader's for chapter {chapter}")
    shutil.copytree(made / "source" / name, course / "source" / name, dirs_exist_ok=True)
    if (made / "nbgrader_config.py").exists():
        shutil.copyfile(made / "nbgrader_config.py", course / "nbgrader_config.py")
    if not (course / "gradebook.db").exists() and (made / "gradebook.db").exists():
        shutil.copyfile(made / "gradebook.db", course / "gradebook.db")
    if not (course / "gradebook.db").exists() or not _knows(course, name):
        from nbgrader.apps import NbGraderAPI
        from traitlets.config import Config
        config = Config()
        config.CourseDirectory.root = str(course)
        config.CourseDirectory.db_url = gradebook(course)
        api = NbGraderAPI(config=config)
        quiet(api.log)
        result = api.generate_assignment(name)
        if not result["success"]:
            raise SystemExit(f"nbgrader cannot read the problem set: {result.get('log', '')}")
    return course


def _knows(course, name):
    from nbgrader.api import Gradebook, MissingEntry
    with Gradebook(gradebook(course)) as book:
        try:
            return bool(book.find_assignment(name).notebooks)
        except MissingEntry:
            return False


def settings(release, scratch):
    """The environment of kernels: nobody's own settings, one thread each, the package of this release.

    A kernel works in an empty folder of its own, in which a cell may delete what it likes, and pip does nothing.
    """
    import notebooks
    found = notebooks.kernel_environment(scratch)
    code = release / "reading" / "code"
    if (code / "descent").is_dir():
        found["PYTHONPATH"] = os.pathsep.join([str(code), *filter(None, [os.environ.get("PYTHONPATH")])])
    found["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found["PIP_PYTHON"] = "nothing-is-installed-while-grading"
    found["KERNELS_FOLDER"] = str(scratch)
    profile = Path(scratch) / "profile_default"
    profile.mkdir()
    (profile / "ipython_kernel_config.py").write_text(
        "c.IPKernelApp.log_level = 40\n"
        "c.IPKernelApp.exec_lines = ['import sys; sys.modules.setdefault(\"rfc3987_syntax\", None); del sys',\n"
        "    'import os, tempfile; os.chdir(tempfile.mkdtemp(dir=os.environ[\"KERNELS_FOLDER\"])); "
        "del os, tempfile']\n")
    return found


# ---- marks ----------------------------------------------------------------------------


class Table:
    """What can be had: {exercise: points by tests}, {exercise: points for words}, in the order of the problem set."""

    def __init__(self, frame):
        self.numbers = list(dict.fromkeys(exercise(c) for c in frame.cells if exercise(c)))
        self.tests = {number: 0.0 for number in self.numbers}
        self.words = {}
        for cell in frame.cells:
            points = float(cell.metadata.get("nbgrader", {}).get("points", 0))
            if role(cell) == "words":
                self.words[exercise(cell)] = self.words.get(exercise(cell), 0) + points
            elif points:
                self.tests[exercise(cell)] += points


def marks(frame, table, graded):
    """{exercise: points by tests}, from nbgrader's grades or otter's tests."""
    found = {number: 0.0 for number in table.tests}
    where = {collect.key(c): c for c in frame.cells if collect.key(c)}
    asked = {question(number): number for number in found}
    for name, result in graded.items():
        if isinstance(result, tuple):   # otter's
            if name in asked:
                found[asked[name]] += float(result[0])
        elif name in where and role(where[name]) != "words":
            found[exercise(where[name])] += float(result or 0)
    return found


def to_read(frame, table, mended):
    """{exercise: points} of a student's words, in their cell or in one of his own, for a person to read."""
    released, home = {c.id: collect.plain(c.source) for c in frame.cells}, belongs(mended)
    wrote = {home[c.id] for c in mended.cells if c.cell_type == "markdown" and (role(c) == "words" or not about(c))
             and (collect.plain(c.source) != released.get(c.id, "") or c.get("attachments"))}
    return {number: points for number, points in table.words.items() if number in wrote}


def name_of(mended):
    """What the student wrote into the cell for his name."""
    for cell in mended.cells:
        if role(cell) == "name":
            with contextlib.suppress(SyntaxError, ValueError):
                for node in collect.parsed(cell.source).body[::-1]:
                    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "name":
                        return str(ast.literal_eval(node.value)).strip()
    return ""


# ---- feedback ---------------------------------------------------------------------------


def verdicts(frame, executed, graded):
    """{exercise: what its tests said}."""
    said, home = {}, {c.id: c for c in frame.cells}
    asked = {question(exercise(c)): exercise(c) for c in frame.cells}
    for cell in executed.cells if executed else ():
        if role(home.get(cell.id, cell)) in ("check", "hidden"):
            for output in cell.outputs:
                text = (output.text if output.output_type == "stream" else
                        output.evalue if output.output_type == "error" else "")
                said.setdefault(exercise(home[cell.id]), []).extend(text.strip().splitlines())
    for name, result in graded.items():
        if isinstance(result, tuple) and name in asked:
            for case in result[1].test_case_results:
                if not case.passed:   # behind otter's own lines, the first of which show the test
                    said.setdefault(asked[name], []).extend(case.message.partition("\nWrong: ")[2].splitlines())
    return {number: list(dict.fromkeys(line.removeprefix(f"Exercise {number}: ") for line in lines if line.strip()))
            for number, lines in said.items()}


PAGE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js_requirejs %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block html_head_css %}{{ super() }}<style>
div.formula { overflow-x: auto; overflow-y: hidden; margin: 1em 0; text-align: center; }
.formula svg { fill: currentcolor; overflow: visible; }
span.formula { position: relative; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
</style>{% endblock %}"""


def formula(tex, display=False):
    """A formula as the book draws it; as it was written, where MathJax does not know it."""
    import equations

    tex, tag = tex.strip(), "div" if display else "span"
    try:
        drawn = equations.draw(equations.lines(tex) if display else tex, display)
    except equations.NotDrawn:
        return f"<{tag}><code>{html.escape(tex)}</code></{tag}>"
    style = f' style="{drawn["style"]}"' if not display else ""
    return (f'<{tag} class="formula"><svg aria-hidden="true" width="{drawn["width"]}" height="{drawn["height"]}" '
            f'viewBox="{drawn["box"]}"{style}><path d="{drawn["path"]}"/></svg>'
            f'<span class="spoken">{drawn["mathml"]}</span></{tag}>')


@cache
def exporter():
    """nbconvert's page without a network, in which nothing that a student wrote runs in the browser of who reads it."""
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def inline_math(self, body):
            return formula(body)

        def block_math(self, body):
            return formula(body, True)

        def latex_environment(self, name, body):
            return formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", True)

    class Exporter(HTMLExporter):
        @pass_context
        def markdown2html(self, context, source):
            renderer = Renderer(escape=True, attachments=context.get("cell", {}).get("attachments", {}))
            return MarkdownWithMath(renderer=renderer).render(source)

    return Exporter(raw_template=PAGE)


def shortened(text):
    """Of a long text its beginning and its end."""
    left = len(text) - LONGEST
    return text if left <= 0 else (f"{text[:LONGEST // 2]}\n... ({left} more characters: not shown here) ...\n"
                                   f"{text[-LONGEST // 2:]}")


def shown(cell, released=None):
    """A cell as the page shows it: outputs without scripts, and of a cell of ours its public text."""
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    cell = nbformat.from_dict(cell)
    cell.metadata = nbformat.from_dict({})
    if cell.cell_type == "code":
        for output in cell.outputs:
            if "text" in output:
                output.text = shortened(output.text)
            for kind, data in output.get("data", {}).items():
                if kind.startswith("text/") and len(data) > LONGEST:   # half a table is none
                    output.data = {"text/plain": shortened(output.data.get("text/plain", data))}
                    break
        cell.outputs = SanitizeHTML(tags=TAGS).sanitize_code_outputs(cell.outputs)
        if released is not None:
            cell.source = released.source
    return cell


def feedback(hand_in, frame, table, points, words, executed, said):
    """One page: a table, then the notebook as it ran, a verdict behind each exercise; hidden tests stay hidden."""
    from nbformat.v4 import new_markdown_cell, new_notebook

    released = {c.id: c for c in frame.cells if not editable(c)}
    chapter, student = about(frame.cells[0]).get("chapter", ""), hand_in.student
    if hand_in.notebook and (name := name_of(hand_in.notebook)):
        student += f" ({name})"
    rows = [f"| {n} | {points[n]:g} of {table.tests[n]:g} | {_words(n, table, words)} |" if table.tests[n] else
            f"| {n} | | {_words(n, table, words)} |" for n in table.numbers]
    told = [f"* {flag.what[:1].upper()}{flag.what[1:]}." for flag in hand_in.flags if flag.told]
    more = f"; {sum(words.values()):g} more for words that a person reads" if words else ""
    cells = [new_markdown_cell("\n".join([
        f"# Chapter {chapter}: {student}", "",
        f"**{sum(points.values()):g} of {sum(table.tests.values()):g} points** by the tests{more}.", "",
        "| exercise | by the tests | in words |", "|---|---|---|", *rows, "", *told]), id="verdicts")]
    mended = hand_in.notebook.cells if hand_in.notebook else []
    ran = {c.id: c for c in executed.cells} if executed else {}
    home = belongs(hand_in.notebook) if mended else {}
    ends = {home[c.id]: c.id for c in mended if home[c.id]}
    for cell in mended:
        if role(cell) not in ("find", "title"):
            cells.append(shown(ran.get(cell.id, cell), released.get(cell.id)))
        if ends.get(home[cell.id]) == cell.id:
            n = home[cell.id]
            parts = [f"{points[n]:g} of {table.tests[n]:g} points"] * bool(table.tests[n]) + [_words(n, table, words)]
            quoted = ["```", *said[n], "```"] if said.get(n) else []
            cells.append(new_markdown_cell("\n".join(
                f"> {line}" for line in [f"**Exercise {n}: {'; '.join(filter(None, parts))}**", "", *quoted]),
                id=f"verdict-{n.replace('.', '-')}"))
    try:
        page, _ = exporter().from_notebook_node(new_notebook(cells=cells),
                                                resources={"metadata": {"name": f"Chapter {chapter}: {student}"}})
    finally:
        import equations
        equations.close(None, None)   # what was drawn is kept
    return page


def _words(number, table, words):
    if number not in table.words:
        return ""
    return (f"{table.words[number]:g} for words, which a person reads" if number in words else
            f"0 of {table.words[number]:g} for words")


# ---- all hand-ins ------------------------------------------------------------------------


def grade_one(hand_in, *, frame, grader, place, chapter, timeout, out, environ):
    """One student's row: (hand-in with all flags, points, words), and his feedback on the disk."""
    table, graded, executed = Table(frame), {}, None
    if hand_in.notebook is not None:
        os.environ.update(environ)
        hand_in.flags += suspicious(frame, hand_in.notebook)
        words = to_read(frame, table, hand_in.notebook)
        graded, executed, flags = run(grader, place, chapter, timeout, hand_in)
        hand_in.flags += flags
        if grader == "otter":
            save = out / "otter" / hand_in.id
            save.mkdir(parents=True, exist_ok=True)
            nbformat.write(hand_in.notebook, save / f"{assignment(chapter)}.ipynb")
            tests = {name: result[1].to_dict() for name, result in graded.items()}
            (save / "results.json").write_text(json.dumps(tests, indent=1, default=str), "utf-8")
    else:
        words = {}
    points = marks(frame, table, graded)
    hand_in.flags = list(dict.fromkeys(hand_in.flags))
    said = verdicts(frame, executed, graded)
    page = feedback(hand_in, frame, table, points, words, executed, said)
    (out / "feedback" / f"{hand_in.id}.html").write_text(page, "utf-8")
    return hand_in, points, words


def grade(release, hand_ins, chapter, grader, out, timeout=TIMEOUT, jobs=None):
    """Collect, grade and write; (table, [(hand-in, points, words)])."""
    release, out = Path(release).resolve(), Path(out).resolve()
    if grader not in GRADERS:
        raise ValueError(f"grader = {grader!r} is to be one of {', '.join(GRADERS)}")
    name = assignment(chapter)
    problem_set = release / "assignments" / name / f"{name}.ipynb"
    if not problem_set.is_file():
        raise SystemExit(f"{release} has no problem set of chapter {chapter}: {problem_set} is missing")
    (out / "feedback").mkdir(parents=True, exist_ok=True)
    frame, taken = collect.collect(problem_set, hand_ins, out)
    place = prepare(grader, release, chapter, out)
    with tempfile.TemporaryDirectory() as scratch:
        one = partial(grade_one, frame=frame, grader=grader, place=place, chapter=chapter, timeout=timeout, out=out,
                      environ=settings(release, scratch))
        with ProcessPoolExecutor(min(jobs or os.cpu_count(), max(len(taken), 1))) as pool:
            rows = list(pool.map(one, taken))
    table = Table(frame)
    if any(role(c) == "numbers" for c in frame.cells):
        same_numbers([hand_in for hand_in, _, _ in rows if hand_in.notebook])
    write_tables(out, table, rows)
    return table, rows


def same_numbers(hand_ins):
    """Where numbers are a student's own: flags for those without a name, and for two with the same."""
    names = {}
    for hand_in in hand_ins:
        names.setdefault(" ".join(name_of(hand_in.notebook).lower().split()), []).append(hand_in)
    for name, those in names.items():
        for hand_in in those if not name or len(those) > 1 else ():
            others = ", ".join(other.student for other in those if other is not hand_in)
            hand_in.flags.append(Flag(f"has the same name in its name cell, and the same numbers, as {others}" if name
                                      else "has no name in its name cell, so no numbers", look=True, told=False))


def write_tables(out, table, rows):
    """marks.csv and flags.csv, for spreadsheets: UTF-8 with its mark."""
    with open(out / "marks.csv", "w", newline="", encoding="utf-8-sig") as file:
        write = csv.writer(file)
        write.writerow(["student", "name", *table.numbers, "total", "words to read", "points for words", "look",
                        "flags", "feedback"])
        write.writerow(["(out of)", "", *(f"{table.tests[n]:g}" for n in table.numbers),
                        f"{sum(table.tests.values()):g}", " ".join(table.words), f"{sum(table.words.values()):g}",
                        "", "", ""])
        for hand_in, points, words in rows:
            write.writerow([_cell(hand_in.student), _cell(name_of(hand_in.notebook) if hand_in.notebook else ""),
                            *(f"{points[n]:g}" for n in table.numbers), f"{sum(points.values()):g}", " ".join(words),
                            f"{sum(words.values()):g}", "yes" if any(f.look for f in hand_in.flags) else "",
                            _cell("; ".join(f.what for f in hand_in.flags)), f"{hand_in.id}.html"])
    with open(out / "flags.csv", "w", newline="", encoding="utf-8-sig") as file:
        write = csv.writer(file)
        write.writerow(["student", "exercise", "look", "what"])
        for hand_in, _, _ in rows:
            write.writerows([_cell(hand_in.student), flag.exercise, "yes" if flag.look else "", _cell(flag.what)]
                            for flag in hand_in.flags)


def _cell(text):
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text


def processor():
    """Seconds of processor of this process and all that it waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path, help="what `make course` wrote")
    parser.add_argument("hand_ins", type=Path, help="a folder, or a zip")
    parser.add_argument("--chapter", required=True)
    parser.add_argument("--with", dest="grader", choices=GRADERS, required=True)
    parser.add_argument("--out", type=Path, help="default: HAND_INS-graded")
    parser.add_argument("--timeout", type=int, default=TIMEOUT, help=f"seconds for one cell (default: {TIMEOUT})")
    parser.add_argument("--jobs", type=int, help="hand-ins at a time (default: one a core)")
    parser.add_argument("--container", choices=("docker", "podman"), help="print how to do it in one, and stop")
    options = parser.parse_args(arguments)
    out = options.out or options.hand_ins.with_name(options.hand_ins.stem + "-graded")
    for path in options.release, options.hand_ins:
        if not path.exists():
            parser.error(f"{path} does not exist")
    if options.container:
        quoted = {name: shlex.quote(str(path.resolve())) for name, path in
                  (("root", ROOT), ("release", options.release), ("hand_ins", options.hand_ins), ("out", out))}
        user = "--userns keep-id" if options.container == "podman" else '--user "$(id -u):$(id -g)"'
        print(CONTAINER.format(engine=options.container, chapter=options.chapter, grader=options.grader, user=user,
                               **quoted))
        return 0
    print("Students' code runs on this machine now, with your rights; --container docker (or podman) says how to run "
          "it without a network.", flush=True)
    began, spent = time.time(), processor()
    table, rows = grade(options.release, options.hand_ins, options.chapter, options.grader, out, options.timeout,
                        options.jobs)
    width = max([len(hand_in.student) for hand_in, _, _ in rows] + [7])
    for hand_in, points, words in rows:
        print(f"{hand_in.student:{width}}  {sum(points.values()):5g} of {sum(table.tests.values()):g}"
              + "  look" * any(flag.look for flag in hand_in.flags))
    print(f"{len(rows)} hand-ins with {options.grader}: {time.time() - began:.0f} s, "
          f"{(processor() - spent) / max(len(rows), 1):.2f} s of processor each; "
          f"{sum(len(words) for _, _, words in rows)} answers in words to read")
    print(f"{out / 'marks.csv'}\n{out / 'flags.csv'}\n{out / 'feedback'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
