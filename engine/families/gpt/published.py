"""The GPT-2 that OpenAI published: its weights under the names of our module.

The file is the safetensors of openai-community/gpt2, for nothing is unpickled here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.core.errors import DataError
from engine.data.files import how_to_get, verified
from engine.data.gpt2_tokens import ROW
from engine.data.table import data_set
from engine.families.gpt.model import GPT

NAMES = (
    (r"^wte\.", "embedding."),
    (r"^wpe\.", "positions."),
    (r"^ln_f\.", "norm."),
    (r"^h\.", "blocks."),
    (r"\.ln_1\.", ".attention_norm."),
    (r"\.ln_2\.", ".mlp_norm."),
    (r"\.attn\.c_attn\.", ".attention.qkv."),
    (r"\.attn\.c_proj\.", ".attention.projection."),
    (r"\.mlp\.c_fc\.", ".mlp.up."),
    (r"\.mlp\.c_proj\.", ".mlp.down."),
)
"""What GPT-2 calls its parts, and what they are called here; one after another."""

MASKS = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")
"""The triangle that hides what comes later; no weights."""

TRANSPOSED = re.compile(r"\.c_(attn|proj|fc)\.weight$")
"""Matrices that GPT-2 keeps as inputs by outputs (its Conv1D), where a `Linear` has outputs by inputs."""


def from_gpt_2(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a GPT-2 under our names, in our layout."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if MASKS.fullmatch(name):
            continue
        own = name
        for pattern, replacement in NAMES:
            own = re.sub(pattern, replacement, own)
        renamed[own] = tensor.T if TRANSPOSED.search(name) else tensor
    return renamed


def gpt_2_weights() -> dict[str, Tensor]:
    """Return the published weights under our names.

    Raises:
        DataError: they are not on this machine, or damaged; with how to get them.
    """
    row = data_set(ROW)
    path = verified(row, next(file for file in row.files if file.name.endswith(".safetensors")))
    try:
        return from_gpt_2(load_file(path))
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read ({error}).", how_to_get(row)) from None


@torch.no_grad()
def start_from(model: GPT, found: Mapping[str, Tensor]) -> None:
    """Copy the published weights into a model of their shape; of the positions, as many as it has.

    Raises:
        DataError: they are not those of such a model.
    """
    own = dict(model.named_parameters())  # a tied table once
    strange = sorted(found.keys() ^ own.keys())
    if strange:
        raise DataError(
            f"The file is no GPT-2 of this kind: one of the two has no '{strange[0]}'.", how_to_get(data_set(ROW))
        )
    for name, parameter in own.items():
        tensor = found[name][: len(parameter)] if name == "positions.weight" else found[name]
        if tensor.shape != parameter.shape:
            raise DataError(
                f"The file has the shape {tuple(tensor.shape)} for '{name}', this GPT-2 {tuple(parameter.shape)}.",
                how_to_get(data_set(ROW)),
            )
        parameter.copy_(tensor)
