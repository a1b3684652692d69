"""The reader under the fingers: links and questions by keys and mouse, the end, the place that is kept."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Button, Markdown

from glossary.library import Library
from glossary.model import Entry
from glossary.parse import parse_entry
from tui.render.page import margin
from tui.widgets.entry_view import EntryView
from tui.widgets.sheet import Sheet

TEXT = """# A page
See [[token]] and [[loss-function|the loss]], not [[not-written]].

## More
{filler}

A [page](https://example.org/x) outside.

## Check yourself
1. Two and two?
   - [ ] Three. *(No: one short.)*
   - [x] Four. *(Yes.)*
2. Three and three?
   - [x] Six. *(Yes.)*
   - [ ] Nine. *(No: that is the product.)*

## Further reading
The end, and [[token]] again.
"""


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load()


def entry(filler: int = 60, text: str = TEXT) -> Entry:
    return parse_entry(text.format(filler="words of filler. " * filler).encode(), "own/mine.md", "own")


class Desk(App[None]):
    """A reader beside one button, and what the reader said."""

    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (100, "-wide")]
    CSS = "EntryView { width: 1fr; height: 1fr; } Button { dock: bottom; height: 1; border: none; }"

    def __init__(self, page: Entry, library: Library) -> None:
        super().__init__()
        self.page, self.library = page, library
        self.said: list[Message] = []
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield EntryView()
        yield Button("next")

    def on_mount(self) -> None:
        self.view.show(self.page, self.library)
        self.view.focus()

    @property
    def view(self) -> EntryView:
        return self.query_one(EntryView)

    @property
    def body(self) -> Sheet:
        return self.query_one(".entry-body", Sheet)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        self.opened.append(url)

    @on(EntryView.Followed)
    @on(EntryView.Peeked)
    @on(EntryView.Answered)
    @on(EntryView.ReadToEnd)
    def _note(self, event: Message) -> None:
        self.said.append(event)

    def screen_text(self) -> list[str]:
        return ["".join(segment.text for segment in strip) for strip in self.screen._compositor.render_strips()]


@asynccontextmanager
async def desk(
    page: Entry, library: Library, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Desk, Pilot[None]]]:
    app = Desk(page, library)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


def focused(app: Desk) -> str:
    """Return the target of the link that has the focus."""
    stop = app.view._stops.current
    return stop.sheet.target(stop.number) if stop else ""


async def test_keys_go_from_link_to_link_and_follow(library):
    async with desk(entry(), library) as (app, pilot):
        await press(pilot, "tab")
        assert focused(app) == "token"
        await press(pilot, "n", "enter")
        assert [type(each) for each in app.said] == [EntryView.Followed]
        assert app.said[0].target == "loss-function"
        await press(pilot, "shift+tab", "space")
        assert isinstance(app.said[1], EntryView.Peeked)
        assert app.said[1].target == "token"


async def test_a_focused_link_is_brought_into_view(library):
    async with desk(entry(), library, (60, 12)) as (app, pilot):
        await press(pilot, "tab", "tab", "tab")
        assert focused(app) == "https://example.org/x"
        assert app.view.scroll_y > 0
        assert any("page ↗" in line for line in app.screen_text())


async def test_after_the_last_link_tab_leaves_and_n_begins_again(library):
    async with desk(entry(0), library) as (app, pilot):
        stops = len(app.view._stops.all())
        await press(pilot, *["n"] * stops)
        assert app.view._stops.current.number == 0
        assert app.view._stops.current.sheet is not app.body
        await press(pilot, "n")
        assert focused(app) == "token"
        await press(pilot, *["tab"] * stops)
        assert isinstance(app.focused, Button)


async def test_scrolled_away_the_next_link_is_one_that_is_seen(library):
    async with desk(entry(200), library, (60, 14)) as (app, pilot):
        await press(pilot, "tab", "G", "N")
        stop = app.view._stops.current
        assert app.view._stops.is_seen(stop)
        assert stop.sheet is not app.body


async def test_digits_and_arrows_answer_questions_and_the_reasons_are_shown(library):
    async with desk(entry(0), library, (80, 40)) as (app, pilot):
        assert not any("one short" in line for line in app.screen_text())
        await press(pilot, "1")
        assert (app.said[-1].question, app.said[-1].choice, app.said[-1].right) == (1, 1, False)
        screen = "\n".join(app.screen_text())
        assert "✗ 1 Three." in screen
        assert "○ 2 Four." in screen
        assert "No: one short." in screen
        assert "Not that one" in screen
        await press(pilot, "2")
        assert (app.said[-1].question, app.said[-1].choice, app.said[-1].right) == (1, 2, True)
        assert "✗ 1 Three." in "\n".join(app.screen_text())
        assert "✓ 2 Four." in "\n".join(app.screen_text())
        await press(pilot, "1", "n", "down", "enter")
        assert (app.said[-1].question, app.said[-1].choice, app.said[-1].right) == (2, 2, False)
        assert sum(isinstance(each, EntryView.Answered) for each in app.said) == 3


async def test_arrows_choose_within_a_question(library):
    async with desk(entry(0), library, (80, 40)) as (app, pilot):
        while app.view._stops.current is None or app.view._stops.current.sheet is not app.view._quiz:
            await press(pilot, "n")
        await press(pilot, "down", "enter")
        assert (app.said[-1].question, app.said[-1].choice, app.said[-1].right) == (1, 2, True)


async def test_the_mouse_follows_a_link_and_answers(library):
    async with desk(entry(0), library, (80, 40)) as (app, pilot):
        left, _ = margin(app.body.size.width)
        place = app.body.page.links[0].places[0]
        await pilot.click(Sheet, offset=(left + place.start + 1, place.row))
        await pilot.pause()
        assert app.said[-1].target == "token"
        first, _ = app.view._quiz.stops[1]
        await pilot.click(".entry-quiz", offset=(left + 10, first + 1))
        await pilot.pause()
        assert (app.said[-1].question, app.said[-1].right) == (2, True)


async def test_beside_links_a_click_does_nothing(library):
    async with desk(entry(0, "[@click=app.quit]quit[/] and [[not-written]]"), library) as (app, pilot):
        for column in range(2, 50, 8):
            for row in (1, 3, 4):
                await pilot.click(Sheet, offset=(column, row))
        assert app.is_running
        assert not app.said
        assert any("[@click=app.quit]quit[/]" in line for line in app.screen_text())


async def test_a_page_of_the_web_opens_where_a_window_can_and_is_copied_where_not(library, monkeypatch):
    page = entry(0, "A [page](https://example.org/x).")
    async with desk(page, library) as (app, pilot):
        monkeypatch.delenv("SSH_CONNECTION", raising=False)
        monkeypatch.setenv("DISPLAY", ":0")
        await press(pilot, "tab", "enter")
        assert app.opened == ["https://example.org/x"]
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1")
        await press(pilot, "enter")
        assert app.opened == ["https://example.org/x"]
        assert app.clipboard == "https://example.org/x"
        assert not app.said


async def test_the_end_is_said_once_and_only_when_it_is_reached(library):
    async with desk(entry(300), library, (60, 14)) as (app, pilot):
        await press(pilot, "j", "space")
        assert not app.said
        await press(pilot, "G", "k", "j", "G")
        assert [type(each) for each in app.said] == [EntryView.ReadToEnd]
        app.view.show(entry(300), library)
        await pilot.pause()
        assert app.view.scroll_y == 0
        await press(pilot, "G")
        assert len(app.said) == 2


async def test_a_page_that_fits_is_read_with_the_first_wish_to_go_on(library):
    async with desk(entry(0, "Short."), library) as (app, pilot):
        assert not app.said
        await press(pilot, "j")
        assert [type(each) for each in app.said] == [EntryView.ReadToEnd]


async def test_headings_are_found_in_words_and_as_slugs(library):
    async with desk(entry(300), library, (60, 14)) as (app, pilot):
        assert app.view.headings == ["A page", "More", "Check yourself", "Further reading"]
        for heading in ("More", "more"):
            app.view.scroll_to(y=0, animate=False)
            app.view.go_to(heading)
            await pilot.pause()
            assert app.screen_text()[0].split()[0] == "More"


async def test_what_is_read_stays_on_top_when_the_width_changes(library):
    text = "\n".join(f"## Part {number}\n{'words ' * 90}\n" for number in range(9))
    async with desk(entry(0, text), library, (100, 20)) as (app, pilot):
        app.view.go_to("Part 5")
        await pilot.pause()
        for width in (50, 140, 80):
            await pilot.resize_terminal(width, 20)
            await pilot.pause()
            await pilot.pause()
            assert app.screen_text()[0].split()[:2] == ["Part", "5"]


async def test_related_entries_stand_at_the_end_where_there_is_no_side(library):
    async with desk(library.entries["embedding"], library, (80, 24)) as (app, pilot):
        await press(pilot, "G")
        assert any("Related" in line for line in app.screen_text())
        await pilot.resize_terminal(120, 24)
        await pilot.pause()
        await press(pilot, "G")
        assert not any("Related" in line for line in app.screen_text())


async def test_every_shipped_entry_opens_at_both_sizes(library):
    async with desk(entry(), library, (120, 40)) as (app, pilot):
        for width, height in ((120, 40), (80, 24), (40, 10), (20, 5)):
            await pilot.resize_terminal(width, height)
            for each in list(library.entries.values())[:: 3 if width == 80 else 15]:
                app.view.show(each, library)
                await pilot.pause()
                assert app.view.slug == each.slug
                assert any(each.title[:10] in line for line in app.screen_text())


async def test_text_can_be_selected_as_it_is_seen(library):
    async with desk(entry(0), library) as (app, pilot):
        app.screen.text_select_all()
        await pilot.pause()
        selected = app.screen.get_selected_text()
        assert "See token and the loss, not not-written." in selected


async def test_opening_a_page_costs_a_fifth_of_textuals_own_widget(library):
    page = max(library.entries.values(), key=lambda each: each.words)
    text = "\n\n".join(f"## {each.heading}\n{each.text}" for each in page.sections)
    async with desk(page, library, (120, 40)) as (app, pilot):
        ours = []
        for slug in ("embedding", "adam", "lora"):
            start = time.process_time()
            app.view.show(library.entries[slug], library)
            await pilot.pause()
            ours.append(time.process_time() - start)
        theirs = Markdown()
        await app.mount(theirs)
        start = time.process_time()
        await theirs.update(text)
        await pilot.pause()
        assert min(ours) * 5 < time.process_time() - start
