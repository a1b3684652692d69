"""Panels of what was drawn now and then during a run: the latest, or any earlier one, by scrubbing."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from engine.core.errors import RunError
from engine.core.spec import Panel
from tui.render.axis import whole
from tui.render.ink import Line, centered
from tui.render.progress import draw_timeline
from tui.widgets.panel import PanelWidget

if TYPE_CHECKING:
    from engine.core.view import Drawn, RunView

_LEAST_HEIGHT = 5
"""Lines that a panel needs before one of them goes to the timeline."""


class TimelinePanel(PanelWidget):
    """A panel whose events have a history; subclasses draw one of them (`draw_event`)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "earlier", "Earlier", id="panel.earlier", tooltip="What the run drew before this"),
        Binding(
            "right", "later", "Later", id="panel.later", tooltip="What the run drew after this; at the end, the latest"
        ),
        Binding("up,k", "scroll(-1)", "Up", id="panel.up", tooltip="Scroll up", show=False),
        Binding("down,j", "scroll(1)", "Down", id="panel.down", tooltip="Scroll down", show=False),
        Binding(
            "n",
            "name(1)",
            "Next name",
            id="panel.name",
            tooltip="The next of the things this panel can show",
            show=False,
        ),
    ]

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self.step: int | None = None
        """The step that one looks at; None follows the latest."""
        self.first = 0
        """The line at the top, where the panel scrolls."""
        self._turn = 0
        self._bodies: dict[tuple[str, int], Drawn] = {}

    def draw_event(self, event: Drawn, width: int, height: int) -> list[Line]:
        """Return exactly `height` lines of `width` cells that show one event."""
        raise NotImplementedError

    def key(self, view: RunView, others: tuple[RunView, ...]) -> Hashable:
        """Return the steps of the latest events of this panel."""
        shown = tuple((event.s, event.t) if (event := view.latest.get(name)) else None for name in self.panel.events)
        return view.id, shown, self.step

    def names(self) -> list[str]:
        """Return those of the panel's events that the run has drawn."""
        latest = self.view.latest if self.view else {}
        return [name for name in self.panel.events if name in latest]

    def history(self) -> tuple[Drawn, ...]:
        """Return all events of the name that is shown, in the order of steps."""
        names = self.names()
        if not names or self.view is None:
            return ()
        name = names[self._turn % len(names)]
        return self.view.history.get(name) or (self.view.latest[name],)

    def chosen(self) -> int:
        """Return the index in `history` of the event that is shown."""
        history = self.history()
        if self.step is None:
            return len(history) - 1
        return max((index for index, event in enumerate(history) if event.s <= self.step), default=0)

    def whole(self, event: Drawn) -> Drawn:
        """Return the event with its body; a few bodies are kept.

        Raises:
            RunError: the file with the body is missing or damaged.
        """
        if self.view is None or not event.media:
            return event
        known = self._bodies.get((event.media, event.s))
        if known is None:
            while len(self._bodies) >= 16:
                del self._bodies[next(iter(self._bodies))]
            known = self._bodies[event.media, event.s] = self.view.whole(event)
        return known

    def scrub(self, step: int | None) -> None:
        """Look at what was drawn at or before `step`; None follows the latest again."""
        if step != self.step:
            self.step = step
            self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        """Draw the chosen event, and below it where it lies in the run."""
        history = self.history()
        if not history:
            return centered(self.waiting(), width, height)
        index = self.chosen()
        rail = 1 if len(history) > 1 and height >= _LEAST_HEIGHT else 0
        try:
            lines = self.draw_event(self.whole(history[index]), width, height - rail)
        except RunError as error:
            lines = centered(str(error), width, height - rail)
        if rail:
            lines.append(draw_timeline(index, [event.s for event in history], width, mode=self.mode))
        return lines

    def hint(self) -> str:
        """Return the step that is shown, and the name where there are several."""
        history = self.history()
        if not history:
            return ""
        step = f"step {whole(history[self.chosen()].s)}"
        return f"{history[0].name} · {step}" if len(self.names()) > 1 else step

    def action_earlier(self) -> None:
        """Go one event back."""
        self._move(-1)

    def action_later(self) -> None:
        """Go one event on; past the last one, follow the run."""
        self._move(1)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.first = max(0, self.first + lines)
        self.redraw()

    def action_name(self, by: int) -> None:
        """Show another of the panel's events."""
        self._turn += by
        self.first = 0
        self.redraw()

    def _move(self, by: int) -> None:
        history = self.history()
        if not history:
            return
        index = self.chosen() + by
        self.scrub(None if index >= len(history) - 1 else history[max(0, index)].s)
