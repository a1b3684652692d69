"""The app on a stub trainer, driven by keys, waiting for what happens and never for time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.core.recipe import Recipe
from tui.app import Lexigrad
from tui.recipes import recipe_of
from tui.services import Services

STUB = [sys.executable, "-P", str(Path(__file__).parents[2] / "stub_trainer.py")]
WIDE, NARROW = (120, 40), (80, 24)


async def until(pilot: Pilot[None], happened: Callable[[], object], what: str = "", seconds: float = 30.0) -> None:
    """Let the app work until something is true."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what or happened}")
        await pilot.pause()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(
    place: str = "", size: tuple[int, int] = WIDE, *, notifications: bool = False
) -> AsyncIterator[tuple[Lexigrad, Pilot[None]]]:
    """Open the app at a place, wait until it is ready, and end every run that it started."""
    services = Services(trainer=STUB)
    app = Lexigrad(services, start=place)
    try:
        async with app.run_test(size=size, notifications=notifications) as pilot:
            await until(pilot, lambda: services.ready, "the services are ready")
            await until(pilot, lambda: len(app.screen_stack) > (2 if place else 1), "the first screen is there")
            await pilot.pause()
            try:
                yield app, pilot
            finally:
                for run in services.store.runs():
                    if run.is_live():
                        services.launcher.kill(run)
    finally:
        services.close()


def text_of(app: Lexigrad) -> str:
    """Return what stands on the screen, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


def stub_recipe(steps: int = 20, **knobs: object) -> Recipe:
    """Return an mlp/quick recipe with orders for the stub."""
    from engine.catalog import parse_run

    recipe = recipe_of(parse_run("mlp/quick"))
    import msgspec

    return msgspec.structs.replace(recipe, knobs={**recipe.knobs, "steps": steps, **knobs})


@pytest.fixture
def stub() -> list[str]:
    return STUB
