"""Pixels as characters: half blocks of two stacked pixels, or characters that are denser where it is brighter."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tui.render.ink import Ink, Line, Mode, Tone

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Number = TypeVar("Number", np.uint8, np.float64)

_SHADES = " ░▒▓█"
_ASCII_SHADES = " .:-=+*#%@"
_VIRIDIS = "440154 472d7b 3b528b 2c728e 21918c 28ae80 5ec962 addc30 fde725"
"""Evenly spaced colors of Matplotlib's viridis (van der Walt and Smith, 2015): rising lightness, safe for all eyes."""


@lru_cache(1)
def color_map() -> Bytes:
    """Return the 256 colors (256 x 3) from low to high."""
    anchors = np.array([list(bytes.fromhex(each)) for each in _VIRIDIS.split()], np.float64)
    places = np.linspace(0, 255, len(anchors))
    return np.stack([np.interp(np.arange(256), places, anchors[:, each]) for each in range(3)], axis=1).astype(np.uint8)


@lru_cache(8192)
def hexadecimal(packed: int) -> str:
    """Return a color packed as 0xRRGGBB as ``#rrggbb``."""
    return f"#{packed:06x}"


def pack(colors: Bytes) -> NDArray[np.int64]:
    """Return colors (... x 3) packed as 0xRRGGBB (...)."""
    wide = colors.astype(np.int64)
    packed: NDArray[np.int64] = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    return packed


def shares(values: Floats, low: float, high: float) -> Floats:
    """Return where each value lies between `low` and `high`, from 0 to 1; NaN stays NaN."""
    span = high - low
    if not span > 0:
        return np.where(np.isnan(values), np.nan, 0.5)
    clipped: Floats = np.clip((values - low) / span, 0.0, 1.0)
    return clipped


def colored(shares_HW: Floats, nothing: int = 0x808080) -> Bytes:
    """Return the color (H x W x 3) of every share; NaN has the color `nothing`."""
    known = np.isfinite(shares_HW)
    colors = color_map()[np.round(np.where(known, shares_HW, 0.0) * 255).astype(np.intp)]
    colors[~known] = ((nothing >> 16) & 255, (nothing >> 8) & 255, nothing & 255)
    return colors


def half_blocks(colors_RWC: Bytes) -> list[Line]:
    """Return lines of W cells, each showing two of the R rows of pixels one above the other; R is even."""
    packed = pack(colors_RWC)
    lines: list[Line] = []
    for top, bottom in zip(packed[0::2], packed[1::2], strict=True):
        changes = np.flatnonzero((top[1:] != top[:-1]) | (bottom[1:] != bottom[:-1])) + 1
        cuts = [0, *changes.tolist(), len(top)]
        line: Line = []
        for start, end in pairwise(cuts):
            front, back = hexadecimal(int(top[start])), hexadecimal(int(bottom[start]))
            glyph = " " if front == back else "▀"
            line.append((glyph * (end - start), Ink(front, back)))
        lines.append(line)
    return lines


def shaded(shares_RW: Floats, mode: Mode) -> list[Line]:
    """Return lines of W cells whose characters are denser where the mean of two stacked pixels is larger; R is even."""
    rows, width = shares_RW.shape
    means = np.nan_to_num(shares_RW).reshape(rows // 2, 2, width).mean(axis=1)
    ramp = _ASCII_SHADES if mode == "ascii" else _SHADES
    levels = np.minimum((means * len(ramp)).astype(np.intp), len(ramp) - 1)
    return [[("".join(ramp[each] for each in row), Ink())] for row in levels.tolist()]


def brightness(colors: Bytes) -> Floats:
    """Return the perceived brightness (...) of colors (... x 3), from 0 to 1 (weights of ITU-R BT.601)."""
    light: Floats = colors.astype(np.float64) @ np.array([0.299, 0.587, 0.114]) / 255
    return light


def show(colors_RWC: Bytes, tone: Tone, mode: Mode) -> list[Line]:
    """Return pixels (R x W x 3, R even) as R/2 lines of W cells."""
    return half_blocks(colors_RWC) if tone == "color" and mode != "ascii" else shaded(brightness(colors_RWC), mode)


def resize(values: NDArray[Number], height: int, width: int) -> NDArray[Number]:
    """Return an array (R x C ...) at `height` x `width`, by the nearest element; both are 1 or more."""
    rows = (np.arange(height) * values.shape[0] / height).astype(np.intp)
    columns = (np.arange(width) * values.shape[1] / width).astype(np.intp)
    resized: NDArray[Number] = values[rows][:, columns]
    return resized
