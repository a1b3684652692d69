"""Every screen at every size: the smallest get one kind line, none ends the app, and a storm of sizes ends well."""

from __future__ import annotations

import random

import pytest
from textual.pilot import Pilot

from tests.tui.screens.screens_help import opened, stub_recipe, text_of, until
from tui.app import Lexigrad
from tui.screens.page import SMALLEST

SIZES = ((300, 80), (20, 5), (120, 40), (39, 9), (40, 10), (1, 1), (60, 15), (80, 24))
"""Large and small ones in turn: what is laid out for the one is painted once into the other."""
PLACES = ("", "read/softmax", "train", "train/mlp/quick", "runs", "learn", "walk/your-first-neural-network", "run/RUN")
CARDS = ("action_search", "action_help", "action_command_palette")
STORM = 15


async def resized(app: Lexigrad, pilot: Pilot[None], size: tuple[int, int]) -> None:
    await pilot.resize_terminal(*size)
    await pilot.pause()
    if app._exception is not None:
        raise AssertionError(f"{app.screen} at {size} ended the app") from app._exception
    lines = text_of(app).split("\n")
    assert len(lines) == size[1] and all(len(line) <= size[0] for line in lines)


@pytest.fixture
def run_id(home: object) -> str:
    """Finish a run by hand, so that its screen has something to show."""
    from engine.core import events, paths
    from engine.core.recipe import write_recipe

    folder = paths.runs_folder() / "260101-000000-mlp-quick-0000"
    folder.mkdir(parents=True)
    write_recipe(stub_recipe(), folder)
    every = [events.Started(total_steps=9, device="cpu")]
    every += [
        events.Scalars(s=step, t=step, n=step, v={"train/loss": 1 / step, "valid/loss": 1.0}) for step in range(1, 9)
    ]
    every += [
        events.HeatMap(s=8, name="decision surface", values=[[0.1, 0.9], [0.4, 0.6]], extent=[0, 1, 0, 1]),
        events.Points(s=8, name="data", x=[0, 1], y=[0, 1], group=[0, 1], groups=["a", "b"]),
        events.HeatMap(s=8, name="confusion matrix", values=[[5, 1], [2, 6]], rows=["a", "b"], columns=["a", "b"]),
        events.Pictures(s=8, name="mistakes", count=2, height=8, width=8, pixels=bytes(128), captions=["is a", "is b"]),
        events.Table(s=8, name="by class", columns=["class", "right"], rows=[["a", "0.9"]] * 30),
        events.Finished(s=9, headline={"valid/accuracy": 0.9}),
    ]
    (folder / "events.jsonl").write_bytes(b"".join(map(events.encode, every)))
    (folder / "exit.json").write_text('{"code": 0}')
    return folder.name


@pytest.mark.parametrize("place", PLACES)
async def test_every_screen_lives_at_every_size(place: str, run_id: str) -> None:
    async with opened(place.replace("RUN", run_id)) as (app, pilot):
        for size in SIZES:
            await resized(app, pilot, size)


@pytest.mark.parametrize("size", [(20, 5), (39, 9), (39, 40), (120, 9)])
async def test_where_there_is_too_little_one_line_says_what_is_needed(size: tuple[int, int]) -> None:
    async with opened("read/softmax", size) as (app, _):
        shown = " ".join(text_of(app).split())
        assert shown == f"Lexigrad needs 40 x 10 cells, here are {size[0]} x {size[1]}."


async def test_at_the_smallest_size_there_is_a_page_to_read() -> None:
    async with opened("read/softmax", SMALLEST) as (app, _):
        assert "softmax" in text_of(app).lower() and "needs" not in text_of(app)


@pytest.mark.parametrize("card", CARDS)
async def test_every_card_lives_at_every_size(card: str) -> None:
    async with opened() as (app, pilot):
        getattr(app, card)()
        await until(pilot, lambda: len(app.screen_stack) > 2, card)
        for size in SIZES:
            await resized(app, pilot, size)


async def test_a_storm_of_sizes_ends_with_the_last_one(run_id: str) -> None:
    chance = random.Random(7)
    async with opened(f"run/{run_id}") as (app, pilot):
        for _ in range(STORM):
            await pilot.resize_terminal(chance.randint(1, 130), chance.randint(1, 45))
        await resized(app, pilot, (120, 40))
        await until(pilot, lambda: "Loss" in text_of(app), "the first panel")
