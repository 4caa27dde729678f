"""Make a release: check, build, tag, and lay everything to be published into _build/release/<version>/.

    make release VERSION=0.2.0                 or: python book/release.py 0.2.0
    python book/release.py 0.2.0 --dry-run     says what it would do, and does nothing

Checked first: nothing is uncommitted, the version is newer than every tag, and the package, CITATION.cff,
.zenodo.json and README.md say this version. Then the site, the PDF, the course kit and the wheel are built,
each command printed as it runs; HEAD is tagged v<version> when all of them are there (a tag that HEAD has
already, as in the workflow release.yml, is used); SHA256SUMS lists what was written. The kit is what students get:
reading/, assignments/ and release.json. Nothing is pushed or uploaded; the commands for that are printed.

Written again, a release replaces and deletes only what SHA256SUMS lists and nobody has changed since.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import date, datetime, timezone
from io import BytesIO
from pathlib import Path

import yaml
from packaging.version import Version

import package
import withheld

ROOT = Path(__file__).resolve().parent.parent
BOOK = "rmsprop-and-adam"
SUMS = "SHA256SUMS"
PUBLIC = ("reading/", "assignments/")   # of the course kit; instructor/ holds keys and secret seeds


class Refused(Exception):
    """Why there is no release, in sentences."""


# ---- what is checked --------------------------------------------------------


def git(root, *words):
    run = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    if run.returncode:
        raise Refused(f"git {' '.join(words)} fails: {run.stderr.strip()}")
    return run.stdout.strip()


def said(root):
    """{file: the version that it says}."""
    def find(name, pattern):
        found = re.search(pattern, (root / name).read_text("utf-8"))
        return found[1] if found else "no version"
    return {"code/descent/__init__.py": find("code/descent/__init__.py", r'__version__ = "(.+?)"'),
            "CITATION.cff": str(yaml.safe_load((root / "CITATION.cff").read_text("utf-8")).get("version", "no version")),
            ".zenodo.json": json.loads((root / ".zenodo.json").read_text("utf-8")).get("version", "no version"),
            "README.md": find("README.md", r"this is version (\d\S*\d)")}


def tags(root):
    """{version: the commit that its tag names}."""
    found = git(root, "for-each-ref", "refs/tags/v*", "--format=%(refname:strip=2) %(objectname) %(*objectname)")
    return {line.split()[0][1:]: line.split()[-1] for line in found.splitlines()
            if re.fullmatch(r"v\d+(\.\d+)+", line.split()[0])}


def check(root, version):
    """Refuse what cannot be released."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise Refused(f"VERSION = {version!r} is no version: three numbers with points between them are allowed, as 0.2.0")
    if dirty := git(root, "status", "--porcelain"):
        raise Refused("There are changes that no commit has; commit them or take them away:\n" + dirty)
    if wrong := {name: other for name, other in said(root).items() if other != version}:
        raise Refused(f"VERSION = {version}, but " + ", ".join(f"{name} says {other}" for name, other in wrong.items())
                      + f": write {version} there and commit")
    released = str(yaml.safe_load((root / "CITATION.cff").read_text("utf-8")).get("date-released"))
    try:
        day = date.fromisoformat(released)
    except ValueError:
        raise Refused(f"CITATION.cff: date-released is {released!r}; a day such as 2026-11-23 is allowed") from None
    if day > datetime.now(timezone.utc).date():
        raise Refused(f"CITATION.cff: date-released is {released}, which is to come: write the day of the release")
    head = git(root, "rev-parse", "HEAD")
    for other, commit in tags(root).items():
        if Version(other) == Version(version) and commit != head:
            raise Refused(f"v{other} is the tag of another commit, {commit[:7]}: a release does not change; take a new version")
        if Version(other) > Version(version):
            raise Refused(f"VERSION = {version} is older than v{other}, which is out: take a newer one")


# ---- what is built ----------------------------------------------------------


def command(root, *words, **variables):
    """Run it, and say so."""
    print("$", " ".join(str(word) for word in words), flush=True)
    if subprocess.run([str(word) for word in words], cwd=root, env={**os.environ, **variables}).returncode:
        raise Refused(f"This failed, and nothing was released: {' '.join(str(word) for word in words)}")


def other_script(says, build, *arguments, **options):
    """Build by a function of another script, and say so."""
    print("$", says, flush=True)
    try:
        build(*arguments, **options)
    except SystemExit as error:
        raise Refused(f"This failed, and nothing was released: {error}") from None


def commit_time(root):
    return int(git(root, "log", "-1", "--format=%ct"))


def packed(folder, target, when, only=("",)):
    """A zip of a folder's files, the same bytes for the same files."""
    day = datetime.fromtimestamp(when, timezone.utc).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name.startswith(only):
                archive.writestr(zipfile.ZipInfo(f"{target.stem}/{name}", day), path.read_bytes(), zipfile.ZIP_DEFLATED)


def site(root, out, version):
    other_script("jupyter-book build . --all", withheld.build, root, "--all")
    command(root, sys.executable, "book/run_in_browser.py")
    packed(root / "_build" / "html", out / f"{BOOK}-{version}-site.zip", commit_time(root))


def paper(root, out, version):
    command(root, sys.executable, "book/pdf.py")
    shutil.copyfile(root / "_build" / "pdf" / f"{BOOK}.pdf", out / f"{BOOK}-{version}.pdf")


def kit(root, folder, version, *chapters):
    command(root, sys.executable, "course/make.py", "--release", version, "--folder", folder,
            "--only", "reading", "--only", "assignments", *chapters)


def course(root, out, version):
    """The kit without what only instructors have; they make theirs with `make course`."""
    with tempfile.TemporaryDirectory() as scratch:
        kit(root, scratch, version)
        made = Path(scratch)
        secret = json.loads((made / "instructor" / "secret.json").read_text())["seed"]
        record = json.loads((made / "release.json").read_text("utf-8"))
        record["files"] = {name: sum_ for name, sum_ in record["files"].items() if name.startswith(PUBLIC)}
        (made / "release.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
        target = out / f"{BOOK}-{version}-course.zip"
        packed(made, target, commit_time(root), only=(*PUBLIC, "release.json"))
    with zipfile.ZipFile(target) as archive:
        if told := [name for name in archive.namelist() if str(secret).encode() in archive.read(name)]:
            raise Refused(f"The secret seed stands in {', '.join(told)}: not published")


def wheel(root, out, version):
    """Of what the commit has, and of no file that lies about."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=BytesIO(archive)) as files:
            files.extractall(scratch, filter="data")
        other_script("pip wheel --no-deps .", package.wheel, out, scratch, SOURCE_DATE_EPOCH=str(commit_time(root)))
    shutil.copyfile(root / "constraints.txt", out / "constraints.txt")
    made = out / f"descent-{version}-py3-none-any.whl"
    if not made.is_file():
        raise Refused(f"The wheel is not {made.name}, but {', '.join(path.name for path in out.glob('*.whl'))}")


BUILDERS = {"the site": site, "the PDF": paper, "the course kit": course, "the wheel": wheel}


def notes(root, version):
    """The release note: what the commits since the release before say."""
    before = sorted((Version(other), other) for other in tags(root) if Version(other) < Version(version))
    since = f"v{before[-1][1]}" if before else ""
    lines = git(root, "log", "--reverse", "--no-merges", "--format=* %s", f"{since}..HEAD" if since else "HEAD")
    return f"# Version {version}\n\n" + (f"Since {since}:\n\n" if since else "") + lines + "\n"


# ---- into the folder --------------------------------------------------------


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def listed(folder):
    """{name: checksum} of what an earlier run wrote."""
    sums = folder / SUMS
    lines = sums.read_text("utf-8").splitlines() if sums.is_file() else []
    return {name: sum_ for sum_, name in (line.split("  ", 1) for line in lines)}


def bring(made, folder):
    """Bring the files of `made` into `folder`; what is not ours stays, and where it is in the way, nothing is written."""
    before = listed(folder)
    names = sorted(path.name for path in made.iterdir())
    foreign = [name for name in names if (folder / name).exists() and checksum(folder / name) != before.get(name)]
    if foreign:
        raise Refused(f"Not as a release wrote it, so not replaced: {', '.join(foreign)} in {folder}; move it away")
    folder.mkdir(parents=True, exist_ok=True)
    for name in before.keys() - set(names):
        if (folder / name).is_file() and checksum(folder / name) == before[name]:
            (folder / name).unlink()
    for name in names:
        shutil.copyfile(made / name, folder / name)
    (folder / SUMS).write_text("".join(f"{checksum(folder / name)}  {name}\n" for name in names), "utf-8")
    return names


def release(version, root=ROOT, builders=BUILDERS, dry_run=False):
    """Make the release; what is in its folder then. Raises `Refused`."""
    check(root, version)
    folder, tag = root / "_build" / "release" / version, f"v{version}"
    tagged = tags(root).get(version)
    if changed := [name for name, sum_ in listed(folder).items() if (folder / name).exists() and checksum(folder / name) != sum_]:
        raise Refused(f"Not as a release wrote it, so not replaced: {', '.join(changed)} in {folder}; move it away")
    if dry_run:
        print(f"{version} can be released from {git(root, 'rev-parse', '--short', 'HEAD')}. It would\n"
              + "".join(f"* build {name}\n" for name in builders)
              + ("* use" if tagged else "* tag HEAD as") + f" {tag}\n"
              f"* write {folder.relative_to(root)}/ with {SUMS} and this note:\n\n{notes(root, version)}")
        return []
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        for name, build in builders.items():
            print(f"Building {name}", flush=True)
            build(root, out, version)
        (out / "NOTES.md").write_text(notes(root, version), "utf-8")
        if dirty := git(root, "status", "--porcelain"):
            raise Refused("What was built differs from the commit, nothing is released:\n" + dirty)
        written = bring(out, folder)
    if not tagged:
        print(f"$ git tag -a {tag} -m 'Version {version}'")
        git(root, "tag", "-a", tag, "-m", f"Version {version}")
    where = folder.relative_to(root)
    print(f"{where}: {len(written)} files and {SUMS}\nTo publish them:\n"
          f"  git push origin {tag}        (the workflow release.yml then makes and attaches them)\n"
          f"or by hand:\n  gh release create {tag} --notes-file {where}/NOTES.md {where}/*")
    return written


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("version", help="as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    options = parser.parse_args(arguments)
    try:
        release(options.version, dry_run=options.dry_run)
    except Refused as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
