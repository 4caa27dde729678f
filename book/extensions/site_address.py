"""Sphinx and its extensions are told where the book is published (book/address.py knows)."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.append(str(Path(__file__).resolve().parents[1]))
import address  # noqa: E402

NOT_FOUND = """
<h1>Page not found</h1>
<p>There is no such page in this book; a chapter may have moved.
Go to the <a href="{path}index.html">opening page</a>
or to <a href="{path}chapters/contents.html">the list of all chapters</a>.</p>"""


def settle(app, config):
    """What Sphinx and its extensions want to know, each by its own name."""
    place = address.published()
    path = urlsplit(place).path
    config.html_baseurl = place
    config.ogp_site_url = place
    config.notfound_urls_prefix = path
    config.notfound_context = {"title": "Page not found", "body": NOT_FOUND.format(path=path)}


def setup(app):
    app.connect("config-inited", settle, priority=100)   # before those who read it
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
