"""The chapters for students: without solutions, readable and running in a Jupyter without any extension.

    python course/make.py --only reading 3 4 7      one part of `make course CHAPTERS="3 4 7"`

Markdown becomes what every front end draws (`plain`): an equation is an environment of TeX with its name as a
tag, a box is a quotation with a bold title, a reference is its number or a link, and folds stay headings.
The first code cell finds the package beside the notebook or installs this very release (`first_cell`).
Outputs are left out: figures would give away what the reader is asked to predict.
"""

import re
import shutil
import unicodedata
from functools import cache
from pathlib import Path
from urllib.parse import quote

import nbformat

import address
import exercises
import notebooks
from notebooks import ROOT
from outside import authors_and_year
from withheld import without_solutions


# ---- what there is ----------------------------------------------------------


@cache
def pages():
    """{"index": path, "0": path, ..., "18": path, "F": ..., "L": ...}: every notebook, in the order of the book."""
    found = exercises.pages()
    found["F"] = found.pop("F")   # the last
    return {"index": found.pop("I"), **found}


def page(chapter):
    """The notebook of chapter "7" (or 7)."""
    if str(chapter) not in pages():
        raise ValueError(f"chapter = {chapter!r} is no page of the book; pages are {', '.join(pages())}")
    return pages()[str(chapter)]


@cache
def _words():
    """{name of a file: the Markdown of its public cells} of all pages that can be linked to."""
    found = {}
    for path in [*pages().values(), *sorted((ROOT / "chapters").glob("*.md"))]:
        cells = without_solutions(nbformat.read(path, as_version=4)).cells if path.suffix == ".ipynb" else []
        found[path.name] = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown") \
            if cells else path.read_text("utf-8")
    return found


@cache
def _equations():
    """{name of an equation: the file that it stands in}."""
    return {label: name for name, text in _words().items()
            for label in re.findall(r"^ *\$\$(?:(?!\$\$).)*?\$\$ \(([^()\s]+)\)$", text, re.M | re.S)}


@cache
def _labels():
    """{label: (its file, what a reference to it says)} of exercises and of headings with a name."""
    found = {label: (path.name, f"Exercise {number}") for label, (number, path) in exercises.exercise_numbers().items()}
    for name, text in _words().items():
        for label, words in re.findall(r"^\(([\w:.-]+)\)=\n+#+ +(.+)$", text, re.M):
            found[label] = name, words.removeprefix("Deeper: ")
    return found


@cache
def _headings(name):
    """{anchor as MyST makes it: the heading} of a file."""
    return {_slug(heading): heading.strip() for heading in re.findall(r"^#{1,6} +(.+)$", _words().get(name, ""), re.M)}


def _slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _name_in_html(heading):
    """The anchor of a heading on a page of the published book, as docutils makes it."""
    letters = unicodedata.normalize("NFKD", heading.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"^[-0-9]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", letters))


def _name_in_jupyter(heading):
    """The anchor of a heading in JupyterLab and in what nbconvert writes."""
    return quote(re.sub(r"[*`]", "", heading).replace(" ", "-"))


# ---- Markdown that needs no extension ---------------------------------------

FENCE = re.compile(r"( *)(`{3,}|~{3,}|:{3,}) *(?:\{([\w:.-]+)\})? *(.*)$")
# How a box without a title of its own is called; what has one is called by it.
BOXES = {name: name.rpartition(":")[2].capitalize() for name in (
    "admonition", "attention", "caution", "danger", "dropdown", "error", "hint", "important", "note", "tip", "warning",
    "margin", "sidebar", "topic", "card", "epigraph", "exercise", "proof",
    *(f"prf:{kind}" for kind in ("theorem", "lemma", "proof", "corollary", "proposition", "definition", "remark",
                                 "example", "assumption", "algorithm", "conjecture", "property", "observation"))
)} | {"seealso": "See also"}
CODE = ("code-block", "code", "code-cell", "sourcecode")
# What the site says of its own buttons, and what a reader of the notebook is told instead.
OF_THE_SITE = {
    "Each page runs in your browser, by the button at its top.": "Each page is a notebook: run it from the top.",
    "so it needs Python behind the page: the button at the top opens a copy in your browser, the rocket opens Colab; "
    "there choose *Run All Cells*, and come down to here.":
        "so run the cells.",
    "Open this notebook (the buttons at the top, or the README), set": "Set",
}
LEFT_OUT = ("solution-start", "solution-end", "index", "toctree", "tableofcontents", "bibliography", "raw")


def plain(markdown, chapter=None, beside=()):
    """The Markdown of a cell, for a Jupyter, Colab or VS Code without any extension.

    chapter : the page it stands in ("7"), whose own equations need no link
    beside : the pages that the reader has as notebooks in the same folder;
        links to all others lead to the published book
    """
    for said, instead in OF_THE_SITE.items():
        markdown = markdown.replace(said, instead)
    return "\n".join(_Page(chapter, beside).blocks(markdown.splitlines()))


def quotation(title, words):
    """A box: `words`, which are plain, below a bold title. Each equation takes one line, for Jupyter would
    draw the quotation's signs that begin its other lines."""
    words = re.sub(r"(?s)\\begin\{equation\*\}.*?\\end\{equation\*\}", lambda found: " ".join(found[0].split()), words)
    return "\n".join(f"> {line}".rstrip() for line in [f"**{title}**", "", *words.strip().splitlines()])


class _Page:
    def __init__(self, chapter, beside):
        self.own = page(chapter).name if chapter is not None else ""
        self.beside = {page(name).name for name in beside} | ({"notation.md"} if beside else set())

    def blocks(self, lines):
        """The lines, with every fenced block in its plain form."""
        out, text, lines = [], [], list(lines)
        while lines:
            line = lines.pop(0)
            fence = FENCE.match(line)
            if not fence:
                text.append(line)
                continue
            out += self.text(text)
            text, inside = [], []
            closed = re.compile(rf" *{re.escape(fence[2][0])}{{{len(fence[2])},}} *$")
            while lines and not closed.match(lines[0]):
                inside.append(lines.pop(0))
            end = lines.pop(0) if lines else fence[1] + fence[2]
            if fence[3]:
                out += [fence[1] + made for made in self.directive(fence[3], fence[4], inside)]
            elif fence[2].startswith(":"):
                out += self.blocks(inside)
            else:   # a program
                out += [line, *inside, end]
        return out + self.text(text)

    def directive(self, name, title, inside):
        options = {}
        if inside and inside[0].strip() == "---":
            last = inside.index("---", 1)
            options, inside = dict(re.findall(r"^(\S+?): *(.*)$", "\n".join(inside[1:last]), re.M)), inside[last + 1:]
        while inside and (option := re.match(r" *:([\w-]+): *(.*)$", inside[0])):
            options[option[1]], inside = option[2], inside[1:]
        if name in LEFT_OUT:
            return []
        if name in CODE:
            return [f"```{title}", *inside, "```"]
        if name == "math":
            return self.equation("\n".join(inside).strip(), options.get("label")).splitlines()
        if name in ("figure", "image"):
            return [f"![{options.get('alt', '')}]({title})", "", *self.blocks(inside)]
        if name in ("table", "list-table", "csv-table", "glossary"):
            if name.endswith("-table"):
                raise ValueError(f"the directive {name} has no plain form: write the table with | and {{table}}")
            return [*([f"*{self.inline(title)}*", ""] if title else []), *self.blocks(inside)]
        if name == "exercise":
            title = exercise_title(options["label"], title) if "label" in options else f"Exercise · {title}"
        elif name not in BOXES:
            raise ValueError(f"the directive {name} has no plain form yet: give it one in course/reading.py")
        return quotation(self.inline(title or BOXES[name]), "\n".join(self.blocks(inside))).splitlines()

    def text(self, lines):
        """Text between fences: its equations, and all that stands in a line."""
        text = re.sub(r"(?m)^\(([\w:.-]+)\)=\n+|^%.*\n?|^\+\+\+.*\n?", "", "\n".join(lines) + "\n")
        text = re.sub(r"(?ms)^( *)\$\$[ \n](.+?)[ \n] *\$\$(?: \(([^)\n]+)\))?$",
                      lambda found: found[1] + self.equation(found[2].strip(), found[3], found[1]), text)
        return self.inline(text).removesuffix("\n").split("\n") if lines else []

    def equation(self, tex, label=None, indent=""):
        tag = f"\n{indent}\\tag{{{label}}}" if label else ""
        if _ends_a_line(tex):
            tex = f"\\begin{{split}}\n{indent}{tex}\n{indent}\\end{{split}}"
        return f"\\begin{{equation*}}\n{indent}{tex}{tag}\n{indent}\\end{{equation*}}"

    def inline(self, text):
        text = re.sub(r"\{([\w:.-]+)\}`([^`]+)`|(`+)(?!`).+?(?<!`)\3(?!`)", lambda found: self.role(
            found[1], " ".join(found[2].split())) if found[1] else found[0], text)
        text = re.sub(r"\]\((?!\w+:)(?:\.\./)?(?:chapters/)?(\w+\.(?:md|ipynb))?(?:#([^)\s]*))?\)",
                      lambda found: f"]({self.address(found[1] or self.own, found[2])})", text)
        text = re.sub(r"(?<=[\])`*])\{[.#][^}\n]*\}", "", text)
        text = re.sub(r"(?m)^\[\^(\w+)\]: ", r"<sup>\1</sup> ", text)
        return re.sub(r"\[\^(\w+)\]", r"<sup>\1</sup>", text)

    def role(self, name, what):
        explicit = re.fullmatch(r"(.*\S) *<(.+)>", what)
        words, target = (explicit[1], explicit[2]) if explicit else (None, what)
        if name in ("eq", "math:numref"):
            return self.link(f"({target})", _equations().get(target, self.own), _name_in_html(f"equation-{target}"))
        if name in ("ref", "numref"):
            if target not in _labels():
                raise ValueError(f"{{{name}}}`{what}`: the book has no exercise and no heading of this name")
            file, says = _labels()[target]
            return self.link(words or says, file, target)
        if name in ("cite", "cite:t", "cite:p"):
            works = ", ".join(f"[{authors_and_year(key)}]({address.published()}chapters/bibliography.html)"
                              for key in target.split(","))
            return works if name == "cite:t" else f"({works})"
        if name == "doc":
            file = next((file for file in _words() if Path(file).stem == Path(target).name), None)
            return f"[{words or Path(target).name}]({self.address(file or target)})"
        if name == "term":
            return f"[{words or target}]({self.address('glossary.md')})"
        if name == "math":
            return f"${what}$"
        if name.startswith("py:") or name in ("code", "literal", "file", "command"):
            return f"`{words or target.lstrip('~')}`"
        raise ValueError(f"the role {{{name}}} has no plain form yet: give it one in course/reading.py")

    def link(self, words, file, target):
        """To another page; what stands on the same one is found by its number."""
        return words if file == self.own else f"[{words}]({self.address(file, target)})"

    def address(self, file, anchor=None):
        """Of a page, at the heading `anchor` (as MyST names it) or at a label."""
        heading = _headings(file).get(anchor)
        if file == self.own or file in self.beside:
            own = "" if file == self.own else file.replace("notation.md", "notation.ipynb")
            return own + (f"#{_name_in_jupyter(heading)}" if heading else "") or own or "#"
        folder = "" if file == "index.ipynb" else "chapters/"
        target = _name_in_html(heading) if heading else anchor
        return f"{address.published()}{folder}{file.rpartition('.')[0]}.html" + (f"#{target}" if target else "")


def _ends_a_line(tex):
    r"""Whether a line ends (\\) outside of every environment: such an equation is set in `split`."""
    while (inner := re.sub(r"\\begin\{(\w+\*?)\}(?:(?!\\begin\{).)*?\\end\{\1\}", "", tex, flags=re.S)) != tex:
        tex = inner
    return r"\\" in tex


def exercise_title(label, title):
    """'Exercise 7.1 · Right by accident'."""
    return f"{_labels()[label][1]} · {title}" if label in _labels() else f"Exercise · {title}"


# ---- the first program ---------------------------------------------------------

FIRST = '''\
# Finds the book's package, release {version}, or installs it: run this first.
import importlib.metadata
import importlib.util
import site
import subprocess
import sys
from pathlib import Path


def find_package(release="{version}"):
    needs = ["numpy", "matplotlib", "ipywidgets", "anywidget"]
    places = [Path("code"), Path("../code"), Path("../../reading/code")]
    beside = [folder for folder in places
              if (folder / "descent" / "__init__.py").is_file()
              and release in (folder / "descent/__init__.py").read_text("utf-8")]
    if beside:
        sys.path.insert(0, str(beside[0].resolve()))
        missing = [name for name in needs if not importlib.util.find_spec(name)]
    else:
        missing = ["descent[figures] @ {folder}/"
                   "{file}"]
        try:
            if importlib.metadata.version("descent") == release:
                missing = [n for n in needs if not importlib.util.find_spec(n)]
        except importlib.metadata.PackageNotFoundError:
            pass
    if missing:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "-q",
                               *missing], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"Could not install {{missing}}: {{done.stderr}}")
        site.addsitedir(site.getusersitepackages())
        importlib.invalidate_caches()
        print("Installed", ", ".join(missing), "for this notebook.")
    if "google.colab" in sys.modules:
        from google.colab import output
        output.enable_custom_widget_manager()


find_package()'''


def first_cell(edition):
    """Source of the first code cell of a notebook of this edition.

    It finds the package beside the notebook, in code/ or ../code/ (for a problem set ../../reading/code/), or one of
    this very version that is installed, and says nothing.  Elsewhere it installs the package of the edition's commit,
    which no later commit changes, and says so.
    """
    folder, _, file = source(edition).rpartition("/")
    return FIRST.format(version=edition.version, folder=folder, file=file)


def source(edition):
    """Where pip gets this very edition: its commit, which does not move; outside git the tag of its version."""
    repository, _ = address.repository()
    commit = edition.commit.removesuffix("+")
    return f"{repository}/archive/" + (f"{commit}.zip" if re.fullmatch("[0-9a-f]{40}", commit)
                                       else f"refs/tags/v{edition.version}.zip")


# ---- the edition ------------------------------------------------------------

README = """\
# RMSprop and Adam, step by step: {what}, release {version}

Chapters with their exercises, without the solutions. They need no extension of Jupyter.
Run all cells of a notebook (*Run*, *Run All Cells*): the first program finds the package or installs it, and the
figures come alive. What stands below a heading *Deeper* can wait; the text calls it a fold, and Jupyter hides its
programs until you press *cells hidden*. What a letter means stands in notation.ipynb.

* **On a laptop** with Python 3.11, 3.12 or 3.13, in this folder, best in a virtual environment:
  `python -m pip install -c constraints.txt -e ".[figures]" jupyterlab`, then `python -m jupyterlab`.
* **On a hub:** upload this folder, open a notebook and run it.
* **On Colab:** upload a notebook alone; its first program installs the package from
  {source}

An exercise is a cell to fill in. The cell below it says *not done yet*, *correct*, or what goes wrong first.
An exercise without such cells is for pen and paper.
Problem sets are notebooks of their own: keep `assignments` beside this folder, `reading`, and they find the package.

Text CC BY 4.0 (LICENSE-TEXT), code MIT (LICENSE).
"""


def write(folder, chapters, edition):
    """Write the chapters ("3", "F", "index", ...) into the empty or missing `folder`."""
    files = [page(chapter) for chapter in chapters]
    folder.mkdir(parents=True, exist_ok=True)
    for chapter, path in zip(chapters, files):
        _write(folder / path.name, for_students(nbformat.read(path, as_version=4), chapter, chapters, edition))
    _write(folder / "notation.ipynb", notation(chapters))
    shutil.copytree(ROOT / "code" / "descent", folder / "code" / "descent", dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for path in ROOT / "pyproject.toml", ROOT / "constraints.txt", *ROOT.glob("LICENSE*"):
        shutil.copyfile(path, folder / path.name)
    words = "the whole book" if len(files) == len(pages()) else f"chapters {', '.join(map(str, chapters))}"
    (folder / "README.md").write_text(README.format(
        what=words, version=edition.version, source=source(edition)), "utf-8")


def for_students(notebook, chapter, beside, edition):
    """The copy of a chapter: nothing executed, nothing given away, nothing that needs an extension."""
    cells = []
    for cell in without_solutions(notebook).cells:
        if cell.id == "colab" or "paper-only" in cell.metadata.get("tags", []):   # its figure answers the live one
            continue
        cell = nbformat.from_dict({**cell, "metadata": {"tags": cell.metadata.get("tags", [])}})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = plain(cell.source, chapter, beside)
        cells.append(cell)
    # below the title: Colab and pages made of the notebook show all of its program
    package = nbformat.v4.new_code_cell(first_cell(edition), id="package", metadata={"tags": ["hide-input"]})
    cells.insert(int(cells[0].cell_type == "markdown"), package)
    return nbformat.from_dict({**notebook, "metadata": {}, "cells": cells})


def notation(beside):
    """The page about letters as a notebook: plain Jupyter draws equations there, and not in a text."""
    text = (ROOT / "chapters" / "notation.md").read_text("utf-8")
    parts = re.split(r"\n(?=(?:\(\S+\)=\n+)?## )", text)
    cells = [nbformat.v4.new_markdown_cell(plain(part, None, beside), id=f"notation-{n}") for n, part in enumerate(parts)]
    return nbformat.v4.new_notebook(cells=cells)


def _write(path, notebook):
    path.write_bytes(notebooks.normal_form(nbformat.writes(notebook)).encode())
