"""Reading: from home into a page, along its links, back again; what was read is remembered."""

from __future__ import annotations

import pytest
from screens_help import NARROW, WIDE, opened, text_of, until

from tui.screens.home import HomeScreen
from tui.screens.read import ReadScreen
from tui.widgets.entry_view import EntryView
from tui.widgets.menu import Menu


async def test_the_first_screen_says_what_there_is_and_where_to_begin() -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: "44 entries" in text_of(app), "the number of entries")
        shown = text_of(app)
        assert isinstance(app.screen, HomeScreen)
        assert "Your first neural network" in shown
        assert "Nothing trains right now" in shown


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_page_opens_with_what_one_can_do_there(size: tuple[int, int]) -> None:
    async with opened("read/learning-rate", size) as (app, _):
        shown = text_of(app)
        assert "How far each training step moves" in shown
        assert "Run" in shown


async def test_links_are_followed_by_keyboard_and_backspace_returns() -> None:
    async with opened("read/learning-rate") as (app, pilot):
        screen = app.screen
        assert isinstance(screen, ReadScreen)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: screen.query_one(EntryView).slug != "learning-rate", "another page")
        await pilot.press("backspace")
        assert screen.query_one(EntryView).slug == "learning-rate"


async def test_space_peeks_and_escape_comes_back_to_the_same_place() -> None:
    async with opened("read/learning-rate") as (app, pilot):
        await pilot.press("tab", "space")
        await until(pilot, lambda: type(app.screen).__name__ == "PeekScreen", "the peek")
        await pilot.press("escape")
        assert isinstance(app.screen, ReadScreen)


async def test_a_page_read_to_its_end_counts_as_read() -> None:
    async with opened("read/softmax") as (app, pilot):
        assert "softmax" not in app.services.record.read()
        await pilot.press("G")
        await until(pilot, lambda: "softmax" in app.services.record.read(), "read")


async def test_the_filter_narrows_the_list_by_title_and_alias() -> None:
    async with opened("read/softmax") as (app, pilot):
        await pilot.press("f", *"backprop")
        menu = app.screen.query_one("#entries", Menu)
        await until(pilot, lambda: menu.option_count == 2, "one topic, one entry")
        assert menu.get_option_at_index(1).id == "backpropagation"


async def test_search_finds_in_spite_of_a_slip_and_opens_the_page() -> None:
    async with opened() as (app, pilot):
        await pilot.press("slash", *"transfomer")
        await until(pilot, lambda: "Transformer" in text_of(app), "the hit")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReadScreen), "the page")
        assert app.screen.query_one(EntryView).slug == "transformer"


async def test_the_code_behind_a_page_opens_at_its_definition() -> None:
    async with opened("read/neural-network") as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: "class MLP" in text_of(app), "the model's file")
        await pilot.press("escape")
        assert isinstance(app.screen, ReadScreen)


async def test_every_way_out_ends_at_home() -> None:
    async with opened("read/softmax") as (app, pilot):
        await pilot.press("escape", "escape", "escape")
        assert isinstance(app.screen, HomeScreen)
