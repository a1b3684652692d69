"""A trainer started ahead: it has imported torch when a person presses Run, and waits for the run's folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

LEAST_MEMORY = 8 * 1024**3
"""Bytes of the machine below which no trainer is kept ready."""
ANSWER_SECONDS = 2.0


class WarmWorker:
    """One shim and trainer that wait on a pipe; used once, gone when the pipe closes."""

    def __init__(self, command: Sequence[str], store: Path, environment: Mapping[str, str]) -> None:
        """Start `command` (a shim with its orders) for runs in `store`."""
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep(store)
        self.shim = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            start_new_session=True,
        )

    @property
    def waiting(self) -> bool:
        """Whether it still waits for a run."""
        return self.shim.poll() is None

    def take(self, folders: Sequence[Path]) -> bool:
        """Give it the runs to train, one after another; False where it is gone and another has to do it."""
        assert self.shim.stdin is not None and self.shim.stdout is not None
        try:
            self.shim.stdin.write(json.dumps([str(folder) for folder in folders]).encode() + b"\n")
            self.shim.stdin.flush()
            ready, _, _ = select.select([self.shim.stdout], [], [], ANSWER_SECONDS)
            taken = bool(ready) and os.read(self.shim.stdout.fileno(), 16).startswith(b"ok")
        except OSError:
            taken = False
        self.close()
        return taken

    def close(self) -> None:
        """Let go of it: what has no run by now ends, what has one goes on."""
        for end in (self.shim.stdin, self.shim.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()


def enough_memory() -> bool:
    """Whether the machine has room for a trainer that only waits."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >= LEAST_MEMORY


def sweep(store: Path) -> None:
    """Remove what a killed worker left in the folder of all runs: its lock, which nobody holds, and its log."""
    for lock in store.glob(".warm-*.lock"):
        with contextlib.suppress(OSError):
            descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                lock.with_suffix(".log").unlink(missing_ok=True)
                lock.unlink()
            finally:
                os.close(descriptor)
