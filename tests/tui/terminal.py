"""The command in a terminal of its own (a pty): what it writes there, byte by byte, and how it ends."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests import source

STUB = [sys.executable, "-P", str(Path(__file__).parents[1] / "stub_trainer.py")]
OPEN = """
import sys
import tui.services
plain = tui.services.Services.__init__
tui.services.Services.__init__ = lambda self, *, trainer=None: plain(self, trainer=%r)
from tui import cli
%s
sys.exit(cli.main(sys.argv[1:]))
"""
"""Opens the app through the command line, on the stub trainer; the second place is for what a test breaks."""


class Terminal:
    """One command on one terminal. Use it in a `with`."""

    def __init__(
        self, *words: str, patch: str = "", shell: str = "", lacking: Sequence[str] = (), **environment: str
    ) -> None:
        """Open the app with `words`; `patch` breaks it first. `shell` is run in its place; `lacking` is not set."""
        self.master, slave = pty.openpty()
        self.resize(120, 40)
        self.settings = termios.tcgetattr(slave)
        self.output = b""
        around = {**os.environ, "TERM": "xterm-256color", **environment}
        self.child = subprocess.Popen(
            ["sh", "-c", shell] if shell else [sys.executable, "-c", OPEN % (STUB, patch), *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=source.ROOT,
            env={name: value for name, value in around.items() if name not in lacking},
            start_new_session=True,
        )
        self.slave = slave

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *what: object) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.end(10)
            except AssertionError:
                self.child.kill()
        os.close(self.slave)
        os.close(self.master)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def read(self, seconds: float = 0.05) -> None:
        """Take what was written since, for so long at most."""
        if select.select([self.master], [], [], seconds)[0]:
            self.output += os.read(self.master, 65536)

    def until(self, happened: Callable[[], object] | bytes, what: str = "", seconds: float = 60.0) -> None:
        """Read until something is true, or was written."""
        wanted = happened
        deadline = time.monotonic() + seconds
        while not (wanted in self.output if isinstance(wanted, bytes) else wanted()):
            assert time.monotonic() < deadline, f"never: {what or wanted}; it wrote {self.output[-1500:]!r}"
            self.read()

    def end(self, seconds: float = 60.0) -> int:
        """Read to the end and return the exit code."""
        self.until(lambda: self.child.poll() is not None, "the end", seconds)
        self.read(0.1)
        code = self.child.poll()
        assert code is not None
        return code


SEQUENCE = re.compile(
    rb"\x1b\[[0-9;:]*m"  # colors and styles
    rb"|\x1b\[[0-9;]*[ABCDHJKfd]"  # cursor and erasing
    rb"|\x1b\[\?(?:7|25|1000|1002|1003|1004|1005|1006|1015|1016|1049|2004|2026|2031|2048|2027)[hl]"  # modes of our own
    rb"|\x1b\[\?(?:2026|2048)\$p"  # which modes there are
    rb"|\x1b\[[=<>][0-9;]*u|\x1b\[<u|\x1b\[\?u"  # the keyboard's protocol
    rb"|\x1b\[c|\x1b\[>c|\x1b\[\?996n|\x1b\[[0-9;]*t|\x1b\[6n"  # questions to the terminal
    rb"|\x1b\][0-9]*;[^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and the like: looked at apart
    rb"|\x1b[78=>]|\x1b\(B|\x1bP=1s\x1b\\|\x1bP=2s\x1b\\|\x1b_G[^\x1b]*\x1b\\"
)
"""What the renderer itself writes."""


def foreign(output: bytes) -> list[str]:
    """Return every character of the output that drives a terminal and is none of the renderer's own."""
    from tests.hostile import drives

    rest = SEQUENCE.sub(b"", output).decode("utf-8", "replace")
    return [drives(each) for each in sorted(set(rest)) if each not in "\r\n\t" and drives(each)]
