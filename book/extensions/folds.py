"""What a page folds: sections for a second reading, the code of figures; and solutions stay out of the search.

A section whose heading begins with "Deeper: " becomes <details class="deeper"> with the heading as its summary:
all of it, cells and subsections too, up to the next heading of the same or a higher level.
Code of a cell tagged `hide-input` stands behind a small "code" below what the cell shows; cells of that kind
which show nothing (imports, data) just before it go behind the same word.
"""

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import solution_node

WORD = "Deeper: "


def html(text):
    return nodes.raw("", text, format="html")


class MarkDeeper(SphinxTransform):
    """While the page is read: contents and links call the section by its title without the word."""

    default_priority = 800    # before Sphinx collects titles

    def apply(self):
        for section in self.document.findall(nodes.section):
            title = section[0]
            first = next(iter(title.findall(nodes.Text)), None)
            if first is not None and title.astext().startswith(WORD):
                first.parent.replace(first, nodes.Text(first.removeprefix(WORD)))
                section["classes"].append("deeper")


class FoldDeeper(SphinxPostTransform):
    default_priority = 190
    formats = ("html",)

    def run(self):
        for section in list(self.document.findall(nodes.section)):
            if "deeper" in section["classes"]:
                title, *rest = section.children
                section.children = []
                section += [html('<details class="deeper"><summary>'), title, html("</summary>"),
                            *rest, html("</details>")]


class FoldCode(SphinxPostTransform):
    """In the place of myst-nb's own folds (priority 199), which stand above the figure, a bar across the page."""

    default_priority = 198
    formats = ("html",)

    def run(self):
        waiting = []    # cells that show nothing, of an unbroken row
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") != "cell_code" or cell.get("hide_mode") != "input":
                continue
            del cell["hide_mode"]
            source, *shown = cell.children
            if waiting and not (waiting[-1].parent is cell.parent
                                and cell.parent.index(cell) == cell.parent.index(waiting[-1]) + 1):
                waiting = []
            if not shown:
                waiting.append(cell)
                cell.children = []
                cell += self.fold([source], "")
                continue
            sources = [part for before in waiting for part in before.children[1:-1]] + [source]
            for before in waiting:
                before.parent.remove(before)
            waiting = []
            picture = any(node.tagname == "image" or node.tagname == "raw" and "<svg" in node.astext()
                          for part in shown for node in part.findall())
            cell.children = []
            cell += [*shown, *self.fold(sources, " of this figure" if picture else " of this output")]

    @staticmethod
    def fold(sources, what):
        return [html(f'<details class="hide"><summary>code<span class="aloud">{what}</span></summary>'),
                *sources, html("</details>")]


def index_without_solutions(app):
    """The index of the search must not tell what the page folds."""
    if app.builder.name != "html":
        return
    index_page = app.builder.index_page

    def without_solutions(pagename, doctree, title):
        doctree = doctree.deepcopy()
        for solution in list(doctree.findall(solution_node)):
            solution.parent.remove(solution)
        index_page(pagename, doctree, title)

    app.builder.index_page = without_solutions


def setup(app):
    app.add_transform(MarkDeeper)
    app.add_post_transform(FoldDeeper)
    app.add_post_transform(FoldCode)
    app.connect("builder-inited", index_without_solutions)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
