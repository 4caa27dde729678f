"""The site asks no other host for anything, and a screen reader can read all of it.

Copies the parts of MathJax that the pages use from the installed package into the site,
and mends what the libraries write into the pages.
"""

import shutil
from importlib import resources
from pathlib import Path

# A start-up file that loads the other parts from its own folder (by <script>, so also from a disk):
# TeX input, SVG output with its glyphs as paths, and hidden MathML that a screen reader speaks.
MATHJAX = [
    "LICENSE",
    "es5/startup.js",
    "es5/core.js",
    "es5/input/tex-base.js",
    "es5/input/tex/extensions/ams.js",
    "es5/output/svg.js",
    "es5/output/svg/fonts/tex.js",
    "es5/a11y/assistive-mml.js",
]


def copy_mathjax(app):
    """Before the first page is written: its links carry a checksum of the file they name."""
    if app.builder.format != "html":
        return
    source = Path(str(resources.files("mathjax"))) / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX:
        copy = target / name.removeprefix("es5/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, copy)


def mend(app, pagename, templatename, context, doctree):
    """docutils calls the bibliography a list, but its entries are no list items."""
    if "body" in context:
        context["body"] = context["body"].replace('<div role="list" class="citation-list">',
                                                  '<div class="citation-list">')


def setup(app):
    # Jupyter Book sets this value even where its extension, sphinx_comments, is not loaded.
    app.add_config_value("comments_config", {}, "html")
    app.connect("builder-inited", copy_mathjax)
    app.connect("html-page-context", mend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
