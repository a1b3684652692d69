"""How good samples are: points by their distance from real ones, pictures in the eyes of a small classifier.

Shape legend: N samples, D coordinates, H height, W width, F features, M training examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from engine.core.events import Baseline
from engine.data.batches import seeded
from engine.data.examples import Examples
from engine.families.diffusion.seen import Seen
from engine.look.fid import JUDGES, Judge, frechet
from engine.look.lines import SAMPLES, reference_lines
from engine.look.wasserstein import sliced_wasserstein

WHILE_TRAINING = 2000
"""Samples of a figure on the way, at most; the last one is of `SAMPLES` pictures, and comes out lower."""

FLOORS = 8
"""Draws of real points that the floor is the mean of."""


class Yardstick(Protocol):
    """A measure of samples."""

    name: str
    """Of the figure, after ``valid/``."""

    def wanted(self, *, last: bool) -> Tensor:
        """Return the classes ``N`` that samples are wanted of, for a figure on the way or the last one."""

    def distance(self, samples: Tensor) -> float:
        """Return how far such samples are from real data, as people see them; less is better."""

    def baselines(self) -> Iterator[Baseline]:
        """Yield what real data and simple models reach."""


def yardstick(seen: Seen, seed: int, *, conditional: bool) -> Yardstick | None:
    """Return the measure for these data; None for pictures that no judge knows."""
    data = seen.data
    if seen.is_plane:
        return PointYardstick(data, seed, conditional=conditional)
    known = data.name in JUDGES and JUDGES[data.name].side == seen.shape[-1]
    return PictureYardstick(seen, seed) if known else None


class PointYardstick:
    """Sliced Wasserstein distance between samples and the validation points, one for each.

    Args:
        data: points of a plane.
        conditional: whether samples come with a class; else real points are drawn without a look at theirs too.
        seed: of the directions.
    """

    name = "wasserstein"

    def __init__(self, data: Examples, seed: int, *, conditional: bool) -> None:
        self.data = data
        self.seed = seed
        self.conditional = conditional
        self.labels_N = data.valid_labels[:WHILE_TRAINING]

    def wanted(self, *, last: bool) -> Tensor:
        """Return the classes of the validation points."""
        return self.labels_N

    def distance(self, samples: Tensor) -> float:
        """Return the distance of points ``ND`` from the validation points."""
        generator = seeded(self.seed, 0, samples.device, stream=32)
        return float(sliced_wasserstein(samples, self.data.valid_inputs[: len(samples)], generator))

    def baselines(self) -> Iterator[Baseline]:
        """Yield the floor, which as many real points reach, and what points of one wide Gaussian do."""
        points_MD, metric = self.data.train_inputs, f"valid/{self.name}"
        generator = seeded(self.seed, 0, points_MD.device, stream=33)
        floor = sum(self.distance(self._real_points(generator)) for _ in range(FLOORS)) / FLOORS
        yield Baseline(metric=metric, name="real points", value=floor, source="the training split: the floor")
        noise_ND = torch.randn((len(self.labels_N), 2), generator=generator, device=points_MD.device)
        wide = self.distance(points_MD.mean(0) + points_MD.std(0) * noise_ND)
        yield Baseline(metric=metric, name="one Gaussian", value=wide, source="with the data's mean and deviation")

    def _real_points(self, generator: torch.Generator) -> Tensor:
        """Return training points at random, one for each validation point: of its class, where samples have one."""
        chance_NM = torch.rand((len(self.labels_N), self.data.size), generator=generator, device=self.labels_N.device)
        if self.conditional:
            chance_NM = chance_NM * (self.labels_N[:, None] == self.data.train_labels)
        return self.data.train_inputs[chance_NM.argmax(1)]


class PictureYardstick:
    """Classifier-FID between samples and the validation pictures.

    Args:
        seen: the pictures; there is a judge of their kind and size.
        seed: of the chance in the reference lines.
    """

    name = "fid"

    def __init__(self, seen: Seen, seed: int) -> None:
        self.seen = seen
        self.seed = seed

    @cached_property
    def judge(self) -> Judge:
        """Whose eyes count."""
        return Judge.load(self.seen.data.mean.device, self.seen.data.name)

    @cached_property
    def real_features(self) -> Tensor:
        """What the judge sees in the validation pictures, ``NF``."""
        return self.judge.features(self.seen.shown(self.seen.data.valid_inputs))

    def wanted(self, *, last: bool) -> Tensor:
        """Return the classes of the validation pictures, over again where they are few."""
        labels_N = self.seen.data.valid_labels
        count = SAMPLES if last else WHILE_TRAINING
        return labels_N.repeat(-(-count // len(labels_N)))[:count]

    def distance(self, samples: Tensor) -> float:
        """Return the classifier-FID of pictures ``N1HW`` in [0, 1]."""
        return frechet(self.judge.features(samples), self.real_features)

    def baselines(self) -> Iterator[Baseline]:
        """Yield the floor, a Gaussian for each class, and the ceiling."""
        data = self.seen.data
        train, valid = self.seen.shown(data.train_inputs), self.seen.shown(data.valid_inputs)
        yield from reference_lines(self.judge, train, data.train_labels, valid, self.seed)
