"""The rules that turn gradients into steps, and the set of them that one run uses.

Learning rates are 0-d tensors on the device, so that a schedule or a person can turn them while a captured step goes on
reading the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from engine.core.errors import RunError
from engine.train.muon import Muon

ADAM_BETAS = (0.9, 0.99)
"""Memory of AdamW's two averages; the second shorter than usual (0.999), because our runs are short."""

MOMENTUM = 0.9

ADAMW_SHARE = 0.15
"""Under Muon, embeddings, heads, gains and biases go by AdamW with this share of Muon's learning rate."""

FUSED = ("cpu", "cuda")
"""Devices whose fused kernels read the learning rate and the hold flag as tensors."""


class OptimizerSet:
    """All optimizers of a run, stepped together; every tensor that they keep has a name, for checkpoints.

    Args:
        optimizers: each with ``lr`` tensors in its groups, and ``share`` beside it: what the group's learning rate is, relative
            to the knob.
        names: the dotted name of every parameter.
        learning_rate: the knob's value.
    """

    def __init__(self, optimizers: list[torch.optim.Optimizer], names: Mapping[Tensor, str], learning_rate: float) -> None:
        self.optimizers = optimizers
        self.names = dict(names)
        self.learning_rate = learning_rate
        self.groups = [group for each in optimizers for group in each.param_groups]
        self.parameters = [parameter for group in self.groups for parameter in group["params"]]

    def schedule(self, scale: float) -> float:
        """Set every learning rate to `scale` times its own, without waiting for the device; return the knob's."""
        for group in self.groups:
            group["lr"].fill_(self.learning_rate * scale * group["share"])
        return self.learning_rate * scale

    def decay(self, weight_decay: float) -> None:
        """Change the pull towards zero, where a group has one; a captured step has to be captured anew."""
        for group in self.groups:
            if group["decays"]:
                group["weight_decay"] = weight_decay

    def clear(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def gradients(self) -> list[Tensor]:
        """Return the gradients that there are."""
        return [parameter.grad for parameter in self.parameters if parameter.grad is not None]

    def step(self, held: Tensor) -> None:
        """Make one update, or none at all where the 0-d float tensor `held` is 1; the device alone knows which."""
        for optimizer in self.optimizers:
            if isinstance(optimizer, Muon) or optimizer.defaults.get("fused"):
                optimizer.found_inf = held  # type: ignore[attr-defined, unused-ignore]
                optimizer.step()
            else:
                _step_unfused(optimizer, held)

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that the optimizers keep, as ``<parameter>.<quantity>``."""
        return {
            f"{self.names[parameter]}.{quantity}": value
            for optimizer in self.optimizers
            for parameter, kept in optimizer.state.items()
            for quantity, value in kept.items()
            if isinstance(value, Tensor)
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned.

        Raises:
            RunError: a tensor is not one of these optimizers'.
        """
        owners = {self.names[p]: (each, p) for each in self.optimizers for group in each.param_groups for p in group["params"]}
        for name, value in state.items():
            owner, _, quantity = name.rpartition(".")
            if owner not in owners:
                raise RunError(f"The checkpoint keeps '{name}', which this model does not train.", "Start a new run instead.")
            optimizer, parameter = owners[owner]
            place = torch.device("cpu") if quantity == "step" and not optimizer.defaults.get("fused") else parameter.device
            optimizer.state[parameter][quantity] = value.to(place, copy=True)


def _step_unfused(optimizer: torch.optim.Optimizer, held: Tensor) -> None:
    """Step an optimizer without a hold flag: a held step sees zero gradients and zero learning rates."""
    rates = [group["lr"].clone() for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"].mul_(1 - held)
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.grad = torch.where(held.bool(), 0.0, parameter.grad)
    optimizer.step()
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"].copy_(rate)


def named_parameters(modules: Mapping[str, nn.Module]) -> dict[Tensor, str]:
    """Return every trained parameter once, with its dotted name; a shared one has the first of its names."""
    names: dict[Tensor, str] = {}
    for role, module in modules.items():
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                names.setdefault(parameter, f"{role}.{name}")
    return names


def hidden_matrices(modules: Mapping[str, nn.Module]) -> set[Tensor]:
    """Return the parameters of two axes or more that are neither embeddings nor of a module named ``head``."""
    found: set[Tensor] = set()
    outer: set[Tensor] = set()
    for module in modules.values():
        for path, each in module.named_modules():
            own = {parameter for parameter in each.parameters(recurse=False) if parameter.ndim >= 2}
            is_outer = isinstance(each, nn.Embedding) or path.rpartition(".")[2] == "head"
            (outer if is_outer else found).update(own)
    return found - outer


def build_optimizers(modules: Mapping[str, nn.Module], spec: Any, device: torch.device) -> OptimizerSet:
    """Return the optimizers that `spec.optimizer` asks for, over all trained parameters of `modules`.

    Biases and gains (one axis) are never pulled towards zero. ``muon`` trains the hidden matrices by Muon and the rest by AdamW.
    """
    names = named_parameters(modules)
    hidden = hidden_matrices(modules) if spec.optimizer == "muon" else set()
    matrices = [p for p in names if p.ndim >= 2 and p not in hidden]
    vectors = [p for p in names if p.ndim < 2]
    share = ADAMW_SHARE if hidden else 1.0
    groups = [_group(matrices, spec, share, device, decays=True), _group(vectors, spec, share, device, decays=False)]
    optimizers = [_classic(spec.optimizer, [group for group in groups if group["params"]], device)]
    if hidden:
        inner = _group([p for p in names if p in hidden], spec, 1.0, device, decays=True)
        optimizers.append(Muon([inner], lr=inner["lr"]))
    return OptimizerSet([each for each in optimizers if each is not None], names, spec.learning_rate)


def _group(parameters: list[Tensor], spec: Any, share: float, device: torch.device, *, decays: bool) -> dict[str, Any]:
    return {
        "params": parameters,
        "lr": torch.full((), spec.learning_rate * share, device=device),
        "weight_decay": spec.weight_decay if decays else 0.0,
        "share": share,
        "decays": decays,
    }


def _classic(rule: str, groups: Iterable[dict[str, Any]], device: torch.device) -> torch.optim.Optimizer | None:
    """Return SGD (with momentum or without) or AdamW over `groups`; None where there are none."""
    groups = list(groups)
    if not groups:
        return None
    fused = device.type in FUSED
    rate = groups[0]["lr"]
    if rule in ("sgd", "momentum"):
        optimizer: torch.optim.Optimizer = torch.optim.SGD(
            groups, lr=rate, momentum=MOMENTUM if rule == "momentum" else 0.0, nesterov=rule == "momentum", fused=fused
        )
        if rule == "momentum":
            for group in groups:
                for parameter in group["params"]:  # from zero, so that a held first step leaves nothing unwritten
                    optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer
    return torch.optim.AdamW(groups, lr=rate, betas=ADAM_BETAS, fused=fused, capturable=device.type == "cuda")
