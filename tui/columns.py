"""Rows of words in columns, as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from tui.render.safe import one_line

GAP = "  "


def columns(rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> list[str]:
    """Return one line a row, every column as wide as its widest cell; a cell from outside can drive no terminal."""
    told = [[one_line(cell) for cell in row] for row in ([head, *rows] if head else rows)]
    if not told:
        return []
    widths = [max(map(len, column)) for column in zip(*told, strict=True)]
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in told]
