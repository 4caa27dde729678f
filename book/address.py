"""One address: everything that names the book's place follows from `repository: url` in _config.yml.

https://github.com/OWNER/NAME is published by GitHub Pages at https://OWNER.github.io/NAME/.
A fork changes that one line; a book with a place of its own sets `html: baseurl` as well.
"""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).resolve().parent.parent


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
