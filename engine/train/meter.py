"""The scalars of each step: they stay on the device and cross to the host together, ten to twenty times a second."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

INTERVAL = 0.06
"""Seconds between crossings."""

LOSS = "train/loss"
GRADIENT_NORM = "gradient_norm"

MOST_READINGS = 128
"""Of one crossing; where there were more steps, the extremes of each stretch are kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The scalars of one step, on the host."""

    step: int
    values: dict[str, float]
    """By the names that panels know: ``train/loss``, ``gradient_norm``."""

    @property
    def finite(self) -> bool:
        """Whether this step's update was made: its loss and its gradient were finite."""
        return math.isfinite(self.values[LOSS]) and math.isfinite(self.values.get(GRADIENT_NORM, 0.0))


class Meter:
    """Collects each step's scalars without waiting for the device, and hands them over in bulk.

    On a GPU what is handed over lies one crossing back: the copy runs behind the steps, and nothing waits for it.
    """

    def __init__(
        self, device: torch.device, interval: float = INTERVAL, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.interval = interval
        self.clock = clock
        self._asynchronous = device.type == "cuda"
        self._names: list[str] = []
        self._steps: list[int] = []
        self._values: list[Tensor] = []
        self._flight: tuple[list[str], list[int], Tensor, torch.cuda.Event] | None = None
        self._due_at = 0.0

    def add(self, step: int, scalars: dict[str, Tensor]) -> None:
        """Keep the scalars of a step, by reference."""
        if not self._names:
            self._names = list(scalars)
        self._steps.append(step)
        self._values += [scalars[name] for name in self._names]

    def due(self) -> bool:
        """Whether it is time for a crossing; always after the very first step."""
        return self.clock() >= self._due_at and bool(self._steps)

    def cross(self, *, everything: bool = False) -> list[Reading]:
        """Return the readings that have arrived on the host; with `everything`, wait for those on their way."""
        self._due_at = self.clock() + self.interval
        arrived = self._land()
        if self._steps:
            table = torch.stack(self._values).float().view(len(self._steps), len(self._names))
            names = [shown(name) for name in self._names]
            if self._asynchronous:
                self._launch(names, table)
            else:
                arrived = _readings(names, self._steps, table)
            self._names, self._steps, self._values = [], [], []
        return arrived + self._land() if everything else arrived

    def _launch(self, names: list[str], table: Tensor) -> None:
        """Start a copy to pinned memory behind the steps that are queued."""
        host = torch.empty(table.shape, dtype=table.dtype, pin_memory=True)
        host.copy_(table, non_blocking=True)
        landed = torch.cuda.Event()
        landed.record()
        self._flight = (names, self._steps, host, landed)

    def _land(self) -> list[Reading]:
        """Return what the copy in flight brought."""
        if self._flight is None:
            return []
        names, steps, host, landed = self._flight
        self._flight = None
        landed.synchronize()
        return _readings(names, steps, host)


def shown(name: str) -> str:
    """Return the name by which panels know a scalar of `train_step`; one with a slash stays as it is."""
    return name if "/" in name or name == GRADIENT_NORM else f"train/{name}"


def _readings(names: list[str], steps: list[int], table: Tensor) -> list[Reading]:
    """Return a table of scalars as readings, thinned to the extremes of the loss where they are too many."""
    rows: list[list[float]] = table.tolist()
    kept = range(len(rows))
    if len(rows) > MOST_READINGS:
        kept = extremes([row[names.index(LOSS)] for row in rows], MOST_READINGS // 2)  # type: ignore[assignment]
    return [Reading(steps[each], dict(zip(names, rows[each], strict=True))) for each in kept]


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
