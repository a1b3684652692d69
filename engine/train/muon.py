"""Muon: momentum whose every update is made orthogonal, for the matrices inside a network.

Keller Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024. The same rule as `torch.optim.Muon`,
and beyond it: convolutions (flattened to one row a filter), a learning rate that stays on the device, updates that a flag
on the device can hold back, and matrices of one shape orthogonalized together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic a·X + b·(XXᵀ)X + c·(XXᵀ)²X; chosen for the steepest slope at zero, not for convergence to exactly one."""

ITERATIONS = 5


def orthogonalize(matrices_NRC: Tensor, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Return the nearest semi-orthogonal matrices, roughly: all singular values between about 0.5 and 1.5.

    Newton-Schulz iteration, products only, so that it runs in low precision and in a batch. Shapes: N matrices of R rows
    and C columns, in and out.
    """
    a, b, c = COEFFICIENTS
    tall = matrices_NRC.size(-2) > matrices_NRC.size(-1)
    x_NRC = matrices_NRC.mT if tall else matrices_NRC
    x_NRC = x_NRC.to(dtype)
    x_NRC = x_NRC / x_NRC.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram_NRR = x_NRC @ x_NRC.mT
        x_NRC = a * x_NRC + (b * gram_NRR + c * gram_NRR @ gram_NRR) @ x_NRC
    return x_NRC.mT if tall else x_NRC


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalized, with decoupled weight decay; for parameters of two axes or more.

    The step is longer for tall matrices by the square root of rows over columns, which keeps the size of the change that it
    makes in the layer's output independent of the layer's shape.

    Attributes:
        found_inf: set to a 0-d tensor whose value 1 makes the next step change nothing, as the fused optimizers of torch.
    """

    found_inf: Tensor | None = None

    def __init__(
        self, parameters: Iterable[Any], lr: Tensor, weight_decay: float = 0.0, momentum: float = 0.95,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Make one update of every parameter that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for alike in by_shape.values():
                self._step_alike(alike, group)

    def _step_alike(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Update parameters of one shape."""
        lr, momentum = group["lr"], group["momentum"]
        gradients = [parameter.grad for parameter in parameters]
        velocities = [self.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter)) for parameter in parameters]
        if self.found_inf is not None:
            held = self.found_inf.bool()
            lr = torch.where(held, 0.0, lr)
            gradients = [torch.where(held, velocity, gradient) for gradient, velocity in zip(gradients, velocities, strict=True)]
        torch._foreach_lerp_(velocities, gradients, 1 - momentum)
        ahead = torch._foreach_lerp(gradients, velocities, momentum)
        rows = parameters[0].shape[0]
        update_NRC = torch.stack([each.reshape(rows, -1) for each in ahead])
        update_NRC = orthogonalize(update_NRC, self.dtype).to(parameters[0].dtype)
        stretch = max(1.0, rows / update_NRC.size(-1)) ** 0.5
        updates = [each.view(parameters[0].shape) for each in (update_NRC * (lr * -stretch)).unbind()]
        torch._foreach_mul_(parameters, 1 - lr * group["weight_decay"])
        torch._foreach_add_(parameters, updates)
