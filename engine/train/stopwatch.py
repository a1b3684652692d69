"""The run's own time: seconds of training without pauses, and how long a step takes without chores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lap:
    """What went by since the lap before."""

    steps: int
    began: float
    """Seconds of training at its start."""
    ended: float

    @property
    def seconds_a_step(self) -> float:
        """How long a step took."""
        return max(self.ended - self.began, 1e-9) / max(self.steps, 1)

    def times_of(self, steps: Iterable[int], last: int) -> list[float]:
        """Return the seconds of training at which steps of this lap were made, as if all up to `last` had been even."""
        pace, ended = (self.ended - self.began) / max(self.steps, 1), self.ended
        return [round(ended - pace * (last - step), 4) for step in steps]


class Stopwatch:
    """Counts the seconds of one run over all of its processes.

    Args:
        before: seconds of training in earlier processes.
        step: how many steps those made.
        idle: seconds of this process that were no training time: pauses, slow motion.
    """

    def __init__(self, before: float, step: int, idle: Callable[[], float]) -> None:
        self.before = before
        self._idle = idle
        self._began = time.perf_counter()
        self._step = step
        self._lap_began = before

    @property
    def seconds(self) -> float:
        """Seconds of training since the run began, pauses left out."""
        return self.before + time.perf_counter() - self._began - self._idle()

    def lap(self, step: int) -> Lap:
        """Return what went by since the last lap, and begin a new one."""
        now = self.seconds
        lap = Lap(step - self._step, self._lap_began, now)
        self._step, self._lap_began = step, now
        return lap

    def skip(self) -> None:
        """Let the present lap, which has no step yet, begin only now."""
        self._lap_began = self.seconds
