"""The scalars of each step: they stay on the device and cross to the host together, five times a second."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

INTERVAL = 0.2
"""Seconds between crossings; the app looks 4 times a second."""

LOSS = "train/loss"
GRADIENT_NORM = "gradient_norm"

MOST_READINGS = 512
"""Of one crossing; where there were more steps, the extremes of each stretch are kept."""


class Readings(NamedTuple):
    """The scalars of some steps, on the host."""

    steps: list[int]
    values: list[dict[str, float]]
    """Of each step, by the names that panels know: ``train/loss``, ``gradient_norm``."""
    finite: bool = True
    """Whether every one of them is a finite number."""

    def broken(self) -> int | None:
        """Return the place of the first whose update was not made: its loss or its gradient was no finite number."""
        for index, values in enumerate(self.values):
            if not math.isfinite(values[LOSS] + values.get(GRADIENT_NORM, 0.0)):
                return index
        return None


NONE = Readings([], [])


class Meter:
    """Collects each step's scalars without waiting for the device, and hands them over in bulk.

    On a GPU what is handed over lies one crossing back: the copy runs behind the steps, and nothing waits for it.
    """

    def __init__(
        self, device: torch.device, interval: float = INTERVAL, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.interval = interval
        self.clock = clock
        self._device = device.type
        self._steps: list[int] = []
        self._scalars: list[dict[str, Tensor]] = []
        self._flight: tuple[list[str], list[int], Tensor, torch.cuda.Event] | None = None
        self._due_at = 0.0

    def add(self, step: int, scalars: dict[str, Tensor]) -> None:
        """Keep the scalars of a step, by reference."""
        self._steps.append(step)
        self._scalars.append(scalars)

    def due(self) -> bool:
        """Whether it is time for a crossing; always after the very first step."""
        return self.clock() >= self._due_at and bool(self._steps)

    def cross(self, *, everything: bool = False) -> Readings:
        """Return the readings that have arrived on the host; with `everything`, wait for those on their way."""
        self._due_at = self.clock() + self.interval
        arrived = self._land()
        if self._steps:
            names = list(self._scalars[0])
            values = [scalars[name] for scalars in self._scalars for name in names]
            if self._device == "cuda":
                self._launch(names, values)
            else:
                arrived = _readings(names, self._steps, self._fetched(values))
            self._steps, self._scalars = [], []
        return _together(arrived, self._land()) if everything else arrived

    def _fetched(self, values: list[Tensor]) -> list[float]:
        """Return the numbers of 0-d tensors: one by one where they lie in the host's own memory, or else together."""
        if self._device == "cpu":
            return [value.item() for value in values]
        return torch.stack(values).float().tolist()

    def _launch(self, names: list[str], values: list[Tensor]) -> None:
        """Start a copy to pinned memory behind the steps that are queued."""
        table = torch.stack(values).float()
        host = torch.empty(table.shape, dtype=table.dtype, pin_memory=True)
        host.copy_(table, non_blocking=True)
        landed = torch.cuda.Event()
        landed.record()
        self._flight = (names, self._steps, host, landed)

    def _land(self) -> Readings:
        """Return what the copy in flight brought."""
        if self._flight is None:
            return NONE
        names, steps, host, landed = self._flight
        self._flight = None
        landed.synchronize()
        return _readings(names, steps, host.tolist())


def shown(name: str) -> str:
    """Return the name by which panels know a scalar of `train_step`; one with a slash stays as it is."""
    return name if "/" in name or name == GRADIENT_NORM else f"train/{name}"


def _readings(names: list[str], steps: list[int], flat: list[float]) -> Readings:
    """Return the scalars of some steps, one step's after another's, as readings; where the steps are too many, those at
    the extremes of the loss.
    """
    width, named, finite = len(names), [shown(name) for name in names], math.isfinite(sum(flat))
    columns = [flat[place::width] for place in range(width)]
    values = [dict(zip(named, row, strict=True)) for row in zip(*columns, strict=True)]
    if len(steps) <= MOST_READINGS:
        return Readings(steps, values, finite)
    kept = extremes(columns[named.index(LOSS)], MOST_READINGS // 2)
    return Readings([steps[each] for each in kept], [values[each] for each in kept], finite)


def _together(first: Readings, then: Readings) -> Readings:
    """Return earlier readings and later ones."""
    if not first.steps or not then.steps:
        return first if first.steps else then
    return Readings(first.steps + then.steps, first.values + then.values, first.finite and then.finite)


def extremes(values: list[float], stretches: int) -> list[int]:
    """Return places in `values`: of each stretch the lowest and the highest, each non-finite one, and the very last."""
    kept = {len(values) - 1}
    length = math.ceil(len(values) / stretches)
    for start in range(0, len(values), length):
        stretch = range(start, min(start + length, len(values)))
        finite = [each for each in stretch if math.isfinite(values[each])]
        kept.update(each for each in stretch if not math.isfinite(values[each]))
        if finite:
            kept |= {min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)}
    return sorted(kept)
