"""The package's docstrings as pages: autodoc finds them, this turns their text into reStructuredText.

A docstring of the package is plain text that reads well under `help()`:

    v_k = r² + (1 − r²) β₂^k                                            (4.1)

is an equation that the book derives and becomes a link to it, ``name : what it is`` becomes a list,
`code` in backticks becomes code. Examples stay as they are.
"""

import re

EQUATION = re.compile(r"(?:(?P<line>\S.*?) {2,})?\((?P<label>[A-Z]\d+|\d+\.\d+)\)$")
ENTRY = re.compile(r"(?P<names>\*?\w+(?:, \w+)*) : (?P<what>.*)")
CODE = re.compile(r"(``.+?``|`[^`]+`)")


def escaped(text):
    """`text` with its code marked as code, and nothing else marked."""
    parts = CODE.split(text)
    return "".join(f"``{part.strip('`')}``" if i % 2 else re.sub(r"([\\*|`_])", r"\\\1", part)
                   for i, part in enumerate(parts))


def blocks(lines):
    """The runs of lines between empty ones."""
    block = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def equations(block):
    """One line for each line, with a link to the equations that have a name; a table's spaces are kept."""
    for line in block:
        found = EQUATION.match(line.strip())
        shown = (found["line"] or "") if found else line.strip()
        yield "|" + (f" ``{shown.replace('`', '')}``" if shown else "") + (f" :eq:`{found['label']}`" if found else "")


def entries(block):
    """A list of ``name : what it is``, whose further lines are indented."""
    for line in block:
        found = ENTRY.match(line)
        yield f"* ``{found['names']}``: {escaped(found['what'])}" if found else "  " + escaped(line.strip())


def as_rst(lines):
    """The lines of a docstring in reStructuredText."""
    literal = False
    for block in blocks(lines):
        indented = all(line.startswith(" ") for line in block)
        if block[0].lstrip().startswith(">>>") or literal and indented:
            yield from block
        elif len(block) > 1 and set(block[1]) == {"-"}:  # Parameters, Returns, ...: a heading, and what stands under it
            yield f"**{block[0]}**"
            yield ""
            yield from as_rst(block[2:])
        elif any(EQUATION.match(line.strip()) for line in block):
            yield from equations(block)
        elif ENTRY.match(block[0].strip()):
            margin = len(block[0]) - len(block[0].lstrip())
            yield from entries([line[margin:] for line in block])
        elif all(line.lstrip().startswith("* ") or line.startswith("  ") for line in block):
            yield from ("| " + escaped(line.strip()) for line in block)
        else:
            colons = block[-1].endswith("::")
            yield from (escaped(line.strip()) for line in block)
            literal = colons
            yield ""
            continue
        literal = False
        yield ""


def process(app, what, name, obj, options, lines):
    lines[:] = as_rst(list(lines))


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", process)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
