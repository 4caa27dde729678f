// A picture that Python draws: it reports what the pointer or an arrow key does on it, and copies the text beside a button.
function render({ model, el }) {
  el.classList.add("descent-sheet");
  let stroke = null, frame = 0;

  const show = () => {
    const kept = el.contains(document.activeElement) && document.activeElement.getAttribute("data-x") !== null;
    el.innerHTML = model.get("html");
    const handle = el.querySelector("[data-x]");
    // Notebook 7 sees a key before the handle does; it asks the focused element.
    if (handle) handle.dataset.lmSuppressShortcuts = "";
    if (kept) handle?.focus({ preventScroll: true });
  };

  // Where the pointer is, in the units of the pad: data-frame holds its left, right, bottom and top.
  function place(pad, event) {
    const box = pad.getBoundingClientRect(), [left, right, bottom, top] = pad.dataset.frame.split(" ").map(Number);
    const across = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const up = Math.min(1, Math.max(0, (box.bottom - event.clientY) / box.height));
    return [left + across * (right - left), bottom + up * (top - bottom)];
  }

  function send(points) {
    model.set("stroke", points);
    model.save_changes();
  }

  function later() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (stroke) send(stroke.slice());
    });
  }

  el.addEventListener("pointerdown", (event) => {
    const pad = event.target.closest("svg")?.querySelector("[data-frame]");
    const box = pad?.getBoundingClientRect();
    if (!box || event.button || event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom)
      return;
    event.preventDefault();
    try { el.setPointerCapture(event.pointerId); } catch { /* the pointer has gone */ }
    stroke = [place(pad, event)];
    el.querySelector("[data-x]")?.focus({ preventScroll: true });   // arrow keys go on from where it is dropped
    later();
  });
  el.addEventListener("pointermove", (event) => {
    const pad = el.querySelector("[data-frame]");
    if (!stroke || !pad) return;
    stroke = pad.dataset.last === undefined ? [...stroke, place(pad, event)] : [place(pad, event)];
    later();
  });
  for (const end of ["pointerup", "pointercancel"]) el.addEventListener(end, () => {
    if (stroke) send(stroke);
    stroke = null;
  });
  el.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    const handle = event.target.closest("[data-x]"), pad = el.querySelector("[data-frame]");
    if (!way || !handle || !pad) return;
    event.preventDefault();
    event.stopPropagation();
    const [left, right, bottom, top] = pad.dataset.frame.split(" ").map(Number);
    send([[Number(handle.dataset.x) + way[0] * (right - left) / 100, Number(handle.dataset.y) + way[1] * (top - bottom) / 100]]);
  });

  el.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const source = el.querySelector("pre");
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {   // not allowed here: what is selected can be copied by hand
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy as code"; }, 2000);
  });

  model.on("change:html", show);
  show();
}
export default { render };
