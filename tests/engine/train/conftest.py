"""Runs small enough to be trained inside a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import catalog
from engine.core.events import AnyEvent, decode
from engine.core.recipe import Asked, Input, Recipe, write_recipe
from engine.core.spec import Value
from tests.engine.train.nursery import Nursery

SMALL: dict[str, Value] = {"data": "moons", "width": 8, "depth": 2, "batch_size": 32, "epochs": 4.0}

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Make the folder of a small run of the family mlp; keyword arguments are knobs."""

    def make(name: str = "run", seed: int = 3, inputs: dict[str, Input] | None = None, **knobs: Value) -> Path:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        values = catalog.family("mlp").configure("quick", {**SMALL, **knobs}).values()
        asked = Asked(device="cpu", threads=1, precision="float32")
        write_recipe(
            Recipe(family="mlp", preset="quick", knobs=values, seed=seed, asked=asked, inputs=inputs or {}), folder
        )
        return folder

    return make


def events_of(folder: Path) -> list[AnyEvent]:
    """Return everything that the trainer of a run has said; a last line that is still being written is left out."""
    content = (folder / "events.jsonl").read_bytes()
    return [decode(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """Start trainers that can be killed."""
    opened = Nursery()
    yield opened
    opened.close()
