"""The interactive figure: numpy axes are sliders.

matplotlib draws the figure once, numpy computes every slider position, the page only swaps coordinates:
the same figure moves in a static page, in a file opened from disk and, as a widget, in a kernel.
"""

import base64
import hashlib
import html as markup
import io
import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import QuadMesh
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text
from PIL import Image

from descent.figures.svg import drawn

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise ImportError("descent.figures.explore needs anywidget: pip install 'descent[figures]'") from error

__all__ = ["Explorer", "Prediction", "decode", "explore"]



def _shipped(name):
    """A file of this folder without comments, indentation and the spaces that nobody needs."""
    text = re.sub(r"(?m)^\s*//.*\n|/\*.*?\*/\n?|^\s+|\s+// .*$", "", (Path(__file__).parent / name).read_text("utf-8"))
    if name.endswith(".css"):
        return re.sub(r"\s*([{};])\s*|(?<=[:,])\s+| (>) ", lambda m: m[1] or m[2] or "", text).replace(";}", "}")
    words = r"""("[^"\n]*"|`[^`]*`|(?<=\()/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\n])+/[a-z]*)"""
    parts = re.split(words, text)  # every other part is a string or a pattern, which stay as they are
    parts[::2] = (re.sub(r" *([-=+*/<>!&|?:;,(){}[\]]) *", r"\1", part) for part in parts[::2])
    return "".join(parts).replace("\n", "")


SCRIPT, CSS = _shipped("explore.js"), _shipped("explore.css")
TRAITS = ("i", "j", "k", "l")
# A coordinate is stored in tenths of a point as uint16, shifted so that lines may leave the picture on all sides.
STEP, ZERO, GAP = 10, 20000, 65535
NEAR, FAR = -1990.0, 4500.0
SHARP = 252  # dots an inch of the picture without scripts: two for each that the page shows
KNOBS = 7  # places of a curve that arrow keys move


def explore(fig, controls, artists, *, alt, start=None, handle=None, name=None, play=None, predict=None, hidden=()):
    """Make a matplotlib figure move: the leading axes of the arrays are sliders.

    Parameters
    ----------
    fig : matplotlib figure; drawn once, closed when all went well. Limits left automatic grow to hold every position.
    controls : dict of label to grid, one to four of them, in the order of the arrays' leading axes; none is allowed where
        the figure waits for a prediction. A grid is 1-D: numbers (a slider) or strings (a choice).
    artists : dict of artist to values. With ``*n`` for the lengths of the grids (or 1 where nothing changes):

        * a line or markers: ``y`` of shape ``(*n, points)``, or ``(x, y)`` when both move; NaN is a gap;
        * a guide from ``axvline`` or ``axhline``, or a single marker's ``(x, y)``: shape ``(*n,)``;
        * a bar of ``ax.bar`` or ``ax.barh``: its length, shape ``(*n,)``, or ``(where it begins, length)`` in a stack;
        * a text: strings of shape ``(*n,)``, or ``(values, "f = {:.3g}")``, or ``(x, y)`` or ``(x, y, strings)``
          to move it.
    alt : what the figure shows, for those who do not see it. Required.
    start : dict of label to value, the position that is drawn first; the middle where none is given.
    handle : what can be dragged, or a list of such pairs: ``(marker, (label, label))``, a marker whose coordinates are these
        two grids; or ``(artist, label)``, a marker, guide or bar among the artists that goes where this one control moves it.
    name : the figure's name in the address, ``#name:label=value``.
    play : the label of a control along time, which gets a button that plays and pauses it.
    predict : what the reader is asked before the figure answers: `descent.figures.predict.draw` or ``ask``.
    hidden : artists, moving or not, that are seen only when the reader has answered.

    Returns
    -------
    Explorer
        The widget; the last line of a cell displays it.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, what it was and what it may be. The figure is left as it was.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> t, betas = np.arange(1, 31), np.array([0.5, 0.9, 0.99])
    >>> (line,) = ax.plot(t, t)
    >>> explore(fig, {"β": betas}, {line: 1 - betas[:, None] ** t}, alt="An average climbs to one.")
    explore
      β: 3 positions, 0.5 to 0.99, start 0.9
      line: x (1, 30) 1 to 30, y (3, 30) 0.01 to 1
    """
    controls = _checked_controls(controls, fewest=0 if predict is not None else 1)
    start = _checked_start(controls, start)
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt is {alt!r}: say in a sentence what the figure shows")
    if name is not None and not re.fullmatch(r"[A-Za-z][\w-]*", name):
        raise ValueError(f"name is {name!r}: allowed are letters, digits, - and _, a letter first")
    if play is not None and play not in [c.name for c in controls if not c.is_choice]:
        raise ValueError(f"play is {play!r}: a grid of numbers is allowed, of {[c.name for c in controls]}")
    if predict is not None and not isinstance(predict, Prediction):
        raise TypeError(f"predict is {predict!r}: draw(...) or ask(...) of descent.figures.predict is allowed")
    artists, handles = _checked_handles(controls, dict(artists), handle)
    lengths = tuple(len(c.labels) for c in controls)
    moving = [_checked_artist(fig, a, v, lengths) for a, v in artists.items()]
    hidden = _checked_hidden(fig, hidden, predict)
    if predict is not None:
        predict.join(fig, moving, hidden, lengths)
    return Explorer(_compose(fig, controls, moving, alt, start, handles, name, play, predict, hidden))


class Prediction:
    """What a reader is asked before a figure answers.

    ``kind`` is "draw" or "ask", ``prompt`` the question and ``line`` what is to be drawn; ``before`` and ``after`` are the HTML
    that stands above and below the picture, ``summary`` is a line for nbval.
    """

    kind = prompt = line = None

    def join(self, fig, moving, hidden, lengths):
        """Check the prediction against its figure, and add what it moves and hides."""


def still(fig, alt):
    """Return a figure that does not move, in the colours of the page's theme."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt is {alt!r}: say in a sentence what the figure shows")
    return Explorer(_compose(fig, [], [], alt, [], [], None, None, None, []))


class Explorer(anywidget.AnyWidget):
    """An interactive figure as `explore` returns it: a widget whose position can be read, set, observed and linked.

    ``i``, ``j``, ``k``, ``l`` are integer traits, the positions along the first to fourth grid
    (``ipywidgets.jslink((a, "i"), (b, "i"))``); `position` is the same by label and value.

    A cell shows its page, which lives in a saved notebook too, without a kernel. `widget`, or a box with the figure in it,
    shows the widget that follows and reports the traits.
    """

    _esm, _css = SCRIPT, CSS
    _html = traitlets.Unicode().tag(sync=True)
    _payload = traitlets.Unicode().tag(sync=True)
    i = traitlets.Int(0).tag(sync=True)
    j = traitlets.Int(0).tag(sync=True)
    k = traitlets.Int(0).tag(sync=True)
    l = traitlets.Int(0).tag(sync=True)  # noqa: E741

    def __init__(self, parts):
        self._parts, self._controls, self._summary = parts, parts["controls"], parts["summary"]
        super().__init__(_html=parts["html"], _payload=parts["payload"], **dict(zip(TRAITS, parts["start"])))

    @traitlets.validate(*TRAITS)
    def _inside(self, proposal):
        axis, value = TRAITS.index(proposal["trait"].name), proposal["value"]
        length = len(self._controls[axis].labels) if axis < len(self._controls) else 1
        if not 0 <= value < length:
            raise traitlets.TraitError(f"{proposal['trait'].name} is {value}: allowed are 0 to {length - 1}")
        return value

    @property
    def position(self):
        """The sliders' values by label; assign a dict to move some or all of them (to the nearest grid value)."""
        return {c.name: c.values[getattr(self, t)] for c, t in zip(self._controls, TRAITS)}

    @position.setter
    def position(self, values):
        start = [getattr(self, t) for t in TRAITS]
        for trait, index in zip(TRAITS, _checked_start(self._controls, values, start, "position")):
            setattr(self, trait, index)

    @property
    def html(self):
        """The self-contained HTML of the figure: what a static page shows."""
        return with_script(self._html, f'page(root(document.currentScript, ".descent"), "{self._payload}");')

    @property
    def widget(self):
        """The figure as a widget, for as long as its kernel runs; its traits are those of the figure."""
        widget = _Shown(self._parts)
        for trait in TRAITS:
            traitlets.link((self, trait), (widget, trait))
        return widget

    def __repr__(self):
        return self._summary

    def _repr_mimebundle_(self, **kwargs):
        # Without the widget's kind, which front ends would prefer: in a saved notebook it is a dead box.
        return {"text/plain": self._summary, "text/html": self.html, "image/png": self._parts["png"]}, {}


class _Shown(Explorer):
    def _repr_mimebundle_(self, **kwargs):
        page, metadata = super()._repr_mimebundle_(**kwargs)
        bundle = anywidget.AnyWidget._repr_mimebundle_(self, **kwargs)
        return (bundle[0] if isinstance(bundle, tuple) else bundle or {}) | page, metadata


def with_script(html, call):
    """The HTML of one element with its style and the script that makes it live; search highlighting touches neither."""
    start, end = html.index(">") + 1, html.rindex("</")
    script = SCRIPT.partition("export default")[0] + call
    return (f'{html[:start]}<style class="nohighlight">{CSS}</style>{html[start:end]}'
            f'<script class="nohighlight">(() => {{{script}}})();</script>{html[end:]}')


# --- what the caller gave


@dataclass
class Control:
    name: str
    values: list
    labels: list
    is_choice: bool


@dataclass
class Moving:
    """An animated artist with broadcast-ready arrays: ``x`` and ``y`` end in a points axis, ``words`` do not."""

    artist: object
    x: np.ndarray | None = None
    y: np.ndarray | None = None
    words: np.ndarray | None = None


def _checked_controls(controls, fewest):
    if not isinstance(controls, dict) or not fewest <= len(controls) <= len(TRAITS):
        raise ValueError(f"controls is {controls!r:.80}: a dict of one to four labels to grids is allowed, or none with predict")
    return [_checked_control(name, grid) for name, grid in controls.items()]


def _checked_control(name, grid):
    where = f"controls[{name!r}]"
    if not isinstance(name, str) or not name.strip() or re.search(r"[=,;:#%&]", name):
        raise ValueError(f"{where}: a label is a string without any of = , ; : # % &")
    values = np.asarray(grid)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"{where} has shape {values.shape}: a grid is 1-D with at least 2 values")
    if values.dtype.kind == "U":
        labels = values.tolist()
        if len(set(labels)) < len(labels) or any(not s.strip() or re.search(r"[=,;:#%&]", s) for s in labels):
            raise ValueError(f"{where} is {labels}: choices differ and have none of = , ; : # % &")
        return Control(name, labels, labels, True)
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{where} holds {values.dtype}: a grid holds numbers or strings")
    if not np.isfinite(values).all() or len(np.unique(values)) < len(values):
        raise ValueError(f"{where} is {values}: the numbers of a grid are finite and differ")
    return Control(name, values.tolist(), _number_labels(values.tolist()), False)


def _number_labels(values):
    """Print with 4 significant digits, or as many more as keep the values apart (and .99999 from 1)."""
    for digits in range(4, 18):
        labels = [re.sub(r"e([-+])0", r"e\1", f"{v:.{digits}g}") for v in values]
        if len(set(labels)) == len(values) and all((float(s) == 1) == (v == 1) for s, v in zip(labels, values)):
            return labels
    raise AssertionError("17 digits tell any two floats apart")


def _checked_start(controls, start, default=None, argument="start"):
    index = list(default[: len(controls)] if default else (len(c.labels) // 2 for c in controls))
    names = [c.name for c in controls]
    for name, value in (start or {}).items():
        if name not in names:
            raise ValueError(f"{argument} names {name!r}: the controls are {names}")
        index[names.index(name)] = _nearest(controls[names.index(name)], value, f"{argument}[{name!r}]")
    return index


def _nearest(control, value, where):
    if control.is_choice:
        if value not in control.values:
            raise ValueError(f"{where} is {value!r}: allowed are {control.values}")
        return control.values.index(value)
    low, high = min(control.values), max(control.values)
    slack = 1e-9 * (high - low)
    if not isinstance(value, (int, float, np.number)) or not low - slack <= value <= high + slack:
        raise ValueError(f"{where} is {value!r}: allowed is a number from {low:g} to {high:g}")
    return int(np.argmin(np.abs(np.subtract(control.values, value))))


def _checked_handles(controls, artists, handle):
    """Let each marker with two grids follow them; return the artists and for each handle its artist, axes and points."""
    names, handles = [c.name for c in controls], []
    for pair in handle if isinstance(handle, list) else [] if handle is None else [handle]:
        if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[1], (tuple, list, str)):
            raise TypeError(f"handle is {pair!r}: (marker, (label, label)), (artist, label) or a list of such is allowed")
        artist, axes = pair
        if isinstance(axes, str):
            points = _checked_slide(names, artists, artist, axes)
            axes = [axes]
        else:
            artists[artist] = _checked_drag(controls, names, artists, artist, axes)
            points = [0, 0]
        handles.append({"artist": list(artists).index(artist), "axes": [names.index(a) for a in axes], "points": points})
    return artists, handles


def _checked_slide(names, artists, artist, label):
    """Return the two points of the artist in whose middle its handle is."""
    if label not in names:
        raise ValueError(f"handle's axis is {label!r}: one of {names} is allowed")
    if artist not in artists:
        raise ValueError(f"handle's artist is {artist!r}: with one axis it must be among the artists, whose values say where it goes")
    if isinstance(artist, Rectangle):
        return _END
    if not isinstance(artist, Line2D) or len(artist.get_xdata()) not in (1, 2):
        raise TypeError(f"handle's artist is {artist!r}: a single marker, a guide or a bar is allowed")
    return [0, len(artist.get_xdata()) - 1]


def _checked_drag(controls, names, artists, marker, axes):
    if len(axes) != 2 or axes[0] == axes[1] or any(a not in names for a in axes):
        raise ValueError(f"handle's axes are {axes!r}: two different labels of {names} are allowed")
    if any(controls[names.index(a)].is_choice for a in axes):
        raise ValueError(f"handle's axes are {axes!r}: both must be grids of numbers")
    if not isinstance(marker, Line2D) or marker.get_marker() in (None, "", " ", "None"):
        raise TypeError(f"handle's artist is {marker!r}: a line with one marker is allowed, as ax.plot(x, y, 'o')")
    if marker in artists:
        raise ValueError("handle's marker is among the artists: it follows its two grids by itself")
    return tuple(
        np.reshape(controls[n].values, [-1 if m == n else 1 for m in range(len(controls))])
        for n in map(names.index, axes)
    )


def _checked_hidden(fig, hidden, predict):
    """Return the hidden artists; a container of artists stands for what it holds."""
    if isinstance(hidden, Artist):
        hidden = [hidden]
    found = []
    for item in hidden:
        for artist in item if isinstance(item, (tuple, list)) else [item]:
            if not isinstance(artist, Artist) or isinstance(artist, QuadMesh):
                raise TypeError(f"hidden holds {artist!r}: lines, texts, patches, collections and legends are allowed")
            if artist.get_figure() is not fig:
                raise ValueError(f"hidden holds {artist!r}, which is not in the figure given as fig")
            found.append(artist)
    if found and predict is None:
        raise ValueError("hidden is given without predict: nothing would ever show what it hides")
    return found


def _checked_artist(fig, artist, value, lengths):
    kinds = Line2D, Text, Rectangle
    what = f"artists[{_title(artist)!r}]" if isinstance(artist, kinds) else f"artists[{artist!r}]"
    if not isinstance(artist, kinds):
        raise TypeError(f"{what}: a Line2D, a Text or a Rectangle is allowed; ax.plot returns a list of lines, ax.bar one of bars")
    if artist.get_figure() is not fig:
        raise ValueError(f"{what} is not in the figure given as fig")
    if not artist.get_visible():
        raise ValueError(f"{what} is invisible")
    if isinstance(artist, Text):
        return _checked_text(artist, value, lengths, what)
    if isinstance(artist, Rectangle):
        return _checked_bar(artist, value, lengths, what)
    if artist.get_markevery() is not None or artist.get_drawstyle() != "default":
        raise ValueError(f"{what}: markevery and drawstyle are not supported")
    static = [np.asarray(a, float) for a in artist.get_data(orig=False)]
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ValueError(f"{what} is a tuple of {len(value)}: (x, y) is allowed")
        x, y = (_checked_points(v, lengths, f"{what}[{k}]") for k, v in enumerate(value))
        if 1 not in (x.shape[-1], y.shape[-1]) and x.shape[-1] != y.shape[-1]:
            raise ValueError(f"{what}: x has {x.shape[-1]} points and y has {y.shape[-1]}")
        return Moving(artist, x, y)
    values = _checked_points(value, lengths, what)
    rest = [s.reshape((1,) * len(lengths) + (-1,)) for s in static]
    vertical = not _along(artist, 0) and _along(artist, 1)
    if not vertical and values.shape[-1] not in (1, len(static[1])):
        raise ValueError(f"{what} has {values.shape[-1]} points: the line has {len(static[0])}; give (x, y) to move both")
    values = np.broadcast_to(values, values.shape[:-1] + (len(static[0]),))
    return Moving(artist, values, rest[1]) if vertical else Moving(artist, rest[0], values)


def _checked_bar(bar, value, lengths, what):
    """A bar's five corners, its end between the second and third."""
    if bar.get_transform() != bar.get_patch_transform() + bar.axes.transData or bar.angle:
        raise ValueError(f"{what}: a bar of ax.bar or ax.barh is allowed")
    holder = [c for c in bar.axes.containers if bar in c]
    lying = bool(holder) and holder[0].orientation == "horizontal"
    begin, length = value if isinstance(value, tuple) and len(value) == 2 else (None, value)
    length = _checked_points(length, lengths, what)
    begin = np.full((1,) * (len(lengths) + 1), bar.get_x() if lying else bar.get_y()) if begin is None else (
        _checked_points(begin, lengths, f"{what}[0]"))
    if length.shape[-1] != 1 or begin.shape[-1] != 1:
        raise ValueError(f"{what} has more than one length: shape {lengths} is allowed")
    side, width = (bar.get_y(), bar.get_height()) if lying else (bar.get_x(), bar.get_width())
    along = np.concatenate(np.broadcast_arrays(begin, begin + length, begin + length, begin, begin), -1)
    across = np.array([side, side, side + width, side + width, side]).reshape((1,) * len(lengths) + (5,))
    return Moving(bar, along, across) if lying else Moving(bar, across, along)


_END = [1, 2]


def _along(line, axis):
    """Is this coordinate of the line a fraction of the axes, as y is for axvline?"""
    transform = line.get_transform()
    blended = (line.axes.get_xaxis_transform(which="grid"), line.axes.get_yaxis_transform(which="grid"))
    return transform == blended[0] if axis else transform == blended[1]


def _checked_points(value, lengths, what):
    values = np.ma.filled(np.ma.asarray(value, dtype=float), np.nan)
    if values.ndim == len(lengths):
        values = values[..., None]
    fits = values.ndim == len(lengths) + 1 and all(a in (1, b) for a, b in zip(values.shape, lengths))
    if not fits or values.shape[-1] == 0:
        raise ValueError(f"{what} has shape {np.shape(value)}: {lengths} and then the points is allowed, "
                         "with 1 for a slider it does not depend on")
    return values


def _checked_text(text, value, lengths, what):
    if isinstance(value, tuple) and isinstance(value[-1], str):
        values, form = value
        values = np.asarray(values)
        words = [re.sub(r"-(?=\d)", "−", form.format(v)) for v in values.ravel().tolist()]
        value = np.array(words).reshape(values.shape)
    x = y = None
    if isinstance(value, tuple):
        if len(value) not in (2, 3):
            raise ValueError(f"{what} is a tuple of {len(value)}: (values, format), (x, y) or (x, y, strings) is allowed")
        x, y = (_checked_points(v, lengths, f"{what}[{k}]") for k, v in enumerate(value[:2]))
        if x.shape[-1] != 1 or y.shape[-1] != 1:
            raise ValueError(f"{what}: a text has one place, of shape {lengths}")
        if len(value) == 2:
            return Moving(text, x, y)
        value = value[2]
    words = np.asarray(value)
    if words.dtype.kind != "U":
        raise TypeError(f"{what} holds {words.dtype}: strings are allowed, or (values, format)")
    if words.ndim != len(lengths) or any(a not in (1, b) for a, b in zip(words.shape, lengths)):
        raise ValueError(f"{what} has shape {words.shape}: {lengths} is allowed, with 1 for a slider it does not depend on")
    if any("\n" in w or "$" in w for w in words.flat):
        raise ValueError(f"{what}: read-outs are one line of plain text, without $")
    return Moving(text, x, y, words)


def _title(artist):
    label = artist.get_label()
    if isinstance(artist, Text):
        return label or "text"
    if isinstance(artist, Rectangle):
        return label if label and not label.startswith("_") else "bar"
    return label if not label.startswith("_") else "line" if artist.get_linestyle() != "None" else "marker"


# --- from figure to page


def _compose(fig, controls, moving, alt, start, handles, name, play, predict, hidden):
    titles = [_title(m.artist) for m in moving]
    known = json.dumps([alt, name, [[c.name, c.labels] for c in controls], titles], ensure_ascii=False)
    prefix = "d" + hashlib.sha256(known.encode()).hexdigest()[:8]
    streams, specs = [], []
    restore = _memory(fig, moving)
    dpi, layout = fig.dpi, fig.get_layout_engine()
    try:
        _hold_every_position(moving)
        fig.set_dpi(72)
        _pose(moving, start)
        fig.draw_without_rendering()
        fig.set_layout_engine("none")
        height = fig.bbox.height
        for m in moving:
            specs.append(_stored(m, height, streams))
        png = _fallback(fig)
        size = fig.bbox.width, height
        drawing = _drawing(moving, predict, start, height) if predict is not None and predict.line else None
        svg = _drawn_with_ids(fig, moving, prefix, hidden)
        _pose(moving, start)
    except Exception:
        restore()
        raise
    finally:
        fig.set_dpi(dpi)
        fig.set_layout_engine(layout)
    plt.close(fig)
    extra = _KNOB * len(handles) + (_pad(drawing, predict) if drawing else "")
    svg = svg.removesuffix("</svg>") + extra + "</svg>"
    spec = {"id": prefix, "name": name or prefix, "start": start, "handles": handles, "artists": specs, "svg": svg,
            "controls": [{"name": c.name, "labels": c.labels} for c in controls]} | ({"draw": drawing} if drawing else {})
    summary = _summary(controls, moving, titles, start) + (f"\n  {predict.summary}" if predict is not None else "")
    return {"controls": controls, "start": start, "payload": _packed(spec, streams), "png": png, "summary": summary,
            "html": _skeleton(controls, start, alt, prefix, name or prefix, png, size, play, predict)}


def _memory(fig, moving):
    """Return a function that puts the figure back as it is now."""
    before = [(m.artist, m.artist.properties()) for m in moving]
    limits = [(ax, ax.viewLim.frozen(), ax.dataLim.frozen(), ax.get_autoscalex_on(), ax.get_autoscaley_on()) for ax in fig.axes]

    def restore():
        for artist, was in before:
            artist.set_gid(was["gid"])
            if isinstance(artist, Rectangle):
                artist.set_bounds(*was["xy"], was["width"], was["height"])
            elif isinstance(artist, Text):
                artist.set(text=was["text"], position=was["position"])
            else:
                artist.set_data(was["xdata"], was["ydata"])
        for ax, view, data, x, y in limits:
            ax.viewLim.set(view)
            ax.dataLim.set(data)
            ax.set_autoscalex_on(x)
            ax.set_autoscaley_on(y)

    return restore


def _hold_every_position(moving):
    """Widen the limits that the author left automatic."""
    for m in moving:
        if isinstance(m.artist, Rectangle) or isinstance(m.artist, Line2D) and m.artist.get_transform() == m.artist.axes.transData:
            points = np.stack(np.broadcast_arrays(m.x, m.y), -1).reshape(-1, 2)
            m.artist.axes.update_datalim(points[np.isfinite(points).all(-1)])
            m.artist.axes.autoscale_view()


def _at(array, index):
    return array[tuple(i if n > 1 else 0 for i, n in zip(index, array.shape))]


def _pose(moving, index):
    for m in moving:
        if m.x is not None:
            x, y = np.broadcast_arrays(_at(m.x, index), _at(m.y, index))
            if isinstance(m.artist, Rectangle):
                m.artist.set_bounds(x[0], y[0], x[2] - x[0], y[2] - y[0])
            elif isinstance(m.artist, Annotation):
                m.artist.xy = x[0], y[0]
            elif isinstance(m.artist, Text):
                m.artist.set_position((x[0], y[0]))
            else:
                m.artist.set_data(x, y)
        if m.words is not None:
            m.artist.set_text(_at(m.words, index))


def _stored(m, height, streams):
    """Append the artist's streams; return its entry of the payload's header."""
    entry = {}
    if m.x is not None:
        artist = m.artist
        transform = artist.axes.transData if isinstance(artist, (Annotation, Rectangle)) else artist.get_transform()
        x, y, every = _pixels(m.x, m.y, transform, height, isinstance(artist, Rectangle))
        entry = {"x": len(streams), "y": len(streams) + 1, "every": every}
        streams += [_quantised(x), _quantised(y)]
    if m.words is not None:
        strings, index = np.unique(m.words, return_inverse=True)
        entry |= {"words": len(streams), "strings": strings.tolist()}
        streams.append(index.reshape(*m.words.shape, 1).astype("<u2"))
    return entry


def _pixels(x, y, transform, height, is_bar):
    """Return x and y in points from the top left, each only as large as what it depends on, and slots per point."""
    with np.errstate(all="ignore"):
        both = np.stack(np.broadcast_arrays(x, y), -1)
        p = transform.transform(both.reshape(-1, 2)).reshape(both.shape)
        p[..., 1] = height - p[..., 1]
        p[~np.isfinite(p).all(-1)] = np.nan
        if is_bar:
            p = np.clip(p, NEAR, FAR)
        if np.any((p < NEAR) | (p > FAR)):
            return *np.moveaxis(_clipped_far_away(p), -1, 0), 3
    px, py = (_collapsed(p[..., c], a.shape) for c, a in ((0, x), (1, y)))
    return px, py, 1


def _collapsed(p, shape):
    """Keep one copy of ``p`` along the axes that its data, of this shape, do not vary along (a NaN may be the other's)."""
    axes = tuple(k for k, n in enumerate(shape[:-1]) if n == 1)
    small = np.fmax.reduce(p, axis=axes, keepdims=True)
    return small if np.all((p == small) | np.isnan(p)) else p


def _clipped_far_away(p):
    """Clip segments to a square far outside the picture: moving a far point alone would bend the line.

    Each point becomes three: the end of the segment before it, itself (a gap when far away), the start of the next.
    """
    a, d = p[..., :-1, :], np.diff(p, axis=-2)
    with np.errstate(all="ignore"):
        t = np.stack([(NEAR - a) / d, (FAR - a) / d])
        enter = np.clip(np.fmin(*t).max(-1), 0, None)[..., None]
        leave = np.clip(np.fmax(*t).min(-1), None, 1)[..., None]
        missed = enter > leave
        far = ((p < NEAR) | (p > FAR)).any(-1, keepdims=True)
        itself = np.where(far, np.nan, p)
        before, after = itself.copy(), itself.copy()
        after[..., :-1, :] = np.where(missed, np.nan, a + enter * d)
        before[..., 1:, :] = np.where(missed, np.nan, a + leave * d)
    return np.stack([before, itself, after], -2).reshape(*p.shape[:-2], -1, 2)


def _quantised(p):
    return np.where(np.isnan(p), GAP, np.rint(np.nan_to_num(p) * STEP) + ZERO).astype("<u2")


def _packed(spec, streams):
    """Deflate one line of JSON, the streams' low bytes and their high bytes; as base64."""
    best = [_best_delta(s) for s in streams]
    spec = spec | {"streams": [{"shape": s.shape, "delta": axes} for s, (axes, _) in zip(streams, best)]}
    header = json.dumps(spec, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    low, high = (b"".join(_plane(coded, k) for _, coded in best) for k in (0, 1))
    return "base64," + base64.b64encode(zlib.compress(header + low + high, 9)).decode()


def _plane(stream, k):
    return stream.astype("<u2").view(np.uint8).reshape(-1, 2)[:, k].tobytes()


def _best_delta(stream):
    """Take differences along the axes that make the stream smallest."""
    last = stream.ndim - 1
    longer = [k for k in range(last) if stream.shape[k] > 1]
    options = [[], [last], longer[-1:], longer[-1:] + [last], longer + [last]]
    coded = []
    for axes in options:
        values = stream
        for axis in axes:
            values = np.diff(values, axis=axis, prepend=np.zeros_like(values.take([0], axis)))
        coded.append((axes, values))
    return min(coded, key=lambda c: len(zlib.compress(_plane(c[1], 0) + _plane(c[1], 1))))


def _drawn_with_ids(fig, moving, prefix, hidden):
    """Draw with every animated artist somewhere visible: the page puts it where it belongs."""
    known = {m.artist: f"{prefix}-a{k}" for k, m in enumerate(moving)}
    known |= {a: f"{prefix}-h{k}" for k, a in enumerate(hidden) if a not in known}
    before = [a.get_gid() for a in known]
    for artist, gid in known.items():
        artist.set_gid(gid)
    for m in moving:
        if isinstance(m.artist, Line2D):
            centre = m.artist.axes.transAxes.transform((0.5, 0.5))
            x, y = m.artist.get_transform().inverted().transform(centre)
            m.artist.set_data([x, x], [y, y])
        elif m.words is not None:
            m.artist.set_text("·")
        elif isinstance(m.artist, Rectangle):
            corner, opposite = m.artist.axes.transData.inverted().transform(
                m.artist.axes.transAxes.transform([(0.4, 0.4), (0.6, 0.6)]))
            m.artist.set_bounds(*corner, *(opposite - corner))
    for area in fig.findobj(lambda a: isinstance(a, QuadMesh) or isinstance(a, ContourSet) and a.filled):
        area.set_rasterized(True)
    svg = drawn(fig, prefix)
    for artist, gid in zip(known, before):
        artist.set_gid(gid)
    for artist in hidden:
        mark = f'id="{known[artist]}"'
        if mark not in svg:
            raise ValueError(f"hidden holds {artist!r}, which leaves no trace in the drawing: hide its parts")
        svg = svg.replace(mark, f'{mark} class="descent-hidden"')
    body, end = svg.index(">") + 1, svg.rindex("</svg>")
    return f'{svg[:body]}<g aria-hidden="true">{svg[body:end]}</g>{svg[end:]}'


_KNOB = ('<g class="descent-handle" tabindex="0" role="slider" aria-valuemin="0" aria-valuenow="0">'
         '<circle r="22"/><circle class="descent-halo" r="9"/>'
         '<circle class="descent-ring" r="9"/></g>')


def _drawing(moving, predict, start, height):
    """What the page needs to take a drawn curve and to compare it: the axes, and the true heights on their scale."""
    m = next(m for m in moving if m.artist is predict.line)
    ax = m.artist.axes
    x, y = np.broadcast_arrays(_at(m.x, start), _at(m.y, start))
    with np.errstate(all="ignore"):
        scale = np.log10 if ax.get_yscale() == "log" else np.asarray
        low, high = scale(ax.get_ylim())
        truth = np.clip(scale(y), *sorted((low, high)))
        pixels = ax.transData.transform(np.stack([x, np.full(len(x), ax.get_ylim()[0])], -1))[:, 0]
    seen = np.isfinite(truth) & (pixels >= ax.bbox.x0 - 0.1) & (pixels <= ax.bbox.x1 + 0.1)
    if seen.sum() < 2 or np.any(np.diff(pixels) <= 0):
        raise ValueError("draw's line must go from left to right, with at least two points in the picture")
    inside = np.flatnonzero(seen)
    goals = np.linspace(pixels[inside[0]], pixels[inside[-1]], min(KNOBS, len(inside)))
    knobs = sorted({int(inside[np.argmin(np.abs(pixels[inside] - g))]) for g in goals})
    corners = ax.bbox.x0, height - ax.bbox.y1, ax.bbox.x1, height - ax.bbox.y0
    return {"artist": [n.artist for n in moving].index(m.artist), "box": [round(c, 1) for c in corners], "low": _six(low),
            "high": _six(high), "log": int(scale is np.log10), "truth": [_six(v) if s else None for v, s in zip(truth, seen)],
            "knobs": knobs, "labels": [f"{v:.4g}".replace("-", "−") for v in x[knobs]]}


def _six(number):
    return float(f"{number:.7g}")


def _pad(drawing, predict):
    """The sheet over the axes that is drawn on, the reader's curve, and the knobs of the same curve for arrow keys."""
    left, top, right, bottom = drawing["box"]
    x = predict.line.axes.get_xlabel() or "x"
    low, high = drawing["low"], drawing["high"]
    knobs = "".join(
        f'<g role="slider" tabindex="0" aria-label="{markup.escape(predict.prompt)} At {markup.escape(x)} = {label}" '
        f'aria-valuemin="{min(low, high)}" aria-valuemax="{max(low, high)}" aria-valuenow="{low}">'
        '<circle class="descent-ring" r="7"/></g>' for label in drawing.pop("labels"))
    return (f'<path class="descent-mine"/><g class="descent-pad"><rect x="{left}" y="{top}" width="{right - left:.1f}" '
            f'height="{bottom - top:.1f}"/>{knobs}</g>')


def _fallback(fig):
    """Return the picture as it is drawn now, sharp on a fine screen and in print, as a small PNG in base64."""
    big, small = io.BytesIO(), io.BytesIO()
    fig.savefig(big, format="png", dpi=SHARP, bbox_inches=None)
    Image.open(big).convert("RGB").quantize(32, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        small, format="png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def _skeleton(controls, start, alt, prefix, name, png, size, play, predict):
    rows = []
    for k, (c, i) in enumerate(zip(controls, start)):
        label = markup.escape(c.name)
        if c.is_choice:
            radios = "".join(
                f'<label class="nohighlight"><input type="radio" name="{prefix}-{k}" disabled{" checked" * (n == i)}>{markup.escape(s)}</label>'
                for n, s in enumerate(c.labels))
            rows.append(f'<div role="radiogroup" aria-label="{label}" data-control><span class="nohighlight">{label}</span>'
                        f'<span class="descent-choices">{radios}</span></div>')
        else:
            button = f'<button type="button" class="descent-play" aria-label="Play {label}"></button>' if c.name == play else ""
            kind = "div" if button else "label"
            rows.append(f'<{kind} data-control><span class="nohighlight">{label}{button}</span>'
                        f'<input type="range" min="0" max="{len(c.labels) - 1}" '
                        f'value="{i}" aria-label="{label}" aria-valuetext="{c.labels[i]}" disabled>'
                        f'<output class="nohighlight" style="min-width:{max(map(len, c.labels))}ch">{c.labels[i]}</output></{kind}>')
    alt = markup.escape(alt)
    width, height = (1.75 * s for s in size)
    waits = f' data-predict="{predict.kind}" data-waiting' if predict is not None else ""
    before, after = (predict.before, predict.after) if predict is not None else ("", "")
    high = len(controls) + (2 if predict is not None else 0)
    return (f'<div class="descent" role="figure" aria-label="{alt}" style="--width:{width:.0f}px;--rows:{high}" '
            f'data-name="{name}"{waits}>{before}'
            f'<img src="data:image/png;base64,{png}" alt="{alt}" width="{width:.0f}" height="{height:.0f}">{after}'
            f'<form hidden>{"".join(rows)}</form><span class="descent-aloud nohighlight" aria-live="polite"></span></div>')


def _summary(controls, moving, titles, start):
    """What nbval compares: every number with at most 6 significant digits."""
    lines = ["explore"]
    for c, i in zip(controls, start):
        lines.append(f"  {c.name}: {len(c.labels)} positions, {c.labels[0]} to {c.labels[-1]}, start {c.labels[i]}")
    for m, title in zip(moving, titles):
        parts = [f"{key} {a.shape} {_range(a, scale)}" for key, a, scale in zip(
            "xy", (m.x, m.y), _scales(m.artist)) if a is not None]
        if m.words is not None:
            parts.append(f"words {m.words.shape} {str(_at(m.words, start))!r}")
        lines.append(f"  {title}: " + ", ".join(parts))
    return "\n".join(lines)


def _scales(artist):
    ax = artist.axes  # a text may stand on the figure alone
    return (ax.get_xscale(), ax.get_yscale()) if ax is not None else ("linear", "linear")


def _range(a, scale):
    finite = a[np.isfinite(a)]
    if not finite.size:
        return "empty"
    ends = np.array([finite.min(), finite.max()])
    if scale != "log":  # one of them may be what rounding leaves of a zero, on each processor another
        ends[abs(ends) < 1e-12 * abs(ends).max()] = 0
    return "{:.6g} to {:.6g}".format(*ends)


# --- and back


def decode(page):
    """Return what a figure holds, from its ``text/html`` or from the `Explorer` itself.

    A dict with ``name``; ``svg``; ``controls``, label to the labels of its positions; ``start``; and ``artists``, a list of dicts
    with ``x`` and ``y`` in points from the picture's top left (arrays that end in a points axis, length 1 for a slider
    that changes nothing, NaN for a gap) and ``words`` (an array of strings), as far as the artist has them; ``draw``, the axes
    and the true heights on their scale where a curve is to be drawn.
    """
    text = page.html if isinstance(page, Explorer) else page
    found = re.search(r'"base64,([A-Za-z0-9+/=]+)"', text)
    if not found:
        raise ValueError("page holds no payload of an interactive figure")
    header, _, planes = zlib.decompress(base64.b64decode(found[1])).partition(b"\n")
    spec = json.loads(header)
    low, high = np.frombuffer(planes, np.uint8).reshape(2, -1).astype(np.uint16)
    values, at, streams = low | high << 8, 0, []
    for s in spec["streams"]:
        stream = values[at : at + int(np.prod(s["shape"]))].reshape(s["shape"])
        at += stream.size
        for axis in s["delta"]:
            stream = np.cumsum(stream, axis=axis, dtype=np.uint16)
        streams.append(stream)
    artists = []
    for entry in spec["artists"]:
        artist = {c: np.where(streams[entry[c]] == GAP, np.nan, (streams[entry[c]] - float(ZERO)) / STEP)
                  for c in ("x", "y") if c in entry}
        if "words" in entry:
            artist["words"] = np.array(entry["strings"])[streams[entry["words"]][..., 0]]
        artists.append(artist)
    return {"name": spec["name"], "svg": spec["svg"], "start": spec["start"], "artists": artists, "draw": spec.get("draw"),
            "controls": {c["name"]: c["labels"] for c in spec["controls"]}}
