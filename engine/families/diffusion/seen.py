"""Examples as the network sees them, and what it makes as people do.

Shape legend: N examples, ... the axes of one example, D coordinates, C channels, H height, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.examples import Examples
from engine.families.diffusion.spec import DiffusionSpec
from engine.look.fid import unit_pictures


class Seen:
    """Points with mean 0 and deviation 1, pictures pooled and within [-1, 1].

    Args:
        data: as they are kept.
        spec: says how pictures are pooled, and how often they are halved.

    Raises:
        DataError: the data are neither points of a plane nor pictures, or the pictures cannot be halved so often.
    """

    def __init__(self, data: Examples, spec: DiffusionSpec) -> None:
        if getattr(data, "layout", "") not in ("plane", "pictures") or not data.classes:
            raise DataError(
                f"{data.name} holds neither points of a plane nor pictures.",
                "Choose ring, moons, digits, mnist, fashion-mnist, cifar-10 or a folder of pictures by class.",
            )
        self.data = data
        self.is_plane = data.layout == "plane"
        if self.is_plane:
            self.shape = data.shape
            places_ND = self.prepare(data.train_inputs)
            self.low, self.high = places_ND.amin(0), places_ND.amax(0)
            return
        channels, full, _ = data.shape
        if full % (spec.pool * 2 ** (spec.stages - 1)):
            raise DataError(
                f"Pictures of {full} pixels cannot be pooled by {spec.pool} and then halved {spec.stages - 1} times.",
                "Use fewer stages, or another pool: the side has to stay a whole number.",
            )
        self.shape = (channels, full // spec.pool, full // spec.pool)
        self.low, self.high = data.mean.new_tensor(-1.0), data.mean.new_tensor(1.0)

    def prepare(self, kept: Tensor) -> Tensor:
        """Return kept inputs ``N...`` as the network sees them."""
        return self.data.prepare(kept) if self.is_plane else 2 * self.shown(kept) - 1

    def shown(self, kept: Tensor) -> Tensor:
        """Return kept inputs ``N...`` in the units of `restored`."""
        return kept if self.is_plane else unit_pictures(kept, self.shape[-1], self.data.peak)

    def restored(self, made: Tensor) -> Tensor:
        """Return what the network made, ``N...``, as people see it: points where they belong, pictures in [0, 1]."""
        if self.is_plane:
            return made * self.data.deviation + self.data.mean
        return (made.clamp(-1, 1) + 1) / 2

    def settled(self, data: Tensor) -> Tensor:
        """Return guessed data ``N...`` within the range of the data, which no mean of what is possible leaves."""
        return data.clamp(self.low, self.high)


def evenly(count: int, classes: int, device: torch.device) -> Tensor:
    """Return class numbers ``N``, all classes in turn."""
    return torch.arange(count, device=device) % max(1, classes)
