"""Following a run: each look reads what was appended and says whether anything changed."""

from __future__ import annotations

import contextlib
import os
import time

import msgspec

from engine.core.ending import LOG as EVENTS
from engine.core.errors import RunError
from engine.core.fold import Fold
from engine.core.liveness import LIVE, State, lock_is_held
from engine.core.records import NAMES, Exit, Status
from engine.core.samples import LOG as HARDWARE
from engine.core.samples import Sample, decode_sample
from engine.core.series import Series
from engine.core.store import Run
from engine.core.tail import Tail
from engine.core.view import Hardware, RunView

POLL_SECONDS = 0.05
"""The longest that one look works; what is left waits for the next."""
GLANCE_SECONDS = 0.005
"""The same for a first look, behind which a screen waits to be built."""
CHUNK = 1024 * 1024
"""Bytes folded between two looks at the clock."""


class Follower:
    """Keeps one run's view up to date. Not for two threads at once; the views it makes may go anywhere."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._log = Tail(run.folder, EVENTS)
        self._hardware_log = Tail(run.folder, HARDWARE)
        self._fold = Fold(run.folder)
        self._hardware: dict[str, Series] = {}
        self._sample: Sample | None = None
        self._state: State = "starting"
        self._cause = ""
        self._status: Status | None = None
        self._status_seen = -1
        self._settled: tuple[int, int] | None = None
        self._recipe = run.recipe
        self._view: RunView | None = None
        self.behind = False
        """Whether the last look left something for the next."""

    @property
    def view(self) -> RunView:
        """The run as of the last look.

        Raises:
            RunError: its log was written by a newer Lexigrad.
        """
        if self._fold.newer:
            newer = f"The log of {self._run.id} is of format {self._fold.newer}, newer than this Lexigrad reads."
            raise RunError(newer, "Update Lexigrad.")
        if self._view is None:
            self._view = self._make_view()
        return self._view

    def poll(self, seconds: float = POLL_SECONDS) -> bool:
        """Look once, for about `seconds` at most; return whether anything changed."""
        changed = self._read_log(seconds)
        changed |= self._read_hardware()
        changed |= self._read_status()
        changed |= self._read_state()
        if changed:
            self._view = None
        return changed

    def catch_up(self) -> RunView:
        """Read all that there is by now, however long it takes, and return the view."""
        self.poll()
        while self.behind:
            self.poll()
        return self.view

    def _read_log(self, seconds: float) -> bool:
        more, replaced = self._log.look()
        if replaced:
            self._fold = Fold(self._run.folder)
        deadline = time.perf_counter() + seconds
        changed = replaced
        while more:
            lines = self._log.read(CHUNK)
            if lines:
                self._fold.add(lines)
                changed = True
            more, _ = self._log.look()
            if time.perf_counter() > deadline:
                break
        changed |= self.behind != more
        self.behind = more
        return changed

    def _read_hardware(self) -> bool:
        more, replaced = self._hardware_log.look()
        if replaced:
            self._hardware = {}
        if not more:
            return replaced
        for line in self._hardware_log.read(CHUNK):
            try:
                sample = decode_sample(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            self._add_sample(sample)
        return True

    def _add_sample(self, sample: Sample) -> None:
        self._sample = sample
        seconds = max(0.0, sample.at - self._run.created)
        for name, value in sample.figures():
            self._hardware.setdefault(name, Series()).append(int(seconds), seconds, 0, value)

    def _read_status(self) -> bool:
        written = _written(f"{self._run.folder}/{NAMES[Status]}")
        if written == self._status_seen:
            return False
        self._status_seen = written
        self._status = self._run.status()
        return True

    def _read_state(self) -> bool:
        """Find the state; for a run that has ended, only whether somebody has taken it up again."""
        if self._settled is not None and self._settled == self._evidence() and not lock_is_held(self._run.folder):
            return False
        before = (self._state, self._cause)
        self._state = self._run.state()
        self._cause = self._run.cause_in(self._state)
        self._settled = None if self._state in LIVE or lock_is_held(self._run.folder) else self._evidence()
        return before != (self._state, self._cause)

    def _evidence(self) -> tuple[int, int]:
        folder = self._run.folder
        return _written(f"{folder}/{NAMES[Exit]}"), _written(f"{folder}/{EVENTS}")

    def _make_view(self) -> RunView:
        fold, status = self._fold, self._status
        # The folder may go, or be damaged, while it is looked at; what is known still stands.
        with contextlib.suppress(RunError):
            self._recipe = self._run.recipe
        total_steps = (fold.started.total_steps if fold.started else 0) or (status.total_steps if status else 0)
        return RunView(
            id=self._run.id,
            folder=self._run.folder,
            recipe=self._recipe,
            state=self._state,
            cause=self._cause,
            phase=fold.phase or (status.phase if status else ""),
            step=max(fold.step, status.step) if status and self._state in LIVE else fold.step,
            total_steps=total_steps,
            elapsed=fold.elapsed,
            remaining=fold.remaining(total_steps) if self._state == "running" else None,
            started=fold.started,
            resumes=fold.resumes,
            series=dict(fold.series),
            latest=dict(fold.latest),
            history=dict(fold.history),
            baselines=fold.baselines,
            notes=fold.notes,
            knob_changes=fold.knob_changes,
            answers=fold.answers,
            hardware=Hardware(latest=self._sample, series=dict(self._hardware)),
            finished=fold.finished,
            failed=fold.failed,
            saved=fold.saved,
            damaged=fold.damaged + self._log.dropped,
            unknown=fold.unknown,
            behind=self.behind,
        )


def _written(path: str) -> int:
    """Return when a file was last written, in nanoseconds; 0 where there is none."""
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0
