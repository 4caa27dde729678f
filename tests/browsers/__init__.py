"""Three engines with one way to open a page: Chromium, Firefox, and WebKit, the engine of Safari.

    with browsers.launch("webkit") as engine:
        page = engine.new_page(theme="dark", width=390, height=800, init="script that runs before the page's own")

A page knows those names of Playwright's that the tests use; `page.complaints` lists what it did wrong: messages
of errors, requests to another host, what did not come.  In WebKit a new page takes the place of the one before.
"""

import contextlib
import os
import re
import shutil
import subprocess
from urllib.parse import urlsplit

from browsers.webkit import WebKit

ENGINES = ["chromium", "firefox", "webkit"]
COMMANDS = {"chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
            "firefox": ("firefox-esr", "firefox"), "webkit": ("WebKitWebDriver",)}
PATIENCE = 120_000   # milliseconds; a slow machine has not failed
OUTSIDE = re.compile(r"^(https?|wss?)://(?!127\.0\.0\.1)")


def path(name):
    """Where an engine is, or where the variable CHROMIUM, FIREFOX or WEBKIT says; None where there is none."""
    return os.environ.get(name.upper()) or next(filter(None, map(shutil.which, COMMANDS[name])), None)


def missing(name):
    """What has to be installed before an engine can be tested; None when all is there."""
    if path(name) is None:
        what = {"webkit": "webkit2gtk-driver gir1.2-webkit2-4.1 python3-gi xvfb"}.get(name, name)
        return f"no {name} found: install {what}, or name it in the variable {name.upper()}"
    if name == "webkit":
        if shutil.which("Xvfb") is None:
            return "no Xvfb found, the screen of WebKit: install xvfb"
        asked = subprocess.run(["/usr/bin/python3", "-c", "import gi; gi.require_version('WebKit2', '4.1')"],
                               capture_output=True, text=True)
        if asked.returncode:
            return "WebKit cannot be opened: install gir1.2-webkit2-4.1 python3-gi: " + asked.stderr.strip()[-200:]
    return None


@contextlib.contextmanager
def launch(name):
    if name == "webkit":
        with WebKit(path(name)) as engine:
            yield engine
        return
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        engine = {"chromium": Chromium, "firefox": Firefox}[name](playwright)
        yield engine
        engine.close()


class WithPlaywright:
    """An engine that Playwright drives."""

    passing = re.compile("(?!)")   # what it calls an error and is none

    def __init__(self, playwright):
        self.playwright, self.browsers = playwright, {}

    def close(self):
        for browser in self.browsers.values():
            browser.close()

    def new_page(self, theme="light", width=1280, height=900, init=""):
        context = self.context(theme, {"width": width, "height": height})
        context.set_default_timeout(PATIENCE)
        context.route(OUTSIDE, lambda route: route.abort())
        if init:
            context.add_init_script(init)
        page = context.new_page()
        page.complaints, page.close = [], context.close
        page.on("request", lambda request: page.complaints.append(f"asks {request.url}")
                if urlsplit(request.url).hostname not in (None, "", "127.0.0.1") else None)
        page.on("requestfailed", lambda request: page.complaints.append(f"misses {request.url}"))
        page.on("pageerror", lambda error: page.complaints.append(f"throws {error}")
                if not self.passing.match(str(error)) else None)
        page.on("console", lambda message: page.complaints.append(f"says {message.text}")
                if message.type == "error" else None)
        return page


class Chromium(WithPlaywright):
    """With nothing of its own to say to the network."""

    name = "chromium"

    @property
    def browser(self):
        if not self.browsers:
            self.browsers["any"] = self.playwright.chromium.launch(executable_path=path("chromium"), args=[
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking"])
        return self.browsers["any"]

    def context(self, theme, viewport):
        return self.browser.new_context(color_scheme=theme, reduced_motion="reduce", viewport=viewport)


class Firefox(WithPlaywright):
    """The Firefox of the system, over WebDriver BiDi: theme and motion are preferences of the whole browser."""

    name = "firefox"
    # Said when it lays out a page of which it has read half a fraction; pages.equations_not_set counts the children.
    passing = re.compile("Incorrect number of children for <m")

    def context(self, theme, viewport):
        if theme not in self.browsers:
            self.browsers[theme] = self.playwright.firefox.launch(
                channel="moz-firefox", executable_path=path("firefox"), firefox_user_prefs={
                    "layout.css.prefers-color-scheme.content-override": 0 if theme == "dark" else 1,
                    "ui.prefersReducedMotion": 1, "ui.useOverlayScrollbars": 1})
        return self.browsers[theme].new_context(viewport=viewport)
