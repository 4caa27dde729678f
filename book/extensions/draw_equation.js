// Runs in V8 while the book is built (equations.py): TeX in, one outline and MathML out.

const M = MathJax._, adaptor = M.adaptors.liteAdaptor.liteAdaptor({fontSize: 16});
M.handlers.html_ts.RegisterHTMLHandler(adaptor);
const page = M.mathjax.mathjax.document("", {
  InputJax: new M.input.tex_ts.TeX({
    packages: ["base", "ams"],
    formatError: (jax, error) => { throw new Error(error.message); },
  }),
  OutputJax: new M.output.svg_ts.SVG({fontCache: "none", font: new M.output.svg.fonts.tex_ts.TeXFont()}),
});

function draw(tex, display) {
  const item = new page.options.MathItem(tex, page.inputJax[0], display);
  item.setMetrics(16, 8, 1e6, 1e6, 1);
  try {
    item.convert(page);
    const svg = adaptor.firstChild(item.typesetRoot), {width, height, viewBox} = svg.attributes;
    return JSON.stringify({
      width, height, style: display ? "" : svg.styles.cssText,
      box: viewBox.split(" ").map(Math.round).join(" "),   // spaces: Firefox misreads "0-750"
      path: svg.children.map((el) => outlines(el, [1, 1, 0, 0])).join(""),
      mathml: spoken(item.root).join(""),
    });
  } catch (error) {
    return JSON.stringify({error: error.message});
  }
}

// An affine map without rotation, [sx, sy, tx, ty]: x becomes sx x + tx, y becomes sy y + ty.
const inside = (a, b) => [a[0] * b[0], a[1] * b[1], a[0] * b[2] + a[2], a[1] * b[3] + a[3]];

function moved(map, transform) {
  for (const [, kind, list] of transform.matchAll(/(\w+)\(([^)]*)\)/g)) {
    const [x, y] = list.split(/[\s,]+/).map(Number);
    if (kind === "translate") map = inside(map, [1, 1, x, y ?? 0]);
    else if (kind === "scale") map = inside(map, [x, y ?? x, 0, 0]);
    else throw new Error(`a ${kind} in the drawing`);
  }
  return map;
}

// The outlines of all that MathJax drew in an element; `clip` is the box of a stretched piece.
function outlines(el, map, clip) {
  const a = el.attributes;
  map = moved(map, a.transform ?? "");
  if (el.kind === "svg") {
    const [left, top, width, height] = a.viewBox.split(" ").map(Number);
    const place = [a.width / width, a.height / height, +(a.x ?? 0), +(a.y ?? 0)];
    map = inside(inside(map, place), [1, 1, -left, -top]);
    clip = [left, left + width, top, top + height].map((v, k) => v * map[k >> 1] + map[2 + (k >> 1)]);
  } else if (el.kind === "path") return outline(a.d, map, clip);
  else if (el.kind === "rect") {
    const [x, y, w, h] = [a.x, a.y, a.width, a.height].map(Number);
    return outline(`M${x} ${y}V${y + h}H${x + w}V${y}Z`, map, clip);
  } else if (el.kind !== "g") throw new Error(`a <${el.kind}> in the drawing: a character that MathJax's font lacks`);
  return el.children.map((child) => outlines(child, map, clip)).join("");
}

const SIZE = {M: 2, L: 2, T: 2, Q: 4, C: 6, H: 1, V: 1, Z: 0};

// A path in its place, in whole units. All but its first point is relative: the same text wherever it stands.
function outline(d, map, clip) {
  let out = "", x, y, start;
  const point = (value, axis) => {
    value = Math.round(value * map[axis]) + Math.round(map[2 + axis]);
    if (!clip) return value;
    const [low, high] = clip.slice(2 * axis, 2 * axis + 2).sort((p, q) => p - q);
    return Math.round(Math.min(Math.max(value, low), high));
  };
  for (const [, letter, list] of d.matchAll(/([A-Z])([^A-Z]*)/g)) {
    const numbers = list.match(/-?[\d.]+/g)?.map(Number) ?? [];
    for (let k = 0; k < Math.max(1, numbers.length); k += SIZE[letter] || 1) {
      if (letter === "Z") { out += "z"; [x, y] = start; continue; }
      const axes = letter === "H" ? [0] : letter === "V" ? [1] : [0, 1];
      const to = numbers.slice(k, k + SIZE[letter]).map((v, i) => point(v, axes[i % axes.length]));
      const from = {H: [x], V: [y]}[letter] ?? [x, y];
      if (x === undefined) out += "M" + run(to);
      else out += letter.toLowerCase() + run(to.map((v, i) => v - from[i % from.length]));
      if (letter === "V") y = to[0];
      else if (letter === "H") x = to[0];
      else [x, y] = to.slice(-2);
      if (letter === "M") start = [x, y];
    }
  }
  return out;
}

const run = (numbers) => numbers.join(" ").replaceAll(" -", "-");

// MathML for the ear, as a list of elements: without boxes around one thing, and without what only spaces or stretches.
const HEARD = ["mathvariant", "linethickness", "columnspan"];
const ROWS = ["mrow", "inferredMrow", "TeXAtom", "mstyle", "mpadded"];
const SILENT = ["mspace", "mphantom"];

function spoken(node) {
  if (node.kind === "text") return [node.getText().replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)];
  if (SILENT.includes(node.kind)) return [];
  const parts = node.childNodes.map(spoken);
  if (ROWS.includes(node.kind)) return parts.flat();
  if (node.isToken && !parts.flat().join("")) return [];
  // a row has any number of elements; in a fraction or a power each child is one
  const row = node.isToken || node.childNodes[0]?.isInferred;
  const inner = row ? parts.flat() : parts.map((part) => part.length === 1 ? part[0] : `<mrow>${part.join("")}</mrow>`);
  const kept = HEARD.flatMap((name) => {
    const value = node.attributes.getExplicit(name);
    return value === undefined ? [] : ` ${name}="${`${value}`.replace("-tex-", "").replace("calligraphic", "script")}"`;
  });
  return [`<${node.kind}${kept.join("")}>${inner.join("")}</${node.kind}>`];
}
