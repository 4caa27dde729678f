"""A page's text for a notebook outside the book: JupyterLite's copies and the student edition.

MyST in a notebook knows only that notebook, has no bibliography, and numbers equations in
its own way.  So equations get their names, citations and pages of text become links to the book.
"""

import re


def plain_references(text, online):
    """The Markdown `text` of a cell; `online` is the address of the published book, with a slash."""
    text = re.sub(r"(?ms)^\$\$[ \n](.+?)[ \n]\$\$(?: \(([^)\n]+)\))?$", lambda equation: "~~~{math}\n:enumerated: false\n"
                  + equation[1] + (f"\n\\tag{{{equation[2]}}}" if equation[2] else "") + "\n~~~", text)
    text = re.sub(r"\{eq\}`([^`]+)`", r"(\1)", text)
    text = re.sub(r"\{cite(?::t)?\}`([^`]+)`", lambda cited: ", ".join(
        f"[{_author_and_year(key)}]({online}chapters/bibliography.html)" for key in cited[1].split(",")), text)
    return re.sub(r"\]\((?!\w+:)(?:chapters/)?(\w+)\.md(#[^)]*)?\)",
                  lambda link: f"]({online}chapters/{link[1]}.html{link[2] or ''})", text)


def _author_and_year(key):
    name, year = re.match(r"\s*([a-z]+)(\d{4})", key).groups()
    return f"{name.capitalize()} {year}"
