"""The book's package as a wheel, and the versions that constraints.txt pins."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from notebooks import ROOT


def pins():
    """{name: version} of constraints.txt."""
    return dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text("utf-8")))


def sources(folder):
    """Copy what the wheel is built from into `folder`, as git would ship it: no leftovers of earlier builds."""
    shutil.copytree(ROOT / "code" / "descent", folder / "code" / "descent", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (ROOT / "pyproject.toml", ROOT / "README.md", *ROOT.glob("LICENSE*")):
        shutil.copy(path, folder / path.name)
    return folder


def wheel(folder, source=None, **variables):
    """Path of the wheel, built without a network into `folder`, from `source` or what is there now."""
    folder = Path(folder)
    source = source or sources(folder / "source")
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
                           "--no-build-isolation", "--wheel-dir", folder, source], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, **variables})
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nCould not build the wheel of the book's package.")
    return next(folder.glob("descent-*.whl"))
