"""One address: everything that names the book's place follows from `repository: url` in _config.yml.

https://github.com/OWNER/NAME is published by GitHub Pages at https://OWNER.github.io/NAME/.
A fork changes that one line; a book with a place of its own sets `html: baseurl` as well.
"""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).resolve().parent.parent

NOT_FOUND = """
<h1>Page not found</h1>
<p>There is no such page in this book; a chapter may have moved.
Go to the <a href="{path}index.html">opening page</a>
or to <a href="{path}chapters/contents.html">the list of all chapters</a>.</p>"""


def repository(config=None):
    """(address of the repository, branch) from _config.yml."""
    config = config or yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    return config["repository"]["url"].rstrip("/"), config["repository"]["branch"]


def published(config=None):
    """The absolute address of the published book, which ends in a slash."""
    config = config or yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    own = config.get("html", {}).get("baseurl")
    if own:
        return own.rstrip("/") + "/"
    host, path = urlsplit(repository(config)[0])[1:3]
    owner, name = path.strip("/").split("/")
    if host != "github.com":
        raise ValueError(f"_config.yml: repository: url = {repository(config)[0]} is not on github.com: "
                         "say in html: baseurl where the book is published")
    return f"https://{owner.lower()}.github.io/{name}/"


def settle(app, config):
    """What Sphinx and its extensions want to know, each by its own name."""
    address = published()
    path = urlsplit(address).path
    config.html_baseurl = address
    config.ogp_site_url = address
    config.notfound_urls_prefix = path
    config.notfound_context = {"title": "Page not found", "body": NOT_FOUND.format(path=path)}


def setup(app):
    app.connect("config-inited", settle, priority=100)   # before those who read it
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
