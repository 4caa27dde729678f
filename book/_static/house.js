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
  for (const box of document.querySelectorAll("div.formula")) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Equation, scrolls sideways");
    } else {
      box.removeAttribute("tabindex");
    }
  }
}

window.MathJax?.startup?.promise.then(typeset);
addEventListener("resize", scrollable);
