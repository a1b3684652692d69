"""Train in one process and time what is said about it: ``training.py cost|blocks OUT TARGET NUMBER``.

``cost`` trains a run to its end, and sums the processor time that went into telling about it. ``blocks`` makes steps in
blocks, by turns with everything that feeds the panels and with nothing of it, and takes the processor time of each.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

from engine.catalog import parse_run
from engine.core import paths
from engine.core.store import RunStore
from engine.train.assemble import assemble
from engine.train.attend import attend
from engine.train.governor import Governor
from engine.train.loop import train
from engine.train.orders import Orders
from engine.train.schedule import learning_rate_scale
from engine.train.training import Training
from engine.train.writer import RunWriter
from tests.bench.child.painting import write
from tui.recipes import recipe_of

BLOCK_SECONDS = 0.4
SETTLING = 200
"""Steps before anything is timed."""


def assembled(target: str, folder: Path | None = None) -> Training:
    """Return a run that is ready to train, in a new folder or in one whose recipe is there."""
    if folder is None:
        folder = RunStore(paths.runs_folder()).create(recipe_of(parse_run(target))).folder
    return assemble(folder, RunWriter(folder), Orders(folder))


class OwnTime:
    """A clock that shows the processor time of this process: the time of a machine that has nothing else to do.

    Reading that time takes a microsecond, so it is read once a step, outside of what is measured.
    """

    def __init__(self) -> None:
        self.tick()

    def __call__(self) -> float:
        """Return the processor time at the last tick."""
        return self.now

    def tick(self) -> None:
        """Look at the processor time."""
        self.now = time.process_time()


class Cost:
    """The processor time that calls took, those inside one another counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0
        self._inside = False

    def of(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call` with its time counted."""

        def counted(*args: Any, **named: Any) -> Any:
            if self._inside:
                return call(*args, **named)
            self._inside = True
            began = time.thread_time()
            try:
                return call(*args, **named)
            finally:
                self.seconds += time.thread_time() - began
                self.calls += 1
                self._inside = False

        return counted


def cost(target: str) -> dict[str, float]:
    """Return the processor seconds of a whole run, and how many of them went into events and their transport.

    What is called every step takes about as long as reading the clock does, so every second time the clock is read
    around nothing instead, in the same place with the same cold caches, and that much is taken off each timed call.
    """
    run = assembled(target)
    clock = run.meter.clock = run.orders.clock = run.writer.clock = OwnTime()
    run.governor = Governor(clock=time.process_time)
    told, added, nothing = Cost(), Cost(), Cost()
    for owner, name in ((run, "report"), (run.writer, "emit_all"), (run.writer, "status")):
        setattr(owner, name, told.of(getattr(owner, name)))
    plain, timed, empty = run.meter.add, added.of(run.meter.add), nothing.of(lambda *_: None)

    def add(step: int, scalars: dict[str, Any]) -> None:
        clock.tick()
        if step % 2:
            timed(step, scalars)
        else:
            empty(step, scalars)
            plain(step, scalars)

    run.meter.add = add  # type: ignore[method-assign]
    began = time.process_time()
    train(run)
    whole = time.process_time() - began
    of_timing = nothing.seconds / nothing.calls
    return {
        "told": told.seconds - told.calls * of_timing + 2 * (added.seconds - added.calls * of_timing),
        "whole": whole,
        "chores": run.governor.spent,
        "steps": run.step,
        "events": run.writer.lines,
        "timing": of_timing,
    }


def blocks(run: Training, pairs: int) -> list[tuple[float, float]]:
    """Return the processor seconds a step of each block, with panels and without, pair by pair."""
    run.total_steps = 10**9
    run.start()
    clock = run.meter.clock = run.orders.clock = run.writer.clock = OwnTime()
    steps = max(2, round(BLOCK_SECONDS / timed(run, clock, SETTLING, fed=True)))
    found = []
    for pair in range(pairs):
        order = (True, False) if pair % 2 == 0 else (False, True)
        took = {fed: timed(run, clock, steps, fed=fed) for fed in order}
        found.append((took[True], took[False]))
    return found


def timed(run: Training, clock: OwnTime, steps: int, *, fed: bool) -> float:
    """Make steps as the loop does, its chores left out; return the processor seconds that one took.

    A block that feeds panels tells of all its steps before it ends, and begins with a report just behind it.
    """
    batches, optimizers, spec = run.learner.batches(), run.learner.optimizers, run.learner.spec
    run.watch.lap(run.step)
    clock.tick()
    run.meter.cross()
    began = time.process_time()
    for _ in range(steps):
        clock.tick()
        if fed:
            attend(run)
        optimizers.schedule(learning_rate_scale(0.3, spec.warmup, spec.cooldown))
        scalars = run.advance(batches.at(run.step), "")
        run.step += 1
        if not fed:
            continue
        run.meter.add(run.step, scalars)
        run.orders.stepped()
        if run.meter.due():
            run.report()
        run.governor.idle()
    if fed:
        run.report(everything=True)
    return (time.process_time() - began) / steps


if __name__ == "__main__":
    what, out, target, number = sys.argv[1:5]
    if what == "cost":
        write(out, cost(target))
    else:
        folder = Path(sys.argv[5]) if len(sys.argv) > 5 else None
        write(out, blocks(assembled(target, folder), int(number)))
