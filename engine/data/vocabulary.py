"""A vocabulary as one tensor, so that it travels inside a checkpoint with the weights that mean nothing without it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SEPARATOR = "\0"
"""Between words; no text that we load has one."""


def pack(words: Sequence[str]) -> Tensor:
    """Return the words as bytes, uint8."""
    return torch.frombuffer(bytearray(SEPARATOR.join(words).encode()), dtype=torch.uint8).clone()


def unpack(packed: Tensor) -> tuple[str, ...]:
    """Return the words that `pack` was given."""
    return tuple(bytes(packed.cpu().tolist()).decode().split(SEPARATOR))
