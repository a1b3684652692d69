"""A grid of small pictures with captions, as large as fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.core.events import Pictures
from tui.render.ink import LABEL, PLAIN, Line, Mode, Tone, centered, fit, frame
from tui.render.pixels import Bytes, resize, show

_GAP = 1
"""Blank cells between neighbors."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """How pictures are laid out: their number across and down, and the size of each in cells."""

    across: int
    down: int
    width: int
    height: int


def draw_pictures(
    pictures: Pictures, width: int, height: int, *, tone: Tone = "color", mode: Mode = "braille"
) -> list[Line]:
    """Draw as many of the pictures as fit, all at one scale, on exactly `height` lines of `width` cells.

    Where all fit they are enlarged by whole factors; where not even one does, it is made smaller.
    """
    images = unpack(pictures)
    if not len(images) or width <= 0 or height <= 0:
        return centered("No pictures.", width, height)
    caption = 1 if any(pictures.captions) and height > 2 else 0
    grid = _lay_out(len(images), images.shape[1], images.shape[2], width, height, caption)
    lines: list[Line] = []
    for row in range(grid.down):
        first = row * grid.across
        chosen = range(first, min(first + grid.across, len(images)))
        if row and not caption:
            lines.append([])
        lines += _row([images[each] for each in chosen], grid, tone, mode)
        if caption:
            lines.append(_captions([(pictures.captions[each : each + 1] or [""])[0] for each in chosen], grid.width))
    hidden = len(images) - grid.across * grid.down
    if hidden > 0 and len(lines) < height:
        lines.append([(f"+{hidden} more", LABEL)])
    return frame(lines, width, height)


def unpack(pictures: Pictures) -> Bytes:
    """Return the whole pictures among the event's bytes as colors (N x H x W x 3)."""
    height, width, channels = pictures.height, pictures.width, pictures.channels
    size = height * width * channels
    if size <= 0 or channels not in (1, 3):
        return np.zeros((0, 1, 1, 3), np.uint8)
    count = min(pictures.count, len(pictures.pixels) // size)
    flat = np.frombuffer(pictures.pixels, np.uint8, count * size).reshape(count, height, width, channels)
    return np.broadcast_to(flat, (count, height, width, 3))


def _lay_out(count: int, rows: int, columns: int, width: int, height: int, caption: int) -> _Grid:
    """Choose the scale: the largest whole one that shows all, else 1, else what lets a single picture fit."""

    def at(picture_width: int, picture_height: int) -> _Grid:
        across = max(1, (width + _GAP) // (picture_width + _GAP))
        # A line between rows: the caption where there is one, else a blank.
        down = max(1, (height + 1 - caption) // (picture_height + 1))
        return _Grid(min(across, count), min(down, -(-count // min(across, count))), picture_width, picture_height)

    for scale in range(min(width // columns, 2 * height // rows), 0, -1):
        grid = at(columns * scale, -(-rows * scale // 2))
        if grid.across * grid.down >= count and grid.height + caption <= height:
            return grid
    shrink = max(1.0, columns / width, rows / 2 / max(1, height - caption))
    return at(max(1, int(columns / shrink)), max(1, int(rows / 2 / shrink)))


def _row(images: list[Bytes], grid: _Grid, tone: Tone, mode: Mode) -> list[Line]:
    shown = [show(_scaled(image, grid), tone, mode) for image in images]
    rows: list[Line] = []
    for parts in zip(*shown, strict=True):
        line: Line = []
        for number, part in enumerate(parts):
            line += [(" " * _GAP, PLAIN), *part] if number else part
        rows.append(line)
    return rows


def _scaled(image: Bytes, grid: _Grid) -> Bytes:
    """Return the picture at the size of the grid: means of whole areas where it shrinks, so that thin strokes stay."""
    rows, columns = 2 * grid.height, grid.width
    shrink = min(image.shape[0] // rows, image.shape[1] // columns)
    if shrink > 1:
        height, width = image.shape[0] // shrink, image.shape[1] // shrink
        areas = image[: height * shrink, : width * shrink].reshape(height, shrink, width, shrink, 3)
        image = areas.mean(axis=(1, 3)).astype(np.uint8)
    return resize(image, rows, columns)


def _captions(captions: list[str], width: int) -> Line:
    line: Line = []
    for number, caption in enumerate(captions):
        text = fit(caption, width)
        room = len(text) - len(text.rstrip())
        line += [(" " * _GAP, PLAIN)] if number else []
        line.append((" " * (room // 2) + text.rstrip() + " " * (room - room // 2), LABEL))
    return line
