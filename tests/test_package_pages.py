"""The package's pages hold every public function, and lead to the equations."""

import importlib
import inspect
import re

import pytest

from conftest import ROOT
from indices import labelled_lines
from package_pages import as_rst

MODULES = ["rules", "loop", "gradients", "problems", "network", "inplace", "precision", "frameworks",
           *(f"theory.{path.stem}" for path in sorted((ROOT / "code/descent/theory").glob("[a-z]*.py")))]
HELPERS = {"loop": "checked_numbers checked_start common_shape split_hyperparameters".split(),
           "frameworks": ["Algorithm"]}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_of_a_module_is_on_a_page(html, name):
    module = importlib.import_module(f"descent.{name}")
    page = (html / "chapters" / ("package_theory.html" if "." in name else "package.html")).read_text("utf-8")
    public = [key for key, value in vars(module).items()
              if not key.startswith("_") and getattr(value, "__module__", None) == module.__name__
              and (inspect.isfunction(value) or inspect.isclass(value)) and key not in HELPERS.get(name, [])]
    missing = [key for key in public if f'id="descent.{name}.{key}"' not in page]
    assert public and not missing


def test_the_pages_lead_to_every_equation_and_the_index_leads_back(html):
    pages = "".join((html / "chapters" / f"{name}.html").read_text("utf-8") for name in ("package", "package_theory"))
    index = (html / "chapters" / "equations_and_experiments.html").read_text("utf-8")
    for label, (_, function, place, *_) in labelled_lines().items():
        assert re.search(rf'href="[^"]*#equation-{re.escape(label.lower().replace(".", "-"))}"', pages), label
        assert re.search(rf'href="[^"]*#{re.escape(place)}\.{function}"', index), label


def test_a_docstring_keeps_its_text():
    rst = "\n".join(as_rst('''A rule, with |x| and b_ and 2 * 3.

v_t = β₂ v_{t-1} + g²                    (R1)
    with `eps`: another line

theta : where, of shape (..., d);
    or `None`
eps : a floor

Errors::

    as it is

>>> 1 + 1
2'''.split("\n")))
    assert r"\|x\| and b\_ and 2 \* 3" in rst
    assert "| ``v_t = β₂ v_{t-1} + g²`` :eq:`R1`" in rst
    assert "* ``theta``: where, of shape (..., d);\n  or ``None``\n* ``eps``: a floor" in rst
    assert "\n    as it is\n" in rst and "\n>>> 1 + 1\n2" in rst
