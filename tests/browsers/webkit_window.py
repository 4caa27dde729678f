#!/usr/bin/python3
"""A window with one page of WebKitGTK and nothing else: the browser that WebKitWebDriver starts for webkit.py.

MiniBrowser would do, but for its bar: it is never narrower than 447 pixels, and a phone is.
Runs in the system's Python (apt: python3-gi, gir1.2-webkit2-4.1).  In $WEBKIT_FOLDER: log is written, init.js runs
before the page's own scripts, page.pdf is the printed page.
"""

import os
import sys
import tempfile
import threading
import tty

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import GLib, Gtk, WebKit2  # noqa: E402

FOLDER = os.environ["WEBKIT_FOLDER"]
LOG = os.open(f"{FOLDER}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(kind, what=""):
    os.write(LOG, f"\n{kind} {what}\n".encode())


def copy_the_console():
    """A page's console is the standard output of a child process, line by line only on a terminal."""
    reader, writer = os.openpty()
    tty.setraw(writer)
    os.dup2(writer, 1)
    os.dup2(writer, 2)

    def copy():
        while text := os.read(reader, 65536):
            os.write(LOG, text)

    threading.Thread(target=copy, daemon=True).start()


def context():
    """Remembers nothing from page to page, yet is no ephemeral session: that keeps its console to itself."""
    memory = tempfile.mkdtemp(dir=FOLDER)
    manager = WebKit2.WebsiteDataManager(base_data_directory=f"{memory}/data", base_cache_directory=f"{memory}/cache")
    # Other hosts are behind a proxy that is not there.
    manager.set_network_proxy_settings(WebKit2.NetworkProxyMode.CUSTOM, WebKit2.NetworkProxySettings(
        "http://127.0.0.1:9", ["127.0.0.1", "localhost"]))
    made = WebKit2.WebContext.new_with_website_data_manager(manager)
    made.set_automation_allowed(True)
    made.connect("automation-started", automate)
    return made


def automate(context, session):
    info = WebKit2.ApplicationInfo()
    info.set_name("webkit")
    info.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(info)
    session.connect("create-web-view", lambda session: open_window(context))


def open_window(context):
    content = WebKit2.UserContentManager()
    with open(f"{FOLDER}/init.js", encoding="utf-8") as script:
        content.add_script(WebKit2.UserScript(script.read(), WebKit2.UserContentInjectedFrames.ALL_FRAMES,
                                              WebKit2.UserScriptInjectionTime.START, None, None))
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True, user_content_manager=content,
                           settings=WebKit2.Settings(enable_write_console_messages_to_stdout=True))
    view.connect("resource-load-started", requested)
    view.connect("web-process-terminated", lambda view, why: note("DIED", why.value_nick))
    view.connect("notify::title", lambda view, _: view.get_title() == "PRINT" and print_page(view))
    window = Gtk.Window(default_width=1280, default_height=900)
    window.add(view)
    view.connect("close", lambda view: window.destroy())
    window.connect("destroy", lambda window: GLib.idle_add(Gtk.main_quit))
    window.show_all()
    return view


def requested(view, resource, request):
    def finished(resource):
        answer = resource.get_response()
        if answer and answer.get_status_code() >= 400:
            note("MISSES", f"{resource.get_uri()} with a status of {answer.get_status_code()}")

    note("REQUEST", request.get_uri())
    resource.connect("finished", finished)
    resource.connect("failed", lambda resource, error: note("MISSES", f"{resource.get_uri()} {error.message}"))


def print_page(view):
    settings = Gtk.PrintSettings()
    settings.set_printer("Print to File")
    settings.set(Gtk.PRINT_SETTINGS_OUTPUT_URI, f"file://{FOLDER}/page.pdf")
    settings.set(Gtk.PRINT_SETTINGS_OUTPUT_FILE_FORMAT, "pdf")
    operation = WebKit2.PrintOperation.new(view)
    operation.set_print_settings(settings)
    operation.connect("finished", lambda operation: note("PRINTED"))
    operation.print_()


copy_the_console()
Gtk.init()
looks = Gtk.Settings.get_default().props
looks.gtk_application_prefer_dark_theme = "--dark" in sys.argv   # prefers-color-scheme
looks.gtk_enable_animations = False                              # prefers-reduced-motion
web = context()   # held: the driver ends with it
Gtk.main()
