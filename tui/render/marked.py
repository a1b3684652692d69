"""A table of one step: the row that is at work, those that it draws on, and the cells that have just changed."""

from __future__ import annotations

from engine.core.events import Table
from tui.render.ink import Ink, Line
from tui.render.rows import draw_table

NOW, INVOLVED = "▸", "•"
"""In the first column: the row that the step is about, and those that take part in it."""
_CHANGED = Ink("warning")
_ROWS = {NOW: Ink("strong"), INVOLVED: Ink("series-1")}


def draw_marked(table: Table, before: Table | None, width: int, height: int, *, first: int = 0) -> list[Line]:
    """Draw rows from `first` on, on exactly `height` lines of `width` cells, in the inks of what happens to them.

    Args:
        table: the rows now.
        before: the same table one step earlier, or None; of another shape nothing is said to have changed.
        width: in cells.
        height: in lines.
        first: the row on top.
    """
    lines = draw_table(table.columns, table.rows, width, height, first=first)
    head = 1 if any(table.columns) and height > 1 else 0
    shown = min(len(table.rows) - first, height - head)
    if len(table.rows) - first > shown and height - head > 1:
        shown -= 1
    changed = changes(table, before)
    for at in range(shown):
        row = table.rows[first + at]
        ink = _ROWS.get(row[0]) if row else None
        lines[head + at] = _inked(lines[head + at], first + at, ink, changed)
    return lines


def changes(table: Table, before: Table | None) -> set[tuple[int, int]]:
    """Return row and column of the cells that differ from those before, the marks in the first column left out.

    Where most cells differ the table is about something else, and none stands out.
    """
    if before is None or len(before.rows) != len(table.rows):
        return set()
    found = {
        (number, column)
        for number, (row, old) in enumerate(zip(table.rows, before.rows, strict=True))
        for column, cell in enumerate(row)
        if column and len(row) == len(old) and cell != old[column]
    }
    return found if 2 * len(found) <= sum(map(len, table.rows)) else set()


def first_row(table: Table, height: int) -> int:
    """Return the row to begin with so that the one at work stands in the middle, as far as there are rows."""
    now = next((number for number, row in enumerate(table.rows) if row and row[0] == NOW), 0)
    room = max(1, height - 1)
    if len(table.rows) <= room:
        return 0
    return max(0, min(now - room // 2, len(table.rows) - room))


def _inked(line: Line, row: int, ink: Ink | None, changed: set[tuple[int, int]]) -> Line:
    """Return the line of a row with the ink of each cell; between two cells lies a gap."""
    inked: Line = []
    for place, (text, old) in enumerate(line):
        column, between = divmod(place, 2)
        new = _CHANGED if not between and (row, column) in changed else ink
        inked.append((text, new or old))
    return inked
