"""Points in a plane, by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.events import Points
from tui.render.ink import Line, centered
from tui.render.points import draw_points
from tui.widgets.timeline import TimelinePanel

if TYPE_CHECKING:
    from engine.core.view import Drawn


class PointsPanel(TimelinePanel):
    """A scatter, with words where there are few."""

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Draw the scatter."""
        if not isinstance(event, Points):
            return centered("This event holds no points.", width, height)
        return draw_points(event, width, height, mode=self.mode)

    def waiting(self) -> str:
        """Say what will appear."""
        return "Points appear here at the first evaluation and move as the model learns."
