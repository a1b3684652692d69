"""What the end of a log says, read without the rest: how the trainer ended and the last figures it gave."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import RunError
from engine.core.events import Damaged, Failed, Finished, Number, Saved, Scalars, Started, Unknown, decode
from engine.core.files import read_end

LOG = "events.jsonl"
REACH = 128 * 1024
"""Bytes of the log's end that are looked at; two of the longest lines."""

_MARKS = {
    b'{"k":"finished"': Finished, b'{"k":"failed"': Failed, b'{"k":"started"': Started, b'{"k":"saved"': Saved,
    b'{"k":"scalars"': Scalars,
}  # fmt: skip
_LONGEST_MARK = max(map(len, _MARKS))


class Ending:
    """The last words of a run's latest attempt."""

    def __init__(self, folder: Path) -> None:
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        self.saved: Saved | None = None
        self.step = 0
        self.seconds = 0.0
        self.scalars: dict[str, Number] = {}
        """Each metric's last value, as far as the end of the log reaches."""
        self._read(folder)

    def _read(self, folder: Path) -> None:
        try:
            lines = read_end(folder, LOG, REACH).split(b"\n")
        except (OSError, RunError):
            return
        for line in reversed(lines[:-1]):
            if _mark(line) is None:
                continue
            try:
                event = decode(line)
            except (Damaged, Unknown):
                continue
            self.step = max(self.step, event.s)
            self.seconds = max(self.seconds, event.t)
            match event:
                case Started():
                    return
                case Finished():
                    self.finished = self.finished or event
                case Failed():
                    self.failed = self.failed or event
                case Saved():
                    self.saved = self.saved or event
                case Scalars():
                    self.scalars = {**event.v, **self.scalars}


def _mark(line: bytes) -> type | None:
    head = line[:_LONGEST_MARK]
    return next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), None)
