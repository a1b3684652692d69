"""A store of runs in a temporary folder, and a launcher of stub trainers."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_runs import STUB

from engine.core.launcher import Launcher
from engine.core.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def launcher(store: RunStore) -> Iterator[Launcher]:
    """Starts stub trainers; whatever of them is left at the end is killed."""
    made = Launcher(store, trainer=[sys.executable, "-P", str(STUB)], sampler=[], grace=0.4)
    yield made
    made.close()
    for run in store.runs():
        processes = run.processes()
        for each in (processes.shim, processes.trainer) if processes else ():
            if each is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)
