"""A matrix as colors, by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.events import HeatMap
from tui.render.heatmap import draw_heatmap
from tui.render.ink import Line, centered
from tui.widgets.timeline import TimelinePanel

if TYPE_CHECKING:
    from engine.core.view import Drawn


class HeatmapPanel(TimelinePanel):
    """Attention, a confusion matrix; row 0 on top."""

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Draw the matrix."""
        if not isinstance(event, HeatMap):
            return centered("This event holds no matrix.", width, height)
        return draw_heatmap(event, width, height, tone=self.tone, mode=self.mode)

    def waiting(self) -> str:
        """Say what will appear."""
        return "A map appears here at the first evaluation, brighter where a value is larger."
