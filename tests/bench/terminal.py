"""A terminal of the benchmark's own: a program at a pseudo-terminal, and the moment at which its output arrived."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from tests.source import ROOT

SIZE = (120, 40)
"""Columns and rows."""

LOOK_SECONDS = 0.5
"""How often to look whether the program has ended, while it prints nothing."""

_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[ -/]*[0-~])", re.DOTALL
)
_ANSWERS = {
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?u": b"\x1b[?0u",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",
    b"\x1b[>0q": b"\x1bP>|bench 1\x1b\\",
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b]10;?": b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
}
"""What a terminal of today says when it is asked; a program that waits for it would be slowed down without."""


class Terminal:
    """A program that believes to be at a terminal. Use it as a context: it is ended on the way out."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, size: tuple[int, int] = SIZE
    ) -> None:
        """Start `command` at once."""
        self._master, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        usual = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        own = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
        self._output: list[tuple[float, bytes]] = []
        self._news = threading.Condition()
        self.began = time.perf_counter()
        self.program = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**own, **usual, **(environment or {})},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _read(self) -> None:
        while True:
            try:
                select.select([self._master], [], [])
                data = os.read(self._master, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            now = time.perf_counter()
            for question, answer in _ANSWERS.items():
                if question in data:
                    with contextlib.suppress(OSError):
                        os.write(self._master, answer)
            with self._news:
                self._output.append((now, data))
                self._news.notify_all()

    def mark(self) -> int:
        """Return a place in the output: what comes from now on."""
        with self._news:
            return len(self._output)

    def text(self, since: int = 0) -> str:
        """Return what was printed since a mark, without the sequences that color and place it."""
        with self._news:
            data = b"".join(each for _, each in self._output[since:])
        return plain(data)

    def send(self, keys: str) -> float:
        """Type; return when."""
        now = time.perf_counter()
        os.write(self._master, keys.encode())
        return now

    def wait_for(self, seen: Callable[[str], bool], *, since: int = 0, seconds: float = 60.0) -> float:
        """Return when the output since a mark first satisfied `seen`, as seconds of `time.perf_counter`.

        Raises:
            TimeoutError: it never did; the message ends with what was printed last.
        """
        until = time.perf_counter() + seconds
        buffer = b""
        at = since
        while True:
            with self._news:
                if len(self._output) == at:
                    self._news.wait(LOOK_SECONDS)
                fresh = self._output[at:]
                at = len(self._output)
            for when, data in fresh:
                buffer += data
                if seen(plain(buffer)):
                    return when
            if time.perf_counter() > until or (self.program.poll() is not None and self.mark() == at):
                break
        raise TimeoutError(f"what was waited for did not come; the last was: {plain(buffer)[-300:]!r}")

    def quiet(self, seconds: float, *, since: int = 0, longest: float = 120.0) -> float:
        """Wait until nothing was printed for `seconds`; return when the last output came."""
        until = time.perf_counter() + longest
        while time.perf_counter() < until:
            with self._news:
                last = self._output[-1][0] if len(self._output) > since else time.perf_counter()
            left = last + seconds - time.perf_counter()
            if left <= 0:
                return last
            time.sleep(left)
        raise TimeoutError(f"the output did not come to rest in {longest:g} s")

    def close(self) -> None:
        """End the program, gently first."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.program.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.program.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.program.wait(5.0)
        with contextlib.suppress(OSError):
            os.close(self._master)


def plain(data: bytes) -> str:
    """Return the characters that would be seen, in the order in which they were printed."""
    return _SEQUENCE.sub("", data.decode("utf-8", "replace"))


def _take_terminal() -> None:
    """Make the pseudo-terminal the one that controls the program."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
