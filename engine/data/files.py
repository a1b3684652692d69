"""Where a data set's files are on this machine, and whether they are the right ones. Torch-free."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.core.errors import DataError
from engine.core.paths import data_folders
from engine.data.table import DataSet, File

PIECE = 1 << 20


def how_to_get(row: DataSet) -> str:
    """Return the sentence that says how to get a data set's files."""
    place = data_folders()[-1] / row.folder
    if not all(file.url for file in row.files):
        return f"Put {', '.join(file.name for file in row.files)} into {place}. {row.citation}"
    return f"Get it with `lexigrad data get {row.name}` ({row.bytes / 1e6:,.1f} MB), or put its files into {place}."


def find(row: DataSet, file: File) -> Path:
    """Return where a file of a data set is, by its size; `digest_of` tells whether it is right to the byte.

    Raises:
        DataError: it is nowhere, or its size is wrong; with how to get it.
    """
    wrong = ""
    for folder in data_folders():
        path = folder / row.folder / file.name
        if path.is_file():
            size = path.stat().st_size
            if size == file.bytes:
                return path
            wrong = f"{path} has {size:,} bytes instead of {file.bytes:,}; it is incomplete or damaged."
    raise DataError(
        wrong or f"{row.title} is not on this machine: {file.name} is in none of the data folders.", how_to_get(row)
    )


def missing(row: DataSet) -> list[File]:
    """Return the files of a data set that are not on this machine in full."""
    absent = []
    for file in row.files:
        try:
            find(row, file)
        except DataError:
            absent.append(file)
    return absent


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def verified(row: DataSet, file: File) -> Path:
    """Return where a file of a data set is, its SHA-256 checked.

    Raises:
        DataError: it is missing or damaged.
    """
    path = find(row, file)
    if digest_of(path) != file.sha256:
        raise DataError(f"{path} is damaged (checksum).", "Delete it. " + how_to_get(row))
    return path
