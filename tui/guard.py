"""A parent that gives the terminal back, whatever way the app ends.

Textual restores the terminal on an ordinary exit and on an exception. A signal, a segmentation fault or the kernel's
out-of-memory killer leaves the alternate screen, the mouse reports and raw mode on. So the app runs as a child of this
small process, which remembers how the terminal was and puts it back.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable
from types import FrameType

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
MODES = (1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 2048, 1049)
"""Private modes that Textual may leave on: mouse, focus, paste, synchronized output, alternate screen."""

RESET = "".join(f"\x1b[?{mode}l" for mode in MODES) + "\x1b[?25h\x1b[?7h\x1b[<u\x1b[0m"
"""Turns those modes off, shows the cursor, wraps lines, pops the keyboard protocol and resets the colors."""
ORDERLY = b"."
"""What the child says when it comes to its end by itself."""


def guarded(run: Callable[[], int]) -> int:
    """Run `run` in a child on this terminal and return its exit code (128 + signal where one ended it).

    The terminal's settings are what they were before, when this returns.
    """
    terminal = sys.stdin.fileno()
    settings = termios.tcgetattr(terminal)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = _run_child(run)
        os.write(writing, ORDERLY)
        # No clean-up of the parent's (buffers, exit hooks) may run twice.
        os._exit(code)
    os.close(writing)

    def forward(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    before = {number: signal.signal(number, forward) for number in FORWARDED}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status = _wait(child)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    orderly = _was_orderly(reading)
    if code:
        # Leaving the other screen twice would put the cursor back, and the prompt over what was said last.
        _restore(terminal, settings, b"" if orderly else RESET.encode())
    return 128 - code if code < 0 else code


def _was_orderly(reading: int) -> bool:
    """Whether the app came to its own end, and so has given the screen back. Its children may live on: no waiting."""
    os.set_blocking(reading, False)
    try:
        return os.read(reading, 1) == ORDERLY
    except BlockingIOError:
        return False
    finally:
        os.close(reading)


def _run_child(run: Callable[[], int]) -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = run()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _wait(child: int) -> int:
    """Wait for the child's end, stopping and going on with it."""
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return status
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(child, signal.SIGCONT)


def _restore(terminal: int, settings: list[object], reset: bytes) -> None:
    """Put modes and settings back; the terminal may be gone."""
    with contextlib.suppress(OSError, termios.error):
        os.write(sys.stdout.fileno(), reset)
    with contextlib.suppress(OSError, termios.error):
        termios.tcsetattr(terminal, termios.TCSAFLUSH, settings)  # type: ignore[arg-type]


def refuse_reason(environment: dict[str, str] | None = None) -> str:
    """Say why the app cannot open on this terminal, or nothing where it can."""
    environment = dict(os.environ) if environment is None else environment
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "The app needs a terminal, and input or output is not one."
    if environment.get("TERM", "dumb") in {"", "dumb"}:
        return "The app needs a terminal that can place text, and TERM says it cannot."
    return ""
