// Moves a figure that matplotlib drew once: sliders choose a position, the position's coordinates are swapped in.
// Nothing is computed here but how far a reader's drawing is off. Static pages call `page` or `question`; in a kernel
// anywidget calls `render`.

const GAP = 65535, ZERO = 20000, STEP = 10;
const points = stored => (stored - ZERO) / STEP;
const minus = label => label.replace(/-(?=\d)/g, "−");
const short = (value, digits) => String(+value.toPrecision(digits));
const all = (node, selector) => [...node.querySelectorAll(selector)];
const on = (node, kind, act, options) => node.addEventListener(kind, act, options);
const tell = (node, attributes) => { for (const name in attributes) node.setAttribute(name, attributes[name]); };
const waits = root => "waiting" in root.dataset;
// Where an event happens, in the picture's own points.
const place = (event, svg) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());

async function inflate(payload) {
  const bytes = Uint8Array.from(atob(payload.split(",")[1]), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// A payload is a line of JSON, then all low bytes, then all high bytes of the streams of uint16.
async function unpack(payload) {
  const bytes = await inflate(payload), end = bytes.indexOf(10);
  const spec = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  const half = (bytes.length - end - 1) / 2;
  let at = end + 1;
  spec.streams = spec.streams.map(({ shape, delta }) => {
    const size = shape.reduce((a, b) => a * b, 1), values = new Uint16Array(size);
    for (let i = 0; i < size; i++) values[i] = bytes[at + i] | bytes[at + half + i] << 8;
    at += size;
    const strides = shape.map((_, k) => shape.slice(k + 1).reduce((a, b) => a * b, 1));
    for (const k of delta)
      for (let i = 0, s = strides[k]; i < size; i++) if (Math.floor(i / s) % shape[k]) values[i] += values[i - s];
    const offset = index => index.reduce((sum, i, k) => sum + (shape[k] > 1 ? i * strides[k] : 0), 0);
    return { values, n: shape.at(-1), offset };
  });
  return spec;
}

function mover(spec, artist, group, start) {
  const x = spec.streams[artist.x], y = spec.streams[artist.y], words = spec.streams[artist.words];
  if (group.querySelector("text")) {
    const text = group.querySelector("text");
    const [x0, y0] = x ? at(start) : [];
    return index => {
      if (words) text.textContent = artist.strings[words.values[words.offset(index)]];
      if (x) {
        const [x1, y1] = at(index);
        tell(group, { transform: `translate(${x1 - x0} ${y1 - y0})` });
        group.style.visibility = isNaN(x1) ? "hidden" : "";
      }
    };
    function at(index) {
      const px = x.values[x.offset(index)], py = y.values[y.offset(index)];
      return px == GAP || py == GAP ? [NaN, NaN] : [points(px), points(py)];
    }
  }
  const paths = all(group, ":scope > path"), every = artist.every, { n } = x;
  let marks = all(group, "use");
  if (marks.length) {
    marks.slice(1).forEach(mark => mark.remove());
    for (let j = every; j < n; j += every) marks[0].after(marks[0].cloneNode());
    marks = all(group, "use");
  }
  return index => {
    const X = x.values, Y = y.values, ox = x.offset(index), oy = y.offset(index);
    if (paths.length) {
      let d = "", pen = "M";
      for (let j = 0; j < n; j++) {
        const px = X[ox + j], py = Y[oy + j];
        if (px == GAP || py == GAP) pen = "M";
        else { d += pen + points(px) + " " + points(py); pen = "L"; }
      }
      for (const path of paths) path.setAttribute("d", d);
    }
    marks.forEach((mark, m) => {
      const j = every == 3 ? 3 * m + 1 : m, px = X[ox + j], py = Y[oy + j], gone = px == GAP || py == GAP;
      tell(mark, gone ? { visibility: "hidden" } : { visibility: "visible", x: points(px), y: points(py) });
    });
  };
}

// A question: nothing of the answer is seen until the reader has committed, or asks to be shown.
// `revealed` is told what was said; `open` hides the answer again.
function question(root, revealed) {
  const part = name => root.querySelector(`:scope > .descent-${name}`);
  const answer = part("answer"), reply = part("reply"), said = reply.firstChild, says = all(reply, "[data-for]");
  const pills = all(answer, "[data-choice]"), input = answer.querySelector("input");
  const { right } = answer.dataset, button = name => answer.querySelector(`[data-${name}]`);
  const alt = root.ariaLabel && (root.dataset.alt ??= root.ariaLabel), api = { say: text => said.textContent = text, reveal, open, button };

  function reveal(words, choice = right && pills.findIndex(pill => pill.textContent == right)) {
    delete root.dataset.waiting;
    if (alt) root.ariaLabel = alt;
    said.textContent = words ? words + " " : "";
    for (const each of says) each.hidden = choice >= 0 && each.dataset.for != choice;
    if (!pills.includes(document.activeElement)) reply.focus({ preventScroll: true });
    revealed?.(words);
  }
  function open() {
    root.dataset.waiting = said.textContent = "";
    if (alt) root.ariaLabel = part("prompt").textContent;
    if (input) input.value = "";
    for (const pill of pills) pill.ariaPressed = false;
  }
  const verdict = same => right ? same ? " Right." : ` It is ${right}.` : "";
  pills.forEach((pill, i) => pill.onclick = () => {
    if (!waits(root)) return;
    pill.ariaPressed = true;
    reveal(`You said: ${pill.textContent}.` + verdict(pill.textContent == right), i);
  });
  const number = () => {
    const text = input.value.replace(/[\s_]/g, "").replace("−", "-"), unit = input.dataset.unit;
    const value = +(/^-?\d{1,3}(,\d{3})+(\.|$)/.test(text) ? text.replaceAll(",", "") : text.replace(",", "."));
    if (!text || !isFinite(value)) said.textContent = "A number, please, such as 40.";
    else if (waits(root)) reveal(`You said: ${minus(text)}${unit}.` + verdict(value == parseFloat(right)));
  };
  if (input) {
    button("done").onclick = number;
    input.onkeydown = event => event.key == "Enter" && number();
  }
  button("show").onclick = () => reveal(right && `It is ${right}.`);
  answer.hidden = false;
  open();
  root.dataset.live ??= "";
  return api;
}

// The reader draws a curve on the axes: one height for each abscissa. A vertical swipe is the page's, and draws nothing.
function drawing(spec, svg, root, api) {
  const { box: [left, top, right, bottom], low, high, log, truth, knobs: at } = spec.draw;
  const { values, n, offset } = spec.streams[spec.artists[spec.draw.artist].x], o = offset(spec.start);
  const X = [...values.subarray(o, o + n)].map(points);
  const pad = svg.querySelector(".descent-pad"), mine = svg.querySelector(".descent-mine");
  const knobs = all(pad, "[role=slider]");
  const scaled = y => low + (high - low) * (bottom - y) / (bottom - top);
  const between = (a, b, x, ya, yb) => ya + (yb - ya) * (b > a ? (x - a) / (b - a) : 1);
  let Y, before, from, stroke;

  function show() {
    tell(mine, { d: X.map((x, j) => isNaN(Y[j]) ? "" : (isNaN(Y[j - 1]) ? "M" : "L") + x + " " + Y[j].toFixed(1)).join("") });
    knobs.forEach((knob, i) => {
      const y = Y[at[i]] || (top + bottom) / 2, value = scaled(y);
      tell(knob, { transform: `translate(${X[at[i]]} ${y})`, "aria-valuenow": value, "aria-valuetext": minus(short(log ? 10 ** value : value, 3)) });
    });
    const drawn = Y.some(y => !isNaN(y));
    api.button("done").hidden = !drawn || !waits(root);
    return drawn;
  }
  function fill() {
    let last = -1;
    for (let j = 0; j <= n; j++) {
      if (j < n && isNaN(Y[j])) continue;
      for (let k = last + 1; k < j; k++)
        Y[k] = last < 0 ? Y[j] : j == n ? Y[last] : between(X[last], X[j], X[k], Y[last], Y[j]);
      last = j;
    }
  }
  function compare() {
    fill();
    const known = X.map((_, j) => j).filter(j => truth[j] != null);
    const off = known.reduce((sum, j) => sum + Math.abs(scaled(Y[j]) - truth[j]), 0) / known.length;
    api.reveal(log ? `Yours (dotted) is off by a factor ${(10 ** off).toPrecision(2)} on average.`
      : `Yours (dotted) is on average ${short(off, 2)} off.`);
    api.button("again").hidden = false;
    show();
  }
  function clear() {
    Y = Array(n).fill(NaN);
    api.open();
    api.button("again").hidden = true;
    show();
  }

  const clamp = y => Math.max(top, Math.min(bottom, y));
  pad.onpointerdown = event => {
    if (!event.isPrimary || event.button || !waits(root)) return;
    from = place(event, svg);
    before = [...Y];
    stroke = event.pointerType == "mouse";
    if (stroke) pad.setPointerCapture(event.pointerId);
  };
  pad.onpointermove = event => {
    if (!from) return;
    if (!stroke) {
      const to = place(event, svg), dx = Math.abs(to.x - from.x), dy = Math.abs(to.y - from.y);
      if (dx + dy < 4) return;
      if (dy > dx) return from = null;
      stroke = true;
      pad.setPointerCapture(event.pointerId);
    }
    const seen = event.getCoalescedEvents?.() ?? [];
    for (const one of seen.length ? seen : [event]) {
      const to = place(one, svg);
      X.forEach((x, j) => {
        if (x >= Math.min(from.x, to.x) && x <= Math.max(from.x, to.x)) Y[j] = clamp(between(from.x, to.x, x, from.y, to.y));
      });
      from = to;
    }
    show();
  };
  pad.onpointerup = () => {
    if (!from || !stroke) return;
    from = null;
    const covered = X.reduce((sum, x, j) => sum + (j && !isNaN(Y[j] + Y[j - 1]) ? x - X[j - 1] : 0), 0);
    if (covered > 0.8 * (X.at(-1) - X[0])) compare();
    else if (show()) api.say("Go on to the other end, or compare.");
  };
  pad.onpointercancel = () => { if (from && stroke) { Y = before; show(); } from = null; };
  knobs.forEach((knob, i) => knob.onkeydown = event => {
    const by = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5, Home: -50, End: 50 }[event.key];
    if (event.key == "Enter" && show()) compare();
    if (!by) return;
    event.preventDefault();
    if (!show()) Y.fill((top + bottom) / 2);
    fill();
    Y[at[i]] = clamp(Y[at[i]] - by * (event.shiftKey ? 5 : 1) * (bottom - top) / 50);
    for (const [a, b] of [[at[i - 1], at[i]], [at[i], at[i + 1]]])
      for (let j = a + 1; j < b; j++) Y[j] = between(X[a], X[b], X[j], Y[a], Y[b]);
    show();
  });
  api.button("done").onclick = compare;
  api.button("again").onclick = clear;
  clear();
}

async function mount(root, payload, { position, moved, settled } = {}) {
  const spec = await unpack(payload), { controls } = spec, labels = controls.map(c => c.labels);
  const unique = spec.id + Math.random().toString(36).slice(2);  // the same figure may be on the page twice
  const form = root.querySelector(":scope > form"), live = root.querySelector(":scope > .descent-aloud");
  const template = document.createElement("template");
  template.innerHTML = spec.svg.replaceAll(spec.id, unique);
  const svg = template.content.firstChild;
  const index = [...spec.start];
  const rows = all(form, "[data-control]");
  const moves = spec.artists.map((a, k) => mover(spec, a, svg.querySelector(`#${unique}-a${k}`), spec.start));
  const handles = spec.handles.map(grip);

  function draw() {
    for (const move of moves) move(index);
    for (const handle of handles) handle();
  }
  function show(k) {
    const label = minus(labels[k][index[k]]), row = rows[k], input = row.querySelector("input");
    if (input.type == "radio") all(row, "input")[index[k]].checked = true;
    else {
      input.valueAsNumber = index[k];
      tell(input, { "aria-valuetext": label });
      row.querySelector("output").textContent = label;
    }
  }
  function to(position) {
    if (position.every((i, k) => i == index[k])) return;
    position.forEach((i, k) => { if (i != index[k]) { index[k] = i; show(k); } });
    draw();
    moved?.(index);
  }
  const go = (k, i) => to(index.map((now, l) => l == k ? Math.max(0, Math.min(labels[k].length - 1, i)) : now));
  let silence, rested;
  function rest() {
    if (rested == index.join()) return;
    rested = index.join();
    settled?.(index, api);
    clearTimeout(silence);
    silence = setTimeout(() => {
      live.textContent = spec.artists.filter(a => a.strings)
        .map(a => a.strings[spec.streams[a.words].values[spec.streams[a.words].offset(index)]]).join("; ");
    }, 400);
  }
  // What a finger that turns out to scroll has moved is put back.
  function forgiving(node, begun) {
    let before;
    on(node, "pointerdown", event => { before = [...index]; begun?.(event); });
    on(node, "pointercancel", () => { if (before) { to(before); rest(); } before = null; });
  }

  // A handle's axes are ordinary sliders too; this adds dragging and, on the focused handle, arrow keys.
  function grip({ artist, axes, points: [p, q] }, nth) {
    const x = spec.streams[spec.artists[artist].x], y = spec.streams[spec.artists[artist].y];
    const middle = (s, position) => { const o = s.offset(position); return points((s.values[o + p] + s.values[o + q]) / 2); };
    const at = position => [middle(x, position), middle(y, position)];
    const along = (k, i) => at(index.map((now, l) => l == k ? i : now));
    const node = all(svg, ".descent-handle")[nth];
    tell(node, {
      "aria-label": `${axes.map(k => controls[k].name).join(", ")}: drag, or use the arrow keys`,
      "aria-valuemax": labels[axes[0]].length - 1
    });
    let grabbed;
    forgiving(node, event => {
      const p = place(event, svg), [px, py] = at(index);
      grabbed = [p.x - px, p.y - py];
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      event.preventDefault();
    });
    // Chromium does not heed touch-action on parts of an SVG.
    on(node, "touchstart", e => e.preventDefault(), { passive: false });
    on(node, "pointermove", event => {
      if (!grabbed) return;
      const p = place(event, svg), gx = p.x - grabbed[0], gy = p.y - grabbed[1], goal = [...index];
      for (const k of axes) {
        let best = Infinity;
        labels[k].forEach((_, i) => {
          const [px, py] = along(k, i), far = Math.hypot(px - gx, py - gy);
          if (far < best) { best = far; goal[k] = i; }
        });
      }
      to(goal);
    });
    on(node, "pointerup", () => { if (grabbed) { grabbed = null; rest(); } });
    on(node, "pointercancel", () => grabbed = null);
    on(node, "keydown", event => {
      const right = { ArrowRight: 1, ArrowLeft: -1 }[event.key], up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!right && !up) return;
      event.preventDefault();
      // The way that the handle goes on the screen: to the right, or up.
      const k = up ? axes.at(-1) : axes[0], a = along(k, 0), b = along(k, labels[k].length - 1);
      const way = Math.abs(b[0] - a[0]) > Math.abs(b[1] - a[1]) ? b[0] - a[0] : a[1] - b[1];
      go(k, index[k] + (right ?? up) * Math.sign(way) * (event.shiftKey ? 5 : 1));
    });
    on(node, "keyup", event => { if (event.key.startsWith("Arrow")) rest(); });
    return () => {
      const [px, py] = at(index);
      tell(node, {
        transform: `translate(${px} ${py})`, visibility: px > 4540 || py > 4540 ? "hidden" : "visible", "aria-valuenow": index[axes[0]],
        "aria-valuetext": axes.map(k => `${controls[k].name} = ${minus(labels[k][index[k]])}`).join(", ")
      });
    };
  }

  function player(button, k) {
    let timer;
    const stop = () => { if (timer) rest(); clearInterval(timer); timer = 0; button.ariaPressed = false; };
    button.onclick = () => {
      if (timer) return stop();
      const last = labels[k].length - 1;
      if (index[k] == last) go(k, 0);
      button.ariaPressed = true;
      timer = setInterval(() => index[k] == last ? stop() : go(k, index[k] + 1), Math.max(40, Math.min(250, 6000 / last)));
    };
    on(form, "input", stop);
    stop();
  }

  // Named keys (arrows, Home, ...) stay here: JupyterLab would take the focus away.
  on(root, "keydown", e => e.key[1] && e.stopPropagation());
  rows.forEach((row, k) => {
    all(row, "input").forEach((input, i) => {
      input.disabled = false;
      const radio = input.type == "radio";
      if (radio) input.name = `${unique}-${k}`;
      on(input, "input", () => go(k, radio ? i : input.valueAsNumber));
      on(input, "change", rest);
      forgiving(input);
    });
    const button = row.querySelector("button");
    if (button) player(button, k);
  });
  on(form, "submit", event => event.preventDefault());
  const api = {
    spec, index,
    set(position) {
      position.forEach((i, k) => { if (i >= 0 && i < labels[k].length) { index[k] = i; show(k); } });
      rested = index.join();
      draw();
    }
  };
  api.set(index);
  rows.forEach((_, k) => show(k));
  root.querySelector(":scope > img, :scope > svg").replaceWith(svg);
  const { predict } = root.dataset, asked = predict && question(root, words => (predict == "ask" || !words) && api.set(position?.(spec) ?? index));
  if (spec.draw) drawing(spec, svg, root, asked);
  if (!predict) api.set(position?.(spec) ?? index);
  // Notebook 7 sees a key before the figure does; it asks the focused element.
  for (const part of all(root, "input, button, [role=slider]")) part.dataset.lmSuppressShortcuts = "";
  form.hidden = false;
  root.dataset.live = "";
  return api;
}

// A setting in the address: #figure:β₂=0.99,α=0.01 ; figures are parted by ";" and whatever is not ours is kept.
// A mail program may have encoded any of it, some more than once.
const plain = text => text.normalize("NFKC").replace(/[\s+]+/g, " ").replace(/−/g, "-").trim();
const decoded = text => text.replace(/(%[\da-f]{2})+/gi, run => { try { return decodeURIComponent(run); } catch { return run; } });
const parts = () => decoded(decoded(decoded(location.hash.slice(1)))).split(";").filter(Boolean);
const names = (part, name) => name && plain(part).startsWith(plain(name) + ":");
const notebook = () => document.body.hasAttribute("data-jp-theme-light");  // JupyterLab's address is not ours
function addressed(spec) {
  const mine = parts().find(part => names(part, spec.name));
  if (!mine) return null;
  const wanted = new Map(mine.slice(mine.indexOf(":") + 1).split(",").map(pair => plain(pair).split("=")));
  return spec.controls.map(({ name, labels }, k) => {
    const value = wanted.get(plain(name)), find = text => labels.findIndex(label => plain(label) == text);
    const i = find(value) < 0 ? find(value?.replace(/\W+$/, "")) : find(value);
    return i < 0 ? spec.start[k] : i;
  });
}
function address(index, { spec }) {
  if (notebook()) return;
  const mine = `${spec.name}:` + spec.controls.map(({ name, labels }, k) => `${name}=${labels[index[k]]}`).join(",");
  const all = parts(), at = all.findIndex(part => names(part, spec.name));
  all[at < 0 ? all.length : at] = mine;
  try { history.replaceState(history.state, "", "#" + all.join(";")); }
  catch { /* browsers limit how often; the next rest writes it */ }
}
// Where the address leads: a place on the page, or the figure that is named first.
Object.defineProperty(globalThis, "descentTarget", { configurable: true, get() {
  const [first = ""] = parts();
  return document.getElementById(first) ?? all(document, ".descent").find(figure => names(first, figure.dataset.name));
} });
// Notebook front ends run a copy of the script, some of them next to the figure instead of inside it.
const root = (script, kind) => script.closest(kind) ?? all(script.parentNode, kind).at(-1);
async function page(root, payload) {
  try {
    const api = await mount(root, payload, { position: notebook() ? null : addressed, settled: address });
    const follow = () => {
      const position = addressed(api.spec), waiting = waits(root);
      if (position && !waiting) api.set(position);
      if (position) globalThis.descentTarget?.scrollIntoView({ behavior: "instant" });
      // A link to another place on the page keeps the settings.
      else if (!waiting && api.index.some((i, k) => i != api.spec.start[k])) address(api.index, api);
    };
    if (notebook()) return;
    on(window, "hashchange", follow);
    if (addressed(api.spec)) follow();
  } catch (error) {
    root.dataset.still = "";
    console.warn("The figure stays still:", error);
  }
}

export default {
  async render({ model, el }) {
    const traits = ["i", "j", "k", "l"];
    el.innerHTML = model.get("_html");
    const api = await mount(el.firstElementChild, model.get("_payload"), {
      position: spec => spec.controls.map((_, k) => model.get(traits[k])),
      moved: index => { index.forEach((i, k) => model.set(traits[k], i)); model.save_changes(); }
    });
    const follow = () => {
      const position = api.spec.controls.map((_, k) => model.get(traits[k]));
      if (position.some((i, k) => i != api.index[k])) api.set(position);
    };
    for (const name of traits) model.on(`change:${name}`, follow);
    return () => traits.forEach(name => model.off(`change:${name}`, follow));
  }
};
