"""A process that forks trainers which can be killed, and what they leave behind as a reader sees it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from engine.core.events import AnyEvent, Damaged, Scalars, Started, decode
from engine.train.checkpoint import checkpoints, load_checkpoint

ROOT = Path(__file__).parents[3]

NURSERY = """
import os, sys
from pathlib import Path
import torch
import engine.train.assemble, engine.train.loop
from engine.train import governor, meter
from engine.train.__main__ import train_run

torch.set_num_threads(1)
meter.MOST_READINGS = 10**6
governor.CHORES["save"] = governor.Chore(share=1.0, every=0.1, due_at=0.05)
for line in sys.stdin:
    verb, _, rest = line.strip().partition(" ")
    if verb == "start":
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = train_run(Path(rest))
            finally:
                os._exit(code)
        print(child, flush=True)
    else:
        print(os.waitstatus_to_exitcode(os.waitpid(int(rest), 0)[1]), flush=True)
"""
"""Has imported torch once and forks a trainer for each run; saves ten times a second, whatever it costs, and reports
each step. A fork of the test's own process would not do: its torch has threads by then, which a fork loses."""


class Nursery:
    """Starts trainers and tells how they ended."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def _ask(self, order: str) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def start(self, folder: Path) -> int:
        """Train a run in a child of its own; return the child's process number."""
        return self._ask(f"start {folder}")

    def wait(self, child: int) -> int:
        """Wait for a child's end; return its exit code, negative for a signal."""
        return self._ask(f"wait {child}")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def until(condition: Callable[[], object]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def losses(folder: Path) -> dict[int, float]:
    """Return the losses as a reader sees them: what a resume makes anew replaces what was there."""
    found: dict[int, float] = {}
    for event in events_of_torn(folder):
        if isinstance(event, Started):
            found = {step: loss for step, loss in found.items() if step <= event.s}
        elif isinstance(event, Scalars) and "train/loss" in event.v:
            found[event.s] = float(event.v["train/loss"])
    return found


def events_of_torn(folder: Path) -> list[AnyEvent]:
    """Return everything that can be read; a kill may leave a torn line."""
    events: list[AnyEvent] = []
    for line in (folder / "events.jsonl").read_bytes().splitlines():
        try:
            events.append(decode(line))
        except Damaged:
            continue
    return events


def final(folder: Path) -> dict[str, torch.Tensor]:
    """Return every tensor of the last checkpoint."""
    last = load_checkpoint(checkpoints(folder)[-1])
    return {**last.model, **last.training}
