"""What a line chart shows, and where its parts lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from engine.core.series import Axis
from engine.core.spec import Reference
from tui.render import axis
from tui.render.curves import Curve, extremes
from tui.render.ink import Mode, Tone

_FAR = 2.0
"""A reference line further away than this many times the height of the curves stands at the edge, with an arrow."""

_NEAR_START = 0.05
"""An axis whose first point lies within this share of its length begins at 0."""

_PARTS_AHEAD = 8
"""Into how many parts an axis that still grows is cut: it reaches to the end of the last one begun."""

_LARGEST_POWER = 290.0
"""Of ten: larger values stand at the edge, because differences of such are infinite."""

_FLAT = 0.05
"""Share of a constant value that its axis shows above and below it."""


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
    x: Axis = "step"
    window: tuple[float, float] | None = None
    """From and to on the x axis; None shows everything."""
    grows: bool = False
    """More is to come: the axis leaves a little room for it, so that what is drawn stays in its place meanwhile."""
    log_y: bool = False
    cursor: float | None = None
    """Place on the x axis at which all curves are read out."""
    empty: str = "Nothing was measured yet."
    mode: Mode = "braille"
    tone: Tone = "color"
    """``shade`` gives every curve after the first its own dashes."""
    percent: bool = False
    """The values are shares, told as percent: 0.986 as 98.6."""

    def told(self, value: float) -> str:
        """Return a value as it is written on the chart."""
        if self.percent and math.isfinite(value):
            return f"{100 * value:.1f}"
        return axis.short(value)


@dataclass(frozen=True, slots=True)
class Frame:
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


def x_span(curves: Sequence[Curve], x: Axis) -> tuple[float, float]:
    """Return the first and the last place on the x axis at which anything was measured."""
    places = [curve.series.axis(x) for curve in curves]
    ends = [float(place[end]) for place in places if len(place) for end in (0, -1)]
    low, high = min(ends), max(ends)
    if 0 < low < _NEAR_START * high:
        low = 0.0
    return (low, high) if high > low else (low, low + 1.0)


def _ahead(x: tuple[float, float]) -> tuple[float, float]:
    """Return the axis with its end moved on, by an eighth of its length at most, to where it can rest for a while."""
    low, high = x
    part = 2.0 ** math.floor(math.log2(high - low)) / _PARTS_AHEAD
    return low, low + math.ceil((high - low) / part) * part


def _y_span(chart: Chart, curves: Sequence[Curve], x: tuple[float, float]) -> tuple[float, float]:
    """Return the range of everything drawn, near references included."""
    spans = [extremes(curve, chart.x, *x, positive=chart.log_y) for curve in curves]
    lows, highs = [low for low, _ in spans if low == low], [high for _, high in spans if high == high]
    low, high = scaled(min(lows, default=0.1), chart), scaled(max(highs, default=1.0), chart)
    room = (high - low) * _FAR
    for reference in chart.references:
        value = scaled(reference.value, chart)
        if low - room <= value <= high + room:
            low, high = min(low, value), max(high, value)
    most = _LARGEST_POWER if chart.log_y else 10.0**_LARGEST_POWER
    low, high = max(low, -most), min(high, most)
    around = max(abs(low) * _FLAT, 1e-12 if low else 0.5)
    return (low, high) if high - low > 1e-12 * abs(low) else (low - around, high + around)


def scaled(value: float, chart: Chart) -> float:
    """Return the value as it is drawn: its logarithm where the axis is logarithmic."""
    if not chart.log_y:
        return value
    return math.log10(value) if value > 0 else -math.inf


def lay_out(chart: Chart, curves: Sequence[Curve], width: int, height: int) -> Frame:
    """Give every part of the chart its place; what has no room is left out, the plot last."""
    x = chart.window or x_span(curves, chart.x)
    if chart.grows and not chart.window:
        x = _ahead(x)
    top = 1 if height >= 6 and width >= 12 else 0
    labels = 1 if height >= 5 and width >= 12 else 0
    line = 1 if height >= 9 and labels else 0
    y = _y_span(chart, curves, x)
    rows = max(1, height - top - labels - line)
    ticks = _y_ticks(chart, y, rows)
    left = max((cell_len(text) for _, text in ticks), default=0) + 1
    if width < 20 or left > width // 3:
        left = 0
    return Frame(left, top, width - left, rows, bool(line), bool(labels), x, y, ticks)


def _y_ticks(chart: Chart, y: tuple[float, float], rows: int) -> list[tuple[float, str]]:
    count = max(2, rows // 3)
    if chart.log_y:
        values = axis.log_ticks(10 ** y[0], 10 ** y[1], count)
        labeled = [(math.log10(each), text) for each, text in zip(values, axis.log_labels(values), strict=True)]
    else:
        values = axis.ticks(*y, count)
        labels = axis.tick_labels([100 * each for each in values] if chart.percent else values)
        labeled = list(zip(values, labels, strict=True))
    if len(labeled) >= 2 or rows < 2:
        return labeled
    return [(end, chart.told(10**end if chart.log_y else end)) for end in y]
