"""The command line in this very process, with a family and a trainer that need no torch."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.core import paths
from engine.core.launcher import Launcher
from engine.core.spec import Family, Metric, Panel, Preset, Reference, Spec, knob
from engine.core.store import RunStore
from tui.cli import main

STUB = Path(__file__).parents[2] / "stub_trainer.py"


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Cli = Callable[..., Said]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*words: str) -> Said:
        capsys.readouterr()
        try:
            code = main(words)
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@dataclass(frozen=True, kw_only=True)
class StubSpec(Spec):
    """Knobs that `tests/stub_trainer.py` understands."""

    data: str = knob("spiral", "Nothing is trained.")
    steps: int = knob(20, "How many steps it pretends to make.", low=1)
    step_seconds: float = knob(0.005, "What each takes.", low=0.0)
    fail_at: int = knob(-1, "Fails at this step.")
    save_every: int = knob(0, "Checkpoints.")
    shape: str = knob("round", "A word.", choices=("round", "square"))

    def total_samples(self, examples: int) -> int:
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        return 1


STUB_FAMILY = Family(
    name="stub",
    title="Stub",
    summary="Pretends.",
    entry="neuron",
    spec=StubSpec,
    presets=(
        Preset(name="quick", help="Short.", knobs={}),
        Preset(name="long", help="Does not end by itself.", knobs={"steps": 100_000}),
        Preset(name="tune", help="Starts from another.", knobs={}, start="stub/quick"),
        Preset(name="real", help="On data that nobody has.", knobs={"data": "cifar-10"}),
    ),
    panels=(
        Panel(events=("valid/loss",), kind="line", title="Loss", references=(Reference("published", 0.25, "a paper"),)),
    ),
    headline=(
        Metric(name="valid/accuracy", title="accuracy", unit="%", higher=True),
        Metric(name="valid/loss", title="loss"),
    ),
    learner="nowhere:Nothing",
    data=("spiral", "cifar-10"),
    own_data="a table (CSV)",
    code=(),
)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    """Add the family `stub` to the catalog and let every launcher use the stub trainer; give the store of the runs."""
    module: Any = ModuleType("engine.families.stub.spec")
    module.FAMILY = STUB_FAMILY
    monkeypatch.setitem(sys.modules, "engine.families.stub.spec", module)
    monkeypatch.setattr("engine.catalog.FAMILIES", ("stub",))
    made = partial(Launcher, trainer=[sys.executable, "-P", str(STUB)], sampler=[], grace=0.4)
    for verb in ("run", "runs"):
        __import__(f"tui.verbs.{verb}")
        monkeypatch.setattr(sys.modules[f"tui.verbs.{verb}"], "Launcher", made)
    store = RunStore(paths.runs_folder())
    yield store
    for run in store.runs():
        processes = run.processes()
        for each in (processes.shim, processes.trainer) if processes else ():
            if each is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Return what `condition` gives as soon as it is true; fail where that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")
