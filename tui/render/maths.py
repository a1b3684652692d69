"""Formulas for the terminal: one line within the text, several lines where they are displayed.

LaTeX that cannot be set is shown as it was written; `check` says what is wrong with it.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import chop_cells

from tui.render.maths_display import box_of, fitted
from tui.render.maths_linear import linear
from tui.render.maths_parse import FormulaProblem, parse
from tui.render.safe import one_line, safe

__all__ = ["FormulaProblem", "check", "display", "inline"]


def check(latex: str) -> None:
    """Set a formula both ways and forget it.

    Raises:
        FormulaProblem: it cannot be set.
    """
    row = parse(safe(latex))
    linear(row)
    box_of(row)


@lru_cache(maxsize=2048)
def inline(latex: str) -> str:
    """Return a formula as one line of text; its source where it cannot be set."""
    try:
        return one_line(linear(parse(safe(latex))))
    except FormulaProblem:
        return one_line(latex)


@lru_cache(maxsize=512)
def display(latex: str, width: int) -> tuple[str, ...]:
    """Return a formula as lines of at most `width` columns; its source, broken, where it cannot be set."""
    width = max(1, width)
    try:
        row = parse(safe(latex.strip()))
    except FormulaProblem:
        return _cut(one_line(latex), width)
    boxes = fitted(row, width)
    if boxes is None:
        return _cut(one_line(linear(row)), width)
    lines: list[str] = []
    for number, box in enumerate(boxes):
        if number and (box.height > 1 or boxes[number - 1].height > 1):
            lines.append("")
        lines.extend(line.rstrip() for line in box.lines)
    return tuple(lines)


def _cut(text: str, width: int) -> tuple[str, ...]:
    """Break a line of text at its blanks, and within words where they are too long."""
    lines: list[str] = [""]
    room = width
    for word in text.split(" "):
        for piece in chop_cells(word, width) or [""]:
            size = len(piece) if piece.isascii() else sum(map(_cells, piece))
            if size + (room < width) > room:
                lines.append("")
                room = width
            lines[-1] += (" " if room < width else "") + piece
            room -= size + (room < width)
    return tuple(lines)


def _cells(character: str) -> int:
    from rich.cells import cell_len

    return cell_len(character)
