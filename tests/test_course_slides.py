"""The slides: each chapter's lecture is made of what the book has, says no number of its own, and moves from a disk."""

import re
import tomllib

import pytest

import pages
import slides
from descent.figures.explore import decode

CHAPTERS = list(range(1, 19))
BUILT = [3, 7, 11]
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?!\w)")


def printed(cell):
    """What a cell prints and what its figure or question can say."""
    out = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        out += [output.get("text", ""), re.sub(r"\([\d, ]+\)|\d+ positions", "", data.get("text/plain", ""))]   # without shapes
        if '"base64,' in data.get("text/html", ""):
            figure = decode(data["text/html"])
            out += [label for labels in figure["controls"].values() for label in labels]
            out += [str(word) for artist in figure["artists"] if "words" in artist for word in artist["words"].flat]
    return "\n".join(out)


def numbers(text):
    return {float(found.replace(",", "").rstrip(".")) for found in NUMBER.findall(text.replace("−", "-"))}


def said(slide):
    """The words of a slide, without references to chapters, and formulas without what is structure: indices, powers, 0, 1, 2."""
    words = "\n".join([slide["heading"], *slide.get("say", ()), slide["notes"]])
    words = re.sub(r"\b([Cc]hapters?|[Ss]lide|layer) \d+|\A\d\. ", "", words)

    def formula(found):
        return re.sub(r"(?<![\d.])[012](?![\d.])", "", re.sub(r"[_^](\{[^}]*\}|\w)", "", found[0]))
    return re.sub(r"\$[^$]+\$", formula, words)


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_lecture_is_made_of_what_the_book_has(number):
    lecture, chapter = slides.slides_of(number), slides.Chapter(number)
    chapter.notebook()   # a cell, an equation or an exercise that is not there: an error that names it
    for n, slide in enumerate(lecture):
        for name in slide.get("printed", ()):
            chapter.named("cell", name, f"slide {n + 1}")
    assert 8 <= len(lecture) <= 12
    assert all(slide["notes"].strip() for slide in lecture)

    def shows(slide, *kinds):
        htmls = [output.get("data", {}).get("text/html", "") for name in slide.get("cells", ())
                 for output in chapter.cells[name].get("outputs", ())]
        return any(kind in html for html in htmls for kind in kinds)
    assert shows(lecture[0], "data-predict", "data-control"), "it begins with a figure that asks or moves"
    assert sum(shows(slide, "data-predict", "data-ask") for slide in lecture) >= 2
    assert sum(len(slide.get("notes", "").split("Ask")) > 1 for slide in lecture) >= 6, "notes say what to ask"
    if number != 17:   # it reads claims
        assert any("equations" in slide for slide in lecture)
    assert lecture[-2]["heading"] == "What is not shown"
    assert lecture[-1]["exercises"]


def unprinted(chapter, slide, first=False):
    """The numbers that a slide says and its cells do not print, nor its equations and its code show."""
    names = [name for key in ("cells", "code", "printed") for name in slide.get(key, ())]
    evidence = [printed(chapter.cells[name]) for name in names]
    evidence += [chapter.cells[name].source for name in slide.get("code", ())]
    evidence += [chapter.equation(name, "")[0] for name in slide.get("equations", ())]
    if first:   # the chapter's own question
        evidence.append(next(cell.source for cell in chapter.cells.values() if cell.source.startswith("# ") and "·" in cell.source))
    return numbers(said(slide)) - numbers("\n".join(evidence))


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_slide_says_no_number_that_its_cells_do_not_print(number):
    chapter = slides.Chapter(number)
    assert [(n, slide["heading"], found) for n, slide in enumerate(slides.slides_of(number), 1)
            if (found := unprinted(chapter, slide, first=n == 1))] == []


@pytest.mark.parametrize("words", ["It is 6.58 times as long.", "After 1,234 steps.", "The rate is $\\alpha = 0.02$.", "By 0.123 %."])
def test_an_invented_number_is_noticed(words):
    chapter, slide = slides.Chapter(7), dict(slides.slides_of(7)[5])
    assert unprinted(chapter, slide) == set()
    assert unprinted(chapter, {**slide, "say": [words]}) != set()
    assert unprinted(chapter, {**slide, "notes": words}) != set()


def test_an_equation_that_was_renamed_is_noticed(monkeypatch):
    chapter = slides.Chapter(7)
    assert chapter.equation("7.8", "here")[0].startswith(r"\rho_t")
    monkeypatch.setattr(slides, "openings", lambda: {"7.8": slides.opening(slides.labelled()["7.2"])})
    assert slides.moved() == {"7.8": "7.2"}
    with pytest.raises(ValueError, match=r"here: \(7.8\) is another equation"):
        chapter.equation("7.8", "here")


def test_the_slides_follow_an_equation_that_was_renamed(monkeypatch, tmp_path):
    monkeypatch.setattr(slides, "DATA", tmp_path)
    monkeypatch.setattr(slides, "OPENINGS", tmp_path / "equations.toml")
    slides.openings.cache_clear()
    book = slides.labelled()
    slides.OPENINGS.write_text(f'"7.1" = {slides.json.dumps(slides.opening(book["7.2"]))}\n')   # what is (7.2) now was (7.1)
    (tmp_path / "07.toml").write_text('[[slide]]\nequations = ["b7-seen#2", "7.1", "7.8"]\n')
    assert slides.follow() == []
    shown = tomllib.loads((tmp_path / "07.toml").read_text())["slide"][0]["equations"]
    assert shown == ["b7-seen#2", "7.2", "7.8"]
    assert set(slides.openings()) == {"7.2", "7.8"}
    assert slides.follow() == [] and tomllib.loads((tmp_path / "07.toml").read_text())["slide"][0]["equations"] == shown
    slides.openings.cache_clear()


def test_names_that_are_not_there_are_named(tmp_path):
    with pytest.raises(ValueError, match="chapter = 99 has no slides; those with slides are 1, 2"):
        slides.write(tmp_path, [99])
    chapter = slides.Chapter(7)
    with pytest.raises(ValueError, match="slide 3: 'b7-nothing' is no cell of 07_bias_correction.ipynb"):
        chapter.named("cell", "b7-nothing", "slide 3")
    with pytest.raises(ValueError, match="has 1 displayed formulas"):
        chapter.equation("b7-patient#9", "slide 3")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    (folder / "mine.html").write_text("a file of the lecturer's")
    return folder, slides.write(folder, BUILT)


@pytest.fixture
def show(visit, built):
    """Opens a lecture from the disk."""
    def show(number, query="", **options):
        (page,) = [path for path in built[1] if path.name.startswith(f"{number:02}_")]
        page = visit(page.as_uri() + query, **options)
        page.wait_for_function("() => Reveal.isReady()")
        return page
    return show


def test_other_files_of_the_folder_stay_and_only_what_is_used_is_written(built):
    folder, made = built
    assert [path.name[:2] for path in made] == ["03", "07", "11"]
    assert (folder / "mine.html").read_text() == "a file of the lecturer's"
    assert "07_bias_correction.html" in (folder / "index.html").read_text()
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 12e6


# What of the current slide is beyond its edges, or a figure too small to be read from the last row.
CUT_OFF = """() => {
  const slide = Reveal.getCurrentSlide(), box = slide.getBoundingClientRect(), scale = box.height / 720;
  const out = [...slide.querySelectorAll("*")].filter(el => {
    if (el.closest("aside, .spoken, .descent-aloud, .descent-pad, .descent-handle") || el.closest("svg") && el.tagName != "svg"
        || !el.checkVisibility({ visibilityProperty: true })) return false;
    const at = el.getBoundingClientRect();
    return at.width && at.height && (at.right > box.right + 1 || at.left < box.left - 1 || at.top < box.top - 1
                                     || at.bottom > box.bottom - 12 * scale);
  }).map(el => el.outerHTML.slice(0, 120));
  for (const figure of slide.querySelectorAll(".descent > svg"))
    if (figure.checkVisibility() && figure.getBoundingClientRect().height < 230 * scale) out.push("a small figure");
  if (document.documentElement.scrollHeight > innerHeight + 1) out.push("the page scrolls");
  return out.length ? [Reveal.getIndices().h + 1 + ": " + out[0]] : [];
}"""


def slide_by_slide(page, what):
    found = []
    for n in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate("n => { Reveal.slide(n); for (const part of document.querySelectorAll('.fragment')) part.classList.add('visible'); }", n)
        found += page.evaluate(what)
    return found


@pytest.mark.browser
@pytest.mark.parametrize("number", BUILT)
def test_a_lecture_from_the_disk_is_quiet_and_nothing_is_cut_off(show, number):
    page = show(number, width=1280, height=720)
    assert 8 <= page.evaluate("Reveal.getTotalSlides()") <= 12
    assert pages.equations_not_set(page) == []
    assert page.evaluate("Reveal.getSlides().filter(slide => !Reveal.getSlideNotes(slide)).length") == 0
    assert slide_by_slide(page, CUT_OFF) == []
    pages.open_everything(page)
    assert slide_by_slide(page, CUT_OFF) == []
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert slide_by_slide(page, CUT_OFF) == []
    assert page.complaints == []


@pytest.mark.browser
def test_arrow_keys_in_a_slider_move_the_figure_and_escape_gives_them_back(show):
    page = show(11, width=1280, height=720)
    slider = page.locator("section.present input[type=range]").first
    before = slider.evaluate(pages.PICTURE)
    slider.focus()
    slider.press("ArrowRight")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert slider.evaluate(pages.PICTURE) != before
    assert page.evaluate("Reveal.getIndices().h") == 0
    page.reload()   # the address knows the slide, and the settings of its figure
    page.wait_for_function("() => Reveal.isReady()")
    pages.all_alive(page)
    assert page.evaluate("Reveal.getIndices().h") == 0 and slider.evaluate(pages.PICTURE) != before
    slider.focus()
    page.keyboard.press("Escape")
    assert not page.evaluate("Reveal.isOverview()")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getIndices().h") == 1
    page.keyboard.press("PageUp")
    assert page.evaluate("Reveal.getIndices().h") == 0
    slider.focus()
    page.keyboard.press("PageDown")   # a presenter's remote, wherever the last click was
    assert page.evaluate("Reveal.getIndices().h") == 1
    assert page.complaints == []


@pytest.mark.browser
def test_a_prediction_is_drawn_and_answered_on_a_slide(show):
    page = show(7, "#/6", width=1280, height=720)
    figure = page.locator("section.present .descent[data-predict=draw]")
    assert figure.get_attribute("data-waiting") is not None
    box = page.locator("section.present .descent-pad rect").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, y, steps=12)
    page.mouse.up()
    assert figure.get_attribute("data-waiting") is None
    assert "off by a factor" in figure.locator(".descent-reply").inner_text()
    assert page.evaluate("Reveal.getIndices().h") == 5
    # a space in a figure answers it, and does not turn the slide
    page.evaluate("Reveal.slide(0)")
    page.locator("section.present [data-choice]").first.focus()
    page.keyboard.press("Space")
    assert page.locator("section.present .descent").get_attribute("data-waiting") is None
    assert page.evaluate("Reveal.getIndices().h") == 0


@pytest.mark.browser
def test_on_paper_a_slide_is_a_page(show, tmp_path):
    import pypdfium2
    page = show(3, "?print-pdf")
    page.wait_for_selector("html.reveal-print, html.print-pdf")
    page.wait_for_function("() => document.querySelectorAll('.pdf-page').length == Reveal.getTotalSlides()")
    page.emulate_media(media="print")
    small = page.evaluate("""[...document.querySelectorAll(".descent > svg")].map(el => el.getBoundingClientRect().height)
        .filter(height => height < 230)""")
    assert small == []
    page.pdf(path=tmp_path / "slides.pdf", prefer_css_page_size=True, print_background=True)
    with pypdfium2.PdfDocument(tmp_path / "slides.pdf") as document:
        assert len(document) == len(slides.slides_of(3))
        assert "RMSprop" in document[4].get_textpage().get_text_range()
