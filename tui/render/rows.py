"""Rows of cells under named columns, fitted to the width there is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui.render.ink import LABEL, PLAIN, Ink, Line, fit, fit_right, frame
from tui.render.safe import one_line

_GAP = 2
_WIDEST = 60
_NARROWEST = 3
_READABLE = 6
"""Cells that a cut column keeps; where not all columns can, those at the right are left out."""
_LOOKED_AT = 200
"""Rows whose widths are looked at."""


def draw_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, height: int, *, first: int = 0
) -> list[Line]:
    """Draw the rows from `first` on, on exactly `height` lines of `width` cells; numbers stand right, words left.

    The column names stay on top; the last line tells how many rows there are below.
    """
    count = max(len(columns), max((len(row) for row in rows[:_LOOKED_AT]), default=0))
    if not count or width <= 0 or height <= 0:
        return frame([], width, height)
    names = [_cell(columns, index) for index in range(count)]
    count = _fitting([names, *rows[:_LOOKED_AT]], count, width)
    names = names[:count]
    widths = column_widths([names, *rows[:_LOOKED_AT]], count, width)
    is_number = [_is_number_column(rows[:_LOOKED_AT], index) for index in range(count)]
    lines = [_row(names, widths, is_number, LABEL)] if any(names) and height > 1 else []
    room = height - len(lines)
    below = len(rows) - first - room
    shown = rows[first : first + (room - 1 if below > 0 and room > 1 else room)]
    lines += [_row([_cell(row, index) for index in range(count)], widths, is_number, PLAIN) for row in shown]
    if below > 0 and room > 1:
        lines.append([(f"+{len(rows) - first - len(shown)} more", LABEL)])
    return frame(lines, width, height)


def _fitting(rows: Sequence[Sequence[str]], count: int, width: int) -> int:
    """Return how many columns, from the left, can be read in `width` cells."""
    taken = -_GAP
    for index in range(count):
        taken += _GAP + min(_READABLE, max((cell_len(_cell(row, index)) for row in rows), default=0))
        if taken > width:
            return max(1, index)
    return count


def column_widths(rows: Sequence[Sequence[str]], count: int, width: int) -> list[int]:
    """Return the width of each column: what its cells need, the widest cut first where that is too much together."""
    needed = [max((cell_len(_cell(row, index)) for row in rows), default=0) for index in range(count)]
    widths = [min(_WIDEST, each) for each in needed]
    room = width - _GAP * (count - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        widths[widest] -= min(widths[widest] - _NARROWEST, sum(widths) - room, max(1, widths[widest] // 4))
    return widths


def _cell(row: Sequence[str], index: int) -> str:
    return one_line(str(row[index]), 4 * _WIDEST) if index < len(row) else ""


def _row(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool], ink: Ink) -> Line:
    line: Line = []
    for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        if index:
            line.append((" " * _GAP, PLAIN))
        line.append((fit_right(cell, width) if is_number[index] else fit(cell, width), ink))
    return line


def _is_number_column(rows: Sequence[Sequence[str]], index: int) -> bool:
    cells = [_cell(row, index) for row in rows]
    return any(cells) and all(_is_number(each) for each in cells if each)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").rstrip("%").strip())
    except ValueError:
        return False
    return True
