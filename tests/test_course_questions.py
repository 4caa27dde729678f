"""The question bank: its answers are the book's, its files hold what it says."""

import html
import io
import re
import xml.etree.ElementTree as et
import zipfile

import numpy as np
import pytest

import questions as bank
from descent import loop, problems, rules, theory

QUESTIONS = bank.questions()
NAMES = bank.chapter_names()
KNOWN = {**vars(rules), **vars(problems), "run": loop.run, "theory": theory, "np": np}
QTI = {"q": "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"}
named = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.number)


# ---- what is asked ------------------------------------------------------------


def test_there_are_enough_and_three_for_each_chapter():
    count = {chapter: sum(question.chapter == chapter for question in QUESTIONS) for chapter in NAMES}
    assert len(QUESTIONS) >= 60
    assert [chapter for chapter in count if chapter.isdigit() and int(chapter) and count[chapter] < 3] == []


def test_every_prediction_that_is_named_is_on_its_page():
    assert bank.unknown() == []


def test_numbers_and_names_of_questions_are_their_own():
    assert len({question.number for question in QUESTIONS}) == len(QUESTIONS)
    assert len({(question.before, question.ask) for question in QUESTIONS}) == len(QUESTIONS)


@named
def test_a_question_has_its_right_answer_and_says_why(question):
    assert len(question.says) > 10
    assert question.tolerance >= 0
    if question.choices:
        assert question.choices.count(question.right) == 1 and len(set(question.choices)) == len(question.choices)
        assert set(question.why) <= set(question.choices) - {question.right}
    else:
        assert isinstance(question.right, (int, float))


@named
def test_no_answer_sends_the_reader_to_a_figure_that_is_not_there(question):
    assert not re.search(r"\b([Dd]rag|the slider|[Mm]ove [αβλtkG]\b|figure above|below:)", question.says)


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.recompute or not q.choices], ids=lambda q: q.number)
def test_an_answer_is_what_one_computes(question):
    if not question.recompute:
        assert question.ident == "c12-ask-curse"   # a recorded search, which the chapter reads itself
        return
    assert agrees(question, question.right)


def agrees(question, answer):
    """Whether this answer is what one computes."""
    found = eval(question.recompute, dict(KNOWN))
    if not question.choices:
        return abs(found - answer) <= max(question.tolerance * abs(answer), 1e-9)   # where a rounded answer has no tolerance: nothing
    return found == answer if isinstance(found, str) else bool(found)


def test_the_test_above_can_fail():
    number = next(q for q in QUESTIONS if q.ident == "w7-peak")
    word = next(q for q in QUESTIONS if q.ident == "r17-claim-3")
    assert not agrees(number, number.right + 1)
    assert not any(agrees(word, other) for other in word.choices if other != word.right)


def test_other_words_for_a_prediction_bring_no_number_that_is_not_on_its_page():
    for question in QUESTIONS:
        if question.written:
            continue
        page = question.page.read_text("utf-8")
        for number in re.findall(r"(?<![\w.⁻])\d+\.\d+|\b\d{3,}\b", f"{question.before} {question.says}"):
            assert number in page or number in question.recompute, f"{question.number}: {number}"


# ---- the files ----------------------------------------------------------------


def text_of(element):
    """What is read there, without marks of any format."""
    text = re.sub(r"<img [^>]*alt=\"LaTeX: ([^\"]*)\"[^>]*>", r"\1", element.text or "")
    return plain(html.unescape(re.sub(r"<[^>]*>", "", text.replace("</p>", " "))))


def plain(text):
    """Without marks of TeX and code, and with plain apostrophes (text2qti makes others)."""
    return " ".join(re.sub(r"\\\(|\\\)|[$`\\]", "", text).replace("’", "'").replace("‘", "'").split())


def canvas_items(chosen):
    with zipfile.ZipFile(io.BytesIO(bank.qti("A quiz", chosen))) as archive:
        manifest = et.fromstring(archive.read("imsmanifest.xml"))
        files = [file.get("href") for file in manifest.iter() if file.tag.endswith("}file")]
        assert files and set(files) <= set(archive.namelist())
        [name] = [name for name in archive.namelist() if name.endswith(".xml") and "/" in name and "meta" not in name]
        for other in archive.namelist():
            if other.endswith(".xml"):
                et.fromstring(archive.read(other))
        return et.fromstring(archive.read(name)).findall(".//q:item", QTI)


@pytest.fixture(scope="module")
def canvas():
    return canvas_items(QUESTIONS)


@pytest.fixture(scope="module")
def moodle():
    return et.fromstring(bank.moodle(QUESTIONS, NAMES)).findall("question")


def test_canvas_has_the_same_questions_choices_and_answers(canvas):
    assert len(canvas) == len(QUESTIONS)
    for item, question in zip(canvas, QUESTIONS):
        assert item.get("title") == f"{question.number} {question.title}"
        asked = text_of(item.find("q:presentation/q:material/q:mattext", QTI))
        assert asked == plain(f"{question.before} {question.ask}"), question.number
        choices = {label.get("ident"): text_of(label.find(".//q:mattext", QTI))
                   for label in item.findall(".//q:render_choice/q:response_label", QTI)}
        assert list(choices.values()) == [plain(choice) for choice in question.choices]
        [right] = [condition for condition in item.findall(".//q:respcondition", QTI)
                   if condition.find("q:setvar", QTI) is not None]
        assert right.find("q:setvar", QTI).text == "100"
        if question.choices:
            assert choices[right.find(".//q:varequal", QTI).text] == plain(question.right)
        else:
            low, high = (float(right.find(f".//q:{bound}", QTI).text) for bound in ("vargte", "varlte"))
            assert low <= question.right <= high
            assert high - low == pytest.approx(2 * question.tolerance * abs(question.right), abs=2e-4)   # text2qti writes four decimals


def test_canvas_finds_every_feedback_and_each_answer_says_why(canvas):
    for item, question in zip(canvas, QUESTIONS):
        told = {feedback.get("ident"): text_of(feedback.find(".//q:mattext", QTI))
                for feedback in item.findall("q:itemfeedback", QTI)}
        wanted = {shown.get("linkrefid") for shown in item.findall(".//q:displayfeedback", QTI)}
        assert wanted == set(told)
        assert plain(question.says) in told["general_fb"]
        assert len(told) == 1 + len(question.why)


def test_moodle_has_the_same_questions_choices_and_answers(moodle):
    asked = [question for question in moodle if question.get("type") != "category"]
    assert len(asked) == len(QUESTIONS)
    for element, question in zip(asked, QUESTIONS):
        assert element.findtext("name/text") == f"{question.number} {question.title}"
        assert text_of(element.find("questiontext/text")) == plain(f"{question.before} {question.ask}")
        assert plain(question.says) in text_of(element.find("generalfeedback/text"))
        answers = element.findall("answer")
        [right] = [answer for answer in answers if answer.get("fraction") == "100"]
        if question.choices:
            assert element.get("type") == "multichoice" and element.findtext("single") == "true"
            assert [text_of(answer.find("text")) for answer in answers] == [plain(c) for c in question.choices]
            assert text_of(right.find("text")) == plain(question.right)
            assert {text_of(a.find("text")): text_of(a.find("feedback/text")) for a in answers
                    if a.findtext("feedback/text")} == {plain(c): plain(why) for c, why in question.why.items()}
        else:
            assert element.get("type") == "numerical"
            assert float(right.findtext("text")) == pytest.approx(question.right)
            assert float(right.findtext("tolerance")) == pytest.approx(question.tolerance * abs(question.right), rel=1e-4)


def test_moodle_has_a_category_a_chapter(moodle):
    found = dict.fromkeys(element.findtext("category/text") for element in moodle if element.get("type") == "category")
    assert [name.split("/", 2)[2] for name in found] == [NAMES[c] for c in dict.fromkeys(q.chapter for q in QUESTIONS)]


def test_formulas_are_what_the_two_draw(canvas, moodle):
    """TeX stands between the marks of Moodle's MathJax filter, and in an image that Canvas makes."""
    [k] = [k for k, question in enumerate(QUESTIONS) if question.ident == "c6-15b"]
    there = canvas[k].find("q:presentation/q:material/q:mattext", QTI).text
    assert '<img class="equation_image"' in there and 'data-equation-content="c_t = (1 + \\beta_1 - a)' in there
    element = [question for question in moodle if question.get("type") != "category"][k]
    assert r"\(c_t = (1 + \beta_1 - a)" in element.findtext("questiontext/text")


def test_a_bank_is_the_same_on_every_day_and_all_its_files_open(tmp_path):
    bank.write(tmp_path, [], None)
    assert bank.qti("A quiz", QUESTIONS[:3]) == bank.qti("A quiz", QUESTIONS[:3])
    held = 0
    for path in (tmp_path / "moodle").glob("*.xml"):
        held += path.name != "all.xml" and len(et.parse(path).findall("question[questiontext]"))
    assert held == len(QUESTIONS)
    assert len(list((tmp_path / "canvas").glob("*.zip"))) == len({question.chapter for question in QUESTIONS})
    words = (tmp_path / "questions.md").read_text("utf-8")
    assert all(f"### {question.number} " in words for question in QUESTIONS)
