"""The glossary: each term says where it is met, and is met there; what a reader looks up is there."""

import re

import nbformat
import pytest

from conftest import ROOT

TEXT = (ROOT / "chapters" / "glossary.md").read_text("utf-8").split("```{glossary}")[1].split("```")[0]
ENTRIES = dict(re.findall(r"^(\S.*)\n((?:  .*\n?)+)", TEXT, re.M))
ENTRIES.pop(":sorted:", None)


def page(name):
    path = ROOT / "chapters" / name
    if path.suffix == ".md":
        return path.read_text("utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_is_met_on_a_page_that_its_entry_names(term):
    pages = re.findall(r"\]\(([\w.]+)(?:#[^)]*)?\)", ENTRIES[term])
    assert pages, "no page"
    words = [word for word in re.findall(r"[\w²]+", term.split(" (")[0].lower()) if len(word) > 2 or word == "ε"]
    assert any(all(word[:6] in text for word in words)
               for text in (page(name).lower() for name in pages)), f"{pages} do not speak of {term}"


@pytest.mark.parametrize("looked_up", """ε buffer AdamW spike schedule batch epoch seed PyTorch Keras Optax Hinton Reddi unit half-life
    clipping warm-up momentum Nesterov RMSprop AMSGrad regret fused floor threshold minibatch token""".split())
def test_what_a_reader_looks_up_is_an_entry(looked_up):
    assert [term for term in ENTRIES if looked_up.lower() in term.lower()]


def test_no_entry_is_there_twice():
    terms = re.findall(r"^(\S.*)\n  ", TEXT, re.M)
    assert len(terms) == len(set(terms)) > 100
