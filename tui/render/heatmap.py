"""A matrix as colors: attention, a confusion matrix; with labels and a legend of the extremes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from engine.core.events import HeatMap
from tui.render.axis import short
from tui.render.ink import AXIS, LABEL, PLAIN, Ink, Line, Mode, Tone, centered, fit, fit_right, frame
from tui.render.pixels import Floats, brightness, color_map, colored, half_blocks, hexadecimal, pack, shaded, shares
from tui.render.safe import one_line

_LONGEST_LABEL = 12
_WIDEST_CELL = 7
_WIDEST_HALF = 4
_ROOM_FOR_VALUE = 4
"""Cells that an element needs across before its value is written into it."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the elements lie: label width, size of an element in cells, and whether two rows share a line."""

    left: int
    width: int
    height: int
    halved: bool


def draw_heatmap(
    heatmap: HeatMap, width: int, height: int, *, tone: Tone = "color", mode: Mode = "braille"
) -> list[Line]:
    """Draw the matrix on exactly `height` lines of `width` cells, row 0 on top.

    A matrix that is larger than the area is reduced by the maximum of each block, so that no single element is lost.
    """
    values_RC = matrix(heatmap.values)
    if values_RC.size == 0 or width <= 0 or height <= 0:
        return centered("No values.", width, height)
    tone = "shade" if mode == "ascii" else tone
    legend = 1 if height >= 4 else 0
    foot = 1 if height >= 6 and heatmap.columns else 0
    rows, labels = values_RC.shape[0], heatmap.rows if height >= 3 else []
    left = min(_LONGEST_LABEL, max((cell_len(one_line(each, 40)) for each in labels), default=-1)) + 1
    left = left if left <= width // 3 else 0
    lines_left = max(1, height - legend - foot)
    per_line = 1 if rows <= lines_left else 2
    reduced_RC = reduce(values_RC, lines_left * per_line, max(1, width - left))
    grid = _Grid(left, *_cell_size(reduced_RC, width - left, lines_left, per_line), per_line == 2)
    low, high = _extremes(values_RC)
    body = _body(shares(reduced_RC, low, high), reduced_RC, grid, tone, mode)
    whole = reduced_RC.shape == values_RC.shape
    drawn = [[*_row_label(labels, index, grid, whole), *line] for index, line in enumerate(body)]
    if foot:
        drawn.append(_column_labels(heatmap.columns, grid, reduced_RC.shape[1], values_RC.shape[1]))
    if legend:
        drawn = frame(drawn, width, height - 1)
        drawn.append(_legend(heatmap, (low, high), width, tone, mode))
    return frame(drawn, width, height)


def matrix(values: list[list[float]]) -> Floats:
    """Return rows of numbers as a matrix (R x C); rows that are too short end in NaN."""
    width = max((len(row) for row in values), default=0)
    filled = np.full((len(values), width), np.nan)
    for number, row in enumerate(values):
        filled[number, : len(row)] = row
    return filled


def reduce(values_RC: Floats, rows: int, columns: int) -> Floats:
    """Return at most `rows` x `columns` maxima of blocks of the matrix."""
    for axis, most in ((0, rows), (1, columns)):
        size = values_RC.shape[axis]
        if size > most:
            starts = (np.arange(most) * size / most).astype(np.intp)
            values_RC = np.fmax.reduceat(values_RC, starts, axis=axis)
    return values_RC


def _extremes(values_RC: Floats) -> tuple[float, float]:
    finite = values_RC[np.isfinite(values_RC)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _cell_size(values_RC: Floats, width: int, lines: int, per_line: int) -> tuple[int, int]:
    """Return the size of an element in cells: at most as wide as a value needs, about as high as it looks wide."""
    rows, columns = values_RC.shape
    if per_line == 2:
        return max(1, min(_WIDEST_HALF, width // columns)), 1
    across = max(1, min(_WIDEST_CELL, width // columns))
    return across, max(1, min(lines // rows, (across + 1) // 2))


def _body(shares_RC: Floats, values_RC: Floats, grid: _Grid, tone: Tone, mode: Mode) -> list[Line]:
    wide = np.repeat(shares_RC, grid.width, axis=1)
    if grid.halved:
        pixels = np.concatenate([wide, np.full((len(wide) % 2, wide.shape[1]), np.nan)])
    else:
        pixels = np.repeat(wide, 2 * grid.height, axis=0)
    if tone == "shade":
        lines = shaded(pixels, mode)
    else:
        lines = half_blocks(colored(pixels))
    if grid.width < _ROOM_FOR_VALUE or grid.halved:
        return lines
    for row, values in enumerate(values_RC.tolist()):
        texts = [short(value, 2) if value == value else "" for value in values]
        line = row * grid.height + (grid.height - 1) // 2
        if tone == "shade":
            lines[line] = [(fit_right(text, grid.width - 1) + " ", PLAIN) for text in texts]
        else:
            lines[line] = [_value(text, share, grid.width) for text, share in zip(texts, shares_RC[row], strict=True)]
    return lines


def _value(text: str, share: float, width: int) -> tuple[str, Ink]:
    """Return a value in black or white, whichever is legible, on its color."""
    color = colored(np.array([share]))
    front = "#000000" if brightness(color)[0] > 0.5 else "#ffffff"
    return fit_right(text, width - 1) + " ", Ink(front, hexadecimal(int(pack(color)[0])))


def _row_label(labels: list[str], line: int, grid: _Grid, whole: bool) -> Line:
    if not grid.left:
        return []
    row, inside = divmod(line, grid.height)
    row *= 2 if grid.halved else 1
    has_label = whole and inside == (grid.height - 1) // 2 and row < len(labels)
    return [(fit_right(labels[row] if has_label else "", grid.left - 1) + " ", LABEL)]


def _column_labels(labels: list[str], grid: _Grid, shown: int, columns: int) -> Line:
    """Return the names of the columns; none where they would be cut until several look the same."""
    if shown != columns:
        return []
    room = grid.width - (1 if grid.width > 2 else 0)
    whole = [one_line(each, 40) for each in labels]
    cut = [fit_right(each, room) for each in whole]
    if len(set(cut)) < len(set(whole)):
        return []
    return [(" " * grid.left, PLAIN), *((each + " " * (grid.width - room), LABEL) for each in cut)]


def _legend(heatmap: HeatMap, extremes: tuple[float, float], width: int, tone: Tone, mode: Mode) -> Line:
    """Return the extremes at the ends of the color scale, and what rows and columns are."""
    low, high = (short(each, 3) for each in extremes)
    steps = 10
    if tone == "shade":
        scale: Line = shaded(np.tile(np.linspace(0, 1, steps), (2, 1)), mode)[0]
    else:
        chosen = color_map()[np.linspace(0, 255, steps).astype(np.intp)]
        scale = [(" ", Ink("", hexadecimal(int(each)))) for each in pack(chosen)]
    arrow = "v" if mode == "ascii" else "↓"
    across = ">" if mode == "ascii" else "→"
    titles = [f"{arrow} {heatmap.row_title}"] * bool(heatmap.row_title)
    titles += [f"{across} {heatmap.column_title}"] * bool(heatmap.column_title)
    text = "  ".join(one_line(each, 40) for each in titles)
    line: Line = [(low + " ", LABEL), *scale, (" " + high, LABEL)]
    room = width - len(low) - len(high) - steps - 4
    return [*line, ("  " + fit(text, room), AXIS)] if room > 0 else line
