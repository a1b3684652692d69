"""A person's own pictures: a folder whose subfolders are classes, and a single file, both brought to one small size.

Every picture is turned as its camera held it, cut to a square around its middle and reduced by the mean of the pixels
that fall together. Shape legend: N pictures, C channels, H height, W width.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.examples import Examples
from engine.data.split import split_examples

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
GRAY = (1, 28, 28)
"""The shape of a folder of gray pictures: that of MNIST."""
COLOR = (3, 32, 32)
"""The shape of a folder with a colored picture in it: that of CIFAR-10."""
GRAY_MODES = {"1", "L", "LA", "I", "I;16"}
"""PIL's names for what has no colors."""
FEWEST = 5
"""Pictures of a class, so that one is left for validation."""
MOST_CLASSES = 100
BROKEN = (OSError, SyntaxError, ValueError, TypeError, struct.error)
"""What PIL raises over a damaged file."""


def load_picture_folder(path: Path, seed: int) -> Examples:
    """Return the pictures of a folder, labeled by the subfolder that they lie in, a stratified split by `seed`.

    Raises:
        DataError: there are no classes to tell apart, one has too few pictures, or a file is no picture.
    """
    classes = picture_files(path)
    files = [file for found in classes.values() for file in found]
    shape = GRAY if all(is_gray(file) for file in files) else COLOR
    pictures_NCHW = torch.stack([read_picture(file, shape) for file in files])
    labels = torch.tensor([number for number, found in enumerate(classes.values()) for _ in found])
    return split_examples(path.name, "pictures", pictures_NCHW, labels, seed, classes=tuple(classes))


def picture_files(path: Path) -> dict[str, list[Path]]:
    """Return the pictures of each class by its name, both in alphabetical order; other files are passed over.

    Raises:
        DataError: the folder cannot be read, or has fewer than two classes, too many, or one with too few pictures.
    """
    try:
        folders = sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
        found = {folder.name: sorted(each for each in folder.iterdir() if is_picture(each)) for folder in folders}
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check the folder.") from None
    classes = {name: files for name, files in found.items() if files}
    if len(classes) < 2:
        only = f" but {next(iter(classes))}" if classes else ""
        raise DataError(
            f"{path.name} has no class{only}, so there is nothing to tell apart.",
            "Make a subfolder for each of two classes or more, with its PNG or JPEG files in it.",
        )
    if len(classes) > MOST_CLASSES:
        raise DataError(f"{path.name} has {len(classes):,} classes.", f"Use at most {MOST_CLASSES}.")
    for name, files in classes.items():
        if len(files) < FEWEST:
            raise DataError(
                f"The class {name} of {path.name} has {len(files)} picture{'s' * (len(files) > 1)}, too few to split.",
                f"Use {FEWEST} or more of each class.",
            )
    return classes


def is_picture(path: Path) -> bool:
    """Whether the name of a file says that it is a picture; hidden ones are not meant."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def is_gray(path: Path) -> bool:
    """Whether a picture has no colors, by the head of its file.

    Raises:
        DataError: it is no picture.
    """
    with opened(path) as image:
        return image.mode in GRAY_MODES


def read_picture(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Return a picture file as bytes ``CHW`` of that shape; where it is transparent, a white ground shows.

    Raises:
        DataError: there is no such file, or it is no picture.
    """
    from PIL import Image, ImageOps

    channels, height, width = shape
    with opened(path) as image:
        try:
            image.draft("RGB", (4 * width, 4 * height))  # a large JPEG is decoded at a fraction of its size
            turned = _turned(image)
            if turned.mode.startswith("I"):
                turned = turned.point(lambda value: value * (1 / 256)).convert("L")  # 16 bits a pixel
            if turned.has_transparency_data:
                ground = Image.new("RGBA", turned.size, "white")
                turned = Image.alpha_composite(ground, turned.convert("RGBA"))
            square = ImageOps.fit(
                turned.convert("L" if channels == 1 else "RGB"), (width, height), Image.Resampling.BOX
            )
        except (*BROKEN, Image.DecompressionBombError):
            raise DataError(f"{path} cannot be decoded.", "Save it anew as PNG or JPEG, or take it away.") from None
    flat = torch.frombuffer(bytearray(square.tobytes()), dtype=torch.uint8)
    return flat.view(height, width, channels).permute(2, 0, 1).contiguous()


def _turned(image: Image.Image) -> Image.Image:
    """Return a picture as its camera was held; as it lies, where what the camera noted is damaged."""
    from PIL import ImageOps

    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except BROKEN:
        return image


def opened(path: Path) -> Image.Image:
    """Return a picture of which no more than the head was read.

    Raises:
        DataError: there is no such file, or it is no picture.
    """
    from PIL import Image

    try:
        return Image.open(path, formats=("PNG", "JPEG"))
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", "Check the path.") from None
    except (*BROKEN, Image.DecompressionBombError):
        raise DataError(f"{path} is no picture.", "It has to be a PNG or JPEG file.") from None
