"""Line charts: curves with their bands, axes, reference lines, marks, a legend with figures, and a cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.cells import cell_len

from engine.core.spec import Reference
from tui.render import axis
from tui.render.canvas import Canvas
from tui.render.curves import Columns, Curve, XAxis, columns, nonfinite_positions, positions, value_at
from tui.render.dots import Floats, bridge, cells, dots, join, raster
from tui.render.ink import AXIS, LABEL, Ink, Line, Mode, Tone, centered, marker
from tui.render.safe import one_line

_FAR = 2.0
"""A reference line further away than this many times the height of the curves stands at the edge, with an arrow."""

_GLYPHS = {"knob": "▼", "nonfinite": "✕", "best": "★"}
_ASCII_GLYPHS = {"knob": "v", "nonfinite": "x", "best": "*"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a chart with a reason: a knob that was turned, the best value."""

    kind: str
    """``knob`` or ``best``."""
    x: float
    text: str = ""
    y: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that a line chart shows."""

    curves: Sequence[Curve] = ()
    references: Sequence[Reference] = ()
    marks: Sequence[Mark] = ()
    x: XAxis = "step"
    window: tuple[float, float] | None = None
    """From and to on the x axis; None shows everything."""
    log_y: bool = False
    cursor: float | None = None
    """Place on the x axis at which all curves are read out."""
    empty: str = "Nothing was measured yet."
    mode: Mode = "braille"
    tone: Tone = "color"
    """``shade`` gives every curve after the first its own dashes."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the parts of a chart lie, in cells, and what its axes span."""

    left: int
    top: int
    width: int
    height: int
    """Of the plot alone."""
    has_line: bool
    has_labels: bool
    x: tuple[float, float]
    y: tuple[float, float]
    """In what is drawn: logarithms where the axis is logarithmic."""
    y_ticks: list[tuple[float, str]] = field(default_factory=list)

    def column(self, x: float) -> int:
        """Return the cell column of a place on the x axis."""
        share = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0)
        return self.left + min(max(round(share * (self.width - 1)), 0), self.width - 1)

    def row(self, y: float) -> int:
        """Return the cell row of a value on the y axis."""
        share = (self.y[1] - y) / ((self.y[1] - self.y[0]) or 1.0)
        return self.top + min(max(int(share * (self.height - 0.001)), 0), self.height - 1)


def draw_chart(chart: Chart, width: int, height: int) -> list[Line]:
    """Draw the chart on exactly `height` lines of `width` cells."""
    if width <= 0 or height <= 0:
        return [[] for _ in range(max(0, height))]
    measured = [curve for curve in chart.curves if len(curve.series.values) or len(curve.series.nonfinite)]
    if not measured:
        return centered(chart.empty, width, height)
    x_span = chart.window or _x_span(measured, chart.x)
    kind = dots(chart.mode)
    # Before the labels are known, so is the width of the plot not: a narrow guess is refined once they are.
    rough = [columns(curve, chart.x, *x_span, max(2, width * kind.across)) for curve in measured]
    frame = _frame(chart, rough, x_span, width, height)
    exact = [columns(curve, chart.x, *x_span, frame.width * kind.across) for curve in measured]
    canvas = Canvas(width, height)
    _draw_references(canvas, chart, frame)
    _draw_cursor(canvas, chart, frame)
    _draw_curves(canvas, chart, frame, measured, exact)
    _label_references(canvas, chart, frame)
    _draw_axes(canvas, chart, frame)
    _draw_marks(canvas, chart, frame, measured)
    if frame.top:
        _draw_legend(canvas, chart, frame, measured)
    return canvas.lines()


def _x_span(curves: Sequence[Curve], x: XAxis) -> tuple[float, float]:
    ends: list[float] = []
    for curve in curves:
        where = positions(curve.series, x)
        ends += [float(where[0]), float(where[-1])] if where.size else []
        ends += [float(each) for each in nonfinite_positions(curve.series, x)]
    low, high = min(ends), max(ends)
    return (low, high) if high > low else (low, low + 1.0)


def _y_span(chart: Chart, gathered: Sequence[Columns]) -> tuple[float, float]:
    """Return the range of everything drawn, near references included."""
    lows = np.concatenate([each.lows_C for each in gathered])
    highs = np.concatenate([each.highs_C for each in gathered])
    if chart.log_y:
        lows, highs = lows[lows > 0], highs[highs > 0]
    low = float(np.nanmin(lows)) if np.isfinite(lows).any() else 0.1
    high = float(np.nanmax(highs)) if np.isfinite(highs).any() else 1.0
    low, high = _scaled(low, chart), _scaled(high, chart)
    room = (high - low) * _FAR
    for reference in chart.references:
        value = _scaled(reference.value, chart)
        if low - room <= value <= high + room:
            low, high = min(low, value), max(high, value)
    if high <= low:
        around = abs(low) * 0.05 or 0.5
        return low - around, high + around
    return low, high


def _scaled(value: float, chart: Chart) -> float:
    if not chart.log_y:
        return value
    return math.log10(value) if value > 0 else -math.inf


def _frame(chart: Chart, gathered: Sequence[Columns], x: tuple[float, float], width: int, height: int) -> _Frame:
    top = 1 if height >= 6 and width >= 12 else 0
    labels = 1 if height >= 5 and width >= 12 else 0
    line = 1 if height >= 9 and labels else 0
    y = _y_span(chart, gathered)
    rows = max(1, height - top - labels - line)
    ticks = _y_ticks(chart, y, rows)
    left = max((cell_len(text) for _, text in ticks), default=0) + 1
    if width < 20 or left > width // 3:
        left = 0
    return _Frame(left, top, width - left, rows, bool(line), bool(labels), x, y, ticks)


def _y_ticks(chart: Chart, y: tuple[float, float], rows: int) -> list[tuple[float, str]]:
    count = max(2, rows // 3)
    if chart.log_y:
        values = axis.log_ticks(10 ** y[0], 10 ** y[1], count)
        labeled = [(math.log10(each), text) for each, text in zip(values, axis.log_labels(values), strict=True)]
    else:
        values = axis.ticks(*y, count)
        labeled = list(zip(values, axis.tick_labels(values), strict=True))
    if len(labeled) >= 2 or rows < 2:
        return labeled
    return [(end, axis.short(10**end if chart.log_y else end)) for end in y]


def _rows(values_C: Floats, chart: Chart, frame: _Frame, dots_down: int) -> Floats:
    """Return the row of dots, counted from the top, of every value; NaN stays NaN."""
    if chart.log_y:
        with np.errstate(divide="ignore", invalid="ignore"):
            values_C = np.where(values_C > 0, np.log10(values_C), np.where(np.isnan(values_C), np.nan, -np.inf))
    last = frame.height * dots_down - 1
    rows_C = np.round((frame.y[1] - values_C) / (frame.y[1] - frame.y[0]) * last)
    return np.clip(rows_C, 0, last)


def _spans(low_C: Floats, high_C: Floats, each: Columns, chart: Chart, frame: _Frame) -> tuple[Floats, Floats]:
    down = dots(chart.mode).down
    top_C = np.round(bridge(_rows(high_C, chart, frame, down), each.broken_C))
    bottom_C = top_C if low_C is high_C else np.round(bridge(_rows(low_C, chart, frame, down), each.broken_C))
    return join(top_C, bottom_C)


def _draw_curves(
    canvas: Canvas, chart: Chart, frame: _Frame, curves: Sequence[Curve], gathered: Sequence[Columns]
) -> None:
    """Draw every band, then every line, then where each ends; a later cell replaces an earlier one."""
    kind = dots(chart.mode)
    rows = frame.height * kind.down
    for curve, each in zip(curves, gathered, strict=True):
        if each.line_C is not None:
            spans = _spans(each.lows_C, each.highs_C, each, chart, frame)
            canvas.stamp(frame.left, frame.top, cells(raster(*spans, rows), kind), Ink(f"{curve.role}-dim"))
    for index, (curve, each) in enumerate(zip(curves, gathered, strict=True)):
        low_C, high_C = (each.lows_C, each.highs_C) if each.line_C is None else (each.line_C, each.line_C)
        top_C, bottom_C = _spans(low_C, high_C, each, chart, frame)
        if chart.tone == "shade" and index:
            top_C = _dashed(top_C, bottom_C, 2 + 2 * index)
        canvas.stamp(frame.left, frame.top, cells(raster(top_C, bottom_C, rows), kind), Ink(curve.role))
    for index, (curve, each) in enumerate(zip(curves, gathered, strict=True)):
        shown_C = each.highs_C if each.line_C is None else each.line_C
        last = int(np.flatnonzero(np.isfinite(shown_C))[-1]) if np.isfinite(shown_C).any() else -1
        if last >= 0:
            row = int(_rows(shown_C[last : last + 1], chart, frame, kind.down)[0]) // kind.down
            canvas.put(frame.left + last // kind.across, frame.top + row, marker(index, chart.mode), Ink(curve.role))


def _dashed(top_C: Floats, bottom_C: Floats, period: int) -> Floats:
    """Open gaps where the line is flat; what rises or falls steeply is never hidden."""
    in_gap = np.arange(top_C.size) % period >= period - 2
    with np.errstate(invalid="ignore"):
        return np.where(in_gap & (bottom_C - top_C <= 1), np.nan, top_C)


def _draw_references(canvas: Canvas, chart: Chart, frame: _Frame) -> None:
    glyph = "-" if chart.mode == "ascii" else "┄"
    for reference in chart.references:
        value = _scaled(reference.value, chart)
        if frame.y[0] <= value <= frame.y[1]:
            canvas.write(frame.left, frame.row(value), glyph * frame.width, Ink("reference"))


def _label_references(canvas: Canvas, chart: Chart, frame: _Frame) -> None:
    """Name each reference at the right edge, or as near to it as no curve is hidden."""
    if frame.width < 16:
        return
    free_HW = np.isin(canvas.glyphs_HW, [ord(" "), ord("┄"), ord("-")])
    for reference in chart.references:
        value = _scaled(reference.value, chart)
        if math.isnan(value):
            continue
        arrow = " ↑" if value > frame.y[1] else " ↓" if value < frame.y[0] else ""
        text = f" {one_line(reference.name, 40)} {axis.short(reference.value)}{arrow.replace('↑', '^').replace('↓', 'v') if chart.mode == 'ascii' else arrow} "
        size = cell_len(text)
        row = frame.row(min(max(value, frame.y[0]), frame.y[1]))
        place = _free_place(free_HW, frame, row, size)
        if place is not None:
            canvas.write(*place, text, Ink("reference"))
            free_HW[place[1], place[0] : place[0] + size] = False


def _free_place(free_HW: np.ndarray, frame: _Frame, row: int, size: int) -> tuple[int, int] | None:
    """Return the cell nearest to the right edge where `size` cells are free, on the row or next to it."""
    right = frame.left + frame.width
    for y in (row, row - 1, row + 1):
        if not frame.top <= y < frame.top + frame.height:
            continue
        for x in range(right - size, max(frame.left, right - size - frame.width // 2) - 1, -1):
            if free_HW[y, x : x + size].all():
                return x, y
    return None


def _draw_axes(canvas: Canvas, chart: Chart, frame: _Frame) -> None:
    stroke, tick, corner, flat, down = "|+++-" if chart.mode == "ascii" and False else ("│", "┤", "└", "─", "┬")
    if chart.mode == "ascii":
        stroke, tick, corner, flat, down = "|", "+", "+", "-", "+"
    bottom = frame.top + frame.height
    if frame.left:
        for y in range(frame.top, bottom):
            canvas.put(frame.left - 1, y, stroke, AXIS)
        for value, text in frame.y_ticks:
            row = frame.row(value)
            canvas.write(frame.left - 1 - cell_len(text), row, text, LABEL)
            canvas.put(frame.left - 1, row, tick, AXIS)
    if frame.has_line:
        canvas.write(frame.left, bottom, flat * frame.width, AXIS)
        if frame.left:
            canvas.put(frame.left - 1, bottom, corner, AXIS)
    if not frame.has_labels:
        return
    line = bottom + (1 if frame.has_line else 0)
    title_at = canvas.width - len(chart.x)
    taken = -1
    values = _x_ticks(chart, frame)
    for value, text in values:
        x = frame.column(value)
        start = min(max(x - cell_len(text) // 2, 0), canvas.width - cell_len(text))
        if start > taken and start + cell_len(text) < title_at:
            taken = canvas.write(start, line, text, LABEL)
            if frame.has_line:
                canvas.put(x, bottom, down, AXIS)
    if taken < title_at:
        canvas.write(title_at, line, chart.x, AXIS)


def _x_ticks(chart: Chart, frame: _Frame) -> list[tuple[float, str]]:
    count = max(2, frame.width // 12)
    if chart.x == "time":
        values = axis.time_ticks(*frame.x, count)
        return list(zip(values, axis.time_labels(values), strict=True))
    values = [each for each in axis.ticks(*frame.x, count) if float(each).is_integer()]
    return list(zip(values, axis.tick_labels(values), strict=True))


def _draw_marks(canvas: Canvas, chart: Chart, frame: _Frame, curves: Sequence[Curve]) -> None:
    glyphs = _ASCII_GLYPHS if chart.mode == "ascii" else _GLYPHS
    axis_row = frame.top + frame.height - (0 if frame.has_line else 1)
    for mark in chart.marks:
        if not frame.x[0] <= mark.x <= frame.x[1]:
            continue
        x, y = frame.column(mark.x), frame.top
        if mark.y is not None:
            y = frame.row(min(max(_scaled(mark.y, chart), frame.y[0]), frame.y[1]))
        canvas.put(x, y, glyphs.get(mark.kind, "▼"), Ink("mark"))
        text = one_line(mark.text, 24)
        if text and canvas.is_free(x + 1, y, cell_len(text) + 2):
            canvas.write(x + 2, y, text, LABEL)
    for curve in curves:
        for where in nonfinite_positions(curve.series, chart.x)[:canvas.width]:
            if frame.x[0] <= where <= frame.x[1]:
                canvas.put(frame.column(where), axis_row, glyphs["nonfinite"], Ink("bad"))


def _draw_cursor(canvas: Canvas, chart: Chart, frame: _Frame) -> None:
    if chart.cursor is None or not frame.x[0] <= chart.cursor <= frame.x[1]:
        return
    for y in range(frame.top, frame.top + frame.height):
        canvas.put(frame.column(chart.cursor), y, "|" if chart.mode == "ascii" else "┊", Ink("cursor"))


def _draw_legend(canvas: Canvas, chart: Chart, frame: _Frame, curves: Sequence[Curve]) -> None:
    """Write marker, name and figure of every curve that there is room for: the last, or the one at the cursor."""
    x = frame.left
    if chart.cursor is not None:
        where = axis.duration(chart.cursor) if chart.x == "time" else f"{chart.x} {axis.whole(chart.cursor)}"
        x = canvas.write(x, 0, where + "  ", Ink("cursor"))
    at = math.inf if chart.cursor is None else chart.cursor
    for index, curve in enumerate(curves):
        value = axis.short(value_at(curve, chart.x, at))
        name = one_line(curve.name, 32)
        left = len(curves) - index
        more = f"+{left} more"
        room = canvas.width - x - (cell_len(more) + 1 if left > 1 else 0)
        if cell_len(name) + cell_len(value) + 3 > room and index:
            canvas.write(x, 0, more, LABEL)
            return
        x = canvas.write(x, 0, marker(index, chart.mode) + " ", Ink(curve.role))
        x = canvas.write(x, 0, name + " ", LABEL)
        x = canvas.write(x, 0, value, Ink("strong")) + 2
