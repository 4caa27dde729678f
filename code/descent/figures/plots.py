"""How the book's pictures look: one colour and one line style per method, and a few figure helpers.

>>> from descent.figures.plots import STYLE
>>> STYLE["adam"]["color"]
'#d55e00'
"""

import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

__all__ = ["STYLE", "contours", "label_lines", "use_style"]


def _style(label, color, linestyle, linewidth=1.8):
    return {"label": label, "color": color, "linestyle": linestyle, "linewidth": linewidth}


# Every colour has a contrast of at least 3:1 on white and on the book's dark page (luminance .12 to .30),
# so hue alone would not do: the line styles tell the methods apart in grey and to colour-blind readers.
STYLE = {
    "gradient_descent": _style("gradient descent", "#767676", (0, (1.2, 1.4))),
    "momentum": _style("momentum", "#a6611a", (0, (6, 1.5, 1.2, 1.5))),
    "nesterov": _style("Nesterov", "#8a6d00", (0, (6, 1.5, 1.2, 1.5, 1.2, 1.5))),
    "sign_descent": _style("sign descent", "#4d7c0f", (0, (2.5, 1.5))),
    "adagrad": _style("AdaGrad", "#00876c", (0, (8, 2))),
    "rmsprop": _style("RMSprop", "#0072b2", (0, (4.5, 1.6))),
    "adam": _style("Adam", "#d55e00", "solid", 2.1),
    "adamw": _style("AdamW", "#c03d8a", (0, (9, 1.5, 2.5, 1.5))),
    "amsgrad": _style("AMSGrad", "#7a5bd0", (0, (3, 1.2, 3, 3))),
}
GREY = "#9a9a9a"

RC = {
    "figure.figsize": (5.0, 3.2),
    "figure.dpi": 120,
    "savefig.dpi": 120,
    "figure.constrained_layout.use": True,
    "font.size": 9.5,
    "axes.titlesize": "medium",
    "axes.labelsize": "medium",
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.xmargin": 0.02,
    "axes.prop_cycle": mpl.cycler(
        color=["#0072b2", "#d55e00", "#00876c", "#c03d8a", "#767676"],
        linestyle=["solid", (0, (4.5, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.5, 1.2, 1.5)), (0, (8, 2))],
    ),
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "lines.dash_capstyle": "butt",
    "legend.frameon": False,
    "image.cmap": "cividis",
}


def use_style():
    """Make the book's style the default of this session; as ``with plt.rc_context(RC)`` for one figure.

    In a notebook, pictures get two pixels where the page shows one: sharp on a fine screen.
    """
    plt.rcParams.update(RC)
    ipython = sys.modules.get("IPython")
    if ipython and ipython.get_ipython():
        from matplotlib_inline.backend_inline import set_matplotlib_formats
        set_matplotlib_formats("retina")


def contours(ax, f, xlim, ylim, levels=12, points=121, **style):
    """Draw grey contours of ``f(theta)`` on a rectangle and fix the axes to it.

    ``f`` takes an array of shape ``(..., 2)``, as the objectives in `descent.problems` do.
    ``levels`` is a number, spaced so that the lines of a quadratic are evenly apart, or a sequence of heights.
    """
    x, y = np.meshgrid(np.linspace(*xlim, points), np.linspace(*ylim, points))
    z = np.asarray(f(np.stack([x, y], -1)))
    if np.ndim(levels) == 0:
        levels = z.min() + (z.max() - z.min()) * np.linspace(0, 1, int(levels) + 1)[1:] ** 2
    drawn = ax.contour(x, y, z, levels=levels, **{"colors": GREY, "linewidths": 0.7} | style)
    ax.set(xlim=xlim, ylim=ylim)
    return drawn


def label_lines(ax, lines=None, offset=4):
    """Write each line's label at its right end, in its colour, pushed apart where labels would touch.

    Returns the texts in the order of ``lines`` (default: every labelled line of ``ax``).
    """
    if lines is None:
        lines = [line for line in ax.get_lines() if not line.get_label().startswith("_")]
    ax.figure.draw_without_rendering()
    height = mpl.font_manager.FontProperties(size=mpl.rcParams["font.size"]).get_size_in_points() * 1.15
    ends = []
    for line in lines:
        x, y = (np.ma.getdata(a).astype(float) for a in line.get_data(orig=False))
        last = np.flatnonzero(np.isfinite(x) & np.isfinite(y))[-1]
        ends.append((x[last], y[last]))
    points = ax.transData.transform(ends)[:, 1] * 72 / ax.figure.dpi
    shifts = np.zeros(len(lines))
    order = np.argsort(points, kind="stable")
    for below, above in zip(order, order[1:]):
        gap = points[above] - points[below] - shifts[below]
        shifts[above] = max(0.0, height - gap)
    shifts -= shifts.mean()
    return [
        ax.annotate(line.get_label(), end, xytext=(offset, shift), textcoords="offset points",
                    color=line.get_color(), va="center", annotation_clip=False)
        for line, end, shift in zip(lines, ends, shifts)
    ]
