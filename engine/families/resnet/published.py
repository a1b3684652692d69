"""The ResNet-18 that torchvision publishes, trained on ImageNet: its weights under the names of our module.

The file is timm's copy of them as safetensors, for nothing is unpickled here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.core.errors import DataError
from engine.data.files import how_to_get, verified
from engine.data.table import data_set

WEIGHTS = "resnet-18-imagenet"
"""The row of the table of data sets."""

NAMES = (
    (r"^conv1\.", "conv."),
    (r"^bn1\.", "norm."),
    (r"^fc\.", "head."),
    (r"^layer(\d)\.(\d+)\.", lambda found: f"stages.{int(found[1]) - 1}.{found[2]}."),
    (r"\.bn(\d)\.", r".norm\1."),
    (r"\.downsample\.0\.", ".shortcut.conv."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
)
"""What torchvision calls the parts of a ResNet, and what they are called here; one after another."""


def from_torchvision(tensors: Mapping[str, Tensor], colors: int) -> dict[str, Tensor]:
    """Return the weights of a ResNet of torchvision under our names.

    A gray picture is a colored one whose channels agree. Where `colors` is 1, the first filters are therefore summed
    over red, green and blue.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        for pattern, replacement in NAMES:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    if colors == 1:
        renamed["conv.weight"] = renamed["conv.weight"].sum(1, keepdim=True)
    return renamed


def imagenet_weights(colors: int) -> dict[str, Tensor]:
    """Return the published weights of ResNet-18, for pictures of that many channels.

    Raises:
        DataError: they are not on this machine, or damaged; with how to get them.
    """
    row = data_set(WEIGHTS)
    path = verified(row, row.files[0])
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read ({error}).", how_to_get(row)) from None
    return from_torchvision(tensors, colors)
