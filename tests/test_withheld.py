"""The book without its solutions: not in a page, the search, a download, or a copy that runs in the browser."""

import html as markup
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

import notebooks
import withheld
from conftest import ROOT
from run_in_browser import for_the_browser

PAGES = ["chapters/07_bias_correction", "chapters/contents", "chapters/frameworks"]   # a build of these is quick


def cells(solutions):
    return [cell for path in notebooks.book_notebooks() for cell in nbformat.read(path, as_version=4).cells
            if ("solution" in cell.metadata.get("tags", ())) == solutions]


def lines(cells):
    return {line.strip() for cell in cells for line in cell.source.splitlines() if line.strip()}


@pytest.fixture(scope="module")
def secret():
    """Lines of solutions that stand nowhere else, and long words that begin no other word."""
    package = [path.read_text("utf-8") for path in (ROOT / "code" / "descent").rglob("*.py")]
    pages = [path.read_text("utf-8") for pattern in ("*.md", "*.bib") for path in (ROOT / "chapters").glob(pattern)]
    known = "\n".join([*lines(cells(False)), *package, *pages])
    own = {line for line in lines(cells(True)) if line not in known and len(line) > 12}
    others = set(re.findall(r"[a-z]+", known.lower()))   # the search knows words without their endings
    words = {word for word in re.findall(r"[a-z]{7,}", "\n".join(own).lower())
             if not any(other.startswith(word) for other in others)}
    assert len(own) > 300 and len(words) > 20
    return own, words


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("withheld")
    withheld.write_sources(folder)
    return folder


@pytest.fixture(scope="module")
def site(sources):
    """Some pages of it, built. All of them are built with the same sources by `make book SOLUTIONS=none`."""
    toc = yaml.safe_load((sources / "_toc.yml").read_text("utf-8"))
    (sources / "_toc.yml").write_text(yaml.safe_dump({
        "format": toc["format"], "root": toc["root"], "chapters": [{"file": page} for page in PAGES]}))
    done = subprocess.run([Path(sys.executable).with_name("jupyter-book"), "build", ".", "-q"], cwd=sources,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return sources / "_build" / "html"


def test_the_sources_have_every_cell_but_the_solutions(sources):
    for path in notebooks.book_notebooks():
        kept = [cell for cell in nbformat.read(path, as_version=4).cells if "solution" not in cell.metadata.get("tags", ())]
        assert nbformat.read(sources / path.relative_to(ROOT), as_version=4).cells == kept


def test_nothing_that_stays_refers_to_what_is_gone():
    gone = "\n".join(cell.source for cell in cells(True))
    labels = {*re.findall(r":label: (\S+)", gone), *re.findall(r"\$\$ \(([^)\n]+)\)", gone), *re.findall(r"^\((\S+)\)=", gone, re.M)}
    assert len(labels) > 70
    text = "\n".join([*(cell.source for cell in cells(False)), *(p.read_text("utf-8") for p in (ROOT / "chapters").glob("*.md"))])
    named = {*re.findall(r"\{(?:eq|ref|numref)\}`([^`]+)`", text), *re.findall(r"\]\(\S*#([^)\s]+)\)", text)}
    assert not labels & named


def test_no_file_of_the_site_holds_a_line_of_a_solution(site, secret):
    own, words = secret
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert names >= {"searchindex.js", "index.html", *(f"{page}.html" for page in PAGES), f"_sources/{PAGES[0]}.ipynb"}
    for name in sorted(names):
        if not name.endswith((".html", ".js", ".ipynb", ".md", ".txt", ".xml", ".json")) or name.startswith("_static/"):
            continue
        text = (site / name).read_text("utf-8")
        if name.endswith(".html"):
            assert 'class="solution' not in text and "sol-" not in re.sub(r"resol-|absol-", "", text), name
            text = markup.unescape(re.sub(r"<[^>]*>", "", text))
        elif name.endswith(".ipynb"):
            text = "\n".join(cell.source + str(cell.get("outputs", "")) for cell in nbformat.reads(text, as_version=4).cells)
        found = [line for line in own if line in text]
        assert not found, (name, found)
        assert not words & set(re.findall(r"[a-z]{7,}", text.lower())), name


def test_nor_does_a_copy_that_runs_in_the_browser(site, secret):
    for page in PAGES[0], PAGES[2], "index":   # made of what the site offers for download
        copy = for_the_browser(nbformat.read(site / "_sources" / f"{page}.ipynb", as_version=4), "x.html", "https://x/")
        text = "\n".join(cell.source for cell in copy.cells)
        assert "Solution" not in text and not [line for line in secret[0] if line in text]


def test_the_check_can_fail(secret):
    own, _ = secret
    text = (ROOT / "chapters" / "07_bias_correction.ipynb").read_text("utf-8")
    sources = "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells)
    assert len([line for line in own if line in sources]) > 10


def test_it_says_so_in_one_place_and_nowhere_that_there_are_solutions(site, sources):
    assert "This edition leaves out the solutions" in (site / "chapters" / "contents.html").read_text("utf-8")
    said = [path.name for path in (sources / "chapters").glob("*.md")
            if re.search(r"leaves out the solutions", path.read_text("utf-8"))]
    assert said == ["contents.md"]
    assert not [path.name for path in (sources / "chapters").glob("*.md") if path.name != "for_instructors.md"
                and re.search(r"solution[^.]{0,20} folded", path.read_text("utf-8"))]


def test_a_sentence_about_solutions_that_has_changed_stops_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(withheld, "SENTENCES", [("chapters/contents.md", "words that are not there", "")])
    with pytest.raises(SystemExit, match="words that are not there"):
        withheld.write_sources(tmp_path)
