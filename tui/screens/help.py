"""Every key of a screen, from the bindings themselves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.keys import format_key
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

SECTIONS = (("screen", "On this screen"), ("focus", "Where the cursor is"), ("app", "Everywhere"))

COMMON = {
    "app.focus_next": "The next part of the screen",
    "app.focus_previous": "The part before",
    "screen.copy_text": "Copy what the mouse has selected",
    "back": "One step out",
    "explain": "Open the entry that explains this",
}
"""What every screen has, in words of ours."""

MOVING = {
    "scroll_up": "A line up",
    "scroll_down": "A line down",
    "cursor_up": "Up",
    "cursor_down": "Down",
    "page_up": "A page up",
    "page_down": "A page down",
    "scroll_home": "To the top",
    "scroll_end": "To the end",
}
"""What the toolkit says in words of its own."""
UNUSED = frozenset({"scroll_left", "scroll_right", "page_left", "page_right"})
"""Keys of the toolkit for texts that are wider than the screen; there are none here."""


class HelpScreen(ModalScreen[None]):
    """Keys in three groups: this screen's, those of what has the focus, the app's."""

    CSS_PATH = "overlay.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,question_mark", "close", "Close", id="help.close")]

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._groups = groups_of(about)

    def compose(self) -> ComposeResult:
        """One column of keys and sentences."""
        with VerticalScroll(id="card") as card:
            card.border_title = "Keys"
            for title, rows in self._groups:
                yield Static(Content.styled(title, "bold $accent"))
                lines = [Content.assemble((f"  {keys:<16}", "$secondary"), text) for keys, text in rows]
                yield Static(Content("\n").join(lines), classes="line")

    def on_mount(self) -> None:
        """Take the keys."""
        self.query_one("#card").focus()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)


def groups_of(screen: Screen[object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return title and ``(keys, sentence)`` rows of the screen, of what has the focus, and of the app."""
    rows: dict[str, dict[str, tuple[list[str], str]]] = {name: {} for name, _ in SECTIONS}
    for node, binding, _, tooltip in screen.active_bindings.values():
        everywhere = node is screen.app or binding.action in COMMON
        where = "app" if everywhere else "screen" if node is screen else "focus"
        plain = MOVING.get(binding.action, binding.description)
        text = COMMON.get(binding.action) or tooltip or binding.tooltip or plain
        if not text or binding.system or binding.action in UNUSED:
            continue
        rows[where].setdefault(binding.action, ([], text))[0].append(format_key(binding.key))
    return [
        (title, [(" ".join(keys), text) for keys, text in rows[name].values()])
        for name, title in SECTIONS
        if rows[name]
    ]
