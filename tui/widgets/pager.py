"""A column of sheets that is read from top to end, by keys or wheel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize

from tui.widgets.sheet import Sheet

OVERLAP = 2
"""Rows of the screen before that stay in sight when a screen is turned."""


class Pager(VerticalScroll):
    """Scrolls its sheets, notices the end, and keeps the place of reading when the width changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "line(1)", "Down", id="page.down", tooltip="A line down", show=False),
        Binding("k,up", "line(-1)", "Up", id="page.up", tooltip="A line up", show=False),
        Binding("g,home", "scroll_home", "Top", id="page.top", tooltip="The top of the page", show=False),
        Binding("G,end", "scroll_end", "End", id="page.end", tooltip="The end of the page", show=False),
    ]

    def __init__(self, sheets: Sequence[Sheet], *, id: str | None = None, classes: str | None = None) -> None:
        """Show `sheets` one under another."""
        super().__init__(id=id, classes=classes)
        self.sheets = tuple(sheets)
        self._settled_width = 0
        self._place: tuple[Sheet, int, float] | None = None

    def compose(self) -> ComposeResult:
        """The sheets."""
        yield from self.sheets

    def from_the_top(self) -> None:
        """Go to the top of what is shown now, without a trace of what was shown before."""
        self._place = None
        if self.is_attached:
            self.scroll_to(y=0, animate=False, immediate=True)

    def ended(self) -> None:
        """The last row was reached (again, perhaps)."""

    def action_line(self, by: int) -> None:
        """Go a line on or back."""
        self._scroll(by)

    def action_page_down(self) -> None:
        """Go a screen on."""
        self._scroll(max(1, self.scrollable_content_region.height - OVERLAP))

    def action_page_up(self) -> None:
        """Go a screen back."""
        self._scroll(-max(1, self.scrollable_content_region.height - OVERLAP))

    def action_scroll_home(self) -> None:
        """Go to the top."""
        self.scroll_to(y=0, animate=False)

    def action_scroll_end(self) -> None:
        """Go to the end."""
        self._scroll(self.max_scroll_y - round(self.scroll_y))

    def _scroll(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False)
        # A page that fits the screen ends with the first wish to read on.
        if by >= 0 and self.max_scroll_y == 0:
            self.ended()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Notice the end, and remember what is on top for when the width changes."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value and new_value >= self.max_scroll_y > 0:
            self.ended()
        if self.size.width == self._settled_width:
            self._place = self._place_at(round(new_value))

    def _place_at(self, top: int) -> tuple[Sheet, int, float] | None:
        """Return sheet, section (by number) and the share of the section that is above the top row."""
        for sheet in reversed(self.sheets):
            if sheet.display and sheet.top <= top:
                rows = _section_rows(sheet)
                at = max(index for index, row in enumerate(rows[:-1]) if row <= top - sheet.top)
                return sheet, at, (top - sheet.top - rows[at]) / max(1, rows[at + 1] - rows[at])
        return None

    def on_resize(self, event: Resize) -> None:
        """Keep what is read on top when its rows are broken anew."""
        if self.size.width != self._settled_width:
            self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        self._settled_width = self.size.width
        if self._place is not None:
            sheet, at, share = self._place
            rows = _section_rows(sheet)
            if at + 1 < len(rows):
                self.scroll_to(y=sheet.top + rows[at] + round(share * (rows[at + 1] - rows[at])), animate=False)


def _section_rows(sheet: Sheet) -> list[int]:
    """Return the rows on which the sections of a sheet begin, and the row after its last."""
    page = sheet.page
    return [0, *(row for _, row in page.headings), max(1, len(page.rows))]
