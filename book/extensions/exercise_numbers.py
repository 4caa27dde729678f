"""Exercises are numbered in their chapter, as the course material numbers them: 7.1, 7.2, ..., F.1.

Sphinx counts them through the whole book. Titles, references and solutions all take their number from
the environment, so it is enough to change it there.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from exercises import chapter_of  # noqa: E402


def number_by_chapter(app, env):
    for docname, numbers in env.toc_fignumbers.items():
        if "exercise" in numbers:
            chapter = chapter_of(docname.rpartition("/")[2])
            numbers["exercise"] = {label: (chapter, n) for n, label in enumerate(numbers["exercise"], 1)}
    return []


def setup(app):
    app.connect("env-get-updated", number_by_chapter, priority=900)   # after Sphinx has counted
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
