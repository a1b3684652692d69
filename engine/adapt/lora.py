"""LoRA: a frozen matrix with a thin, trained correction beside it.

Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021, equation 3: h = W x + (alpha / r) B A x. A starts
random, B at zero, so that the adapted model starts as the old one. Left out: dropout before A.

Shape legend: O outputs, I inputs, R rank.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import UsageError

DOWN, UP, SCALE = "lora_A", "lora_B", "lora_scale"
"""Names of an adapter's tensors, beside ``weight``."""


class LoRALinear(nn.Linear):
    """A linear layer whose matrix stands still, and whose two thin ones learn.

    It is a `Linear` with two tensors more, so that the names of a checkpoint without an adapter fit it.

    Args:
        linear: the layer to adapt; its tensors are taken over, not copied.
        rank: r, columns of B and rows of A.
        alpha: the correction is scaled by alpha / r, so that another rank needs little other tuning (section 4.1).
    """

    lora_scale: Tensor

    def __init__(self, linear: nn.Linear, rank: int, alpha: float) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.weight.requires_grad_(False)
        if self.bias is not None:
            self.bias.requires_grad_(False)
        self.lora_A = nn.Parameter(linear.weight.new_empty(rank, linear.in_features))
        self.lora_B = nn.Parameter(linear.weight.new_zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))  # as the paper's own code draws it
        self.register_buffer(SCALE, linear.weight.new_tensor(alpha / rank))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``...O`` from ``...I``: the old answer plus the correction, which passes through R numbers."""
        correction = F.linear(F.linear(x, self.lora_A), self.lora_B)
        return F.linear(x, self.weight, self.bias) + self.lora_scale * correction

    def merged(self) -> nn.Linear:
        """Return a plain layer that computes the same, of the old size and speed."""
        plain = nn.Linear(self.in_features, self.out_features, bias=self.bias is not None, device="meta")
        plain.weight = nn.Parameter(merge_weight(self.weight, self.lora_A, self.lora_B, self.lora_scale))
        plain.bias = self.bias
        return plain


@torch.no_grad()
def merge_weight(weight_OI: Tensor, down_RI: Tensor, up_OR: Tensor, scale: Tensor) -> Tensor:
    """Return ``W + (alpha / r) B A``, computed in double precision, in the precision of W."""
    wide = torch.float32 if weight_OI.device.type == "mps" else torch.float64  # Apple's GPU has no doubles
    correction_OI = scale.to(wide) * (up_OR.to(wide) @ down_RI.to(wide))
    return (weight_OI.to(wide) + correction_OI).to(weight_OI.dtype)


def adapt(module: nn.Module, targets: str, rank: int, alpha: float) -> list[str]:
    r"""Freeze a module and put an adapter beside each linear layer whose dotted name `targets` matches as a whole.

    Args:
        module: changed in place.
        targets: a regular expression, such as ``blocks\.\d+\.attention\.\w+``.
        rank: of every adapter.
        alpha: of every adapter.

    Returns: the names of the adapted layers.

    Raises:
        UsageError: no linear layer has such a name.
    """
    chosen = {
        name: each
        for name, each in module.named_modules()
        if isinstance(each, nn.Linear) and not isinstance(each, LoRALinear) and re.fullmatch(targets, name)
    }
    if not chosen:
        raise UsageError(f"No linear layer of the model is called '{targets}'.")
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    for name, linear in chosen.items():
        module.set_submodule(name, LoRALinear(linear, rank, alpha))
    return list(chosen)


def merge(module: nn.Module) -> list[str]:
    """Fold every adapter into its matrix, in place; return the names of the layers, which are plain ones again."""
    adapted = {name: each for name, each in module.named_modules() if isinstance(each, LoRALinear)}
    for name, layer in adapted.items():
        module.set_submodule(name, layer.merged())
    return list(adapted)


def merge_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint's tensors as if its adapters had been merged before it was written."""
    plain = {name: tensor for name, tensor in tensors.items() if name.rpartition(".")[2] not in (DOWN, UP, SCALE)}
    for name in tensors:
        layer, _, last = name.rpartition(".")
        if last == DOWN:
            parts = (tensors[f"{layer}.{each}"] for each in ("weight", DOWN, UP, SCALE))
            plain[f"{layer}.weight"] = merge_weight(*parts)
    return plain
