"""Starting shims, detached from the app, and having one ready with a trainer that has imported torch already."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import engine
from engine.core import shim
from engine.core.worker import WarmWorker, enough_memory

END_SECONDS = 3.0
"""How long a shim whose trainer only waited may take to end."""


class Shims:
    """Starts the shim of each run, and reaps it when it ends while the app is there.

    Args:
        trainer: command that trains the run whose folder is its last argument.
        sampler: command that samples the hardware for it; empty for none.
        grace: seconds from asking a trainer to end to killing it.
    """

    def __init__(self, trainer: Sequence[str], sampler: Sequence[str], grace: float) -> None:
        self._orders = {"trainer": list(trainer), "sampler": list(sampler), "grace": grace, "folders": []}
        self._worker: WarmWorker | None = None
        self._started: list[subprocess.Popen[bytes]] = []
        self._at_work = threading.Lock()

    def train(self, folders: Sequence[Path]) -> None:
        """Have runs trained one after another, by the waiting trainer where there is one; returns at once."""
        with self._at_work:
            worker, self._worker = self._worker, None
        if worker is not None and worker.waiting and worker.take(folders):
            self._keep(worker.shim)
        else:
            self.start(folders)

    def start(self, folders: Sequence[Path]) -> subprocess.Popen[bytes]:
        """Start a shim for runs in a session of its own; returns at once."""
        started = subprocess.Popen(
            self._command(folders=[str(folder) for folder in folders]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        self._keep(started)
        return started

    def warm(self, store: Path) -> bool:
        """Have one trainer wait for a run in `store`; return whether there is one. Callable from any thread."""
        if not enough_memory():
            return False
        with self._at_work:
            if self._worker is None or not self._worker.waiting:
                self._worker = WarmWorker(self._command(warm=str(store)), store, environment())
        return True

    def close(self) -> None:
        """Let go of the waiting trainer; runs go on."""
        with self._at_work:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
            worker.shim.wait(END_SECONDS)
        self._keep()

    def _command(self, **orders: object) -> list[str]:
        return [sys.executable, "-I", "-S", str(Path(shim.__file__)), json.dumps({**self._orders, **orders})]

    def _keep(self, *started: subprocess.Popen[bytes]) -> None:
        """Remember shims until they have ended and been reaped."""
        self._started = [each for each in (*self._started, *started) if each.poll() is None]


def environment() -> dict[str, str]:
    """Return the environment of children, in which this package is found wherever it lies."""
    root = str(Path(engine.__path__[0]).parent)
    if root in site.getsitepackages():
        return dict(os.environ)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
