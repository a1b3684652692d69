"""What every screen shares: the line on top, the keys at the bottom, the folding at small sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import Resize
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.widgets.keys import Keys
from tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from tui.app import Lexigrad
    from tui.services import Services

SMALLEST = (40, 10)
"""Columns and rows below which a screen is one kind line."""


class Page(Screen[None]):
    """A screen of the app. Subclasses say where they are (`crumbs`) and what they hold (`body`)."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (SMALLEST[0], "-narrow"), (100, "-wide"), (150, "-vast")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST[1], "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="page.back", tooltip="One step out"),
        Binding("question_mark", "explain", "Explain", id="page.explain", tooltip="Open the entry that explains this"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the top line, the body and the keys."""
        yield TopBar(self.crumbs())
        yield Static("", id="too-small", markup=False)
        with Container(id="body"):
            yield from self.body()
        yield Keys(show_command_palette=False)

    def crumbs(self) -> str:
        """Return where this screen is, for the top line."""
        return ""

    def body(self) -> Iterator[Widget]:
        """Yield what the screen holds."""
        return iter(())

    @property
    def lexigrad(self) -> Lexigrad:
        """The app, by its own type."""
        return cast("Lexigrad", self.app)

    @property
    def services(self) -> Services:
        """The doors to the library, the runs and the learner's record."""
        return self.lexigrad.services

    def refresh_content(self) -> None:
        """Read the services again; called when they have loaded and when the screen is seen again."""

    def runs_changed(self, changed: frozenset[str]) -> None:
        """Redraw what shows one of these runs; called at most once a tick, on the screen that is seen."""

    def applies(self, action: str) -> bool:
        """Whether a key's action can do something now; the line of keys leaves out the others."""
        return action != "explain" or self.services.is_written(self.explained())

    @property
    def whole(self) -> bool:
        """Whether all of it is there: not before it is composed, nor after the app began to close."""
        bar = next((each for each in self.children if isinstance(each, TopBar)), None)
        return self.is_mounted and self.is_attached and bar is not None and bool(bar.children)

    def on_screen_resume(self) -> None:
        """Show what happened while another screen was seen."""
        if not self.whole:
            return
        self.query_one(TopBar).refresh_status(self.services)
        if self.services.ready:
            self.refresh_content()

    def on_resize(self, event: Resize) -> None:
        """Say the size that is needed where there is less."""
        columns, rows = SMALLEST
        self.query_one("#too-small", Static).update(
            f"Lexigrad needs {columns} x {rows} cells, here are {event.size.width} x {event.size.height}."
        )

    def action_back(self) -> None:
        """Go one step out."""
        if len(self.app.screen_stack) > 2:
            self.app.pop_screen()

    def explained(self) -> str:
        """Return the slug that explains what has the focus, or nothing."""
        node: object = self.focused
        while isinstance(node, Widget):
            slug = getattr(node, "entry", "")
            if isinstance(slug, str) and slug:
                return slug
            node = node.parent
        return ""

    def action_explain(self) -> None:
        """Open the entry that explains what has the focus."""
        slug = self.explained()
        if self.services.is_written(slug):
            from tui.screens.peek import PeekScreen

            self.app.push_screen(PeekScreen(slug), self._peeked)
        elif slug and self.services.ready:
            self.lexigrad.tell_to_come(slug)
        else:
            self.lexigrad.action_help()

    def _peeked(self, slug: str | None) -> None:
        if slug:
            self.lexigrad.open_place(f"read/{slug}")
