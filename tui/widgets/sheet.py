"""Rows of a page on the screen: only the rows that are seen are painted, whatever the page's length."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.content import Content
from textual.events import Click, Leave, MouseMove
from textual.geometry import Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from tui.render.page import Page, margin

WIDTHS_KEPT = 4
"""Widths for which a page stays set: a resize goes through a few and often comes back."""
_FOCUSED, _HOVERED = "bold reverse", "underline"
_EMPTY = Page((), (), (), {})


class Sheet(Widget):
    """Shows a page. It never has the focus: the view around it has, and says which link is focused."""

    DEFAULT_CSS = """
    Sheet { width: 100%; height: auto; text-wrap: nowrap; text-overflow: clip; }
    """
    ALLOW_SELECT: ClassVar[bool] = True

    class Clicked(Message):
        """A link was clicked."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._make: Callable[[int], Page] = lambda width: _EMPTY
        self._pages: dict[int, Page] = {}
        self._focused: int | None = None
        self._hovered: int | None = None

    def put(self, make: Callable[[int], Page]) -> None:
        """Show the page that `make` returns for a width; it is asked once for each width."""
        self._make = make
        self._focused = self._hovered = None
        self.reset()

    def reset(self) -> None:
        """Set the page again: it has changed."""
        self._pages.clear()
        if self.is_attached:
            self.refresh(layout=True)

    def page_at(self, width: int) -> Page:
        """Return the page for a widget that is `width` columns wide."""
        _, measure = margin(width)
        if measure not in self._pages:
            while len(self._pages) >= WIDTHS_KEPT:
                del self._pages[next(iter(self._pages))]
            self._pages[measure] = self._make(measure)
        return self._pages[measure]

    @property
    def page(self) -> Page:
        """The page at the present width; empty before there is one."""
        return self.page_at(self.size.width) if self.size.width else _EMPTY

    @property
    def top(self) -> int:
        """The row of the view on which this sheet begins."""
        return self.virtual_region.y

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many rows the page has."""
        return len(self.page_at(width).rows) if width else 0

    def render_line(self, y: int) -> Strip:
        """Paint one row."""
        width = self.size.width
        rows = self.page.rows
        left, measure = margin(width)
        ground = self.visual_style.rich_style
        if not 0 <= y < len(rows):
            return Strip.blank(width, ground)
        strips = Visual.to_strips(
            self, self._painted(y, left), measure, 1, self.visual_style, apply_selection=False
        ) or [Strip.blank(0)]
        strip = Strip.join([Strip.blank(left, ground), strips[0]]).adjust_cell_length(width, ground)
        return strip.apply_offsets(0, y)

    def _painted(self, y: int, left: int) -> Content:
        """Return a row with the marks of focus, mouse and selection."""
        page = self.page
        row = page.rows[y]
        content = row.content
        for mark in row.marks:
            if self.app.no_color:
                content = content.stylize("underline", mark.start, mark.end)
            number = page.numbers[mark.key]
            if number == self._focused:
                content = content.stylize(_FOCUSED, mark.start, mark.end)
            elif number == self._hovered:
                content = content.stylize(_HOVERED, mark.start, mark.end)
        selection = self.text_selection
        span = selection.get_span(y) if selection is not None else None
        if span is not None:
            start, end = span
            style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
            last = len(row.text) if end == -1 else min(max(0, end - left), len(row.text))
            content = content.stylize(style, min(max(0, start - left), len(row.text)), last)
        return content

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that is selected with the mouse."""
        left, _ = margin(self.size.width)
        text = "\n".join(" " * left + row.text for row in self.page.rows)
        return selection.extract(text), "\n"

    # Links

    @property
    def stops(self) -> list[tuple[int, int]]:
        """First and last row of each thing that the keys go to."""
        return [(link.places[0].row, link.places[-1].row) for link in self.page.links]

    def mark(self, number: int | None) -> None:
        """Show which of the stops has the focus."""
        if number != self._focused:
            before, self._focused = self._focused, number
            self._repaint(before)
            self._repaint(number)

    def target(self, number: int) -> str:
        """Return where a link leads."""
        return self.page.links[number].target

    def link_at(self, x: int, y: int) -> int | None:
        """Return the number of the link at a cell."""
        x -= margin(self.size.width)[0]
        page = self.page
        for mark in page.rows[y].marks if 0 <= y < len(page.rows) else ():
            number = page.numbers[mark.key]
            if any(place.row == y and place.start <= x < place.end for place in page.links[number].places):
                return number
        return None

    def _repaint(self, number: int | None) -> None:
        if number is not None and number < len(self.page.links):
            self.refresh(*(Region(0, place.row, self.size.width, 1) for place in self.page.links[number].places))

    def _hover(self, number: int | None) -> None:
        if number != self._hovered:
            before, self._hovered = self._hovered, number
            self._repaint(before)
            self._repaint(number)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Underline the link under the mouse."""
        self._hover(self.link_at(event.x, event.y))

    def on_leave(self, event: Leave) -> None:
        """Forget the mouse."""
        self._hover(None)

    def on_click(self, event: Click) -> None:
        """Follow the link under the mouse."""
        number = self.link_at(event.x, event.y)
        if number is not None:
            event.stop()
            self.post_message(self.Clicked(self.target(number)))
