"""Freezing: which parameters training may move."""

from __future__ import annotations

import re

from torch import nn


def freeze(module: nn.Module, keep: str = "") -> list[str]:
    r"""Make every parameter stand still except those whose dotted name `keep` matches from its beginning.

    A frozen parameter gets no gradient and no optimizer state; it still takes part in the forward pass, and gradients
    flow through it to what lies before.

    Args:
        module: all of it.
        keep: a regular expression, such as ``head`` or ``blocks\.3``; empty freezes everything.

    Returns: the names of the parameters that may still move.
    """
    moving: list[str] = []
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    for name, parameter in module.named_parameters(remove_duplicate=False):  # a shared one moves if either name does
        if keep and re.match(keep, name):
            parameter.requires_grad_(True)
            moving.append(name)
    return moving


def moved(module: nn.Module) -> tuple[int, int]:
    """Return how many numbers of a module are trained, and how many it has."""
    parameters = list(module.parameters())
    return sum(each.numel() for each in parameters if each.requires_grad), sum(each.numel() for each in parameters)
