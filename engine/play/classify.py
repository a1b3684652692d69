"""Asking a classifier what it takes an example for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from engine.core.errors import UsageError
from engine.core.events import Event, Table
from engine.data.picture_folder import read_picture
from engine.play.kinds import ClassifySettings
from engine.train.classifier import Classifier, pictures

CLASSES_SHOWN = 10


def classify(learner: Classifier, settings: ClassifySettings) -> Iterator[Event]:
    """Yield the picture that is looked at, and the probability of each class, the likeliest first.

    Raises:
        UsageError: there is no such example, or the model tells no pictures apart.
        DataError: the file is no picture.
    """
    data = learner.data
    if not data.classes:
        raise UsageError("This model predicts a number; it tells no classes apart.")
    if settings.file:
        if data.layout != "pictures":
            raise UsageError(f"{data.name} has no pictures.", "Name an example instead: --set example=3")
        picture_CHW = read_picture(Path(settings.file).expanduser(), data.shape)
        picture_CHW = 255 - picture_CHW if settings.invert else picture_CHW
        example, true = (picture_CHW.float() * data.peak / 255).round().to(torch.uint8), ""
    else:
        if settings.example >= len(data.valid_inputs):
            raise UsageError(f"The validation split has {len(data.valid_inputs):,} examples, counted from 0.")
        example = data.valid_inputs[settings.example]
        true = f", in truth {data.classes[int(data.valid_labels[settings.example])]}"
    if data.layout == "pictures":
        yield pictures("example", example[None], peak=data.peak)
    with learner.autocast():
        chances_K = learner.modules["model"](data.prepare(example[None].to(data.mean.device))).float().softmax(1)[0]
    order = chances_K.argsort(descending=True)[:CLASSES_SHOWN].tolist()
    rows = [[data.classes[each], f"{100 * float(chances_K[each]):.1f} %"] for each in order]
    yield Table(name=f"taken for {data.classes[order[0]]}{true}", columns=["class", "probability"], rows=rows)
