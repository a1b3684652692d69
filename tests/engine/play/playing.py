"""A small model, trained here to its end, and what it answers when it is played with."""

from __future__ import annotations

from pathlib import Path

from engine import catalog
from engine.core.events import Event
from engine.core.recipe import Asked, Input, Recipe, write_recipe
from engine.core.spec import Value
from engine.play.__main__ import Player, Request
from engine.train.__main__ import train_run


def trained(folder: Path, family: str, preset: str = "quick", *, start: Path | None = None, **knobs: Value) -> Path:
    """Train a run in `folder` in this very process, on one thread, and return the folder; `start` is another beside it
    to begin with.
    """
    folder.mkdir(parents=True)
    values = catalog.family(family).configure(preset, knobs).values()
    asked = Asked(device="cpu", threads=1, precision="float32")
    inputs = {} if start is None else {"model": Input(run=start.name)}
    write_recipe(Recipe(family=family, preset=preset, knobs=values, seed=1, asked=asked, inputs=inputs), folder)
    assert train_run(folder) == 0, (folder / "events.jsonl").read_text()[-500:]
    return folder


def played(folder: Path, play: str = "", **settings: Value) -> list[Event]:
    """Return what a run's model answers."""
    return list(Player(folder).play(Request(play=play, settings=settings)))
