// Equations: typeset from the first visible one, a few at a time, so that a long page stays responsive.
async function typeset() {
  const top = (el) => el.getBoundingClientRect().bottom;
  const all = [...document.querySelectorAll("span.math, div.math")];
  const seen = all.filter((el) => top(el) >= 0);
  const todo = [...seen, ...all.filter((el) => !seen.includes(el))];
  while (todo.length) {
    await MathJax.typesetPromise(todo.splice(0, 8));
    await new Promise((next) => setTimeout(next));
  }
  document.documentElement.dataset.equations = "typeset";
  scrollable();
}

// A formula wider than its box scrolls in it, and the keyboard must be able to reach it.
function scrollable() {
  for (const formula of document.querySelectorAll("span.math mjx-container")) {
    formula.classList.remove("wide");
    const room = formula.closest("p, li, dd, dt, td, th, h1, h2, h3, div").clientWidth;
    formula.classList.toggle("wide", formula.getBoundingClientRect().width > room);
  }
  for (const box of document.querySelectorAll("div.formula, span.math mjx-container")) {
    const scrolls = /auto/.test(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth;
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

window.MathJax?.startup?.promise.then(typeset);
addEventListener("resize", scrollable);

// On paper all is black on white, and what is folded is open, but solutions stay as the reader left them.
let unfolded = [], theme;
addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  const folded = [...document.querySelectorAll("details:not([open]), .toggle-hidden")];
  unfolded = folded.filter((el) => !el.closest(".solution.toggle-hidden"));
  for (const el of unfolded) fold(el, false);
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = theme;
  for (const el of unfolded) fold(el, true);
});

function fold(el, closed) {
  if (el.tagName === "DETAILS") el.open = !closed;
  else el.classList.toggle("toggle-hidden", closed);
}
