"""The whole book as one PDF with an outline: _build/pdf/rmsprop-and-adam.pdf.

    python book/pdf.py                       solutions in an appendix: `make pdf`
    python book/pdf.py --solutions in-place  each below its exercise
    python book/pdf.py --solutions none      a class sheet without them

Sphinx writes the book as one page (its singlehtml builder), so that links lead
to pages of the same document; Chromium prints that page, and qpdf packs the file.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pikepdf
from playwright.sync_api import sync_playwright

import withheld

ROOT = Path(__file__).resolve().parent.parent
PDF = Path("_build") / "pdf" / "rmsprop-and-adam.pdf"
PATIENCE = 300_000  # milliseconds, for the whole book

FOOTER = """<div style="width: 100%; text-align: center; font: 8px sans-serif">
<span class="pageNumber"></span></div>"""

# Runs in the page, before it is printed.
PREPARE = """async (solutions) => {
  // the theme repeats the contents above each part; they are no chapters of the outline
  document.querySelectorAll("p.caption[role=heading]").forEach((p) => p.removeAttribute("role"));
  const chapters = [...document.querySelectorAll("[id^='document-'] + section")];
  const appendix = document.createElement("section");
  appendix.className = "paper-solutions";
  appendix.innerHTML = "<h2>Solutions</h2>";
  for (const chapter of chapters) {
    const found = [...chapter.querySelectorAll(".solution")];
    if (solutions !== "appendix" || !found.length) continue;
    const heading = document.createElement("h3");
    heading.textContent = chapter.querySelector("h2").firstChild.textContent;
    found.forEach((solution) => solution.remove());
    appendix.append(heading, ...found);
  }
  if (solutions === "appendix")
    chapters.at(-1).closest(".toctree-wrapper").before(appendix);
  document.querySelectorAll(".toggle-hidden").forEach((el) => el.classList.remove("toggle-hidden"));
  document.querySelectorAll("details").forEach((el) => { el.open = true; });
}"""


def browser_path():
    """Chromium or Chrome, or what the variable CHROMIUM names."""
    names = ("chromium", "chromium-browser", "google-chrome",
             "google-chrome-stable")
    path = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, names)), None)
    if path is None:
        sys.exit("make pdf needs Chromium or Chrome: install one, or name it "
                 "in the variable CHROMIUM")
    return path


def build(folder):
    """The book as one HTML page; its path."""
    withheld.build(folder, "--builder", "singlehtml", "-q")
    return folder / "_build" / "singlehtml" / "index.html"


def opened(browser, page_path, solutions):
    """The page in a tab of the browser, ready to be printed."""
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(page_path.as_uri())
    page.emulate_media(media="print", color_scheme="light",
                       reduced_motion="reduce")
    page.evaluate(PREPARE, solutions)
    return page


def write(page, target):
    """Print an opened page into the file `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    page.pdf(path=target, prefer_css_page_size=True, tagged=True,
             outline=True, print_background=True,
             display_header_footer=True, header_template="<span></span>",
             footer_template=FOOTER)
    with pikepdf.open(target, allow_overwriting_input=True) as document:
        document.save(  # else 1.7 times as large
            target, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--solutions", default="appendix",
                        choices=["appendix", "in-place", "none"])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic",
                  "--no-first-run", "--disable-background-networking"])
        sources = ROOT
        if options.solutions == "none":
            sources = Path(scratch)
            withheld.write_sources(sources)
        write(opened(browser, build(sources), options.solutions), ROOT / PDF)
        browser.close()
    size = (ROOT / PDF).stat().st_size
    print(f"{PDF}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
