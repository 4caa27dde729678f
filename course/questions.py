"""The question bank: the predictions that the book asks for, and more, as files for Canvas and for Moodle.

    python course/make.py --only questions      one part of `make course`

writes, for the whole book, canvas/chapter_07.zip and so on (QTI 1.2, a quiz a chapter), moodle/chapter_07.xml and so
on with a category a chapter, moodle/all.xml, and questions.md to read. text2qti writes the QTI and moodle-tools the XML.

A prediction is read from the output of its cell, so that its numbers are those on the page; questions.toml beside
this file names the predictions that stand alone, gives others their setting, and holds the questions written for
the bank.
"""

import html
import io
import re
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import yaml
from bs4 import BeautifulSoup
from loguru import logger

from moodle_tools.make_questions import generate_moodle_questions
from text2qti.config import Config
from text2qti.qti import QTI
from text2qti.quiz import Quiz

import address
from exercises import pages
from notebooks import ROOT, title_of

DATA = Path(__file__).with_suffix(".toml")
TOLERANCE = 0.02
logger.disable("moodle_tools")   # its progress


@dataclass(frozen=True)
class Question:
    """A question with choices, or one for a number.

    chapter, number : "7" and "Q7.1"; "I" is the opening page, "F" the frameworks, "L" the laboratory
    ident : the cell's id, or the id in questions.toml
    page, title : where the book treats it, and the page's title or the question's own
    before, ask : the setting, and the question
    choices : none where a number is asked for
    right : the right choice, or the number
    says : the answer in a sentence or two
    why : {wrong choice: why it is wrong}
    written : for the bank; the others are the book's predictions
    recompute : for the tests, see questions.toml
    """

    chapter: str
    number: str
    ident: str
    page: Path
    title: str
    ask: str
    right: str | float
    says: str
    before: str = ""
    choices: tuple = ()
    unit: str = ""
    tolerance: float = TOLERANCE
    why: dict = field(default_factory=dict)
    written: bool = False
    recompute: str = ""

    @property
    def answer(self):
        """The right answer in words."""
        return self.right if self.choices else f"{self.right:g} {self.unit}".strip().replace("-", "−")


# ---- what there is ----------------------------------------------------------


def predictions(path):
    """{cell: question} of a notebook, as the outputs of its cells have them; without what is to be drawn or has no right answer."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", ()):
            page = BeautifulSoup(output.get("data", {}).get("text/html", ""), "html.parser")
            for box in page.select(".descent-answer[data-right]"):
                found[cell.id] = _asked(box)
    return found


def _asked(box):
    """A question of `descent.figures.ask`, read from its HTML."""
    reply = box.parent.select_one(".descent-says")
    choices = tuple(button.get_text() for button in box.select("[data-choice]"))
    for paper in reply.select(".descent-paper"):
        paper.decompose()
    told = {choices[int(part["data-for"])]: part.get_text().strip() for part in reply.select("[data-for]")}
    right, unit = box["data-right"], ""
    if not choices:
        unit = box.select_one("input")["data-unit"].strip()
        right = float(right.removesuffix(unit).strip().replace("−", "-"))
    says = told.pop(right, reply.get_text().strip())
    return {"ask": box.parent.select_one(".descent-prompt").get_text().strip(), "choices": choices, "right": right,
            "unit": unit, "says": without_hands(says), "why": told}


def without_hands(says):
    """An answer without the sentences that send the reader's hands, or eyes, to the figure beside it."""
    sentences = re.split(r"(?<=[.?!]) +(?=[A-Z(])", says)
    return " ".join(s for s in sentences if not s.endswith("?") and not re.match(
        r"(Now|Then|Take more|Move|Raise|Turn|Drag|Find|Set|Try|Choose|Change|Press|Follow|Dotted|Dashed|Below)\b", s))


def questions():
    """All of them, chapter by chapter: first the book's predictions, then those written for the bank."""
    data, names, out = tomllib.loads(DATA.read_text("utf-8")), chapter_names(), []
    for chapter, path in pages().items():
        title = re.sub(r"^\d+ · ", "", names[chapter])
        chosen, asked = data["predictions"].get(chapter, {}), predictions(path)
        here = [{"ident": cell, "title": title, **asked[cell], **chosen[cell]} for cell in asked if cell in chosen]
        for row in data["written"]:
            if row["chapter"] == chapter:
                row = {"ident": row["id"], "why": row.get("wrong", {}), "written": True, **row}
                here.append({name: value for name, value in row.items() if name not in ("id", "wrong", "chapter")})
        out += [Question(chapter=chapter, number=f"Q{chapter}.{n}", page=path, **row | {"choices": tuple(row.get("choices", ()))})
                for n, row in enumerate(here, 1)]
    return out


def unknown():
    """What questions.toml names and no page has: [(chapter, cell)]."""
    data, known = tomllib.loads(DATA.read_text("utf-8"))["predictions"], {q.ident for q in questions()}
    return [(chapter, cell) for chapter, cells in data.items() for cell in cells if cell not in known]


def link(question):
    """The address of the page that treats a question."""
    where = question.page.relative_to(ROOT).with_suffix(".html").as_posix()
    return address.published() + where


# ---- as text, for two formats ------------------------------------------------


def marked(text, plain, tex, code):
    """A text with $TeX$ and `code`, each part by its function."""
    parts = re.split(r"\$(.+?)\$|`(.+?)`", text)
    out = []
    for k in range(0, len(parts), 3):
        out.append(plain(parts[k]))
        if k + 2 < len(parts):
            out.append(tex(parts[k + 1]) if parts[k + 1] else code(parts[k + 2]))
    return "".join(out)


def markdown(text):
    """For text2qti, which makes Canvas's equations of $TeX$."""
    return marked(text, lambda s: re.sub(r"([\\*_\[\]<>#$|~^])", r"\\\1", s), "${}$".format, "`{}`".format)


def moodle_html(text):
    """For Moodle, whose MathJax filter reads \\(TeX\\)."""
    def escape(words):
        return html.escape(words, quote=False)
    return marked(text, escape, lambda s: rf"\({escape(s)}\)", lambda s: f"<code>{escape(s)}</code>")


def answered(question):
    """What is said afterwards: the answer and why."""
    return f"The answer: {question.answer.rstrip('.')}. {question.says}".strip()


# ---- Canvas -----------------------------------------------------------------


def text2qti_source(title, chosen):
    """A quiz in text2qti's own text format."""
    lines = [f"Quiz title: {title}", ""]
    for question in chosen:
        lines += [f"Title: {question.number} {question.title}"]
        paragraphs = list(filter(None, [question.before, question.ask]))
        lines += ["1. " + "\n\n   ".join(map(markdown, paragraphs))]
        lines += [f"... {markdown(answered(question))} [In the book]({link(question)})"]
        for letter, choice in zip("abcdefghij", question.choices):
            lines += [f"{'*' if choice == question.right else ''}{letter}) {markdown(choice)}"]
            if choice in question.why:
                lines += [f"... {markdown(question.why[choice])}"]
        if not question.choices:
            margin = abs(question.right) * question.tolerance
            lines += [f"= {question.right:.10g} +- {margin:.6g}" if margin else f"= {question.right:.0f}"]
        lines += [""]
    return "\n".join(lines)


def qti(title, chosen):
    """The bytes of a QTI archive, the same on every day."""
    made, out = io.BytesIO(QTI(Quiz(text2qti_source(title, chosen), config=Config())).zip_bytes()), io.BytesIO()
    with zipfile.ZipFile(made) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in given.namelist():
            fixed.writestr(zipfile.ZipInfo(name), given.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


# ---- Moodle -----------------------------------------------------------------


def moodle_document(question, category):
    """A question as moodle-tools reads it."""
    book = f'<a href="{link(question)}">In the book</a>'
    row = {"type": "multiple_choice" if question.choices else "numerical", "category": html.escape(category, quote=False),
           "title": html.escape(f"{question.number} {question.title}", quote=False),
           "question": "".join(f"<p>{moodle_html(text)}</p>" for text in (question.before, question.ask) if text),
           "general_feedback": f"<p>{moodle_html(answered(question))}</p><p>{book}</p>"}
    if question.choices:
        row["shuffle_answers"] = False   # some are in the order of their size
        row["answers"] = [{"answer": moodle_html(choice), "points": 100 if choice == question.right else 0,
                           "feedback": moodle_html(question.why.get(choice, ""))} for choice in question.choices]
    else:
        row["answers"] = [{"answer": f"{question.right:.10g}", "points": 100, "feedback": "",
                           "tolerance": f"{abs(question.right) * question.tolerance:.6g}"}]
    return row


def moodle(chosen, names):
    """Moodle XML, a category a chapter; `names` are the chapters' own."""
    documents = [moodle_document(q, f"RMSprop and Adam, step by step/{names[q.chapter]}") for q in chosen]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "questions.yaml"
        path.write_text(yaml.safe_dump_all(documents, allow_unicode=True), "utf-8")
        return generate_moodle_questions(paths=[path], parse_markdown=False, table_styling=False)


# ---- to read, and all of it -------------------------------------------------


def readable(chosen, names):
    """The bank as Markdown."""
    lines, chapter = ["# Question bank", ""], None
    for question in chosen:
        if question.chapter != chapter:
            chapter = question.chapter
            lines += [f"## {names[chapter]}", ""]
        lines += [f"### {question.number} {question.title}", "", f"{question.before} {question.ask}".strip(), ""]
        lines += [f"* {'**' + c + '**' if c == question.right else c}{': ' * (c in question.why)}{question.why.get(c, '')}"
                  for c in question.choices]
        lines += [""] * bool(question.choices) + [answered(question), ""]
    return "\n".join(lines)


def chapter_names():
    """{"7": "7 · Bias correction", ...}."""
    return {name: title_of(nbformat.read(path, as_version=4)) for name, path in pages().items()}


def write(folder, chapters, edition):
    """Write the bank into `folder`: always that of the whole book, in files a chapter."""
    every, names = questions(), chapter_names()
    for kind in "canvas", "moodle":
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for chapter, name in names.items():
        if chosen := [question for question in every if question.chapter == chapter]:
            stem = f"chapter_{chapter:0>2}" if chapter.isdigit() else {"I": "opening", "F": "frameworks", "L": "laboratory"}[chapter]
            (folder / "canvas" / f"{stem}.zip").write_bytes(qti(name, chosen))
            (folder / "moodle" / f"{stem}.xml").write_text(moodle(chosen, names), "utf-8")
    (folder / "moodle" / "all.xml").write_text(moodle(every, names), "utf-8")
    (folder / "questions.md").write_text(readable(every, names), "utf-8")
