"""Examples split into training and validation: by a seed, or as they were published."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from engine.data.batches import seeded
from engine.data.examples import Examples, Layout, moments
from engine.data.table import DataSet

VALID_SHARE = 0.2
"""Of a data set that comes without a split."""


def split_examples(
    name: str,
    layout: Layout,
    inputs: Tensor,
    labels: Tensor,
    seed: int,
    *,
    classes: tuple[str, ...],
    columns: tuple[str, ...] = (),
) -> Examples:
    """Return examples split at random by `seed`, with the same share of every class on both sides.

    Labels that are no class numbers (`classes` empty) are split at random and standardized.
    """
    valid = valid_places(labels, seed, stratified=bool(classes))
    train_inputs, train_labels = inputs[~valid], labels[~valid]
    mean, deviation = moments(train_inputs)
    label_mean, label_deviation = (
        (0.0, 1.0) if classes else (float(train_labels.mean()), float(train_labels.std()) or 1.0)
    )

    def scaled(values: Tensor) -> Tensor:
        return values if classes else (values - label_mean) / label_deviation

    content = inputs.contiguous().numpy().tobytes() + labels.contiguous().numpy().tobytes()
    return Examples(
        name=name,
        layout=layout,
        train_inputs=train_inputs,
        train_labels=scaled(train_labels),
        valid_inputs=inputs[valid],
        valid_labels=scaled(labels[valid]),
        classes=classes,
        columns=columns,
        mean=mean,
        deviation=deviation,
        label_mean=label_mean,
        label_deviation=label_deviation,
        digest=hashlib.sha256(content).hexdigest(),
    )


def published_pictures(
    row: DataSet, classes: tuple[str, ...], train: tuple[Tensor, Tensor], valid: tuple[Tensor, Tensor]
) -> Examples:
    """Return pictures (bytes, ``NCHW``) and labels that are split as their source split them."""
    mean, deviation = moments(train[0])
    files = "\n".join(file.sha256 for file in row.files)
    return Examples(
        name=row.name,
        layout="pictures",
        train_inputs=train[0],
        train_labels=train[1],
        valid_inputs=valid[0],
        valid_labels=valid[1],
        classes=classes,
        mean=mean,
        deviation=deviation,
        digest=hashlib.sha256(files.encode()).hexdigest(),
    )


def valid_places(labels: Tensor, seed: int, *, stratified: bool) -> Tensor:
    """Return which examples are for validation, as booleans ``N``."""
    generator = seeded(seed, 0, torch.device("cpu"), stream=2)
    chance = torch.rand(len(labels), generator=generator)
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    groups = [labels == each for each in labels.unique()] if stratified else [torch.ones_like(chosen)]
    for group in groups:
        places = group.nonzero()[:, 0]
        chosen[places[chance[places].argsort()[: round(len(places) * VALID_SHARE)]]] = True
    return chosen
