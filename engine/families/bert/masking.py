"""What BERT learns from: a window of text in which some places are hidden, and what stood there.

Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding, 2019, section 3.1. As
in their program, every window loses the same number of places: the shapes stay fixed, and the model's last layer
computes scores at the hidden places alone.

Shape legend: B windows, T time (tokens of a window), K hidden places.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.data.batches import Batch, seeded
from engine.data.text import Windows
from engine.families.bert.vocabulary import FIRST, MASK

KINDS = ("mask", "random", "kept")
"""What stands at a hidden place in the end: [MASK], some other token, or the token itself."""

STREAM = 5
"""Of chance, for masking while it trains."""


@dataclass(frozen=True, slots=True)
class Masking:
    """How much of a text is hidden, and how.

    Args:
        vocabulary: how many tokens there are, special ones included.
        rate: share of the places that are hidden.
        mask: share of the hidden places where [MASK] stands.
        random: share of the hidden places where some token stands; at the rest the token stays.
    """

    vocabulary: int
    rate: float = 0.15
    mask: float = 0.8
    random: float = 0.1

    def places(self, length: int) -> int:
        """Return how many places of a window are hidden."""
        return max(1, round(self.rate * length))

    def hide(self, x_BT: Tensor, generator: torch.Generator) -> Batch:
        """Return windows with hidden places, ``BT``; the places, what stood there, and its kind, each ``BK``.

        Places of special tokens are hidden last.
        """
        device, K = x_BT.device, self.places(x_BT.size(1))
        chance_BT = torch.rand(x_BT.shape, generator=generator, device=device)
        places_BK = chance_BT.masked_fill(x_BT < FIRST, 2.0).topk(K, largest=False).indices
        targets_BK = x_BT.gather(1, places_BK)
        fate_BK = torch.rand(places_BK.shape, generator=generator, device=device)
        other_BK = torch.randint(FIRST, self.vocabulary, places_BK.shape, generator=generator, device=device)
        changed = self.mask + self.random
        kinds_BK = (fate_BK >= self.mask).long() + (fate_BK >= changed).long()
        stands_BK = torch.where(kinds_BK == 0, MASK, torch.where(kinds_BK == 1, other_BK, targets_BK))
        return x_BT.scatter(1, places_BK, stands_BK), places_BK, targets_BK, kinds_BK


class MaskedWindows:
    """Random windows of a text with hidden places: ``(x_BT, places_BK, targets_BK)``.

    Windows and places are drawn anew for every step ("dynamic masking": Liu et al., RoBERTa, 2019), from seed and step
    alone.
    """

    def __init__(self, windows: Windows, masking: Masking) -> None:
        self.windows = windows
        self.masking = masking

    @property
    def epoch_steps(self) -> float:
        """How many steps see as many tokens as the text has."""
        return self.windows.epoch_steps

    def at(self, step: int) -> Batch:
        """Return the windows of a step."""
        x_BT, _ = self.windows.at(step)
        generator = seeded(self.windows.seed, step, x_BT.device, stream=STREAM)
        return self.masking.hide(x_BT, generator)[:3]


def fixed_windows(tokens: Tensor, length: int, batch_size: int, masking: Masking) -> list[Batch]:
    """Return the whole text in windows that follow one another, ``(x_BT, places_BK, targets_BK, kinds_BK)`` each, on
    the text's device. The rest that fills no window comes last, as a shorter one.

    The same arguments give the same places, on every device: they are drawn on the CPU.
    """
    cpu = torch.device("cpu")
    whole = len(tokens) // length
    rows = list(tokens[: whole * length].view(whole, length).split(batch_size)) if whole else []
    if whole * length < len(tokens):
        rows.append(tokens[None, whole * length :])
    hidden = (masking.hide(row_BT.to(cpu), seeded(0, number, cpu)) for number, row_BT in enumerate(rows))
    return [tuple(tensor.to(tokens.device) for tensor in window) for window in hidden]
