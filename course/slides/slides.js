// Keys and looks of a lecture. Loaded before reveal.js, whose keys it comes before.
document.documentElement.dataset.theme = "light";   // figures would follow a dark desktop, and the slides are white

addEventListener("keydown", event => {
  const figure = event.target.closest?.(".descent, .descent-ask");
  if (!figure) return;
  // The keys of a presenter's remote turn the slide, wherever the last click was.
  const turn = { PageDown: "next", PageUp: "prev" }[event.key];
  if (turn) {
    document.activeElement.blur();
    Reveal[turn]();
  } else if (event.key == "Escape") document.activeElement.blur();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);

addEventListener("load", () => {
  // What is typed or pressed in a figure is the figure's.
  Reveal.configure({ keyboardCondition: event => !event?.target?.closest?.(".descent, .descent-ask") });
  Reveal.on("slidechanged", () => document.activeElement?.blur());
});
