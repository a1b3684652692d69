"""A grid of pictures, by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.events import Pictures
from tui.render.ink import Line, centered
from tui.render.pictures import draw_pictures
from tui.widgets.timeline import TimelinePanel

if TYPE_CHECKING:
    from engine.core.view import Drawn


class PicturesPanel(TimelinePanel):
    """Pictures that the run reported."""

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Draw the grid."""
        if not isinstance(event, Pictures):
            return centered("This event holds no pictures.", width, height)
        return draw_pictures(event, width, height, tone=self.tone, mode=self.mode)

    def waiting(self) -> str:
        """Say what will appear."""
        return f"Pictures of {self.panel.title or 'this run'} appear here at the first evaluation."
