"""Re-execute the book's notebooks in place and bring them into normal form.

    python book/notebooks.py                  all notebooks: `make notebooks`
    python book/notebooks.py chapters/07*     these
    python book/notebooks.py --check          only say which are not in normal form

Every notebook runs from top to bottom in a fresh kernel of this very Python,
in its own folder, as it does for a student who opens it and for nbval.  A cell
that fails leaves its file as it was.  Running twice changes nothing.

In normal form a notebook has only what a reader needs: the same kernel name
everywhere, execution counts 1, 2, 3, ..., stable cell ids, no times, versions,
widget state or empty cells.  What the book folds, JupyterLab folds.  An interactive
figure keeps its page (text/html), its summary (text/plain) and its picture (image/png);
a stored widget view without its model is a dead box.
"""

import argparse
import asyncio
import base64
import hashlib
import html
import io
import json
import os
import re
import struct
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import (CellExecutionError, CellTimeoutError,
                                 DeadKernelError)

import address

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 600  # seconds a cell
PARALLEL = 2  # notebooks at a time

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python",
                   "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("mystnb", "tags")
# What JupyterLab folds, by tags: it does not know the book's.
NO_SOURCE = {"hide-input", "hide-cell", "remove-input", "remove-cell", "paper-only", "solution"}
NO_OUTPUTS = {"hide-output", "hide-cell", "remove-output", "remove-cell", "paper-only", "solution"}
DEEPER = re.compile(r"#{2,6} Deeper: ")  # a section that is folded: book/extensions/folds.py
DROPPED_OUTPUTS = ("application/vnd.jupyter.widget-view+json",)
QUANTUM = 0.1  # of the numbers in an interactive figure, in points


def book_notebooks():
    """The opening page and the chapters, in reading order."""
    return [ROOT / "index.ipynb", *sorted((ROOT / "chapters").glob("*.ipynb"))]


def title_of(notebook):
    """"7 · Bias correction": its first heading."""
    return next(line[2:].strip() for cell in notebook.cells if cell.cell_type == "markdown"
                for line in cell.source.splitlines() if line.startswith("# "))


# ---- normal form ----------------------------------------------------------


def normal_form(text):
    """The notebook `text` in normal form, as text."""
    notebook = nbformat.from_dict(json.loads(text))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = {**{k: v for k, v in notebook.metadata.items()
                            if k == "mystnb"}, **METADATA}
    seen, count = set(), 0
    for cell in notebook.cells:
        cell.source = _joined(cell.source).rstrip()
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items()
                         if k in CELL_METADATA and v} | _folded(cell)
        cell.id = _identity(cell, seen)
        if cell.cell_type != "code":
            continue
        cell.outputs = [_output(out) for out in _merged(cell.outputs)]
        cell.outputs = [out for out in cell.outputs if out.get("data", True)]
        if cell.get("execution_count") is not None:
            count += 1
            cell.execution_count = count
        for out in cell.outputs:
            if out.output_type == "execute_result":
                out.execution_count = cell.execution_count
            if "image/png" in out.get("data", {}) and (told := alternative_text(cell)):
                # wherever the picture itself is shown: by a front end or an export, and by a builder that takes no HTML
                out.metadata["image/png"] = out.metadata.get("image/png", {}) | {"alt": told}
                own = cell.metadata.get("mystnb", {})
                cell.metadata["mystnb"] = own | {"image": own.get("image", {}) | {"alt": told}}
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _folded(cell):
    """Metadata that tells JupyterLab and Notebook 7 what to fold."""
    tags, folded = set(cell.metadata.get("tags", ())), {}
    if tags & NO_SOURCE:
        folded["source_hidden"] = True
    if tags & NO_OUTPUTS and cell.cell_type == "code":
        folded["outputs_hidden"] = True
    if cell.cell_type == "markdown" and DEEPER.match(cell.source):
        return {"jp-MarkdownHeadingCollapsed": True}
    return {"jupyter": folded} if folded else {}


def _joined(text):
    return text if isinstance(text, str) else "".join(text)


def _identity(cell, seen):
    """The cell's own id; where it has none, one that depends on its text."""
    identity, n = cell.get("id"), 0
    while not identity or identity in seen:
        text = f"{cell.cell_type} {n} {cell.source}"
        identity, n = hashlib.sha256(text.encode()).hexdigest()[:8], n + 1
    seen.add(identity)
    return identity


def _merged(outputs):
    """One output a stream: how a kernel cuts its prints is a matter of time."""
    merged, streams = [], {}
    for out in outputs:
        if out.output_type == "stream":
            out.text = _joined(out.text)
            if out.name in streams:
                streams[out.name].text += out.text
                continue
            streams[out.name] = out
        merged.append(out)
    return merged


def _output(out):
    if "data" not in out:
        return out
    out.data = {mime: data if "json" in mime else _joined(data)
                for mime, data in out.data.items()
                if mime not in DROPPED_OUTPUTS}
    out.metadata = {mime: data for mime, data in out.metadata.items()
                    if mime in out.data and data}
    if "image/png" in out.data:
        out.data["image/png"] = _plain_png(out.data["image/png"])
    return out


def _plain_png(text):
    """The picture in at most 256 colours, a third of the size, and without notes on who drew it, with what, when."""
    from PIL import Image   # imported late, as the kernel is

    data = base64.b64decode(text)
    picture = Image.open(io.BytesIO(data))
    if picture.mode in ("RGB", "RGBA") and picture.getextrema()[3:] in ((), ((255, 255),)):   # nothing transparent
        file, colours = io.BytesIO(), picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        colours.save(file, "PNG", optimize=True, dpi=picture.info.get("dpi"))
        data = file.getvalue()
    kept, at = [data[:8]], 8
    while at < len(data):
        length, = struct.unpack(">I", data[at:at + 4])
        chunk = data[at:at + 12 + length]
        if chunk[4:8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME"):
            kept.append(chunk)
        at += 12 + length
    return base64.b64encode(b"".join(kept)).decode()


def blind_spots(notebook):
    """What nbval would pass over, so that a test run proves nothing: a list.

    nbval passes a cell that was never executed; it runs cells without history,
    where a trailing ; does not hide an output; it ignores pictures and widgets.
    """
    problems = []
    if "widgets" in notebook["metadata"]:
        problems.append("the notebook stores widget state")
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code":
            continue
        where = f"cell {number} (id {cell.get('id')})"
        if cell.get("execution_count") is None:
            problems.append(f"{where} is not executed")
        if _joined(cell["source"]).rstrip().endswith(";"):
            problems.append(f"{where} ends in ;, write plt.show()")
        kinds = {mime for out in cell["outputs"] for mime in out.get("data", ())}
        if kinds & {"image/png", "image/svg+xml"} and not alternative_text(cell):
            problems.append(f"{where} shows a picture without alternative text "
                            "(metadata.mystnb.image.alt)")
        if kinds & set(DROPPED_OUTPUTS):
            problems.append(f"{where} stores a widget view")
    return problems


def alternative_text(cell):
    """What is said about a cell's picture to those who do not see it: by its interactive figure, or else by its author."""
    told = [re.search(r'<img [^>]*?alt="([^"]*)"', page) for page in _pages(cell["outputs"])]
    own = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
    return next((html.unescape(found[1]) for found in told if found), own)


def figure_difference(stored, computed):
    """What differs between the interactive figures of two runs of a cell.

    Their numbers are quantised: another processor may round to the next
    quantum, a tenth of a point, so nbval cannot compare them as text.
    None where nothing differs by more than that.
    """
    stored, computed = _pages(stored), _pages(computed)
    if len(stored) != len(computed):
        return f"{len(stored)} figures became {len(computed)}"
    if not stored:
        return None
    import numpy as np

    from descent.figures.explore import decode
    for before, after in zip(stored, computed):
        before, after = decode(before), decode(after)
        for part in "controls", "start":
            if before[part] != after[part]:
                return f"figure: {part} {before[part]} became {after[part]}"
        if not _same_truth(before["draw"], after["draw"]):
            return "figure: what is to be drawn changed"
        if _words(before["svg"]) != _words(after["svg"]):
            return "figure: the words in the drawing changed"
        if len(before["artists"]) != len(after["artists"]):
            return "figure: the number of artists changed"
        for number, (old, new) in enumerate(zip(before["artists"],
                                                after["artists"])):
            for part in sorted(old.keys() | new.keys()):
                what = f"figure: {part} of artist {number}"
                if np.shape(old.get(part)) != np.shape(new.get(part)):
                    return f"{what} has another shape"
                if part == "words":
                    same = np.array_equal(old[part], new[part])
                else:
                    same = np.allclose(old[part], new[part], rtol=0,
                                       atol=1.01 * QUANTUM, equal_nan=True)
                if not same:
                    return f"{what} changed"
    return None


def _same_truth(before, after):
    """Whether two runs ask for the same curve: its heights, as they are compared with a reader's."""
    if before is None or after is None:
        return before is after
    heights = [[float("nan") if v is None else v for v in d["truth"]] for d in (before, after)]
    return len(heights[0]) == len(heights[1]) and all(
        abs(a - b) <= 1e-5 * max(1, abs(a)) or a != a and b != b for a, b in zip(*heights))


def _pages(outputs):
    pages = [_joined(out["data"].get("text/html", ""))
             for out in outputs if "data" in out]
    return [page for page in pages if 'class="descent"' in page]


def _words(svg):
    return re.findall(r"<text[^>]*>([^<]*)<", svg)


# ---- Colab ----------------------------------------------------------------

# The first cell of every notebook of the book; no page shows it.
COLAB = """\
# On Colab this installs the book's package; elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    source = "git+{repository}@{branch}"
    %pip install -q "descent[figures] @ {{source}}"
    from google.colab import output
    output.enable_custom_widget_manager()"""


def with_colab_cell(notebook):
    """The notebook, beginning with the cell for Colab: as it ran, or anew."""
    repository, branch = address.repository()
    source = COLAB.format(repository=repository, branch=branch)
    first = notebook.cells[0] if notebook.cells else {}
    if first.get("id") == "colab" and _joined(first.source) == source:
        return notebook
    cell = nbformat.v4.new_code_cell(source, id="colab", metadata={
        "tags": ["remove-cell"]})
    others = [other for other in notebook.cells if other.get("id") != "colab"]
    return nbformat.from_dict({**notebook, "cells": [cell, *others]})


# ---- execution ------------------------------------------------------------


def kernel_environment(scratch):
    """What a kernel must not inherit from the person who starts it.

    A matplotlibrc or IPython profile of their own would change the pictures;
    one thread for linear algebra is reproducible, and faster for small arrays.
    """
    matplotlib = Path(find_spec("matplotlib").origin).parent
    return {
        "IPYTHONDIR": str(scratch),
        "MATPLOTLIBRC": str(matplotlib / "mpl-data" / "matplotlibrc"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(
            [str(ROOT / "code"), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


async def execute(notebook, folder, environment, timeout=TIMEOUT,
                  record_timing=False):
    """Run `notebook` in place, in a fresh kernel of this Python."""
    # Imported late: tests that only read notebooks need no kernel.
    from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
    from jupyter_client.manager import AsyncKernelManager

    # A kernel called "python3" may belong to another Python (a user's
    # kernelspec, JUPYTER_PATH); nbval's --nbval-current-env has this one.
    manager = AsyncKernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME,
                                 kernel_spec_manager=NbvalKernelspecManager())
    client = NotebookClient(
        notebook, km=manager, timeout=timeout, store_widget_state=False,
        record_timing=record_timing, extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}})
    await client.async_execute(env={**os.environ, **environment},
                               cleanup_kc=True)


def complaint(error, notebook):
    """Which cell failed, and how."""
    for number, cell in enumerate(notebook.cells):
        for out in cell.get("outputs", []):
            if out.output_type == "error" and "raises-exception" not in (
                    cell.metadata.get("tags", [])):
                return (f"cell {number} (id {cell.id}) raised {out.ename}: "
                        f"{out.evalue}\n{_indented(cell.source)}")
    return f"{type(error).__name__}: {error}"


def _indented(text):
    return "\n".join("    " + line for line in text.splitlines())


async def _refresh(path, gate, environment):
    """Execute and normalise one file; the complaint, or None."""
    async with gate:
        before = path.read_bytes()
        try:
            notebook = nbformat.reads(normal_form(before), as_version=4)
            if path.resolve() in book_notebooks():
                notebook = with_colab_cell(notebook)
            await execute(notebook, path.parent, environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return f"{path}: {complaint(error, notebook)}"
        except (ValueError, KeyError, nbformat.ValidationError) as error:
            return f"{path}: not a notebook: {error}"
        after = normal_form(nbformat.writes(notebook)).encode()
        if after != before:
            path.write_bytes(after)
        print(f"{path}: {'unchanged' if after == before else 'rewritten'}")


async def refresh(paths):
    """Execute and normalise files; a list of complaints."""
    gate = asyncio.Semaphore(PARALLEL)
    with tempfile.TemporaryDirectory() as scratch:
        environment = kernel_environment(scratch)
        results = await asyncio.gather(
            *(_refresh(path, gate, environment) for path in paths))
    return [result for result in results if result]


def check(path):
    """What is wrong with a file that should be executed and normal: a list."""
    text = path.read_bytes()
    notebook = json.loads(text)
    problems = [f"{path}: {problem}" for problem in blind_spots(notebook)]
    if path.resolve() in book_notebooks() and with_colab_cell(
            nbformat.from_dict(notebook)) != notebook:
        problems.append(f"{path}: the first cell does not install the package "
                        "on Colab; run make notebooks")
    if text != normal_form(text).encode():
        problems.append(f"{path}: not in normal form; run make notebooks")
    return problems


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path,
                        help="notebooks (default: the whole book)")
    parser.add_argument("--check", action="store_true",
                        help="execute nothing, change nothing")
    options = parser.parse_args(arguments)
    paths = options.paths or book_notebooks()
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        parser.error(f"no such notebook: {', '.join(missing)}")
    if options.check:
        problems = [problem for path in paths for problem in check(path)]
    else:
        problems = asyncio.run(refresh(paths))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
