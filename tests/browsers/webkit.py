"""WebKitGTK through WebKitWebDriver, which speaks JSON over HTTP, with those names of Playwright's that the tests use."""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

# The standard's signs for keys that are no characters.
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Control": "\ue009", "Escape": "\ue00c",
        "PageUp": "\ue00e", "PageDown": "\ue00f", "End": "\ue010", "Home": "\ue011", "ArrowLeft": "\ue012",
        "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}
# As Playwright's evaluate: a function is called, anything else is a value; a promise is waited for.
RUN = """const [code, arg, done] = arguments;
(async () => {
  const value = (0, eval)("(" + code + "\\n)");
  return typeof value == "function" ? value(arg) : value;
})().then(value => done({ value }), error => done({ error: error + "\\n" + error.stack }));"""
QUIET = re.compile(r"(file|data|blob|about):|http://127\.0\.0\.1[:/]")


def wait(ready, seconds, what):
    end = time.monotonic() + seconds
    while not (value := ready()):
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:g} s: {what}")
        time.sleep(0.05)
    return value


class WebKit:
    """A screen and a driver. It drives one page at a time, each in a browser of its own that remembers nothing."""

    name = "webkit"

    def __init__(self, driver):
        self.command, self.page = driver, None

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="webkit-"))
        read, write = os.pipe()
        self.screen = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1200x24",
                                        "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with open(read) as number:
            display = number.readline().strip()   # the whole line, or Xvfb dies of a broken pipe
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.driver = subprocess.Popen([self.command, f"--port={self.port}"], stderr=subprocess.DEVNULL, env={
            **os.environ, "DISPLAY": f":{display}", "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1",
            "LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_FOLDER": str(self.folder)})
        wait(self.answers, 20, "WebKitWebDriver does not answer")
        return self

    def __exit__(self, *_):
        if self.page:
            self.page.close()
        for process in self.driver, self.screen:
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.call("GET", "/status")

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=400)
        connection.request(method, path, None if body is None else json.dumps(body).encode())
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        if isinstance(value, dict) and value.keys() >= {"error", "message"}:
            raise RuntimeError(f"{method} {path}: {value['error']}: {value['message']}")
        return value

    def new_page(self, theme="light", width=1280, height=900, init=""):
        if self.page:
            self.page.close()
        self.page = Page(self, theme, width, height, init)
        return self.page


class Page:
    def __init__(self, engine, theme, width, height, init):
        self.engine, self.log = engine, engine.folder / "log"
        self.log.write_bytes(b"")
        (engine.folder / "init.js").write_text(init, "utf-8")
        session = engine.call("POST", "/session", {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": {
            "binary": str(Path(__file__).with_name("webkit_window.py")), "args": [f"--{theme}"]}}}})
        self.path = "/session/" + session["sessionId"]
        self.call("POST", "/timeouts", {"script": 300_000, "pageLoad": 300_000})
        self.keyboard, self.mouse = Keyboard(self), Mouse(self)
        self.set_viewport_size({"width": width, "height": height})

    def call(self, method, path, body=None):
        return self.engine.call(method, self.path + path, body)

    def close(self):
        if self.engine.page is self:
            self.engine.page = None
            self.call("DELETE", "")

    def goto(self, url):
        self.call("POST", "/url", {"url": url})

    def reload(self):
        self.call("POST", "/refresh", {})

    @property
    def url(self):
        return self.call("GET", "/url")

    def evaluate(self, code, arg=None):
        answer = self.call("POST", "/execute/async", {"script": RUN, "args": [code, arg]})
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("value")

    def wait_for_function(self, code, arg=None, timeout=120_000):
        return wait(lambda: self.evaluate(code, arg), timeout / 1000, code)

    def wait_for_timeout(self, ms):
        time.sleep(ms / 1000)

    def set_viewport_size(self, size):
        """The window is the page, without bars."""
        self.call("POST", "/window/rect", size)
        wait(lambda: self.evaluate("[innerWidth, innerHeight]") == [size["width"], size["height"]], 10,
             f"a window of {size}")

    def pdf(self):
        """The printed page. window.print does nothing under automation: the window prints at this title."""
        self.evaluate("document.title = 'PRINT'")
        wait(lambda: "\nPRINTED" in self.log.read_text("utf-8", "replace"), 120, "the printed page")
        return (self.engine.folder / "page.pdf").read_bytes()

    def locator(self, selector):
        return Locator(self, f"[...document.querySelectorAll({json.dumps(selector)})]")

    @property
    def complaints(self):
        found = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            kind, _, what = line.partition(" ")
            if kind == "REQUEST" and not QUIET.match(what):
                found.append(f"asks {what}")
            elif kind in ("MISSES", "DIED") or re.search(r"(^|: )CONSOLE (\w+ )?ERROR ", line):
                found.append(line)
        return found


class Locator:
    """Elements, found anew at each use: an expression of JavaScript whose value is a list."""

    def __init__(self, page, found):
        self.page, self.found = page, found

    def count(self):
        return self.page.evaluate(f"{self.found}.length")

    def all(self):
        return [self.nth(n) for n in range(self.count())]

    def nth(self, n):
        return Locator(self.page, f"{self.found}.slice({n}, {n + 1})")

    @property
    def first(self):
        return self.nth(0)

    def locator(self, selector):
        return Locator(self.page, f"{self.found}.flatMap(el => [...el.querySelectorAll({json.dumps(selector)})])")

    def evaluate(self, code, arg=None):
        self.page.wait_for_function(f"{self.found}.length > 0")
        return self.page.evaluate(f"arg => ({code})({self.found}[0], arg)", arg)

    def get_attribute(self, name):
        return self.evaluate("(el, name) => el.getAttribute(name)", name)

    def inner_text(self):
        return self.evaluate("el => el.innerText")

    def is_visible(self):
        return self.evaluate("el => el.checkVisibility({ visibilityProperty: true })"
                             " && el.getBoundingClientRect().width > 0")

    def bounding_box(self):
        return self.evaluate("el => (({ x, y, width, height }) => ({ x, y, width, height }))"
                             "(el.getBoundingClientRect())")

    def scroll_into_view_if_needed(self):
        self.evaluate("el => el.scrollIntoView({ block: 'center', behavior: 'instant' })")

    def focus(self):
        self.evaluate("el => el.focus()")

    def press(self, key):
        self.focus()
        self.page.keyboard.press(key)

    def click(self):
        self.scroll_into_view_if_needed()
        # In its first line: the middle of a link of two lines may be beside both.
        self.page.mouse.move(*self.evaluate("""el => {
            const { x, y, width, height } = el.getClientRects()[0];
            return [x + width / 2, y + height / 2];
        }"""))
        self.page.mouse.down()
        self.page.mouse.up()


class Keyboard:
    def __init__(self, page):
        self.page = page

    def press(self, key):
        keys = [KEYS.get(part, part) for part in key.split("+")]
        self.page.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": [
            *({"type": "keyDown", "value": k} for k in keys),
            *({"type": "keyUp", "value": k} for k in reversed(keys))]}]})


class Mouse:
    def __init__(self, page):
        self.page, self.at = page, (0, 0)

    def act(self, **action):
        self.page.call("POST", "/actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [action]}]})

    def move(self, x, y, steps=1):
        (x0, y0), self.at = self.at, (x, y)
        for k in range(1, steps + 1):
            self.act(type="pointerMove", x=round(x0 + (x - x0) * k / steps),
                     y=round(y0 + (y - y0) * k / steps), duration=0)

    def down(self):
        self.act(type="pointerDown", button=0)

    def up(self):
        self.act(type="pointerUp", button=0)
