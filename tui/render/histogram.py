"""How often each value occurs, as bars."""

from __future__ import annotations

import numpy as np
from rich.cells import cell_len

from engine.core.events import Histogram
from engine.core.series import Floats
from tui.render.axis import short
from tui.render.canvas import Canvas
from tui.render.ink import AXIS, LABEL, Ink, Line, Mode, centered

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def draw_histogram(histogram: Histogram, width: int, height: int, *, mode: Mode = "braille") -> list[Line]:
    """Draw the bars on exactly `height` lines of `width` cells; a bin is as wide as its edges are apart.

    The tallest bar is named at the top left, and the edges below.
    """
    counts_N, edges_N = np.array(histogram.counts, np.float64), np.array(histogram.edges, np.float64)
    sound = len(counts_N) > 0 and len(edges_N) == len(counts_N) + 1 and np.isfinite(edges_N).all()
    if not sound or width <= 0 or height <= 0:
        return centered("No counts.", width, height)
    counts_N = np.nan_to_num(counts_N, posinf=0.0).clip(0.0)
    canvas = Canvas(width, height)
    labels = 1 if height >= 3 else 0
    top = 1 if height >= 5 else 0
    bars = height - labels - top
    levels = _heights(counts_N, edges_N, width, bars * 8)
    _draw_bars(canvas, levels, top, bars, mode)
    if top:
        canvas.write(0, 0, f"most {short(float(counts_N.max()), 3)}", LABEL)
    if labels:
        _draw_edges(canvas, float(edges_N[0]), float(edges_N[-1]), height - 1)
    return canvas.lines()


def _heights(counts_N: Floats, edges_N: Floats, width: int, full: int) -> list[int]:
    """Return the height of every column in eighths of a cell; what is not zero is at least one eighth high."""
    span = float(edges_N[-1] - edges_N[0]) or 1.0
    centers = edges_N[0] + (np.arange(width) + 0.5) / width * span
    bins = np.searchsorted(edges_N, centers, side="right").clip(1, len(counts_N)) - 1
    columns = counts_N[bins]
    if len(counts_N) > width:
        starts = np.searchsorted(edges_N[:-1], edges_N[0] + np.arange(width) / width * span)
        columns = np.maximum.reduceat(counts_N, starts.clip(0, len(counts_N) - 1))
    heights = columns / (float(counts_N.max()) or 1.0) * full
    levels: list[int] = np.where(columns > 0, np.maximum(1, np.round(heights)), 0).astype(np.int64).tolist()
    return levels


def _draw_bars(canvas: Canvas, levels: list[int], top: int, bars: int, mode: Mode) -> None:
    for x, level in enumerate(levels):
        for y in range(bars):
            eighths = min(8, max(0, level - 8 * (bars - 1 - y)))
            if eighths:
                canvas.put(x, top + y, "#" if mode == "ascii" else _EIGHTHS[eighths], Ink("series-1"))


def _draw_edges(canvas: Canvas, low: float, high: float, y: int) -> None:
    left, middle, right = short(low, 3), short((low + high) / 2, 3), short(high, 3)
    canvas.write(0, y, left, LABEL)
    if cell_len(left) + cell_len(middle) + cell_len(right) + 4 <= canvas.width:
        canvas.write((canvas.width - cell_len(middle)) // 2, y, middle, AXIS)
    if cell_len(left) + cell_len(right) + 1 <= canvas.width:
        canvas.write(canvas.width - cell_len(right), y, right, LABEL)
