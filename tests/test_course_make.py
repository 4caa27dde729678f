"""`make course`: what it writes, and that it replaces and deletes only what it wrote itself."""

import json
import subprocess

import pytest

import make


def run(folder, *arguments):
    """As the script does it; `kit` of conftest.py runs the script itself."""
    make.main(["--folder", str(folder), "--only", "reading", *arguments])


def contents(folder):
    return {name: (folder / name).read_bytes() for name in make.files(folder)}


def test_twice_after_git_init_own_files_and_an_edited_one_they_are_still_there(tmp_path, capsys):
    folder = tmp_path / "autumn"
    run(folder, "--release", "autumn", "--seed", "7", "3", "7")
    first = contents(folder)
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / "reading" / "mine.ipynb").write_text("{}")
    (folder / "reading" / "README.md").write_text("Welcome to my course.")
    (folder / "reading" / "LICENSE").unlink()
    head = (folder / ".git" / "HEAD").read_bytes()
    capsys.readouterr()
    run(folder, "--release", "autumn", "3", "7")
    said = capsys.readouterr().err
    assert "reading/README.md" in said and "mine" not in said
    assert (folder / ".git" / "HEAD").read_bytes() == head
    assert (folder / "reading" / "mine.ipynb").read_text() == "{}"
    assert (folder / "reading" / "README.md").read_text() == "Welcome to my course."
    now = contents(folder)   # everything else as before: the secret, the seed and what was missing, too
    assert {name for name in first if first[name] != now[name]} == {"reading/README.md"}


def test_the_record_has_version_commit_seed_chapters_and_checksums_and_no_secret(tmp_path):
    run(tmp_path, "--release", "spring", "7", "7", "F")
    record = json.loads((tmp_path / "release.json").read_text("utf-8"))
    secret = json.loads((tmp_path / "instructor" / "secret.json").read_text())["seed"]
    assert record["release"] == "spring" and record["version"] == make.version()
    assert record["commit"].rstrip("+") == make.commit().rstrip("+") and record["chapters"] == ["7", "F"]
    assert record["own"] is False and isinstance(record["seed"], int)
    assert record["files"] == {name: make.checksum(tmp_path / name) for name in make.files(tmp_path)
                               if name not in ("release.json", "instructor/secret.json")}
    assert secret > 2**40
    for name, text in contents(tmp_path).items():
        assert str(secret).encode() not in text or name == "instructor/secret.json"


def test_a_secret_is_drawn_once_for_a_release_and_differs_between_releases(tmp_path):
    one, other = make.edition("one", tmp_path / "one"), make.edition("other", tmp_path / "other")
    assert one.secret != other.secret and one.seed != other.seed
    assert make.edition("one", tmp_path / "one").seed == one.seed   # of the name alone
    for name in "instructor/secret.json", "release.json":
        (tmp_path / "one" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / name).write_text('{"seed": 5}')
    assert (make.edition("one", tmp_path / "one").secret, make.edition("one", tmp_path / "one").seed) == (5, 5)
    assert make.edition("one", tmp_path / "one", seed=0, own=True).seed == 0
    (tmp_path / "one" / "release.json").write_text("{")   # damaged
    assert make.edition("one", tmp_path / "one").seed == one.seed


def bring(tmp_path, files, **options):
    new = tmp_path / "new"
    for name, text in files.items():
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).write_text(text)
    kept = make.bring(new, tmp_path / "release", {}, **options)
    for name in files:
        (new / name).unlink()
    return kept


def test_what_a_release_no_longer_has_goes_unless_somebody_changed_it(tmp_path):
    (tmp_path / "release").mkdir()
    assert bring(tmp_path, {"a/one": "1", "a/two": "2", "three": "3", "four": "4"}) == []
    folder = tmp_path / "release"
    (folder / "three").write_text("mine")
    assert bring(tmp_path, {"four": "new"}) == ["three"]
    assert sorted(contents(folder)) == ["four", "release.json", "three"] and not (folder / "a").exists()
    assert ((folder / "three").read_text(), (folder / "four").read_text()) == ("mine", "new")
    assert bring(tmp_path, {"four": "new"}) == []   # three is somebody's own by now
    assert (folder / "three").read_text() == "mine"


def test_a_changed_file_stays_changed_however_often_and_an_own_file_is_not_overwritten(tmp_path):
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "own").write_text("mine")
    (folder / "place").mkdir()
    assert bring(tmp_path, {"own": "theirs", "place": "a file", "other": "1"}) == ["own", "place"]
    (folder / "other").write_text("2")
    for text in "1", "3":
        assert bring(tmp_path, {"own": "theirs", "other": text}) == ["other", "own"]
        assert ((folder / "own").read_text(), (folder / "other").read_text()) == ("mine", "2")
    (folder / "other").unlink()   # who wants the new one deletes his
    assert bring(tmp_path, {"own": "theirs", "other": "3"}) == ["own"]
    assert (folder / "other").read_text() == "3"


def test_a_part_alone_leaves_the_other_parts_as_they_are(tmp_path):
    (tmp_path / "release").mkdir()
    bring(tmp_path, {"reading/a": "1", "slides/b": "2"})
    assert bring(tmp_path, {"reading/c": "3"}, whole=False) == []
    assert sorted(contents(tmp_path / "release")) == ["reading/a", "reading/c", "release.json", "slides/b"]
    assert bring(tmp_path, {"slides/b": "2"}) == []   # and a whole one knows what they wrote
    assert sorted(contents(tmp_path / "release")) == ["release.json", "slides/b"]


def test_a_part_that_is_not_there_or_lacks_a_library_is_named(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="there is no course/lectures.py"):
        make.writer("lectures")
    (tmp_path / "needy.py").write_text("import a_library_that_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit, match="needy needs a_library_that_is_not_there"):
        make.writer("needy")


def test_nothing_is_written_for_a_chapter_or_a_name_that_is_not_one(tmp_path, capsys):
    for arguments, named in [(["40"], "no such chapter: 40"), (["--release", "../x", "7"], "release = '../x'")]:
        with pytest.raises(SystemExit, match="2"):
            run(tmp_path / "release", *arguments)
        assert named in capsys.readouterr().err
    assert not (tmp_path / "release").exists()
