"""More pictures from the same: moved by some pixels, mirrored. Each change is a pure function of seed and step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.data.batches import Batch, Shuffled, seeded


class Augmented:
    """Shuffled batches of pictures whose every appearance differs a little from the last.

    Shape legend: N pictures, C channels, H height, W width.

    Args:
        batches: of pictures ``NCHW``, as they are kept, and whatever belongs to them.
        prepare: what is done to the changed pictures (bytes to floats).
        seed: of the changes.
        shift: how many pixels a picture moves at most along each axis; its edge is repeated where it leaves a gap.
        mirror: whether each picture is mirrored in every other epoch, a random half of them in the even ones (Keller
            Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, 2024: alternating flip).
    """

    def __init__(
        self, batches: Shuffled, prepare: Callable[[Tensor], Tensor], seed: int, *, shift: int, mirror: bool
    ) -> None:
        self.batches = batches
        self.prepare = prepare
        self.seed = seed
        self.shift = shift
        self.mirror = mirror
        side_N = torch.randint(2, (batches.examples,), generator=seeded(seed, 0, torch.device("cpu"), stream=5))
        self._side_N = side_N.to(batches.tensors[0].device)

    @property
    def epoch_steps(self) -> float:
        """How many steps see every example once."""
        return self.batches.epoch_steps

    def at(self, step: int) -> Batch:
        """Return the changed batch of a step."""
        picked_N, epoch_N = self.batches.picked(step)
        pictures_NCHW, *others = self.batches.gather(picked_N)
        rows_NH, columns_NW = self._places(pictures_NCHW, step)
        if self.mirror:
            mirrored_N1 = ((self._side_N[picked_N] + epoch_N) % 2 == 1)[:, None]
            columns_NW = torch.where(mirrored_N1, columns_NW.flip(1), columns_NW)
        n, c = (torch.arange(length, device=picked_N.device) for length in pictures_NCHW.shape[:2])
        changed_NCHW = pictures_NCHW[
            n[:, None, None, None], c[None, :, None, None], rows_NH[:, None, :, None], columns_NW[:, None, None, :]
        ]
        return (self.prepare(changed_NCHW), *others)

    def _places(self, pictures_NCHW: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return which row and which column of the original each row and column of a moved picture shows."""
        count, _, height, width = pictures_NCHW.shape
        device = pictures_NCHW.device
        rows_NH = torch.arange(height, device=device).expand(count, height)
        columns_NW = torch.arange(width, device=device).expand(count, width)
        if not self.shift:
            return rows_NH, columns_NW
        generator = seeded(self.seed, step, device, stream=6)
        move_2N = torch.randint(2 * self.shift + 1, (2, count), generator=generator, device=device) - self.shift
        return (
            (rows_NH + move_2N[0, :, None]).clamp(0, height - 1),
            (columns_NW + move_2N[1, :, None]).clamp(0, width - 1),
        )
