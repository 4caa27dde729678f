"""Equations, drawn in the build: the drawing itself, what every page of the book holds, and what a reader can do."""

import gzip
import pickle
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from lxml.html import document_fromstring, tostring

import equations
from browsers import ENGINES
from conftest import ROOT
from pages import PAGES, all_alive, open_everything

CHAPTER = "chapters/07_bias_correction.html"


@pytest.fixture(scope="module", autouse=True)
def v8():
    yield
    equations.close(None, None)


# ---- the drawing ----------------------------------------------------------

FORMULAS = [
    r"\hat m_t",
    r"\theta_t = \theta_{t-1} - \alpha\,\frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon}",
    r"\sqrt{1 + \sqrt{\frac{a}{\sqrt{\frac{b}{c}}}}}",                                # a root that is built of pieces
    r"\left(\left[\left\{\frac{\frac{\frac a b}{c}}{\frac{d}{\frac e f}}\right\}\right]\right)",
    r"\underbrace{a + b + c + d + e + f}_{\text{six}} \overline{xyz} \widehat{abc}",
    r"f(x) = \begin{cases} 1 & x < 0 \\ \begin{matrix} a & b \\ c & d \\ e & f \\ g & h \end{matrix} & x \ge 0 \end{cases}",
    r"\begin{aligned} a &= b \\ &= \sum_{k=0}^{t-1} \beta_1^k \, g_{t-k} \end{aligned}",
    r"\lVert x \rVert \mathbf{x} \mathcal{L} \mathbb{R} \operatorname{sign} \binom n k \xrightarrow{n\to\infty}",
]


def points(path):
    """The subpaths of a drawing as lists of points, curves by their control points."""
    paths, at = [], (0, 0)
    for letter, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        values = [float(x) for x in re.findall(r"-?\d+", numbers)]
        if letter in "Mm":
            origin = at if letter == "m" else (0, 0)
            paths.append([])
            values = [values[0] + origin[0], values[1] + origin[1]]
        elif letter == "h":
            values = [at[0] + values[0], at[1]]
        elif letter == "v":
            values = [at[0], at[1] + values[0]]
        elif letter == "z":
            at = paths[-1][0]
            continue
        else:
            values = [v + at[k % 2] for k, v in enumerate(values)]
        paths[-1] += zip(values[::2], values[1::2])
        at = tuple(values[-2:])
    return paths


def area(path):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(path, path[1:] + path[:1])) / 2


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("tex", FORMULAS)
def test_a_formula_is_one_path_within_its_box(tex, display):
    drawn = equations.draw(tex, display)
    assert re.fullmatch(r"-?\d+( -?\d+){3}", drawn["box"]), "Firefox reads numbers apart only by spaces"
    left, top, width, height = map(int, drawn["box"].split())
    assert re.fullmatch(r"(M-?\d+[ -][^M]*)+", drawn["path"])
    inked = [p for path in points(drawn["path"]) for p in path]
    beyond = 90   # thousandths: a hook or an accent may hang over
    assert all(left - beyond <= x <= left + width + beyond for x, y in inked)
    assert all(top - beyond <= y <= top + height + beyond for x, y in inked)
    assert max(x for x, y in inked) > .8 * width
    assert float(drawn["width"].removesuffix("ex")) == pytest.approx(width / 442, rel=.01)   # MathJax's x is 442 high


def test_strokes_that_meet_do_not_cut_each_other_out():
    *_, rule = points(equations.draw(r"\sqrt{x}")["path"])
    letter, = points(equations.draw("l")["path"])
    assert len(rule) == 4
    assert area(rule) * area(letter) > 0


def test_a_stretched_piece_is_cut_to_its_place():
    """MathJax stretches the middle of a fence too far and clips it."""
    tall = equations.draw(r"\left|\begin{matrix} 1\\2\\3\\4\\5\\6\\7\\8 \end{matrix}\right.", True)
    left, top, width, height = map(int, tall["box"].split())
    bars = [path for path in points(tall["path"]) if min(x for x, y in path) < 300]
    assert max(abs(a[1] - b[1]) for path in bars for a in path for b in path) <= height


@pytest.mark.parametrize("tex, why", [
    (r"\frac{1}{\nosuch}", r"Undefined control sequence \nosuch"),
    (r"\frac{1", "Missing close brace"),
    (r"a \\ \end{aligned}", r"Missing \begin{aligned}"),
    (r"\text{schön}", "<text>"),      # a glyph from the reader's own font
])
def test_what_cannot_be_drawn_says_why(tex, why):
    with pytest.raises(equations.NotDrawn, match=re.escape(why)):
        equations.draw(tex, True)


@pytest.mark.parametrize("tex, split", [
    (r"a \\ b", True),
    (r"a &= b \\ &= \begin{cases} c \\ d \end{cases}", True),
    (r"\begin{aligned} a \\ b \end{aligned}", False),
    (r"\begin{align*} a \\ \begin{matrix} c \\ d \end{matrix} \end{align*} % \\", False),
    (r"f = \begin{cases} a \\ b \end{cases}", False),
])
def test_lines_outside_of_an_environment_are_aligned(tex, split):
    assert equations.lines(tex) == (rf"\begin{{split}}{tex}\end{{split}}" if split else tex)
    equations.draw(equations.lines(tex), True)


@pytest.mark.parametrize("tex, mathml", [
    (r"\hat m_t", "<msub><mover><mi>m</mi><mo>^</mo></mover><mi>t</mi></msub>"),
    (r"\frac{a+b}{\,}\quad c", "<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mrow></mrow></mfrac><mi>c</mi>"),
    (r"\sqrt{x < y}", "<msqrt><mi>x</mi><mo>&#60;</mo><mi>y</mi></msqrt>"),
    (r"\mathbf x", '<mi mathvariant="bold">x</mi>'),
    (r"\mathcal L", '<mi mathvariant="script">L</mi>'),
    (r"\left. x \right|_{t=0}", "<msub><mrow><mi>x</mi><mo>|</mo></mrow><mrow><mi>t</mi><mo>=</mo><mn>0</mn></mrow></msub>"),
    (r"\binom n k", '<mo>(</mo><mfrac linethickness="0"><mi>n</mi><mi>k</mi></mfrac><mo>)</mo>'),
    (r"\text{if }x", "<mtext>if\u00a0</mtext><mi>x</mi>"),
])
def test_mathml_is_what_is_to_be_heard(tex, mathml):
    assert equations.draw(tex)["mathml"] == f"<math>{mathml}</math>"


@pytest.mark.parametrize("text, bound", [
    ("so $x$ is", "so [x] is"),
    ("so ($x$, $y$), and", "so [(x,] [y),] and"),
    ("the $n$th of $a$/$b$.", "the [nth] of [a/b.]"),
    ("$x$-axis, step-$y$, 1–$z$", "[x-]axis, step-[y,] 1–[z]"),
    ("**$x$**, then *a $y$ b*!", "[x,] then a [y] b!"),
])
def test_a_formula_and_what_touches_it_stay_on_a_line(text, bound):
    def parse(text):
        for strong, em, math, plain in re.findall(r"\*\*(.*?)\*\*|\*(.*?)\*|\$(.*?)\$|([^*$]+)", text):
            yield (nodes.strong("", "", *parse(strong)) if strong else nodes.emphasis("", "", *parse(em)) if em
                   else nodes.math("", math) if math else nodes.Text(plain))

    def shown(node):
        if isinstance(node, nodes.Text):
            return str(node)
        inner = "".join(map(shown, node))
        return f"[{inner}]" if "together" in node["classes"] or isinstance(node, nodes.math) and not bonds(node) else inner

    def bonds(node):
        return node.parent and ("together" in node.get("classes", []) or bonds(node.parent))

    paragraph = nodes.paragraph("", "", *parse(text))
    for parent in dict.fromkeys(equations.outermost(node).parent for node in paragraph.findall(nodes.math)):
        parent[:] = equations.kept_together(parent)
    assert shown(paragraph) == bound


# ---- the build ------------------------------------------------------------

@pytest.fixture
def build(tmp_path):
    """Builds one page of Markdown; (exit code, what it said, its HTML)."""
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT / 'book' / 'extensions')!r})\n"
        "extensions = ['myst_parser', 'equation_names', 'equations']\n"
        "html_math_renderer, math_numfig, myst_enable_extensions = 'drawn', False, ['dollarmath', 'amsmath']\n"
        f"html_static_path = [{str(ROOT / 'book' / '_static')!r}]\n")

    def build(text, builder="html"):
        (tmp_path / "index.md").write_text("# Page\n\n" + text)
        done = subprocess.run([sys.executable, "-m", "sphinx", "-b", builder, "-q", ".", builder], cwd=tmp_path,
                              capture_output=True, text=True, timeout=120)
        page = tmp_path / builder / "index.html"
        return done.returncode, done.stderr, page.read_text() if page.exists() else None
    return build


def test_formulas_that_cannot_be_drawn_fail_the_build_by_name(build):
    code, said, page = build("$a$ and $\\nosuch{b}$\n\n$$ x \\\\ \\text{für} $$\n")
    assert code != 0
    assert re.search(r"index\.md:3: ERROR: formula not drawn: \\nosuch\{b\}: Undefined control sequence", said)
    assert re.search(r"formula not drawn: x \\\\ \\text\{für\}: a <text>", said)
    assert page is None, "a page that is there would not be written again"


@pytest.mark.parametrize("builder", ["html", "singlehtml"])
def test_names_links_captions_and_every_kind_of_formula(build, builder):
    code, said, page = build(r"""
## Heading with $\alpha$

$$ a &= b \\ &= c < d  % a comment
   + e $$ (A3)

See {eq}`A3` and [$x$](https://example.org), **$y$**.

\begin{align} u &= v \\ &= w \end{align}

```{list-table} Title with $s$
* - cell $r$
```
""", builder)
    assert (code, said) == (0, "")
    soup = BeautifulSoup(page, "html.parser").find(role="main")
    formulas = soup.select(".math[data-tex]")
    assert Counter(el["data-tex"] for el in formulas) == Counter([
        r"\alpha", "a &= b \\\\ &= c < d  % a comment\n   + e", "x", "y",
        r"\begin{align} u &= v \\ &= w \end{align}", "s", "r"])
    assert all(el.select("svg > path") and el.select(".spoken > math") for el in formulas)
    named = soup.find(id="equation-a3")
    assert named.find(class_="eqno").get_text().startswith("(A3)")
    assert named.select_one(".eqno a.headerlink")["href"].endswith("#equation-a3")
    assert [a.get_text() for a in soup.select("a.reference.internal") if a["href"].endswith("#equation-a3")] == ["(A3)"]


# ---- the book -------------------------------------------------------------

@pytest.mark.parametrize("name", PAGES)
def test_every_formula_of_the_source_is_drawn_on_its_page_and_weighs_little(html, name):
    tree = pickle.loads((html.parent / ".doctrees" / name.replace(".html", ".doctree")).read_bytes())
    source = Counter(node.astext().strip() for kind in (nodes.math, nodes.math_block) for node in tree.findall(kind))
    text = (html / name).read_text("utf-8")
    page = document_fromstring(text)
    article = page.find(".//article")
    assert Counter(el.get("data-tex") for el in article.find_class("math")) == source
    formulas = page.find_class("math")
    for el in formulas:
        drawings, mathml = el.findall(".//svg"), el.findall(".//*[@class='spoken']/math")
        assert len(drawings) == len(mathml) == 1, el.get("data-tex")
        assert [child.tag for child in drawings[0].iterdescendants()] == ["path"]
        assert drawings[0][0].get("d").startswith("M") and drawings[0].get("aria-hidden") == "true"
        assert mathml[0].text_content()
    for node in tree.findall(nodes.math_block):
        if label := node.get("label"):
            named = article.get_element_by_id(nodes.make_id(f"equation-{label}"))
            assert named.find(".//*[@class='eqno']").text == f"({label})"
    assert not re.search("MathJax|mathjax/|mjx-", text)
    whole = len(gzip.compress(tostring(page)))
    for el in formulas:
        el.drop_tree()
    assert whole - len(gzip.compress(tostring(page))) <= 125_000, "bytes that formulas add to the page as it is sent"


def test_no_mathjax_is_published(html):
    published = [path for path in html.rglob("*") if path.relative_to(html).parts[0] != "run"]   # JupyterLab has its own
    assert len(published) > 100
    assert [path for path in published if re.search("mathjax|mml-svg", path.name, re.I)] == []


def test_what_describes_a_page_holds_no_tex(html):
    for name in PAGES:
        head = document_fromstring((html / name).read_text("utf-8").partition("</head>")[0])
        described = [meta.get("content") for meta in head.findall(".//meta[@content]")]
        assert len(described) > 3
        for text in described:
            assert not re.search(r"\\[a-z,]|\$|[_^]\{|<", text), (name, text)
        assert not re.search(r"\\[a-z]|\$", head.findtext(".//title"))


def test_a_search_finds_words_and_no_mathml(html):
    index = (html / "searchindex.js").read_text("utf-8")
    assert not re.search(r'"(mfrac|msub|msup|mrow|mathvariant|nobreak)"', index)
    assert '"beta"' in index or "beta:" in index


# ---- the reader -----------------------------------------------------------

def in_browsers(test, engines=tuple(ENGINES)):
    return pytest.mark.browser(pytest.mark.parametrize("engine", engines, indirect=True)(test))


def in_chromium(test):
    return in_browsers(test, ["chromium"])


# Where each formula that can be seen stands in its block, and how large it is.
PLACES = """() => [...document.querySelectorAll("article .math")].map(el => {
    if (!el.checkVisibility({visibilityProperty: true})) return null;
    const box = el.querySelector("svg").getBoundingClientRect(), block = el.closest("p, li, td, th, dd, dt, h1, h2, h3, div").getBoundingClientRect();
    return [box.x - block.x, box.y - block.y, box.width, box.height];
})"""


def chapter_in(width, height):
    """The chapter, opened once for all tests; as it is read, before any script that waits for it, it notes PLACES."""
    @pytest.fixture(scope="module")
    def chapter(engine, http_base):
        page = engine.new_page(width=width, height=height, init=f"""document.addEventListener("readystatechange", () => {{
            if (document.readyState === "interactive") window.first = ({PLACES})();
        }})""")
        page.goto(http_base + CHAPTER)
        all_alive(page)
        yield page
        page.close()
    return chapter


phone, window = chapter_in(390, 844), chapter_in(1280, 800)


def assert_nothing_moves(page):
    page.wait_for_timeout(300)   # what comes late
    first, last = page.evaluate("first"), page.evaluate(PLACES)
    pairs = [pair for pair in zip(first, last, strict=True) if None not in pair]
    assert len(pairs) > 50
    assert [pair for pair in pairs if pair[0] != pytest.approx(pair[1], abs=0.5)] == []


@in_browsers
def test_no_formula_moves_in_its_text_while_a_page_loads(phone):
    assert_nothing_moves(phone)


@in_chromium
def test_no_formula_moves_in_a_wide_window_either(window):
    assert_nothing_moves(window)


@in_browsers
def test_a_formula_has_the_colour_of_its_text_and_stands_on_its_line(phone):
    open_everything(phone)
    colours = {}
    for theme in "dark", "light":
        phone.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        found = phone.evaluate("""() => [...document.querySelectorAll("article .math")].map(el => {
            const svg = el.querySelector("svg"), box = svg.getBoundingClientRect(), ex = parseFloat(svg.getAttribute("height"));
            return {tex: el.dataset.tex, fill: getComputedStyle(svg.firstChild).fill, color: getComputedStyle(el.parentElement).color,
                    em: parseFloat(getComputedStyle(el).fontSize), height: box.height, ex, width: box.width,
                    wide: parseFloat(svg.getAttribute("width"))};
        })""")
        assert len(found) > 100
        colours[theme] = {formula["color"] for formula in found}
        for formula in found:
            assert formula["fill"] == formula["color"], formula
            ex = formula["height"] / formula["ex"]
            assert .4 < ex / formula["em"] < .6, formula
            assert formula["width"] / formula["wide"] == pytest.approx(ex, rel=.01), formula
    assert not colours["dark"] & colours["light"]


# Pieces whose text does not share a line with their formula.
TORN = """() => [...document.querySelectorAll(".together")].filter(el => el.checkVisibility()).filter(el => {
    const formula = el.querySelector("svg").getBoundingClientRect(), range = document.createRange();
    return [...el.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).some(node => {
        range.selectNodeContents(node);
        const text = range.getBoundingClientRect();
        return text.top > formula.bottom || text.bottom < formula.top || range.getClientRects().length > 1;
    });
}).map(el => el.textContent)"""


@in_browsers
def test_no_line_ends_between_a_formula_and_its_comma(phone):
    open_everything(phone)
    assert phone.evaluate("document.querySelectorAll('.together').length") > 40
    for width in 700, 320, 360, 390:
        phone.set_viewport_size({"width": width, "height": 844})
        assert phone.evaluate(TORN) == [], f"{width} pixels"


@in_browsers
def test_a_wide_formula_scrolls_by_keyboard_where_it_must(phone):
    formula = "document.querySelector('div.formula[tabindex]')"
    shaded = f"getComputedStyle({formula}).backgroundImage !== 'none'"

    def soon(state):
        phone.wait_for_function(f"() => {state}", timeout=60_000)

    open_everything(phone)
    phone.set_viewport_size({"width": 390, "height": 844})
    soon("[...document.querySelectorAll('div.formula, span.math.long')].every(el => (el.tabIndex === 0) === (el.scrollWidth > el.clientWidth))")
    boxes = phone.evaluate("""() => [...document.querySelectorAll("div.formula, span.math.long")].map(el => ({
        wide: el.scrollWidth > el.clientWidth, high: el.scrollHeight > el.clientHeight,
        role: el.getAttribute("role"), label: el.getAttribute("aria-label")}))""")
    assert len([box for box in boxes if box["wide"]]) >= 2
    for box in boxes:
        assert not box["high"], "a formula is cut off at its foot, or scrolls up and down"
        assert box["role"] == ("group" if box["wide"] else None)
        assert bool(box["label"]) == box["wide"]
    assert any(re.fullmatch(r"Equation \(7\.\d+\)", box["label"] or "") for box in boxes)
    soon(shaded)   # there is more
    for _ in range(4):
        phone.locator("div.formula[tabindex]").first.press("ArrowRight")
    soon(f"{formula}.scrollLeft > 10")
    phone.evaluate(f"{formula}.scrollLeft = 9999")
    soon(f"!({shaded})")
    phone.evaluate(f"{formula}.scrollLeft = 0")
    soon(shaded)
    phone.set_viewport_size({"width": 1280, "height": 900})
    soon("[...document.querySelectorAll('.formula[tabindex]')].every(el => el.scrollWidth > el.clientWidth)")


# Selects from inside an element to inside another, and copies.
COPY = """([from, to]) => new Promise((resolve, reject) => {
    const range = document.createRange(), find = path => path.split(" >> ").reduce(
        (el, part) => part === "previous" ? el.previousElementSibling : el.querySelector(part), document);
    range.setStart(find(from), 0);
    range.setEnd(find(to), find(to).childNodes.length);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const event = new ClipboardEvent("copy", {clipboardData: new DataTransfer(), bubbles: true, cancelable: true});
    find(from).dispatchEvent(event);
    resolve({plain: event.clipboardData.getData("text/plain"), html: event.clipboardData.getData("text/html"),
             taken: event.defaultPrevented, selected: getSelection().toString(),
             left: document.body.lastElementChild.style.left});
})"""


@in_browsers
def test_what_is_copied_holds_the_tex(phone):
    page = phone
    page.evaluate("""() => {
        const formula = document.querySelector("article p span.math"), named = document.querySelector("article div.math[id]");
        formula.id = "inline";
        formula.closest("p").id = "paragraph";
        named.classList.add("named");
        [...document.querySelectorAll("article p")].find(p => !p.querySelector(".math") && p.innerText).id = "words";
    }""")
    tex = page.evaluate("document.querySelector('#inline').dataset.tex")
    copied = page.evaluate(COPY, ["#paragraph", "#paragraph"])
    formulas = page.evaluate("[...document.querySelectorAll('#paragraph .math')].map(el => el.dataset.tex)")
    at = [copied["plain"].find(f"${one}$") for one in formulas]
    assert copied["taken"] and at == sorted(at) and -1 not in at
    assert "\n" not in copied["plain"] and "<math" not in copied["html"] and f"${tex}$" in copied["html"]
    assert copied["left"] != "-9999px", "the copy stays in the page"

    named = page.evaluate("[document.querySelector('.named').dataset.tex, document.querySelector('.named .eqno').firstChild.data]")
    copied = page.evaluate(COPY, [".named", ".named"])
    assert copied["plain"] == f"$$\n{named[0]}\n$$ {named[1]}"
    copied = page.evaluate(COPY, ["#inline math", "#inline math"])       # a part of a formula is the whole
    assert copied["plain"] == f"${tex}$"
    copied = page.evaluate(COPY, ["#words", "#words"])                   # words are the browser's own matter
    assert not copied["taken"]
    copied = page.evaluate(COPY, ["article h1", ".named"])
    assert f"${tex}$" in copied["plain"] and copied["plain"].endswith(f"\n$$\n{named[0]}\n$$ {named[1]}")


@in_chromium
def test_search_results_quote_formulas_as_tex(engine, visit, http_base):
    page = visit(http_base + "search.html")
    text = page.evaluate("""() => Search.htmlToText('<div role="main"><p>From <span class="math" data-tex="\\\\beta_1">'
        + '<span class="spoken"><math><mi>b</mi></math></span></span> on.</p></div>')""")
    assert " ".join(text.split()) == r"From $\beta_1$ on."


@in_chromium
def test_a_screen_reader_is_told_every_formula_that_can_be_seen_and_no_other(window):
    session = window.context.new_cdp_session(window)

    def told():
        """{role: what is said for each node of this role}"""
        said = defaultdict(list)
        for node in session.send("Accessibility.getFullAXTree")["nodes"]:
            if not node["ignored"]:
                said[node["role"]["value"]].append(node["name"]["value"])
        return said

    def seen():
        return window.evaluate("""[...document.querySelectorAll(".math")].filter(el => el.checkVisibility({visibilityProperty: true})
            && !el.closest(".toggle-hidden > :not(.admonition-title)")).length""")

    folded = told()
    assert {"m", "v", "β"} <= set(folded["StaticText"]), "letters as they are, which every voice knows"
    assert len(folded["MathMLMath"]) == seen()
    open_everything(window)
    everything = window.evaluate("document.querySelectorAll('.math').length")
    assert len(told()["MathMLMath"]) == seen() == everything > len(folded["MathMLMath"])


@in_chromium
def test_formulas_cost_less_than_the_rest_of_a_page(engine, http_base, html):
    """The main thread's own time at load, side by side with the same page without its formulas; and its size."""
    def cost(bare):
        context = engine.browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        if bare:
            page.route("**/" + CHAPTER, lambda route: route.fulfill(body=without, content_type="text/html; charset=utf-8"))
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(http_base + CHAPTER)
        all_alive(page)
        page.wait_for_timeout(300)   # what comes late
        page.evaluate("() => new Promise(requestIdleCallback)")
        metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
        context.close()
        return metrics["TaskDuration"], metrics["Nodes"]

    soup = BeautifulSoup((html / CHAPTER).read_text("utf-8"), "lxml")
    for el in soup.select(".math"):
        el.decompose()
    without = str(soup)
    (full, nodes), (bare, others) = (min(cost(part) for _ in range(2)) for part in (False, True))
    print(f"{full / bare:.2f} times the page without formulas; {nodes:.0f} nodes, {others:.0f} without")
    assert full / bare <= 1.8
    assert 1_000 < nodes - others <= 8_000
