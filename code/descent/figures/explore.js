// Moves a figure that matplotlib drew once: sliders choose a position, the position's coordinates are swapped in.
// Nothing is computed here. Static pages call `mount`; in a kernel anywidget calls `render`.

const GAP = 65535, ZERO = 20000, STEP = 10;
const minus = label => label.replace(/-(?=\d)/g, "−");

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
    const points = shape.at(-1);
    const offset = index => index.reduce((sum, i, k) => sum + (shape[k] > 1 ? i * strides[k] : 0), 0);
    return { values, points, offset };
  });
  return spec;
}

function mover(spec, artist, group, start) {
  const x = spec.streams[artist.x], y = spec.streams[artist.y], words = spec.streams[artist.words];
  if (group.querySelector("text")) {
    const text = group.querySelector("text"), turn = text.getAttribute("transform")?.match(/rotate.*/)?.[0] ?? "";
    const [x0, y0] = x ? place(start) : [];
    return index => {
      if (words) text.textContent = artist.strings[words.values[words.offset(index)]];
      if (x) {
        const [x1, y1] = place(index);
        group.setAttribute("transform", `translate(${x1 - x0} ${y1 - y0})`);
        group.style.visibility = isNaN(x1) ? "hidden" : "";
      }
    };
    function place(index) {
      const px = x.values[x.offset(index)], py = y.values[y.offset(index)];
      return px == GAP || py == GAP ? [NaN, NaN] : [(px - ZERO) / STEP, (py - ZERO) / STEP];
    }
  }
  const paths = group.querySelectorAll(":scope > path"), every = artist.every, points = x.points;
  let marks = [...group.querySelectorAll("use")];
  if (marks.length) {
    marks.slice(1).forEach(mark => mark.remove());
    for (let j = every; j < points; j += every) marks[0].after(marks[0].cloneNode());
    marks = [...group.querySelectorAll("use")];
  }
  return index => {
    const X = x.values, Y = y.values, ox = x.offset(index), oy = y.offset(index);
    if (paths.length) {
      let d = "", pen = "M";
      for (let j = 0; j < points; j++) {
        const px = X[ox + j], py = Y[oy + j];
        if (px == GAP || py == GAP) pen = "M";
        else { d += pen + (px - ZERO) / STEP + " " + (py - ZERO) / STEP; pen = "L"; }
      }
      for (const path of paths) path.setAttribute("d", d);
    }
    marks.forEach((mark, m) => {
      const j = every == 3 ? 3 * m + 1 : m, px = X[ox + j], py = Y[oy + j], gone = px == GAP || py == GAP;
      mark.setAttribute("visibility", gone ? "hidden" : "visible");
      if (!gone) { mark.setAttribute("x", (px - ZERO) / STEP); mark.setAttribute("y", (py - ZERO) / STEP); }
    });
  };
}

async function mount(root, payload, { position, moved, settled } = {}) {
  const spec = await unpack(payload), { controls } = spec, serial = globalThis.descentFigures = (globalThis.descentFigures ?? 0) + 1;
  const unique = `${spec.id}-${serial}`;  // the same figure may be on the page twice
  const image = root.querySelector("img"), form = root.querySelector("form"), live = root.querySelector("[aria-live]");
  const template = document.createElement("template");
  template.innerHTML = spec.svg.replaceAll(spec.id, unique);
  const svg = template.content.firstChild;
  const index = [...spec.start];
  const rows = [...form.querySelectorAll("[data-control]")];
  const moves = spec.artists.map((a, k) => mover(spec, a, svg.querySelector(`#${unique}-a${k}`), spec.start));
  const handle = spec.handle && grip();

  function draw() {
    for (const move of moves) move(index);
    handle?.draw();
  }
  function show(k) {
    const label = controls[k].labels[index[k]], row = rows[k], input = row.querySelector("input");
    if (input.type == "radio") row.querySelectorAll("input")[index[k]].checked = true;
    else {
      input.valueAsNumber = index[k];
      input.setAttribute("aria-valuetext", minus(label));
      row.querySelector("output").textContent = minus(label);
    }
  }
  function go(k, i) {
    i = Math.max(0, Math.min(controls[k].labels.length - 1, i));
    if (i != index[k]) { index[k] = i; show(k); draw(); moved?.(index); }
  }
  let silence;
  function rest() {
    settled?.(index, api);
    clearTimeout(silence);
    silence = setTimeout(() => {
      live.textContent = spec.artists.filter(a => a.strings)
        .map(a => a.strings[spec.streams[a.words].values[spec.streams[a.words].offset(index)]]).join("; ");
    }, 400);
  }

  // The handle's two axes are ordinary sliders too; this adds dragging and, on the focused handle, arrow keys.
  function grip() {
    const [a, b] = spec.handle.axes, stream = k => spec.streams[k];
    const { x, y } = spec.artists[spec.handle.artist];
    const xs = [...stream(x).values].map(v => (v - ZERO) / STEP), ys = [...stream(y).values].map(v => (v - ZERO) / STEP);
    const nearest = (list, v) => list.reduce((best, u, i) => Math.abs(u - v) < Math.abs(list[best] - v) ? i : best, 0);
    const node = svg.querySelector(".descent-handle");
    const tell = (name, value) => node.setAttribute(name, value);
    tell("aria-label", `${controls[a].name}, ${controls[b].name}: drag, or use the arrow keys`);
    tell("aria-valuemax", xs.length - 1);
    let grabbed = null;
    const point = event => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    node.addEventListener("pointerdown", event => {
      const at = point(event);
      grabbed = [at.x - xs[index[a]], at.y - ys[index[b]]];
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      event.preventDefault();
    });
    // Chromium does not heed touch-action on parts of an SVG.
    node.addEventListener("touchstart", e => e.preventDefault(), { passive: false });
    node.addEventListener("pointermove", event => {
      if (!grabbed) return;
      const at = point(event), i = nearest(xs, at.x - grabbed[0]), j = nearest(ys, at.y - grabbed[1]);
      if (i == index[a] && j == index[b]) return;
      index[a] = i; index[b] = j;
      show(a); show(b); draw(); moved?.(index);
    });
    const release = () => { if (grabbed) { grabbed = null; rest(); } };
    node.addEventListener("pointerup", release);
    node.addEventListener("pointercancel", release);
    const up = ys.at(-1) < ys[0] ? 1 : -1, right = xs.at(-1) > xs[0] ? 1 : -1;
    const keys = { ArrowRight: [a, right], ArrowLeft: [a, -right], ArrowUp: [b, up], ArrowDown: [b, -up] };
    node.addEventListener("keydown", event => {
      const [k, by] = keys[event.key] ?? [];
      if (!by) return;
      event.preventDefault();
      go(k, index[k] + by * (event.shiftKey ? 5 : 1));
    });
    node.addEventListener("keyup", event => { if (keys[event.key]) rest(); });
    return {
      draw() {
        node.setAttribute("transform", `translate(${xs[index[a]]} ${ys[index[b]]})`);
        tell("aria-valuenow", index[a]);
        tell("aria-valuetext", [a, b].map(k => `${controls[k].name} = ${minus(controls[k].labels[index[k]])}`).join(", "));
      }
    };
  }

  // Named keys (arrows, Home, ...) stay here: JupyterLab would take the focus away.
  root.addEventListener("keydown", e => e.key[1] && e.stopPropagation());
  rows.forEach((row, k) => row.querySelectorAll("input").forEach((input, i) => {
    input.disabled = false;
    if (input.type == "radio") {
      input.name = `${unique}-${k}`;
      input.addEventListener("change", () => { go(k, i); rest(); });
    } else {
      input.addEventListener("input", () => go(k, input.valueAsNumber));
      input.addEventListener("change", rest);
    }
  }));
  form.addEventListener("submit", event => event.preventDefault());
  const api = {
    spec, index,
    set(position) {
      position.forEach((i, k) => { if (i >= 0 && i < controls[k].labels.length) { index[k] = i; show(k); } });
      draw();
    }
  };
  api.set(position?.(spec) ?? index);
  rows.forEach((_, k) => show(k));
  image.replaceWith(svg);
  // Notebook 7 sees a key before the figure does; it asks the focused element.
  for (const slider of root.querySelectorAll("input, [role=slider]")) slider.dataset.lmSuppressShortcuts = "";
  form.hidden = false;
  root.dataset.live = "";
  return api;
}

// A setting in the address: #figure:β₂=0.99,α=0.01 ; figures are parted by ";" and whatever is not ours is kept.
const parts = () => location.hash.slice(1).split(";").filter(Boolean);
function decoded(text) { try { return decodeURIComponent(text); } catch { return ""; } }
function addressed(spec) {
  const mine = parts().map(decoded).find(part => part.startsWith(spec.name + ":"));
  if (!mine) return null;
  const wanted = new Map(mine.slice(spec.name.length + 1).split(",").map(pair => pair.split("=")));
  return spec.controls.map(({ name, labels }, k) => {
    const i = labels.indexOf(wanted.get(name));
    return i < 0 ? spec.start[k] : i;
  });
}
function address(index, { spec }) {
  if (document.body.hasAttribute("data-jp-theme-light")) return;  // JupyterLab's address is not ours
  const setting = spec.controls.map(({ name, labels }, k) => `${name}=${labels[index[k]]}`).join(",");
  const others = parts().filter(part => !decoded(part).startsWith(spec.name + ":"));
  try { history.replaceState(history.state, "", "#" + [...others, `${spec.name}:${setting}`].join(";")); }
  catch { /* browsers limit how often; the next rest writes it */ }
}
// Notebook front ends run a copy of the script, some of them next to the figure instead of inside it.
function root(script) { return script.closest(".descent") ?? script.parentNode.querySelector(".descent"); }
async function page(root, payload) {
  try {
    const api = await mount(root, payload, { position: addressed, settled: address });
    const follow = scroll => {
      const position = addressed(api.spec);
      if (position) api.set(position);
      if (position && scroll) (document.getElementById(decoded(parts()[0])) ?? root).scrollIntoView();
    };
    addEventListener("hashchange", () => follow(true));
    if (addressed(api.spec)) follow(true);
  } catch (error) { console.warn("The figure stays still:", error); }
}

export default {
  async render({ model, el }) {
    const names = ["i", "j", "k"];
    el.innerHTML = model.get("_html");
    const api = await mount(el.firstElementChild, model.get("_payload"), {
      position: spec => spec.controls.map((_, k) => model.get(names[k])),
      moved: index => { index.forEach((i, k) => model.set(names[k], i)); model.save_changes(); }
    });
    const follow = () => {
      const position = api.spec.controls.map((_, k) => model.get(names[k]));
      if (position.some((i, k) => i != api.index[k])) api.set(position);
    };
    for (const name of names) model.on(`change:${name}`, follow);
    return () => names.forEach(name => model.off(`change:${name}`, follow));
  }
};
