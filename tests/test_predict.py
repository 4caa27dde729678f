"""Questions without a browser: what is asked for, what is stored, what is refused."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from descent.figures.explore import decode, explore
from descent.figures.plots import use_style
from descent.figures.predict import ask, draw

T = np.arange(1.0, 31)
TWO = ["left", "right"]


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context():
        use_style()
        yield
    plt.close("all")


def climb(y=1 - 0.9**T, **axes):
    fig, ax = plt.subplots()
    (line,) = ax.plot(T, y, label="climb")
    ax.set(**axes)
    return fig, ax, line


def figure(fig, line, **options):
    return explore(fig, {}, {}, **{"alt": "a climb", "predict": draw(line, "Draw it.")} | options)


# --- what is drawn


def test_what_is_compared_is_the_lines_own_data():
    fig, ax, line = climb(ylim=(0, 2))
    spec = decode(figure(fig, line))
    assert spec["draw"]["truth"] == pytest.approx(1 - 0.9**T, rel=1e-6)
    assert (spec["draw"]["low"], spec["draw"]["high"], spec["draw"]["log"]) == (0, 2, 0)


def test_on_a_logarithmic_axis_logarithms_are_compared():
    fig, ax, line = climb(yscale="log", ylim=(0.01, 100))
    spec = decode(figure(fig, line))["draw"]
    assert spec["truth"] == pytest.approx(np.log10(1 - 0.9**T), rel=1e-6)
    assert (spec["low"], spec["high"], spec["log"]) == (-2, 2, 1)


def test_heights_beyond_the_axes_count_as_their_edge_and_gaps_do_not_count():
    y = T.copy()
    y[3] = np.nan
    fig, ax, line = climb(y, ylim=(5, 20))
    truth = decode(figure(fig, line))["draw"]["truth"]
    assert truth[3] is None and truth[0] == 5 and truth[-1] == 20 and truth[9] == 10


def test_abscissas_outside_the_picture_do_not_count():
    fig, ax, line = climb(xlim=(5, 10))
    spec = decode(figure(fig, line))["draw"]
    assert [i for i, v in enumerate(spec["truth"]) if v is not None] == list(range(4, 10))
    assert spec["knobs"][0] == 4 and spec["knobs"][-1] == 9


def test_a_line_that_moves_is_asked_for_at_the_start():
    fig, ax, line = climb()
    y = np.array([0.5, 0.9])[:, None] ** T
    spec = decode(explore(fig, {"β": [0.5, 0.9]}, {line: y}, alt="a fall", start={"β": 0.5}, predict=draw(line, "Draw it.")))
    assert spec["draw"]["truth"] == pytest.approx(y[0], rel=1e-6)
    assert len(spec["artists"]) == 1


def test_knobs_are_on_the_lines_points_evenly_over_the_axis():
    fig, ax = plt.subplots()
    x = np.arange(1.0, 1001)
    (line,) = ax.semilogx(x, x)
    knobs = decode(figure(fig, line))["draw"]["knobs"]
    assert len(knobs) == 7 and np.diff(np.log10(x[knobs])) == pytest.approx(0.5, abs=0.06)


def test_hidden_artists_are_marked_in_the_drawing_and_nothing_else_is():
    fig, ax, line = climb()
    bars, legend, note = ax.bar([1, 2], [1, 1]), ax.legend(), ax.text(3, 0.5, "note")
    ax.text(3, 0.8, "seen")
    svg = decode(figure(fig, line, hidden=[bars, legend, note]))["svg"]
    assert svg.count('class="descent-hidden"') == 5, "the line, two bars, the legend, a note"


def test_summary_tells_the_question_and_its_answer():
    fig, ax, line = climb()
    assert repr(figure(fig, line, predict=draw(line, "Draw it.", "It climbs."))).endswith("\n  draw climb: Draw it. It climbs.")
    assert repr(ask("Where?", TWO, right="left", says="There.")) == "Where? (left / right) left. There."
    assert repr(ask("How far?", unit="m", right=-2.5)) == "How far? (a number of m) −2.5 m."
    assert repr(ask("Where?", TWO, says={"right": "no", "left": "yes"})) == "Where? (left / right) left: yes right: no"


def test_a_question_in_a_cell_is_html_and_text():
    data, _ = ask("Where <is> it?", TWO, says="There & then.")._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert data["text/html"].startswith('<div class="descent-ask" data-ask data-waiting>')
    assert "Where &lt;is&gt; it?" in data["text/html"] and "There &amp; then." in data["text/html"]


def test_what_follows_may_be_a_figure_of_either_kind():
    fig, ax, line = climb()
    still = ask("What now?", TWO, says="This.", then=fig, alt="a climb").html
    assert decode(still)["controls"] == {} and 'class="descent-then"' in still and not plt.fignum_exists(fig.number)
    fig, ax, line = climb()
    live = explore(fig, {"β": [0.5, 0.9]}, {line: np.array([0.5, 0.9])[:, None] ** T}, alt="a fall")
    assert live.html in ask("What now?", TWO, then=live).html


# --- what is refused, and nothing is lost


def refused(error, match, make, prepare=lambda ax: None):
    fig, ax, line = climb()
    prepare(ax)
    limits = ax.get_xlim(), ax.get_ylim()
    with pytest.raises(error, match=match):
        make(fig, ax, line)
    assert plt.fignum_exists(fig.number) and limits == (ax.get_xlim(), ax.get_ylim())
    assert np.array_equal(line.get_ydata(), 1 - 0.9**T) and line.get_gid() is None


def test_errors_of_draw():
    other = climb()[2]
    refused(TypeError, "returns a list of lines", lambda f, a, l: draw([l], "Draw it."))
    refused(ValueError, "prompt is ' '", lambda f, a, l: draw(l, " "))
    refused(ValueError, "says is 3", lambda f, a, l: draw(l, "Draw it.", 3))
    refused(ValueError, "not in the figure", lambda f, a, l: figure(f, other))
    refused(ValueError, "linear or logarithmic", lambda f, a, l: figure(f, l), lambda ax: ax.set_yscale("symlog"))
    refused(ValueError, "linear or logarithmic", lambda f, a, l: figure(f, a.lines[1]), lambda ax: ax.axhline(0.5))
    refused(ValueError, "from left to right", lambda f, a, l: figure(f, a.lines[1]), lambda ax: ax.plot([1, 3, 2], [0, 0, 0]))
    refused(ValueError, "at least two points", lambda f, a, l: figure(f, l), lambda ax: ax.set_xlim(1.5, 2.5))
    refused(TypeError, r"predict is 'draw'", lambda f, a, l: figure(f, l, predict="draw"))


def test_errors_of_ask():
    cases = [
        (ValueError, "question is ''", dict(question="")),
        (ValueError, "one line", dict(question="a\nb")),
        (ValueError, "unit is None: give choices, or a unit", dict(choices=None)),
        (ValueError, "two or more different strings", dict(choices=["one"])),
        (ValueError, "two or more different strings", dict(choices=["one", "one"])),
        (ValueError, "two or more different strings", dict(choices=[1, 2])),
        (ValueError, "two or more different strings", dict(choices="both")),
        (ValueError, "a question with choices has none", dict(unit="m")),
        (ValueError, r"right is 'up': one of \['left', 'right'\]", dict(right="up")),
        (ValueError, "right is 'x': a number", dict(choices=None, unit="m", right="x")),
        (ValueError, "right is nan: a number", dict(choices=None, unit="m", right=np.nan)),
        (ValueError, r"says answers \['left'\]: a sentence for each of \['left', 'right'\]", dict(says={"left": "yes"})),
        (ValueError, "says", dict(choices=None, unit="m", says={"left": "yes"})),
        (ValueError, "says is 3", dict(says=3)),
        (TypeError, "then is 'figure'", dict(then="figure")),
        (ValueError, "alt is 'x': it describes", dict(alt="x")),
    ]
    for error, match, wrong in cases:
        with pytest.raises(error, match=match):
            ask(**{"question": "Where?", "choices": TWO} | wrong)
    fig, ax, line = climb()
    with pytest.raises(ValueError, match="alt is None"):
        ask("Where?", TWO, then=fig)
    assert plt.fignum_exists(fig.number)
    refused(ValueError, "in a cell of its own", lambda f, a, l: figure(f, l, predict=ask("Where?", TWO, then=figure(*climb()[::2]))))


def test_errors_of_hidden_and_play():
    other = climb()[2]
    refused(ValueError, "hidden is given without predict",
            lambda f, a, l: explore(f, {"β": [1, 2]}, {l: np.ones((2, 30))}, alt="x", hidden=[l]))
    refused(ValueError, "not in the figure", lambda f, a, l: figure(f, l, hidden=[other]))
    refused(TypeError, "hidden holds 'line'", lambda f, a, l: figure(f, l, hidden=["line"]))
    refused(TypeError, "hidden holds", lambda f, a, l: figure(f, l, hidden=a.collections), lambda ax: ax.pcolormesh(np.eye(3)))
    refused(ValueError, "play is 'γ'", lambda f, a, l: explore(f, {"β": [1, 2]}, {l: np.ones((2, 30))}, alt="x", play="γ"))
    refused(ValueError, "play is 'c'", lambda f, a, l: explore(f, {"c": ["x", "y"]}, {l: np.ones((2, 30))}, alt="x", play="c"))
    refused(ValueError, "none with predict", lambda f, a, l: explore(f, {}, {}, alt="x"))
