"""The house: what lies where, what is pinned, what the pages ask for."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from lxml import html as markup
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import address

ROOT = Path(__file__).parents[1]


def test_code_is_no_package():
    """A package called `code` would hide the standard library's module: pdb and pytest die."""
    assert not (ROOT / "code" / "__init__.py").exists()


def test_the_top_level_is_as_designed():
    wanted = ["README.md", "LICENSE", "LICENSE-TEXT", "CITATION.cff", "CONTRIBUTING.md", "Makefile",
              "_config.yml", "_toc.yml", "pyproject.toml", "constraints.txt", "index.ipynb",
              "chapters", "code/descent", "book", "tests", ".ci/run", ".github/workflows"]
    assert [name for name in wanted if not (ROOT / name).exists()] == []


def test_importing_descent_draws_and_shows_nothing():
    heavy = "{'matplotlib', 'ipywidgets', 'anywidget', 'IPython', 'scipy', 'sklearn', 'torch'}"
    program = f"import sys, descent; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in pins}


def test_constraints_pin_one_version_each():
    assert [str(pin) for pin in pinned().values()
            if [part.operator for part in pin.specifier] != ["=="]] == []


def test_constraints_pin_everything_that_the_project_needs():
    """Follow the requirements of every extra, on this Python and on this system."""
    pins, missing, seen = pinned(), set(), set()
    todo = [("descent", "notebook"), ("descent", "test")]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue   # pinned but not installed here: the notebook extra
        for requirement in map(Requirement, requires):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            child = canonicalize_name(requirement.name)
            if child not in pins and child != "descent":
                missing.add(child)
            todo += [(child, e) for e in ("", *requirement.extras)]
    assert missing == set()


def test_the_citation_file_is_complete():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"title", "authors", "message", "license", "version"} <= set(citation)
    assert citation["title"] == config["title"]
    assert citation["repository-code"].startswith("https://") and citation["url"].startswith("https://")


def test_the_place_of_the_book_follows_from_the_address_of_its_repository():
    def published(**html):
        return address.published({"repository": {"url": "https://github.com/Somebody/a-fork/", "branch": "main"},
                                  "html": html})

    assert published() == "https://somebody.github.io/a-fork/"
    assert published(baseurl="https://book.example/x") == "https://book.example/x/"
    with pytest.raises(ValueError, match="git.example/a/b is not on github.com.*baseurl"):
        address.published({"repository": {"url": "https://git.example/a/b", "branch": "main"}})


def test_every_line_of_the_readme_example_is_true():
    """The block of Python in the README, run as it stands: its asserts are its expected values."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert blocks
    for block in blocks:
        results = re.findall(r"^print\(.*\)\s*# (.*)$", block, re.M)
        done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert results and done.stdout.splitlines() == [line.strip() for line in results]


ASKS = [("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src"),
        ("video", "src"), ("audio", "src"), ("object", "data"), ("embed", "src")]
# Links that name the page's own address and are not fetched.
NOT_FETCHED = {"canonical"}


def test_no_page_names_a_script_style_or_picture_of_another_host(html):
    found, asked = [], set()
    for path in html.rglob("*.html"):
        page = markup.fromstring(path.read_bytes())
        for tag, attribute in ASKS:
            for element in page.iter(tag):
                address = element.get(attribute) or ""
                asked.add(tag)
                if (re.match(r"(https?:)?//", address)
                        and not NOT_FETCHED & set((element.get("rel") or "").split())):
                    found.append(f"{path.name}: {address}")
        for script in page.iter("script"):
            found += [f"{path.name}: {address}" for address
                      in re.findall(r"https?://[^\s\"'<>\\]+", script.text or "")
                      if not address.startswith("http://www.w3.org/")]
    assert found == [] and {"script", "link", "img"} <= asked


def test_no_style_asks_another_host(html):
    found = [f"{path.name}: {address}" for path in html.rglob("*.css")
             for address in re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)",
                                       path.read_text())]
    assert found == []


@pytest.mark.parametrize("word", ["unpkg.com", "jsdelivr.net", "cdnjs", "googleapis"])
def test_pages_do_not_mention_delivery_networks(html, word):
    assert [path.name for path in html.rglob("*.html") if word in path.read_text().lower()] == []


def test_the_cloud_services_install_what_a_laptop_installs():
    container = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    container = json.loads(re.sub(r"^\s*//.*$", "", container, flags=re.M))
    assert "--constraint constraints.txt --editable '.[notebook]'" in container["postCreateCommand"]
    binder = (ROOT / ".binder" / "requirements.txt").read_text().splitlines()
    assert binder[1:] == ["-c ../constraints.txt", "-e .[notebook]"]
    python = (ROOT / ".binder" / "runtime.txt").read_text().strip()
    assert re.fullmatch(r"python-3\.1[123]", python)
