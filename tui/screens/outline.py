"""The headings of a page, to jump to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from tui.render.safe import safe
from tui.widgets.menu import Menu


class OutlineScreen(ModalScreen[str | None]):
    """Dismissed with the heading that was chosen, or None."""

    CSS_PATH = "overlay.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,o", "close", "Close", id="outline.close")]

    def __init__(self, headings: Sequence[str]) -> None:
        super().__init__()
        self._headings = list(headings)

    def compose(self) -> ComposeResult:
        """A list in a card."""
        yield Menu(id="card")

    def on_mount(self) -> None:
        """Fill the list."""
        menu = self.query_one(Menu)
        menu.border_title = "On this page"
        menu.fill((heading, Content(safe(heading))) for heading in self._headings)
        menu.focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_close(self) -> None:
        """Stay where one is."""
        self.dismiss(None)
