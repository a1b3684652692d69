"""How good samples are: points by their distance from real ones, pictures in the eyes of a small classifier.

Shape legend: N samples, C channels, H height, W width, F features.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Protocol

from torch import Tensor

from engine.core.events import Baseline
from engine.families.diffusion.seen import Seen
from engine.families.diffusion.spec import DiffusionSpec
from engine.look.fid import JUDGES, Judge, Make, frechet, unit_pictures
from engine.look.lines import SAMPLES, reference_lines
from engine.look.points import PointYardstick

WHILE_TRAINING = 2000
"""Pictures of a figure on the way; the last one is of `SAMPLES`, and comes out lower."""


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


def yardstick(seen: Seen, spec: DiffusionSpec, seed: int) -> Yardstick | None:
    """Return the measure for these data; None for pictures that no judge knows, such as those of a person's folder,
    whatever its name, and for pictures that cannot be averaged to the size that the judge looks at.
    """
    if seen.is_plane:
        return PointYardstick(seen.data, seed, conditional=spec.conditional)
    make = JUDGES.get(spec.data)
    return None if make is None or seen.shape[-1] % make.side else PictureYardstick(seen, make, seed)


class PictureYardstick:
    """Classifier-FID between samples and the validation pictures, both averaged to the size that the judge looks at.

    Args:
        seen: the pictures.
        make: of the judge that knows them.
        seed: of the chance in the reference lines.
    """

    name = "fid"

    def __init__(self, seen: Seen, make: Make, seed: int) -> None:
        self.seen = seen
        self.make = make
        self.seed = seed

    @cached_property
    def judge(self) -> Judge:
        """Whose eyes count."""
        return Judge.load(self.seen.data.mean.device, self.make.data)

    @cached_property
    def real_features(self) -> Tensor:
        """What the judge sees in the validation pictures, ``NF``."""
        return self.judge.features(self._judged(self.seen.data.valid_inputs))

    def wanted(self, *, last: bool) -> Tensor:
        """Return the classes of the validation pictures, over again where they are few."""
        labels_N = self.seen.data.valid_labels
        count = SAMPLES if last else WHILE_TRAINING
        return labels_N.repeat(-(-count // len(labels_N)))[:count]

    def distance(self, samples: Tensor) -> float:
        """Return the classifier-FID of pictures ``N1HW`` in [0, 1]."""
        return frechet(self.judge.features(unit_pictures(samples, self.make.side, 1.0)), self.real_features)

    def _judged(self, kept_NCHW: Tensor) -> Tensor:
        """Return kept pictures as the judge sees them."""
        return unit_pictures(kept_NCHW, self.make.side, self.seen.data.peak)

    def baselines(self) -> Iterator[Baseline]:
        """Yield the floor, a Gaussian for each class, and the ceiling."""
        data = self.seen.data
        train, valid = self._judged(data.train_inputs), self._judged(data.valid_inputs)
        yield from reference_lines(self.judge, train, data.train_labels, valid, self.seed)
