"""The rules that turn gradients into steps: SGD, momentum, AdamW.

They agree with `torch.optim` (tests prove it) and differ in three things: learning rates are 0-d tensors on the device,
so that a schedule or a person can turn them while a captured step goes on reading the same place; a flag on the device
holds an update back whose gradient is not finite; and building one does not load torch's compiler, which takes seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

FUSED = ("cpu", "cuda")
"""Devices with one kernel for a whole update that reads rate and flag as tensors; others run the rule as it is
written.
"""

ADAM_BETAS = (0.9, 0.99)
"""Memory of AdamW's two averages; the second shorter than usual (0.999), because our runs are short."""

ADAM_EPSILON = 1e-8
MOMENTUM = 0.9


@dataclass(slots=True)
class Group:
    """Parameters that share a learning rate and a pull towards zero."""

    parameters: list[Tensor]
    rate: Tensor
    """The learning rate of the next step, 0-d, on the device."""
    share: float = 1.0
    """What it is at full height, relative to the knob."""
    decay: float = 0.0
    decays: bool = True
    """Whether the knob ``weight_decay`` concerns this group."""


class Rule(ABC):
    """An update rule over groups of parameters; what it remembers of each is in `state`, by name."""

    def __init__(self, groups: list[Group]) -> None:
        self.groups = [group for group in groups if group.parameters]
        self.state: dict[Tensor, dict[str, Tensor]] = {}
        for group in self.groups:
            for parameter in group.parameters:
                self.state[parameter] = self.begin(parameter)

    @abstractmethod
    def begin(self, parameter: Tensor) -> dict[str, Tensor]:
        """Return what the rule remembers of a parameter before its first step."""

    @abstractmethod
    def step_group(self, group: Group, parameters: list[Tensor], gradients: list[Tensor], held: Tensor) -> None:
        """Update those parameters of a group that have a gradient."""

    @torch.no_grad()
    def step(self, held: Tensor) -> None:
        """Make one update, or change nothing at all where the 0-d float tensor `held` is 1; the device alone
        knows which.
        """
        for group in self.groups:
            parameters = [each for each in group.parameters if each.grad is not None]
            if parameters:
                self.step_group(group, parameters, [each.grad for each in parameters if each.grad is not None], held)

    def remembered(self, parameters: list[Tensor], name: str) -> list[Tensor]:
        """Return what is remembered under `name`, in the order of the parameters."""
        return [self.state[each][name] for each in parameters]


class SGD(Rule):
    """w ← w - rate · (gradient + decay · w), or with momentum along the velocity, one step ahead (Nesterov).

    Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep learning, 2013.
    """

    def __init__(self, groups: list[Group], momentum: float = 0.0) -> None:
        self.momentum = momentum
        super().__init__(groups)

    def begin(self, parameter: Tensor) -> dict[str, Tensor]:
        """Return a velocity of zero, where there is momentum."""
        return {"velocity": torch.zeros_like(parameter)} if self.momentum else {}

    def step_group(self, group: Group, parameters: list[Tensor], gradients: list[Tensor], held: Tensor) -> None:
        """Update those parameters of a group that have a gradient."""
        velocities = self.remembered(parameters, "velocity") if self.momentum else []
        if group.rate.device.type in FUSED:
            torch._fused_sgd_(
                parameters, gradients, velocities, weight_decay=group.decay, momentum=self.momentum, lr=group.rate,
                dampening=0.0, nesterov=self.momentum > 0, maximize=False, is_first_step=False, found_inf=held,
            )  # fmt: skip
            return
        for place, (w, gradient) in enumerate(zip(parameters, gradients, strict=True)):
            step = gradient + group.decay * w
            if self.momentum:
                velocity = self.momentum * velocities[place] + step
                step = step + self.momentum * velocity
                velocities[place].copy_(torch.where(held.bool(), velocities[place], velocity))
            w.copy_(torch.where(held.bool(), w, w - group.rate * step))


class AdamW(Rule):
    """Steps along the averaged gradient m, each weight's divided by the root of its averaged squared gradient v.

    Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2.
    """

    def __init__(self, groups: list[Group], betas: tuple[float, float] = ADAM_BETAS) -> None:
        self.betas = betas
        super().__init__(groups)

    def begin(self, parameter: Tensor) -> dict[str, Tensor]:
        """Return both averages at zero, and no steps."""
        return {
            "m": torch.zeros_like(parameter),
            "v": torch.zeros_like(parameter),
            "steps": torch.zeros((), device=parameter.device),
        }

    def step_group(self, group: Group, parameters: list[Tensor], gradients: list[Tensor], held: Tensor) -> None:
        """Update those parameters of a group that have a gradient."""
        ms, vs, steps = (self.remembered(parameters, name) for name in ("m", "v", "steps"))
        torch._foreach_add_(steps, 1 - held)
        beta1, beta2 = self.betas
        if group.rate.device.type in FUSED:
            torch._fused_adamw_(
                parameters, gradients, ms, vs, [], steps, lr=group.rate, beta1=beta1, beta2=beta2,
                weight_decay=group.decay, eps=ADAM_EPSILON, amsgrad=False, maximize=False, found_inf=held,
            )  # fmt: skip
            return
        for w, gradient, m, v, t in zip(parameters, gradients, ms, vs, steps, strict=True):
            gradient = torch.where(held.bool(), 0.0, gradient)
            m.copy_(torch.where(held.bool(), m, beta1 * m + (1 - beta1) * gradient))
            v.copy_(torch.where(held.bool(), v, beta2 * v + (1 - beta2) * gradient.square()))
            m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
            stepped = w - group.rate * (m_hat / (v_hat.sqrt() + ADAM_EPSILON) + group.decay * w)
            w.copy_(torch.where(held.bool(), w, stepped))
