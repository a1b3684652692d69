"""Muon: momentum whose every update is made orthogonal, for the matrices inside a network.

Keller Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024. The same rule as `torch.optim.Muon`
(tests prove it), and beyond it: convolutions (flattened to one row for each entry of the first axis, an output channel;
of a transposed convolution an input channel), a learning rate that stays on the device, a flag that holds an update
back, and matrices of one shape orthogonalized together.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.train.rules import Group, Rule

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic a·X + b·(XXᵀ)X + c·(XXᵀ)²X; chosen for the steepest slope at zero, not for convergence to exactly
one.
"""

ITERATIONS = 5
MOMENTUM = 0.95


def orthogonalize(matrices_NRC: Tensor, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Return the nearest semi-orthogonal matrices, roughly: all singular values between about 0.5 and 1.5.

    Newton-Schulz iteration, products only, so that it runs in low precision and in a batch. Shapes: N matrices of R
    rows and C columns, in and out.
    """
    a, b, c = COEFFICIENTS
    tall = matrices_NRC.size(-2) > matrices_NRC.size(-1)
    x_NRC = (matrices_NRC.mT if tall else matrices_NRC).to(dtype)
    x_NRC = x_NRC / x_NRC.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram_NRR = x_NRC @ x_NRC.mT
        change_NRR = torch.baddbmm(gram_NRR, gram_NRR, gram_NRR, beta=b, alpha=c)
        x_NRC = torch.baddbmm(x_NRC, change_NRR, x_NRC, beta=a)
    return x_NRC.mT if tall else x_NRC


class Muon(Rule):
    """Nesterov momentum, orthogonalized, with decoupled weight decay; for parameters of two axes or more.

    The step is longer for tall matrices by the square root of rows over columns, which keeps the size of the change
    that it makes in the layer's output independent of the layer's shape.
    """

    def begin(self, parameter: Tensor) -> dict[str, Tensor]:
        """Return a velocity of zero."""
        return {"velocity": torch.zeros_like(parameter)}

    def step_group(self, group: Group, parameters: list[Tensor], gradients: list[Tensor], held: Tensor) -> None:
        """Update those parameters of a group that have a gradient."""
        by_shape: dict[torch.Size, list[int]] = {}
        for place, parameter in enumerate(parameters):
            by_shape.setdefault(parameter.shape, []).append(place)
        for places in by_shape.values():
            self._step_alike(group, [parameters[each] for each in places], [gradients[each] for each in places], held)

    def _step_alike(self, group: Group, parameters: list[Tensor], gradients: list[Tensor], held: Tensor) -> None:
        """Update parameters of one shape."""
        velocities = self.remembered(parameters, "velocity")
        rate = torch.where(held.bool(), 0.0, group.rate)
        gradients = [torch.where(held.bool(), v, gradient) for v, gradient in zip(velocities, gradients, strict=True)]
        torch._foreach_lerp_(velocities, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, velocities, MOMENTUM)
        rows = parameters[0].shape[0]
        update_NRC = orthogonalize(torch.stack([each.reshape(rows, -1) for each in ahead])).to(parameters[0].dtype)
        stretch = max(1.0, rows / update_NRC.size(-1)) ** 0.5
        updates = [each.view(parameters[0].shape) for each in (update_NRC * (rate * -stretch)).unbind()]
        torch._foreach_mul_(parameters, 1 - rate * group.decay)
        torch._foreach_add_(parameters, updates)
