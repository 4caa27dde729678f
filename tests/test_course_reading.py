"""The reading edition: it gives nothing away, it runs, and a Jupyter without any extension shows all of it."""

import asyncio
import builtins
import json
import re
import shutil
import subprocess
import sys
import symtable
from urllib.parse import unquote

import nbformat
import pytest
import yaml

import address
import make
import notebooks
import reading
from conftest import ROOT
from reading import plain
from test_jupyterlab import serving

EDITION = make.Edition(name="test", version=make.version(), commit="0123456789" * 4, seed=1, secret=2)
SOME = ["3", "7", "F"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All pages of the book."""
    return written(tmp_path_factory.mktemp("whole"), list(reading.pages()))


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    return written(tmp_path_factory.mktemp("some"), SOME)


def written(folder, chapters):
    reading.write(folder / "reading", chapters, EDITION)
    return folder / "reading"


def words(path):
    return "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")


def outside_code(text):
    """Markdown without its programs and its formulas."""
    text = re.sub(r"(?ms)^(?:> ?)*(`{3,}|~{3,}).*?^(?:> ?)*\1$", "", text)
    text = re.sub(r"(?s)\\begin\{equation\*\}.*?\\end\{equation\*\}", "", text)
    text = re.sub(r"`[^`\n]+`", "", text)
    return re.sub(r"\$[^$\n]+(?:\n[^$\n]+)?\$", "", text)


# ---- what a cell becomes ----------------------------------------------------


def test_an_equation_has_its_name_and_no_line_that_only_myst_reads():
    assert plain("$$\n\\begin{aligned}\na &= b\n\\end{aligned}\n$$ (7.2)\n\nBy {eq}`7.2`.", "7") == (
        "\\begin{equation*}\n\\begin{aligned}\na &= b\n\\end{aligned}\n\\tag{7.2}\n\\end{equation*}\n\nBy (7.2).")
    assert plain("$$ x = 1 $$") == "\\begin{equation*}\nx = 1\n\\end{equation*}"
    assert plain("1. so\n\n   $$\n   x\n   $$\n") == "1. so\n\n   \\begin{equation*}\n   x\n   \\end{equation*}"
    assert "\\begin{split}\na \\\\ b\n\\end{split}" in plain("$$\na \\\\ b\n$$")   # a line ends outside of an environment


def test_a_box_is_a_quotation_below_its_title_and_its_equations_take_one_line():
    box = "````{prf:theorem} A bound\n:label: thm\n\nFor all $t$\n\n$$\na\n= b\n$$ (9.9)\n\n```{note}\nAnd *more*.\n```\n````"
    assert plain(box) == ("> **A bound**\n>\n> For all $t$\n>\n> \\begin{equation*} a = b \\tag{9.9} \\end{equation*}\n>\n"
                          "> > **Note**\n> >\n> > And *more*.")
    assert plain(":::{dropdown} Why `t`?\nBecause.\n:::") == "> **Why `t`?**\n>\n> Because."
    assert plain("```{exercise} Right by accident\n:label: ex-right-by-accident\n\nFind.\n```").startswith(
        "> **Exercise 7.1 · Right by accident**\n>\n> Find.")


def test_programs_stay_as_they_are():
    program = "~~~python\n$$ {eq}`1` [a](b.md)\n% no comment\n~~~"
    assert plain(program) == program
    assert plain("`{eq}` and `$$`") == "`{eq}` and `$$`"


def test_references_are_numbers_or_links():
    online = address.published()
    assert plain("{eq}`7.2`", "7") == "(7.2)"
    assert plain("{eq}`7.2`", "3", ["3", "7"]) == "[(7.2)](07_bias_correction.ipynb)"
    assert plain("{eq}`7.2`", "3") == f"[(7.2)]({online}chapters/07_bias_correction.html#equation-7-2)"
    assert plain("{ref}`ex-right-by-accident`", "7") == "Exercise 7.1"
    assert plain("{ref}`that one <ex-right-by-accident>`", "3", ["7"]) == "[that one](07_bias_correction.ipynb)"
    assert plain("{cite:t}`kingma2015`") == f"[Kingma and Ba 2015]({online}chapters/bibliography.html)"
    assert plain("{cite}`kingma2015`") == f"([Kingma and Ba 2015]({online}chapters/bibliography.html))"
    assert plain("[g](guide.md#x) [o](../index.ipynb)") == f"[g]({online}chapters/guide.html#x) [o]({online}index.html)"
    assert plain("[n](notation.md)", "7", ["7"]) == "[n](notation.ipynb)"
    assert plain("[same](#divide-by-what-is-there)", "7") == "[same](#Divide-by-what-is-there)"
    assert plain("A claim.[^1]\n\n[^1]: Its source.") == "A claim.<sup>1</sup>\n\n<sup>1</sup> Its source."
    assert plain("(here)=\n## There") == "## There"


@pytest.mark.parametrize("text, named", [("```{mermaid}\nx\n```", "mermaid"), ("{kbd}`x`", "kbd"),
                                         ("{ref}`ex-nowhere`", "ex-nowhere"), ("```{list-table}\n* - x\n```", "table")])
def test_what_has_no_plain_form_stops_with_its_name(text, named):
    with pytest.raises(ValueError, match=named):
        plain(text)


def test_the_book_has_no_macros_that_a_notebook_would_have_to_know():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert not [key for key in config["sphinx"]["config"] if key.startswith("mathjax")]
    assert not re.search(r"\\(re)?newcommand|\\def\b", "".join(reading._words().values()))


# ---- the edition ------------------------------------------------------------


def test_no_line_of_a_solution_survives(whole):
    book = [cell for path in notebooks.book_notebooks() for cell in nbformat.read(path, as_version=4).cells]

    def lines(solutions):
        return {line.strip() for cell in book if ("solution" in cell.metadata.get("tags", ())) == solutions
                for line in cell.source.splitlines() if line.strip()}

    public = lines(False)
    secret = {line for line in lines(True) if not any(line in known for known in public)}
    assert len(secret) > 300
    for path in [*whole.rglob("*.ipynb"), whole / "README.md"]:
        text = path.read_text("utf-8")
        assert '"solution"' not in text and "{solution" not in text
        sources = {line.strip() for cell in nbformat.read(path, as_version=4).cells
                   for line in cell.source.splitlines()} if path.suffix == ".ipynb" else set()
        assert not secret & sources
        assert not [line for line in secret if len(line) > 20 and json.dumps(line, ensure_ascii=False)[1:-1] in text]


def test_every_other_cell_is_there_without_outputs(whole):
    for name, path in reading.pages().items():
        copy = nbformat.read(whole / path.name, as_version=4)
        kept = [cell for cell in nbformat.read(path, as_version=4).cells if cell.id != "colab"
                and not {"solution", "paper-only"} & set(cell.metadata.get("tags", ()))]
        assert [cell.id for cell in copy.cells] == [kept[0].id, "package"] + [cell.id for cell in kept[1:]]
        assert copy.cells[0].source.startswith("# ")   # the title, and no program, is what one sees first
        package = copy.cells.pop(1)
        assert package.metadata.jupyter.source_hidden
        for cell in copy.cells:
            assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)
        assert [cell.source for cell in copy.cells if cell.cell_type == "code"] == [
            cell.source for cell in kept if cell.cell_type == "code"]


def test_nothing_is_left_that_needs_an_extension_and_equations_have_their_names(whole):
    for path in [*reading.pages().values(), whole / "notation.ipynb"]:
        text = words(whole / path.name)
        assert not re.findall(r"\{[\w:.-]+\}`|\$\$|^\([\w:.-]+\)=|(?:`{3}|:{3,}) *\{[\w:.-]+\}", text, re.M)
        assert not re.findall(r"\\[a-zA-Z]+|\$", outside_code(text)), path.name
        labels = re.findall(r"^ *\$\$ \(([^)\n]+)\)", reading._words().get(path.name, ""), re.M)
        assert [label for label in labels if rf"\tag{{{label}}}" not in text] == []
    assert len(re.findall(r"(?m)^> \*\*Exercise 7\.\d · ", words(whole / "07_bias_correction.ipynb"))) == 6


def test_nothing_speaks_of_the_buttons_of_the_site(whole):
    for said in reading.OF_THE_SITE:
        assert any(said in text for text in reading._words().values()), said   # the book may have changed its words
    for path in reading.pages().values():
        assert not re.findall(r"(?i)[^.\n]*(?:buttons? (?:at|below)|rocket|in your browser)[^.\n]*", words(whole / path.name))


@pytest.mark.parametrize("edition", ["whole", "some"])
def test_links_lead_to_something(request, edition, html):
    folder, online, followed = request.getfixturevalue(edition), address.published(), 0
    for path in folder.glob("*.ipynb"):
        for link in re.findall(r"\]\(([^)\s]+)\)", outside_code(words(path))):
            file, _, anchor = link.partition("#")
            if link.startswith(online):
                page = html / file.removeprefix(online)
                assert page.is_file(), (path.name, link)
                assert not anchor or f'id="{anchor}"' in page.read_text("utf-8"), (path.name, link)
                followed += 1
            elif not link.startswith("http"):
                target = folder / file if file else path
                assert target.is_file(), (path.name, link)
                headings = [re.sub(r"[*`]", "", heading).replace(" ", "-")
                            for heading in re.findall(r"(?m)^#+ (.+)$", words(target))]
                assert not anchor or unquote(anchor) in headings, (path.name, link)
                followed += 1
    assert followed > 50


def test_it_holds_what_a_reader_needs_and_the_same_bytes_each_time(some, tmp_path):
    again = written(tmp_path, SOME)
    names = {path.relative_to(some).as_posix() for path in some.rglob("*") if path.is_file()}
    assert names >= {"03_deriving_rmsprop.ipynb", "07_bias_correction.ipynb", "frameworks.ipynb", "notation.ipynb", "README.md",
                     "LICENSE", "LICENSE-TEXT", "constraints.txt", "pyproject.toml", "code/descent/rules.py"}
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "code" / "descent").rglob("*.*") if path.suffix != ".pyc"}
    assert len(package) > 50 and names >= package
    assert not [name for name in names if "__pycache__" in name] and "08_adam_assembled_and_tested.ipynb" not in names
    for name in names:
        assert (some / name).read_bytes() == (again / name).read_bytes()
    assert "3, 7, F" in (some / "README.md").read_text("utf-8")


def test_a_page_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="chapter = '40'"):
        reading.write(tmp_path / "reading", ["3", "40"], EDITION)
    assert not (tmp_path / "reading").exists()


# ---- it runs ----------------------------------------------------------------


def names_used_and_set(source):
    """The names of a program's outermost level that it uses, and those that it sets."""
    used, made, tables = set(), set(), [symtable.symtable(source, "notebook", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            outermost = table.get_type() == "module"
            if (outermost or symbol.is_global()) and symbol.is_referenced():
                used.add(symbol.get_name())
            if (outermost or symbol.is_declared_global()) and (symbol.is_assigned() or symbol.is_imported()):
                made.add(symbol.get_name())
    return used, made


def test_no_cell_needs_a_name_that_only_a_solution_has(whole):
    for path in reading.pages().values():
        cells = [cell.source for cell in nbformat.read(whole / path.name, as_version=4).cells if cell.cell_type == "code"]
        used, made = names_used_and_set("\n".join(line for line in "\n".join(cells).splitlines() if line[:1] not in "%!"))
        assert used - made <= set(dir(builtins)) | {"get_ipython", "display"}, path.name


def test_it_runs_with_the_package_beside_it_and_exercises_are_not_done_yet(some, tmp_path):
    copy = nbformat.read(some / "frameworks.ipynb", as_version=4)
    skeletons = sum("exercise" in cell.metadata.get("tags", ()) for cell in copy.cells)
    copy.cells.append(nbformat.v4.new_code_cell("import descent\nprint('package', descent.__file__)"))
    environment = notebooks.kernel_environment(tmp_path) | {"PYTHONPATH": ""}
    asyncio.run(notebooks.execute(copy, some, environment))
    printed = ["".join(out.get("text", "") for out in cell.outputs) for cell in copy.cells if cell.cell_type == "code"]
    assert printed[0] == "" and printed[-1].startswith(f"package {some / 'code'}")
    assert "".join(printed).count("not done yet") >= skeletons > 2
    assert not re.search(r": correct$", "".join(printed), re.M)


# A pip that notes what it is asked for, and a Python that has only what a test gives it.
PIP = """import pathlib, sys
pathlib.Path("asked").write_text(" ".join(sys.argv[1:]))
sys.exit(pathlib.Path("offline").exists() and "no network")"""


@pytest.mark.parametrize("beside, there, asked", [
    ("code", True, None), ("../code", True, None), ("../../reading/code", True, None), ("code", False, "install -q ipywidgets anywidget"),
    (None, True, None), (None, False, "install -q ipywidgets anywidget"), ("another", True, "URL"), ("older", True, "URL"),
    ("nothing", True, "URL")])
def test_the_first_cell_finds_this_release_or_installs_it(tmp_path, beside, there, asked):
    here, site = tmp_path / "book" / "here", tmp_path / "site"
    here.mkdir(parents=True)
    (site / "pip").mkdir(parents=True)
    (site / "pip" / "__init__.py").touch()
    (site / "pip" / "__main__.py").write_text(PIP)
    for name in ["numpy", "matplotlib", *["ipywidgets", "anywidget"] * there]:
        (site / f"{name}.py").touch()
    for place, version in {"code": (here / "code", EDITION.version), "../code": (here / "../code", EDITION.version),
                           "../../reading/code": (here / "../../reading/code", EDITION.version),
                           "another": (here / "code", "9.9"), None: (site, EDITION.version),
                           "older": (site, "0.0")}.items():
        if place == beside:
            (version[0] / "descent").mkdir(parents=True)
            (version[0] / "descent" / "__init__.py").write_text(f'__version__ = "{version[1]}"')
            (version[0] / f"descent-{version[1]}.dist-info").mkdir()
            (version[0] / f"descent-{version[1]}.dist-info" / "METADATA").write_text(f"Name: descent\nVersion: {version[1]}\n")
    (here / "cell.py").write_text(reading.first_cell(EDITION))

    def run():
        return subprocess.run([sys.executable, "-S", "cell.py"], cwd=here, capture_output=True, text=True,
                              env={"PYTHONPATH": str(site)})
    done = run()
    assert done.returncode == 0, done.stderr
    if asked is None:
        assert done.stdout == "" and not (here / "asked").exists()
        return
    url = f"{address.repository()[0]}/archive/{EDITION.commit}.zip"
    assert (here / "asked").read_text() == asked.replace("URL", f"install -q descent[figures] @ {url}")
    assert re.fullmatch(r"Installed .+\.\n", done.stdout)
    (here / "offline").touch()
    assert "Could not install" in run().stderr


def test_what_is_installed_is_a_commit_or_a_tag_and_never_a_branch():
    def source(commit):
        return reading.source(make.Edition("a", "2.0.0", commit, 1, 2)).removeprefix(address.repository()[0])
    assert source("a" * 40) == source("a" * 40 + "+") == f"/archive/{'a' * 40}.zip"
    assert source("unknown") == "/archive/refs/tags/v2.0.0.zip"


# ---- it is read in a JupyterLab that has no extension -----------------------

# What a reader sees of the Markdown cells, without what MathJax drew and without programs.
TEXT = """() => [...document.querySelectorAll(".jp-MarkdownOutput")].map((cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll("mjx-container, pre, code").forEach((part) => part.remove());
    return copy.textContent; })"""
DRAWN = """() => [...document.querySelectorAll(".jp-MarkdownOutput")]
    .every((cell) => !/\\$|\\\\(begin|tag|frac|beta|alpha)/.test(cell.textContent))"""


@pytest.mark.browser
def test_jupyterlab_without_extensions_shows_no_directive_and_no_tex(some, chromium, tmp_path):
    if shutil.which("jupyter-lab", path=str(ROOT / ".venv/bin")) is None and shutil.which("jupyter-lab") is None:
        pytest.skip("JupyterLab is not installed: pip install '.[notebook]'")
    off = tmp_path / "config" / "labconfig" / "page_config.json"
    off.parent.mkdir(parents=True)
    off.write_text(json.dumps({"disabledExtensions": {"jupyterlab-myst": True}}))
    names = "03_deriving_rmsprop.ipynb", "07_bias_correction.ipynb", "frameworks.ipynb"
    copy = nbformat.v4.new_notebook()   # one after the other, nothing folded: all of it is looked at
    for n, name in enumerate(names):
        for cell in nbformat.read(some / name, as_version=4).cells:
            cell.metadata.pop("jp-MarkdownHeadingCollapsed", None)
            copy.cells.append(nbformat.from_dict(cell | {"id": f"{cell.id}-{n}"}))
    with serving(tmp_path) as (where, folder, _):
        nbformat.write(copy, folder / "whole.ipynb")
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{where}lab/tree/whole.ipynb?token=book&reset")
        cells = sum(cell.cell_type == "markdown" for cell in copy.cells)
        assert cells > 100
        page.wait_for_function(f"document.querySelectorAll('.jp-MarkdownOutput').length >= {cells}")
        page.wait_for_function(DRAWN)
        assert page.locator(".myst").count() == 0   # the extension is off
        source = words(folder / "whole.ipynb")
        displays = source.count("\\begin{equation*}")
        assert displays > 40
        page.wait_for_function(f"document.querySelectorAll('mjx-container[display=true]').length >= {displays}")   # set some time after
        assert page.locator("mjx-container[display=true]").count() == displays
        assert page.locator("[data-mml-node=merror], mjx-merror").count() == 0
        boxes = page.locator(".jp-MarkdownOutput blockquote > p:first-child > strong").all_inner_texts()
        boxes = [title for title in boxes if title.startswith("Exercise ")]
        assert boxes == re.findall(r"(?m)^> \*\*(Exercise .+)\*\*$", source) and len(boxes) > 8
        for text in page.evaluate(TEXT):
            assert not re.search(r"\\[a-zA-Z]+|\$|\{[\w:.-]+\}|```|:::|~~~|\)=$", text, re.M), text
        page.close()
