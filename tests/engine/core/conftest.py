"""A store of runs in a temporary folder, a launcher of stub trainers, and waiting with a deadline."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.core.launcher import Launcher
from engine.core.recipe import Recipe
from engine.core.store import RunStore

STUB = Path(__file__).parents[2] / "stub_trainer.py"


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Return what `condition` gives as soon as it is true; fail where that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"not within {seconds} s")


def recipe(seed: int = 0, **knobs: Any) -> Recipe:
    return Recipe(family="mlp", preset="quick", knobs=knobs, seed=seed)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def launcher(store: RunStore) -> Iterator[Launcher]:
    made = Launcher(store, trainer=[sys.executable, "-P", str(STUB)], sampler=[], grace=0.4)
    yield made
    made.close()
    for run in store.runs():
        processes = run.processes()
        for each in (processes.shim, processes.trainer) if processes else ():
            if each is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)
