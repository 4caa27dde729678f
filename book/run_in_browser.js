// Beside JupyterLite, in the page that opens a copy of a chapter (book/run_in_browser.py writes EDITIONS and PYTHON
// above): which edition this is, and what is missing where Python does not come.
"use strict";

const WAIT = 8000;    // milliseconds until a silent host counts as one that does not answer
const asked = new URLSearchParams(location.search).get("path") ?? "";
const name = asked.replace(/(\.[0-9a-f]{6})?\.ipynb$/, "");
const newest = EDITIONS[name];
const link = (path) => `${location.pathname}?path=${encodeURIComponent(path)}`;

// Lines across the window's lower edge, one below the other, in an element of their own: JupyterLab lays out the rest.
const lines = document.createElement("div");
lines.style = "position: fixed; z-index: 10000; bottom: 0; left: 0; right: 0";

function say(id, html) {
  const line = document.createElement("div");
  line.id = id;
  line.setAttribute("role", "status");
  line.style = "display: flex; gap: 1em; align-items: start; padding: .6em 1em; font: 15px/1.4 sans-serif;"
    + "background: #fff4ce; color: #1c1c1e; border-top: 1px solid #b58900";
  line.innerHTML = `<span style="flex: 1">${html}</span><button style="font: inherit">Close</button>`;
  line.querySelectorAll("a").forEach((a) => { a.style.color = "#0f56b3"; });
  line.querySelector("button").onclick = () => line.remove();
  lines.append(line);
  document.body.append(lines);
}

// Names of the copies of this chapter that this browser keeps, as JupyterLite stored them.
async function kept() {
  const name_of_base = "JupyterLite Storage - " + new URL("..", location.href).pathname;
  if (!(await indexedDB.databases()).some((base) => base.name === name_of_base)) return [];
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const base = await done(indexedDB.open(name_of_base));
  const keys = base.objectStoreNames.contains("files")
    ? await done(base.transaction("files").objectStore("files").getAllKeys()) : [];
  base.close();
  return keys.filter((key) => key.replace(/(\.[0-9a-f]{6})?\.ipynb$/, "") === name && key.endsWith(".ipynb"));
}

// The file of a copy is called by its edition: a changed chapter opens anew, and what the reader did to an earlier
// edition stays where it was.
async function edition() {
  if (!newest) return;
  const mine = await kept();
  if (asked !== newest && !mine.includes(asked)) location.replace(link(newest));   // an old link
  else if (asked !== newest)
    say("edition", `This is your copy of an earlier edition of this chapter. <a href="${link(newest)}">Open the newest edition</a>.`);
  else if (mine.some((key) => key !== newest)) {
    const links = mine.filter((key) => key !== newest).map((key) => `<a href="${link(key)}">${key.split("/").pop()}</a>`);
    say("edition", `The chapter has changed since you were here; this is the new edition.
      Your copy of the earlier one is kept in this browser, as you left it: ${links.join(", ")}.`);
  }
}

// Whether the files that Python starts from come from their host.
async function python() {
  const missing = (file) => Promise.race([
    fetch(file, { method: "HEAD" }).then((answer) => answer.ok ? null : `answers ${answer.status}`, () => "does not answer"),
    new Promise((resolve) => setTimeout(resolve, WAIT, "has not answered yet")),
  ]);
  const troubles = await Promise.all(PYTHON.map(missing)), which = troubles.findIndex(Boolean);
  if (which < 0) return;
  const { host, pathname } = new URL(PYTHON[which]);
  say("python", `<b>Python cannot start here:</b> it comes from ${host}, which ${troubles[which]} (${pathname.split("/").pop()}).
    A firewall, a blocker, or a missing connection may be the reason; reload this page to try again.
    You can also read <a href="${PAGES}${name}.html">the page in the book</a>, where the figures move without Python,
    open it <a href="${COLAB.replace("NAME", name)}">on Colab</a>, or
    <a href="${REPOSITORY}#readme">install the book on your computer</a>.`);
}

const report = (part) => (error) => say(part, `This page could not find out about its ${part}: ${error}`);
addEventListener("DOMContentLoaded", () => {
  edition().catch(report("edition"));
  python().catch(report("python"));
});
