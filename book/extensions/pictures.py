"""Still pictures have their size in the page: they do not shift what stands below, and are sharp on a fine screen.

A picture of a cell has two pixels where the book shows one (descent.figures.plots.use_style asks for it); its file
says how many there are to an inch.
"""

import re
import struct
from pathlib import Path

DPI = 120    # what a picture of the book is shown at: figure.dpi of descent.figures.plots
PICTURE = re.compile(r'<img (?![^>]*\b(?:width|height)=)([^>]*\bsrc="[^"]*_images/([^"/]+\.png)"[^>]*)>')


def size(data):
    """(width, height) in CSS pixels of a PNG file, and whether it says its resolution."""
    width, height = struct.unpack(">II", data[16:24])
    at, scale = 8, 1.0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"pHYs":
            scale = round(struct.unpack(">I", data[at + 8:at + 12])[0] * 0.0254) / DPI
            break
        at += 12 + length
    return round(width / scale), round(height / scale)


def with_size(app, pagename, templatename, context, doctree):
    if "body" not in context:
        return
    source = {name: Path(app.srcdir) / path for path, name in app.builder.images.items()}

    def sized(found):
        width, height = size(source[found[2]].read_bytes())
        return f'<img width="{width}" height="{height}" {found[1]}>'

    context["body"] = PICTURE.sub(sized, context["body"])


def setup(app):
    app.connect("html-page-context", with_size)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
