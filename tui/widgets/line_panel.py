"""Curves of a run, and of others beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from engine.core.events import KnobChanged, real
from engine.core.series import Axis
from engine.core.spec import Panel, Reference
from tui.render.axis import short
from tui.render.chart import draw_chart, draw_legend
from tui.render.curves import Curve
from tui.render.dots import dots
from tui.render.ink import Line, series_role
from tui.render.layout import Chart, Frame, Mark, lay_out, x_span
from tui.widgets.curve_names import higher_is_better, is_noisy, is_validation, metric_names, run_names, short_name
from tui.widgets.panel import PanelWidget

if TYPE_CHECKING:
    from engine.core.view import RunView

SMOOTHINGS = (0.0, 0.6, 0.9, 0.99)
"""Weights of the past that one key goes through."""

LONGEST_WAIT = 1.0
"""Seconds after which a point is drawn even if it falls into a column of dots that stands already."""
SHORTEST_WAIT = 0.5
"""Seconds between two drawings that only let the curve grow; its figures and a new extreme wait for nothing."""

AXES: tuple[Axis, ...] = ("step", "sample", "time")


class LinePanel(PanelWidget):
    """A chart whose scale, smoothing and x axis keys change, with a cursor that reads it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "log_y", "Log", id="line.log", tooltip="Logarithmic or linear y axis"),
        Binding(
            "m",
            "smooth",
            "Smooth",
            id="line.smooth",
            tooltip="More smoothing of the bright line, then none; the band keeps every point",
        ),
        Binding("x", "axis", "X axis", id="line.axis", tooltip="Steps, samples or time on the x axis"),
        Binding("left", "cursor(-1)", "Read", id="line.left", tooltip="Read the values further left", show=False),
        Binding(
            "right",
            "cursor(1)",
            "Read",
            id="line.right",
            tooltip="Read the values further right; at the end the latest",
            show=False,
        ),
        Binding("shift+left", "cursor(-10)", "Read", id="line.far_left", tooltip="Ten columns left", show=False),
        Binding("shift+right", "cursor(10)", "Read", id="line.far_right", tooltip="Ten columns right", show=False),
        Binding("home", "cursor_off", "Latest", id="line.latest", tooltip="Put the cursor away", show=False),
    ]

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self.log_y = False
        self.smoothing = SMOOTHINGS[2]
        self.axis: Axis = "sample" if panel.x == "samples" else "time" if panel.x == "time" else "step"
        self.cursor: float | None = None
        """Place on the x axis that is read out; None shows the latest values."""
        self._picture: tuple[Hashable, Hashable] = (None, None)
        self._plot: list[Line] = []
        self._plotted = -math.inf
        self._subtitle = self.hint()
        self.border_subtitle = Content(self._subtitle)

    def key(self, view: RunView, others: tuple[RunView, ...]) -> Hashable:
        """Return how many points each curve has, and all that marks them."""
        shown = [
            (each.id, name, len(each.series.get(name, ()))) for each in (view, *others) for name in self.panel.events
        ]
        return tuple(shown), len(view.knob_changes), len(view.baselines), view.state

    def redraw(self) -> None:
        """Draw all of it again."""
        self._picture = (None, None)
        super().redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        """Draw the chart; where no point came that its picture would show, the figures above it alone."""
        chart = self.chart()
        curves = [curve for curve in chart.curves if len(curve.series)]
        if not chart.grows or not curves or width <= 0 or height <= 0:
            return draw_chart(chart, width, height)
        frame = lay_out(chart, curves, width, height)
        picture, now = _picture(chart, curves, frame), monotonic()
        grown, changed = (new != old for new, old in zip(picture, self._picture, strict=True))
        if changed or (grown and now - self._plotted >= SHORTEST_WAIT):
            self._picture, self._plot, self._plotted = picture, draw_chart(chart, width, height), now
            return self._plot
        figures = draw_legend(chart, frame, width)
        return [*figures, *self._plot[len(figures) :]]

    def waiting(self) -> str:
        """Say what will appear."""
        return f"The curve of {self.panel.title or 'this panel'} begins here with the first measurement."

    def hint(self) -> str:
        """Return what the keys have set, where it is not the plain chart."""
        parts = ["log y"] * self.log_y + [f"smooth {self.smoothing:g}"] * (self.smoothing > 0 and self._smooths())
        return " · ".join(parts)

    def chart(self) -> Chart:
        """Return what is drawn."""
        curves = list(self._curves())
        return Chart(
            curves=curves,
            references=(*self.panel.references, *self._baselines()),
            marks=tuple(self._marks()),
            x=self.axis,
            grows=any(each.live for each in (self.view, *self.others) if each),
            log_y=self.log_y,
            cursor=self.cursor,
            empty=self.waiting(),
            mode=self.mode,
            tone=self.tone,
            percent=self.panel.unit == "%",
        )

    def _smooths(self) -> bool:
        return any(is_noisy(name) for name in self.panel.events)

    def _curves(self) -> Iterator[Curve]:
        if self.view is None:
            return
        views = (self.view, *self.others)
        called = run_names(views) if self.others else [""]
        named = metric_names(self.panel.events)
        index = 0
        for view, run in zip(views, called, strict=True):
            for name in self.panel.events:
                if name in view.series:
                    # Where there is one metric, the panel's title names it.
                    own = named[name] if len(self.panel.events) > 1 or not self.panel.title else ""
                    yield Curve(
                        name=" ".join(each for each in (run, own) if each),
                        role=series_role(index),
                        series=view.series[name],
                        smoothing=self.smoothing if is_noisy(name) else 0.0,
                    )
                index += 1

    def _baselines(self) -> list[Reference]:
        found = self.view.baselines if self.view else ()
        return [
            Reference(each.name, real(each.value), each.source) for each in found if each.metric in self.panel.events
        ]

    def _marks(self) -> Iterator[Mark]:
        if self.view is None:
            return
        for change in self.view.knob_changes:
            yield Mark("knob", self._place(change.s, change.t), _turned(change))
        for name in self.panel.events:
            higher = higher_is_better(name)
            if is_validation(name) and higher is not None and name in self.view.series:
                series = self.view.series[name]
                step, value = series.best(higher)
                if len(series) > 2 and not math.isnan(value):
                    at = int(series.steps.searchsorted(step))
                    yield Mark("best", float(series.axis(self.axis)[at]), "", value)

    def _place(self, step: int, time: float) -> float:
        per_step = self.view.started.samples_per_step if self.view and self.view.started else 1
        return {"step": float(step), "time": time, "sample": float(step * per_step)}[self.axis]

    def action_log_y(self) -> None:
        """Switch between a linear and a logarithmic y axis."""
        self.log_y = not self.log_y
        self.redraw()

    def action_smooth(self) -> None:
        """Go to the next smoothing."""
        self.smoothing = SMOOTHINGS[(SMOOTHINGS.index(self.smoothing) + 1) % len(SMOOTHINGS)]
        self.redraw()

    def action_axis(self) -> None:
        """Go to the next x axis."""
        self.axis = AXES[(AXES.index(self.axis) + 1) % len(AXES)]
        self.cursor = None
        self.redraw()

    def action_cursor(self, columns: int) -> None:
        """Move the cursor by columns; it comes from the right edge and leaves there."""
        self._read(lambda column, width: (width if column is None else column) + columns)

    def action_cursor_off(self) -> None:
        """Put the cursor away."""
        self.cursor = None
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Read the values where the mouse clicked."""
        place = event.get_content_offset(self)
        if place is not None:
            self._read(lambda column, width: place.x, from_left=True)

    def _read(self, move: Callable[[int | None, int], int], *, from_left: bool = False) -> None:
        chart = self.chart()
        curves = [curve for curve in chart.curves if len(curve.series)]
        if not curves or self.size.width < 2:
            return
        frame = lay_out(chart, curves, self.size.width, self.size.height)
        cell = (frame.x[1] - frame.x[0]) / max(1, frame.width - 1)
        last = math.ceil((x_span(curves, self.axis)[1] - frame.x[0]) / cell)
        column = None if self.cursor is None else round((self.cursor - frame.x[0]) / cell)
        wanted = move(column, last + 1) - (frame.left if from_left else 0)
        self.cursor = None if wanted > last else frame.x[0] + cell * max(0, wanted)
        self.redraw()


def _picture(chart: Chart, curves: list[Curve], frame: Frame) -> tuple[Hashable, Hashable]:
    """Return what of a chart that grows is new: how far its curves reach, and all else that its plot shows.

    A new point moves the first as soon as it reaches the next column of dots, and within a second; the second where it
    moves the y axis by a dot.
    """
    kind = dots(chart.mode)
    column = (frame.x[1] - frame.x[0]) / (frame.width * kind.across)
    row = 2.0 ** math.floor(math.log2((frame.y[1] - frame.y[0]) / (frame.height * kind.down)))
    reached = tuple(
        (curve.name, curve.role, curve.smoothing, curve.series.axis(chart.x)[-1] // column, len(curve.series.nonfinite))
        for curve in curves
    )
    settings = (chart.log_y, chart.cursor, chart.mode, chart.tone, chart.marks, tuple(chart.references))
    place = (frame.width, frame.height, frame.x, frame.y[0] // row, frame.y[1] // row)
    return (reached, int(monotonic() / LONGEST_WAIT)), (settings, place)


def _turned(change: KnobChanged) -> str:
    """Return a knob change in a few characters: ``lr ×0.5``, ``dropout 0 → 0.1``."""
    before, after = real(change.before), real(change.after)
    name = short_name(change.name)
    if before > 0 and after > 0:
        return f"{name} ×{short(after / before, 2)}"
    return f"{name} {short(before, 2)} → {short(after, 2)}"
