"""How often each value occurs, by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.events import Histogram
from tui.render.histogram import draw_histogram
from tui.render.ink import Line, centered
from tui.widgets.timeline import TimelinePanel

if TYPE_CHECKING:
    from engine.core.view import Drawn


class HistogramPanel(TimelinePanel):
    """Bars of counts."""

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Draw the bars."""
        if not isinstance(event, Histogram):
            return centered("This event holds no counts.", width, height)
        return draw_histogram(event, width, height, mode=self.mode)

    def waiting(self) -> str:
        """Say what will appear."""
        return "Bars of how often each value occurs appear here at the first evaluation."
