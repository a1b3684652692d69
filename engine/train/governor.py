"""How much time a run may spend on anything but training: evaluating, drawing, saving."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(slots=True)
class Chore:
    """Something done now and then beside training."""

    share: float
    """Of the run's time, at most."""
    every: float
    """Seconds from one time to the next, at least."""
    sparser: float = 0.0
    """The same, as a share of the time since the start: what is done often at first is done seldom in a long run."""
    cost: float = 0.0
    """Seconds that it took the last time."""
    done_at: float = 0.0
    due_at: float = 0.0
    """When it may be done next."""


CHORES = {
    "evaluate": Chore(share=0.05, every=0.5, sparser=0.01),
    "draw": Chore(share=0.03, every=0.25, sparser=0.02),
    "baseline": Chore(share=0.01, every=0.0, due_at=0.3),
    "save": Chore(share=0.01, every=10.0, due_at=2.0),
}
"""The shares add up to the promised tenth."""


class Governor:
    """Says when a chore is due: never before its interval, and not so often that it takes more than its share.

    Time inside chores is counted apart.

    Args:
        chores: by name; `due_at` counts from now.
        clock: seconds that only grow.
    """

    def __init__(self, chores: Mapping[str, Chore] = CHORES, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.began = clock()
        self.chores = {name: replace(chore, due_at=self.began + chore.due_at) for name, chore in chores.items()}
        self.spent = 0.0
        self._soonest = self.began

    def idle(self) -> bool:
        """Whether no chore at all is due; one look at the clock, for the step between."""
        return self.clock() < self._soonest

    def due(self, name: str) -> bool:
        """Whether it is time for the chore."""
        return self.clock() >= self.chores[name].due_at

    def postpone(self, name: str, seconds: float = 0.0) -> None:
        """Let the chore rest for its interval, as long as its share of the time demands, and `seconds` at least."""
        chore, now = self.chores[name], self.clock()
        interval = max(chore.every, chore.sparser * (now - self.began), chore.cost / chore.share, seconds)
        chore.done_at, chore.due_at = now, now + interval
        self._soonest = min(each.due_at for each in self.chores.values())

    def hasten(self, name: str) -> None:
        """Let the chore be done again as soon as its share of the time allows."""
        chore = self.chores[name]
        if chore.cost:
            chore.due_at = min(chore.due_at, chore.done_at + chore.cost / chore.share)
            self._soonest = min(self._soonest, chore.due_at)

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
