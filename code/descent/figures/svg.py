"""A matplotlib figure as small SVG text whose colours follow the page's light or dark theme."""

import io
import re
from xml.etree import ElementTree

import matplotlib as mpl

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
# The page's colours in both themes, as explore.css names them: --paper and --ink.
LIGHT, DARK = ("#ffffff", "#1c1c1e"), ("#121212", "#e6e6e6")
DULL = {"stroke-linejoin: round", "stroke-linecap: butt", "stroke-dashoffset: 0", "text-anchor: start"}


def drawn(fig, prefix):
    """Return the figure as one ``<svg>`` element; ids that start with ``prefix`` survive, others are renamed."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "descent"}):
        buffer = io.BytesIO()
        fig.savefig(buffer, format="svg", dpi=144, bbox_inches=None,
                    metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(buffer.getvalue())
    _rename_ids(root, prefix)
    for axes in root.iter(f"{SVG}g"):
        # imshow is an image in a group, pcolormesh an image in the axes
        on_heat_map = axes.get("id", "").startswith("axes_") and any(
            axes.find(path) is not None for path in (f"{SVG}g/{SVG}image", f"{SVG}image"))
        for node in axes.iter():
            if on_heat_map and node.get("clip-path"):
                for part in node.iter():
                    part.set("fixed", "")
    _tidy(root)
    for name in "text", "tspan":
        for node in root.iter(f"{SVG}{name}"):
            node.set("class", "nohighlight")  # search marks no words in it
    return _text(root)


def _rename_ids(root, prefix):
    """Keep the ids of animated artists, name those that are referred to in order, leave the axes for `drawn`."""
    text = ElementTree.tostring(root, encoding="unicode")
    used = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', text))
    names = {old: f"{prefix}-{i}" for i, old in enumerate(used)}
    for node in root.iter():
        old = node.get("id", "")
        if old in names:
            node.set("id", names[old])
        elif not old.startswith((prefix, "axes_")):
            node.attrib.pop("id", None)
        if XLINK in node.attrib:
            target = node.attrib.pop(XLINK)
            node.set("href", "#" + names[target[1:]] if target.startswith("#") else target)
        if "clip-path" in node.attrib:
            node.set("clip-path", re.sub(r"#([^)]+)", lambda m: "#" + names[m[1]], node.get("clip-path")))


def _tidy(node, in_defs=False):
    in_defs = in_defs or node.tag == f"{SVG}defs"
    node.text = (node.text or "").strip() or None
    node.tail = (node.tail or "").strip() or None if node.tag == f"{SVG}tspan" else None
    fixed = node.attrib.pop("fixed", None) is not None
    if node.get("id", "").startswith("axes_"):
        del node.attrib["id"]
    if "style" in node.attrib:
        style = _style(node, fixed)
        node.set("style", style) if style else node.attrib.pop("style")
    for name in {"d", "x", "y", "width", "height", "transform", "points"} & set(node.attrib):
        short = _short(node.get(name), 2 if in_defs or name == "transform" else 1)
        short = re.sub(r"rotate\(-?0 [^)]*\)|rotate\(-?0\)", "", short).strip()
        node.set(name, short) if short else node.attrib.pop(name)
    for child in list(node):
        if child.tag in (f"{SVG}metadata", f"{SVG}style"):
            node.remove(child)
        else:
            _tidy(child, in_defs)
    flat = []
    for child in node:
        flat += list(child) if child.tag == f"{SVG}g" and not child.attrib else [child]
    node[:] = [c for c in flat if len(c) or c.attrib or c.text]


def _short(text, digits):
    text = re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda m: f"{float(m[0]):.{digits}f}".rstrip("0").rstrip("."), text)
    return re.sub(r"\s*([MLCQz])\s*", r"\1", text).replace("\n", " ").strip()


def _style(node, fixed):
    is_text = node.tag in (f"{SVG}text", f"{SVG}tspan")
    out = []
    for item in filter(None, (s.strip() for s in node.get("style").split(";"))):
        key, _, value = item.partition(": ")
        if key in ("fill", "stroke") and value.startswith("#") and not fixed:
            value = themed(value, 4.5 if is_text else 3, solid=key == "fill" and node.tag == f"{SVG}path")
        elif key == "font-family" and "DejaVu Sans'" in value:
            continue
        elif key in ("stroke-width", "stroke-dasharray"):
            value = _short(value, 2)
        elif key == "font-size":
            value = f"calc({_short(value, 2)}*var(--zoom,1))"
        if f"{key}: {value}" not in DULL:
            out.append(f"{key}:{value}")
    if fixed and not any(s.startswith("fill:") for s in out):
        out.append("fill:#000")
    return ";".join(out)


def themed(color, contrast, solid=False):
    """Return a CSS colour that reaches ``contrast`` on the light and on the dark page.

    Greys become shades between paper and ink, and stay as faint as they were drawn unless they are text.
    A hue is mixed with as much ink as it needs, unless it fills an area.

    >>> themed("#000000", 3)
    'currentColor'
    >>> themed("#0072b2", 3)
    '#0072b2'
    """
    r, g, b = _rgb(color)
    if max(r, g, b) - min(r, g, b) < 0.03:
        if color == "#ffffff":
            return "var(--paper)" if solid else color
        ink = round(100 * (1 - r))
        while contrast > 3 and ink < 100 and not all(
            _contrast(_mix(_rgb(paper), _rgb(i), ink / 100), _rgb(paper)) >= contrast for paper, i in (LIGHT, DARK)
        ):
            ink += 1
        return "currentColor" if ink == 100 else f"color-mix(in srgb,currentColor {ink}%,var(--paper))"
    if solid:
        return color
    for ink in range(0, 100, 5):
        if all(_contrast(_mix((r, g, b), _rgb(i), ink / 100), _rgb(paper)) >= contrast for paper, i in (LIGHT, DARK)):
            break
    return color if ink == 0 else f"color-mix(in srgb,{color},currentColor {ink}%)"


def _rgb(color):
    return mpl.colors.to_rgb(color)


def _mix(color, ink, share):
    return [c * (1 - share) + i * share for c, i in zip(color, ink)]


def _contrast(a, b):
    dark, light = sorted(map(_luminance, (a, b)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear))


def _text(root):
    root.attrib = {"viewBox": root.get("viewBox")}
    text = ElementTree.tostring(root, encoding="unicode").replace("ns0:", "")
    return re.sub(r' xmlns:\w+="[^"]*"', "", text).replace(" />", "/>")
