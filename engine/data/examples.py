"""What a loaded data set is, split into training and validation: what all have in common, labeled examples, a text."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeVar

import torch
from torch import Tensor

from engine.data.batches import seeded

Layout = Literal["plane", "table", "pictures"]
Loaded = TypeVar("Loaded")


class Data(Protocol):
    """What every loaded data set can do; what it holds is its own, and its families know it."""

    @property
    def name(self) -> str:
        """As a person calls it."""

    @property
    def digest(self) -> str:
        """SHA-256 over what was loaded, so that a recipe can name its data."""

    @property
    def size(self) -> int:
        """How many training examples there are; of a text, how many characters."""

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with `count` of its training examples, chosen by `seed`; validation stays as it is."""

    def to(self, device: torch.device) -> Self:
        """Return the data with every tensor on the device."""


def chosen(size: int, count: int, seed: int) -> Tensor:
    """Return which `count` of `size` training examples `seed` chooses, int64 on the CPU."""
    return torch.randperm(size, generator=seeded(seed, 0, torch.device("cpu"), stream=3))[:count]


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
    peak: int = 255
    """Of pictures, the byte that is white."""
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

    @property
    def size(self) -> int:
        """How many training examples there are."""
        return len(self.train_inputs)

    def prepare(self, inputs: Tensor) -> Tensor:
        """Return kept inputs as floats of mean 0 and standard deviation 1 over the training split."""
        return (inputs.float() - self.mean) / self.deviation

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with `count` training examples."""
        few = chosen(self.size, count, seed)
        return dataclasses.replace(self, train_inputs=self.train_inputs[few], train_labels=self.train_labels[few])

    def to(self, device: torch.device) -> Self:
        """Return the data with every tensor on the device."""
        return moved(self, device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A text, split in two: a model learns from the first part and is judged by the second."""

    name: str
    train: str
    valid: str
    digest: str = ""

    @property
    def size(self) -> int:
        """How many characters there are to train on."""
        return len(self.train)

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with the first `count` characters; a text has an order that chance would break."""
        return dataclasses.replace(self, train=self.train[:count])

    def to(self, device: torch.device) -> Self:
        """Return the data themselves: a text becomes numbers only once its vocabulary is known."""
        return self


def moved(data: Loaded, device: torch.device) -> Loaded:
    """Return a data set with every tensor among its fields on the device."""
    held: Any = data
    values = {each.name: getattr(held, each.name) for each in dataclasses.fields(held)}
    tensors = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
    placed: Loaded = dataclasses.replace(held, **tensors)
    return placed


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
