"""The line on top of every screen: where one is, what the machine has, what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

if TYPE_CHECKING:
    from tui.services import Services

LEAST_CRUMBS = 24
"""Cells that the place keeps, whatever else there is to say."""


class TopBar(Horizontal):
    """Crumbs at the left; machine, live runs and the two keys that always help at the right, as far as they fit."""

    def __init__(self, crumbs: str) -> None:
        super().__init__()
        self._crumbs = Content(crumbs)
        self._machine = ""
        self._live = 0

    def compose(self) -> ComposeResult:
        """Two texts, pushed apart."""
        yield Static(self._crumbs, id="crumbs")
        yield Static("", id="status", markup=False)

    def set_crumbs(self, crumbs: str | Content) -> None:
        """Say where the screen is now."""
        said = Content(crumbs) if isinstance(crumbs, str) else crumbs
        if said.markup == self._crumbs.markup:
            return
        self._crumbs = said
        self.query_one("#crumbs", Static).update(said)
        self._fit()

    def refresh_status(self, services: Services) -> None:
        """Show the machine and the number of live runs."""
        live = len(services.watch.live()) if services.ready else 0
        if (services.machine, live) != (self._machine, self._live):
            self._machine, self._live = services.machine, live
            self._fit()

    def on_resize(self, event: Resize) -> None:
        """Say as much as fits now."""
        self._fit()

    def _fit(self) -> None:
        """Show the longest status that leaves the crumbs whole; the place matters more than the machine."""
        room = self.app.size.width - max(LEAST_CRUMBS, self._crumbs.cell_length) - 3
        live = [Content.styled(f"● {self._live} live", "$success")] if self._live else []
        keys, short = Content.styled("^p palette  F1 keys", "$text-muted"), Content.styled("F1 keys", "$text-muted")
        machine = [Content(self._machine)] if self._machine else []
        choices = ([*machine, *live, keys], [*live, keys], [*live, short], live)
        fits = next((parts for parts in choices if Content("   ").join(parts).cell_length <= room), live)
        self.query_one("#status", Static).update(Content("   ").join(fits))
