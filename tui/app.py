"""The app: theme, global keys, one clock. What it shows is in the screens."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from typing import Any, ClassVar

from textual._context import active_message_pump
from textual.app import App
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.events import Event, Key, Paste

from tui.commands import EntryCommands, KeyCommands, LabCommands, PlaceCommands, RunCommands
from tui.render.safe import one_line, safe
from tui.screens.home import HomeScreen
from tui.screens.page import Page
from tui.services import Services
from tui.theme import DARK, LIGHT, variable_defaults
from tui.widgets.topbar import TopBar

BUILT = 2.0
"""Seconds that a key waits for its screen at most."""
LONGEST_PASTE = 10_000
"""Characters; no field takes more."""


class Lexigrad(App[None]):
    """The glossary that runs."""

    TITLE = "Lexigrad"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar = {PlaceCommands, KeyCommands, EntryCommands, RunCommands, LabCommands}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="app.quit", tooltip="Leave; runs go on", show=False, priority=True),
        Binding("slash", "search", "Search", id="app.search", tooltip="Search every entry"),
        Binding("f1", "help", "Keys", id="app.help", tooltip="Every key of this screen", show=False),
        Binding("f2", "theme", "Light or dark", id="app.theme", tooltip="Switch between light and dark", show=False),
        Binding("ctrl+l", "redraw", "Redraw", id="app.redraw", tooltip="Paint the whole screen anew", show=False),
    ]

    def __init__(self, services: Services, *, start: str = "") -> None:
        """Open on the home screen, or at `start`: ``read/<slug>``, ``run/<id>`` or ``walk/<name>``."""
        super().__init__()
        self.services = services
        self._start = start

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the variables that the drawings need."""
        return variable_defaults()

    def on_mount(self) -> None:
        """Show the home screen at once; everything that takes time comes after the first paint."""
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = self.services.setting("theme", DARK.name)
        self.push_screen(HomeScreen())
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.run_worker(self.services.load, thread=True, name="load", exit_on_error=True)

    def on_worker_state_changed(self, event: Any) -> None:
        """Tell the screens that the library and the runs are there."""
        if event.worker.name != "load" or event.worker.state.name != "SUCCESS":
            return
        for screen in self.screen_stack:
            if isinstance(screen, Page):
                screen.on_screen_resume()
        gc.collect()
        gc.freeze()
        self._tick()
        if self._start:
            self.open_place(self._start)

    def _tick(self) -> None:
        """Look at the runs, let the screen that is seen redraw what changed, and set the time of the next look."""
        if not self.is_running:
            return
        changed = self.services.watch.poll()
        self.set_timer(self.services.watch.patience(), self._tick)
        screen = self.screen
        if changed and isinstance(screen, Page) and screen.whole:
            screen.query_one(TopBar).refresh_status(self.services)
            screen.runs_changed(changed)

    def open_place(self, place: str) -> None:
        """Open ``read/<slug>``, ``read``, ``train``, ``run/<id>``, ``runs``, ``learn`` or ``walk/<name>``."""
        from tui.screens.places import screen_for

        screen = screen_for(place, self.services)
        door, _, slug = place.partition("/")
        if screen is None and door == "read" and self.services.library.standing(slug.partition("#")[0]) == "coming":
            self.tell_to_come(slug)
        elif screen is None:
            self.notify(f"There is no place called {one_line(place, 80)}.", severity="warning", markup=False)
        else:
            self.push_screen(screen)

    def tell_to_come(self, slug: str) -> None:
        """Say that an entry is planned, and still to be written."""
        title = self.services.library.term(slug.partition("#")[0])
        self.notify(safe(f"The page on {title} is still to be written."), markup=False)

    def action_open(self, place: str) -> None:
        """Open a place: what links and the palette call."""
        self.open_place(place)

    def action_search(self) -> None:
        """Search every entry; a hit opens its page."""
        from tui.screens.search import SearchScreen

        if not isinstance(self.screen, SearchScreen):
            self.push_screen(SearchScreen(), self._found)

    def _found(self, slug: str | None) -> None:
        if slug:
            self.open_place(f"read/{slug}")

    def action_help(self) -> None:
        """Show every key of the screen that is seen."""
        from tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_theme(self) -> None:
        """Switch between the dark and the light theme and keep the choice."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name
        self.services.keep_setting("theme", self.theme)

    def action_redraw(self) -> None:
        """Paint everything anew, after something else wrote to the terminal."""
        self.refresh(layout=True, repaint=True)
        self.screen.refresh(layout=True, repaint=True)

    async def on_event(self, event: Event) -> None:
        """Let a key wait until the screen that it is meant for is built, and clean what is pasted."""
        if isinstance(event, Paste):
            event.text = one_line(event.text, LONGEST_PASTE)
        if isinstance(event, Key) and self.screen_stack and not self.screen.is_mounted:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.screen._mounted_event.wait(), BUILT)
        await super().on_event(event)

    def _handle_exception(self, error: Exception) -> None:
        """Keep the traceback in the log; the person gets a sentence from the command line."""
        if isinstance(error, NoMatches) and self._is_leaving():
            return
        logging.getLogger("lexigrad").error("the app ended in an error", exc_info=error)
        super()._handle_exception(error)

    def _is_leaving(self) -> bool:
        """Whether what runs now belongs to a screen that is being taken away: its widgets may be gone before it is."""
        pump = active_message_pump.get(self)
        nodes = pump.ancestors_with_self if isinstance(pump, DOMNode) else []
        return not self.is_running or any(node._pruning or node._closing for node in nodes)

    def _fatal_error(self) -> None:
        """End without painting a traceback over the terminal."""
        self._close_messages_no_wait()
