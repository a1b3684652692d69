"""What a drawing is made of: lines of runs, a run being text and the ink it is written with.

An ink names roles (``series-1``, ``axis``), never colors, except where the color itself is the datum: pictures and heat
maps write ``#rrggbb``. The widget that shows a drawing turns roles into the styles of the theme.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.render.safe import one_line

Mode = Literal["braille", "block", "ascii"]
"""Which characters the terminal's font is trusted with."""

Tone = Literal["color", "shade"]
"""Whether a value may be shown by color alone, or needs a character that is denser where the value is larger."""

SERIES = 8
"""How many roles ``series-1``, ``series-2`` ... there are; the next series begins again."""

ROLES = (
    *(f"series-{number}" for number in range(1, SERIES + 1)),
    *(f"series-{number}-dim" for number in range(1, SERIES + 1)),
    *("axis", "label", "reference", "mark", "cursor", "bad", "good", "warning", "strong"),
)
"""Every role that a drawing may use."""


class Ink(NamedTuple):
    """Role or ``#rrggbb`` of the character and of what is behind it; empty means the widget's own."""

    front: str = ""
    back: str = ""


Run = tuple[str, Ink]
Line = list[Run]

PLAIN = Ink()
LABEL = Ink("label")
AXIS = Ink("axis")

MARKERS = "●○▲△■□◆◇"
ASCII_MARKERS = "oxv^#%@&"


def series_role(index: int) -> str:
    """Return the role of the curve or group with that index, from 0."""
    return f"series-{index % SERIES + 1}"


def marker(index: int, mode: Mode = "braille") -> str:
    """Return the character that tells the curve or group apart where there is no color."""
    return (ASCII_MARKERS if mode == "ascii" else MARKERS)[index % SERIES]


def fit(text: str, width: int) -> str:
    """Return safe text of exactly `width` cells: cut with an ellipsis, or filled with blanks."""
    text = one_line(text, 4 * max(width, 0) + 4)
    if cell_len(text) > width > 1:
        text = set_cell_size(text, width - 1).rstrip() + "…"
    return set_cell_size(text, max(width, 0))


def fit_right(text: str, width: int) -> str:
    """Return safe text of exactly `width` cells, set against the right edge."""
    text = one_line(text, 4 * max(width, 0) + 4)
    return " " * (width - cell_len(text)) + text if cell_len(text) <= width else fit(text, width)


def wide(line: Line) -> int:
    """Return how many cells the line takes."""
    return sum(cell_len(text) for text, _ in line)


def fill(line: Line, width: int) -> Line:
    """Return the line made exactly `width` cells wide."""
    filled: Line = []
    left = max(width, 0)
    for text, ink in line:
        if left <= 0:
            break
        size = cell_len(text)
        if size > left:
            text, size = set_cell_size(text, left), left
        if text:
            filled.append((text, ink))
        left -= size
    if left > 0:
        filled.append((" " * left, PLAIN))
    return filled


def frame(lines: Iterable[Line], width: int, height: int) -> list[Line]:
    """Return exactly `height` lines of exactly `width` cells: the first ones of `lines`, then blank ones."""
    framed = [fill(line, width) for line, _ in zip(lines, range(height), strict=False)]
    return framed + [fill([], width) for _ in range(height - len(framed))]


def centered(text: str, width: int, height: int, ink: Ink = LABEL) -> list[Line]:
    """Return `text`, wrapped at words, in the middle of an otherwise empty area."""
    import textwrap

    rows = textwrap.wrap(one_line(text, 2000), max(1, min(width - 2, 60)))[: max(height, 0)] if width > 0 else []
    above = (height - len(rows)) // 2
    written: list[Line] = [[(" " * max(0, (width - cell_len(row)) // 2), PLAIN), (row, ink)] for row in rows]
    return frame([*([] for _ in range(above)), *written], width, height)


def plain(lines: Iterable[Line]) -> str:
    """Return the drawing as text without its inks."""
    return "\n".join("".join(text for text, _ in line) for line in lines)
