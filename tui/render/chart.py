"""Line charts: curves with their bands, axes, reference lines, marks, a legend with figures, and a cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len

from tui.render import axis
from tui.render.annotate import draw_axes, draw_marks, draw_references, label_references
from tui.render.canvas import Canvas
from tui.render.curves import Columns, Curve, columns, value_at
from tui.render.dots import Floats, bridge, cells, dots, join, raster
from tui.render.ink import LABEL, Ink, Line, centered, marker
from tui.render.layout import Chart, Frame, lay_out
from tui.render.safe import one_line


def draw_chart(chart: Chart, width: int, height: int) -> list[Line]:
    """Draw the chart on exactly `height` lines of `width` cells."""
    if width <= 0 or height <= 0:
        return [[] for _ in range(max(0, height))]
    curves = [curve for curve in chart.curves if len(curve.series)]
    if not curves:
        return centered(chart.empty, width, height)
    frame = lay_out(chart, curves, width, height)
    gathered = [columns(curve, chart.x, *frame.x, frame.width * dots(chart.mode).across) for curve in curves]
    canvas = Canvas(width, height)
    draw_references(canvas, chart, frame)
    _draw_cursor(canvas, chart, frame)
    _draw_curves(canvas, chart, frame, curves, gathered)
    label_references(canvas, chart, frame)
    draw_axes(canvas, chart, frame)
    draw_marks(canvas, chart, frame, curves)
    _draw_ends(canvas, chart, frame, curves, gathered)
    if frame.top:
        _draw_legend(canvas, chart, frame, curves)
    return canvas.lines()


def draw_legend(chart: Chart, frame: Frame, width: int) -> list[Line]:
    """Draw the figures above the plot alone, as `draw_chart` does on its first line; nothing where it does not."""
    canvas = Canvas(width, frame.top)
    if frame.top:
        _draw_legend(canvas, chart, frame, [curve for curve in chart.curves if len(curve.series)])
    return canvas.lines()


def _rows(values_C: Floats, chart: Chart, frame: Frame, dots_down: int) -> Floats:
    """Return the row of dots, counted from the top, of every value; NaN stays NaN."""
    if chart.log_y:
        with np.errstate(divide="ignore", invalid="ignore"):
            values_C = np.where(values_C > 0, np.log10(values_C), np.where(np.isnan(values_C), np.nan, -np.inf))
    last = frame.height * dots_down - 1
    rows_C: Floats = ((frame.y[1] - values_C) / (frame.y[1] - frame.y[0]) * last).round()
    return rows_C.clip(0, last, out=rows_C)


def _spans(low_C: Floats, high_C: Floats, each: Columns, chart: Chart, frame: Frame) -> tuple[Floats, Floats]:
    down = dots(chart.mode).down
    top_C = bridge(_rows(high_C, chart, frame, down), each.broken).round()
    bottom_C = top_C if low_C is high_C else bridge(_rows(low_C, chart, frame, down), each.broken).round()
    return join(top_C, bottom_C)


def _draw_curves(
    canvas: Canvas, chart: Chart, frame: Frame, curves: Sequence[Curve], gathered: Sequence[Columns]
) -> None:
    """Draw every band, then every line; cells that two lines share go to them in turn, so that both stay visible."""
    kind = dots(chart.mode)
    rows = frame.height * kind.down
    backwards = list(zip(range(len(curves)), curves, gathered, strict=True))[::-1]
    for _, curve, each in backwards:
        if each.line is not None:
            spans = _spans(each.lows, each.highs, each, chart, frame)
            canvas.stamp(frame.left, frame.top, cells(raster(*spans, rows), kind), Ink(f"{curve.role}-dim"))
    taken_HW = np.zeros((frame.height, frame.width), np.bool_)
    for index, curve, each in backwards:
        low_C, high_C = (each.lows, each.highs) if each.line is None else (each.line, each.line)
        top_C, bottom_C = _spans(low_C, high_C, each, chart, frame)
        if chart.tone == "shade" and index:
            top_C = _dashed(top_C, bottom_C, 2 + 2 * index)
        glyphs_HW = cells(raster(top_C, bottom_C, rows), kind)
        glyphs_HW[taken_HW & (np.arange(frame.width) % 2 == index % 2)] = 0
        taken_HW |= glyphs_HW != 0
        canvas.stamp(frame.left, frame.top, glyphs_HW, Ink(curve.role))


def _draw_ends(
    canvas: Canvas, chart: Chart, frame: Frame, curves: Sequence[Curve], gathered: Sequence[Columns]
) -> None:
    """Draw the marker of every curve where it ends, so that curves can be told apart without color."""
    kind = dots(chart.mode)
    taken: set[tuple[int, int]] = set()
    for index, (curve, each) in enumerate(zip(curves, gathered, strict=True)):
        shown_C = each.highs if each.line is None else each.line
        known = np.isfinite(shown_C).nonzero()[0]
        if known.size:
            last = int(known[-1])
            row = int(_rows(shown_C[last : last + 1], chart, frame, kind.down)[0]) // kind.down
            column = last // kind.across
            while (column, row) in taken:
                column -= 1
            taken.add((column, row))
            if column >= 0:
                canvas.put(frame.left + column, frame.top + row, marker(index, chart.mode), Ink(curve.role))


def _dashed(top_C: Floats, bottom_C: Floats, period: int) -> Floats:
    """Open gaps where the line is flat; what rises or falls steeply is never hidden."""
    in_gap = np.arange(top_C.size) % period >= period - 2
    with np.errstate(invalid="ignore"):
        return np.where(in_gap & (bottom_C - top_C <= 1), np.nan, top_C)


def _draw_cursor(canvas: Canvas, chart: Chart, frame: Frame) -> None:
    if chart.cursor is None or not frame.x[0] <= chart.cursor <= frame.x[1]:
        return
    stroke = "|" if chart.mode == "ascii" else "┊"
    canvas.column(frame.column(chart.cursor), frame.top, frame.height, stroke, Ink("cursor"))


def _draw_legend(canvas: Canvas, chart: Chart, frame: Frame, curves: Sequence[Curve]) -> None:
    """Write marker, name and figure of every curve that there is room for: the last, or the one at the cursor."""
    x = frame.left
    if chart.cursor is not None:
        where = axis.duration(chart.cursor) if chart.x == "time" else f"{chart.x} {axis.whole(chart.cursor)}"
        x = canvas.write(x, 0, where + "  ", Ink("cursor"))
    at = math.inf if chart.cursor is None else chart.cursor
    for index, curve in enumerate(curves):
        value = chart.told(value_at(curve, chart.x, at))
        name = one_line(curve.name, 32)
        left = len(curves) - index
        more = f"+{left} more"
        room = canvas.width - x - (cell_len(more) + 2 if left > 1 else 0)
        if cell_len(name) + cell_len(value) + 3 > room and index:
            canvas.write(x, 0, more, LABEL)
            return
        x = canvas.write(x, 0, marker(index, chart.mode) + " ", Ink(curve.role))
        x = canvas.write(x, 0, f"{name} " if name else "", LABEL)
        x = canvas.write(x, 0, value, Ink("strong")) + 2
