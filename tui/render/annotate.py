"""What stands around the curves of a chart: axes with ticks, reference lines with names, marks with reasons."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len

from tui.render import axis
from tui.render.canvas import Canvas
from tui.render.curves import Curve, nonfinite_places
from tui.render.dots import Bools
from tui.render.ink import AXIS, LABEL, Ink
from tui.render.layout import Chart, Frame, scaled
from tui.render.safe import one_line

_GLYPHS = {"knob": "▼", "nonfinite": "✕", "best": "★", "dash": "┄", "far up": "↑", "far down": "↓", "axis": "│┤└─┬"}
_ASCII = {"knob": "v", "nonfinite": "x", "best": "*", "dash": "-", "far up": "^", "far down": "v", "axis": "|++-+"}


_MOST_MARKS = 1000
"""Marks of NaN that are drawn; a diverged run may have a million."""


def _glyphs(chart: Chart) -> dict[str, str]:
    return _ASCII if chart.mode == "ascii" else _GLYPHS


def draw_references(canvas: Canvas, chart: Chart, frame: Frame) -> None:
    """Draw a dashed line across the plot for every reference within its range."""
    glyph = _glyphs(chart)["dash"]
    for reference in chart.references:
        value = scaled(reference.value, chart)
        if frame.y[0] <= value <= frame.y[1]:
            canvas.rule(frame.left, frame.row(value), frame.width, glyph, Ink("reference"))


def label_references(canvas: Canvas, chart: Chart, frame: Frame) -> None:
    """Name each reference at the right edge, or as near to it as no curve is hidden; draw this after the curves."""
    if frame.width < 16 or not chart.references:
        return
    free_HW = (canvas.glyphs_HW == ord(" ")) | (canvas.glyphs_HW == ord(_glyphs(chart)["dash"]))
    faint_HW = free_HW.copy()
    for curve in chart.curves:
        faint_HW |= canvas.inks_HW == canvas.number(Ink(f"{curve.role}-dim"))
    for reference in chart.references:
        value = scaled(reference.value, chart)
        if math.isnan(value):
            continue
        outside = "far up" if value > frame.y[1] else "far down" if value < frame.y[0] else ""
        arrow = _glyphs(chart).get(outside, "")
        text = f" {one_line(reference.name, 40)} {chart.told(reference.value)} {arrow}".rstrip() + " "
        size = cell_len(text)
        row = frame.row(min(max(value, frame.y[0]), frame.y[1]))
        place = _free_place(free_HW, frame, row, size) or _free_place(faint_HW, frame, row, size)
        if place is not None:
            canvas.write(*place, text, Ink("reference"))
            for taken_HW in (free_HW, faint_HW):
                taken_HW[place[1], place[0] : place[0] + size] = False


def _free_place(free_HW: Bools, frame: Frame, row: int, size: int) -> tuple[int, int] | None:
    """Return the cell nearest to the right edge where `size` cells are free, on the row or next to it."""
    right = frame.left + frame.width
    for y in (row, row - 1, row + 1):
        if not frame.top <= y < frame.top + frame.height:
            continue
        for x in range(right - size, frame.left - 1, -1):
            if free_HW[y, x : x + size].all():
                return x, y
    return None


def draw_axes(canvas: Canvas, chart: Chart, frame: Frame) -> None:
    """Draw both axes, with a labeled tick wherever a label has room."""
    stroke, tick, corner, flat = tuple(_glyphs(chart)["axis"][:4])
    bottom = frame.top + frame.height
    if frame.left:
        canvas.column(frame.left - 1, frame.top, frame.height, stroke, AXIS)
        for value, text in frame.y_ticks:
            row = frame.row(value)
            canvas.write(frame.left - 1 - cell_len(text), row, text, LABEL)
            canvas.put(frame.left - 1, row, tick, AXIS)
    if frame.has_line:
        canvas.rule(frame.left, bottom, frame.width, flat, AXIS)
        if frame.left:
            canvas.put(frame.left - 1, bottom, corner, AXIS)
    if frame.has_labels:
        _label_x_axis(canvas, chart, frame)


def _label_x_axis(canvas: Canvas, chart: Chart, frame: Frame) -> None:
    bottom = frame.top + frame.height
    line = bottom + (1 if frame.has_line else 0)
    title_at = canvas.width - len(chart.x)
    taken = -1
    for value, text in _x_ticks(chart, frame):
        x = frame.column(value)
        start = min(max(x - cell_len(text) // 2, 0), canvas.width - cell_len(text))
        if start > taken and start + cell_len(text) < title_at:
            taken = canvas.write(start, line, text, LABEL)
            if frame.has_line:
                canvas.put(x, bottom, _glyphs(chart)["axis"][4], AXIS)
    if taken < title_at:
        canvas.write(title_at, line, chart.x, AXIS)


def _x_ticks(chart: Chart, frame: Frame) -> list[tuple[float, str]]:
    count = max(2, frame.width // 12)
    if chart.x == "time":
        values = axis.time_ticks(*frame.x, count)
        return list(zip(values, axis.time_labels(values), strict=True))
    values = [each for each in axis.ticks(*frame.x, count) if float(each).is_integer()]
    return list(zip(values, axis.tick_labels(values), strict=True))


def draw_marks(canvas: Canvas, chart: Chart, frame: Frame, curves: Sequence[Curve]) -> None:
    """Draw the marks, and on the x axis where NaN or an infinity was measured."""
    glyphs = _glyphs(chart)
    axis_row = frame.top + frame.height - (0 if frame.has_line else 1)
    for mark in chart.marks:
        if not frame.x[0] <= mark.x <= frame.x[1]:
            continue
        x, y = frame.column(mark.x), frame.top
        if mark.y is not None:
            y = frame.row(min(max(scaled(mark.y, chart), frame.y[0]), frame.y[1]))
        canvas.put(x, y, glyphs.get(mark.kind, glyphs["knob"]), Ink("mark"))
        text = one_line(mark.text, 24)
        if text and canvas.is_free(x + 1, y, cell_len(text) + 2):
            canvas.write(x + 2, y, text, LABEL)
    for curve in curves:
        for where in nonfinite_places(curve, chart.x, _MOST_MARKS):
            if frame.x[0] <= where <= frame.x[1]:
                canvas.put(frame.column(where), axis_row, glyphs["nonfinite"], Ink("bad"))
