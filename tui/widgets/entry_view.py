"""The reader: one entry, scrolled, its links and questions within reach of the keys."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, TypeGuard

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from glossary.names import slugify
from tui.render.claims import ClaimLines, claims_page
from tui.render.page import EntryPage
from tui.render.safe import safe
from tui.widgets.pager import Pager
from tui.widgets.quiz import Quiz
from tui.widgets.sheet import Sheet
from tui.widgets.stops import Stop, Stops

if TYPE_CHECKING:
    from glossary.library import Library
    from glossary.model import Entry

LONGEST_ADDRESS = 400
PAGES_KEPT = 16
"""Entries that stay parsed, for the way back."""


class EntryView(Pager):
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
        *(Binding(str(n), f"answer({n})", f"Answer {n}", id=f"entry.answer{n}", show=False) for n in range(1, 10)),
    ]

    class Followed(Message):
        """The reader wants to open `target`: ``slug`` or ``slug#Heading``."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

    class Peeked(Message):
        """The reader wants a look at `target` without leaving."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

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
        self._body, self._quiz = Sheet(classes="entry-body"), Quiz(classes="entry-quiz")
        self._claims = Sheet(classes="entry-claims")
        self._tail, self._related = Sheet(classes="entry-tail"), Sheet(classes="entry-related")
        super().__init__((self._body, self._claims, self._quiz, self._tail, self._related), id=id, classes=classes)
        self._claimed: Sequence[ClaimLines] | None = None
        self._stops = Stops(self, self.sheets)
        self._pages: dict[tuple[str, str, int], EntryPage] = {}
        self._entry: Entry | None = None
        self._was_ended = False

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
        self._was_ended = False
        self._stops.go()
        self._body.put(page.body)
        self.show_claims(())
        self._quiz.ask(entry.questions)
        self._quiz.display = bool(entry.questions)
        self._tail.put(page.tail)
        self._related.put(page.related)
        self.from_the_top()

    def show_claims(self, claims: Sequence[ClaimLines]) -> None:
        """Show what the entry claims, with what was found about it."""
        if claims != self._claimed:
            self._claimed = claims
            self._claims.put(lambda width: claims_page(claims, width))
            self._claims.display = bool(claims)

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
        for sheet in self.sheets:
            for heading, row in sheet.page.headings if sheet.display else ():
                if slugify(heading) == wanted:
                    self.scroll_to(y=sheet.top + row, animate=False)
                    return

    def ended(self) -> None:
        """Say once that the page was read to its end."""
        if self._entry is not None and not self._was_ended:
            self._was_ended = True
            self.post_message(self.ReadToEnd())

    # Links

    def action_next_stop(self, by: int) -> None:
        """Go to the next link or question; past the last, to the next part of the screen."""
        stop = self._stops.next(by)
        if stop is not None:
            self._stops.go(stop.sheet, stop.number)
            return
        self._stops.go()
        if by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_turn(self, by: int) -> None:
        """Go to the next link or question; past the last, to the first."""
        stops = self._stops.all()
        if stops:
            stop = self._stops.next(by) or stops[0 if by > 0 else -1]
            self._stops.go(stop.sheet, stop.number)

    def action_take(self) -> None:
        """Open the link that has the focus, or answer the question."""
        stop = self._stops.current
        if self._is_open(stop):
            self._answer(stop.number, None)
        elif stop is not None:
            self._follow(stop.sheet.target(stop.number))

    def action_peek(self) -> None:
        """Look at the link that has the focus; without one in sight, read on."""
        stop = self._stops.current
        target = stop.sheet.target(stop.number) if stop and self._stops.is_seen(stop) else ""
        if not target:
            self.action_page_down()
        elif _is_address(target):
            self.notify(safe(target, LONGEST_ADDRESS), title="A page on the web", markup=False)
        else:
            self.post_message(self.Peeked(target))

    def _follow(self, target: str) -> None:
        if not _is_address(target):
            if target:
                self.post_message(self.Followed(target))
        elif self.app.is_web or _has_browser():
            self.app.open_url(target)
        else:
            self.app.copy_to_clipboard(target)
            self.notify(safe(target, LONGEST_ADDRESS), title="Address copied", markup=False)

    @on(Sheet.Clicked)
    def _clicked(self, event: Sheet.Clicked) -> None:
        event.stop()
        self._follow(event.target)

    # Questions

    def _is_open(self, stop: Stop | None) -> TypeGuard[Stop]:
        """Return whether a stop is a question that waits for its answer."""
        return stop is not None and stop.sheet is self._quiz and self._quiz.is_open(stop.number)

    def action_line(self, by: int) -> None:
        """Go a line on; within an open question, to its next choice."""
        stop = self._stops.current
        if self._is_open(stop) and self._quiz.can_move(stop.number, by):
            self._quiz.move(stop.number, by)
        else:
            super().action_line(by)

    def action_answer(self, choice: int) -> None:
        """Answer the question that has the focus; where none has it, the first open one that is seen."""
        stop = self._stops.current
        if stop is None or stop.sheet is not self._quiz:
            stop = next((each for each in self._stops.all() if self._is_open(each) and self._stops.is_seen(each)), None)
        if self._is_open(stop):
            self._answer(stop.number, choice - 1)

    def _answer(self, number: int, choice: int | None) -> None:
        self._quiz.choose(number, choice)
        self._stops.go(self._quiz, number)

    @on(Quiz.Chosen)
    def _chosen(self, event: Quiz.Chosen) -> None:
        event.stop()
        self.post_message(self.Answered(event.question, event.choice, event.right))


def _is_address(target: str) -> bool:
    return target.startswith(("https://", "http://"))


def _has_browser() -> bool:
    """Return whether a browser would open in a window of its own, not in this terminal or on another machine."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
