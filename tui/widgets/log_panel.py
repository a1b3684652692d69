"""What the trainer printed, and what it noted for the person who watches."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from engine.core.errors import RunError
from engine.core.files import read_end
from engine.core.spec import Panel
from tui.render.ink import Line, centered
from tui.render.text import draw_log, log_lines
from tui.widgets.panel import PanelWidget

if TYPE_CHECKING:
    from engine.core.view import RunView

LOG = "log.txt"
_TAIL = 64 * 1024
"""Bytes that are read from the end of the log."""


class LogPanel(PanelWidget):
    """Notes first, then the end of the log; it follows the log until one scrolls up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(1)", "Up", id="log.up", tooltip="Further up in the log", show=False),
        Binding("down,j", "scroll(-1)", "Down", id="log.down", tooltip="Further down in the log", show=False),
        Binding(
            "G,end", "follow", "Follow", id="log.follow", tooltip="To the end of the log, and follow it", show=False
        ),
    ]

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self._above = 0

    def key(self, view: RunView, others: tuple[RunView, ...]) -> Hashable:
        """Return size and time of the log, and how many notes there are."""
        try:
            found = (view.folder / LOG).stat()
        except OSError:
            return view.id, len(view.notes)
        return view.id, found.st_size, found.st_mtime_ns, len(view.notes)

    def draw(self, width: int, height: int) -> list[Line]:
        """Draw the end of notes and log."""
        if self.view is None:
            return centered(self.waiting(), width, height)
        lines = [("print", line) for line in log_lines(self._tail(self.view)) if line.strip()]
        lines += [(note.level, note.text) for note in self.view.notes]
        if not lines:
            return centered(self.waiting(), width, height)
        self._above = max(0, min(self._above, len(lines) - 1))
        return draw_log(lines, width, height, above=self._above)

    def waiting(self) -> str:
        """Say what will appear."""
        return "What the trainer prints and notes appears here."

    def action_scroll(self, lines: int) -> None:
        """Look further up, or down again."""
        self._above = max(0, self._above + lines)
        self.redraw()

    def action_follow(self) -> None:
        """Go to the end."""
        self._above = 0
        self.redraw()

    def _tail(self, view: RunView) -> str:
        try:
            return read_end(view.folder, LOG, _TAIL).decode("utf-8", "replace")
        except (OSError, RunError):
            return ""
