"""A letter has the meaning that chapters/notation.md gives it: the page names every letter of every chapter, and no other."""

import re

import nbformat
from lxml.html import document_fromstring

import notebooks
from pages import PAGES

PAGE = notebooks.ROOT / "chapters" / "notation.md"
GREEK = dict(zip(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi varphi chi psi omega "
    "Gamma Delta Theta Lambda Pi Sigma Phi Psi Omega ell".split(), "αβγδεεζηθκλμνξπρστφφχψωΓΔΘΛΠΣΦΨΩℓ"))
# What is written in letters and is no letter: words, upright operators, names of environments, lengths.
WORDS = re.compile(
    r"\\begin\{array\}\{[^}]*\}|\\(?:begin|end|text|textbf|textit|mathrm|mathcal|operatorname\*?|tag|label|hspace)\s*\{[^}]*\}"
    r"|\\(?:mathrm|mathcal)\s*[A-Za-z]|\\\\\[[^\]]*\]")


def letters(formula):
    """The letters of a formula in their order, Greek ones too; hats, bars, primes and places (index or not) do not count."""
    return [letter or GREEK[command] for command, letter in re.findall(r"\\([A-Za-z]+)|([^\W\d_])", WORDS.sub(" ", formula))
            if letter or command in GREEK]


def formulas(text):
    """The mathematics of Markdown: $...$ and $$...$$ outside code; what a directive holds is text."""
    kept, fences = [], []
    for line in text.splitlines():
        fence = re.match(r"\s*(`{3,})(.*)", line)
        if fence and fences and fence[1] == fences[-1][0] and not fence[2]:
            fences.pop()
        elif fence:
            fences.append((fence[1], fence[2].startswith("{")))
        elif all(is_text for _, is_text in fences):
            kept.append(line)
    text = re.sub(r"`[^`\n]*`", "", "\n".join(kept))
    return [shown or inline for shown, inline in re.findall(r"\$\$(.+?)\$\$|\$([^$]+?)\$", text, re.S)]


def used(text):
    return set().union(*map(letters, formulas(text)))


def symbols(text):
    """The letter of each formula that stands for one symbol: θ of $\\theta_t$."""
    return [letters(formula)[0] for formula in formulas(text)]


def rows(text, heading):
    """The cells of the table's rows below a heading, without its head."""
    table = re.search(rf"^## {heading}$(?:\n(?!\|).*)*\n((?:\|.*\n)+)", text, re.M)[1]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()[2:]]


def promised(text):
    """{letter: chapters, or "all"} of the first table, {chapter: letters} of the second."""
    book, own = {}, {}
    for symbol, _, _, chapters in rows(text, "Symbols of the book"):
        for letter in symbols(symbol):
            found = "all" if chapters == "all" else {int(number) for number in chapters.split(",")}
            book[letter] = "all" if "all" in (found, book.get(letter)) else found | book.get(letter, set())
    for chapter, entries in rows(text, "Letters of one chapter"):
        number = int(re.search(r"\d+", chapter)[0])
        for entry in entries.split(";"):
            own.setdefault(number, []).extend(symbols(entry.partition(":")[0]))
    return book, own


def complaints(text, pages):
    """What is wrong with the notation `text` for {number of the chapter: its Markdown}."""
    book, own = promised(text)
    problems = [f"chapter {n} is in the notation and not in the book" for n in sorted(own.keys() - pages.keys())]
    for number, words in sorted(pages.items()):
        here, listed = used(words), set(own.get(number, ()))
        general = {letter for letter, chapters in book.items() if chapters == "all" or number in chapters}
        problems += [f"chapter {number} uses {letter}, which the notation does not explain" for letter in sorted(here - general - listed)]
        problems += [f"chapter {number} does not use {letter}, which the notation lists for it" for letter in sorted(listed - here)]
        problems += [f"chapter {number} does not use {letter}, and the notation's first table says so"
                     for letter in sorted(letter for letter in general - here if book[letter] != "all")]
        problems += [f"the notation lists {letter} twice for chapter {number}"
                     for letter in sorted(letter for letter in listed if own[number].count(letter) > 1)]
    return problems


def chapters():
    found = {}
    for path in notebooks.book_notebooks():
        if number := re.match(r"\d\d", path.name):
            found[int(number[0])] = "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells
                                                if cell.cell_type == "markdown")
    return found


def test_every_letter_of_every_chapter_is_explained_and_no_other():
    assert complaints(PAGE.read_text("utf-8"), chapters()) == []


# ---- the test of the test -------------------------------------------------

SMALL = """
## Symbols of the book

| symbol | in code | meaning | chapters |
|---|---|---|---|
| $\\theta_t$, $t$ | `theta` | the parameters | all |
| $q$ | | a ratio | 1 |

## Letters of one chapter

| chapter | its letters |
|---|---|
| [1](one.ipynb) | $c$, $r_k$: factors, $q$ of them; $k$: an age |
"""


def test_letters_are_read_without_words_decorations_and_code():
    assert letters(r"\begin{aligned} \hat{\bar m}_t' &= \mathrm E[\tilde x^2] \\[4pt] \text{if } \varepsilon \end{aligned}") == list("mtxε")
    assert letters(r"\frac{\mathrm du}{\mathrm dt} = \operatorname{Var}[\theta_{\max}] \sim \mathcal N(0, \ell)") == list("utθℓ")
    assert used("`$a$` costs $b$, \n$$ \\alpha \\\\ c $$ (1.1)\n and\n```\n$d$\n```\n```{exercise}\n$e$\n```\n$f$") == set("bαcef")


def test_a_letter_too_many_or_too_few_is_named():
    good = r"$\theta_t = q\,c\,r_k$"
    assert complaints(SMALL, {1: good}) == []
    assert complaints(SMALL, {1: good + r" and $\lambda$"}) == ["chapter 1 uses λ, which the notation does not explain"]
    assert complaints(SMALL, {1: good.replace("c", "")}) == ["chapter 1 does not use c, which the notation lists for it"]
    assert complaints(SMALL, {1: good.replace("q", "")}) == ["chapter 1 does not use q, and the notation's first table says so"]
    assert complaints(SMALL, {1: good, 2: "$q$"}) == ["chapter 2 uses q, which the notation does not explain"]
    assert complaints(SMALL, {2: ""})[0] == "chapter 1 is in the notation and not in the book"
    twice = SMALL.replace("$k$: an age", "$k$: an age; $c$: again")
    assert complaints(twice, {1: good}) == ["the notation lists c twice for chapter 1"]


# ---- the page is at hand --------------------------------------------------


def test_every_page_has_a_link_to_the_notation_beside_it(html):
    missed = []
    for name in set(PAGES) - {"chapters/notation.html"}:
        beside = document_fromstring((html / name).read_text("utf-8")).find_class("sidebar-secondary-item")
        links = [link for item in beside for link in item.iter("a") if link.text_content() == "Notation"]
        if not any(((html / name).parent / link.get("href")).resolve() == html / "chapters" / "notation.html" for link in links):
            missed.append(name)
    assert missed == []
