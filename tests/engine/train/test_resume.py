"""A run that is killed and resumed ends where an undisturbed one ends: same losses, same weights, to the bit."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from itertools import count
from pathlib import Path

import pytest
import torch

from engine.core.events import Failed, Finished, Note, Started
from engine.core.recipe import Input, read_recipe
from engine.core.spec import Value
from engine.train.__main__ import train_run
from engine.train.checkpoint import checkpoints, load_checkpoint
from engine.train.governor import Governor
from tests.engine.play.playing import trained
from tests.engine.train.conftest import MakeRun, events_of
from tests.engine.train.nursery import Nursery, events_of_torn, final, losses, until

KNOBS: dict[str, Value] = {
    "epochs": 40.0,
    "dropout": 0.2,
    "ema": 0.95,
    "optimizer": "muon",
    "learning_rate": 0.02,
    "clip": 1.0,
}


@pytest.mark.parametrize("epochs", [10.0, pytest.param(60.0, marks=pytest.mark.slow)])
def test_kills_at_random_moments_leave_no_trace(nursery: Nursery, make_run: MakeRun, epochs: float) -> None:
    knobs = {**KNOBS, "epochs": epochs}
    whole = make_run("whole", **knobs)
    assert nursery.wait(nursery.start(whole)) == 0
    killed = make_run("killed", **knobs)
    chance = random.Random(11)
    kills = 0
    for _ in range(200):
        child = nursery.start(killed)
        time.sleep(chance.uniform(0.05, 0.5))
        os.kill(child, signal.SIGKILL)
        if nursery.wait(child) == 0:
            break
        kills += 1
    assert kills >= 1
    assert losses(killed) == losses(whole)
    expected, found = final(whole), final(killed)
    assert found.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def test_terminate_saves_exits_143_and_a_resume_goes_on_from_that_very_step(
    nursery: Nursery, make_run: MakeRun
) -> None:
    folder = make_run(**{**KNOBS, "epochs": 4000.0})
    child = nursery.start(folder)
    until(lambda: (folder / "events.jsonl").exists() and len(losses(folder)) > 10)
    os.kill(child, signal.SIGTERM)
    assert nursery.wait(child) == 143
    assert not [event for event in events_of(folder) if isinstance(event, Finished | Failed)]
    saved = int(checkpoints(folder)[-1].name.removeprefix("step-"))
    child = nursery.start(folder)
    until(lambda: [event.s for event in events_of_torn(folder) if isinstance(event, Started)] == [0, saved])
    os.kill(child, signal.SIGTERM)
    assert nursery.wait(child) == 143


def test_a_damaged_checkpoint_is_passed_over_and_that_is_said(nursery: Nursery, make_run: MakeRun) -> None:
    whole, folder = make_run("whole", **KNOBS), make_run("damaged", **KNOBS)
    assert nursery.wait(nursery.start(whole)) == 0 and nursery.wait(nursery.start(folder)) == 0
    newest, older = checkpoints(folder)[-1], checkpoints(folder)[-2]
    (newest / "model.safetensors").write_bytes(b"\0" * 100)
    assert nursery.wait(nursery.start(folder)) == 0
    notes = [event.text for event in events_of(folder) if isinstance(event, Note)]
    step = int(older.name.removeprefix("step-"))
    assert any(f"{newest.name}/model.safetensors is damaged" in note and f"step {step:,}" in note for note in notes)
    assert all(torch.equal(tensor, final(whole)[name]) for name, tensor in final(folder).items())


def test_a_fork_goes_on_from_the_parents_checkpoint_with_its_one_change(nursery: Nursery, make_run: MakeRun) -> None:
    parent = make_run("parent", epochs=8.0)
    assert nursery.wait(nursery.start(parent)) == 0
    first = checkpoints(parent)[0]
    step = int(first.name.removeprefix("step-"))
    start_from = {"parent": Input(run="parent", checkpoint=f"checkpoints/{first.name}")}
    fork = make_run("fork", epochs=8.0, learning_rate=0.0, inputs=start_from)
    assert nursery.wait(nursery.start(fork)) == 0
    events = events_of(fork)
    assert isinstance(events[0], Started) and events[0].s == step
    kept, weights = load_checkpoint(first), final(fork)
    assert all(torch.equal(weights[name], tensor) for name, tensor in kept.model.items())
    assert read_recipe(fork).inputs == start_from


GPT: dict[str, Value] = {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4, "steps": 30}


@pytest.mark.parametrize(
    ("family", "before", "after"),
    [
        ("mlp", {"width": 8, "epochs": 1.0}, {"width": 8, "epochs": 3.0, "ema": 0.9, "dropout": 0.2}),
        ("gpt", GPT, {**GPT, "adapt": "lora", "rank": 2}),
        ("bert", GPT, GPT),
    ],
)
def test_a_run_that_began_with_another_goes_on_without_it_to_the_bit(
    family: str, before: dict[str, Value], after: dict[str, Value], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint is written every ten steps, whatever the clock says."""
    steps = count(1)
    monkeypatch.setattr(Governor, "idle", lambda self: False)
    monkeypatch.setattr(Governor, "due", lambda self, name: name == "save" and next(steps) % 10 == 0)
    base = trained(tmp_path / "base", family, **before)
    tuned = trained(tmp_path / "tuned", family, start=base, **after)
    expected = final(tuned)
    shutil.rmtree(base)
    *_, newest = checkpoints(tuned)
    shutil.rmtree(newest)
    assert checkpoints(tuned), "an earlier one is there to go on from"
    assert train_run(tuned) == 0 and checkpoints(tuned)[-1] == newest
    assert [name for name, tensor in final(tuned).items() if not torch.equal(tensor, expected[name])] == []
