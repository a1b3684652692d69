"""The drawn events of a run, or of a play, as lines of a terminal or of a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from engine.core.events import HeatMap, Histogram, Pictures, Points, Table, Text
from tui.columns import columns
from tui.render.ink import Line, Mode, Tone, plain
from tui.render.safe import safe

WIDEST = 120
TALLEST = 24
"""Lines of one drawing; fewer where the terminal has fewer."""
AROUND = 3
"""Lines of a terminal that a drawing leaves for its title and for the prompt."""


def print_event(event: object, out: TextIO | None = None) -> None:
    """Print one event that can be looked at; the others say nothing to a person."""
    out = out or sys.stdout
    for line in told(event, out):
        out.write(line.rstrip() + "\n")
    out.flush()


def told(event: object, out: TextIO) -> Iterator[str]:
    """Yield the lines of an event."""
    if isinstance(event, Text):
        yield from safe(f"{event.prompt}{event.text}").split("\n")
    elif isinstance(event, Table):
        yield safe(f"{event.name}:")
        yield from (f"  {line}" for line in columns(event.rows, event.columns))
    elif isinstance(event, Pictures | HeatMap | Histogram | Points):
        yield safe(f"{event.name}:")
        yield from drawn(event, out)


def drawn(event: Pictures | HeatMap | Histogram | Points, out: TextIO) -> Iterator[str]:
    """Yield a drawing: in color on a terminal, in characters alone in a pipe."""
    colored = out.isatty() and not os.environ.get("NO_COLOR")
    mode: Mode = "braille" if (out.encoding or "").lower().startswith("utf") else "ascii"
    tone: Tone = "color" if colored else "shade"
    terminal = shutil.get_terminal_size()
    width = max(20, min(terminal.columns, WIDEST)) - 1
    height = max(4, min(terminal.lines - AROUND, TALLEST))
    lines = trimmed(picture_of(event, width, height, tone, mode))
    if isinstance(event, HeatMap):  # its legend stands at the bottom of the area
        lines = [*trimmed(lines[:-1]), *lines[-1:]]
    yield from (painted(line) if colored else plain([line]) for line in lines)


def picture_of(
    event: Pictures | HeatMap | Histogram | Points, width: int, height: int, tone: Tone, mode: Mode
) -> list[Line]:
    """Return the drawing of an event in the very form that the panels show."""
    if isinstance(event, Pictures):
        from tui.render.pictures import draw_pictures

        return draw_pictures(event, width, height, tone=tone, mode=mode)
    if isinstance(event, HeatMap):
        from tui.render.heatmap import draw_heatmap

        return draw_heatmap(event, width, height, tone=tone, mode=mode)
    if isinstance(event, Histogram):
        from tui.render.histogram import draw_histogram

        return draw_histogram(event, width, height, mode=mode)
    from tui.render.points import draw_points

    return draw_points(event, width, height, mode=mode)


def trimmed(lines: Iterable[Line]) -> list[Line]:
    """Return lines without the blank ones at their end."""
    kept = list(lines)
    while kept and not plain([kept[-1]]).strip() and all(not ink.back for _, ink in kept[-1]):
        kept.pop()
    return kept


def painted(line: Line) -> str:
    """Return a line with its colors as escape sequences; roles keep the terminal's own color."""
    parts = []
    for text, ink in line:
        codes = [
            f"{plane};2;{r};{g};{b}" for plane, color in ((38, ink.front), (48, ink.back)) for r, g, b in rgb(color)
        ]
        parts.append(f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text)
    return "".join(parts)


def rgb(color: str) -> Iterator[tuple[int, int, int]]:
    """Yield the parts of ``#rrggbb``; nothing for a role."""
    if color.startswith("#") and len(color) == 7:
        yield int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
