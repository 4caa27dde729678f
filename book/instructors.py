"""Write what the page for instructors shows: the picture of what depends on what, and the table of all exercises.

    python book/instructors.py

The picture stands in chapters/for_instructors.md between two comments; it is drawn from that page's own table, which
tests/test_instructors.py compares with the chapters. chapters/exercises_table.md is written whole, from the
notebooks and course/exercises.toml.
"""

import re
from html import escape

import exercises
from notebooks import ROOT

PAGE = ROOT / "chapters" / "for_instructors.md"
TABLE = ROOT / "chapters" / "exercises_table.md"
BEGIN, END = "% what depends on what: drawn by book/instructors.py", "% end of the picture"

# Where a chapter stands (column, row) and what its box says; a chapter that is needed stands above.
PLACES = {
    1: (0.5, 0, "one rate"), 2: (1.5, 0, "averages"), 15: (3, 0, "cost of a step"), 3: (1, 1, "RMSprop"),
    4: (0, 2, "its memory"), 7: (1, 2, "bias correction"), 5: (3, 2, "small print"), 6: (3, 3, "momentum"),
    9: (0, 4, "longest step"), 8: (1, 4, "Adam"), 10: (3, 5, "signal, noise"), 12: (1, 5, "a fair test"),
    11: (2, 5, "convergence"), 13: (1, 6, "geometry"), 16: (2, 6, "depth"), 14: (0, 7, "transformer"),
    18: (1, 7, "weight decay"), 17: (3, 7, "claims"),
}
WIDE, HIGH, ACROSS, DOWN = 112, 46, 124, 78   # of a box, and from one to the next

HEAD = """\
# The exercises

{count} exercises: {minutes} hours of work for a second-year student who has read the chapters, and {points} points.

"3 + 2" points: three from the check, a function of the package that judges a cell and says what is wrong first, and that nbgrader and otter run; two from a person who reads a proof or reasons.
*On paper* a person gives all of them. `make course` writes a line for each such point into `instructor/rubric/`.
[For instructors](for_instructors.md) says how to hand exercises out and how to grade them.
"""


def needs(page=None):
    """{chapter: the chapters that it needs}, as the table of the page says."""
    page = PAGE.read_text("utf-8") if page is None else page
    table = page.split("| chapter | needs |")[1].split("\n\n")[0]
    said = {}
    for chapters, before in re.findall(r"^\| ([\d, ]+?) \| (.+?) \|$", table, re.M):
        for chapter in chapters.split(", "):
            said[int(chapter)] = set(map(int, re.findall(r"\d+", before)))
    return dict(sorted(said.items()))


def with_theirs(said):
    """The same, with what these need in turn."""
    whole = {}
    for chapter, before in said.items():
        whole[chapter] = before.union(*(whole[b] for b in before))
    return whole


def arrows(said):
    """(needed, chapter) for every arrow that another chain of arrows does not say already."""
    whole = with_theirs(said)
    return [(before, chapter) for chapter in said for before in sorted(said[chapter])
            if not any(before in whole[other] for other in said[chapter])]


def picture(said):
    """The SVG, in the colours of the page."""
    def middle(chapter):
        column, row, _ = PLACES[chapter]
        return 4 + WIDE / 2 + column * ACROSS, 4 + row * DOWN

    width = 8 + WIDE + ACROSS * max(place[0] for place in PLACES.values())
    height = 8 + HIGH + DOWN * max(place[1] for place in PLACES.values())
    lines = [f'<svg class="needs" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="What depends on what: the chapters as boxes, '
             'with an arrow from each to those that need it. The table below says the same." '
             f'style="display:block;width:100%;max-width:{width:g}px;margin:1.5rem auto">',
             '<defs><marker id="needs-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
             '<path d="M0,0 L8,4 L0,8 z" fill="currentColor" /></marker></defs>',
             '<g fill="none" stroke="currentColor" stroke-width="1.4" stroke-opacity=".65" aria-hidden="true">']
    for before, chapter in arrows(said):
        (x, y), (x2, y2) = middle(before), middle(chapter)
        y += HIGH
        bend = min((y2 - y) / 2, 40)
        lines.append(f'<path marker-end="url(#needs-tip)" d="M{x:g},{y:g} C{x:g},{y + bend:g} {x2:g},{y2 - bend:g} {x2:g},{y2 - 2:g}" />')
    lines.append("</g>")
    for chapter in said:
        x, y = middle(chapter)
        lines.append(f'<g><rect x="{x - WIDE / 2:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="6" '
                     'style="fill:var(--pst-color-surface,#f4f4f4);stroke:currentColor" />'
                     f'<text x="{x:g}" y="{y + 19:g}" text-anchor="middle" fill="currentColor" font-size="16" font-weight="600">{chapter}</text>'
                     f'<text x="{x:g}" y="{y + 37:g}" text-anchor="middle" fill="currentColor" font-size="14.5">{escape(PLACES[chapter][2])}</text></g>')
    return "\n".join([*lines, "</svg>"])


def page():
    """chapters/for_instructors.md with the picture of its table."""
    text = PAGE.read_text("utf-8")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n```{{raw}} html\n{picture(needs(text))}\n```\n\n{END}{rest.split(END)[1]}"


def graded(exercise):
    """"3", "3 + 2" or "8, on paper"."""
    if exercise.on_paper:
        return f"{exercise.points}, on paper"
    return f"{exercise.points - exercise.words}" + f" + {exercise.words}" * bool(exercise.words)


def table():
    """chapters/exercises_table.md."""
    every = {name: exercises.exercises(name) for name in exercises.chapters()}
    all_of_them = [exercise for some in every.values() for exercise in some]

    def total(what, of=all_of_them):
        return sum(getattr(exercise, what) for exercise in of)

    out = [HEAD.format(count=len(all_of_them), minutes=round(total("minutes") / 60), points=total("points"))]
    for name, path in exercises.chapters().items():
        title = f"Chapter {name}" if name.isdigit() else "Frameworks"
        hours = f"{total('minutes', every[name]) / 60:.1f}".rstrip("0").rstrip(".")
        out += [f"\n## {title}\n\n[{'The chapter' if name.isdigit() else 'The page'}]({path.name}): {total('points', every[name])} points, "
                f"{hours} hours.\n\n| exercise: what a student can do afterwards | minutes, level, points |\n|---|---|\n"]
        out += [f"| [{e.number} {e.title}](#{e.label}): {e.outcome.removeprefix('can ').replace('|', chr(92) + '|')} | "
                f"{e.minutes} min, {e.level}, {graded(e)} |\n" for e in every[name]]
    return "".join(out)


if __name__ == "__main__":
    for path, text in (PAGE, page()), (TABLE, table()):
        changed = not path.exists() or path.read_text("utf-8") != text
        path.write_text(text, "utf-8")
        print(f"{path.relative_to(ROOT)}: {'written' if changed else 'unchanged'}")
