"""One thing that a step shows: a table with what has changed in it, a map, a text, points."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from engine.core.events import HeatMap, Histogram, Pictures, Points, Table, Text
from engine.core.spec import Panel
from tui.render.heatmap import draw_heatmap
from tui.render.histogram import draw_histogram
from tui.render.ink import Line, centered
from tui.render.marked import draw_marked, first_row
from tui.render.pictures import draw_pictures
from tui.render.points import draw_points
from tui.render.safe import one_line
from tui.render.text import draw_text
from tui.widgets.panel import PanelWidget

if TYPE_CHECKING:
    from engine.core.view import Drawn, RunView


class StepPanel(PanelWidget, can_focus=False):
    """Shows one event; the row of a table that is at work stays in sight."""

    def __init__(self) -> None:
        super().__init__(Panel(events=(), kind="table", title=""))
        self.event: Drawn | None = None
        self.before: Drawn | None = None
        self.scrolled = 0
        """Lines further down than the panel would begin by itself."""

    def put(self, view: RunView, event: Drawn, before: Drawn | None) -> None:
        """Show an event, and how it differs from what was `before` it."""
        if event.name != (self.event.name if self.event else ""):
            self.scrolled = 0
        self.event, self.before = event, before
        self.border_title = one_line(event.name, 60)
        self.show(view)

    def key(self, view: RunView, others: tuple[RunView, ...]) -> Hashable:
        """Return which event is shown."""
        return view.id, id(self.event), self.scrolled

    def scroll(self, lines: int) -> None:
        """Begin so many lines further down, or up where negative."""
        self.scrolled += lines
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        """Draw the event by its kind."""
        match self.event:
            case Table() as table:
                before = self.before if isinstance(self.before, Table) else None
                first = self._first(first_row(table, height), len(table.rows), height)
                return draw_marked(table, before, width, height, first=first)
            case HeatMap() as heatmap:
                return draw_heatmap(heatmap, width, height, tone=self.tone, mode=self.mode)
            case Text() as text:
                self.scrolled = max(0, self.scrolled)
                return draw_text(text.text, width, height, prompt=text.prompt, first=self.scrolled)
            case Points() as points:
                return draw_points(points, width, height, mode=self.mode)
            case Histogram() as histogram:
                return draw_histogram(histogram, width, height, mode=self.mode)
            case Pictures() as pictures:
                return draw_pictures(pictures, width, height, tone=self.tone, mode=self.mode)
            case _:
                return centered("This step shows nothing.", width, height)

    def _first(self, wanted: int, rows: int, height: int) -> int:
        """Return the row on top after scrolling, and forget what was scrolled beyond the ends."""
        first = max(0, min(wanted + self.scrolled, rows - max(1, height - 2)))
        self.scrolled = first - wanted
        return first
