"""Equations are called by name: ``$$ ... $$ (R1)`` is printed and cited as (R1).

Sphinx numbers labelled equations in the order it meets them.
In this book the label *is* the number: the same one stands in the code and in the tests.
"""

from sphinx.domains.math import MathDomain
from sphinx.locale import __
from sphinx.util import logging

logger = logging.getLogger(__name__)


class NamedEquations(MathDomain):
    """The math domain, with the label in the place of the running number."""

    def note_equation(self, docname, labelid, location=None):
        if labelid in self.equations:
            other = self.equations[labelid][0]
            logger.warning(__("duplicate label of equation %s, other instance in %s"),
                           labelid, other, location=location)
        self.equations[labelid] = (docname, labelid)


def setup(app):
    app.add_domain(NamedEquations, override=True)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
