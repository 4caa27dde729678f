"""The interactive figure without a browser: what is shipped is what numpy and matplotlib computed."""

import base64
import io
import os
import re
import subprocess
import sys

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from descent.figures.explore import FAR, GAP, NEAR, _clipped_far_away, _number_labels, _quantised, decode, explore
from descent.figures.predict import ask
from descent.figures.plots import STYLE, contours, label_lines, use_style
from descent.figures.svg import DARK, LIGHT, _contrast, _rgb, themed

QUANTUM = 0.05 + 1e-9  # half of a tenth of a point
BETAS, T = np.array([0.5, 0.9, 0.99]), np.arange(6.0)


@pytest.fixture(autouse=True)
def style():
    with plt.rc_context():
        use_style()
        yield
    plt.close("all")


def curve():
    fig, ax = plt.subplots()
    (line,) = ax.plot(T, T)
    return fig, ax, line


def simple(**options):
    fig, ax, line = curve()
    return explore(fig, {"β": BETAS}, {line: BETAS[:, None] * T}, **{"alt": "a line"} | options)


def pixels(ax, x, y):
    """Where matplotlib draws (x, y), in points from the top left."""
    fig = ax.figure
    dpi, _ = fig.dpi, fig.set_dpi(72)
    p = ax.transData.transform(np.stack(np.broadcast_arrays(x, y), -1).reshape(-1, 2))
    height = fig.bbox.height
    fig.set_dpi(dpi)
    shape = np.broadcast(x, y).shape
    return p[:, 0].reshape(shape), height - p[:, 1].reshape(shape)


# --- what is shipped


@settings(max_examples=10, deadline=None)   # each draws a figure, at 24 positions
@given(arrays(float, (24, 6), elements=st.floats(-2, 2)))
def test_every_position_lands_within_half_a_tenth_of_a_point(y):
    fig, ax, line = curve()
    ax.set_ylim(-3, 3)
    figure = decode(explore(fig, {"n": range(24)}, {line: y}, alt="a line"))
    x_drawn, y_drawn = pixels(ax, T[None], y)
    artist = figure["artists"][0]
    assert np.abs(artist["y"] - y_drawn).max() <= QUANTUM
    assert artist["x"].shape == (1, 6), "x does not move and is shipped once"
    assert np.abs(artist["x"] - x_drawn[:1]).max() <= QUANTUM


@pytest.mark.parametrize("lengths", [(3,), (3, 4), (3, 4, 2)])
def test_leading_axes_are_the_sliders_in_order(lengths):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(2, *lengths, 5))
    fig, ax, line = curve()
    line.set_data(np.zeros(5), np.zeros(5))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    controls = dict(zip("abc", map(np.arange, lengths)))
    artist = decode(explore(fig, controls, {line: (x, y)}, alt="a line"))["artists"][0]
    for shipped, drawn in zip((artist["x"], artist["y"]), pixels(ax, x, y)):
        assert shipped.shape == (*lengths, 5)
        assert np.abs(shipped - drawn).max() <= QUANTUM


def test_log_axes_are_exact_too():
    fig, ax, line = curve()
    y = np.geomspace(1e-8, 1, 18).reshape(3, 6)
    ax.set(yscale="log", ylim=(1e-9, 10))
    artist = decode(explore(fig, {"β": BETAS}, {line: y}, alt="a line"))["artists"][0]
    assert np.abs(artist["y"] - pixels(ax, T[None], y)[1]).max() <= QUANTUM


def test_four_sliders_and_none():
    fig, ax, line = curve()
    figure = explore(fig, dict(zip("abcd", (BETAS, BETAS, range(2), ["x", "y"]))), {line: np.ones((3, 1, 2, 1, 6))}, alt="a line")
    figure.l = 0
    assert decode(figure)["artists"][0]["y"].shape == (3, 1, 2, 1, 6) and figure.position["d"] == "x"
    with pytest.raises(Exception, match="l is 2: allowed are 0 to 1"):
        figure.l = 2
    fig, ax, line = curve()
    assert decode(explore(fig, {}, {line: T}, alt="a line", predict=ask("?", ["a", "b"])))["artists"][0]["y"].shape == (6,)


def corners(artist):
    return np.stack(np.broadcast_arrays(artist["x"], artist["y"]), -1)


def test_bars_reach_their_height_lying_ones_their_length_and_stacks_begin_where_they_are_told():
    fig, (ax, low) = plt.subplots(2)
    (bar, top), (lying,) = ax.bar([1, 2], [1, 1]), low.barh([1], [1])
    ax.set(ylim=(0, 3)), low.set(xlim=(0, 3))
    figure = explore(fig, {"β": BETAS}, {bar: BETAS, lying: BETAS, top: (BETAS, 2 * BETAS)}, alt="bars")
    up, across, stacked = decode(figure)["artists"]
    for artist, axes, x, y in ((up, ax, (0.6, 1.4), (0 * BETAS, BETAS)), (across, low, (0 * BETAS, BETAS), (0.6, 1.4)),
                               (stacked, ax, (1.6, 2.4), (BETAS, 3 * BETAS))):
        (left, right), (bottom, head) = x, y
        for x_end, y_end in ((left, bottom), (right, head)):
            px, py = pixels(axes, np.broadcast_to(x_end, 3), np.broadcast_to(y_end, 3))
            near = np.abs(corners(artist) - np.stack([px, py], -1)[:, None]).max(-1).min(-1)
            assert near.max() <= QUANTUM, "a corner of each bar stands there"


def test_a_bar_on_a_logarithmic_axis_is_one_piece():
    fig, ax = plt.subplots()
    (bar,) = ax.bar([1], [10], log=True)
    artist = decode(explore(fig, {"n": [10, 100, 1e5]}, {bar: np.array([10, 100, 1e5])}, alt="a bar"))["artists"][0]
    assert artist["y"].shape == (3, 5) and np.isfinite(artist["y"]).all()
    assert np.ptp(artist["y"], axis=-1).min() > 10


def test_a_figure_with_bars_stands_at_its_start():
    fig, ax = plt.subplots()
    (bar,) = ax.bar([1], [10])
    explore(fig, {"β": BETAS}, {bar: BETAS}, alt="a bar", start={"β": 0.5})
    assert bar.get_height() == 0.5


@pytest.mark.parametrize("kind", ["contourf", "pcolormesh"])
def test_a_filled_map_is_one_image(kind):
    fig, ax = plt.subplots()
    getattr(ax, kind)(np.add.outer(T, T))
    (dot,) = ax.plot([1], [1], "o")
    grid = np.arange(5.0)
    svg = decode(explore(fig, {"a": grid, "b": grid}, {}, handle=(dot, ("a", "b")), alt="a map"))["svg"]
    assert svg.count("<image") == 1 and len(svg) < 40_000


def test_axis_of_length_one_is_not_expanded():
    fig, ax = plt.subplots()
    a, b = ax.plot(T, T, T, T)
    x, y = np.ones((1, 4, 6)), np.ones((3, 1, 6))
    artists = decode(explore(fig, {"β": BETAS, "k": range(4)}, {a: x, b: (x, y)}, alt="lines"))["artists"]
    assert artists[0]["y"].shape == (1, 4, 6)
    assert artists[1]["x"].shape == (1, 4, 6) and artists[1]["y"].shape == (3, 1, 6)


def test_nan_is_a_gap():
    fig, ax, line = curve()
    y = BETAS[:, None] * T
    y[:2, 2] = np.nan
    artist = decode(explore(fig, {"β": BETAS}, {line: y}, alt="a line"))["artists"][0]
    assert np.array_equal(np.isnan(artist["y"]), np.isnan(y))
    assert artist["x"].shape == (1, 6) and not np.isnan(artist["x"]).any()


def test_infinite_and_masked_values_are_gaps():
    fig, ax, line = curve()
    y = np.ma.masked_equal(BETAS[:, None] * np.ones(6), 0.9)
    y[0, 3] = np.inf
    artist = decode(explore(fig, {"β": BETAS}, {line: y}, alt="a line"))["artists"][0]
    drawn = np.ones((3, 6), bool)
    drawn[1], drawn[0, 3] = False, False
    assert np.array_equal(~np.isnan(np.broadcast_to(artist["y"] + artist["x"], (3, 6))), drawn)


@settings(max_examples=100, deadline=None)
@given(arrays(float, (7, 2), elements=st.floats(-1e5, 1e5) | st.floats(0, 400)))
def test_lines_that_leave_far_keep_their_direction(p):
    clipped = _clipped_far_away(p)
    inside = ((p >= NEAR) & (p <= FAR)).all(-1)
    assert np.array_equal(clipped[1::3][inside], p[inside]), "points in sight stay"
    assert np.isnan(clipped[1::3][~inside]).all()
    ends = clipped[2::3][:-1], clipped[3::3]
    for start, stop, a, b in zip(*ends, p[:-1], p[1:]):
        if np.isnan(start).any():
            continue
        length = np.linalg.norm(b - a) or 1.0
        for end in (start, stop):
            assert (end >= NEAR - 1e-6).all() and (end <= FAR + 1e-6).all()
            off = abs((b - a)[0] * (end - a)[1] - (b - a)[1] * (end - a)[0]) / length
            assert off < 1e-6, "a clipped end lies on the segment"


def test_a_diverging_curve_leaves_the_picture_at_its_true_slope():
    fig, ax, line = curve()
    ax.set(ylim=(0, 1), xlim=(0, 5))
    y = np.array([[0, 0.5, 1e30, 0.5, -1e300, 0.1]] * 3)
    artist = decode(explore(fig, {"β": BETAS}, {line: y}, alt="a line"))["artists"][0]
    x, y = artist["x"][0], artist["y"][0]
    assert x.shape == (18,)
    assert np.nanmin(y) >= NEAR and np.nanmax(y) <= FAR
    assert abs(x[5] - x[4]) < 0.11, "1e30 is straight up: the clipped end is above its point"


@given(arrays(float, 9, elements=st.floats(NEAR, FAR)))
def test_quantisation_is_exact_to_half_a_step_and_never_a_gap(p):
    q = _quantised(p).astype(float)
    assert np.all(q < GAP) and np.abs((q - 20000) / 10 - p).max() <= QUANTUM


def test_guides_and_texts_and_single_markers_follow():
    fig, ax, line = curve()
    up, across = ax.axvline(1), ax.axhline(1)
    (dot,) = ax.plot([1], [1], "o")
    text, moved = ax.text(1, 1, "t"), ax.annotate("m", (1, 1), xytext=(4, 0), textcoords="offset points")
    figure = decode(explore(fig, {"β": BETAS}, {
        up: BETAS, across: BETAS, dot: (BETAS, BETAS), text: (BETAS, "β = {:.2g}"),
        moved: (BETAS, BETAS, np.array(["p", "q", "r"])),
    }, alt="guides"))
    up, across, dot, text, moved = figure["artists"]
    x, y = pixels(ax, BETAS, BETAS)
    for artist in (up, dot, moved):
        assert np.abs(artist["x"][:, 0] - x).max() <= QUANTUM
    for artist in (across, dot, moved):
        assert np.abs(artist["y"][:, 0] - y).max() <= QUANTUM
    assert up["y"].shape == (1, 2) and across["x"].shape == (1, 2)
    assert text["words"].tolist() == ["β = 0.5", "β = 0.9", "β = 0.99"]
    assert moved["words"].tolist() == ["p", "q", "r"]


def test_handle_follows_its_two_grids():
    fig, ax, line = curve()
    (dot,) = ax.plot([1], [1], "o")
    a, b = np.linspace(0, 5, 4), np.linspace(0, 4, 3)
    figure = decode(explore(fig, {"a": a, "b": b}, {}, handle=(dot, ("a", "b")), alt="a start"))
    x, y = pixels(ax, a[:, None], b[None])
    assert np.abs(figure["artists"][0]["x"][:, 0, 0] - x[:, 0]).max() <= QUANTUM
    assert np.abs(figure["artists"][0]["y"][0, :, 0] - y[0]).max() <= QUANTUM
    assert figure["artists"][0]["x"].shape == (4, 1, 1)


def test_automatic_limits_hold_every_position_and_set_limits_stay():
    fig, ax, line = curve()
    ax.set_xlim(1, 2)
    explore(fig, {"β": BETAS}, {line: BETAS[:, None] * T * 100}, alt="a line")
    assert ax.get_ylim()[1] >= 495 and ax.get_xlim() == (1, 2)


def test_figure_stands_at_its_start_and_is_closed():
    fig, ax, line = curve()
    explore(fig, {"β": BETAS}, {line: BETAS[:, None] * T}, alt="a line", start={"β": 0.9})
    assert np.allclose(line.get_ydata(), 0.9 * T)
    assert not plt.fignum_exists(fig.number)


# --- the bundle


def test_bundle_has_self_contained_html_and_a_plain_summary():
    data, _ = simple(alt='a "line" & more')._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain", "image/png"}, "the widget's kind is a dead box in a saved notebook"
    html = data["text/html"]
    assert not re.search(r"(src|href)=.?https?:|import\(|import |@import|fetch\(", html)
    assert 'alt="a &quot;line&quot; &amp; more"' in html and 'role="figure"' in html
    assert data["text/plain"] == (
        "explore\n  β: 3 positions, 0.5 to 0.99, start 0.9\n  line: x (1, 6) 0 to 5, y (3, 6) 0 to 4.95")


def test_summary_prints_at_most_six_significant_digits():
    fig, ax, line = curve()
    widget = explore(fig, {"β": BETAS}, {line: np.pi * 1e5 * BETAS[:, None] * T}, alt="a line")
    for number in re.findall(r"\d[\d.]*", repr(widget)):
        assert len(number.replace(".", "").strip("0")) <= 6


def test_summary_calls_what_rounding_leaves_of_a_zero_0():
    for rest, linear, log in ((5e-18, "0 to 4", "5e-18 to 4"), (-5e-18, "0 to 4", "-5e-18 to 4"), (1e-9, "1e-09 to 4", "1e-09 to 4")):
        for scale, said in (("linear", linear), ("log", log)):
            fig, ax, line = curve()
            ax.set(yscale=scale, ylim=(1e-20, 5))
            widget = explore(fig, {"β": BETAS}, {line: np.maximum(T - 1, rest)[None].repeat(3, 0)}, alt="a line")
            assert repr(widget).endswith(f"y (3, 6) {said}"), (rest, scale)


def test_picture_without_script_is_one_small_png():
    html = simple().html
    (png,) = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="a line" width="630" height="403">', html)
    assert base64.b64decode(png).startswith(b"\x89PNG") and len(png) <= 25_000
    assert Image.open(io.BytesIO(base64.b64decode(png))).width == 1260, "two points for each that a page shows"
    assert "<svg" not in html, "a sanitiser that strips scripts leaves one picture"
    assert "<form hidden>" in html, "no dead sliders without scripts"


def test_two_processes_ship_the_same_bytes():
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "import hashlib, test_explore as t, matplotlib.pyplot as plt; t.use_style()\n"
        "w = t.simple(); print(hashlib.sha256((w.html + repr(w)).encode()).hexdigest())")
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    first, second = (
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, cwd=root,
                       capture_output=True, text=True, check=True).stdout for seed in ("1", "2"))
    assert first == second


def test_beyond_pictures_and_payload_html_does_not_depend_on_the_numbers():
    def blanked(shift):
        fig, ax, line = curve()
        html = explore(fig, {"β": BETAS}, {line: BETAS[:, None] * T + shift}, alt="a line").html
        return re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)

    assert blanked(0) == blanked(1e-3)


def test_every_id_has_the_figures_prefix():
    fig, ax, line = curve()
    contours(ax, lambda theta: (theta**2).sum(-1), (-1, 1), (-1, 1))
    svg = decode(explore(fig, {"β": BETAS}, {line: BETAS[:, None] * T}, alt="a line"))["svg"]
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) and len({i.split("-")[0] for i in ids}) == 1
    for target in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg):
        assert "".join(target) in ids
    assert "date" not in svg and "metadata" not in svg


def test_ordinary_figure_stays_small():
    fig, ax = plt.subplots()
    contours(ax, lambda theta: (np.array([1, 20]) * theta**2).sum(-1), (-2, 2), (-1, 1))
    t = np.linspace(0, 6, 200)
    moving = {ax.plot(t, t)[0]: (np.sin(np.arange(60)[:, None] * t / 20 + k), np.cos(k * t + np.arange(60)[:, None] / 9))
              for k in range(3)}
    html = explore(fig, {"n": np.arange(60)}, moving, alt="lines").html
    assert len(html.encode()) <= 150_000
    assert len(re.search(r"data:image/png;base64,([^\"]+)", html)[1]) <= 60_000


def test_package_alone_loads_neither_matplotlib_nor_widgets():
    code = "import sys, descent; print([m for m in ('matplotlib', 'ipywidgets', 'anywidget') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_without_anywidget_the_error_names_the_extra():
    code = "import sys; sys.modules['anywidget'] = None\nimport descent.figures.explore"
    stderr = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert "pip install 'descent[figures]'" in stderr


# --- the widget


def test_positions_are_traits_that_can_be_set_and_observed():
    widget, seen = simple(), []
    widget.observe(lambda change: seen.append(change["new"]), "i")
    assert widget.position == {"β": 0.9}
    widget.position = {"β": 0.98}
    assert widget.i == 2 and seen == [2] and widget.position == {"β": 0.99}
    widget.i = 0
    assert widget.position == {"β": 0.5}
    with pytest.raises(Exception, match="i is 3: allowed are 0 to 2"):
        widget.i = 3
    with pytest.raises(ValueError, match=r"position\['β'\] is 7"):
        widget.position = {"β": 7}


VIEW = "application/vnd.jupyter.widget-view+json"


def test_a_cell_shows_the_page_and_the_widget_only_on_request():
    figure = simple()
    assert VIEW not in figure._repr_mimebundle_()[0]
    bundle = figure.widget._repr_mimebundle_()
    assert VIEW in (bundle[0] if isinstance(bundle, tuple) else bundle)


def test_the_widget_and_its_figure_have_one_position():
    figure = simple()
    widget = figure.widget
    widget.i = 2
    assert figure.position == {"β": 0.99}
    figure.position = {"β": 0.5}
    assert widget.i == 0


def test_widget_sits_in_a_box():
    import ipywidgets

    a, b = simple(), simple()
    ipywidgets.VBox([a, b.widget])
    ipywidgets.jslink((a, "i"), (b.widget, "i"))


@pytest.mark.parametrize("kind", ["latex", "markdown", "html"])
def test_other_exports_have_the_picture(kind):
    """A notebook with a figure, through nbconvert."""
    import nbconvert
    import nbformat

    data, metadata = simple(alt="a line")._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", data, metadata=metadata, execution_count=1)
    cell = nbformat.v4.new_code_cell("explore(...)", outputs=[output], execution_count=1)
    exporter = nbconvert.get_exporter(kind)()
    text, resources = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    if kind == "latex":
        (name,) = re.findall(r"adjustimage\{.*?\}\{.*?\}\}?\{(.*?\.png)\}", text) or re.findall(r"\{([^{}]*\.png)\}", text)
        assert resources["outputs"][name].startswith(b"\x89PNG")
    else:
        assert re.search('<img [^>]*src="data:image/png;base64,', text) and re.search('<img [^>]*alt="a line"', text)
        assert VIEW not in text


# --- labels


@given(st.lists(st.floats(1e-12, 1e12), min_size=2, max_size=9, unique=True))
def test_labels_of_a_grid_differ(values):
    assert len(set(_number_labels(values))) == len(values)


def test_labels_read_as_people_write_them():
    assert _number_labels([0.9, 0.999, 0.9999, 0.99999]) == ["0.9", "0.999", "0.9999", "0.99999"]
    assert _number_labels([1e-8, 0.0031622776, 1.0]) == ["1e-8", "0.003162", "1"]


# --- bad input


def failing(error, match, controls=None, artists=None, **options):
    fig, ax, line = curve()
    before = fig.axes[0].get_ylim()
    with pytest.raises(error, match=match):
        explore(fig, controls or {"β": BETAS}, artists(fig, ax, line) if artists else {line: np.ones((3, 6))},
                **{"alt": "a line"} | options)
    assert plt.fignum_exists(fig.number) and fig.axes[0].get_ylim() == before
    assert np.array_equal(line.get_ydata(), T)


def test_errors_name_argument_value_and_what_is_allowed():
    failing(ValueError, r"has shape \(4, 6\): \(3,\) and then the points", artists=lambda f, a, l: {l: np.ones((4, 6))})
    failing(ValueError, r"has 5 points: the line has 6", artists=lambda f, a, l: {l: np.ones((3, 5))})
    failing(ValueError, r"x has 4 points and y has 5", artists=lambda f, a, l: {l: (np.ones((3, 4)), np.ones((3, 5)))})
    failing(ValueError, "one to four", controls={c: BETAS for c in "abcde"})
    failing(ValueError, "at least 2", controls={"β": [0.5]})
    failing(ValueError, "1-D", controls={"β": np.ones((2, 2))})
    failing(ValueError, "finite and differ", controls={"β": [0.1, np.nan, 1]})
    failing(ValueError, "finite and differ", controls={"β": [0.1, 0.1, 1]})
    failing(TypeError, "numbers or strings", controls={"β": [True, False, True]})
    failing(ValueError, "without any of", controls={"β=": BETAS})
    failing(ValueError, "choices differ", controls={"β": ["a", "a", "b"]})
    failing(ValueError, r"start\['β'\] is 2: allowed is a number from 0.5 to 0.99", start={"β": 2})
    failing(ValueError, r"start\['β'\] is 'x'", start={"β": "x"})
    failing(ValueError, r"start names 'γ'", start={"γ": 2})
    failing(ValueError, r"start\['c'\] is 'z': allowed are \['x', 'y', 'w'\]", controls={"c": ["x", "y", "w"]}, start={"c": "z"})
    failing(ValueError, "alt is ' '", alt=" ")
    failing(ValueError, "name is 'a b'", name="a b")


def test_artists_must_be_lines_or_texts_of_the_figure():
    other = curve()[2]
    failing(ValueError, "not in the figure", artists=lambda f, a, l: {other: np.ones((3, 6))})
    failing(TypeError, "a Line2D, a Text or a Rectangle is allowed", artists=lambda f, a, l: {a.scatter([1], [1]): np.ones((3, 1))})
    failing(TypeError, "strings are allowed", artists=lambda f, a, l: {a.text(1, 1, "t"): BETAS})
    failing(ValueError, "one line of plain text", artists=lambda f, a, l: {a.text(1, 1, "t"): np.array(["$a$", "b", "c"])})
    failing(ValueError, "has shape", artists=lambda f, a, l: {a.text(1, 1, "t"): np.array(["a", "b"])})
    failing(ValueError, "markevery", artists=lambda f, a, l: {a.plot(T, T, markevery=2)[0]: np.ones((3, 6))})
    failing(ValueError, "invisible", artists=lambda f, a, l: {a.plot(T, T, visible=False)[0]: np.ones((3, 6))})


def test_handle_errors():
    two = {"a": BETAS, "b": BETAS}
    def dot(f, a, l):
        return {l: np.ones((1, 1, 6))}
    fig, ax, line = curve()
    (marker,) = ax.plot([1], [1], "o")
    failing(ValueError, "two different labels", controls=two, artists=dot, handle=(marker, ("a", "c")))
    failing(ValueError, "two different labels", controls=two, artists=dot, handle=(marker, ("a", "a")))
    failing(TypeError, "one marker is allowed", controls=two, artists=dot, handle=(line, ("a", "b")))
    failing(TypeError, "is allowed", controls=two, artists=dot, handle=marker)
    failing(ValueError, "numbers", controls={"a": BETAS, "b": ["x", "y"]}, artists=dot, handle=(marker, ("a", "b")))
    failing(ValueError, "not in the figure", controls=two, artists=dot, handle=(marker, ("a", "b")))


def test_errors_of_handles_of_one_axis():
    def dot(f, a, l):
        return {l: np.ones((3, 6))}
    fig, ax, line = curve()
    failing(ValueError, "handle's axis is 'γ': one of", artists=dot, handle=(line, "γ"))
    failing(ValueError, "must be among the artists", artists=dot, handle=(line, "β"))
    fig, ax, line = curve()
    with pytest.raises(TypeError, match="a single marker, a guide or a bar is allowed"):
        explore(fig, {"β": BETAS}, {line: np.ones((3, 6))}, alt="a line", handle=[(line, "β")])
    (empty,) = ax.plot([], [], "o")
    with pytest.raises(TypeError, match="a single marker, a guide or a bar is allowed"):
        explore(fig, {"β": BETAS}, {empty: np.ones((3, 1))}, alt="a dot", handle=(empty, "β"))
    failing(TypeError, "a list of such is allowed", artists=dot, handle=[line])
    fig, ax = plt.subplots()
    (bar,) = ax.bar([1], [1])
    with pytest.raises(ValueError, match="more than one length"):
        explore(fig, {"β": BETAS}, {bar: np.ones((3, 2))}, alt="a bar")
    with pytest.raises(ValueError, match="a bar of ax.bar or ax.barh is allowed"):
        explore(fig, {"β": BETAS}, {ax.add_patch(plt.Rectangle((0, 0), 1, 1, angle=30)): np.ones(3)}, alt="a bar")


def test_alt_is_required():
    fig, ax, line = curve()
    with pytest.raises(TypeError, match="alt"):
        explore(fig, {"β": BETAS}, {line: np.ones((3, 6))})


def test_decode_says_when_there_is_no_figure():
    with pytest.raises(ValueError, match="no payload"):
        decode("<p>nothing</p>")


# --- colours


@pytest.mark.parametrize("method", STYLE)
def test_method_colours_read_on_light_and_dark_pages(method):
    color = STYLE[method]["color"]
    for paper, ink in (LIGHT, DARK):
        assert _contrast(_rgb(color), _rgb(paper)) >= 3
        assert _contrast(_shown(themed(color, 4.5), paper, ink), _rgb(paper)) >= 4.5


def _shown(css, paper, ink):
    if css.startswith("#"):
        return _rgb(css)
    color, base, share = re.match(r"color-mix\(in srgb,(\S+?)(?: \d+%)?,(\S+?)(?: (\d+)%)?\)", css).groups()
    if color == "currentColor":
        color, base = ink, paper
        share = 100 - int(re.search(r"(\d+)%", css)[1])
    else:
        base = ink
    return [c * (1 - int(share) / 100) + i * int(share) / 100 for c, i in zip(_rgb(color), _rgb(base))]


@pytest.mark.parametrize("draw", ["imshow", "pcolormesh"])
def test_what_stands_on_a_heat_map_keeps_its_colour_in_the_dark(draw):
    fig, ax = plt.subplots()
    getattr(ax, draw)(np.eye(3))
    ax.text(1, 1, "on the map", color="#222222", clip_on=True)
    (line,) = ax.plot([0, 1], [0, 1], color="#111111")
    svg = decode(explore(fig, {"β": BETAS}, {line: BETAS[:, None] * [0, 1]}, alt="a heat map"))["svg"]
    assert "fill:#222222" in svg and "stroke:#111111" in svg


def test_methods_differ_in_line_style():
    styles = [str(s["linestyle"]) for s in STYLE.values()]
    assert len(set(styles)) == len(styles)


def test_labels_at_line_ends_do_not_overlap():
    fig, ax = plt.subplots()
    for k in range(3):
        ax.plot(T, T + k / 1e3, label=f"line {k}")
    texts = label_lines(ax)
    fig.draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in texts), key=lambda b: b.y0)
    assert all(low.y1 <= high.y0 + 2 for low, high in zip(boxes, boxes[1:]))
