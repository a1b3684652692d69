"""What the panels and the plays show: samples beside real data, and how samples come out of noise.

Shape legend: N samples, ... the axes of one sample, S steps, L classes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.core.events import Event, Points
from engine.data.batches import seeded
from engine.families.diffusion.making import Maker
from engine.families.diffusion.seen import Seen, evenly
from engine.families.diffusion.spec import DiffusionSpec
from engine.train.classifier import pictures

POINTS_SHOWN = 400
"""Real ones, and as many that were made."""
PICTURES_SHOWN = 40
WAYS_SHOWN = 24
"""Points whose way is drawn."""
STATIONS = 8
"""Of a way from noise to data that are shown at most."""


def drawn(maker: Maker, spec: DiffusionSpec) -> Iterator[Event]:
    """Yield samples and their ways; the same chance each time, so that what changes is the model."""
    seen = maker.seen
    device, classes = seen.data.mean.device, len(seen.data.classes)
    labels_N = evenly(POINTS_SHOWN if seen.is_plane else PICTURES_SHOWN, classes, device)
    yield samples(seen, maker.made(labels_N, seeded(0, 0, device, stream=36), spec), labels_N, told=maker.classes > 0)
    labels_N = evenly(WAYS_SHOWN if seen.is_plane else 1, classes, device)
    yield from ways(maker, labels_N, seeded(0, 0, device, stream=37), spec)


def samples(seen: Seen, made: Tensor, labels_N: Tensor, *, told: bool) -> Event:
    """Return samples as pictures with the classes that were asked for, or as points among real ones."""
    if not seen.is_plane:
        names = [seen.data.classes[label] for label in labels_N.tolist()] if told else []
        return pictures("samples", in_bytes(made), names)
    real = seen.data.valid_inputs[: len(made)]
    both, groups = torch.cat([real, made]), [0] * len(real) + [1] * len(made)
    return points("real and made", both, groups, ["real", "made"])


def ways(maker: Maker, labels_N: Tensor, generator: torch.Generator, spec: DiffusionSpec) -> Iterator[Event]:
    """Yield some stations on the way from noise to data: of points all in one, of pictures mixtures and guesses."""
    steps = spec.sampling_steps
    number = min(STATIONS, steps)
    chosen = [round((each + 1) * steps / number) for each in range(number)]
    names = [f"step {each}" for each in chosen]
    making = enumerate(maker.making(labels_N, generator, spec), start=1)
    mixtures, guesses = zip(*(map(maker.seen.restored, pair) for each, pair in making if each in chosen), strict=True)
    if maker.seen.is_plane:
        groups = [station for station, some in enumerate(mixtures) for _ in range(len(some))]
        yield points("ways", torch.cat(mixtures), groups, names)
        return
    captions = names * len(labels_N)
    yield pictures("out of noise", in_bytes(strip(mixtures)), captions)
    yield pictures("data guessed", in_bytes(strip(guesses)), captions)


def strip(stations: tuple[Tensor, ...]) -> Tensor:
    """Return the stations of several pictures in a row, picture by picture: ``(N S)CHW`` from S times ``NCHW``."""
    return torch.stack(stations, dim=1).flatten(0, 1)


def points(name: str, places_ND: Tensor, groups: list[int], names: list[str]) -> Points:
    """Return points of a plane in groups as an event."""
    x, y = ([round(value, 3) for value in column] for column in places_ND.T.tolist())
    return Points(name=name, x=x, y=y, group=groups, groups=names)


def in_bytes(values_NCHW: Tensor) -> Tensor:
    """Return pictures in [0, 1] as bytes."""
    return (255 * values_NCHW).round().to(torch.uint8)
