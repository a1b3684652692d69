import os
import pty
import select
import subprocess
import sys
import time

APP = r"""
from textual.app import App
from textual.widgets import Label, OptionList, RichLog, Static
from tui.render.safe import install_guards

HOSTILE = "\x1b]52;c;aGk=\x07 \x9d0;title\x9c \u202eevil"

class Forgetful(App):
    def compose(self):
        yield Static(HOSTILE, markup=False)
        yield Label(HOSTILE, markup=False)
        yield OptionList(HOSTILE, markup=False)
        yield RichLog()
    def on_mount(self):
        self.query_one(RichLog).write(HOSTILE)
        self.title = HOSTILE
        self.set_timer(0.3, lambda: self.exit())

install_guards()
Forgetful().run()
"""


def test_a_forgotten_string_does_not_reach_the_terminal():
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    app = subprocess.Popen([sys.executable, "-c", APP], stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written, deadline = b"", time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    written += os.read(ours, 65536)
                except OSError:
                    break
            elif app.poll() is not None:
                break
    finally:
        app.kill()
        app.wait()
        os.close(ours)
    assert b"evil" in written, "the app never painted"
    for driving in (b"\x1b]52", "\x9d".encode(), "\u202e".encode()):
        assert driving not in written
