"""On an NVIDIA GPU: a captured step does what the eager one does, and a plain step waits for nothing."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import torch

from engine import catalog
from engine.core.events import Finished, Started
from engine.core.recipe import Asked, Recipe, write_recipe
from engine.core.spec import Value
from engine.data.load import load
from engine.train.__main__ import train_run
from engine.train.advance import WARM_STEPS, Advance
from engine.train.learner import Learner, Setting
from engine.train.orders import Orders
from tests.engine.train.conftest import events_of

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")

FAMILIES = [
    ("mlp", {"data": "digits"}),
    ("cnn", {"data": "digits"}),
    ("mlp", {"optimizer": "muon", "ema": 0.9, "clip": 1.0}),
    ("rnn", {}),
    ("gan", {}),
    ("transformer", {}),
    ("diffusion", {}),
    ("clip", {}),
    ("diffusion", {"data": "digits", "width": 16, "blocks": 1}),
]


def learner(family: str, precision: torch.dtype = torch.float32, **knobs: Value) -> Learner:
    found = catalog.family(family)
    spec = found.configure("quick", knobs)
    device = torch.device("cuda", 0)
    data = load(spec.data, spec, 0, device)
    torch.manual_seed(0)
    module, _, name = found.learner.partition(":")
    setting = Setting(spec=spec, data=data, seed=0, device=device, precision=precision)
    made: Learner = getattr(import_module(module), name)(setting)
    made.mode(training=True)
    made.optimizers.schedule(1.0)
    return made


def losses(made: Learner, steps: int, *, capture: bool) -> list[float]:
    advance = Advance(made, capture=capture, say=lambda text: pytest.fail(text))
    batches = made.batches()
    return torch.stack([advance(batches.at(step))["loss"] for step in range(steps)]).tolist()


@pytest.mark.parametrize(("family", "knobs"), FAMILIES)
def test_a_captured_step_does_what_the_eager_one_does(family: str, knobs: dict[str, Value]) -> None:
    eager = losses(learner(family, **knobs), 50, capture=False)
    captured = losses(learner(family, **knobs), 50, capture=True)
    assert captured == pytest.approx(eager, abs=2e-3)


def test_each_replay_leaves_out_other_units() -> None:
    made = learner("mlp", dropout=0.5, learning_rate=0.0)
    advance = Advance(made, capture=True, say=print)
    batch = made.batches().at(0)
    seen = {float(advance(batch)["loss"]) for _ in range(WARM_STEPS + 10)}
    assert len(seen) > WARM_STEPS + 5


def test_a_replay_reads_the_learning_rate_of_now() -> None:
    made = learner("mlp")
    advance = Advance(made, capture=True, say=print)
    batches = made.batches()
    for step in range(WARM_STEPS + 2):
        advance(batches.at(step))
    before = made.modules["model"].head.weight.clone()  # type: ignore[operator, union-attr]
    made.optimizers.schedule(0.0)
    advance(batches.at(9))
    assert torch.equal(before, made.modules["model"].head.weight)  # type: ignore[arg-type]
    made.optimizers.schedule(1.0)
    advance(batches.at(10))
    assert not torch.equal(before, made.modules["model"].head.weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("capture", [False, True])
def test_a_plain_step_waits_for_nothing(capture: bool) -> None:
    made = learner("mlp", data="digits", ema=0.9, clip=1.0, dropout=0.1)
    advance = Advance(made, capture=capture, say=print)
    batches = made.batches()
    for step in range(WARM_STEPS + 2):
        advance(batches.at(step))
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(5, 20):  # inside the first epoch: a new order of the examples may be drawn with a wait
            made.optimizers.schedule(0.5)
            advance(batches.at(step))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("family", ["mlp", "cnn"])
def test_a_whole_run_on_the_gpu(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Orders, "listen", lambda self: None)
    knobs = catalog.family(family).configure("quick", {"data": "digits"}).values()
    write_recipe(Recipe(family=family, preset="quick", knobs=knobs, asked=Asked(device="cuda")), tmp_path)
    assert train_run(tmp_path) == 0
    first, last = events_of(tmp_path)[0], events_of(tmp_path)[-1]
    assert isinstance(first, Started) and "captured" in first.device and first.exactness == "same order"
    assert isinstance(last, Finished) and float(last.headline["valid/accuracy"]) > 0.96
