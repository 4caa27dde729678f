"""An exercise has its chapter's number wherever it is named: 7.1, not 27."""

import re

import nbformat
from lxml.html import document_fromstring

import notebooks
from conftest import ROOT
from exercises import exercise_numbers
from run_in_browser import for_the_browser


def test_titles_references_and_solutions_on_the_pages_have_the_chapters_number(html):
    seen = {"title": 0, "reference": 0, "solution": 0}
    for path in html.rglob("*.html"):
        page = document_fromstring(re.sub(r"(?s)<(svg|script|style|math)\b.*?</\1>", "", path.read_text("utf-8")))
        for box in page.find_class("exercise"):
            number, chapter = exercise_numbers()[box.get("id")]
            assert chapter.stem == path.stem
            assert box.find_class("caption-number")[0].text_content().strip() == f"Exercise {number}"
            seen["title"] += 1
        for link in page.xpath("//div[contains(@class, 'solution')]//p[contains(@class, 'admonition-title')]//a[1]"):
            number, _ = exercise_numbers()[link.get("href").rpartition("#")[2]]
            assert link.text_content().strip().startswith(f"Exercise {number} (")
            seen["solution"] += 1
        for name in page.find_class("std-numref"):
            link = name.getparent()
            number, _ = exercise_numbers()[link.get("href").rpartition("#")[2]]
            assert link.text_content().strip() == f"Exercise {number}"
            seen["reference"] += 1
        for number in re.findall(r"\bExercises? (\d+)(?![\d.]|\.\d)", page.text_content()):
            raise AssertionError(f"{path.name}: Exercise {number} has no chapter")
    assert seen["title"] == seen["solution"] == len(exercise_numbers()) > 70 and seen["reference"] > 15


def test_the_index_page_has_them_too():
    words = (ROOT / "chapters" / "equations_and_experiments.md").read_text("utf-8")
    listed = {label: number for number, label in re.findall(r"\[(\w+\.\d+) [^\]]+\]\(#(ex-[^)]+)\)", words)}
    assert listed == {label: number for label, (number, _) in exercise_numbers().items()}


def test_copies_that_run_in_the_browser_have_them_too():
    titles = {}
    for path in notebooks.book_notebooks():
        copy = for_the_browser(nbformat.read(path, as_version=4), "page.html", "https://example.org/")
        words = "\n".join(cell.source for cell in copy.cells if cell.cell_type == "markdown")
        assert not re.search(r"\{exercise\}|\{ref\}`ex-", words)
        for number, title in re.findall(r"(?m)^`+\{admonition\} Exercise (\S+) · (.+)$", words):
            titles[number] = title
    assert sorted(titles) == sorted(number for number, _ in exercise_numbers().values())
    assert titles["7.1"] == "Right by accident"
