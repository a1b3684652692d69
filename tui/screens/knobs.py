"""Turning a knob of a live run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.catalog import family
from engine.core.events import real
from engine.core.spec import Value
from tui.widgets.keys import Keys
from tui.widgets.knob_row import KnobRow

if TYPE_CHECKING:
    from engine.core.view import RunView


class KnobScreen(ModalScreen[tuple[str, Value] | None]):
    """Dismissed with the knob's name and its new value, or None."""

    CSS_PATH = "overlay.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "turn", "Turn", id="knobs.turn", tooltip="Give the run the value of this row"),
        Binding("down", "app.focus_next", "Next", id="knobs.down", show=False),
        Binding("up", "app.focus_previous", "Previous", id="knobs.up", show=False),
        Binding("question_mark", "explain", "Explain", id="knobs.explain", tooltip="What this knob is"),
        Binding("escape", "close", "Close", id="knobs.close", tooltip="Change nothing"),
    ]

    def __init__(self, view: RunView) -> None:
        super().__init__()
        self._knobs = [each for each in family(view.recipe.family).spec.knobs() if each.live]
        values = dict(view.recipe.knobs)
        for change in view.knob_changes:
            values[change.name] = real(change.after)
        self._values = values

    def compose(self) -> ComposeResult:
        """A row a knob."""
        with VerticalScroll(id="card", can_focus=False) as card:
            card.border_title = "Turn a knob"
            yield Static(
                "Type a value and press enter. The run takes it at the end of a step, and the curve is marked there.",
                classes="line",
            )
            for knob in self._knobs:
                value = self._values.get(knob.name, knob.default)
                yield KnobRow(knob, value, value)
        yield Keys(show_command_palette=False)

    def on_mount(self) -> None:
        """Type at once."""
        self.query("#field").first().focus()

    @on(Input.Submitted)
    def _turned(self, event: Input.Submitted) -> None:
        row = event.input.parent
        if isinstance(row, KnobRow) and row.value is not None:
            self.dismiss((row.knob.name, row.value))

    def action_turn(self) -> None:
        """Take a row that is turned and not typed."""
        row = self.focused.parent if self.focused is not None else None
        if isinstance(row, KnobRow) and row.value is not None:
            self.dismiss((row.knob.name, row.value))

    def action_explain(self) -> None:
        """Look at the entry of the knob with the cursor."""
        from tui.screens.peek import PeekScreen

        row = self.focused.parent if self.focused is not None else None
        if isinstance(row, KnobRow) and row.entry:
            self.app.push_screen(PeekScreen(row.entry))

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)
