"""Playing with a trained model: requests to a child process that has it open, and its answers as events."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from engine.core.errors import RunError
from engine.core.events import AnyEvent, Damaged, Failed, Finished, Unknown, decode
from engine.core.spec import Value
from engine.core.store import Run

LOG = "play.log"
"""In the run's folder: what the newest child says beside its answers."""
COMMAND = (sys.executable, "-P", "-m", "engine.play")
GRACE = 5.0
"""Seconds that the child gets to end by itself, once its input has ended."""


class Playground:
    """One run's model, open in a process of its own for as long as this context lasts; it reads checkpoints only."""

    def __init__(self, run: Run, *, device: str = "cpu", command: Sequence[str] = COMMAND) -> None:
        with ExitStack() as opened:
            log: BinaryIO | int = subprocess.DEVNULL
            self._remedy = ""
            with suppress(OSError):  # one can play with a run in a folder that cannot be written
                log = opened.enter_context((run.folder / LOG).open("ab"))
                log.truncate(0)
                self._remedy = f"See {run.folder / LOG}."
            self._child = subprocess.Popen(
                [*command, str(run.folder), device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, play: str, settings: Mapping[str, Value]) -> Iterator[AnyEvent]:
        """Yield the events of an answer, as they come.

        Args:
            play: its name; empty for the usual one of the family.
            settings: those that differ from their defaults.

        Raises:
            RunError: the play failed, with its own words, or the child has ended.
        """
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(msgspec.json.encode({"play": play, "settings": dict(settings)}) + b"\n")
            stdin.flush()
        except OSError:
            raise self._gone() from None
        for line in stdout:
            try:
                event = decode(line)
            except (Damaged, Unknown):
                continue
            if isinstance(event, Finished):
                return
            if isinstance(event, Failed):
                raise RunError(event.what, event.remedy or self._remedy)
            yield event
        raise self._gone()

    def _gone(self) -> RunError:
        return RunError("The process that had the model open has ended.", self._remedy)

    def close(self) -> None:
        """End the child."""
        assert self._child.stdin is not None and self._child.stdout is not None
        with suppress(OSError):
            self._child.stdin.close()
        try:
            self._child.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
