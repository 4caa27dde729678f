"""The site asks no other host for anything, and a screen reader can read all of it.

Copies the parts of MathJax that the pages use from the installed package into the site,
and mends what the libraries write into the pages.
"""

import re
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


# One of Font Awesome's two thousand icons, as its script lists them: name:[width,height,[aliases],"code","path"]
ICON = re.compile(r'"?([a-z0-9-]+)"?:\[\d+,\d+,\[([^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\],?')


def keep_used_icons(app, exception):
    """The theme's icons are a script of 1.5 MB that blocks every page; the pages use a dozen of them."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    script = site / "_static" / "scripts" / "fontawesome.js"
    users = [*site.rglob("*.html"), *script.parent.glob("*theme.js")]
    used = {name for user in users for name in re.findall(r"\bfa-([a-z0-9-]+)", user.read_text("utf-8"))}

    def kept(icon):
        names = {icon[1], *re.findall(r'"([a-z0-9-]+)"', icon[2])}
        return icon[0] if names & used else ""

    script.write_text(ICON.sub(kept, script.read_text("utf-8")), "utf-8")
    # what only a developer's tools and old browsers ask for
    for pattern in "*.map", "fa-*.ttf":
        for unused in (site / "_static").rglob(pattern):
            unused.unlink()


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
    app.connect("build-finished", keep_used_icons)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
