"""A chapter printed from the reader's browser: figures whole, folds open, black on white, fonts embedded.

The book as one PDF is in test_pdf.py.
"""

import pypdfium2
import pytest

from browsers import ENGINES
from test_pdf import embedded_fonts

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ENGINES, indirect=True)]

# Words at the upper and lower edge of every picture that moves, and at the end of every fold, to be found on paper.
MARK = """() => {
  const pictures = [...document.querySelectorAll("article .descent > svg")];
  const folds = [...document.querySelectorAll("article details:not(.hide)")].filter(el => !el.closest(".solution"));
  pictures.forEach((svg, k) => {
    const { x, y, width, height } = svg.viewBox.baseVal;
    for (const [word, at] of [["upper", y + 6], ["lower", y + height - 2]])
      svg.insertAdjacentHTML("beforeend", `<text x="${x + width / 2}" y="${at}" style="font: 5px sans-serif">${word}${k}qz</text>`);
  });
  folds.forEach((fold, k) => fold.insertAdjacentHTML("beforeend", `<p>fold${k}qz</p>`));
  return [pictures.length, folds.length];
}"""


def test_a_reader_prints_a_chapter_from_the_dark(visit, http_base, engine, tmp_path):
    page = visit(http_base + "chapters/08_adam_assembled_and_tested.html", theme="dark")
    pictures, folds = page.evaluate(MARK)
    assert pictures and folds
    backgrounds = {"print_background": True} if engine.name == "chromium" else {}   # else a dark page would look white
    (tmp_path / "page.pdf").write_bytes(page.pdf(**backgrounds))
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"   # again
    with pypdfium2.PdfDocument(tmp_path / "page.pdf") as document:
        texts = [sheet.get_textpage().get_text_range() for sheet in document]
        where = {word: [k for k, text in enumerate(texts) if word in text] for word in [
            *(f"{edge}{k}qz" for k in range(pictures) for edge in ("upper", "lower")),
            *(f"fold{k}qz" for k in range(folds))]}
        assert [word for word, sheets in where.items() if len(sheets) != 1] == []
        assert [k for k in range(pictures) if where[f"upper{k}qz"] != where[f"lower{k}qz"]] == []
        for number, sheet in enumerate(document, 1):
            pixels = sheet.render(scale=0.5, grayscale=True).to_numpy()   # at half size small print alone is not black
            assert (pixels > 230).mean() > 0.5 and (pixels < 128).any(), f"sheet {number}"
    fonts = embedded_fonts(tmp_path / "page.pdf")
    assert fonts and all(fonts.values()), fonts
    assert page.complaints == []
