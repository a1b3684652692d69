"""Series of numbers, read as sequences of levels: a value becomes the number of the level that it is nearest to.

A model of sequences then gives every level a probability, which says how sure it is, and its loss is in nats. So do van
den Oord et al., WaveNet: A Generative Model for Raw Audio, 2016, and Ansari et al., Chronos: Learning the Language of
Time Series, 2024. Shape legend: N values, V levels.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from engine.data.batches import seeded
from engine.data.examples import moved
from engine.data.table import DataSet

VALUES = 40_000
TRAIN_SHARE = 0.9
"""Of the values; the rest, the end, is for validation."""
PERIODS = (40.0, 13.7)
"""Steps a wave; the second is half as high as the first."""
NOISE = 0.1
"""Standard deviation of what no model can foresee."""
HIGHEST = 1.8
LEVELS = 73
"""Of equal distance, from minus `HIGHEST` to `HIGHEST`."""


class Levels:
    """The levels as words (``-0.25``), so that a series can be typed, and read, like a text."""

    def __init__(self, highest: float, count: int) -> None:
        self.values = [highest * (2 * level / (count - 1) - 1) for level in range(count)]
        self.words: tuple[str, ...] = tuple(f"{value:.2f}" for value in self.values)

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str, device: torch.device | str = "cpu") -> Tensor:
        """Return the level of every number of `text`, int64; what is no number is left out."""
        found = []
        for word in text.replace(",", " ").split():
            try:
                value = float(word)
            except ValueError:
                continue
            if math.isfinite(value):
                found.append(value)
        return self.nearest(torch.tensor(found)).to(device)

    def nearest(self, values_N: Tensor) -> Tensor:
        """Return the nearest levels of values, int64."""
        apart = self.values[1] - self.values[0]
        return ((values_N - self.values[0]) / apart).round().clamp(0, len(self) - 1).long()

    def decode(self, numbers: Tensor | list[int]) -> str:
        """Return the values of the levels, a blank after each."""
        return "".join(f"{self.words[int(number)]} " for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series of levels in the order of time, split in two: a model learns from the first part."""

    name: str
    levels: Levels
    train: Tensor
    """Numbers of levels ``N``, int64."""
    valid: Tensor
    floor: float
    """Nats a value that the noise of the validation part costs even who knows everything else."""
    digest: str = ""

    @property
    def size(self) -> int:
        """How many values there are to train on."""
        return len(self.train)

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with the first `count` values; time has an order that chance would break."""
        return dataclasses.replace(self, train=self.train[:count])

    def to(self, device: torch.device) -> Self:
        """Return the data with every tensor on the device."""
        return moved(self, device)


def load_series(row: DataSet, seed: int) -> Series:
    """Return two waves with noise, whose phases and noise are drawn by `seed`."""
    generator = seeded(seed, 0, torch.device("cpu"), stream=5)
    time_N = torch.arange(VALUES, dtype=torch.float64)
    smooth_N = torch.zeros_like(time_N)
    for height, period in zip((1.0, 0.5), PERIODS, strict=True):
        phase = torch.rand((), generator=generator, dtype=torch.float64)
        smooth_N += height * (2 * math.pi * (time_N / period + phase)).sin()
    noise_N = NOISE * torch.randn(VALUES, generator=generator, dtype=torch.float64)
    levels = Levels(HIGHEST, LEVELS)
    numbers_N = levels.nearest(smooth_N + noise_N)
    cut = int(VALUES * TRAIN_SHARE)
    return Series(
        name=row.name,
        levels=levels,
        train=numbers_N[:cut],
        valid=numbers_N[cut:],
        floor=noise_loss(levels, smooth_N[cut:], numbers_N[cut:]),
        digest=hashlib.sha256(numbers_N.numpy().tobytes()).hexdigest(),
    )


def noise_loss(levels: Levels, smooth_N: Tensor, numbers_N: Tensor) -> float:
    """Return the mean of -ln p of levels, where p knows the series without noise and how the noise is spread."""
    half = (levels.values[1] - levels.values[0]) / 2
    center_N = torch.tensor(levels.values, dtype=torch.float64)[numbers_N]
    upper_N = torch.special.ndtr((center_N + half - smooth_N) / NOISE)
    lower_N = torch.special.ndtr((center_N - half - smooth_N) / NOISE)
    return float(-(upper_N - lower_N).clamp(min=1e-12).log().mean())
