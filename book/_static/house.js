// ---- what is folded -------------------------------------------------------

const FOLDED = "details:not([open]), .toggle-hidden";

function fold(el, closed) {
  if (el.tagName === "DETAILS") el.open = !closed;
  else el.classList.toggle("toggle-hidden", closed);
}

// Open all that an element stands in; a folded section, by its own name too.
function reveal(el) {
  for (let box = el?.closest(FOLDED); box; box = box.parentElement.closest(FOLDED)) {
    const button = box.querySelector(":scope > .admonition-title > .toggle-button");
    if (button) button.click();
    else fold(box, false);
  }
  const own = el?.querySelector(":scope > details.deeper");
  if (own) own.open = true;
}

// ---- links to a place -----------------------------------------------------

// Where the link leads is open and at the top, and stays there while the page above it grows, until the reader
// moves.  `descentTarget` is the figure that the address has settings for.
let moved = performance.getEntriesByType("navigation")[0]?.type !== "navigate";   // else the browser knows the place
const aim = () => document.querySelector(":target") ?? globalThis.descentTarget;

function arrive() {
  if (moved) return;
  reveal(aim());
  aim()?.scrollIntoView({ behavior: "instant" });
}
for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"])
  addEventListener(kind, () => { moved = true; }, { capture: true, passive: true });
addEventListener("hashchange", () => {
  moved = false;
  arrive();
});
addEventListener("DOMContentLoaded", () => {
  const growth = new ResizeObserver(() => requestAnimationFrame(arrive));   // what it unfolds grows the page again
  for (const el of document.querySelectorAll("body, article")) growth.observe(el);
});
addEventListener("load", arrive);

// ---- search ---------------------------------------------------------------

// The words looked for, which Sphinx marks in the page a moment after it is there: a fold with a mark in it opens,
// code only where no mark can be seen elsewhere.
if (localStorage.getItem("sphinx_highlight_terms") || new URLSearchParams(location.search).has("highlight"))
  addEventListener("DOMContentLoaded", () => setTimeout(() => {
    const marks = [...document.querySelectorAll(".highlighted")].filter((mark) => !mark.closest(".solution"));
    marks.filter((mark) => !mark.closest("details.hide")).forEach(reveal);
    if (!marks.some((mark) => mark.checkVisibility())) reveal(marks[0]);
  }, 30));

// What a search result quotes must not tell what the page folds until the reader has tried.
if (typeof Search !== "undefined") {
  const { htmlToText } = Search;
  Search.htmlToText = (text, anchor) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    page.querySelectorAll(".solution, .cell_output .text_html").forEach((el) => el.remove());
    return htmlToText(page.documentElement.outerHTML, anchor);
  };
}

// ---- buttons --------------------------------------------------------------

// A page that was saved has what the scripts have added; they add it again.
document.querySelectorAll(".copybtn, .toggle-button").forEach((button) => button.remove());
document.querySelectorAll(".toggle-hidden").forEach((box) => box.classList.remove("toggle-hidden"));

addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".copybtn")) button.ariaLabel = "Copy";
});

// ---- paper ----------------------------------------------------------------

// All is black on white, and what is folded is open, but for code, and solutions that the reader has left closed.
let unfolded = [], theme;
addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  unfolded = [...document.querySelectorAll(FOLDED)].filter((el) => !el.matches(".hide") && !el.closest(".solution.toggle-hidden"));
  for (const el of unfolded) fold(el, false);
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = theme;
  for (const el of unfolded) fold(el, true);
});
