"""The book builds without a warning, and builds the same bytes again."""

import shutil

from docutils.nodes import make_id
from lxml import html as markup

from conftest import run_build


def contents(folder):
    """Every file of a built book, without Sphinx's own records of the build."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and ".doctrees" not in path.parts and path.name != ".buildinfo"}


def test_the_book_builds_without_a_warning(built_book):
    code, log, html = built_book
    assert code == 0, log.read_text()[-6000:]
    assert (html / "index.html").exists()


def test_two_builds_in_two_folders_are_byte_identical(html, tmp_path):
    again = tmp_path / "another folder"
    shutil.copytree(html.parents[1], again, ignore=shutil.ignore_patterns("_build"))
    assert run_build(again, tmp_path / "log", hash_seed="123") == 0, (tmp_path / "log").read_text()[-6000:]
    one, two = contents(html), contents(again / "_build" / "html")
    assert sorted(one) == sorted(two)
    assert [name for name in one if one[name] != two[name]] == []


def test_an_equation_is_printed_and_cited_by_its_name(html):
    """The label is the number: (R1) in the margin, (R1) in the sentence, also on another page."""
    printed, cited = {}, []
    for path in html.rglob("*.html"):
        page = markup.fromstring(path.read_bytes())
        for equation in page.xpath("//div[starts-with(@id, 'equation-')]"):
            printed[equation.get("id")] = equation.find("span[@class='eqno']").text
        cited += [(link.get("href").partition("#")[2], link.text_content())
                  for link in page.xpath("//a[contains(@class, 'internal')][contains(@href, '#equation-')]")]
    assert printed and cited
    assert all(make_id(f"equation-{text.strip('()')}") == name for name, text in printed.items())
    assert [pair for pair in cited if printed.get(pair[0]) != pair[1]] == []
