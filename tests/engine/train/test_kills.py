"""Trainers of every family, killed at random moments, end where undisturbed ones end: all losses, to the bit."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from engine import catalog
from engine.core.events import LARGEST_LINE, Damaged, Finished, decode
from engine.core.files import read_end
from engine.core.recipe import Asked, Recipe, write_recipe
from engine.core.spec import Value
from tests.engine.train.nursery import Nursery, events_of_torn, final, losses

KILLS = 24
"""Of each run."""
LATEST_SECONDS = 0.1
"""From the step that a kill waits for to the kill."""

RUNS: Mapping[str, tuple[int, Mapping[str, Value]]] = {
    "mlp": (
        1,
        {"data": "moons", "width": 8, "depth": 2, "batch_size": 32, "epochs": 100.0, "dropout": 0.2, "ema": 0.95}
        | {"optimizer": "muon", "learning_rate": 0.02, "clip": 1.0},
    ),
    "cnn": (1, {"data": "digits", "channels": 0.5, "epochs": 20.0, "dropout": 0.1, "shift": 1, "mirror": True}),
    "gpt": (
        1,
        {"data": "glossary", "layers": 2, "heads": 2, "width": 32, "context": 32, "batch_size": 8, "steps": 600}
        | {"dropout": 0.1},
    ),
    "word2vec": (1, {"data": "glossary", "width": 16, "batch_size": 128, "shared": 16, "steps": 600}),
    "resnet": (1, {"width": 4, "blocks": 1, "batch_size": 32, "epochs": 8.0}),
    "vit": (1, {"width": 16, "layers": 1, "batch_size": 32, "epochs": 10.0, "dropout": 0.1}),
    "rnn": (1, {"width": 16, "embedding": 8, "context": 16, "batch_size": 8, "steps": 600}),
    "bert": (1, {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4, "steps": 600, "dropout": 0.1}),
    "transformer": (1, {"layers": 1, "heads": 2, "width": 16, "batch_size": 8, "steps": 400, "dropout": 0.1}),
    "autoencoder": (1, {"width": 16, "batch_size": 32, "epochs": 10.0}),
    "gan": (1, {"width": 16, "batch_size": 32, "epochs": 10.0}),
    "diffusion": (1, {"width": 16, "blocks": 1, "batch_size": 32, "steps": 500}),
    "clip": (1, {"picture_layers": 2, "text_width": 16, "batch_size": 16, "epochs": 4.0}),
    "speech": (1, {"width": 16, "layers": 1, "batch_size": 8, "steps": 150, "masked": 0.1, "dropout": 0.1}),
}
"""Threads and knobs by family; each run takes some seconds."""


def folder_of(family: str, place: Path) -> Path:
    """Make the folder of a run."""
    threads, knobs = RUNS[family]
    place.mkdir(parents=True)
    values = catalog.family(family).configure("quick", dict(knobs)).values()
    asked = Asked(device="cpu", threads=threads, precision="float32")
    write_recipe(Recipe(family=family, preset="quick", knobs=values, seed=5, asked=asked), place)
    return place


def last_step(folder: Path) -> int:
    """Return the step of the last whole line of a log."""
    try:
        tail = read_end(folder, "events.jsonl", LARGEST_LINE)
        return decode(tail[: tail.rfind(b"\n")].rpartition(b"\n")[2]).s
    except (OSError, Damaged):
        return 0


def kill_between(nursery: Nursery, folder: Path, step: int, wait: float) -> bool:
    """Start or resume a trainer, kill it some time after a step; return whether it was still alive."""
    child = nursery.start(folder)
    deadline = time.monotonic() + 240
    while last_step(folder) < step:
        assert time.monotonic() < deadline, "it never got there"
        time.sleep(0.02)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    return nursery.wait(child) == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("family", RUNS)
def test_no_kill_leaves_a_trace(nursery: Nursery, tmp_path: Path, family: str) -> None:
    whole = folder_of(family, tmp_path / "whole")
    assert nursery.wait(nursery.start(whole)) == 0
    expected = losses(whole)

    killed, chance = folder_of(family, tmp_path / "killed"), random.Random(family)
    steps = sorted(chance.uniform(0.0, 0.8) * len(expected) for _ in range(KILLS))
    kills = sum(kill_between(nursery, killed, int(step), chance.uniform(0.0, LATEST_SECONDS)) for step in steps)
    assert kills == KILLS
    assert nursery.wait(nursery.start(killed)) == 0

    found = losses(killed)
    assert [step for step in expected | found if expected.get(step) != found.get(step)] == []
    ends = [
        [each.headline for each in events_of_torn(folder) if isinstance(each, Finished)] for folder in (whole, killed)
    ]
    assert ends[0] == ends[1]
    tensors, others = final(whole), final(killed)
    assert tensors.keys() == others.keys()
    assert [name for name in tensors if not torch.equal(tensors[name], others[name])] == []
    print(f"{family}: {kills} kills, {len(expected):,} losses, {len(tensors)} tensors, all the same")
