"""The line on top of every screen: where one is, what the machine has, what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from tui.services import Services


class TopBar(Horizontal):
    """Crumbs at the left; machine, live runs and the two keys that always help at the right."""

    def __init__(self, crumbs: str) -> None:
        super().__init__()
        self._crumbs = crumbs

    def compose(self) -> ComposeResult:
        """Two texts, pushed apart."""
        yield Static(Content(self._crumbs), id="crumbs")
        yield Static("", id="status", markup=False)

    def set_crumbs(self, crumbs: str | Content) -> None:
        """Say where the screen is now."""
        self.query_one("#crumbs", Static).update(Content(crumbs) if isinstance(crumbs, str) else crumbs)

    def refresh_status(self, services: Services) -> None:
        """Show the machine and the number of live runs."""
        live = len(services.watch.live()) if services.ready else 0
        narrow = self.screen.has_class("-narrow")
        text = Content("" if narrow else services.machine)
        if live:
            text = text + Content("   ") + Content.styled(f"● {live} live", "$success")
        text = text + Content.styled("   ^p palette  F1 keys" if not narrow else "  ^p  F1", "$text-muted")
        self.query_one("#status", Static).update(text)
