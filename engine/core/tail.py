"""Reading what was appended to a file, whole lines only."""

from __future__ import annotations

import os
from pathlib import Path

from engine.core.errors import RunError
from engine.core.files import open_inside

LONGEST_LINE = 1024 * 1024
"""Bytes without a newline that are waited for; what is longer is no line of ours and is dropped."""


class Tail:
    """One growing file of a run, read from where the last look ended."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        self._path = f"{folder}/{address}"
        self._offset = 0
        self._inode = 0
        self._pending = b""
        self.dropped = 0
        """Overlong pieces that were no lines."""

    def look(self) -> tuple[bool, bool]:
        """Say whether there is more to read, and whether the file is another one than before.

        A file that was cut counts as another one; both are read from their start.
        """
        try:
            found = os.lstat(self._path)
        except OSError:
            return False, False
        replaced = bool(self._inode) and (found.st_ino != self._inode or found.st_size < self._offset)
        if replaced:
            self._offset, self._pending = 0, b""
        self._inode = found.st_ino
        return found.st_size > self._offset, replaced

    def read(self, limit: int) -> list[bytes]:
        """Return the next whole lines out of at most `limit` bytes; a torn last line waits for its rest."""
        try:
            descriptor = open_inside(self._folder, self._address)
        except (OSError, RunError):
            return []
        try:
            data = os.pread(descriptor, limit, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(data)
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = self._pending + lines[0]
            self._pending = rest
        else:
            self._pending += rest
        if len(self._pending) > LONGEST_LINE:
            self._pending = b""
            self.dropped += 1
        return lines
