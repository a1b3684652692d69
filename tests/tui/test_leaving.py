"""Going faster than the screens are built: whatever is left before it is there, the app goes on."""

from __future__ import annotations

import asyncio

import pytest

from tests.tui.screens.screens_help import opened, stub_recipe, until
from tui.screens.home import HomeScreen

PLACES = ("read/softmax", "train/mlp/quick", "runs", "walk/your-first-neural-network", "run/RUN")
TURNS = (0, 1, 4, 12)
"""Turns of the event loop after which a screen is left."""


async def test_screens_are_left_before_they_are_built() -> None:
    async with opened() as (app, pilot):
        run = app.services.launcher.start(stub_recipe())
        await until(pilot, lambda: run.state() == "finished", "finished")
        app.services.watch.rescan()
        for turns in TURNS:
            for place in PLACES:
                app.open_place(place.replace("RUN", run.id))
                for _ in range(turns):
                    await asyncio.sleep(0)
                app.simulate_key("escape")
                await until(pilot, lambda: isinstance(app.screen, HomeScreen), f"back from {place} after {turns} turns")


@pytest.mark.parametrize("key", ["action_search", "action_help"])
async def test_cards_are_left_before_they_are_built(key: str) -> None:
    async with opened() as (app, pilot):
        for turns in TURNS:
            getattr(app, key)()
            for _ in range(turns):
                await asyncio.sleep(0)
            app.simulate_key("escape")
            await until(pilot, lambda: isinstance(app.screen, HomeScreen), f"back after {turns} turns")


async def test_the_app_is_left_while_a_run_draws() -> None:
    for turns in range(3):
        async with opened() as (app, pilot):
            run = app.services.launcher.start(stub_recipe(100_000))
            app.services.watch.rescan()
            app.open_place(f"run/{run.id}")
            await until(pilot, lambda run=run: run.state() == "running", "running")
            app.exit()
            for _ in range(turns * 10):
                app._tick()
                await asyncio.sleep(0)
            app.services.launcher.kill(run)
        assert not app.return_code
