"""How far made points of a plane are from real ones, and how far real ones are from one another.

Shape legend: N points, D coordinates, M training points.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.core.events import Baseline
from engine.data.batches import seeded
from engine.data.examples import Examples
from engine.look.wasserstein import sliced_wasserstein

MOST = 2000
"""Points that a distance is measured on, at most."""

FLOORS = 8
"""Draws of real points that the floor is the mean of."""


class PointYardstick:
    """Sliced Wasserstein distance between samples and the validation points, one for each.

    Args:
        data: points of a plane.
        conditional: whether samples come with a class; else real points are drawn without a look at theirs too.
        seed: of the directions, and of the draws of real points.

    Attributes:
        labels_N: the classes of the validation points, which samples are to have.
    """

    name = "wasserstein"

    def __init__(self, data: Examples, seed: int, *, conditional: bool) -> None:
        self.data = data
        self.seed = seed
        self.conditional = conditional
        self.labels_N = data.valid_labels[:MOST]

    def wanted(self, *, last: bool) -> Tensor:
        """Return the classes ``N`` of the validation points, whether for the `last` figure or for one on the way."""
        return self.labels_N

    def distance(self, samples: Tensor) -> float:
        """Return the distance of points ``ND`` from the validation points."""
        return self._between(samples, self.data.valid_inputs[: len(samples)])

    def baselines(self) -> Iterator[Baseline]:
        """Yield the floor, which as many real points reach, and what points of one wide Gaussian do."""
        points_MD, metric = self.data.train_inputs, f"valid/{self.name}"
        generator = seeded(self.seed, 0, points_MD.device, stream=33)
        floor = sum(self._floor(generator) for _ in range(FLOORS)) / FLOORS
        which = "training points of the same classes" if self.conditional else "training points at random"
        yield Baseline(metric=metric, name="real points", value=floor, source=f"{which}: the floor")
        noise_ND = torch.randn((len(self.labels_N), 2), generator=generator, device=points_MD.device)
        wide = self.distance(points_MD.mean(0) + points_MD.std(0, correction=0) * noise_ND)
        yield Baseline(metric=metric, name="one Gaussian", value=wide, source="with the data's mean and deviation")

    def _between(self, a_ND: Tensor, b_ND: Tensor) -> float:
        """Return the distance along the directions of the seed, the same ones each time."""
        return float(sliced_wasserstein(a_ND, b_ND, seeded(self.seed, 0, a_ND.device, stream=32)))

    def _floor(self, generator: torch.Generator) -> float:
        """Return the distance of training points at random, one for each validation point: of its class, where samples
        have one; a class without a training point is left out on both sides.
        """
        chance_NM = torch.rand((len(self.labels_N), self.data.size), generator=generator, device=self.labels_N.device)
        valid_ND = self.data.valid_inputs[: len(self.labels_N)]
        if self.conditional:
            alike_NM = self.labels_N[:, None] == self.data.train_labels
            there_N = alike_NM.any(1)
            chance_NM, valid_ND = (chance_NM * alike_NM)[there_N], valid_ND[there_N]
        return self._between(self.data.train_inputs[chance_NM.argmax(1)], valid_ND)
