"""What the model writes, by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.events import Text
from tui.render.ink import Line, centered
from tui.render.text import draw_text
from tui.widgets.timeline import TimelinePanel

if TYPE_CHECKING:
    from engine.core.view import Drawn


class TextPanel(TimelinePanel):
    """Samples of text; up and down scroll."""

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Draw the prompt and the sample."""
        if not isinstance(event, Text):
            return centered("This event holds no text.", width, height)
        return draw_text(event.text, width, height, prompt=event.prompt, first=self.first)

    def waiting(self) -> str:
        """Say what will appear."""
        return "What the model writes appears here, first as noise, then as words."
