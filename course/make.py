"""Write the course material of some chapters into _build/course/<release>/.

    make course CHAPTERS="3 4 7"              default: the whole book
    make course RELEASE=autumn SEED=7 OWN=yes
    python course/make.py [--release autumn] [--seed 7] [--own] [--only reading] [3 4 7]

reading/ and assignments/ are for students, instructor/ is not. release.json says what was written, from which
commit and with which public seed; the secret one, of the hidden tests, is drawn once and stands in
instructor/secret.json alone, so that the same release can be written again.

Written again, a release replaces and deletes only what it wrote and nobody has changed since, by the checksums
in release.json. Your own files stay, a .git too, and so do files that you changed: they are named.
"""

import argparse
import hashlib
import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "code")]   # for all parts

import exercises  # noqa: E402
import reading  # noqa: E402
from release import checksum  # noqa: E402

FOLDER = ROOT / "_build" / "course"
RECORD, SECRET = "release.json", "instructor/secret.json"
# What writes a part, in course/NAME.py, and the folder of the release that its `write` is given.
# The problem sets stand in two: assignments/ for students, instructor/ for graders.
PARTS = {"reading": "reading", "assignments": "", "key": "instructor", "questions": "instructor/questions",
         "slides": "instructor/slides"}


# ---- what is asked for ------------------------------------------------------


@dataclass(frozen=True)
class Edition:
    """What is handed out: its name, where it comes from, and its seeds.

    name : "2.0.0", the folder below _build/course
    version : of the package
    commit : of the repository, with "+" where files differ from it
    seed : public; students' own numbers
    secret : inputs of the hidden tests; stands only in instructor/
    own : whether the problem sets take their numbers from the student's name
    """

    name: str
    version: str
    commit: str
    seed: int
    secret: int
    own: bool = False


def version():
    """Of the package, read from its source."""
    return re.search(r'__version__ = "(.+)"', (ROOT / "code" / "descent" / "__init__.py").read_text("utf-8"))[1]


def commit():
    """The commit, with "+" where files differ from it; "unknown" outside git."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if git("rev-parse").returncode:
        return "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no").stdout.strip()
    return git("rev-parse", "HEAD").stdout.strip() + "+" * bool(changed)


def edition(release, folder, seed=None, own=False):
    """The `Edition` called `release`; seeds that `folder` has already stay."""
    if not re.fullmatch(r"\w[\w.+-]*", release):
        raise ValueError(f"release = {release!r} is to be the name of a folder: letters, digits, dots and dashes")
    if seed is None:
        seed = _json(folder / RECORD).get("seed", int(hashlib.sha256(release.encode()).hexdigest()[:8], 16))
    secret = _json(folder / SECRET).get("seed") or secrets.randbits(62) | 1
    return Edition(name=release, version=version(), commit=commit(), seed=seed, secret=secret, own=own)


def _json(path):
    """What a file holds; nothing, where it is missing or damaged."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def writer(part):
    """The function that writes a part."""
    try:
        return import_module(part).write
    except ModuleNotFoundError as error:
        if error.name == part:
            raise SystemExit(f"The part {part} cannot be written: there is no course/{part}.py") from error
        raise SystemExit(f"The part {part} needs {error.name}: pip install -c constraints.txt -e '.[course]'") from error


def write(folder, chapters, edition, parts=tuple(PARTS)):
    """Write all parts into the empty `folder`."""
    writers = {part: writer(part) for part in parts}   # all of them are there before the first begins
    with_exercises = [chapter for chapter in chapters if chapter in exercises.chapters()]
    arguments = {"reading": (chapters, edition), "assignments": (with_exercises, edition, edition.own),
                 "slides": ([chapter for chapter in with_exercises if chapter.isdigit()],)}   # a lecture is a chapter's
    for part, write_part in writers.items():
        write_part(folder / PARTS[part], *arguments.get(part, (with_exercises, edition)))
    secret = folder / SECRET
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(json.dumps({"seed": edition.secret}) + "\n")


# ---- into a folder that may have been worked in -----------------------------


def files(folder):
    """Names of all files below a folder, with slashes."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def bring(new, folder, record, whole=True):
    """Bring the files of `new` into `folder`, and `record` into its release.json; the names of files that were kept.

    A file is replaced or deleted only where it still is what the release before wrote.
    Where `new` is not the `whole` release, nothing is deleted.
    """
    before = _json(folder / RECORD).get("files", {})
    record["files"] = {name: checksum(new / name) for name in files(new) if name != SECRET}
    if not whole:
        record["files"] = dict(sorted((before | record["files"]).items()))
    kept = []
    for name in files(new):
        target = folder / name
        if target.is_file() and checksum(target) != checksum(new / name) and checksum(target) != before.get(name):
            kept.append(name)
        elif not target.is_file() and target.exists():   # a folder of somebody's
            kept.append(name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new / name, target)
    for name in sorted(before.keys() - record["files"].keys()):
        target = folder / name
        if not target.is_file():
            continue
        if checksum(target) != before[name]:
            kept.append(name)
            continue
        target.unlink()
        for parent in target.parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()
    (folder / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return kept


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapters", nargs="*", help=f"of {', '.join(reading.pages())} (default: all)")
    parser.add_argument("--release", default=version(), help="name of the folder (default: the version)")
    parser.add_argument("--seed", type=int, help="public: students' own numbers follow from it and their names")
    parser.add_argument("--own", action="store_true", help="problem sets with numbers of each student's own")
    parser.add_argument("--only", action="append", choices=PARTS, help="write this part alone; may be repeated")
    parser.add_argument("--folder", type=Path, help="default: _build/course/RELEASE")
    options = parser.parse_args(arguments)
    parts = options.only or list(PARTS)
    chapters = list(dict.fromkeys(options.chapters or reading.pages()))
    if unknown := [chapter for chapter in chapters if chapter not in reading.pages()]:
        parser.error(f"no such chapter: {', '.join(unknown)}; there are {', '.join(reading.pages())}")
    folder = options.folder or FOLDER / options.release
    try:
        made = edition(options.release, folder, options.seed, options.own)
    except ValueError as error:
        parser.error(str(error))
    record = {"release": made.name, "version": made.version, "commit": made.commit, "seed": made.seed, "own": made.own,
              "chapters": chapters, "parts": parts}
    with tempfile.TemporaryDirectory() as scratch:
        write(Path(scratch), chapters, made, parts)
        kept = bring(Path(scratch), folder, record, whole=set(parts) == set(PARTS))
    for name in kept:
        print(f"kept, because it is not as it was written: {name}", file=sys.stderr)
    if made.commit.endswith("+"):
        print(f"Files differ from commit {made.commit[:7]}: away from this folder, notebooks install that commit.",
              file=sys.stderr)
    print(f"{folder}: {len(record['files'])} files of release {made.name}")


if __name__ == "__main__":
    main()
