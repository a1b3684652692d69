"""Turning knobs over what is seen: one of a live run, or those of a lab before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.catalog import family_of
from engine.core.errors import UsageError
from engine.core.events import real
from engine.core.spec import Knob, Value
from tui.render.safe import safe
from tui.widgets.keys import Keys
from tui.widgets.knob_row import KnobRow

if TYPE_CHECKING:
    from engine.core.lab import Lab
    from engine.core.view import RunView

Result = TypeVar("Result")


class Turnable(NamedTuple):
    """A knob, the value that it stands at, and the one that it usually has."""

    knob: Knob
    value: Value
    usual: Value


class KnobCard(ModalScreen[Result]):
    """Rows of knobs on a card; a subclass says what enter does with them."""

    CSS_PATH = "overlay.tcss"
    WHOSE: ClassVar[str] = "preset"
    """What the value is called that a knob stood at before."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "turn", "Turn", id="knobs.turn", tooltip="Take what stands here"),
        Binding("down", "app.focus_next", "Next", id="knobs.down", show=False),
        Binding("up", "app.focus_previous", "Previous", id="knobs.up", show=False),
        Binding("question_mark", "explain", "Explain", id="knobs.explain", tooltip="What this knob is"),
        Binding("escape", "close", "Close", id="knobs.close", tooltip="Change nothing"),
    ]

    def __init__(self, title: str, sentence: str, knobs: Sequence[Turnable]) -> None:
        super().__init__(classes="knob-card")
        self._title = title
        self._sentence = sentence
        self._knobs = knobs

    def compose(self) -> ComposeResult:
        """A row a knob."""
        with VerticalScroll(id="card", can_focus=False) as card:
            card.border_title = self._title
            yield Static(self._sentence, classes="line", markup=False)
            for each in self._knobs:
                yield KnobRow(each.knob, each.value, each.usual, whose=self.WHOSE)
        yield Keys(show_command_palette=False)

    def on_mount(self) -> None:
        """Type at once."""
        fields = self.query("#field")
        if fields:
            fields.first().focus()

    @property
    def row(self) -> KnobRow | None:
        """The row with the cursor."""
        parent = self.focused.parent if self.focused is not None else None
        return parent if isinstance(parent, KnobRow) else None

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.action_turn()

    def action_turn(self) -> None:
        """Take the values."""
        raise NotImplementedError

    def action_explain(self) -> None:
        """Look at the entry of the knob with the cursor."""
        from tui.screens.peek import PeekScreen

        row = self.row
        if row is not None and row.entry:
            self.app.push_screen(PeekScreen(row.entry))

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)


class KnobScreen(KnobCard["tuple[str, Value] | None"]):
    """Turns one knob of a live run; dismissed with its name and new value."""

    WHOSE = "now"

    def __init__(self, view: RunView) -> None:
        """Show the knobs of the run that may be turned while it trains."""
        values = dict(view.recipe.knobs)
        for change in view.knob_changes:
            values[change.name] = real(change.after)
        live = [each for each in family_of(view.recipe).spec.knobs() if each.live]
        rows = [(each, values.get(each.name, each.default)) for each in live]
        super().__init__(
            "Turn a knob",
            "Type a value and press enter. The run takes it at the end of a step, and the curve is marked there.",
            [Turnable(each, value, value) for each, value in rows],
        )

    def action_turn(self) -> None:
        """Take the row with the cursor."""
        row = self.row
        if row is not None and row.value is not None:
            self.dismiss((row.knob.name, row.value))


class LabKnobs(KnobCard["dict[str, Value] | None"]):
    """Turns the knobs of a lab; dismissed with those that differ from its form."""

    def __init__(self, lab: Lab, form: str, changes: Mapping[str, Value]) -> None:
        """Show all knobs of `lab` as they stand in `form` with `changes`."""
        self._lab, self._form = lab, form
        self._usual = lab.configure(form).values()
        super().__init__(
            f"{lab.title}, {form}",
            "Change what you like and press enter. ? explains a knob.",
            [
                Turnable(each, changes.get(each.name, self._usual[each.name]), self._usual[each.name])
                for each in lab.settings.knobs()
            ],
        )

    def action_turn(self) -> None:
        """Take all rows, where they go together."""
        rows = list(self.query(KnobRow))
        wrong = next((row for row in rows if row.value is None), None)
        if wrong is not None:
            self.notify(f"{wrong.knob.name} {wrong.trouble}.", severity="error", markup=False)
            return
        changes = {row.knob.name: row.value for row in rows if row.value not in (None, self._usual[row.knob.name])}
        try:
            self._lab.configure(self._form, changes)
        except UsageError as error:
            self.notify(safe(str(error)), severity="error", markup=False)
            return
        self.dismiss(changes)
