"""Turn recorded runs into the tables that the book reads: code/descent/recorded/transformer.npz.

    python tables.py                                # from recorded/, what is in the repository
    python tables.py --runs results --out my.npz    # from your own runs

Reads runs*.jsonl and cost_*.csv of a folder, and corpus.json; needs numpy only.
`descent.recorded.transformer` describes the fields.
"""

import argparse
import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from settings import OPTIMIZERS, final, key, load, phase_a, phase_c, setting, tuning

HERE = Path(__file__).resolve().parent
OUT = HERE.parents[1] / "code" / "descent" / "recorded" / "transformer.npz"
OPTIONS = SimpleNamespace(steps=600, steps_c=400, tiny=False)
SOURCE = ("601 training runs of a transformer of 17,016,576 parameters on the library of CPython 3.11.7, "
          "one NVIDIA H100 80GB, PyTorch 2.11.0: experiments/transformer/README.md of this repository")
ORDER = ("steps", "warmup", "rule", "b2", "b1", "correction", "lr", "seed", "rep")
GROUPS = 11


def numbered(done):
    """{key: number of the run}, in the order of the settings."""
    keys = sorted(done, key=lambda k: [done[k][name] for name in ORDER])
    return {k: number for number, k in enumerate(keys)}


def number(x):
    return np.nan if x is None else x


def structured(rows):
    """A structured array from a list of dicts with the same names."""
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    table = np.empty(len(rows), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def outcome(result):
    """The columns that every table of runs ends with."""
    return {"lr": result["lr"], "seed": result["seed"], "val_loss": number(result["val"][-1][1]),
            "train_loss": number(result["train_end"]), "peak": number(result["peak"]),
            "above": result["above"], "diverged": result["diverged"]}


def asked_by(phase, done, **options):
    """The results that a phase asks for, in its own order."""
    found = []

    def collect(settings):
        found.extend(done[key(s)] for s in settings if key(s) in done)
        return True

    phase(OPTIONS, collect, done, **options)
    return found


def bias_correction(done, run):
    return structured([
        {"run": run[key(r)], "beta2": r["b2"], "correction": {"m": "first"}.get(r["correction"], r["correction"]),
         "warmup": r["warmup"], "repeat": r["rep"], **outcome(r)} for r in asked_by(phase_a, done)])


def best_runs(done):
    """Yield (warm-up, name, the eight tuning results, those of three seeds at the best rate)."""
    for warmup in (0, 100):
        for name in OPTIMIZERS:
            eight = tuning(name, OPTIONS, done, warmup)[1]
            best = min(eight, key=final)
            again = {name: best[name] for name in setting("", 0)}
            yield warmup, name, eight, [best] + [done[key(dict(again, seed=s))] for s in (1, 2)]


def comparison(done, run):
    rows = []
    for warmup, name, eight, best in best_runs(done):
        for i, r in enumerate(eight + best[1:]):
            stage = "half decade" if i < 6 else "quarter decade" if i < 8 else "more seeds"
            rows.append({"run": run[key(r)], "optimizer": name, "warmup": warmup, "stage": stage,
                         "best_lr": r["lr"] == best[0]["lr"], **outcome(r)})
    return structured(rows)


def frequency_groups(done, run, corpus):
    rows = []
    for split in ("val", "train"):
        known = corpus["groups"][split]
        losses = [("unigram frequencies", -1, -1, 0.0, -1, known["unigram_loss"])]
        losses += [(name, run[key(r)], warmup, r["lr"], r["seed"], r["groups"][split])
                   for warmup, name, _, best in best_runs(done) for r in best]
        rows += [{"run": number, "optimizer": name, "warmup": warmup, "lr": lr, "seed": seed,
                  "split": split, "group": g + 1, "token_types": corpus["groups"]["token_types"][g],
                  "target_share": known["target_share"][g], "loss": loss[g]}
                 for name, number, warmup, lr, seed, loss in losses for g in range(GROUPS)]
    return structured(rows)


def decay_rates(done, run):
    return structured([
        {"run": run[key(r)], "beta1": r["b1"], "beta2": r["b2"], "warmup": r["warmup"], **outcome(r)}
        for warmup in (0, 100) for r in asked_by(phase_c, done, warmup=warmup)])


def series(results, name, column):
    """(steps, values) of something recorded along the runs; NaN where a run has no value."""
    steps = sorted({row[0] for r in results for row in r[name]})
    values = np.full((len(results), len(steps)), np.nan, np.float32)
    place = {t: i for i, t in enumerate(steps)}
    for i, r in enumerate(results):
        for row in r[name]:
            values[i, place[row[0]]] = number(row[column])
    return np.array(steps, np.int16), values


def along_the_runs(done, run):
    """The arrays of curves and updates: one row per run, by its number."""
    results, tables = sorted(done.values(), key=lambda r: run[key(r)]), {}
    tables["train_steps"], tables["train_curves"] = series(results, "curve", 1)
    tables["val_steps"], tables["val_curves"] = series(results, "val", 1)
    for column, name in ((2, "rms"), (3, "max"), (4, "moving")):
        tables["update_steps"], tables[f"update_{name}"] = series(results, "updates", column)
    return tables


def cost(folder):
    rows = []
    for path in sorted(folder.glob("cost_*.csv")):
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                words = {name: row.pop(name) for name in ("optimizer", "implementation")}
                numbers = {name: float(x) if name[-2:] in ("ms", "_s", "or") else int(x)
                           for name, x in row.items()}
                rows.append({"process": int(path.stem.split("_")[1]), **words, **numbers})
    return structured(rows)


def tables(folder):
    """Everything that transformer.npz holds, as a dict of arrays."""
    done = load(folder)
    run, corpus = numbered(done), json.loads((HERE / "corpus.json").read_text())
    return {"source": np.array(SOURCE), "bias_correction": bias_correction(done, run),
            "comparison": comparison(done, run), "decay_rates": decay_rates(done, run),
            "frequency_groups": frequency_groups(done, run, corpus),
            **along_the_runs(done, run), "cost": cost(folder)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=Path, default=HERE / "recorded")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    made = tables(options.runs)
    np.savez_compressed(options.out, **made)
    for name, table in made.items():
        print(f"{name:17} {str(table.shape):10} {', '.join(table.dtype.names or ())}")
    print(f"{options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
