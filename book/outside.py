"""A page's text for a notebook outside the book: JupyterLite's copies, and what course/reading.py shares with them.

MyST in a notebook knows only that notebook, has no bibliography, and numbers equations and exercises in
its own way.  So both get their names, citations and pages of text become links to the book.
"""

import re
from functools import cache

from pybtex.database import parse_file

from exercises import exercise_numbers
from notebooks import ROOT


def plain_references(text, online):
    """The Markdown `text` of a cell; `online` is the address of the published book, with a slash."""
    text = re.sub(r"(?ms)^\$\$[ \n](.+?)[ \n]\$\$(?: \(([^)\n]+)\))?$", lambda equation: "~~~{math}\n:enumerated: false\n"
                  + equation[1] + (f"\n\\tag{{{equation[2]}}}" if equation[2] else "") + "\n~~~", text)
    text = re.sub(r"\{eq\}`([^`]+)`", r"(\1)", text)
    text = re.sub(r"(?m)^(`{3,})\{exercise\} *(.*)\n((?::.*\n)*)", lambda box: f"{box[1]}{{admonition}} "
                  f"Exercise {exercise_numbers()[re.search(r':label: (.+)', box[3])[1]][0]} · {box[2]}\n", text)
    text = re.sub(r"\{ref\}`(ex-[^`]+)`", lambda cited: f"Exercise {exercise_numbers()[cited[1]][0]}", text)
    text = re.sub(r"\{cite(?::t)?\}`([^`]+)`", lambda cited: ", ".join(
        f"[{authors_and_year(key)}]({online}chapters/bibliography.html)" for key in cited[1].split(",")), text)
    return re.sub(r"\]\((?!\w+:)(?:chapters/)?(\w+)\.md(#[^)]*)?\)",
                  lambda link: f"]({online}chapters/{link[1]}.html{link[2] or ''})", text)


@cache
def _references():
    return parse_file(ROOT / "chapters" / "references.bib").entries


def authors_and_year(key):
    entry = _references()[key.strip()]
    names = [" ".join(map(str, person.rich_prelast_names + person.rich_last_names)) for person in entry.persons["author"]]
    return f"{names[0] + ' et al.' if len(names) > 2 else ' and '.join(names)} {entry.fields['year']}"
