"""The stepping screen: forward, backward, parts and views, at both sizes, and runs that have nothing to show."""

from __future__ import annotations

import pytest
from screens_help import NARROW, WIDE, opened, text_of, until

from engine.core.events import Event, Finished, HeatMap, Started, Table, Text, encode
from engine.core.recipe import Recipe
from engine.core.store import Run, RunStore
from tui.screens.steps import StepsScreen


def made(store: RunStore, *events: Event) -> Run:
    """Return a finished run with that log."""
    run = store.create(Recipe(family="backpropagation", preset="quick", knobs={}))
    lines = [Started(total_steps=3), *events, Finished(s=9)]
    (run.folder / "events.jsonl").write_bytes(b"".join(encode(each) for each in lines))
    return run


def steps() -> list[Event]:
    said = [("forward", "First a."), ("forward", "Then b."), ("backward", "b hands its slope to a.")]
    events: list[Event] = []
    for number, (part, text) in enumerate(said):
        rows = [["▸" if at == number else "", f"node {at}", str(number) if at <= number else ""] for at in range(3)]
        events += [
            Text(s=number, name="step", prompt=part, text=text),
            Table(s=number, name="graph", columns=["", "node", "value"], rows=rows),
            HeatMap(s=number, name="map", values=[[0.0, 1.0]], rows=["row"], columns=["1", "2"]),
        ]
    return events


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_run_is_stepped_through_and_back(size: tuple[int, int]) -> None:
    async with opened("", size) as (app, pilot):
        run = made(app.services.store, *steps())
        app.services.watch.rescan()
        app.open_place(f"steps/{run.id}")
        await until(pilot, lambda: "step 1 of 3 · forward" in text_of(app), "the first step")
        assert isinstance(app.screen, StepsScreen)
        assert "First a." in text_of(app) and "graph" in text_of(app)
        await pilot.press("right")
        await until(pilot, lambda: "Then b." in text_of(app), "the second step")
        await pilot.press("l", "l")
        await until(pilot, lambda: "step 3 of 3 · backward" in text_of(app), "the last, and no further")
        await pilot.press("h")
        await until(pilot, lambda: "step 2 of 3" in text_of(app), "one back")
        await pilot.press("home")
        await until(pilot, lambda: "step 1 of 3" in text_of(app), "the first again")
        await pilot.press("p")
        await until(pilot, lambda: "step 3 of 3" in text_of(app), "the next part")


async def test_where_only_one_thing_fits_a_key_shows_the_other() -> None:
    async with opened("", NARROW) as (app, pilot):
        run = made(app.services.store, *steps())
        app.services.watch.rescan()
        app.open_place(f"steps/{run.id}")
        await until(pilot, lambda: "1 more view" in text_of(app) and "node 2" in text_of(app), "the table")
        await pilot.press("tab")
        await until(pilot, lambda: "node 2" not in text_of(app), "the map")
        await pilot.press("right")
        await until(pilot, lambda: "step 2 of 3" in text_of(app) and "node 2" not in text_of(app), "still the map")


async def test_a_run_with_nothing_to_show_says_so() -> None:
    async with opened("", NARROW) as (app, pilot):
        run = made(app.services.store)
        app.services.watch.rescan()
        app.open_place(f"steps/{run.id}")
        await until(pilot, lambda: "nothing that could be stepped" in text_of(app), "the sentence")
        await pilot.press("right", "tab", "end", "p", "down")
        assert isinstance(app.screen, StepsScreen)


async def test_hostile_words_of_a_run_stay_words() -> None:
    async with opened("", NARROW) as (app, pilot):
        hostile = "[bold]x[/bold] \x1b]0;gone\x07"
        events = [
            Text(s=0, name="step", prompt=hostile, text=hostile * 40),
            Table(s=0, name=hostile, columns=["", hostile], rows=[["▸", hostile]]),
        ]
        run = made(app.services.store, *events)
        app.services.watch.rescan()
        app.open_place(f"steps/{run.id}")
        await until(pilot, lambda: "[bold]x[/bold]" in text_of(app), "plain brackets")
        assert "\x1b" not in text_of(app)


async def test_a_key_of_the_run_leads_there_where_the_run_tells_its_steps() -> None:
    async with opened("") as (app, pilot):
        mute, told = made(app.services.store), made(app.services.store, *steps())
        app.services.watch.rescan()
        app.open_place(f"run/{mute.id}")
        await until(pilot, lambda: "Finished" in text_of(app), "the run")
        assert "Step through" not in text_of(app)
        app.open_place(f"run/{told.id}")
        await until(pilot, lambda: "Step through" in text_of(app), "the key")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, StepsScreen), "the steps")
