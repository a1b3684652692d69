"""Training batches from tensors on the device; which examples come when is a pure function of seed and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Batch = tuple[Tensor, ...]


def seeded(seed: int, number: int, device: torch.device, stream: int = 0) -> torch.Generator:
    """Return a generator on `device` for one epoch or step of one stream of chance; near seeds share nothing.

    The words are mixed by the finalizer of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
    generators, 2014), because seeds that differ in few bits give generators that resemble one another at first.
    """
    mixed = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 + stream * 0x94D049BB133111EB) % 2**64
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) % 2**64
    return torch.Generator(device).manual_seed((mixed ^ (mixed >> 31)) % 2**63)


class Shuffled:
    """Batches of examples in a new random order every epoch.

    The epochs follow one another without a gap, so that every batch is full: one may hold the end of an epoch and the
    start of the next, and where the data are few it holds several epochs.

    Args:
        tensors: what belongs together, examples along the first axis, on one device.
        batch_size: examples a batch.
        seed: of the order.
        prepare: what is done to the picked inputs, the first of the tensors (say, bytes to floats).
    """

    def __init__(
        self, tensors: tuple[Tensor, ...], batch_size: int, seed: int, prepare: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self.tensors = tensors
        self.examples = len(tensors[0])
        self.batch_size = batch_size
        self.seed = seed
        self.prepare = prepare
        self._orders: dict[int, Tensor] = {}

    @property
    def epoch_steps(self) -> float:
        """How many steps see every example once."""
        return self.examples / self.batch_size

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        return self.gather(self.picked(step)[0])

    def gather(self, picked_N: Tensor) -> Batch:
        """Return the batch of the examples of those numbers."""
        first, *others = (tensor.index_select(0, picked_N) for tensor in self.tensors)
        return (self.prepare(first) if self.prepare else first, *others)

    def picked(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the numbers of the examples of a step, and the epoch in which each is seen."""
        epoch, start = divmod(step * self.batch_size, self.examples)
        parts: list[Tensor] = []
        epochs: list[Tensor] = []
        missing = self.batch_size
        while missing:
            part = self._order(epoch)[start : start + missing]
            parts.append(part)
            epochs.append(torch.full_like(part, epoch))
            missing -= len(part)
            epoch, start = epoch + 1, 0
        return (parts[0], epochs[0]) if len(parts) == 1 else (torch.cat(parts), torch.cat(epochs))

    def _order(self, epoch: int) -> Tensor:
        """Return the order of an epoch; the last few are kept."""
        if epoch not in self._orders:
            for old in [each for each in self._orders if each < epoch - 1]:
                del self._orders[old]
            device = self.tensors[0].device
            self._orders[epoch] = torch.randperm(
                self.examples, generator=seeded(self.seed, epoch, device), device=device
            )
        return self._orders[epoch]


def in_order(
    tensors: tuple[Tensor, ...], batch_size: int, prepare: Callable[[Tensor], Tensor] | None = None
) -> Iterator[Batch]:
    """Yield every example once, in the order in which they lie; the last batch may be short."""
    for start in range(0, len(tensors[0]), batch_size):
        first, *others = (tensor[start : start + batch_size] for tensor in tensors)
        yield (prepare(first) if prepare else first, *others)
