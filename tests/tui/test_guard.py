"""Whatever way the app ends, the terminal is what it was, and the exit code tells."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import textwrap
import time
from pathlib import Path

import pytest

from tui.guard import MODES

APP = textwrap.dedent(
    """
    import os, signal, sys, ctypes
    from textual.app import App
    from tui.guard import guarded
    from tui.terminal import prepare

    way = sys.argv[1]
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # tests that run in the background inherit it ignored

    class Ends(App):
        def on_mount(self):
            self.call_after_refresh(self.end)
        def end(self):
            if way == "exit": self.exit(return_code=0)
            elif way == "failure": self.exit(return_code=3)
            elif way == "exception": raise RuntimeError("boom")
            elif way == "sys.exit": sys.exit(4)
            elif way == "os._exit": os._exit(5)
            elif way == "segv": ctypes.string_at(0)
            else: os.kill(os.getpid(), getattr(signal, way))

    def run():
        prepare()
        app = Ends()
        app.run()
        return app.return_code or 0

    sys.exit(guarded(run))
    """
)
WAYS = {
    "exit": 0,
    "failure": 3,
    "exception": 1,
    "os._exit": 5,
    "segv": 128 + signal.SIGSEGV,
    "SIGTERM": 128 + signal.SIGTERM,
    "SIGHUP": 128 + signal.SIGHUP,
    "SIGQUIT": 128 + signal.SIGQUIT,
    "SIGUSR1": 128 + signal.SIGUSR1,
    "SIGKILL": 128 + signal.SIGKILL,
    "SIGABRT": 128 + signal.SIGABRT,
}
ROOT = Path(__file__).parents[2]


def left_on(output: bytes) -> set[int]:
    """Return the private modes that were turned on last and never off again, the cursor as 25 when it is hidden."""
    state: dict[int, bool] = {}
    for part in output.split(b"\x1b[?")[1:]:
        digits = part[: max(part.find(b"h"), 0)] if 0 <= part.find(b"h") < 8 else b""
        off = part[: max(part.find(b"l"), 0)] if 0 <= part.find(b"l") < 8 else b""
        for text, on in ((digits, True), (off, False)):
            if text.isdigit():
                state[int(text)] = on
    return {mode for mode in MODES if state.get(mode)} | ({25} if state.get(25) is False else set())


@pytest.mark.parametrize("way", WAYS)
def test_the_terminal_is_given_back(way: str, tmp_path: Path) -> None:
    script = tmp_path / "ends.py"
    script.write_text(APP)
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "TEXTUAL_ALLOW_SIGNALS": "1"}
    child = subprocess.Popen(
        [sys.executable, str(script), way],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.set_blocking(master, False)
    output, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            output += os.read(master, 65536)
        except (BlockingIOError, OSError):
            if child.poll() is not None:
                break
            time.sleep(0.01)
    assert child.wait(30) == WAYS[way], output[-2000:]
    assert b"\x1b[?1049h" in output, "the app never took the terminal"
    assert left_on(output) == set()
    after = termios.tcgetattr(slave)
    assert after[:4] == before[:4]
    os.close(master)
    os.close(slave)
