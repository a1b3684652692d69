"""What a run takes over from the run that it starts from."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from engine.core.errors import RunError
from engine.data.vocabulary import unpack


def words_of(tensors: Mapping[str, Tensor], family: str) -> tuple[str, ...]:
    """Return the vocabulary that a checkpoint's model carries.

    Raises:
        RunError: it carries none; with the family to start from.
    """
    if "model.words" not in tensors:
        raise RunError("The checkpoint to start from holds no vocabulary.", f"Start from a run of the family {family}.")
    return unpack(tensors["model.words"])


@torch.no_grad()
def copy_weights(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor], knobs: str, *, needed: str = "") -> None:
    """Copy the weights of a checkpoint's model.

    Args:
        own: of the new model, by name; changed in place.
        tensors: of the checkpoint, by role and name.
        knobs: those that have to be as in the run to start from, in words.
        needed: how the names begin whose weights must fit; others begin anew where they do not.

    Raises:
        RunError: weights that must fit do not.
    """
    for name, tensor in own.items():
        other = tensors.get(f"model.{name}")
        if other is not None and other.shape == tensor.shape:
            tensor.copy_(other)
        elif name.startswith(needed):
            found = "nothing" if other is None else f"the shape {tuple(other.shape)}"
            raise RunError(
                f"The model to start from has {found} for '{name}', this one wants {tuple(tensor.shape)}.",
                f"Set {knobs} as in the run to start from.",
            )
