"""Reference lines of classifier-FID: what real pictures reach, what noise does, and the simplest model in between.

Every line is measured against the whole validation split, as a model is: from `SAMPLES` pictures, or from all of the
training split where that has fewer.

Shape legend: N pictures, H height, W width, D pixels, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.core.events import Baseline, number
from engine.data.batches import seeded
from engine.look.fid import Judge, frechet

METRIC = "valid/fid"
SAMPLES = 10_000
"""Pictures that a final figure of classifier-FID is made from: with fewer the distance is larger, whatever is drawn."""

COMPONENTS = 64
"""Directions of the largest variance that the Gaussian of each class keeps."""


def reference_lines(
    judge: Judge, train_N1HW: Tensor, labels_N: Tensor, valid_N1HW: Tensor, seed: int
) -> Iterator[Baseline]:
    """Yield the floor, the ceiling and the PCA-Gaussian's figure, one after another.

    Args:
        judge: whose eyes count.
        train_N1HW: pictures of the training split in [0, 1].
        labels_N: their classes.
        valid_N1HW: pictures of the validation split, which all are compared with.
        seed: of the chance in all three.
    """
    real_NF = judge.features(valid_N1HW)
    generator = seeded(seed, 0, train_N1HW.device, stream=21)
    order_N = torch.randperm(len(train_N1HW), generator=generator, device=train_N1HW.device)[:SAMPLES]
    floor = frechet(judge.features(train_N1HW[order_N]), real_NF)
    yield Baseline(metric=METRIC, name="real pictures", value=number(floor), source="the training split: the floor")
    drawn_N1HW, _ = pca_gaussian(train_N1HW, labels_N, SAMPLES, generator)
    drawn = frechet(judge.features(drawn_N1HW), real_NF)
    yield Baseline(
        metric=METRIC, name="PCA-Gaussian", value=number(drawn), source=f"a Gaussian of {COMPONENTS} components a class"
    )
    noise_N1HW = torch.rand((SAMPLES, *train_N1HW.shape[1:]), generator=generator, device=train_N1HW.device)
    noise = frechet(judge.features(noise_N1HW), real_NF)
    yield Baseline(metric=METRIC, name="noise", value=number(noise), source="every pixel at random: the ceiling")


def pca_gaussian(
    pictures_N1HW: Tensor, labels_N: Tensor, count: int, generator: torch.Generator, components: int = COMPONENTS
) -> tuple[Tensor, Tensor]:
    """Return `count` pictures with their classes, drawn from a Gaussian a class, evenly over the classes there are.

    Each Gaussian has the mean of its class and its variance along the `components` directions in which that is largest;
    values are cut to [0, 1].
    """
    present = labels_N.unique().tolist()
    drawn, labels = [], []
    for place, label in enumerate(present):
        own_ND = pictures_N1HW[labels_N == label].flatten(1)
        mean_D = own_ND.mean(0)
        variance_D, basis_DD = torch.linalg.eigh(torch.cov(own_ND.T, correction=0))  # the largest last
        deviation_D = variance_D.clamp(min=0).sqrt()
        kept = min(components, len(deviation_D))
        share = count // len(present) + (place < count % len(present))
        steps_NC = deviation_D[-kept:] * torch.randn((share, kept), generator=generator, device=own_ND.device)
        drawn.append((mean_D + steps_NC @ basis_DD[:, -kept:].T).clamp(0, 1))
        labels += [label] * share
    return torch.cat(drawn).view(-1, *pictures_N1HW.shape[1:]), torch.tensor(labels, device=pictures_N1HW.device)
