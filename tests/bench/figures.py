"""Repeats of a measurement and what can be said of them: median, quartiles, intervals of a ratio."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

RESAMPLES = 4000


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie, by linear interpolation."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, slots=True)
class Sample:
    """The repeats of one measurement, in the order in which they were made."""

    values: tuple[float, ...]

    @property
    def n(self) -> int:
        """How many repeats."""
        return len(self.values)

    @property
    def median(self) -> float:
        """The middle one."""
        return quantile(self.values, 0.5)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between which the middle half lies."""
        return quantile(self.values, 0.25), quantile(self.values, 0.75)

    @property
    def p95(self) -> float:
        """The value that one in twenty exceeds."""
        return quantile(self.values, 0.95)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and where it lies with 95 % confidence."""

    middle: float
    low: float
    high: float


def interval(values: Sequence[float], statistic: Callable[[Sequence[float]], float] = statistics.fmean) -> Interval:
    """Return a statistic of the values with its percentile bootstrap interval; the same values give the same one."""
    chance = random.Random(0)
    found = [statistic(chance.choices(values, k=len(values))) for _ in range(RESAMPLES)]
    return Interval(statistic(values), quantile(found, 0.025), quantile(found, 0.975))


def ratio(ours: Sample, reference: Sample) -> Interval:
    """Return ours over the reference, of repeats that were made in turn: the median of the pairs' ratios."""
    pairs = [own / other for own, other in zip(ours.values, reference.values, strict=True)]
    return interval(pairs, lambda each: quantile(each, 0.5))


def alternate(*measures: Callable[[], float], n: int, warm_ups: int = 1) -> list[Sample]:
    """Call the measures in turn, `n` times each after the warm-ups, in the other order every second time."""
    for _ in range(warm_ups):
        for measure in measures:
            measure()
    found: list[list[float]] = [[] for _ in measures]
    for repeat in range(n):
        order = range(len(measures))
        for index in order if repeat % 2 == 0 else reversed(order):
            found[index].append(measures[index]())
    return [Sample(tuple(each)) for each in found]
