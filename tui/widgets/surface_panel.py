"""What the model says about every place of a plane, with the data on top, by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import RunError
from engine.core.events import HeatMap, Points
from tui.render.ink import SERIES, Line, centered, series_role
from tui.render.surface import draw_surface
from tui.widgets.timeline import TimelinePanel

if TYPE_CHECKING:
    from engine.core.view import Drawn


class SurfacePanel(TimelinePanel):
    """The first of the panel's events that is a heat map, and the first that is points."""

    def names(self) -> list[str]:
        """Return the surfaces; the points are drawn on them and have no turn of their own."""
        latest = self.view.latest if self.view else {}
        return [name for name in super().names() if isinstance(latest[name], HeatMap)]

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Draw the surface with the latest points."""
        if not isinstance(event, HeatMap):
            return centered("This event holds no surface.", width, height)
        colors = [self.color(series_role(index)) for index in range(SERIES)]
        _, background = self.background_colors
        return draw_surface(
            event,
            self._points(),
            width,
            height,
            colors,
            background=background.hex6.lower(),
            tone=self.tone,
            mode=self.mode,
        )

    def waiting(self) -> str:
        """Say what will appear."""
        return "The plane appears here, colored by what the model says about each place."

    def _points(self) -> Points | None:
        latest = self.view.latest if self.view else {}
        for name in self.panel.events:
            event = latest.get(name)
            if isinstance(event, Points):
                try:
                    found = self.whole(event)
                except RunError:
                    return None
                return found if isinstance(found, Points) else None
        return None
