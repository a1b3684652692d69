"""Averaged weights: a second, slower copy of a model that is evaluated in place of the one that is trained.

Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992; here with exponentially fading memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


class Average:
    """The exponential moving average of all trained parameters of some modules.

    Args:
        parameters: by dotted name; the averages start as their copies.
        decay: share of the old average that an update keeps. Early on less is kept, or the start would be remembered.
    """

    def __init__(self, parameters: Mapping[str, Tensor], decay: float) -> None:
        self.names = list(parameters)
        self.parameters = [each.detach() for each in parameters.values()]
        self.averages = [each.clone() for each in self.parameters]
        self.decay = decay
        self.updates = torch.zeros((), device=self.parameters[0].device)

    @torch.no_grad()
    def update(self, held: Tensor) -> None:
        """Move the averages towards the weights, or change nothing where the 0-d float tensor `held` is 1; nothing
        waits for the device.
        """
        self.updates += 1 - held
        keep = torch.where(held.bool(), 1.0, ((1 + self.updates) / (10 + self.updates)).clamp(max=self.decay))
        torch._foreach_mul_(self.averages, keep)
        torch._foreach_add_(self.averages, torch._foreach_mul(self.parameters, 1 - keep))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages in the place of the weights, and the weights back afterwards, to the bit."""
        weights = [each.clone() for each in self.parameters]
        torch._foreach_copy_(self.parameters, self.averages)
        try:
            yield
        finally:
            torch._foreach_copy_(self.parameters, weights)

    def take(self, updates: Tensor) -> None:
        """Start again from the present weights as averages that were moved `updates` times."""
        torch._foreach_copy_(self.averages, self.parameters)
        self.updates.copy_(updates)
