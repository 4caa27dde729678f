"""The book without its solutions: what `SOLUTIONS=none` and the course material are made of.

    python book/withheld.py [pages ...]     `make book SOLUTIONS=none`, into _build/without-solutions/html

Nothing that Sphinx, the search, a download or a browser copy could show is there to be shown: the solutions
are taken out of a copy of the sources, and the book is built from that copy.
"""

import nbformat

TAG = "solution"


def without_solutions(notebook):
    """The notebook without the cells that are tagged `solution`."""
    return nbformat.from_dict({**notebook, "cells": [
        cell for cell in notebook.cells if TAG not in cell.metadata.get("tags", ())]})
