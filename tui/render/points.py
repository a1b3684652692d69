"""Points in a plane: groups by color and character, words placed so that none covers another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from engine.core.events import Points
from tui.render.canvas import Canvas
from tui.render.ink import AXIS, LABEL, PLAIN, Ink, Line, Mode, centered, marker, series_role
from tui.render.safe import one_line

_LONGEST_WORD = 20
_MOST_WORDS = 400
"""Words that are tried; what a person can read is fewer."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A rectangle of the plane, x to the right and y upwards, on `width` x `height` cells."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    def cells(self, x_N: NDArray[np.float64], y_N: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return column and row of every point; those outside are moved to the edge."""
        across = (x_N - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0) * (self.width - 1)
        down = (self.y[1] - y_N) / ((self.y[1] - self.y[0]) or 1.0) * (self.height - 1)
        columns, rows = np.round(across).astype(np.int64), np.round(down).astype(np.int64)
        return columns.clip(0, self.width - 1), rows.clip(0, self.height - 1)


def draw_points(points: Points, width: int, height: int, *, mode: Mode = "braille") -> list[Line]:
    """Draw the scatter on exactly `height` lines of `width` cells; words that find no place are left out."""
    x_N, y_N, group_N = arrays(points)
    if not len(x_N) or width <= 0 or height <= 0:
        return centered("No points.", width, height)
    canvas = Canvas(width, height)
    legend = 1 if points.groups and height >= 4 else 0
    plane = Plane(_span(x_N), _span(y_N), width, height - legend)
    columns, rows = plane.cells(x_N, y_N)
    _draw_origin(canvas, plane, mode)
    for column, row, group in zip(columns.tolist(), rows.tolist(), group_N.tolist(), strict=True):
        canvas.put(column, row, marker(group, mode), Ink(series_role(group)))
    for index, word in enumerate(points.words[: min(_MOST_WORDS, len(x_N))]):
        place_word(canvas, int(columns[index]), int(rows[index]), word, plane.height)
    if legend:
        draw_groups(canvas, points.groups, height - 1, mode)
    return canvas.lines()


def arrays(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return x, y and group of every point that is finite; a group that is missing is 0."""
    count = min(len(points.x), len(points.y))
    x_N, y_N = np.array(points.x[:count], np.float64), np.array(points.y[:count], np.float64)
    group_N = np.zeros(count, np.int64)
    group_N[: len(points.group)] = points.group[:count]
    # A word belongs to a point by its number, so what is not finite may only be moved, not taken out, where words are.
    finite = np.isfinite(x_N) & np.isfinite(y_N)
    if points.words:
        return np.where(finite, x_N, 0.0), np.where(finite, y_N, 0.0), group_N
    return x_N[finite], y_N[finite], group_N[finite]


def draw_groups(canvas: Canvas, groups: list[str], y: int, mode: Mode) -> None:
    """Write marker and name of every group that there is room for."""
    x = 0
    for index, name in enumerate(groups):
        text = one_line(name, _LONGEST_WORD)
        if x + cell_len(text) + 2 > canvas.width:
            canvas.write(min(x, canvas.width - 1), y, "…", LABEL)
            return
        x = canvas.write(x, y, marker(index, mode) + " ", Ink(series_role(index)))
        x = canvas.write(x, y, text, LABEL) + 2


def place_word(canvas: Canvas, x: int, y: int, word: str, height: int) -> bool:
    """Write a word beside its point: right, left, above or below, where cells are free; say whether one was found."""
    text = one_line(word, _LONGEST_WORD)
    size = cell_len(text)
    middle = x - size // 2
    for column, row in (
        (x + 2, y),
        (x - 1 - size, y),
        (middle, y - 1),
        (middle, y + 1),
        (x + 1, y - 1),
        (x + 1, y + 1),
    ):
        if row < height and canvas.is_free(column - 1, row, size + 2) | _fits_edge(canvas, column, row, size):
            canvas.write(column, row, text, PLAIN)
            return True
    return False


def _fits_edge(canvas: Canvas, x: int, y: int, size: int) -> bool:
    """Whether a word ends or begins just at the edge and its own cells are free."""
    return (x == 0 or x + size == canvas.width) and canvas.is_free(x, y, size)


def _span(values_N: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values_N.min()), float(values_N.max())
    room = (high - low) * 0.03 or 1.0
    return low - room, high + room


def _draw_origin(canvas: Canvas, plane: Plane, mode: Mode) -> None:
    """Draw the two axes faintly where zero is in sight."""
    zero = np.zeros(1)
    columns, rows = plane.cells(zero, zero)
    stroke, flat, cross = ("|", "-", "+") if mode == "ascii" else ("┊", "┄", "┼")
    if plane.x[0] < 0 < plane.x[1]:
        for y in range(plane.height):
            canvas.put(int(columns[0]), y, stroke, AXIS)
    if plane.y[0] < 0 < plane.y[1]:
        canvas.write(0, int(rows[0]), flat * plane.width, AXIS)
        if plane.x[0] < 0 < plane.x[1]:
            canvas.put(int(columns[0]), int(rows[0]), cross, AXIS)
