"""What the end of a log says, read without the rest: how the trainer ended and the last figures it gave."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.core.errors import RunError
from engine.core.events import Damaged, Failed, Finished, Number, Saved, Unknown, decode
from engine.core.files import read_end

LOG = "events.jsonl"
DETAILS = "log.txt in the run's folder has the details."
"""What a person is told to do about an error that is not explained."""
REACH = 128 * 1024
"""Bytes of the log's end that are looked at; two of the longest lines."""

_STARTED = b'{"k":"started"'
_LAST_WORDS = (b'{"k":"finished"', b'{"k":"failed"')
_SAVED = (b'{"k":"saved"',)
_SCALARS = (b'{"k":"scalars"',)


class Ending:
    """The last words of a run's latest attempt, as far as the end of its log reaches."""

    def __init__(self, folder: Path) -> None:
        try:
            lines = read_end(folder, LOG, REACH).split(b"\n")
        except (OSError, RunError):
            lines = []
        self._lines = lines[-2::-1]
        """Whole lines, the last first."""

    def _found(self, kinds: tuple[bytes, ...]) -> Iterator[Any]:
        """Yield the events of those kinds, the last first, back to where the attempt began."""
        for line in self._lines:
            if line.startswith(kinds):
                try:
                    yield decode(line)
                except (Damaged, Unknown):
                    continue
            elif line.startswith(_STARTED):
                return

    @cached_property
    def _last_word(self) -> Finished | Failed | None:
        return next(self._found(_LAST_WORDS), None)

    @property
    def finished(self) -> Finished | None:
        """The event that the run reached its end, or was stopped."""
        return self._last_word if isinstance(self._last_word, Finished) else None

    @property
    def failed(self) -> Failed | None:
        """The event that it failed."""
        return self._last_word if isinstance(self._last_word, Failed) else None

    @cached_property
    def saved(self) -> Saved | None:
        """The last checkpoint that is whole."""
        return next(self._found(_SAVED), None)

    @cached_property
    def scalars(self) -> dict[str, Number]:
        """Each metric's last value."""
        known: dict[str, Number] = {}
        for event in self._found(_SCALARS):
            known = {**event.v, **known}
        return known

    @cached_property
    def step(self) -> int:
        """The last step that was told of."""
        return max((event.s for event in self._latest()), default=0)

    @cached_property
    def seconds(self) -> float:
        """How long it had trained by then."""
        return max((event.t for event in self._latest()), default=0.0)

    def _latest(self) -> Iterator[Any]:
        for kinds in (_LAST_WORDS, _SAVED, _SCALARS):
            yield from (event for event in [next(self._found(kinds), None)] if event is not None)
