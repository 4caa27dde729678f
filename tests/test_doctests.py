"""Every example in a docstring of the package is true."""

import doctest
import importlib
import pkgutil
import sys

import pytest

import descent
from descent.exercises.engine import Verdict

MODULES = [found.name for found in pkgutil.walk_packages(descent.__path__, "descent.") if not found.ispkg]


def as_a_notebook_shows(value, plain=sys.__displayhook__):
    """A check has printed its verdict; a notebook does not show it a second time."""
    if not isinstance(value, Verdict):
        plain(value)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name, monkeypatch):
    monkeypatch.setattr(sys, "__displayhook__", as_a_notebook_shows)   # doctest takes this one
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.failed == 0
    # a module whose text has examples has had them run
    with open(module.__file__, encoding="utf-8") as source:
        assert (result.attempted > 0) == (">>> " in source.read())
