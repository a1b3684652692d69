"""Verified, resumable downloads with the standard library alone.

A file grows beside its place as ``.<name>.part`` and moves there when its size and SHA-256 are right; a download that
was cut off goes on where it stopped.
"""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.core.errors import DataError
from engine.core.paths import data_folders
from engine.data.files import PIECE, digest_of, missing
from engine.data.table import DataSet, File

SECONDS_OF_SILENCE = 30
Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes that are here and the bytes that there will be."""


def silent(name: str, here: int, whole: int) -> None:
    """Report no progress."""


def fetch(row: DataSet, progress: Progress = silent) -> list[Path]:
    """Download those files of a data set that are not here yet; return where they are.

    Raises:
        DataError: there is no connection, the server refuses, a file is not what it should be, or the disk is full.
    """
    folder = data_folders()[-1] / row.folder
    return [fetch_file(file, folder, progress) for file in missing(row)]


def fetch_file(file: File, folder: Path, progress: Progress = silent) -> Path:
    """Download one file into `folder`; errors are those of `fetch`."""
    place, part = folder / file.name, folder / f".{file.name}.part"
    if not file.url:
        raise DataError(f"No address is known that gives {file.name} to the byte.", f"Put the file into {folder}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _continue(file, part, progress)
        if digest_of(part) != file.sha256:
            part.unlink()
            raise DataError(
                f"{file.url} gave a file that is not {file.name} (checksum).",
                "Try again; if it stays, its source has changed.",
            )
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(place)
    except urllib.error.HTTPError as error:
        raise DataError(f"{file.url} answers {error.code} {error.reason}.", "Try again later.") from None
    except (urllib.error.URLError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise DataError(
            f"{file.name} could not be loaded from {file.url} ({reason}).",
            f"Go online and try again, it goes on where it stopped; or copy the file from elsewhere to {place}.",
        ) from None
    except OSError as error:
        raise DataError(
            f"{place} could not be written ({error.strerror}).", "Make room, or set LEXIGRAD_HOME elsewhere."
        ) from None
    return place


def _continue(file: File, part: Path, progress: Progress) -> None:
    """Load what is missing of a file, and not a byte more than it should have."""
    here = part.stat().st_size if part.exists() else 0
    if here > file.bytes:
        part.unlink()
        here = 0
    progress(file.name, here, file.bytes)
    if here == file.bytes:
        return
    request = urllib.request.Request(file.url, headers={"User-Agent": "lexigrad"})
    if here:
        request.add_header("Range", f"bytes={here}-")
    with _of_the_line(lambda: urllib.request.urlopen(request, timeout=SECONDS_OF_SILENCE)) as answer:
        if here and answer.status != http.client.PARTIAL_CONTENT:
            here = 0  # the server sends the whole file again
        with part.open("ab" if here else "wb") as written:
            while piece := _of_the_line(lambda: answer.read(PIECE)):
                here += len(piece)
                if here > file.bytes:
                    raise DataError(
                        f"{file.url} sends more than the {file.bytes:,} bytes of {file.name}.",
                        "Its source has changed.",
                    )
                written.write(piece)
                progress(file.name, here, file.bytes)
    if here < file.bytes:
        raise urllib.error.URLError(f"it ended after {here:,} of {file.bytes:,} bytes")


def _of_the_line(act: Callable[[], Any]) -> Any:
    """Return what `act` gets over the network; an error of it is told apart from one of the disk.

    Raises:
        urllib.error.URLError: the line broke, or the server refuses.
    """
    try:
        return act()
    except urllib.error.URLError:
        raise
    except OSError as error:
        raise urllib.error.URLError(error) from None
