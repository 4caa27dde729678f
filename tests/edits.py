"""A reader changes a number: edits of a chapter made at random, and what comes of them.

    python tests/edits.py                    200 edits, spread over all chapters; prints those that end badly
    python tests/edits.py --edits 20 --seed 3 chapters/05*.ipynb

An edit changes one number of a natural kind (rate, decay rate, ε, seed, number of steps, size) in a cell that the
page shows. It ends well when the chapter runs to its end, or stops with a sentence: an assertion that says what no
longer holds, or an error of the package, which names the argument.
"""

import argparse
import ast
import io
import os
import sys
import traceback
import warnings
from contextlib import redirect_stdout
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

import matplotlib.pyplot as plt  # noqa: E402
import nbformat  # noqa: E402
import numpy as np  # noqa: E402

ROOT = Path(__file__).parents[1]
PACKAGE = str(ROOT / "code" / "descent")
NAMES = {  # kind: names that stand for it, as a variable or an argument
    "rate": "alpha alphas rate rates eta alpha0 first_rate".split(),
    "decay": "beta beta1 beta2 betas b1 b2 mu decay decays".split(),
    "eps": ["eps", "epsilon"],
    "seed": ["seed", "seeds"],
    "count": "steps n T last epochs size draws walks repeats runs".split(),
}
KIND = {name: kind for kind, names in NAMES.items() for name in names}


def _numbers(node):
    """The constants of a number, a tuple or a list of them."""
    for part in ast.walk(node):
        if isinstance(part, (ast.Call, ast.BinOp, ast.Subscript, ast.comprehension)) and not (
                isinstance(part, ast.Call) and getattr(part.func, "attr", "") == "array"):
            return
    yield from (part for part in ast.walk(node) if isinstance(part, ast.Constant)
                and isinstance(part.value, (int, float)) and not isinstance(part.value, bool))


def sites(source):
    """(kind, constant) of every number that a reader may change."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Name) and target.id in KIND:
                yield from ((KIND[target.id], number) for number in _numbers(value))
            elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                for one, each in zip(target.elts, value.elts):
                    if isinstance(one, ast.Name) and one.id in KIND:
                        yield from ((KIND[one.id], number) for number in _numbers(each))
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in KIND:
                    yield from ((KIND[keyword.arg], number) for number in _numbers(keyword.value))
            if getattr(node.func, "attr", getattr(node.func, "id", "")) == "default_rng" and node.args:
                yield from (("seed", number) for number in _numbers(node.args[0]))


def changed(kind, value, rng):
    if kind == "rate":
        return float(f"{value * rng.choice([0.3, 0.5, 2.0, 3.0]):.3g}")
    if kind == "decay":
        return rng.choice([x for x in (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999) if x != value]).item()
    if kind == "eps":
        return rng.choice([x for x in (0.0, 1e-12, 1e-8, 1e-3) if x != value]).item()
    if kind == "seed":
        return int(rng.integers(1000))
    whole = max(1, round(value * rng.choice([0.5, 0.8, 1.5])))
    return whole if isinstance(value, int) else float(whole)


def cells_of(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "code" and cell.id != "colab"]


def edit(cells, rng):
    """The sources with one number changed, and the edit in words; None where there is nothing to change."""
    found = [(i, kind, number) for i, cell in enumerate(cells)
             if not {"hide-input", "solution"} & set(cell.metadata.get("tags", []))
             for kind, number in sites(cell.source)]
    if not found:
        return None
    i, kind, number = found[rng.integers(len(found))]
    sources = [cell.source for cell in cells]
    lines = sources[i].split("\n")
    row = lines[number.lineno - 1].encode()
    new = repr(changed(kind, number.value, rng))
    lines[number.lineno - 1] = (row[:number.col_offset] + new.encode() + row[number.end_col_offset:]).decode()
    sources[i] = "\n".join(lines)
    return sources, f"{kind} {number.value!r} -> {new} in {lines[number.lineno - 1].strip()!r}"


def is_a_sentence(error):
    if isinstance(error, AssertionError):
        return len(str(error).split()) >= 4
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, (ValueError, TypeError)) and frames[-1].filename.startswith(PACKAGE)


def outcome(sources):
    """None where the chapter ran to its end or stopped with a sentence, else the error in one line."""
    names = {"__name__": "__main__"}
    with warnings.catch_warnings(), plt.rc_context(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            for source in sources:
                exec(compile(source, "cell", "exec"), names)
        except Exception as error:
            if is_a_sentence(error):
                return None
            row = next((f.lineno for f in reversed(traceback.extract_tb(error.__traceback__)) if f.filename == "cell"), 0)
            return f"{type(error).__name__}: {error}"[:200] + f"  at {source.splitlines()[row - 1].strip()!r}"
        finally:
            plt.close("all")


def run_with(path, edits):
    """What a chapter's names are at its end, with every piece of its code that `edits` names replaced; plots unseen."""
    cells, names = cells_of(path), {}
    whole = "\n".join(cell.source for cell in cells)
    assert [text for text in edits if text not in whole] == [], "these edits fit nowhere"
    with warnings.catch_warnings(), plt.rc_context():
        warnings.simplefilter("ignore")  # plt.show without a screen
        for cell in cells:
            source = cell.source
            for before, after in edits.items():
                source = source.replace(before, after)
            exec(compile(source, cell.id, "exec"), names)
    plt.close("all")
    return names


def tried(path, count, seed):
    """(edit, error or None) of `count` edits of a chapter."""
    cells, rng = cells_of(path), np.random.default_rng([seed, *path.name.encode()])
    for _ in range(count):
        made = edit(cells, rng)
        if made:
            sources, words = made
            yield words, outcome(sources)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapters", nargs="*", type=Path)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chapters = options.chapters or [ROOT / "index.ipynb", *sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))]
    made = bad = 0
    for k, path in enumerate(chapters):
        share = options.edits // len(chapters) + (k < options.edits % len(chapters))
        for words, error in tried(path, share, options.seed):
            made += 1
            if error:
                bad += 1
                print(f"{path.name}: {words}\n    {error}", flush=True)
    print(f"{made} edits, {bad} end without a sentence")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
