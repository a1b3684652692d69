"""Styled text that is broken into lines.

A `Flow` is a paragraph before its width is known; a `Line` is one row of a page, with its styles and with the places of
the links on it. Everything is counted in characters here; columns matter only where a line is full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich.cells import cell_len, chop_cells
from textual.content import Content, Span

NO_BREAK = "\u00a0"
"""A blank at which no line is broken; shown as an ordinary one."""


class Mark(NamedTuple):
    """Where a link, or a piece of it, stands on a line."""

    start: int
    end: int
    key: int
    """The same for all pieces of one link."""
    target: str


class Line(NamedTuple):
    """One row."""

    text: str = ""
    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    heading: str = ""
    """The heading that this row begins, to jump to."""

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.text) if self.text.isascii() else cell_len(self.text)

    @property
    def content(self) -> Content:
        """The row for Textual; it has no markup, whatever its text."""
        return Content(self.text, list(self.spans))

    def after(self, prefix: str, style: str = "") -> Line:
        """Return the row with `prefix` before it."""
        by = len(prefix)
        if not by:
            return self
        spans = tuple(Span(span.start + by, span.end + by, span.style) for span in self.spans)
        if style and prefix.strip():
            spans = (Span(0, by, style), *spans)
        marks = tuple(Mark(mark.start + by, mark.end + by, mark.key, mark.target) for mark in self.marks)
        return Line(prefix + self.text, spans, marks, self.heading)

    def filled(self, width: int, align: str = "left", style: str = "") -> Line:
        """Return the row with blanks up to `width` columns; `style` lies under all of it."""
        room = max(0, width - self.width)
        left = {"left": 0, "right": room, "center": room // 2}[align]
        line = self.after(" " * left)
        text = line.text + " " * (room - left)
        spans = (Span(0, len(text), style), *line.spans) if style and text else line.spans
        return line._replace(text=text, spans=spans)


def styled(text: str, style: str = "", heading: str = "") -> Line:
    """Return one row in one style."""
    return Line(text, (Span(0, len(text), style),) if style and text else (), (), heading)


def joined(lines: Sequence[Line], between: str = "", style: str = "") -> Line:
    """Return rows as one, beside one another, with `between` between two."""
    text, spans, marks = "", list[Span](), list[Mark]()
    for number, line in enumerate(lines):
        moved = line.after(between, style).after(" " * len(text)) if number else line
        text = text + between + line.text if number else line.text
        spans += moved.spans
        marks += moved.marks
    return Line(text, tuple(spans), tuple(marks))


class Flow:
    """Text with styles and links, on its way into lines."""

    __slots__ = ("_length", "_parts", "marks", "spans")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.spans: list[Span] = []
        self.marks: list[Mark] = []

    @property
    def text(self) -> str:
        """All of it; a newline is a break that the author wants."""
        return "".join(self._parts)

    @property
    def ending(self) -> str:
        """The last piece that was added."""
        return self._parts[-1] if self._parts else ""

    def add(self, text: str, styles: Iterable[str] = (), link: tuple[int, str] | None = None) -> None:
        """Append text in these styles; `link` is the key and the target that it leads to."""
        if not text:
            return
        start = self._length
        self._length += len(text)
        self._parts.append(text)
        self.spans += [Span(start, self._length, style) for style in styles if style]
        if link is not None:
            self.marks.append(Mark(start, self._length, *link))

    def lines(self, width: int) -> list[Line]:
        """Return it in rows of at most `width` columns."""
        text = self.text
        shown = text.replace(NO_BREAK, " ")
        rows = broken(text, max(1, width))
        spans = dealt(self.spans, rows)
        marks = dealt(self.marks, rows)
        lines: list[Line] = []
        for (start, end), row_spans, row_marks in zip(rows, spans, marks, strict=True):
            lines.append(
                Line(
                    shown[start:end],
                    tuple(Span(max(s.start, start) - start, min(s.end, end) - start, s.style) for s in row_spans),
                    tuple(Mark(max(m.start, start) - start, min(m.end, end) - start, *m[2:]) for m in row_marks),
                )
            )
        return lines


def dealt(spans: Sequence[Span] | Sequence[Mark], rows: Sequence[tuple[int, int]]) -> list[list[Any]]:
    """Deal spans, in order of their start, to the rows that they touch."""
    dealt: list[list[Any]] = [[] for _ in rows]
    row = 0
    for span in spans:
        while row < len(rows) and rows[row][1] <= span.start:
            row += 1
        at = row
        while at < len(rows) and rows[at][0] < span.end:
            if max(rows[at][0], span.start) < min(rows[at][1], span.end):
                dealt[at].append(span)
            at += 1
    return dealt


_PIECE = re.compile(r"\n|[^ \n]+")


def broken(text: str, width: int) -> list[tuple[int, int]]:
    """Return start and end of each row of `text`, broken at blanks, within words only where they are too long."""
    rows: list[tuple[int, int]] = []
    ascii_text = text.isascii()
    start, end, used = -1, 0, 0
    for found in _PIECE.finditer(text):
        first, last = found.span()
        if text[first] == "\n":
            rows.append((start, end) if start >= 0 else (first, first))
            start = -1
            continue
        size = last - first if ascii_text else cell_len(text[first:last])
        if start >= 0:
            gap = first - end
            if used + gap + size <= width:
                end, used = last, used + gap + size
                continue
            rows.append((start, end))
        if size > width:
            *full, (first, last) = _cut(text, first, last, width)
            rows += full
            size = cell_len(text[first:last])
        start, end, used = first, last, size
    if start >= 0:
        rows.append((start, end))
    return rows


def _cut(text: str, start: int, end: int, width: int) -> list[tuple[int, int]]:
    """Cut a word that is longer than a row."""
    rows: list[tuple[int, int]] = []
    for piece in chop_cells(text[start:end], width):
        rows.append((start, start + len(piece)))
        start += len(piece)
    return rows or [(start, end)]


def to_content(lines: Iterable[Line]) -> Content:
    """Return rows as one content, for a widget that breaks lines itself."""
    text: list[str] = []
    spans: list[Span] = []
    at = 0
    for line in lines:
        spans += [Span(span.start + at, span.end + at, span.style) for span in line.spans]
        text.append(line.text)
        at += len(line.text) + 1
    return Content("\n".join(text), spans)
