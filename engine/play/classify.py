"""Asking a classifier what it takes an example for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import DataError, UsageError
from engine.core.events import Event, Table
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
        picture = read_picture(Path(settings.file).expanduser(), data.shape, invert=settings.invert)
        peak = int(data.train_inputs.max())  # scikit-learn's digits go from 0 to 16
        example, true = (picture.float() * peak / 255).round().to(torch.uint8), ""
    else:
        if settings.example >= len(data.valid_inputs):
            raise UsageError(f"The validation split has {len(data.valid_inputs):,} examples, counted from 0.")
        example = data.valid_inputs[settings.example]
        true = f", in truth {data.classes[int(data.valid_labels[settings.example])]}"
    if data.layout == "pictures":
        yield pictures("example", example[None])
    with learner.autocast():
        chances_K = learner.modules["model"](data.prepare(example[None].to(data.mean.device))).float().softmax(1)[0]
    order = chances_K.argsort(descending=True)[:CLASSES_SHOWN].tolist()
    rows = [[data.classes[each], f"{100 * float(chances_K[each]):.1f} %"] for each in order]
    yield Table(name=f"taken for {data.classes[order[0]]}{true}", columns=["class", "probability"], rows=rows)


def read_picture(path: Path, shape: tuple[int, ...], *, invert: bool) -> Tensor:
    """Return a picture file as bytes ``CHW`` of the shape that the model sees.

    Raises:
        DataError: there is no such file, or it is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    channels, height, width = shape
    try:
        with Image.open(path) as opened:
            image = opened.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BOX)
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", "Check the path.") from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        raise DataError(f"{path} is no picture.", "Name a PNG or JPEG file.") from None
    flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    picture_CHW = flat.view(height, width, channels).permute(2, 0, 1).contiguous()
    return 255 - picture_CHW if invert else picture_CHW
