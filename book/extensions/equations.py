"""Equations are drawn while the book is built: MathJax runs here, not in the reader's browser.

A formula is an <svg> with one <path>, measured in the letters around it (ex), and MathML out of sight
for screen readers. Its TeX is kept for copying (book/_static/equations.js).
draw_equation.js is what V8 runs: MathJax from the installed package, and the way from its drawing to one path.
"""

import json
import re
from functools import lru_cache
from html import escape, unescape
from importlib import resources
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

# TeX input, SVG output with its glyphs as paths, and a document that needs no browser.
MATHJAX = ["core.js", "adaptors/liteDOM.js", "input/tex-base.js", "input/tex/extensions/ams.js",
           "output/svg.js", "output/svg/fonts/tex.js"]
NO_BROWSER = "var window = undefined, global = this, console = {log() {}, warn() {}, error() {}};"
LONG = 18   # ex: an inline formula wider than this may be wider than a phone's line, and scrolls there


class NotDrawn(ValueError):
    """MathJax does not know the TeX, or its font lacks a character."""


@lru_cache(1)
def engine():
    js = MiniRacer()
    js.eval(NO_BROWSER)
    folder = resources.files("mathjax") / "static" / "mathjax" / "es5"
    for name in MATHJAX:
        js.eval((folder / name).read_text("utf-8"))
    js.eval(Path(__file__).with_name("draw_equation.js").read_text("utf-8"))
    return js


def close(app, exception):
    """V8 has threads: left open, the build would not end."""
    if engine.cache_info().currsize:
        engine().close()
        engine.cache_clear()


@lru_cache(None)
def draw(tex, display=False):
    """What MathJax makes of a formula: width, height, style, box, path and mathml."""
    drawing = json.loads(engine().call("draw", tex, display))
    if "error" in drawing:
        raise NotDrawn(drawing["error"])
    return drawing


def lines(tex):
    """Displayed TeX in which a line ends outside of every environment is set as Sphinx does it, in `split`."""
    outside = re.sub(r"%.*", "", tex)
    while (inner := re.sub(r"\\begin\{(\w+\*?)\}(?:(?!\\begin\{).)*?\\end\{\1\}", "", outside, flags=re.S)) != outside:
        outside = inner
    return rf"\begin{{split}}{tex}\end{{split}}" if r"\\" in outside else tex


def drawing(node):
    tex = node.astext().strip()
    return draw(lines(tex), True) if isinstance(node, nodes.math_block) else draw(tex)


def picture(self, drawn, style=""):
    """The drawing and what is heard of it."""
    outline = f'<path d="{drawn["path"]}"/>'
    if self.builder.name == "singlehtml":   # a glyph that is the same text everywhere: the PDF is a quarter smaller
        outline = re.sub(r"M(-?\d+) ?(-?\d+)([^M]*)", r'<path transform="translate(\1 \2)" d="M0 0\3"/>', drawn["path"])
    style = f' style="{style}"' if style else ""
    self.body.append(f'<svg aria-hidden="true" width="{drawn["width"]}" height="{drawn["height"]}" viewBox="{drawn["box"]}"'
                     f'{style}>{outline}</svg><span class="spoken">{drawn["mathml"]}</span>')


def open_tag(self, node, name, classes="", style=""):
    """The box of a formula; its TeX as it is written, with its lines."""
    tag = self.starttag(node, name, "", CLASS=f"math notranslate nohighlight {classes}".strip(),
                        **({"style": style} if style else {}))
    self.body.append(tag.replace(">", f' data-tex="{escape(node.astext().strip())}">', 1))


def visit_math(self, node):
    drawn = drawing(node)
    long = float(drawn["width"].removesuffix("ex")) > LONG
    if long:   # a box that scrolls stands on the line itself
        open_tag(self, node, "span", "long", drawn["style"])
        picture(self, drawn)
    else:
        open_tag(self, node, "span")
        picture(self, drawn, drawn["style"])
    self.body.append("</span>")
    raise nodes.SkipNode


def visit_math_block(self, node):
    open_tag(self, node, "div")
    if node["number"]:
        self.body.append(f'<span class="eqno">({escape(get_node_equation_number(self, node))})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    self.body.append('<div class="formula">')
    picture(self, drawing(node))
    self.body.append("</div></div>\n")
    raise nodes.SkipNode


def prepare(app, doctree, docname):
    """Before a page is written: a formula that cannot be drawn ends the build; the others hold on to what touches them."""
    if app.builder.format != "html":
        return
    failed = 0
    for node in doctree.findall(lambda node: isinstance(node, (nodes.math, nodes.math_block))):
        try:
            drawing(node)
        except NotDrawn as error:
            logger.error("formula not drawn: %s: %s", node.astext().strip(), error, location=node)
            failed += 1
    if failed:
        raise ExtensionError(f"{docname}: {failed} formulas cannot be drawn, named above")
    for parent in dict.fromkeys(outermost(node).parent for node in doctree.findall(nodes.math)):
        parent[:] = kept_together(parent)


def alone(node):
    """A formula, or the emphasis or link that holds nothing else."""
    return isinstance(node, nodes.math) or isinstance(node, nodes.Inline) and len(node) == 1 and alone(node[0])


def outermost(node):
    return outermost(node.parent) if alone(node.parent) else node


def kept_together(parent):
    """Its children. A line may break before and after any picture: ``($x$,`` or ``$n$th`` are bound to one piece."""
    out, piece = [], None
    for child in parent:
        if alone(child):
            if piece is None:
                before = out.pop() if out and isinstance(out[-1], nodes.Text) else ""
                start = re.search(r"[^\s–—-]*$", before).start()
                piece = nodes.inline(classes=["together"])
                piece += text(before[start:])
                out += [*text(before[:start]), piece]
            piece += child
        elif isinstance(child, nodes.Text) and piece is not None:
            end = re.match(r"[^\s–—-]*[–—-]?", child).end()
            piece += text(child[:end])
            out += text(child[end:])
            piece = piece if end == len(child) else None
        else:
            out.append(child)
            piece = None
    bound = [node for node in out if isinstance(node, nodes.inline) and node["classes"] == ["together"]]
    return [node[0] if node in bound and len(node) == 1 else node for node in out]


def text(string):
    return [nodes.Text(string)] if string else []


def say_plainly(app, pagename, templatename, context, doctree):
    """The page is written; what describes it elsewhere (sphinxext.opengraph, after this) has no place for a drawing."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        formulas = list(paragraph.findall(nodes.math))
        for node in formulas:
            node[:] = [nodes.Text(plain(drawing(node)["mathml"]))]
        if formulas:
            paragraph[:] = [nodes.Text(paragraph.astext())]


def plain(mathml):
    """A formula that is a line of letters; of others there is only a sign."""
    if re.search(r"<(?!/|(math|mrow|mi|mn|mo)\b)", mathml):
        return "…"
    return unescape(re.sub("<.*?>", "", mathml))


def setup(app):
    app.add_html_math_renderer("drawn", (visit_math, None), (visit_math_block, None))
    app.connect("doctree-resolved", prepare, priority=900)   # after those who change what is written
    app.connect("html-page-context", say_plainly, priority=400)
    app.connect("build-finished", close)
    app.add_css_file("equations.css")
    app.add_js_file("equations.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}   # V8 does not survive a fork
