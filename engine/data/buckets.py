"""Batches of pairs of like length, so that little of them is padding.

Shape legend: N pairs of a group, B batch, S source tokens, T target tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from engine.data.batches import Batch, Shuffled, seeded

Tokens = Sequence[int]


def grouped(
    pairs: Sequence[tuple[Tokens, Tokens]], groups: int, pad: int, device: torch.device
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return the pairs in groups of like length and of equal size, give or take one, each padded to its own longest:
    ``source_NS, target_NT`` and the numbers of the pairs, int64.
    """
    order = sorted(range(len(pairs)), key=lambda number: (sum(map(len, pairs[number])), number))
    found = []
    for numbers_N in torch.tensor(order).tensor_split(max(1, min(groups, len(order)))):
        sides = zip(*(pairs[number] for number in numbers_N.tolist()), strict=True)
        source_NS, target_NT = (
            pad_sequence([torch.tensor(tokens) for tokens in side], batch_first=True, padding_value=pad).to(device)
            for side in sides
        )
        found.append((source_NS, target_NT, numbers_N.to(device)))
    return found


class Buckets:
    """Shuffled batches, each from one group; in every round each group has its turn once, in an order of chance.

    `at` gives ``source_BS, target_BT`` and the mean number of target tokens that a pair of the batch has to predict,
    once for each of them, ``B``: a batch that is cut into pieces still weighs each token alike.

    Args:
        groups: ``source_NS, target_NT`` each, as many pairs in one as in another.
        batch_size: pairs a batch.
        seed: of the order.
        pad: the token that is no token.
    """

    def __init__(self, groups: Sequence[tuple[Tensor, Tensor]], batch_size: int, seed: int, pad: int) -> None:
        self.groups = [Shuffled(group, batch_size, seed) for group in groups]
        self.seed = seed
        self.pad = pad

    @property
    def epoch_steps(self) -> float:
        """How many steps see every pair once."""
        return sum(group.epoch_steps for group in self.groups)

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        turn, place = divmod(step, len(self.groups))
        order = torch.randperm(len(self.groups), generator=seeded(self.seed, turn, torch.device("cpu"), stream=5))
        source_BS, target_BT = self.groups[int(order[place])].at(turn)
        predicted_B = (target_BT[:, 1:] != self.pad).float().sum(1).mean().expand(len(target_BT))
        return source_BS, target_BT, predicted_B
