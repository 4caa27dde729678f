"""A release, in throw-away clones: what is refused, what is tagged and written, and that no secret is in it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml

import release
from conftest import ROOT, git

VERSION = release.said(ROOT)["code/descent/__init__.py"]


@pytest.fixture
def clone(origin, tmp_path, monkeypatch):
    for name in "AUTHOR", "COMMITTER":
        monkeypatch.setenv(f"GIT_{name}_NAME", "someone")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "someone@example.org")
    git(tmp_path, "clone", "-q", origin, "clone")
    return tmp_path / "clone"


def stand_in(name):
    return lambda root, out, version: (out / f"{version}-{name}").write_text(name)


CHEAP = {"the site": stand_in("site.zip"), "the PDF": stand_in("book.pdf")}


def bump(clone, version, *leave):
    """Write a version into the four files, but for those to leave, and commit."""
    for name in release.said(clone):
        if name not in leave:
            path = clone / name
            path.write_text(path.read_text("utf-8").replace(VERSION, version), "utf-8")
    git(clone, "commit", "-qam", f"Version {version}")


def test_the_book_says_one_version_everywhere():
    assert set(release.said(ROOT).values()) == {VERSION}


def test_the_files_for_citation_have_what_their_schemas_require():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "date-released", "license"} <= set(citation)
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert all("name" in author or {"family-names", "given-names"} <= set(author) for author in citation["authors"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", citation["date-released"])
    zenodo = json.loads((ROOT / ".zenodo.json").read_text("utf-8"))
    assert {"title", "upload_type", "description", "creators", "license", "version"} <= set(zenodo)
    assert zenodo["title"] == citation["title"] and zenodo["keywords"] == citation["keywords"]
    assert [one["name"] for one in zenodo["creators"]] == [one["name"] for one in citation["authors"]]
    assert zenodo["license"] == citation["license"]


def test_the_workflow_runs_the_same_command_on_a_tag_and_attaches_what_it_writes():
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    assert flow[True]["push"]["tags"] == ["v[0-9]*"]   # YAML reads "on" as true
    (job,) = flow["jobs"].values()
    runs = "\n".join(step.get("run", "") for step in job["steps"])
    assert 'make release VERSION="${GITHUB_REF_NAME#v}"' in runs and "gh release create" in runs
    assert job["permissions"] == {"contents": "write"}
    assert re.search(r"(?m)^release:.*\n\t\$\(PYTHON\) book/release.py", (ROOT / "Makefile").read_text("utf-8"))


def test_a_dry_run_says_what_it_would_do_and_does_nothing(clone):
    git(clone, "tag", "v0.0.1")
    (clone / "chapters" / "guide.md").open("a").write("\nmore\n")
    git(clone, "commit", "-qam", "The guide says more")
    run = subprocess.run([sys.executable, clone / "book" / "release.py", VERSION, "--dry-run"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for words in ("build the site", "build the PDF", "build the course kit", "build the wheel", f"tag HEAD as v{VERSION}",
                  f"_build/release/{VERSION}/", "SHA256SUMS", "Since v0.0.1:\n\n* The guide says more\n"):
        assert words in run.stdout
    assert git(clone, "tag") == "v0.0.1" and not (clone / "_build").exists() and git(clone, "status", "--porcelain") == ""


def test_a_release_has_a_tag_a_wheel_a_note_and_right_checksums(clone, capfd):
    written = release.release(VERSION, clone, {**CHEAP, "the wheel": release.wheel})
    folder, head = clone / "_build" / "release" / VERSION, git(clone, "rev-parse", "HEAD")
    assert git(clone, "rev-parse", f"v{VERSION}^{{commit}}") == head and git(clone, "cat-file", "-t", f"v{VERSION}") == "tag"
    assert written == sorted([f"{VERSION}-book.pdf", f"{VERSION}-site.zip", "NOTES.md", "constraints.txt",
                              f"descent-{VERSION}-py3-none-any.whl"])
    lines = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert lines == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in written}
    assert "* The book" in (folder / "NOTES.md").read_text()
    with zipfile.ZipFile(folder / f"descent-{VERSION}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
        assert {"descent/rules.py", "descent/figures/explore.js", "descent/recorded/sweeps.npz"} <= set(names)
    out = capfd.readouterr().out
    assert "pip wheel" in out and f"git push origin v{VERSION}" in out   # nothing runs silently, nothing is pushed
    assert git(clone, "ls-remote", "--tags", "origin") == ""
    assert git(clone, "status", "--porcelain") == ""


def test_the_wheel_installs_and_says_its_version(clone, tmp_path):
    (clone / "code" / "descent" / "stray.py").write_text("a file that no commit has")
    release.wheel(clone, tmp_path, VERSION)
    made = tmp_path / f"descent-{VERSION}-py3-none-any.whl"
    assert "descent/stray.py" not in zipfile.ZipFile(made).namelist()
    run = subprocess.run([sys.executable, "-c", "import descent; print(descent.__version__, descent.__file__)"], cwd=tmp_path,
                         env={**os.environ, "PYTHONPATH": str(made)}, capture_output=True, text=True)
    assert run.stdout.split()[0] == VERSION and ".whl" in run.stdout


def test_again_foreign_files_stay_and_only_what_was_written_is_replaced_or_deleted(clone):
    release.release(VERSION, clone, CHEAP)
    folder = clone / "_build" / "release" / VERSION
    (folder / "mine.txt").write_text("mine")
    release.release(VERSION, clone, {"the site": CHEAP["the site"]})   # without the PDF: that goes, for we wrote it
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{VERSION}-site.zip", "NOTES.md", "SHA256SUMS", "mine.txt"])
    (folder / "NOTES.md").write_text("A better note.")
    with pytest.raises(release.Refused, match="Not as a release wrote it, so not replaced: NOTES.md"):
        release.release(VERSION, clone, CHEAP)
    assert (folder / "NOTES.md").read_text() == "A better note." and (folder / "mine.txt").read_text() == "mine"
    (folder / "NOTES.md").unlink()
    (folder / f"{VERSION}-book.pdf").write_text("a lecturer's own of this name")
    with pytest.raises(release.Refused, match=f"{VERSION}-book.pdf"):
        release.release(VERSION, clone, CHEAP)
    assert (folder / f"{VERSION}-book.pdf").read_text() == "a lecturer's own of this name"


def refused(clone, version, words):
    with pytest.raises(release.Refused) as error:
        release.release(version, clone, CHEAP)
    assert words in str(error.value)
    assert not (clone / "_build" / "release").exists()


def test_what_cannot_be_released_is_refused_with_a_sentence(clone):
    refused(clone, "two", "VERSION = 'two' is no version: three numbers")
    refused(clone, "9.9.9", f"VERSION = 9.9.9, but code/descent/__init__.py says {VERSION}, CITATION.cff says {VERSION}")
    (clone / "new.txt").write_text("new")
    refused(clone, VERSION, "There are changes that no commit has; commit them or take them away:\n?? new.txt")
    (clone / "new.txt").unlink()
    (clone / "README.md").open("a").write("more")
    refused(clone, VERSION, "M README.md")
    git(clone, "checkout", "-q", "README.md")
    bump(clone, "9.9.9", "CITATION.cff")
    refused(clone, "9.9.9", f"VERSION = 9.9.9, but CITATION.cff says {VERSION}: write 9.9.9 there and commit")
    assert git(clone, "tag") == ""


def test_a_version_is_newer_than_all_before_and_its_tag_does_not_move(clone):
    git(clone, "tag", "v99.0.0")
    refused(clone, VERSION, f"VERSION = {VERSION} is older than v99.0.0")
    git(clone, "tag", "-d", "v99.0.0")
    git(clone, "tag", f"v{VERSION}")
    (clone / "README.md").open("a").write("more\n")
    git(clone, "commit", "-qam", "More")
    refused(clone, VERSION, f"v{VERSION} is the tag of another commit")
    git(clone, "tag", "-f", f"v{VERSION}")   # as the workflow finds it
    assert release.release(VERSION, clone, CHEAP)


def test_what_fails_leaves_no_tag_and_no_files(clone):
    def broken(root, out, version):
        release.command(root, sys.executable, "-c", "raise SystemExit(3)")
    with pytest.raises(release.Refused, match="This failed, and nothing was released"):
        release.release(VERSION, clone, {**CHEAP, "broken": broken})
    assert git(clone, "tag") == "" and not (clone / "_build").exists()


def test_the_published_kit_is_for_students_without_keys_and_without_secrets(kit, origin, tmp_path, monkeypatch):
    monkeypatch.setattr(release, "kit", lambda root, folder, version: shutil.copytree(kit, folder, dirs_exist_ok=True))
    release.course(origin, tmp_path, VERSION)
    with zipfile.ZipFile(tmp_path / f"rmsprop-and-adam-{VERSION}-course.zip") as made:
        names = [name.split("/", 1)[1] for name in made.namelist()]
        assert {name.split("/")[0] for name in names} == {"reading", "assignments", "release.json"}
        record = json.loads(made.read(f"rmsprop-and-adam-{VERSION}-course/release.json"))
        first = json.loads(made.read(next(name for name in made.namelist() if name.endswith("reading/07_bias_correction.ipynb"))))
    assert all(name.startswith(("reading/", "assignments/")) for name in record["files"]) and "secret" not in json.dumps(record)
    head = git(origin, "rev-parse", "HEAD")
    assert record["commit"] == head
    code = "".join("".join(cell["source"]) for cell in first["cells"] if cell["cell_type"] == "code")
    assert f"{head}.zip" in code and VERSION in code   # what the notebook installs is the tag's commit


def test_a_kit_with_the_secret_in_it_is_not_published(clone, tmp_path, monkeypatch):
    def kit(root, folder, version):
        folder = release.Path(folder)
        (folder / "instructor").mkdir()
        (folder / "instructor" / "secret.json").write_text('{"seed": 4611686018427387905}')
        (folder / "release.json").write_text('{"files": {"instructor/key.ipynb": "0"}}')
        (folder / "assignments").mkdir()
        (folder / "assignments" / "07.ipynb").write_text("rng = default_rng(4611686018427387905)")
    monkeypatch.setattr(release, "kit", kit)
    with pytest.raises(release.Refused, match="The secret seed stands in .*assignments/07.ipynb: not published"):
        release.course(clone, tmp_path, VERSION)
