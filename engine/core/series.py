"""One metric of one run in memory: every point kept, extremes found fast, smoothing over the full data.

A reader in another thread is safe while points are appended: arrays grow before the count does, and what is counted
never changes. A resume that takes points back makes a new `Series` (`until`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Axis = Literal["step", "time", "sample"]

FACTOR = 16
"""How many entries of one level of the pyramid one entry of the next stands for."""
_FIRST_CAPACITY = 256
_KEPT_SMOOTHINGS = 2


class Series:
    """The points of one metric in the order of steps, append-only."""

    def __init__(self) -> None:
        self._count = 0
        self._steps: Integers = np.empty(_FIRST_CAPACITY, np.int64)
        self._times: Floats = np.empty(_FIRST_CAPACITY, np.float64)
        self._samples: Integers = np.empty(_FIRST_CAPACITY, np.int64)
        self._values: Floats = np.empty(_FIRST_CAPACITY, np.float64)
        self._pyramid: list[_Level] = []
        self._nonfinite: Integers = np.empty(0, np.int64)
        self._span = (float("nan"), float("nan"))
        self._smoothings: dict[float, _Smoothing] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def steps(self) -> Integers:
        """Step of each point."""
        count = self._count
        return self._steps[:count]

    @property
    def times(self) -> Floats:
        """Seconds of training at each point."""
        count = self._count
        return self._times[:count]

    @property
    def samples(self) -> Integers:
        """Samples trained on at each point."""
        count = self._count
        return self._samples[:count]

    @property
    def values(self) -> Floats:
        """Value of each point; NaN and the infinities stand as they came."""
        count = self._count
        return self._values[:count]

    @property
    def nonfinite(self) -> Integers:
        """Positions of the points that are NaN or infinite."""
        return self._nonfinite

    @property
    def last(self) -> float:
        """The latest value, NaN where there is none."""
        return float(self._values[self._count - 1]) if self._count else float("nan")

    def best(self, higher: bool = False) -> tuple[int, float]:
        """Return step and value of the best finite point; ``(0, NaN)`` where there is none."""
        values = self.values
        if len(self._nonfinite) == len(values):
            return 0, float("nan")
        worst = -np.inf if higher else np.inf
        sound = np.where(np.isfinite(values), values, worst) if len(self._nonfinite) else values
        place = int(np.argmax(sound) if higher else np.argmin(sound))
        return int(self._steps[place]), float(values[place])

    def axis(self, axis: Axis = "step") -> Floats | Integers:
        """Return what the points are drawn over."""
        if axis == "time":
            return self.times
        return self.steps if axis == "step" else self.samples

    def extend(self, steps: Integers, times: Floats, samples: Integers, values: Floats) -> None:
        """Append points."""
        start, end = self._count, self._count + len(steps)
        if end > len(self._steps):
            self._grow(end)
        self._steps[start:end] = steps
        self._times[start:end] = times
        self._samples[start:end] = samples
        self._values[start:end] = values
        odd = np.flatnonzero(~np.isfinite(self._values[start:end]))
        if len(odd):
            self._nonfinite = np.concatenate([self._nonfinite, odd + start])
        self._count = end
        self._widen(self._values[start:end])
        self._raise_pyramid()

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest finite value of all, NaN where there is none."""
        return self._span

    def _widen(self, fresh: Floats) -> None:
        sound = fresh[np.isfinite(fresh)]
        if len(sound):
            low, high = float(sound.min()), float(sound.max())
            self._span = (low, high) if np.isnan(self._span[0]) else (min(low, self._span[0]), max(high, self._span[1]))

    def append(self, step: int, time: float, sample: int, value: float) -> None:
        """Append one point."""
        self.extend(np.array([step]), np.array([time]), np.array([sample]), np.array([value], np.float64))

    def until(self, step: int) -> Series:
        """Return a new series of the points up to and including `step`."""
        kept = Series()
        count = int(np.searchsorted(self.steps, step, side="right"))
        kept.extend(self._steps[:count], self._times[:count], self._samples[:count], self._values[:count])
        return kept

    def _grow(self, needed: int) -> None:
        capacity = max(needed, 2 * len(self._steps))
        for name in ("_steps", "_times", "_samples", "_values"):
            old = getattr(self, name)
            new = np.empty(capacity, old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)

    def _raise_pyramid(self) -> None:
        """Add the blocks that have become whole, level by level."""
        below_lows = below_highs = self.values
        level = 0
        while len(below_lows) >= FACTOR:
            if level == len(self._pyramid):
                self._pyramid.append(_Level())
            self._pyramid[level].extend(below_lows, below_highs)
            below_lows, below_highs = self._pyramid[level].lows, self._pyramid[level].highs
            level += 1

    def extremes(self, first: float, last: float, columns: int, axis: Axis = "step") -> tuple[Floats, Floats]:
        """Return the lowest and highest value in each of `columns` equal parts of ``[first, last]`` on `axis`.

        Every single point counts, at a cost that hardly grows with their number. A part without finite points is NaN.
        """
        place = self.axis(axis)
        edges = np.searchsorted(place, np.linspace(first, last, columns + 1), side="left")
        edges[-1] = np.searchsorted(place, last, side="right")
        return self.extremes_between(edges)

    def extremes_between(self, edges: Integers) -> tuple[Floats, Floats]:
        """Return the lowest and highest value of the points from each position of `edges` up to the next."""
        starts, ends = edges[:-1].astype(np.int64), edges[1:].astype(np.int64)
        lows = np.full(len(starts), np.inf)
        highs = np.full(len(starts), -np.inf)
        below_lows = below_highs = self.values
        risen = 0
        for level in self._pyramid:
            if edges[-1] > level.count * FACTOR or (edges % FACTOR).any():
                break
            # Whole blocks only: nothing of the level below is left over.
            edges = edges // FACTOR
            starts, ends = edges[:-1], edges[1:]
            below_lows, below_highs = level.lows, level.highs
            risen += 1
        if risen and (ends > starts).all():
            lows = np.minimum.reduceat(below_lows[: ends[-1]], starts)
            highs = np.maximum.reduceat(below_highs[: ends[-1]], starts)
            return _or_nan(lows, highs)
        for level in self._pyramid[risen:]:
            if np.max(ends - starts, initial=0) <= 2 * FACTOR or level.count == 0:
                break
            inner_starts = np.minimum(-(-starts // FACTOR), level.count)
            inner_ends = np.clip(ends // FACTOR, inner_starts, level.count)
            empty = inner_ends == inner_starts
            left_ends = np.where(empty, ends, inner_starts * FACTOR)
            _fold_extremes(below_lows, below_highs, starts, left_ends, lows, highs)
            _fold_extremes(below_lows, below_highs, np.where(empty, ends, inner_ends * FACTOR), ends, lows, highs)
            starts, ends = inner_starts, inner_ends
            below_lows, below_highs = level.lows, level.highs
        _fold_extremes(below_lows, below_highs, starts, ends, lows, highs)
        return _or_nan(lows, highs)

    def smoothed(self, weight: float) -> Floats:
        """Return the debiased exponential moving average of all values, `weight` on what was before.

        Only new points are computed. A non-finite point moves nothing: its place holds the average before it. The value
        at a step never changes when the run grows.
        """
        if weight <= 0.0:
            return self.values
        known = self._smoothings.get(weight)
        if known is None:
            while len(self._smoothings) >= _KEPT_SMOOTHINGS:
                del self._smoothings[next(iter(self._smoothings))]
            known = self._smoothings[weight] = _Smoothing(weight)
        return known.follow(self.values)


class _Level:
    """One level of the pyramid: lowest and highest finite value of each whole block of the level below."""

    def __init__(self) -> None:
        self.count = 0
        self._lows: Floats = np.empty(_FIRST_CAPACITY // FACTOR)
        self._highs: Floats = np.empty(_FIRST_CAPACITY // FACTOR)

    @property
    def lows(self) -> Floats:
        count = self.count
        return self._lows[:count]

    @property
    def highs(self) -> Floats:
        count = self.count
        return self._highs[:count]

    def extend(self, below_lows: Floats, below_highs: Floats) -> None:
        whole = len(below_lows) // FACTOR
        start = self.count
        if whole == start:
            return
        if whole > len(self._lows):
            self._lows, self._highs = (
                np.concatenate([each[:start], np.empty(2 * whole - start)]) for each in (self._lows, self._highs)
            )
        new = slice(start * FACTOR, whole * FACTOR)
        lows, highs = below_lows[new], below_highs[new]
        odd = ~(np.isfinite(lows) & np.isfinite(highs))
        if odd.any():
            lows, highs = np.where(np.isfinite(lows), lows, np.inf), np.where(np.isfinite(highs), highs, -np.inf)
        self._lows[start:whole] = lows.reshape(-1, FACTOR).min(axis=1)
        self._highs[start:whole] = highs.reshape(-1, FACTOR).max(axis=1)
        self.count = whole


def _or_nan(lows: Floats, highs: Floats) -> tuple[Floats, Floats]:
    """Put NaN where no finite value was found."""
    lows[lows == np.inf] = np.nan
    highs[highs == -np.inf] = np.nan
    return lows, highs


def _fold_extremes(
    below_lows: Floats, below_highs: Floats, starts: Integers, ends: Integers, lows: Floats, highs: Floats
) -> None:
    """Fold the entries from each start up to its end into `lows` and `highs`; the ranges are short."""
    width = int(np.max(ends - starts, initial=0))
    if width <= 0:
        return
    places = starts[:, None] + np.arange(width)
    outside = places >= ends[:, None]
    places = np.minimum(places, len(below_lows) - 1)
    found_lows, found_highs = below_lows[places], below_highs[places]
    np.minimum(lows, np.where(outside | ~np.isfinite(found_lows), np.inf, found_lows).min(axis=1), out=lows)
    np.maximum(highs, np.where(outside | ~np.isfinite(found_highs), -np.inf, found_highs).max(axis=1), out=highs)


class _Smoothing:
    """A moving average as far as it has been computed."""

    def __init__(self, weight: float) -> None:
        self.weight = min(weight, 0.999_999)
        self.done = 0
        self.finite = 0
        self.average = 0.0
        """Not yet debiased."""
        self.out: Floats = np.empty(_FIRST_CAPACITY)

    def follow(self, values: Floats) -> Floats:
        """Compute what is new of `values` and return the average at each of them."""
        if self.done < len(values):
            if len(values) > len(self.out):
                self.out = np.concatenate([self.out[: self.done], np.empty(2 * len(values) - self.done)])
            self._advance(values[self.done :])
            self.done = len(values)
        return self.out[: len(values)]

    def _advance(self, fresh: Floats) -> None:
        sound = np.isfinite(fresh)
        before = self.out[self.done - 1] if self.done else np.nan
        averages = self._averages(fresh[sound])
        if len(averages) == len(fresh):
            self.out[self.done : self.done + len(fresh)] = averages
            return
        held = np.concatenate([[before], averages])
        self.out[self.done : self.done + len(fresh)] = held[np.cumsum(sound)]

    def _averages(self, fresh: Floats) -> Floats:
        """Return the debiased averages of finite values, by blocks in which no power of the weight underflows."""
        if len(fresh) == 0:
            return fresh
        size = int(min(len(fresh), max(1.0, np.log(1e-9) / np.log(self.weight))))
        blocks = -(-len(fresh) // size)
        padded = np.zeros(blocks * size)
        padded[: len(fresh)] = fresh
        powers = self.weight ** np.arange(1, size + 1)
        within = np.cumsum(padded.reshape(blocks, size) / powers, axis=1) * powers * (1.0 - self.weight)
        carried = np.empty(blocks)
        carry = self.average
        factor = float(powers[-1])
        for block, end in enumerate(within[:, -1].tolist()):
            carried[block] = carry
            carry = carry * factor + end
        averages: Floats = (within + carried[:, None] * powers).ravel()[: len(fresh)]
        self.average = float(averages[-1])
        biased = min(len(fresh), max(0, int(np.log(1e-17) / np.log(self.weight)) - self.finite))
        counts = np.arange(self.finite + 1, self.finite + biased + 1, dtype=np.float64)
        averages[:biased] /= 1.0 - self.weight**counts
        self.finite += len(fresh)
        return averages
