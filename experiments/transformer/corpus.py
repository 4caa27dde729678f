"""The corpus: Python's own standard library, as token numbers.

    python corpus.py                      # this interpreter's library
    python corpus.py --lib PATH/TO/Lib    # another copy of it

The recorded runs used CPython 3.11.7.  Every .py file of the library, without
tests, IDLE, installed packages and the files that depend on the build, in the
order of the paths; every 20th file is for validation.  One regular expression
cuts a text into tokens and loses nothing; the 8,191 commonest tokens of the
training files get a number by their rank, all others are *unknown*.

Writes tokens.npz (not in the repository) and corpus.json: hashes, sizes, and
what is known of the eleven frequency groups without any network.
"""

import argparse
import collections
import hashlib
import json
import platform
import re
import sysconfig
import tokenize
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
VOCABULARY = 8192                 # 8,191 tokens and, as the last number, unknown
UNKNOWN = VOCABULARY - 1
LEFT_OUT = {"test", "tests", "idlelib", "idle_test", "site-packages", "__pycache__"}
TOKEN = re.compile(r"""
    [^\W\d]\w*          # a name or keyword
  | \d\w*               # a number with the letters glued to it: 10, 0xff, 1e5
  | \n[ \t]*            # a new line with the indentation after it
  | [ ]+                # spaces
  | \s | [^\w\s]        # any other white space, one punctuation character
""", re.X)


def library_files(lib):
    """(name, path) of the files that count, in the order of their names."""
    for path in sorted(lib.rglob("*.py"), key=lambda p: p.relative_to(lib).as_posix()):
        name = path.relative_to(lib)
        built = name.name.startswith("_sysconfigdata") or name.parts[0].startswith("config-")
        if not (LEFT_OUT & set(name.parts) or built):
            yield name.as_posix(), path


def evaluation_windows(length, windows, context):
    """Evenly spaced windows of context + 1 tokens: their positions, shape (windows, context + 1).

    Rounded as torch.linspace does it, in float32 and from both ends: the recorded runs used that.
    """
    last, k = float(length - context - 1), np.arange(windows)
    step = float(np.float32(last) / np.float32(windows - 1))
    start = np.where(k < windows // 2, step * k, last - step * (windows - 1 - k))
    return start.astype(np.float32).astype(np.int64)[:, None] + np.arange(context + 1)


def frequency_groups(counts):
    """The group of each token, 0 (commonest) to 9, and 10 for unknown.

    counts : occurrences in the training files, falling, unknown last.
    A group ends as soon as it holds its equal share of what the groups before it left over;
    the first is the single space alone, with a quarter of all tokens.
    """
    group, g, mass = np.full(len(counts), 10), 0, 0
    left = counts[:-1].sum()
    for token, count in enumerate(counts[:-1]):
        group[token] = g
        mass += count
        if g < 9 and mass >= left / (10 - g):
            left, g, mass = left - mass, g + 1, 0
    return group


def describe_groups(ids, counts, windows=704, context=256):
    """What corpus.json says of each group: token types, shares, and the loss of unigram frequencies."""
    group, surprise = frequency_groups(counts), -np.log(counts / counts.sum())
    described = {"token_types": np.bincount(group).tolist()}
    for split, tokens in ids.items():
        targets = tokens[evaluation_windows(len(tokens), windows, context)[:, 1:]].ravel()
        n = np.bincount(group[targets], minlength=11)
        loss = np.bincount(group[targets], weights=surprise[targets], minlength=11) / n
        described[split] = {"target_share": (n / n.sum()).round(4).tolist(),
                            "unigram_loss": loss.round(4).tolist()}
    return described


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lib", type=Path, default=Path(sysconfig.get_paths()["stdlib"]))
    parser.add_argument("--out", type=Path, default=HERE, help="folder for tokens.npz and corpus.json")
    options = parser.parse_args()

    tokens, digest, characters = {"train": [], "val": []}, hashlib.sha256(), 0
    files = collections.Counter()
    for i, (name, path) in enumerate(library_files(options.lib)):
        with tokenize.open(path) as file:                # honours the line that names the coding
            text = file.read()
        cut = TOKEN.findall(text)
        assert "".join(cut) == text, name
        digest.update(text.encode())
        characters += len(text)
        split = "val" if i % 20 == 10 else "train"
        tokens[split] += cut
        files[split] += 1

    seen = collections.Counter(tokens["train"])
    ranked = sorted(seen, key=lambda word: (-seen[word], word))     # ties by spelling
    number = {word: i for i, word in enumerate(ranked[:UNKNOWN])}
    ids = {split: np.array([number.get(word, UNKNOWN) for word in words], np.uint16)
           for split, words in tokens.items()}
    np.savez_compressed(options.out / "tokens.npz", **ids)

    counts = np.bincount(ids["train"], minlength=VOCABULARY)
    unigram = -np.log(np.maximum(counts, 0.5) / counts.sum())
    info = {
        "python": platform.python_version(),
        "files": dict(files), "characters": characters,
        "tokens": {split: len(x) for split, x in ids.items()},
        "sha256_text": digest.hexdigest(),
        "sha256_tokens": hashlib.sha256(ids["train"].tobytes() + ids["val"].tobytes()).hexdigest(),
        "vocabulary": VOCABULARY, "distinct_in_training": len(ranked),
        "unknown": {split: round(float((x == UNKNOWN).mean()), 4) for split, x in ids.items()},
        "unigram_validation_loss": round(float(unigram[ids["val"]].mean()), 4),
        "count_of_rank": {rank: int(counts[rank - 1]) for rank in (1, 10, 100, 1000, 8000)},
        "groups": describe_groups(ids, counts),
    }
    text = json.dumps(info, indent=1)
    (options.out / "corpus.json").write_text(re.sub(r"\n {3,}|\n +(?=\])", " ", text) + "\n")
    print(text)


if __name__ == "__main__":
    main()
