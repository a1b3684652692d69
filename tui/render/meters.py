"""How full something is: a bar, its name before it and the figure with its unit behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tui.render.ink import AXIS, LABEL, PLAIN, Ink, Line, Mode, fill, fit, frame
from tui.render.safe import one_line

_SHORTEST_BAR = 4
_LONGEST_NAME = 14
_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True)
class Meter:
    """One row: a bar where there is a share, text alone where there is none."""

    name: str
    text: str
    """The figure with its unit: ``92 %``, ``11 of 139 GB``."""
    share: float | None = None
    """From 0 to 1."""
    role: str = "series-1"


def bar(share: float, width: int, mode: Mode = "braille", role: str = "series-1") -> Line:
    """Return a bar of exactly `width` cells, filled to `share` of it in eighths of a cell."""
    share = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    width = max(0, width)
    if mode == "ascii":
        full = round(share * width)
        return [("#" * full, Ink(role)), ("." * (width - full), AXIS)]
    eighths = round(share * width * 8)
    full, rest = divmod(eighths, 8)
    if not rest or mode == "block":
        full = round(share * width) if mode == "block" else full
        return [("█" * full, Ink(role)), ("░" * (width - full), AXIS)]
    return [("█" * full + _EIGHTHS[rest], Ink(role)), ("░" * (width - full - 1), AXIS)]


def draw_meters(meters: Sequence[Meter], width: int, height: int, *, mode: Mode = "braille") -> list[Line]:
    """Draw one meter a line, names and figures aligned, on exactly `height` lines of `width` cells."""
    names = [one_line(each.name, _LONGEST_NAME) for each in meters]
    left = max((cell_len(each) for each in names), default=0) + 1
    right = max((cell_len(one_line(each.text, 40)) for each in meters if each.share is not None), default=0) + 1
    room = width - left - right
    lines: list[Line] = []
    for name, meter in zip(names, meters, strict=True):
        line: Line = [(fit(name, left), LABEL)]
        if meter.share is not None and room >= _SHORTEST_BAR:
            line += [*bar(meter.share, room, mode, meter.role), (" ", PLAIN)]
            line.append((fit(meter.text, right - 1), Ink("strong")))
        else:
            line.append((one_line(meter.text, width), Ink("strong")))
        lines.append(fill(line, width))
    return frame(lines, width, height)
