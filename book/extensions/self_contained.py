"""The site asks no other host for anything, and a screen reader can read all of it.

Mends what the libraries write into the site.
"""

import re
from pathlib import Path

from sphinx.errors import ExtensionError

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


# Sphinx marks a searched word wherever the element right around it does not forbid it, be it a style sheet.
UNMARKED = '"button, select, textarea"'
SPARED = '"button, select, textarea, style, script, .nohighlight"'


def spare_what_a_mark_would_break(app, pagename, templatename, context, doctree):
    """No mark anywhere in what has the class `nohighlight`. Before the first page, which carries a checksum."""
    if app.builder.name != "html":   # one page, for the PDF, has no search
        return
    script = Path(app.outdir) / "_static" / "sphinx_highlight.js"
    source = script.read_text("utf-8")
    if SPARED not in source:
        if UNMARKED not in source:
            raise ExtensionError(f"sphinx_highlight.js has no {UNMARKED}: how does it spare an element now?")
        script.write_text(source.replace(UNMARKED, SPARED), "utf-8")


def setup(app):
    # Jupyter Book sets this value even where its extension, sphinx_comments, is not loaded.
    app.add_config_value("comments_config", {}, "html")
    app.connect("html-page-context", spare_what_a_mark_would_break)
    app.connect("html-page-context", mend)
    app.connect("build-finished", keep_used_icons)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
