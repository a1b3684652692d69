"""CIFAR-10 from its binary archive, read where it lies: no member is unpacked to disk, and nothing is unpickled.

A member is a row of records: one byte of label, then 1,024 bytes of red, of green and of blue, each by rows of the
picture (A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version").
"""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.examples import Examples
from engine.data.files import how_to_get, verified
from engine.data.split import published_pictures
from engine.data.table import DataSet

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COLORS, SIDE = 3, 32
RECORD = 1 + COLORS * SIDE * SIDE
"""Bytes of a picture with its label."""
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"{FOLDER}/data_batch_{number}.bin" for number in range(1, 6))
VALID = (f"{FOLDER}/test_batch.bin",)
LARGEST_MEMBER = 10_000 * RECORD
"""Bytes; as large as the published ones are."""


def load_cifar(row: DataSet, seed: int) -> Examples:
    """Return the pictures of the training batches and of the test batch.

    Raises:
        DataError: the archive is missing or damaged, with how to get it.
    """
    path = verified(row, row.files[0])
    try:
        found = members(path, (*TRAIN, *VALID))
        train = parse(b"".join(found[name] for name in TRAIN))
        valid = parse(b"".join(found[name] for name in VALID))
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{path} cannot be decoded ({error}).", how_to_get(row)) from None
    return published_pictures(row, CLASSES, train, valid)


def members(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of some plain files of an archive, each no longer than a published batch.

    Raises:
        ValueError: one of them is missing, is no plain file, or is too long.
        OSError, EOFError, zlib.error, tarfile.TarError: it is no such archive, or damaged.
    """
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.name not in names:
                continue
            if not member.isreg() or member.size > LARGEST_MEMBER:
                raise ValueError(f"{member.name} is no plain file of at most {LARGEST_MEMBER:,} bytes")
            file = archive.extractfile(member)
            found[member.name] = file.read() if file else b""
    absent = [name for name in names if name not in found]
    if absent:
        raise ValueError(f"{absent[0]} is not in it")
    return found


def parse(content: bytes) -> tuple[Tensor, Tensor]:
    """Return the pictures (bytes, ``NCHW``) and labels of some records.

    Raises:
        ValueError: these are no whole records, or a label names no class.
    """
    if not content or len(content) % RECORD:
        raise ValueError(f"{len(content):,} bytes are no whole records of {RECORD:,}")
    records = torch.frombuffer(bytearray(content), dtype=torch.uint8).view(-1, RECORD)
    labels = records[:, 0].long()
    if int(labels.max()) >= len(CLASSES):
        raise ValueError(f"label {int(labels.max())} names no class")
    return records[:, 1:].reshape(-1, COLORS, SIDE, SIDE).contiguous(), labels
