"""The run's own time: seconds of training without pauses, and how long a step takes without chores."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lap:
    """What went by since the lap before."""

    steps: int
    began: float
    """Seconds of training at its start."""
    ended: float
    seconds_a_step: float
    """Chores and pauses left out."""

    def time_of(self, steps_ago: int) -> float:
        """Return the seconds of training at which a step of this lap was made, as if its steps had been even."""
        return self.ended - (self.ended - self.began) * steps_ago / max(self.steps, 1)


class Stopwatch:
    """Counts the seconds of one run over all of its processes.

    Args:
        before: seconds of training in earlier processes.
        step: how many steps those made.
        idle: seconds of this process that were no training time: pauses, slow motion.
        aside: seconds of this process that went to chores.
    """

    def __init__(self, before: float, step: int, idle: Callable[[], float], aside: Callable[[], float]) -> None:
        self.before = before
        self._idle = idle
        self._aside = aside
        self._began = time.perf_counter()
        self._step = step
        self._lap_began = before
        self._lap_aside = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of training since the run began, pauses left out."""
        return self.before + time.perf_counter() - self._began - self._idle()

    def lap(self, step: int) -> Lap:
        """Return what went by since the last lap, and begin a new one."""
        now, aside = self.seconds, self._aside()
        steps, began = step - self._step, self._lap_began
        pure = max(now - began - (aside - self._lap_aside), 1e-9)
        self._step, self._lap_began, self._lap_aside = step, now, aside
        return Lap(steps, began, now, pure / max(steps, 1))
