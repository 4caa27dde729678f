// A formula wider than its box scrolls in it: the eye must see that there is more, the keyboard must reach it,
// and a screen reader say what it is.
function more({target: box}) {
  box.classList.toggle("more", box.scrollWidth > box.clientWidth + box.scrollLeft + 1);
}
const fits = new ResizeObserver((boxes) => {
  for (const {target: box} of boxes) {
    const name = box.closest("div.math")?.querySelector(".eqno")?.firstChild.data ?? "";
    for (const [key, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", `Equation ${name}`.trim()]])
      if (box.scrollWidth > box.clientWidth) box.setAttribute(key, value);
      else box.removeAttribute(key);
    more({target: box});
  }
});
for (const box of document.querySelectorAll("div.formula, span.math.long")) {
  fits.observe(box);
  box.addEventListener("scroll", more, {passive: true});
}

// What is copied has the TeX of a formula in its place.
const formula = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest(".math[data-tex]");

function tex(el) {
  if (!el.matches("div")) return `$${el.dataset.tex}$`;
  const name = el.querySelector(".eqno")?.firstChild.data;
  return `\n$$\n${el.dataset.tex}\n$$${name ? ` ${name}` : ""}\n`;
}

addEventListener("copy", (event) => {
  if (event.target.closest?.("input, textarea")) return;
  const selection = getSelection(), copy = document.createElement("div");
  for (let k = 0; k < selection.rangeCount; k++) {
    const range = selection.getRangeAt(k).cloneRange();
    const first = formula(range.startContainer), last = formula(range.endContainer);
    if (range.collapsed) continue;
    if (first) range.setStartBefore(first);   // a formula is copied whole
    if (last && !(range.endContainer === last && !range.endOffset)) range.setEndAfter(last);
    copy.append(range.cloneContents());
  }
  const formulas = copy.querySelectorAll(".math[data-tex]");
  if (!formulas.length) return;
  for (const el of formulas) {
    el.style.cssText = "display: inline; white-space: pre";
    el.replaceChildren(tex(el));
  }
  for (const el of copy.querySelectorAll("script, style, button, .headerlink")) el.remove();
  copy.style.cssText = "position: fixed; left: -9999px";
  document.body.append(copy);   // only what is laid out has its text in lines
  event.clipboardData.setData("text/plain", copy.innerText.trim());
  event.clipboardData.setData("text/html", copy.innerHTML);
  copy.remove();
  event.preventDefault();
});

// What a search finds is shown as text: formulas as TeX.
if (typeof Search !== "undefined") {
  const textOf = Search.htmlToText;
  Search.htmlToText = (source, anchor) => {
    const page = new DOMParser().parseFromString(source, "text/html");
    for (const el of page.querySelectorAll(".math[data-tex]")) el.textContent = tex(el).trim();
    return textOf(page.documentElement.outerHTML, anchor);
  };
}
