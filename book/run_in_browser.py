"""Add to the built book what runs its chapters in a reader's browser: JupyterLite.

    python book/run_in_browser.py             after `jupyter-book build .`: `make site`
    python book/run_in_browser.py FOLDER      a built book somewhere else

Writes FOLDER/run and puts a button into the header of every page that is a notebook.
The button opens a copy of that notebook: cleared, with a first cell that installs the
book's package from the site.  Its file is called by its edition, a few digits that follow
from its text: a browser keeps what it has opened once, and would show it for ever.  The site serves all of it but Python itself (Pyodide),
which the reader's browser fetches from its project's host when the kernel starts.
"""

import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from os.path import normpath, relpath
from pathlib import Path

import nbformat

import address
import notebooks
import package
from notebooks import ROOT
from outside import plain_references

WHEELS = ROOT / ".cache" / "wheels"
# What the kernel installs beside the package: pure Python that Pyodide does not have.
# From an index of packages it would have to be fetched by the reader.
FOR_THE_KERNEL = ["anywidget", "comm", "ipywidgets", "jupyterlab-widgets", "psygnal", "typing-extensions"]
# What the page itself uses: MyST in Markdown cells, widgets.
FOR_THE_PAGE = ["anywidget", "jupyterlab-myst", "jupyterlab-widgets"]
# Left out, a third of JupyterLite.  Fonts in formats of old browsers, each there as woff2 too;
# the colours of other programming languages than Python in Markdown;
OLD_FONTS = ["build/fa-*.eot", "build/fa-*.svg", "build/fa-*.ttf", "build/fa-*.woff",
             "extensions/jupyterlab-myst/static/*.ttf", "extensions/jupyterlab-myst/static/*.woff"]
LANGUAGES = "extensions/jupyterlab-myst/static/react-syntax-highlighter_languages_*"
# what Mermaid reads and lays out diagrams with: the parts that hold one of these words.
DIAGRAMS = re.compile(rb"org\.eclipse\.elk|cytoscape|ArchitectureTokenBuilder")

# What Python starts from, on its own host.
PYTHON_FILES = ["pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]
KERNEL = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
FIRST = """\
*This is a copy of [the page in the book]({page}) that runs in your browser.*
*Choose **Run ▸ Run All Cells**; the first figure needs about twenty seconds, the longest chapter some three minutes.*
*Change what you like: your changes stay in this browser, and nobody else sees them.*"""
INSTALL = """\
%pip install -q "descent[figures]"
import logging
# matplotlib makes its list of fonts here, and would announce it
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)"""
# In the header of the page: it pushes nothing.  A phone shows the short words, a screen reader says all of them.
BUTTON = """
<p class="run-here"><a href="{address}" title="Nothing to install; it fetches Python, about 30 MB, when you click."
>Run<span class="long"> this {what} in your browser</span></a>
<span><span class="long">fetches </span>30 MB</span></p>
<script>if (location.protocol === "file:") document.querySelector(".run-here").innerHTML =
'<span class="long">This {what} cannot run from a disk: </span><a href="{online}">run it online</a>';</script>"""
# Where the header's own buttons begin.
PLACE = '<div class="header-article-items__end">'


# ---- the copies -----------------------------------------------------------


def for_the_browser(notebook, page, online):
    """The copy of a notebook that JupyterLite opens; `page` is its address in the book at `online`."""
    copy = nbformat.from_dict({**notebook, "metadata": {"kernelspec": KERNEL}})
    copy.cells = [nbformat.v4.new_markdown_cell(FIRST.format(page=page), id="run-first"),
                  nbformat.v4.new_code_cell(INSTALL, id="run-install", metadata={"jupyter": {"source_hidden": True}})]
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", ()))
        if cell.id == "colab" or re.match(r"`+\{solution-(start|end)\}", cell.source):
            continue
        cell = nbformat.from_dict(dict(cell))
        if cell.cell_type == "markdown":
            cell.source = plain_references(cell.source, online)
            if "solution" in tags:   # folded under its name, in the place of three dots
                cell.metadata.pop("jupyter", None)
                cell.source = f"``````{{admonition}} Solution\n:class: dropdown\n\n{cell.source}\n``````"
        else:
            cell.outputs, cell.execution_count = [], None
            if tags & {"hide-input", "remove-input", "solution"}:
                cell.metadata["jupyter"] = {"source_hidden": True}
        copy.cells.append(cell)
    nbformat.validate(copy)
    return copy


def editions(copies):
    """New names by old ones ("chapters/07_x" -> "chapters/07_x.3f2a1c.ipynb"); links between the copies follow."""
    texts = {name: nbformat.writes(copy) for name, copy in copies.items()}
    names = {name: f"{name}.{hashlib.sha256(text.encode()).hexdigest()[:6]}.ipynb" for name, text in texts.items()}
    for name, copy in copies.items():
        for cell in copy.cells:
            if cell.cell_type == "markdown":
                cell.source = re.sub(r"\]\((?!\w+:)([\w/.]+)\.ipynb", lambda link: "](" + relpath(
                    names[normpath(Path(name).parent / link[1])], Path(name).parent), cell.source)
    return names


# ---- the wheels -----------------------------------------------------------


def wheels():
    """Paths by name, downloaded where they are not there yet: the versions of constraints.txt."""
    versions, wanted = package.pins(), sorted({*FOR_THE_KERNEL, *FOR_THE_PAGE})

    def found(name):
        return next(WHEELS.glob(f"{name.replace('-', '_')}-{versions[name]}-*none-any.whl"), None)

    missing = [f"{name}=={versions[name]}" for name in wanted if not found(name)]
    if missing:
        # of psygnal there is a compiled wheel too, which no browser runs
        _run("pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", WHEELS,
             "--platform", "any", "--implementation", "py", "--abi", "none", *missing,
             otherwise=f"Could not download {', '.join(missing)}: is there a network?")
    return {name: found(name) for name in wanted}


def _run(module, *arguments, otherwise, cwd=None):
    done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=cwd,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}\n{otherwise}")


# ---- the site -------------------------------------------------------------


def build(site, pages, online):
    """Write JupyterLite with the copies into the folder `run` of the site; the names of the copies."""
    kernel = next(Path(sys.prefix).glob("share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension"), None)
    if kernel is None:
        raise SystemExit("JupyterLite is not installed: pip install -c constraints.txt -e '.[lite]'")
    with tempfile.TemporaryDirectory() as work:
        work, wheel = Path(work), wheels()
        copies = {path.relative_to(ROOT).with_suffix("").as_posix(): for_the_browser(   # of what the site was built from
            nbformat.read(site / "_sources" / path.relative_to(ROOT), as_version=4), online + page, online)
            for path, page in pages.items()}
        names = editions(copies)
        for name, copy in copies.items():
            target = work / "contents" / names[name]
            target.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(copy, target)
        settings = {
            "LiteBuildConfig": {
                "apps": ["notebooks", "tree"],
                "contents": ["contents"],
                "output_dir": "run",
                "no_sourcemaps": True,
                "no_unused_shared_packages": True,
                # Only these, whatever else is installed here.
                "ignore_sys_prefix": ["federated_extensions"],
                "federated_extensions": [str(kernel), *(str(wheel[name]) for name in FOR_THE_PAGE)],
            },
            "PipliteAddon": {"piplite_urls": [str(package.wheel(work)), *(str(wheel[name]) for name in FOR_THE_KERNEL)]},
        }
        (work / "jupyter_lite_config.json").write_text(json.dumps(settings))
        # light or dark as the reader's system is, like the book
        (work / "overrides.json").write_text('{"@jupyterlab/apputils-extension:themes": {"adaptive-theme": true}}')
        _run("jupyterlite_core", "build", cwd=work, otherwise="JupyterLite could not be built.")
        for file in unused(work / "run"):
            file.unlink()
        add_words(work / "run", kernel, names)
        shutil.rmtree(site / "run", ignore_errors=True)
        shutil.copytree(work / "run", site / "run")
    return names


def add_words(run, kernel, names):
    """What JupyterLite does not say by itself: book/run_in_browser.js, in the page that opens a copy."""
    (start,) = {url for file in (kernel / "static").glob("*.js")
                for url in re.findall(r"https://[^\"'` ]*/pyodide\.js", file.read_text("utf-8"))}
    repository, branch = address.repository()
    colab = repository.replace("https://github.com/", "https://colab.research.google.com/github/")
    known = {"EDITIONS": names, "PYTHON": [start.replace("pyodide.js", name) for name in PYTHON_FILES],
             "PAGES": "../../", "COLAB": f"{colab}/blob/{branch}/NAME.ipynb", "REPOSITORY": repository}
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in known.items()]
    (run / "book.js").write_text("".join(lines) + Path(__file__).with_suffix(".js").read_text("utf-8"), "utf-8")
    page = run / "notebooks" / "index.html"
    page.write_text(page.read_text("utf-8").replace("<head>", '<head>\n    <script src="../book.js"></script>', 1), "utf-8")


def unused(run):
    """What of JupyterLite no page of this book asks for."""
    for pattern in OLD_FONTS:
        yield from run.glob(pattern)
    yield from (file for file in run.glob(LANGUAGES) if "_python." not in file.name)
    for folder in "build", "extensions/jupyterlab-myst/static":
        yield from (file for file in (run / folder).glob("*.js") if DIAGRAMS.search(file.read_bytes()))


def add_button(site, notebook, page, online):
    """Put the button that opens a copy into the header of a page, once."""
    address = f"{relpath('run', Path(page).parent)}/notebooks/index.html?path={notebook}"
    text = (site / page).read_text("utf-8")
    if 'class="run-here"' in text:
        return
    button = BUTTON.format(address=html.escape(address), online=html.escape(online + page),
                           what="chapter" if "/" in page else "page")
    if text.count(PLACE) != 1:
        raise SystemExit(f"{page} has no header to put the button into")
    text = text.replace(PLACE, PLACE + button)
    (site / page).write_text(text, "utf-8")


def main(arguments):
    site = Path(arguments[0] if arguments else ROOT / "_build" / "html")
    pages = {path: path.relative_to(ROOT).with_suffix(".html").as_posix() for path in notebooks.book_notebooks()}
    # a chapter that is not in the contents yet has no page
    pages = {path: page for path, page in pages.items() if (site / page).is_file()}
    if not pages:
        raise SystemExit(f"{site} is no built book: run `make book` first")
    # where the book is published, as its own pages say it
    online = re.search(r'<link rel="canonical" href="([^"]*/)', (site / "index.html").read_text("utf-8"))[1]
    names = build(site, pages, online)
    for page in pages.values():
        add_button(site, names[page.removesuffix(".html")], page, online)
    print(f"{len(pages)} pages can be run in a browser: {site / 'run'}")


if __name__ == "__main__":
    main(sys.argv[1:])
