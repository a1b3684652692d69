"""What a classifier says about every place of a plane, with the points that it learned from on top."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.core.events import HeatMap, Points
from engine.core.series import Integers
from tui.render.canvas import Canvas
from tui.render.heatmap import matrix
from tui.render.ink import SERIES, Ink, Line, Mode, Tone, centered, marker, series_role
from tui.render.pixels import Bytes, Floats, hexadecimal, pack, resize
from tui.render.points import Plane, arrays, draw_groups

_STRONGEST = 0.55
"""Share of a group's color where the classifier is certain; less than 1, so that points stay visible on it."""

_SHADES = 32
"""Degrees of certainty that are told apart: the eye tells no more, and equal neighbors make one run of text."""

_TEXTURES = " ░▒▓"
_ASCII_TEXTURES = " .:+"


def draw_surface(
    surface: HeatMap,
    points: Points | None,
    width: int,
    height: int,
    colors: Sequence[str],
    *,
    background: str = "#000000",
    tone: Tone = "color",
    mode: Mode = "braille",
) -> list[Line]:
    """Draw the surface and the points on exactly `height` lines of `width` cells.

    Args:
        surface: values from 0 to 1 are the probability of group 1 against group 0; where one exceeds 1, the whole part
            is the number of the group and the rest the certainty, whole numbers being certain. Row 0 is the smallest y.
        points: what lies on top; None draws the surface alone.
        width: in cells.
        height: in lines.
        colors: ``#rrggbb`` of each group, as the theme has them.
        background: ``#rrggbb`` where the classifier is undecided.
        tone: ``shade`` shows groups by texture.
        mode: ``ascii`` uses no character beyond ASCII.
    """
    values_RC = matrix(surface.values)
    if values_RC.size == 0 or width <= 0 or height <= 0:
        return centered("No surface.", width, height)
    legend = 1 if points is not None and points.groups and height >= 4 else 0
    rows = height - legend
    pixels = resize(np.ascontiguousarray(values_RC[::-1]), 2 * rows, width)
    canvas = Canvas(width, height)
    group_HW, certainty_HW = groups(pixels)
    if tone == "shade" or mode == "ascii":
        _draw_textures(canvas, group_HW[::2], mode)
        packed = np.zeros((2 * rows, width), np.int64)
    else:
        packed = pack(_blend(group_HW, certainty_HW, colors, background))
        _draw_pixels(canvas, packed)
    if points is not None:
        backs = None if tone == "shade" or mode == "ascii" else packed
        _draw_points(canvas, surface, points, backs, rows, mode)
    if legend and points is not None:
        draw_groups(canvas, points.groups, height - 1, mode)
    return canvas.lines()


def groups(values: Floats) -> tuple[Integers, Floats]:
    """Return which group the classifier names at each place, and how certain it is, from 0 to 1."""
    known = np.nan_to_num(values)
    if known.size == 0 or known.max() <= 1.0:
        return (known > 0.5).astype(np.int64), np.abs(known - 0.5) * 2
    group = np.floor(known)
    rest = known - group
    return group.astype(np.int64), np.where(rest == 0.0, 1.0, rest)


def _blend(group_HW: Integers, certainty_HW: Floats, colors: Sequence[str], background: str) -> Bytes:
    table = np.array([list(bytes.fromhex(each.lstrip("#")[:6])) for each in (*colors, background)], np.float64)
    share = (np.round(certainty_HW * _SHADES) / _SHADES * _STRONGEST)[..., None]
    blended: Bytes = (table[:-1][group_HW % len(colors)] * share + table[-1] * (1 - share)).astype(np.uint8)
    return blended


def _draw_pixels(canvas: Canvas, packed: Integers) -> None:
    above_HW, below_HW = packed[0::2], packed[1::2]
    pairs, places = np.unique(above_HW << 24 | below_HW, return_inverse=True)
    inks = [canvas.number(Ink(hexadecimal(each >> 24), hexadecimal(each & 0xFFFFFF))) for each in pairs.tolist()]
    height, width = above_HW.shape
    canvas.inks_HW[:height, :width] = np.array(inks)[places].reshape(height, width)
    canvas.glyphs_HW[:height, :width] = np.where(above_HW == below_HW, ord(" "), ord("▀"))


def _draw_textures(canvas: Canvas, group_HW: Integers, mode: Mode) -> None:
    textures = _ASCII_TEXTURES if mode == "ascii" else _TEXTURES
    for y, row in enumerate(group_HW.tolist()):
        canvas.write(0, y, "".join(textures[each % len(textures)] for each in row), Ink("axis"))


def _draw_points(
    canvas: Canvas, surface: HeatMap, points: Points, backs: Integers | None, rows: int, mode: Mode
) -> None:
    """Draw the points, each on the color that the surface has below it where there are colors (`backs`)."""
    x_N, y_N, group_N = arrays(points)
    if not len(x_N):
        return
    extent = surface.extent if len(surface.extent) == 4 else [x_N.min(), x_N.max(), y_N.min(), y_N.max()]
    plane = Plane((extent[0], extent[1]), (extent[2], extent[3]), canvas.width, rows)
    columns, lines = plane.cells(x_N, y_N)
    behind_N = np.full(len(columns), -1) if backs is None else backs[2 * lines + 1, columns]
    kinds, kind_N = np.unique(np.stack([group_N, behind_N]), axis=1, return_inverse=True)
    glyphs = [ord(marker(group % SERIES, mode)) for group in kinds[0].tolist()]
    inks = [
        canvas.number(Ink(series_role(group), hexadecimal(behind) if behind >= 0 else ""))
        for group, behind in kinds.T.tolist()
    ]
    canvas.scatter(columns, lines, np.array(glyphs)[kind_N.ravel()], np.array(inks)[kind_N.ravel()])
