"""Point sets in a plane, generated from a seed: classes that no straight line separates, and modes to be found."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine.data.batches import seeded
from engine.data.examples import Examples
from engine.data.split import split_examples
from engine.data.table import DataSet

EXAMPLES = 1000
"""Points in all; four fifths of them are for training."""

MODES = 8
"""Gaussians of the ring."""

RING_RADIUS, RING_DEVIATION = 2.0, 0.1
"""Where the Gaussians of the ring stand, and how wide each is."""

Points = tuple[Tensor, Tensor]
"""Places ``N2`` and classes ``N``."""


def moons(generator: torch.Generator, examples: int = EXAMPLES, noise: float = 0.1) -> Points:
    """Return two half circles of radius one that reach into one another."""
    angle_N, label_N = _positions(generator, examples, math.pi)
    upper_N2 = torch.stack([angle_N.cos(), angle_N.sin()], 1)
    lower_N2 = torch.stack([1 - angle_N.cos(), 0.5 - angle_N.sin()], 1)
    return _blurred(torch.where(label_N[:, None] == 0, upper_N2, lower_N2), noise, generator), label_N


def rings(generator: torch.Generator, examples: int = EXAMPLES, noise: float = 0.08) -> Points:
    """Return a ring of radius one around a ring of half that radius."""
    angle_N, label_N = _positions(generator, examples, 2 * math.pi)
    radius_N1 = torch.where(label_N == 0, 1.0, 0.5)[:, None]
    return _blurred(radius_N1 * torch.stack([angle_N.cos(), angle_N.sin()], 1), noise, generator), label_N


def spiral(generator: torch.Generator, examples: int = EXAMPLES, turns: float = 2.0, noise: float = 0.015) -> Points:
    """Return two spirals wound around each other, evenly filled along their length, of radius one at the end."""
    area_N, label_N = _positions(generator, examples, 1.0)
    radius_N = (0.02 + 0.98 * area_N).sqrt()
    angle_N = 2 * math.pi * turns * radius_N + math.pi * label_N
    return _blurred(torch.stack([radius_N * angle_N.cos(), radius_N * angle_N.sin()], 1), noise, generator), label_N


def ring(generator: torch.Generator, examples: int = 4 * EXAMPLES) -> Points:
    """Return points of eight Gaussians that stand evenly on a circle; the class says which one, counterclockwise.

    More of them than of the other sets: they are there to be imitated, and to measure how well.
    """
    label_N = torch.arange(examples) % MODES
    return _blurred(ring_centers()[label_N], RING_DEVIATION, generator), label_N


def ring_centers() -> Tensor:
    """Return where the Gaussians of the ring stand, ``M2``."""
    angle_M = torch.arange(MODES) * (2 * math.pi / MODES)
    return RING_RADIUS * torch.stack([angle_M.cos(), angle_M.sin()], 1)


def _positions(generator: torch.Generator, examples: int, end: float) -> Points:
    """Return random places along a curve from 0 to `end`, and which of two curves, as many on each."""
    return torch.rand(examples, generator=generator) * end, torch.arange(examples) % 2


def _blurred(places_N2: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    return places_N2 + noise * torch.randn(places_N2.shape, generator=generator)


def load_plane(row: DataSet, seed: int) -> Examples:
    """Return one of the point sets, generated and split by `seed`."""
    places, labels = PLANES[row.name](seeded(seed, 0, torch.device("cpu"), stream=1))
    return split_examples(row.name, "plane", places, labels, seed, classes=CLASSES[row.name], columns=("x", "y"))


PLANES: dict[str, Callable[[torch.Generator], Points]] = {
    "moons": moons,
    "rings": rings,
    "spiral": spiral,
    "ring": ring,
}
CLASSES = {
    "moons": ("upper", "lower"),
    "rings": ("outer", "inner"),
    "spiral": ("first", "second"),
    "ring": tuple(str(mode) for mode in range(MODES)),
}
