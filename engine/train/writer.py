"""The trainer's pen: events appended to ``events.jsonl`` in whole lines, and the heart-beat.

One write(2) with O_APPEND a call, so that a kill loses nothing that was written. A full disk ends nothing: lines wait
in memory and follow when there is room.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from engine.core.events import LARGEST_LINE, Event, Note, encode, encode_all
from engine.core.files import replace_file
from engine.core.processes import boot_id
from engine.core.records import Status, write_status

LARGEST_BACKLOG = 64 * 1024 * 1024
"""Bytes of lines kept in memory while the disk is full; past it every second waiting line is dropped."""

RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
"""At the end of a run, for room on the disk."""

BEAT_SECONDS = 2.0
HEAD = ("s", "t", "name")
"""What stays in the line of an event whose body went to ``media/``."""


class RunWriter:
    """Writes the events of one run; the only writer of its log.

    Args:
        folder: the run's folder; what a torn last line left behind is closed off first.
        clock: seconds that only grow, by which the heart-beat is seldom.

    Attributes:
        lines: how many events this process has emitted.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self.clock = clock
        self.path = folder / "events.jsonl"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self.path, flags, 0o600)
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._retry_at = 0.0
        self._trouble = ""
        self._beat_at = 0.0
        self._boot = boot_id()
        self.lines = 0
        if _ends_torn(self.path):
            os.write(self._file, b"\n")

    def emit(self, *events: Event) -> None:
        """Append events, each one line, together one write."""
        self.emit_all(events)

    def emit_all(self, events: Iterable[Event]) -> None:
        """Append many events by one write."""
        events = list(events)
        lines = encode_all(events)
        if lines and max(map(len, lines)) > LARGEST_LINE:
            lines = [self._fitting(line, event) for line, event in zip(lines, events, strict=True)]
        self.lines += len(lines)
        if self._waiting:
            self._keep(lines)
            if time.monotonic() >= self._retry_at:
                self.flush()
        elif lines:
            self._write(lines)

    def flush(self) -> bool:
        """Try to write what waits; return whether nothing waits any more."""
        lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not lines:
            return True
        trouble = self._trouble
        self._write(lines)
        if not self._waiting:
            self.emit(
                Note(
                    text=f"There is room on the disk again ({trouble}); what waited in memory is written.", level="info"
                )
            )
        return not self._waiting

    @property
    def trouble(self) -> str:
        """Why lines wait in memory; empty where none do."""
        return (
            f"{self._trouble}: {self._waiting_bytes / 2**20:.1f} MiB of metrics wait in memory" if self._waiting else ""
        )

    def status(
        self, phase: str, step: int, total_steps: int, step_seconds: float = 0.0, *, at_once: bool = False
    ) -> None:
        """Replace the heart-beat, at most every `BEAT_SECONDS` unless `at_once`; a full disk is no error."""
        now = self.clock()
        if now < self._beat_at and not at_once:
            return
        self._beat_at, beat = now + BEAT_SECONDS, time.monotonic()
        status = Status(
            phase=phase, step=step, total_steps=total_steps, beat=beat, boot=self._boot, step_seconds=step_seconds
        )
        try:
            write_status(self.folder, status)
        except OSError:
            self._beat_at = now + RETRY_SECONDS

    def close(self) -> None:
        """Write what waits, patiently where the disk is full, make it durable, and let go of the file."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.flush() and time.monotonic() < until:
            time.sleep(RETRY_SECONDS)
        try:
            os.fsync(self._file)
        except OSError as error:
            self._trouble = os.strerror(error.errno or 0)
        os.close(self._file)

    def _write(self, lines: list[bytes]) -> None:
        """Append lines; what does not fit waits, a line that was written in part as its rest."""
        data = b"".join(lines)
        try:
            written = os.write(self._file, data)
        except OSError as error:
            self._trouble = error.strerror or str(error)
            written = 0
        if written == len(data):
            return
        self._trouble = self._trouble or "No space left on device"
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._keep([data[written:]] if written else lines)

    def _keep(self, lines: list[bytes]) -> None:
        """Let lines wait; thin them where they are too many, never the first, which may be the rest of a torn one."""
        self._waiting += lines
        self._waiting_bytes += sum(map(len, lines))
        if self._waiting_bytes > LARGEST_BACKLOG:
            self._waiting = self._waiting[:1] + self._waiting[1::2]
            self._waiting_bytes = sum(map(len, self._waiting))

    def _fitting(self, line: bytes, event: Event) -> bytes:
        """Return the line of an event; a long one leaves its body in ``media/`` and keeps the address."""
        if len(line) <= LARGEST_LINE:
            return line
        name = re.sub(r"[^a-z0-9]+", "-", str(getattr(event, "name", "event")).lower()).strip("-")[:60]
        address = f"media/{event.s:08d}-{name or 'event'}.json"
        kept = {key: value for key in HEAD if (value := getattr(event, key, None)) is not None}
        try:
            (self.folder / "media").mkdir(mode=0o700, exist_ok=True)
            replace_file(self.folder / address, msgspec.json.encode(event))
        except OSError as error:
            return encode(
                Note(s=event.s, t=event.t, text=f"{name} could not be kept ({error.strerror}).", level="warning")
            )
        return encode(type(event)(**kept, media=address))


def _ends_torn(path: Path) -> bool:
    """Whether the file's last byte is not a newline."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return False
        file.seek(size - 1)
        return file.read(1) != b"\n"
