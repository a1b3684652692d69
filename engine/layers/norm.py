"""Layer normalization and RMSNorm, without which deep stacks hardly train. Shape legend: ... any axes, C channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Divides each vector by its root mean square, so that its length no longer matters; then a gain a channel.

    Zhang and Sennrich, Root Mean Square Layer Normalization, 2019. Unlike `nn.LayerNorm` it takes no mean off and adds
    no bias.

    Args:
        channels: C, the length of the vectors.
        gain: whether there is a learned gain; it starts at one.
    """

    def __init__(self, channels: int, *, gain: bool = True) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels)) if gain else None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``...C`` from ``...C``."""
        return nn.functional.rms_norm(x, (self.channels,), self.weight)


def build_norm(name: str, channels: int, *, bias: bool = True) -> nn.Module:
    """Return the normalization called ``layernorm`` or ``rmsnorm`` over `channels`; `bias` concerns the first alone."""
    return nn.LayerNorm(channels, bias=bias) if name == "layernorm" else RMSNorm(channels)
