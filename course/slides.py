"""Slides for every chapter, 8 to 12 each, that run from a disk without a network: `make slides [CHAPTERS="3 7"]`.

    python course/slides.py [chapter ...]      default: all 18, into _build/slides/
    python course/slides.py --follow           after equations were renamed: the slides follow them

What is shown is the book's: cells with their stored figures (they move, and ask), equations by their names,
exercises by their labels. slides/NN.toml chooses them and adds the words of the lecture:

    [[slide]]
    heading = "..."
    say = ["a line or two, Markdown"]
    cells = ["b7-draw"]                  # what these cells show
    code = ["b7-adam"]                   # the same, with their code
    equations = ["7.1", "b7-seen#2"]     # by label, or the second display of a cell; one a key press
    exercises = ["ex-jensen"]
    printed = ["b7-table"]               # cells that are not shown, but print numbers that the slide says
    notes = "for the speaker; an empty line begins a paragraph"

sphinx-revealjs makes the pages; equations are drawn in the build, as in the book. In a lecture: S opens the notes,
arrow keys in a figure move the figure, Escape leaves it, PageUp and PageDown always turn the slide.
On paper: open a page with ?print-pdf behind its address, and print.
"""

import io
import json
import re
import shutil
import sys
import tempfile
import tomllib
from functools import cache
from html import escape
from pathlib import Path

import nbformat
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "book" / "extensions")]

from equation_names import NamedEquations  # noqa: E402
from exercises import exercises, pages  # noqa: E402
from notebooks import title_of  # noqa: E402

DATA = Path(__file__).with_name("slides")
OPENINGS = DATA / "equations.toml"
TITLE = "RMSprop and Adam, step by step"
KEYS = {"heading", "say", "cells", "code", "equations", "exercises", "printed", "notes"}
DISPLAY = re.compile(r"(?m)^\$\$(?s:(.*?))\$\$(?: \((\S+)\))?[ .,]*$")


def available():
    """The chapters that have slides, as numbers."""
    return sorted(int(path.stem) for path in DATA.glob("[0-9]*.toml"))


def notebook_of(chapter):
    """The chapter's notebook and its path."""
    path = pages()[str(int(chapter))]
    return path, nbformat.read(path, as_version=4)


def slides_of(chapter):
    """The slides of a chapter, as its file has them, [{heading, say, ...}]."""
    if int(chapter) not in available():
        raise ValueError(f"chapter = {chapter!r} has no slides; those with slides are "
                         + ", ".join(map(str, available())))
    found = tomllib.loads((DATA / f"{int(chapter):02}.toml").read_text("utf-8"))["slide"]
    for slide in found:
        if unknown := set(slide) - KEYS:
            raise ValueError(f"chapter {chapter}, {slide.get('heading')!r}: {sorted(unknown)} is none of {sorted(KEYS)}")
    return found


@cache
def labelled():
    """{"7.8": its TeX, ...}: the equations of all chapters by their names."""
    return {found[2]: found[1].strip() for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
            for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"
            for found in DISPLAY.finditer(cell.source) if found[2]}


def opening(tex):
    """What tells an equation from others, whatever it is called: slides/equations.toml has it for each that is shown."""
    return re.sub(r"\s", "", tex)[:60]


@cache
def openings():
    return tomllib.loads(OPENINGS.read_text("utf-8"))


def moved():
    """{label: its label now, or None}: equations that are not what they were when their slide was written."""
    now = {}
    for label, tex in labelled().items():
        now.setdefault(opening(tex), label)
    return {label: now.get(start) for label, start in openings().items() if opening(labelled().get(label, "")) != start}


def follow():
    """Rename equations in the slides as the book has renamed them, and note those that are new. Returns what is left to do."""
    names, shown = moved(), set()
    for path in sorted(DATA.glob("[0-9]*.toml")):
        text = re.sub(r"(?m)^equations = .*", lambda line: re.sub(
            r'"([^"]+)"', lambda label: f'"{names.get(label[1]) or label[1]}"', line[0]), path.read_text("utf-8"))
        path.write_text(text, "utf-8")
        shown |= {label for slide in tomllib.loads(text)["slide"] for label in slide.get("equations", ()) if "#" not in label}
    kept = {names.get(label) or label: start for label, start in openings().items()}
    noted = {label: kept.get(label) or opening(labelled().get(label, "")) for label in shown}
    OPENINGS.write_text("# How each equation of the slides begins, so that a renamed one is noticed. Written by: slides.py --follow\n"
                        + "".join(f'"{label}" = {json.dumps(noted[label])}\n' for label in sorted(noted)), "utf-8")
    openings.cache_clear()
    return [f"({label}) reads differently now: look at its slide, take its line out of {OPENINGS.name}, and follow again"
            for label in moved()]


class Chapter:
    """A chapter's cells, equations and exercises, by their names."""

    def __init__(self, number):
        self.number = int(number)
        self.path, notebook = notebook_of(number)
        self.language = notebook.metadata
        self.cells = {cell.id: cell for cell in notebook.cells}
        self.title = title_of(notebook)
        self.exercises = {exercise.label: exercise for exercise in exercises(number)}
        self.displays = {cell.id: [found[1].strip() for found in DISPLAY.finditer(cell.source)]
                         for cell in notebook.cells if cell.cell_type == "markdown"}

    def named(self, kind, name, where):
        known, whose = {"cell": (self.cells, self.path.name), "exercise": (self.exercises, self.path.name),
                        "equation": (labelled(), "the book")}[kind]
        if name not in known:
            raise ValueError(f"{where}: {name!r} is no {kind} of {whose}; it has {', '.join(known)}")
        return known[name]

    def equation(self, name, where):
        """(TeX, label or None) of "7.1", or of "b7-seen#2"."""
        if "#" not in name:
            tex = self.named("equation", name, where)
            if opening(tex) != openings().get(name):
                raise ValueError(f"{where}: ({name}) is another equation than when the slide was written; "
                                 "python course/slides.py --follow renames it")
            return tex, name
        cell, _, nth = name.partition("#")
        self.named("cell", cell, where)
        if not 0 < int(nth) <= len(self.displays.get(cell, ())):
            raise ValueError(f"{where}: {name!r}: {cell} has {len(self.displays.get(cell, ()))} displayed formulas")
        tex = self.displays[cell][int(nth) - 1]
        return tex, next((label for label, other in labelled().items() if other == tex), None)

    def notebook(self):
        """The slides as a notebook: a heading begins a slide."""
        cells, labels = [], set()
        for n, slide in enumerate(slides_of(self.number)):
            where = f"chapter {self.number}, slide {n + 1}"
            words = [f"{'#' if n == 0 else '##'} {self.title if n == 0 else slide['heading']}"]
            if n == 0:
                words.append(f"**{slide['heading']}**")
            words += slide.get("say", ())
            for k, name in enumerate(slide.get("equations", ())):
                tex, label = self.equation(name, where)
                label = f" ({label})" if label and label not in labels else ""
                labels.add(label[2:-1])
                formula = f"$$\n{tex}\n$$" + label
                words.append(formula if k == 0 else f"```{{revealjs-fragments}}\n{formula}\n```")
            if chosen := [self.named("exercise", name, where) for name in slide.get("exercises", ())]:
                words.append("\n".join(f"* **{one.number}** {one.title}" + (" (on paper)" if one.on_paper else "")
                                       for one in chosen))
            notes = "".join(f"<p>{escape(' '.join(part.split()))}</p>"
                            for part in re.split(r"\n\s*\n", slide.get("notes", "").strip()))
            cells.append(nbformat.v4.new_markdown_cell("\n\n".join(words)))
            code = [(name, []) for name in slide.get("code", ())]
            for name, tags in code + [(name, ["remove-input"]) for name in slide.get("cells", ())]:
                cell = nbformat.from_dict(dict(self.named("cell", name, where)))
                photograph = ["photograph"] if "photograph" in cell.metadata.get("tags", ()) else []
                cell.metadata = nbformat.from_dict({"tags": tags + photograph,
                                                    **{key: cell.metadata[key] for key in ("mystnb",) if key in cell.metadata}})
                cells.append(cell)
            cells.append(nbformat.v4.new_markdown_cell(f'<aside class="notes">{notes}</aside>'))
        for n, cell in enumerate(cells):
            cell.id = f"s{n}"   # a cell may be shown twice
        return nbformat.v4.new_notebook(cells=cells, metadata=self.language)


class Quiet(NamedEquations):
    """Each chapter is a lecture of its own: two of them may show one equation."""

    def note_equation(self, docname, labelid, location=None):
        self.equations[labelid] = (docname, labelid)


def setup(app):
    """As a Sphinx extension of the slides."""
    app.add_domain(Quiet, override=True)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}


SETTINGS = {
    "project": TITLE, "author": "", "root_doc": "index", "language": "en",
    "extensions": ["myst_nb", "sphinx_revealjs", "equations", "slides"],
    "nb_execution_mode": "off",
    "nb_ipywidgets_js": {},
    "nb_merge_streams": True,
    "nb_mime_priority_overrides": [["revealjs", "text/html", 0], ["revealjs", "image/png", 10], ["revealjs", "text/plain", 20]],
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "html_math_renderer": "drawn",
    "math_numfig": False,
    "html_copy_source": False,
    "revealjs_html_theme": "revealjs-simple",
    "revealjs_style_theme": "white",
    "revealjs_static_path": [str(ROOT / "book" / "_static" / "equations.css"), str(ROOT / "book" / "_static" / "equations.js"),
                             str(DATA / "slides.css"), str(DATA / "slides.js")],
    "revealjs_css_files": ["equations.css", "slides.css"],
    "revealjs_js_files": [["slides.js", {}]],
    "revealjs_script_conf": {
        "width": 1280, "height": 720, "margin": 0.02, "maxScale": 4, "center": False, "display": "flex", "controls": False,
        "hash": True, "hashOneBasedIndex": True, "slideNumber": "c/t",
        "transition": "none", "backgroundTransition": "none",
        "pdfSeparateFragments": False, "pdfMaxPagesPerSlide": 1, "scrollActivationWidth": None,
    },
    "revealjs_script_plugins": [{"src": "revealjs/plugin/notes/notes.js", "name": "RevealNotes"},
                                {"src": "revealjs/plugin/highlight/highlight.js", "name": "RevealHighlight"}],
}


def build(source, target):
    """Sphinx, from a folder of notebooks to a folder of pages; a warning is an error."""
    said = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(source, None, target, source / "doctrees", "revealjs", confoverrides=SETTINGS,
                     status=None, warning=said, freshenv=True)
        app.build()
    if app.statuscode or said.getvalue().strip():
        raise RuntimeError(f"the slides do not build: {said.getvalue()}")


def write(folder, chapters):
    """Write the slides of some chapters into a folder; a file that it has no use for is left alone.

    Returns the pages, in the order of the chapters.
    """
    chapters = [Chapter(number) for number in chapters if slides_of(number)]   # asks for the slides first
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "source", Path(scratch) / "target"
        source.mkdir()
        for chapter in chapters:
            nbformat.write(chapter.notebook(), source / chapter.path.name)
        names = "\n".join(f"* [{chapter.title}]({chapter.path.name})" for chapter in chapters)
        toc = "\n".join(chapter.path.stem for chapter in chapters)
        (source / "index.md").write_text(f"# {TITLE}\n\n{names}\n\n```{{toctree}}\n:hidden:\n\n{toc}\n```\n", "utf-8")
        build(source, target)
        for path in sorted(target.rglob("*")):
            name = path.relative_to(target)
            if path.is_file() and useful(name.as_posix()):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / name)
    return [Path(folder) / f"{chapter.path.stem}.html" for chapter in chapters]


def useful(name):
    """Sphinx leaves its notes, and reveal.js its sources and the themes that are not used."""
    return not (name.startswith(".") or name in ("objects.inv", "searchindex.js", "search.html", "genindex.html")
                or name.endswith((".map", ".scss", ".esm.js", ".md"))
                or re.search(r"revealjs/(dist/theme/(?!white\.css|fonts)|plugin/(?!notes|highlight))", name)
                or "league-gothic" in name or name.endswith((".eot", ".ttf")))


def main(arguments):
    if arguments == ["--follow"]:
        print("\n".join(follow()) or "the slides show the equations that they were written for")
        return 0
    if any(not name.isdigit() for name in arguments):
        print(__doc__)
        return 2
    folder = ROOT / "_build" / "slides"
    try:
        pages = write(folder, arguments or available())
    except ValueError as error:
        print(error)
        return 1
    print(f"slides of {len(pages)} chapters: {folder.relative_to(ROOT) / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
