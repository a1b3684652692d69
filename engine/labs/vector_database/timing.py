"""Time of a search, one query at a time: blocks of every contestant in turn, and the median over all of them.

What is measured is the time that the one thread computes: other work on the machine would show in the time of a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.labs.vector_database.lab import ROUND

Search = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.int64]]

WARM = 5
"""Queries before each block that are not counted: the caches belong to the contestant before."""


@dataclass
class Contestant:
    """A search, and what it found in what time."""

    name: str
    search: Search
    turn: Callable[[], None]
    """Sets its dial, before each block."""
    found: list[npt.NDArray[np.int64]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Microseconds a query."""
        return float(np.median(self.seconds)) * 1e6

    @property
    def slowest(self) -> float:
        """Microseconds within which 95 % of the queries were done."""
        return float(np.quantile(self.seconds, 0.95)) * 1e6


def race(
    contestants: Sequence[Contestant],
    queries_QD: npt.NDArray[np.float32],
    draw: np.random.Generator,
    beat: Callable[[], None],
) -> None:
    """Let every contestant answer every query once, in blocks, in another order each round."""
    for start in range(0, len(queries_QD), ROUND):
        block = queries_QD[start : start + ROUND]
        for place in draw.permutation(len(contestants)):
            one = contestants[place]
            one.turn()
            for query in block[:WARM]:
                one.search(query)
            for query in block:
                began = time.thread_time()
                found = one.search(query)
                one.seconds.append(time.thread_time() - began)
                one.found.append(found)
        beat()
