"""How much time a run may spend on anything but training: evaluating, drawing, saving."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Chore:
    """Something done now and then beside training."""

    share: float
    """Of the run's time, at most."""
    every: float
    """Seconds from one time to the next, at least."""
    cost: float = 0.0
    """Seconds that it took the last time."""
    due_at: float = 0.0


CHORES = {"evaluate": (0.05, 0.5), "draw": (0.03, 0.25), "save": (0.01, 10.0), "baseline": (0.01, 0.0)}
"""Name -> share of the time and shortest interval in seconds; the shares add up to the promised tenth."""


class Governor:
    """Says when a chore is due: never before its interval, and not so often that it takes more than its share.

    Each is due once at the start, so that a screen has something to show. Time inside a chore is counted apart.

    Args:
        chores: name -> share and interval.
        clock: seconds that only grow.
    """

    def __init__(
        self, chores: dict[str, tuple[float, float]] | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.clock = clock
        self.chores = {name: Chore(share, every) for name, (share, every) in (chores or CHORES).items()}
        self.began = clock()
        self.spent = 0.0

    def due(self, name: str) -> bool:
        """Whether it is time for the chore."""
        return self.clock() >= self.chores[name].due_at

    def postpone(self, name: str) -> None:
        """Count the chore as done just now, without having been done."""
        chore = self.chores[name]
        chore.due_at = self.clock() + max(chore.every, chore.cost / chore.share)

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Time the chore done inside, and say from its cost when it is due next."""
        start = self.clock()
        try:
            yield
        finally:
            cost = self.clock() - start
            self.spent += cost
            self.chores[name].cost = cost
            self.postpone(name)

    @property
    def overhead(self) -> float:
        """Percent of the time so far that was spent on chores."""
        return 100.0 * self.spent / max(self.clock() - self.began, 1e-9)
