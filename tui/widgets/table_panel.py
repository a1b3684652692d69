"""Rows of cells, by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.events import Table
from tui.render.ink import Line, centered
from tui.render.rows import draw_table
from tui.widgets.timeline import TimelinePanel

if TYPE_CHECKING:
    from engine.core.view import Drawn


class TablePanel(TimelinePanel):
    """A table; up and down scroll."""

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Draw the rows."""
        if not isinstance(event, Table):
            return centered("This event holds no table.", width, height)
        self.first = max(0, min(self.first, len(event.rows) - 1))
        return draw_table(event.columns, event.rows, width, height, first=self.first)

    def waiting(self) -> str:
        """Say what will appear."""
        return "Rows appear here at the first evaluation."
