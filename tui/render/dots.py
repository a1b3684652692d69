"""Curves as dots: each cell holds a few, and becomes the one character that shows just those.

Braille has 2 x 4 dots a cell, block quadrants 2 x 2, ASCII 1 x 2. A curve is a span of dots, from top to bottom, in
every column of dots, so a spike of a single step is a span as high as the spike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tui.render.ink import Mode

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Codes = NDArray[np.uint32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Dots:
    """How many dots a cell has, and the character for every set of them."""

    across: int
    down: int
    weights: Codes
    """down x across: what each dot adds to the index of the character."""
    glyphs: Codes
    """Code point of each index; index 0, no dot at all, is 0."""


@cache
def dots(mode: Mode) -> Dots:
    """Return the dots of a mode."""
    if mode == "braille":
        weights = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], np.uint32)
        return Dots(2, 4, weights, np.array([0, *range(0x2801, 0x2900)], np.uint32))
    across, characters = (2, " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█") if mode == "block" else (1, " '.:")
    weights = (2 ** np.arange(2 * across, dtype=np.uint32)).reshape(2, across)
    return Dots(across, 2, weights, np.array([0, *map(ord, characters[1:])], np.uint32))


def cells(spans_RC: Bools, kind: Dots) -> Codes:
    """Return the characters (H x W) that show a matrix of dots (R = H x down, C = W x across), 0 where none is."""
    rows, columns = spans_RC.shape
    grid = spans_RC.reshape(rows // kind.down, kind.down, columns // kind.across, kind.across)
    codes: Codes = kind.glyphs[np.einsum("hdwa,da->hw", grid, kind.weights)]
    return codes


def raster(top_C: Floats, bottom_C: Floats, rows: int) -> Bools:
    """Return `rows` x C dots, set from `top_C` down to `bottom_C` (row numbers, NaN where there is nothing).

    A span that lies wholly outside is not drawn; one that reaches outside is cut at the edge.
    """
    with np.errstate(invalid="ignore"):
        return (np.arange(rows)[:, None] >= top_C) & (np.arange(rows)[:, None] <= bottom_C)


def join(top_C: Floats, bottom_C: Floats) -> tuple[Floats, Floats]:
    """Lengthen neighboring spans towards each other until they touch, so that they read as one line.

    The row numbers stay whole; where two spans are apart each goes half of the way.
    """
    top_C, bottom_C = top_C.copy(), bottom_C.copy()
    above, below = bottom_C[:-1].copy(), top_C[1:].copy()
    high, low = top_C[:-1].copy(), bottom_C[1:].copy()
    with np.errstate(invalid="ignore"):
        falls = below > above + 1
        middle = np.floor((above + below) / 2)
        bottom_C[:-1] = np.where(falls, np.maximum(bottom_C[:-1], middle), bottom_C[:-1])
        top_C[1:] = np.where(falls, np.minimum(top_C[1:], middle + 1), top_C[1:])
        rises = low < high - 1
        middle = np.floor((high + low) / 2)
        top_C[:-1] = np.where(rises, np.minimum(top_C[:-1], middle + 1), top_C[:-1])
        bottom_C[1:] = np.where(rises, np.maximum(bottom_C[1:], middle), bottom_C[1:])
    return top_C, bottom_C


def bridge(values_C: Floats, broken_C: Bools) -> Floats:
    """Fill the columns between two measured ones along the straight line; NaN before the first and after the last.

    A gap that holds a column of `broken_C` (a NaN was measured there) stays open.
    """
    known = np.flatnonzero(np.isfinite(values_C))
    if known.size < 2 or known.size == values_C.size:
        return values_C
    columns = np.arange(values_C.size)
    filled = np.interp(columns, known, values_C[known], left=np.nan, right=np.nan)
    if broken_C.any():
        gap = np.searchsorted(known, columns, side="right")
        broken_gaps = np.unique(gap[broken_C & np.isnan(values_C)])
        filled[np.isin(gap, broken_gaps) & np.isnan(values_C)] = np.nan
    return filled
