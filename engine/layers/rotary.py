"""Rotary positions: a position turns a vector, so that a dot product of two sees only how far they are apart.

Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021. Channels are paired as in GPT-NeoX and
Llama, the first half with the second, which needs no shuffling; the paper pairs neighbors, and the two differ by a
fixed reordering of channels. Shape legend: B batch, T time, H heads, K width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BASE = 10_000.0
"""The slowest pair takes up to 2π times this many positions for one turn."""


class Rotary(nn.Module):
    """Turns queries and keys by angles that grow with their position; nothing in it is learned.

    Args:
        width: K, even.
        positions: how many positions the table holds.
    """

    cosines: Tensor
    sines: Tensor

    def __init__(self, width: int, positions: int) -> None:
        super().__init__()
        speeds = BASE ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        angles = torch.arange(positions, dtype=torch.float64)[:, None] * speeds
        self.register_buffer("cosines", angles.cos().float().repeat(1, 2), persistent=False)
        self.register_buffer("sines", torch.cat([-angles.sin(), angles.sin()], dim=1).float(), persistent=False)

    def forward(self, x_BHTK: Tensor, start: int = 0) -> Tensor:
        """Return the vectors turned; the first of the T stands at position `start`.

        Each pair (a, b), one from either half, becomes (a cos - b sin, a sin + b cos).
        """
        stop = start + x_BHTK.size(-2)
        cos_TK, sin_TK = (table[start:stop].to(x_BHTK.dtype) for table in (self.cosines, self.sines))
        return x_BHTK * cos_TK + x_BHTK.roll(x_BHTK.size(-1) // 2, dims=-1) * sin_TK
