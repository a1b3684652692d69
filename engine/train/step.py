"""One update: forward, backward, gradient norm, clipping, the optimizers' step. Nothing here waits for the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from engine.train.learner import Batch, Learner


def update(learner: Learner, batch: Batch) -> dict[str, Tensor]:
    """Descend the learner's loss on `batch` by one step, and return detached 0-d scalars with ``gradient_norm``."""
    scalars = descend(learner, batch, learner.loss)
    if learner.average is not None:
        learner.average.update(unusable(scalars))
    return scalars


def descend(
    learner: Learner,
    batch: Batch,
    loss: Callable[[Batch], dict[str, Tensor]],
    parameters: list[Tensor] | None = None,
) -> dict[str, Tensor]:
    """Move the weights by one step down `loss`; where `parameters` are given, those alone: no other has a gradient.

    A step whose loss or gradient is not finite changes nothing: a flag on the device holds the optimizers back, and the
    loop finds the number when its scalars next cross to the host.
    """
    optimizers = learner.optimizers
    optimizers.clear()
    scalars = accumulate_gradients(learner, batch, loss, parameters)
    gradients = optimizers.gradients()
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    scalars = {**scalars, "gradient_norm": norm}
    if learner.spec.clip > 0:
        torch._foreach_mul_(gradients, (learner.spec.clip / (norm + 1e-6)).clamp(max=1.0))
    optimizers.step(unusable(scalars))
    return scalars


def unusable(scalars: dict[str, Tensor]) -> Tensor:
    """Return 1 where the loss or the gradient of a step is not finite and nothing may be learned from it, else 0; 0-d
    floats on the device.
    """
    return (~torch.isfinite(scalars["loss"] + scalars["gradient_norm"])).float()


def accumulate_gradients(
    learner: Learner,
    batch: Batch,
    loss: Callable[[Batch], dict[str, Tensor]],
    parameters: list[Tensor] | None = None,
) -> dict[str, Tensor]:
    """Add up the gradients of the batch, piece by piece where it does not fit as a whole; return the mean scalars."""
    pieces = split(batch, learner.micro_batches)
    samples = len(batch[0])
    totals: dict[str, Tensor] = {}
    for piece in pieces:
        share = len(piece[0]) / samples
        with learner.autocast():
            scalars = loss(piece)
        part_of_loss = scalars["loss"] if share == 1.0 else scalars["loss"] * share
        part_of_loss.backward(inputs=parameters)
        for name, value in scalars.items():
            part = value.detach() * share if share != 1.0 else value.detach()
            totals[name] = totals[name] + part if name in totals else part
    return totals


def split(batch: Batch, pieces: int) -> list[Batch]:
    """Cut a batch along its first axis into at most `pieces` batches."""
    if pieces == 1:
        return [batch]
    return list(zip(*(tensor.chunk(pieces) for tensor in batch), strict=True))
