"""What a loaded data set is: labeled examples or a text, split into training and validation, on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Layout = Literal["plane", "table", "pictures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Labeled examples. Shape legend: N examples, F features, C channels, H height, W width.

    Inputs are ``NF`` (plane, table: float32) or ``NCHW`` (pictures: bytes), as they are kept; `prepare` makes of a
    batch of them what a model sees. Labels are class numbers, or float32 numbers to predict where `classes` is empty.
    """

    name: str
    layout: Layout
    train_inputs: Tensor
    train_labels: Tensor
    valid_inputs: Tensor
    valid_labels: Tensor
    classes: tuple[str, ...]
    columns: tuple[str, ...] = ()
    """Names of the features of a table or plane."""
    mean: Tensor
    """What `prepare` takes off, measured on the training split: per feature, or per channel ``C11``."""
    deviation: Tensor
    """What `prepare` divides by: the standard deviation, likewise."""
    label_mean: float = 0.0
    """Of a number to predict, in its own unit; labels are kept standardized."""
    label_deviation: float = 1.0
    digest: str = ""
    """SHA-256 over what was loaded, so that a recipe can name its data."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example: ``(F,)`` or ``(C, H, W)``."""
        return tuple(self.train_inputs.shape[1:])

    @property
    def outputs(self) -> int:
        """How many numbers a model has to give for an example: one a class, or the one to predict."""
        return len(self.classes) or 1

    def prepare(self, inputs: Tensor) -> Tensor:
        """Return kept inputs as floats of mean 0 and standard deviation 1 over the training split."""
        return (inputs.float() - self.mean) / self.deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A text, split in two: a model learns from the first part and is judged by the second."""

    name: str
    train: str
    valid: str
    digest: str = ""


def moments(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation: per feature of ``NF``, per channel (as ``C11``) of ``NCHW``; constants
    get 1.
    """
    if inputs.dtype == torch.uint8 and inputs.ndim == 4:
        mean, deviation = _moments_of_bytes(inputs)
    else:
        axes = (0,) if inputs.ndim == 2 else (0, 2, 3)
        floats = inputs.double()
        mean = floats.mean(axes, keepdim=True)[0]
        deviation = floats.std(axes, correction=0, keepdim=True)[0]
    deviation = deviation.float()
    return mean.float(), torch.where(deviation > 0, deviation, 1.0)


def _moments_of_bytes(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the moments of pictures ``NCHW`` of bytes by counting each of the 256 values, without a copy in floats."""
    counts_CV = torch.stack([inputs[:, color].flatten().bincount(minlength=256) for color in range(inputs.shape[1])])
    share_CV = counts_CV.double() / counts_CV[0].sum()
    value_V = torch.arange(256, dtype=torch.float64, device=inputs.device)
    mean_C1 = (share_CV * value_V).sum(1, keepdim=True)
    variance_C1 = (share_CV * (value_V - mean_C1).square()).sum(1, keepdim=True)
    return mean_C1[:, :, None], variance_C1.sqrt()[:, :, None]
