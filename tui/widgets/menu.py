"""A list to choose from, by arrows or by ``j k g G``; lines are text, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.widgets import OptionList
from textual.widgets.option_list import Option

NARROWEST = 6
"""Cells; a text cannot be wrapped into none, and a terminal may have a single column."""


class Menu(OptionList):
    """Options with an id each; the highlighted one survives a refill. Where it shows, only the focus has a bar."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="menu.open", tooltip="Open the line with the bar"),
        Binding("j", "cursor_down", "Down", id="menu.down", show=False),
        Binding("k", "cursor_up", "Up", id="menu.up", show=False),
        Binding("g", "first", "First", id="menu.first", show=False),
        Binding("G", "last", "Last", id="menu.last", show=False),
    ]

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, opens: str = "Open", spaced: bool = False
    ) -> None:
        """Make an empty list.

        Args:
            id: as of every widget.
            classes: as of every widget.
            opens: what enter does with a line, in a word for the keys at the bottom.
            spaced: whether an empty row stands between two lines, for lines of several rows.
        """
        super().__init__(id=id, classes=classes, markup=False)
        self.opens = opens
        self.spaced = spaced

    def fill(self, lines: Iterable[tuple[str, Content] | tuple[str, Content, bool]]) -> None:
        """Show these lines, each ``(id, text)`` or ``(id, text, disabled)``; the highlight stays where its id does."""
        kept = self.chosen
        options = [Option(line[1], id=line[0], disabled=len(line) > 2 and bool(line[2])) for line in lines]
        if [(each.id, each.prompt) for each in options] == [(each.id, each.prompt) for each in self.options]:
            return
        self.set_options(_spaced(options) if self.spaced else options)
        ids = [each.id for each in options]
        if kept in ids:
            self.highlighted = ids.index(kept)
        elif options:
            self.action_first()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many rows the options take; where there is no room at all, as if there were a little."""
        return super().get_content_height(container, viewport, max(width, NARROWEST))

    @property
    def chosen(self) -> str | None:
        """The id of the highlighted line."""
        if self.highlighted is None or not self.option_count:
            return None
        return self.get_option_at_index(self.highlighted).id

    def choose(self, id: str) -> None:
        """Highlight the line of that id, where it is there."""
        for index, option in enumerate(self.options):
            if option.id == id:
                self.highlighted = index
                self.scroll_to_highlight()
                return


def _spaced(options: list[Option]) -> Iterator[Option | None]:
    """Yield the options with a gap between any two."""
    for index, option in enumerate(options):
        if index:
            yield None
        yield option
