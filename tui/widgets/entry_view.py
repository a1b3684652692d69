"""The reader: one entry, scrolled, its links and questions within reach of the keys."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.message import Message

from glossary.names import slugify
from tui.render.page import EntryPage
from tui.widgets.quiz import Quiz
from tui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from glossary.library import Library
    from glossary.model import Entry

PAGES_KEPT = 16
"""Entries that stay parsed, for the way back."""


class Stop(NamedTuple):
    """Something that the keys go to: a link or a question."""

    sheet: Sheet
    number: int
    first: int
    """Its first row on the view, and its last."""
    last: int


class EntryView(VerticalScroll):
    """Shows an entry; says what the reader follows, peeks at, answers, and when the end was reached."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    EntryView { scrollbar-gutter: stable; }
    EntryView .entry-related { display: none; }
    .-narrow EntryView .entry-related { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab", "next_stop(1)", "Links", id="entry.tab", tooltip="The next link or question; after the last, on"
        ),
        Binding("shift+tab", "next_stop(-1)", "Link before", id="entry.untab", show=False),
        Binding("n", "turn(1)", "Next link", id="entry.next", tooltip="The next link or question", show=False),
        Binding("N", "turn(-1)", "Link before", id="entry.previous", tooltip="The link before", show=False),
        Binding("enter", "take", "Open", id="entry.open", tooltip="Open the link, or answer the question", show=False),
        Binding("space", "peek", "Peek", id="entry.peek", tooltip="A look at the link's entry; without one, a page on"),
        Binding("j,down", "line(1)", "Down", id="entry.down", tooltip="A line down", show=False),
        Binding("k,up", "line(-1)", "Up", id="entry.up", tooltip="A line up", show=False),
        Binding("g,home", "scroll_home", "Top", id="entry.top", tooltip="The top of the page", show=False),
        Binding("G,end", "scroll_end", "End", id="entry.end", tooltip="The end of the page", show=False),
        *(Binding(str(n), f"answer({n})", f"Answer {n}", id=f"entry.answer{n}", show=False) for n in range(1, 10)),
    ]

    class Followed(Message):
        """The reader wants to open `target`: ``slug`` or ``slug#Heading``."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

    class Peeked(Followed):
        """The reader wants a look at `target` without leaving."""

    class ReadToEnd(Message):
        """The end of the page was reached; said once a visit."""

    class Answered(Message):
        """A question was answered; `question` and `choice` are counted from 1."""

        def __init__(self, question: int, choice: int, right: bool) -> None:
            super().__init__()
            self.question = question
            self.choice = choice
            self.right = right

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._body = Sheet(classes="entry-body")
        self._quiz = Quiz(classes="entry-quiz")
        self._tail = Sheet(classes="entry-tail")
        self._related = Sheet(classes="entry-related")
        self._pages: dict[tuple[str, str, int], EntryPage] = {}
        self._entry: Entry | None = None
        self._stop: tuple[Sheet, int] | None = None
        self._ended = False
        self._settled_width = 0
        self._anchor: tuple[Sheet, int, float] | None = None

    def compose(self) -> ComposeResult:
        """The page before the questions, the questions, what follows, what is related."""
        yield from self._sheets

    @property
    def _sheets(self) -> tuple[Sheet, ...]:
        return self._body, self._quiz, self._tail, self._related

    @property
    def slug(self) -> str:
        """The slug of the entry that is shown; empty before there is one."""
        return self._entry.slug if self._entry else ""

    @property
    def headings(self) -> list[str]:
        """The headings of the page in order, each once."""
        return list(dict.fromkeys(heading for heading in self._entry.headings if heading)) if self._entry else []

    def show(self, entry: Entry, library: Library) -> None:
        """Show an entry from its top; its links lead into `library`."""
        page = self._page(entry, library)
        self._entry = entry
        self._stop = self._anchor = None
        self._ended = False
        self._body.put(page.body)
        self._quiz.ask(entry.questions)
        self._quiz.display = bool(entry.questions)
        self._tail.put(page.tail)
        self._related.put(page.related)
        if self.is_attached:
            self.scroll_to(y=0, animate=False, immediate=True)

    def _page(self, entry: Entry, library: Library) -> EntryPage:
        key = (entry.slug, entry.digest, id(library))
        if key not in self._pages:
            while len(self._pages) >= PAGES_KEPT:
                del self._pages[next(iter(self._pages))]
            self._pages[key] = EntryPage(entry, library)
        return self._pages[key]

    def go_to(self, heading: str) -> None:
        """Scroll to a heading, given in words or as a slug."""
        self.call_after_refresh(self._jump, slugify(heading))

    def _jump(self, wanted: str) -> None:
        for sheet in self._sheets:
            for heading, row in sheet.page.headings if sheet.display else ():
                if slugify(heading) == wanted:
                    self.scroll_to(y=sheet.top + row, animate=False)
                    return

    # Links and questions

    @property
    def _stops(self) -> list[Stop]:
        return [
            Stop(sheet, number, sheet.top + first, sheet.top + last)
            for sheet in self._sheets
            if sheet.display
            for number, (first, last) in enumerate(sheet.stops)
        ]

    def _seen(self, first: int, last: int) -> bool:
        top = round(self.scroll_y)
        return last >= top and first < top + self.scrollable_content_region.height

    def _next(self, by: int) -> Stop | None:
        """Return the stop after (or before) the present one; from the rows that are seen, where none is."""
        stops = self._stops
        at = next((index for index, stop in enumerate(stops) if stop[:2] == self._stop), None)
        if at is not None and self._seen(stops[at].first, stops[at].last):
            at += by
            return stops[at] if 0 <= at < len(stops) else None
        top, bottom = round(self.scroll_y), round(self.scroll_y) + self.scrollable_content_region.height
        if by > 0:
            return next((stop for stop in stops if stop.first >= top), None)
        return next((stop for stop in reversed(stops) if stop.first < bottom), None)

    def _stop_at(self, stop: Stop | None) -> None:
        """Give a stop the focus and bring it into view."""
        self._stop = (stop.sheet, stop.number) if stop else None
        for sheet in self._sheets:
            sheet.mark(stop.number if stop and stop.sheet is sheet else None)
        if stop:
            self.call_after_refresh(self._bring, stop.sheet, stop.number)

    def _bring(self, sheet: Sheet, number: int) -> None:
        """Scroll as little as needed to show a stop, with a row of air."""
        if number >= len(sheet.stops):
            return
        first, last = (sheet.top + row for row in sheet.stops[number])
        height = self.scrollable_content_region.height
        top = round(self.scroll_y)
        if last + 1 >= top + height:
            top = last + 2 - height
        if first - 1 < top:
            top = first - 1
        if top != round(self.scroll_y):
            self.scroll_to(y=max(0, top), animate=False)

    @property
    def _question(self) -> int | None:
        """The question that has the focus and waits for its answer."""
        if self._stop is not None and self._stop[0] is self._quiz and self._quiz.is_open(self._stop[1]):
            return self._stop[1]
        return None

    def action_next_stop(self, by: int) -> None:
        """Go to the next link or question; past the last, to the next part of the screen."""
        stop = self._next(by)
        if stop is None:
            self._stop_at(None)
            self.screen.focus_next() if by > 0 else self.screen.focus_previous()
        else:
            self._stop_at(stop)

    def action_turn(self, by: int) -> None:
        """Go to the next link or question; past the last, to the first."""
        stops = self._stops
        if stops:
            self._stop_at(self._next(by) or stops[0 if by > 0 else -1])

    def action_take(self) -> None:
        """Open the link that has the focus, or answer the question."""
        if self._question is not None:
            self._answer(self._question, None)
        elif self._stop is not None:
            self._follow(self._stop[0].target(self._stop[1]))

    def action_peek(self) -> None:
        """Look at the link that has the focus; without one, read on."""
        stop = next((stop for stop in self._stops if stop[:2] == self._stop), None)
        target = stop.sheet.target(stop.number) if stop and self._seen(stop.first, stop.last) else ""
        if not target:
            self.action_page_down()
        elif _is_address(target):
            self.notify(target, title="A page on the web", markup=False)
        else:
            self.post_message(self.Peeked(target))

    def action_answer(self, choice: int) -> None:
        """Answer the question that has the focus, or the first open one that is seen."""
        number = self._question
        if number is None:
            number = next(
                (
                    stop.number
                    for stop in self._stops
                    if stop.sheet is self._quiz
                    and self._quiz.is_open(stop.number)
                    and self._seen(stop.first, stop.last)
                ),
                None,
            )
        if number is not None:
            self._answer(number, choice - 1)

    def _answer(self, number: int, choice: int | None) -> None:
        self._stop = (self._quiz, number)
        self._quiz.mark(number)
        self._quiz.choose(number, choice)
        self.call_after_refresh(self._bring, self._quiz, number)

    def _follow(self, target: str) -> None:
        if not target:
            return
        if not _is_address(target):
            self.post_message(self.Followed(target))
        elif self.app.is_web or _has_browser():
            self.app.open_url(target)
        else:
            self.app.copy_to_clipboard(target)
            self.notify(target, title="Address copied", markup=False)

    @on(Sheet.Clicked)
    def _clicked(self, event: Sheet.Clicked) -> None:
        event.stop()
        self._follow(event.target)

    @on(Quiz.Chosen)
    def _chosen(self, event: Quiz.Chosen) -> None:
        event.stop()
        self.post_message(self.Answered(event.question, event.choice, event.right))

    # Scrolling

    def action_line(self, by: int) -> None:
        """Go a line on; within an open question, to its next choice."""
        if self._question is not None and self._quiz.can_move(self._question, by):
            self._quiz.move(self._question, by)
        else:
            self.scroll_relative(y=by, animate=False)
            self._note_end(by)

    def action_page_down(self) -> None:
        """Go a screen on."""
        self.scroll_relative(y=max(1, self.scrollable_content_region.height - 2), animate=False)
        self._note_end(1)

    def action_page_up(self) -> None:
        """Go a screen back."""
        self.scroll_relative(y=-max(1, self.scrollable_content_region.height - 2), animate=False)

    def action_scroll_home(self) -> None:
        """Go to the top."""
        self.scroll_to(y=0, animate=False)

    def action_scroll_end(self) -> None:
        """Go to the end."""
        self.scroll_to(y=self.max_scroll_y, animate=False)
        self._note_end(1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Notice the end of the page, and remember what is on top for when the width changes."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value and new_value >= self.max_scroll_y > 0:
            self._say_ended()
        if self.size.width == self._settled_width:
            self._anchor = self._top_place(round(new_value))

    def _note_end(self, by: int) -> None:
        """A page that fits the screen ends with the first wish to read on."""
        if by > 0 and self.max_scroll_y == 0:
            self._say_ended()

    def _say_ended(self) -> None:
        if self._entry is not None and not self._ended:
            self._ended = True
            self.post_message(self.ReadToEnd())

    # The place on a page, kept while the width changes

    def _top_place(self, top: int) -> tuple[Sheet, int, float] | None:
        """Return sheet, heading (by number) and the share of its section that is above the top row."""
        for sheet in reversed(self._sheets):
            if sheet.display and sheet.top <= top:
                rows = _section_rows(sheet)
                at = max(index for index, row in enumerate(rows[:-1]) if row <= top - sheet.top)
                return sheet, at, (top - sheet.top - rows[at]) / max(1, rows[at + 1] - rows[at])
        return None

    def on_resize(self, event: Resize) -> None:
        """Keep what is read on top when its rows are broken anew."""
        if event.size.width != self._settled_width:
            self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        self._settled_width = self.size.width
        if self._anchor is not None:
            sheet, at, share = self._anchor
            rows = _section_rows(sheet)
            if at + 1 < len(rows):
                self.scroll_to(y=sheet.top + rows[at] + round(share * (rows[at + 1] - rows[at])), animate=False)


def _section_rows(sheet: Sheet) -> list[int]:
    """Return the rows on which the sections of a sheet begin, and the row after its last."""
    page = sheet.page
    return [0, *(row for _, row in page.headings), max(1, len(page.rows))]


def _is_address(target: str) -> bool:
    return target.startswith(("https://", "http://"))


def _has_browser() -> bool:
    """Return whether a browser would open in a window of its own, not in this terminal or on another machine."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
