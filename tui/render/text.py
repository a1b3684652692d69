"""Plain text of a model or a log, wrapped by cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rich.cells import cell_len, chop_cells

from tui.render.ink import LABEL, PLAIN, Ink, Line, frame
from tui.render.safe import LARGEST_STACK, safe

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""Terminal sequences of colors, cursor and title, which a log holds and a reader does not need."""

_LONGEST_LINE = 20_000


def wrap(text: str, width: int) -> Iterator[str]:
    """Yield the lines of safe `text`, broken at blanks where that is possible, none wider than `width` cells."""
    for line in safe(text).expandtabs(4).split("\n"):
        rest = line[:_LONGEST_LINE]
        # No more characters than this can stand on one line, marks that combine included.
        most = (LARGEST_STACK + 1) * width + 1
        while width > 0 and cell_len(rest[:most]) > width:
            head = chop_cells(rest[:most], width)[0] or rest[:1]
            blank = head.rfind(" ")
            head = head[:blank] if blank > 0 and rest[len(head) : len(head) + 1] not in ("", " ") else head
            yield head if cell_len(head) <= width else "…"
            rest = rest[len(head) :].removeprefix(" ")
        yield rest


def wrapped(parts: Iterable[tuple[str, Ink]], width: int) -> Iterator[Line]:
    """Yield lines of at most `width` cells of parts that each begin a line of their own."""
    for text, ink in parts:
        for line in wrap(text, width):
            yield [(line, ink)] if line else []


def draw_text(text: str, width: int, height: int, *, prompt: str = "", first: int = 0) -> list[Line]:
    """Draw a sample from its line `first` on, on exactly `height` lines; the prompt before it stands out."""
    parts = [(f"› {prompt}", Ink("strong"))] if prompt else []
    lines = islice(wrapped([*parts, (text, PLAIN)], width), first, first + height)
    return frame(lines if width > 0 else [], width, height)


def log_lines(text: str) -> list[str]:
    """Return the lines of a log as a terminal leaves them: no escape sequences, a redrawn line in its last form."""
    lines = _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")
    return [line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines]


def draw_log(lines: Sequence[tuple[str, str]], width: int, height: int, *, above: int = 0) -> list[Line]:
    """Draw the end of a log, lines of level and text, `above` lines further up, on exactly `height` lines."""
    inks = {"info": PLAIN, "warning": Ink("warning"), "error": Ink("bad"), "print": LABEL}
    rows: list[Line] = []
    for level, text in reversed(lines):
        if len(rows) >= above + height:
            break
        rows[:0] = wrapped([(text, inks.get(level, PLAIN))], max(1, width))
    end = max(min(height, len(rows)), len(rows) - above)
    return frame(rows[max(0, end - height) : end], width, height)
