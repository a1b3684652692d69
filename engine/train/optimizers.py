"""The optimizers of one run, stepped together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.core.errors import RunError
from engine.train.muon import Muon
from engine.train.rules import ADAM_BETAS, MOMENTUM, SGD, AdamW, Group, Rule

ADAMW_SHARE = 0.15
"""Under Muon, embeddings, heads, gains and biases go by AdamW with this share of Muon's learning rate."""


class OptimizerSet:
    """All update rules of a run; every tensor that they keep has a name, for checkpoints.

    Args:
        rules: what updates the parameters.
        names: the dotted name of every parameter.
        learning_rate: the knob's value.

    Attributes:
        current: the learning rate of the latest step, as a person reads it.
    """

    def __init__(self, rules: Sequence[Rule], names: Mapping[Tensor, str], learning_rate: float) -> None:
        self.rules = list(rules)
        self.names = dict(names)
        self.learning_rate = learning_rate
        self.current = 0.0
        self.groups = [group for rule in self.rules for group in rule.groups]
        self.parameters = [parameter for group in self.groups for parameter in group.parameters]

    def schedule(self, scale: float) -> None:
        """Set every learning rate to `scale` times its full height, without waiting for the device."""
        self.current = self.learning_rate * scale
        for group in self.groups:
            group.rate.fill_(self.current * group.share)

    def decay(self, weight_decay: float) -> None:
        """Change the pull towards zero, where a group has one; a captured step has to be captured anew."""
        for group in self.groups:
            if group.decays:
                group.decay = weight_decay

    def clear(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def gradients(self) -> list[Tensor]:
        """Return the gradients that there are."""
        return [parameter.grad for parameter in self.parameters if parameter.grad is not None]

    def step(self, held: Tensor) -> None:
        """Make one update, or change nothing at all where the 0-d float tensor `held` is 1; the device alone
        knows which.
        """
        for rule in self.rules:
            rule.step(held)

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that the rules remember, as ``<parameter>.<quantity>``."""
        return {
            f"{self.names[parameter]}.{quantity}": tensor
            for rule in self.rules
            for parameter, remembered in rule.state.items()
            for quantity, tensor in remembered.items()
        }

    @torch.no_grad()
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned.

        Raises:
            RunError: the checkpoint is of other parameters or of another rule.
        """
        own = self.state()
        if own.keys() != state.keys():
            odd = sorted(own.keys() ^ state.keys())[0]
            raise RunError(f"The checkpoint and this optimizer differ in '{odd}'.", "Start a new run instead.")
        for name, tensor in own.items():
            tensor.copy_(state[name])


def named_parameters(modules: Mapping[str, nn.Module]) -> dict[Tensor, str]:
    """Return every trained parameter once, with its dotted name; a shared one has the first of its names."""
    names: dict[Tensor, str] = {}
    for role, module in modules.items():
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                names.setdefault(parameter, f"{role}.{name}")
    return names


def hidden_matrices(modules: Mapping[str, nn.Module]) -> set[Tensor]:
    """Return the parameters of two axes or more that belong neither to an embedding nor to a module named ``head``."""
    inner: set[Tensor] = set()
    outer: set[Tensor] = set()
    for module in modules.values():
        for path, each in module.named_modules():
            own = {parameter for parameter in each.parameters(recurse=False) if parameter.ndim >= 2}
            is_outer = isinstance(each, nn.Embedding) or path.rpartition(".")[2] == "head"
            (outer if is_outer else inner).update(own)
    return inner - outer


def build_optimizers(
    modules: Mapping[str, nn.Module],
    spec: Any,
    device: torch.device,
    *,
    shares: Mapping[str, float] | None = None,
    betas: tuple[float, float] = ADAM_BETAS,
) -> OptimizerSet:
    """Return the rules that `spec.optimizer` asks for, over all trained parameters of `modules`.

    Biases and gains (one axis) are never pulled towards zero. ``muon`` trains the hidden matrices by Muon, the rest by
    AdamW.

    Args:
        modules: by role.
        spec: the run's knobs.
        device: where the learning rates lie.
        shares: role -> what its learning rate is, relative to the knob; 1 where it is not named.
        betas: memory of AdamW's two averages.
    """
    names = named_parameters(modules)
    by_share: dict[float, list[Tensor]] = {}
    for parameter, name in names.items():
        by_share.setdefault((shares or {}).get(name.partition(".")[0], 1.0), []).append(parameter)
    hidden = hidden_matrices(modules) if spec.optimizer == "muon" else set()
    share = ADAMW_SHARE if hidden else 1.0

    def group(parameters: list[Tensor], share: float, *, decays: bool) -> Group:
        rate = torch.zeros((), device=device)
        return Group(parameters, rate, share, spec.weight_decay if decays else 0.0, decays)

    outer: list[Group] = []
    inner: list[Group] = []
    for own, parameters in by_share.items():
        outer.append(group([p for p in parameters if p.ndim >= 2 and p not in hidden], share * own, decays=True))
        outer.append(group([p for p in parameters if p.ndim < 2], share * own, decays=False))
        inner.append(group([p for p in parameters if p in hidden], own, decays=True))
    match spec.optimizer:
        case "sgd":
            rules: list[Rule] = [SGD(outer)]
        case "momentum":
            rules = [SGD(outer, MOMENTUM)]
        case "adamw":
            rules = [AdamW(outer, betas)]
        case _:
            rules = [Muon(inner), AdamW(outer, betas)]
    return OptimizerSet(rules, names, spec.learning_rate)
