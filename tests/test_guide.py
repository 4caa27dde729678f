"""The guide: one sheet of paper, a trouble in each row, and evidence that is there."""

import ast
import os
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pypdfium2
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
PAGE = "chapters/guide.html"
TROUBLES = ["NaN", "Spikes", "Crawls after a plateau", "floor that does not fall", "Works in PyTorch, not in Keras",
            "bfloat16 stands still", "200 steps", "Batch of one", "Rare classes", "λ copied from a paper"]


@pytest.fixture(scope="module")
def soup(html):
    return BeautifulSoup((html / PAGE).read_text("utf-8"), "lxml")


@pytest.fixture(scope="module")
def page_of(html):
    """The page a link of the guide leads to, parsed; each once."""
    parsed = {}

    def find(href):
        name = href.partition("#")[0] or "guide.html"
        if name not in parsed:
            parsed[name] = BeautifulSoup((html / "chapters" / name).read_text("utf-8"), "lxml")
        return parsed[name]
    return find


def rows(soup, kind):
    return [row.find_all("td") for row in soup.select(f"table.guide-{kind} tbody tr")]


def test_the_guide_is_the_first_page_after_the_opening():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    assert toc["parts"][0]["chapters"][0]["file"] == "chapters/guide"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_trouble_has_a_row_of_its_own(soup, trouble):
    assert len([cells for cells in rows(soup, "trouble") if trouble in cells[0].get_text()]) == 1


def lines():
    return re.search(r"```python\n(.*?)```", (ROOT / "chapters" / "guide.md").read_text("utf-8"), re.S)[1]


def test_the_lines_raise_and_lower_the_rate_as_chapter_12_does():
    T, W = 255, 26
    rate = next(node for node in ast.walk(ast.parse(lines())) if isinstance(node, ast.Lambda))
    plan = eval(ast.unparse(rate), {"T": T, "W": W})   # its t counts the steps that are done
    t = np.arange(1, T + 1)
    assert np.allclose([plan(done) for done in range(T)], np.minimum(np.minimum(1, t / W), (T + 1 - t) / (T - W)))


def test_the_lines_run_in_pytorch():
    if os.environ.get("FRAMEWORKS") != "required":
        pytest.importorskip("torch", reason="torch is not installed: the lines are read, not run")
    import torch
    model, T, W = torch.nn.Linear(3, 2).double(), 20, 4
    space = {"AdamW": torch.optim.AdamW, "LambdaLR": torch.optim.lr_scheduler.LambdaLR, "T": T, "W": W, "model": model,
             "clip_grad_norm_": torch.nn.utils.clip_grad_norm_, "matrices": [model.weight], "norms_and_biases": [model.bias]}
    made, step = lines().split("# T steps")
    exec(made, space)
    rates = []
    for _ in range(T):
        space["opt"].zero_grad()
        (1e3 * model(torch.ones(3).double()).square().sum()).backward()
        rates.append(space["opt"].param_groups[0]["lr"])
        exec("#" + step, space)
        assert space["norm"] > 1 >= sum(p.grad.square().sum() for p in model.parameters()).sqrt() - 1e-6
    assert rates[0] == pytest.approx(1e-3 / W) and max(rates) == rates[W - 1] == 1e-3
    assert rates[-1] == pytest.approx(1e-3 / (T - W)) and space["opt"].param_groups[0]["lr"] == 0
    assert [group["weight_decay"] for group in space["opt"].param_groups] == [0.01, 0]


def test_every_row_is_complete(soup):
    for kind, number in (("start", 8), ("budget", 4), ("trouble", len(TROUBLES))):
        found = rows(soup, kind)
        assert len(found) >= number
        assert [cells for cells in found for cell in cells if not cell.get_text(strip=True)] == []


def test_every_trouble_has_evidence_that_is_there(soup, page_of):
    for cells in rows(soup, "trouble"):
        links = cells[-1].select("a[href]")
        assert links, cells[0].get_text()
        for link in links:
            target = unquote(link["href"].partition("#")[2])
            assert target, f"{link['href']} leads to a page, not to its place"
            assert page_of(link["href"]).find(id=target), link["href"]


# A number as a page prints it: neither an exponent nor its base, nor the name of an equation.
NUMBER = re.compile(r"(?<![\w.(·⁻-])\d[\d,]*(?:\.\d+)?(?![\w.)·]|⁻)")


@pytest.mark.parametrize("kind", ["budget", "trouble"])
def test_a_number_stands_in_a_page_that_its_row_links_to(soup, page_of, kind):
    missing = []
    for cells in rows(soup, kind):
        said = " ".join(cell.get_text(" ") for cell in cells[1:])
        pages = [page_of(link["href"]).get_text(" ").replace(",", "").replace("\u2009", "")
                 for cell in cells for link in cell.select("a[href]")]
        for number in NUMBER.findall(re.sub(r"\([A-Z]?[\d.]+\)|Exercise \d+|float\d+", "", said)):
            plain = re.escape(number.replace(",", ""))
            if not any(re.search(rf"(?<![\d.]){plain}(?![\d.]*\d)", text) for text in pages):
                missing.append((cells[0].get_text(), number))
    assert missing == []


@pytest.mark.browser
def test_it_is_one_sheet_of_paper_that_can_be_read(visit, http_base):
    page = visit(http_base + PAGE, theme="dark")
    for paper in "A4", "Letter":
        with pypdfium2.PdfDocument(page.pdf(format=paper)) as document:
            assert len(document) == 1, paper
            text = document[0].get_textpage().get_text_range()
        assert "The guide" in text and "Karpathy" in text, paper
    page.emulate_media(media="print")
    smallest = page.evaluate("""() => Math.min(...[...document.querySelectorAll("article :is(p, td, pre)")]
        .filter(el => el.checkVisibility()).map(el => parseFloat(getComputedStyle(el).fontSize)))""")
    assert 7 * 96 / 72 <= smallest < 100   # seven points
    assert page.complaints == []


@pytest.mark.browser
def test_a_phone_shows_the_rows_as_cards(visit, http_base):
    page = visit(http_base + PAGE, width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate("""() => [...document.querySelectorAll("table.guide td")]
        .filter(el => el.scrollWidth > el.clientWidth + 1 || el.getBoundingClientRect().right > innerWidth)
        .map(el => el.textContent)""")
    assert wide == []
    assert page.evaluate("""() => [...document.querySelectorAll("table.guide tbody tr")].every(row =>
        [...row.children].every((cell, k, all) => !k || cell.getBoundingClientRect().top >= all[k - 1].getBoundingClientRect().bottom - 1))""")
