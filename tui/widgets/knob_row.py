"""One knob in a form: its name, its value to type or to turn, its unit and range."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from engine.core.errors import UsageError
from engine.core.spec import UNBOUNDED, Knob, Value
from tui.render.safe import safe

NEW_LINE = "\\n"
OWN_FILE = "a file of yours"
"""The choice that makes room for a path."""


class Cycle(Static, can_focus=True):
    """A value out of a few, turned with left and right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,l", "turn(1)", "Next", id="cycle.next", tooltip="The next value"),
        Binding("left,h", "turn(-1)", "Previous", id="cycle.previous", tooltip="The value before", show=False),
    ]
    value: reactive[str] = reactive("")

    class Changed(Message):
        """The value is another one now."""

        def __init__(self, cycle: Cycle) -> None:
            super().__init__()
            self.cycle = cycle

        @property
        def control(self) -> Cycle:
            """The widget that was turned."""
            return self.cycle

    def __init__(self, values: tuple[str, ...], value: str, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self.values = values
        self.set_reactive(Cycle.value, value)

    def render(self) -> Content:
        """Show the value between the signs that say it can be turned."""
        return Content.assemble(("‹ ", "$text-muted"), self.value, (" ›", "$text-muted"))

    def action_turn(self, by: int) -> None:
        """Take the next value, or the one before."""
        at = self.values.index(self.value) if self.value in self.values else 0
        self.value = self.values[(at + by) % len(self.values)]
        self.post_message(self.Changed(self))

    def on_click(self) -> None:
        """A click turns it too."""
        self.action_turn(1)


class Number(Input):
    """A field for a number: the signs that no number has are the screen's keys."""

    KEYS: ClassVar = {"?": "screen.explain", "/": "app.search"}

    async def on_key(self, event: Key) -> None:
        """Hand the screen's keys on, before they are typed."""
        action = self.KEYS.get(event.character or "")
        if action:
            event.stop()
            event.prevent_default()
            await self.run_action(action)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Tell the line of keys which of them are not typed."""
        return character not in self.KEYS and super().check_consume_key(key, character)


class KnobRow(Horizontal):
    """A knob; says `KnobRow.Changed` with a value that holds, and shows what is wrong with one that does not."""

    DEFAULT_CSS = """
    KnobRow {
        height: 1; width: 100%;
        .name { width: 18; text-align: right; padding: 0 2 0 0; color: $text-muted; }
        &.here .name { color: $accent; text-style: bold; }
        #field { width: 20; height: 1; background: $panel; padding: 0 1; border: none; }
        #field:focus { background: $primary 30%; }
        .about { width: 1fr; padding: 0 0 0 2; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        &.wrong #field { background: $error 40%; }
    }
    """

    class Changed(Message):
        """The row holds another value; `row.value` is None while it holds none."""

        def __init__(self, row: KnobRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, knob: Knob, value: Value, default: Value, *, whose: str = "preset") -> None:
        """Show `knob` at `value`; `default` is what it stood at before and `whose` it was, to tell what was changed."""
        super().__init__(id=f"knob-{knob.name}")
        self.knob = knob
        self.entry = knob.entry
        self._default = default
        self._whose = whose
        self._text = words(value)
        self.trouble = ""

    def compose(self) -> ComposeResult:
        """Name, field, unit and range."""
        yield Static(self.knob.name.replace("_", " "), classes="name", markup=False)
        yield self._field()
        yield Static(self._about(), classes="about", markup=False)

    def _field(self) -> Widget:
        if self.knob.choices:
            return Cycle(self.knob.choices, self._text, id="field")
        if isinstance(self.knob.default, bool):
            return Cycle(("yes", "no"), self._text, id="field")
        kind = Input if isinstance(self.knob.default, str) else Number
        return kind(written(self._text), id="field", compact=True, select_on_focus=True)

    def _about(self) -> Content:
        if self.trouble:
            return Content.styled(self.trouble, "$error")
        before = words(self._default)
        changed = "" if self._text == before else f"{self._whose}: {written(before) or 'empty'}   "
        return Content.assemble((changed, "$accent"), (bounds(self.knob), "$text-muted"))

    @property
    def value(self) -> Value | None:
        """The value of the row, None while what was typed is none."""
        if self.knob.name == "data" and not self._text.strip():
            return None
        try:
            return self.knob.read(self._text)
        except UsageError:
            return None

    def on_descendant_focus(self) -> None:
        """Show that the cursor is here."""
        self.add_class("here")

    def on_descendant_blur(self) -> None:
        """Show that the cursor is elsewhere."""
        self.remove_class("here")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        # What a field shows first is not typed: it stays what it was, to the last blank.
        if event.value != written(self._text):
            self._take(event.value.replace(NEW_LINE, "\n"))

    @on(Cycle.Changed)
    async def _turned(self, event: Cycle.Changed) -> None:
        event.stop()
        if event.cycle.value == OWN_FILE:
            await self._ask_for_a_path(event.cycle)
        else:
            self._take(event.cycle.value)

    async def _ask_for_a_path(self, cycle: Cycle) -> None:
        """Put a field for a path where the choices were."""
        self.knob = replace(self.knob, choices=())
        await cycle.remove()
        field = Input(id="field", compact=True, placeholder="its path")
        await self.mount(field, after=self.query_one(".name"))
        field.focus()
        self._take("")

    def _take(self, text: str) -> None:
        self._text = text
        self.trouble = "" if self.value is not None else f"needs {self.knob.wants()}"
        if self.knob.name == "data" and not text.strip():
            self.trouble = "needs the path of a file"
        self.set_class(bool(self.trouble), "wrong")
        self.query_one(".about", Static).update(self._about())
        self.post_message(self.Changed(self))


def bounds(knob: Knob) -> str:
    """Return what a knob may be and its unit, in a few words: ``0 to 64 layers``, ``relu, tanh``, ``0 or more``."""
    if knob.choices:
        return ", ".join(knob.choices)
    if isinstance(knob.default, bool | str):
        return ""
    low = "" if knob.low is None else f"{knob.low:,g}"
    if low and knob.high is not None and knob.high < UNBOUNDED:
        return f"{low} to {knob.high:,g} {knob.unit}".rstrip()
    return f"{low} or more {knob.unit}".rstrip() if low else knob.unit


def written(text: str) -> str:
    """Return a text on one line, as a field shows it: a new line as the two signs that stand for it."""
    return safe(text.replace("\n", NEW_LINE))


def words(value: Value) -> str:
    """Return a knob's value as a person types it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
