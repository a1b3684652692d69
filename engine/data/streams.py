"""A long sequence read as streams side by side, for models that carry a state from one stretch to the next.

Shape legend: B streams, T time (items of a stretch), N items of the whole sequence.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.batches import Batch, seeded


class Streams:
    """A sequence cut into B streams of one length, each read stretch by stretch, then all over again.

    `at` gives ``(x_BT, y_BT, stream_B, carried_B)``: what is read, the same one item on, the number of each row's
    stream, and 1 where the row goes on from the stretch before it, 0 where the stream starts over. What is left over
    stays out, at the front or at the end, by a draw for each pass.

    Args:
        sequence_N: what is read, on its device.
        length: T.
        streams: B.
        seed: of what is left out.
        carry: whether any stretch goes on from the one before.

    Raises:
        DataError: the sequence is too short.
    """

    def __init__(self, sequence_N: Tensor, length: int, streams: int, seed: int, *, carry: bool = True) -> None:
        if len(sequence_N) <= length * streams:
            raise DataError(
                f"{len(sequence_N):,} symbols are too few for {streams} streams of {length}.",
                "Use longer data, a smaller batch_size or a shorter context.",
            )
        device = sequence_N.device
        self.sequence_N = sequence_N
        self.length = length
        self.stretches = (len(sequence_N) - 1) // (length * streams)
        """In a stream."""
        self.seed = seed
        self._left_over = len(sequence_N) - 1 - self.stretches * length * streams
        self._stream_B = torch.arange(streams, device=device)
        self._places_BT = self._stream_B[:, None] * (self.stretches * length) + torch.arange(length + 1, device=device)
        self._new_B = torch.zeros(streams, device=device)
        self._carried_B = torch.ones(streams, device=device) if carry else self._new_B

    @property
    def epoch_steps(self) -> float:
        """How many steps read the whole sequence once."""
        return float(self.stretches)

    def at(self, step: int) -> Batch:
        """Return the stretches of a step."""
        reading, stretch = divmod(step, self.stretches)
        window_BT = self.sequence_N[self._places_BT + (self._first(reading) + stretch * self.length)]
        carried_B = self._carried_B if stretch else self._new_B
        return window_BT[:, :-1], window_BT[:, 1:], self._stream_B, carried_B

    def _first(self, reading: int) -> int:
        """Return where the first stream of a pass begins."""
        generator = seeded(self.seed, reading, torch.device("cpu"))
        return int(torch.randint(self._left_over + 1, (), generator=generator))


def warm_streams(sequence_N: Tensor, streams: int, length: int, warm: int) -> Iterator[Batch]:
    """Yield a whole sequence once, as streams side by side that know what came before them.

    The protocol behind "full split, carried state": every item but the first is predicted exactly once. To begin with
    each stream reads the `warm` items before its own part, which are not counted; the first has none before it and
    starts cold, as the whole sequence does.

    Yields:
        ``(x_BT, y_BT, counted_BT, carried_B)``, stretches of at most `length`: read, to predict, whether this
        prediction counts, and 0 where the state has to be blank.
    """
    predictions = len(sequence_N) - 1
    own = -(-predictions // streams)
    starts_B = torch.arange(0, predictions, own)
    ends_B = (starts_B + own).clamp(max=predictions)
    warm = min(warm, own)
    for first in [*range(-warm, 0, length), *range(0, own, length)]:
        last = min(first + length, 0 if first < 0 else own)
        places_BT = starts_B[:, None] + torch.arange(first, last)
        counted_BT = (places_BT >= starts_B[:, None]) & (places_BT < ends_B[:, None])
        carried_B = torch.ones(len(starts_B)) if first > -warm else torch.zeros(len(starts_B))
        if first == 0:
            carried_B[0] = 0.0
        places_BT = places_BT.clamp(0, predictions - 1).to(sequence_N.device)
        rest = (counted_BT.to(sequence_N.device), carried_B.to(sequence_N.device))
        yield sequence_N[places_BT], sequence_N[places_BT + 1], *rest
