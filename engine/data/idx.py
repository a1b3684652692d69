"""Pictures and labels in the idx format of MNIST, decoded once and kept decoded in the cache folder."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.core.paths import cache_folder, write_whole
from engine.data.examples import Examples
from engine.data.files import find, how_to_get, verified
from engine.data.split import published_pictures
from engine.data.table import DataSet, File

CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
}
UNSIGNED_BYTES = 0x08


def load_idx_pictures(row: DataSet, seed: int) -> Examples:
    """Return the pictures of one of the MNISTs with their published split."""
    pictures_NHW, labels, valid_NHW, valid_labels = (load_idx(row, file) for file in row.files)
    return published_pictures(
        row, CLASSES[row.name], (pictures_NHW[:, None], labels.long()), (valid_NHW[:, None], valid_labels.long())
    )


def load_idx(row: DataSet, file: File) -> Tensor:
    """Return the bytes of an idx file in its own shape: ``NHW`` for pictures, ``N`` for labels.

    Raises:
        DataError: it is missing or damaged, with how to get it.
    """
    find(row, file)
    cached = cache_folder() / f"{row.folder}-{file.sha256[:16]}.idx"
    try:
        return parse_idx(cached.read_bytes())
    except (OSError, ValueError):
        pass
    path = verified(row, file)
    try:
        content = gzip.decompress(path.read_bytes())
        numbers = parse_idx(content)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path} cannot be decoded ({error}).", how_to_get(row)) from None
    _keep(cached, content)
    return numbers


def _keep(path: Path, content: bytes) -> None:
    """Keep what was decoded, if there is room."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError:
        pass


def parse_idx(content: bytes) -> Tensor:
    """Return the unsigned bytes of an idx file: two zeros, the type, the number of axes, their lengths, the numbers.

    Raises:
        ValueError: it is no idx file of unsigned bytes, or not complete.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTES:
        raise ValueError("no idx file of bytes")
    axes = content[3]
    start = 4 + 4 * axes
    shape = [int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(axes)]
    if len(content) != start + math.prod(shape):
        raise ValueError(f"{len(content) - start:,} bytes instead of {math.prod(shape):,}")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)[start:].view(shape)
