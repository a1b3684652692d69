"""What the keys go to on a page, link by link and question by question, and how it comes into view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.containers import VerticalScroll

from tui.widgets.sheet import Sheet


class Stop(NamedTuple):
    """A link or a question."""

    sheet: Sheet
    number: int
    """Its number on the sheet."""
    first: int
    """Its first row on the view, and its last."""
    last: int


class Stops:
    """The stops of all sheets in a view, and which of them has the focus."""

    def __init__(self, view: VerticalScroll, sheets: Sequence[Sheet]) -> None:
        """Look after the `sheets` that `view` scrolls."""
        self._view = view
        self._sheets = sheets
        self._current: tuple[Sheet, int] | None = None

    def all(self) -> list[Stop]:
        """Return the stops of the sheets that are shown, in the order of reading."""
        return [
            Stop(sheet, number, sheet.top + first, sheet.top + last)
            for sheet in self._sheets
            if sheet.display
            for number, (first, last) in enumerate(sheet.stops)
        ]

    @property
    def current(self) -> Stop | None:
        """The stop that has the focus."""
        return next((stop for stop in self.all() if stop[:2] == self._current), None)

    def is_seen(self, stop: Stop) -> bool:
        """Return whether a row of a stop is on the screen."""
        top, height = self._window
        return stop.last >= top and stop.first < top + height

    @property
    def _window(self) -> tuple[int, int]:
        """The first row that is seen, and how many are."""
        return round(self._view.scroll_y), self._view.scrollable_content_region.height

    def next(self, by: int) -> Stop | None:
        """Return the stop after (or before) the one with the focus; from the rows that are seen, where that is not."""
        stops = self.all()
        at = next((index for index, stop in enumerate(stops) if stop[:2] == self._current), None)
        if at is not None and self.is_seen(stops[at]):
            return stops[at + by] if 0 <= at + by < len(stops) else None
        top, height = self._window
        if by > 0:
            return next((stop for stop in stops if stop.first >= top), None)
        return next((stop for stop in reversed(stops) if stop.first < top + height), None)

    def go(self, sheet: Sheet | None = None, number: int = 0) -> None:
        """Give a stop the focus and bring it into view; without one, none has it."""
        self._current = (sheet, number) if sheet else None
        for each in self._sheets:
            each.mark(number if each is sheet else None)
        if sheet:
            self._view.call_after_refresh(self._bring)

    def _bring(self) -> None:
        """Scroll as little as needed to show the stop with a row of air; of a long one, its beginning."""
        stop = self.current
        if stop is None:
            return
        top, height = self._window
        wanted = top
        if stop.last + 1 >= top + height:
            wanted = stop.last + 2 - height
        if stop.first - 1 < wanted:
            wanted = max(0, stop.first - 1)
        if wanted != top:
            self._view.scroll_to(y=wanted, animate=False)
