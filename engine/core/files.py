"""Opening what lies in a run's folder, which may come from anywhere: plain files only, no link followed, no waiting.

A named pipe in a copied folder would block `open` for ever, a link would lead out of it; neither gets that far here.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from engine.core.errors import RunError

LARGEST_RECORD = 1024 * 1024
"""Bytes; no recipe, label, status or exit record is longer."""

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


def open_inside(folder: Path, address: str) -> int:
    """Return a descriptor for reading the plain file at `address`, a relative path below `folder`.

    Raises:
        FileNotFoundError: there is nothing at that address.
        OSError: it cannot be opened.
        RunError: the address leads out of the folder, or what lies there is a link, a pipe or a device.
    """
    parts = address.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise RunError(f"{address!r} is no address inside {folder.name}.", "The run was made by hand or is damaged.")
    try:
        descriptor = _descend(folder, parts)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENOTDIR}:
            raise _not_plain(folder, address) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_plain(folder, address)
    return descriptor


def _descend(folder: Path, parts: list[str]) -> int:
    """Open one part of the path after another, so that none of them can be exchanged for a link in between."""
    if len(parts) == 1:
        return os.open(f"{folder}/{parts[0]}", _FILE)
    place = os.open(folder, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=place)
            os.close(place)
            place = inner
        return os.open(parts[-1], _FILE, dir_fd=place)
    finally:
        os.close(place)


def _not_plain(folder: Path, address: str) -> RunError:
    return RunError(f"{address} in {folder.name} is not a plain file.", "Links, pipes and devices are not opened.")


def read_inside(folder: Path, address: str, limit: int = LARGEST_RECORD) -> bytes:
    """Return the whole file at `address` below `folder`; errors of `open_inside`, RunError past `limit`."""
    descriptor = open_inside(folder, address)
    try:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise RunError(f"{address} in {folder.name} is longer than {limit:,} bytes.", "It is not read.")
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def read_start(folder: Path, address: str, limit: int) -> bytes:
    """Return the first `limit` bytes of the file at `address` below `folder`; errors are those of `open_inside`."""
    return _read_part(folder, address, limit, from_end=False)


def read_end(folder: Path, address: str, limit: int) -> bytes:
    """Return the last `limit` bytes of the file at `address` below `folder`; errors are those of `open_inside`."""
    return _read_part(folder, address, limit, from_end=True)


def _read_part(folder: Path, address: str, limit: int, *, from_end: bool) -> bytes:
    descriptor = open_inside(folder, address)
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, min(limit, size), max(0, size - limit) if from_end else 0)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, whole or not at all; not synced, for records that are soon written again."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
