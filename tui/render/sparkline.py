"""A curve in one line of text; needs no numpy, so that the first screen can show it at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tui.render.ink import Ink, Line, Mode

_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_BRAILLE = 0x2800
_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=^"


def draw_sparkline(values: Sequence[float], width: int, *, role: str = "series-1", mode: Mode = "braille") -> Line:
    """Return a line of exactly `width` cells: two columns of dots a cell, each from its least to its greatest value.

    What is not finite is left out; a single value stands in the middle.
    """
    if width <= 0:
        return []
    known = [each for each in values if math.isfinite(each)]
    if not known:
        return [(" " * width, Ink(role))]
    low, high = min(known), max(known)
    across = 2 if mode == "braille" else 1
    levels = 4 if mode == "braille" else len(_BARS if mode == "block" else _ASCII_BARS)
    spans = []
    for column in range(width * across):
        start = column * len(known) // (width * across)
        end = max(start + 1, (column + 1) * len(known) // (width * across))
        part = known[start:end]
        spans.append((_level(min(part), low, high, levels), _level(max(part), low, high, levels)))
    if mode == "braille":
        text = "".join(_cell(spans[index], spans[index + 1]) for index in range(0, len(spans), 2))
    else:
        text = "".join((_BARS if mode == "block" else _ASCII_BARS)[top] for _, top in spans)
    return [(text, Ink(role))]


def _level(value: float, low: float, high: float, levels: int) -> int:
    if high <= low:
        return levels // 2
    # Halved first: the span of two huge values would be infinite.
    return min(levels - 1, int((value / 2 - low / 2) / (high / 2 - low / 2) * (levels - 1) + 0.5))


def _cell(left: tuple[int, int], right: tuple[int, int]) -> str:
    dots = sum(_LEFT[each] for each in range(left[0], left[1] + 1))
    return chr(_BRAILLE + dots + sum(_RIGHT[each] for each in range(right[0], right[1] + 1)))
