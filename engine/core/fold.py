"""Folding a run's events into what a screen shows: series, the latest pictures, notes, how it ended."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.core import events
from engine.core.errors import RunError
from engine.core.events import (
    FORMAT,
    Answer,
    Baseline,
    Damaged,
    Failed,
    Finished,
    KnobChanged,
    Note,
    Number,
    Phase,
    Saved,
    Scalars,
    Started,
    Unknown,
)  # fmt: skip
from engine.core.series import Floats, Integers, Series
from engine.core.view import Drawn, whole

LONGEST_HISTORY = 400
"""Events kept of one name; past it every second one of the older half goes."""
MOST_NAMES = 10_000
"""Metrics kept; a trainer that invents more is at fault."""
LONGEST_NAME = 200
RATE_SECONDS = 30.0
"""How far back the pace of late reaches, at most."""


class Fold:
    """All that the lines read so far amount to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._lines = 0
        self.newer = 0
        """The format of a log that a newer Lexigrad wrote; nothing of it is folded."""
        self.damaged = 0
        self.unknown = 0
        self.step = 0
        self.elapsed = 0.0
        self.phase = ""
        self.started: Started | None = None
        self.resumes = 0
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        self.saved: Saved | None = None
        self.series: dict[str, Series] = {}
        self.latest: dict[str, Drawn] = {}
        self.history: dict[str, tuple[Drawn, ...]] = {}
        self.baselines: tuple[Baseline, ...] = ()
        self.notes: tuple[Note, ...] = ()
        self.knob_changes: tuple[KnobChanged, ...] = ()
        self.answers: tuple[Answer, ...] = ()

    def add(self, lines: Iterable[bytes]) -> None:
        """Fold whole lines, in the order of the log; damaged and unknown ones are skipped and counted."""
        for of_scalars, together in itertools.groupby(lines, _is_scalars):
            if of_scalars:
                self._add_scalars(list(together))
            else:
                self._add_others(together)
        self._flush()

    def _add_others(self, lines: Iterable[bytes]) -> None:
        drawn: dict[str, list[Drawn]] = {}
        for event in self._sound(lines):
            self._advance(event.s, event.t)
            if isinstance(event, Drawn):
                drawn.setdefault(event.name, []).append(event)
                continue
            if isinstance(event, Started):
                self._keep_drawn(drawn)
                drawn = {}
            self._add_other(event)
        self._keep_drawn(drawn)

    def _sound(self, lines: Iterable[bytes]) -> Iterator[Any]:
        """Yield the events of whole lines; damaged and unknown ones are counted."""
        for line in lines:
            try:
                yield events.decode(line)
            except Damaged:
                self.damaged += bool(line.strip(b"\0"))
            except Unknown:
                self.unknown += 1

    def _advance(self, step: int, seconds: float) -> None:
        if step > self.step:
            self.step = step
        if seconds > self.elapsed:
            self.elapsed = seconds

    def _add_scalars(self, lines: list[bytes]) -> None:
        """Gather lines of scalars; they are most of a log, so sound ones are decoded all at once."""
        rows = _decode_rows(lines)
        if rows is None:
            sound = (each for each in self._sound(lines) if isinstance(each, Scalars) and _is_in_range(each))
            rows = [_Row(s=each.s, t=each.t, n=each.n, v=each.v) for each in sound]
        for names, together in itertools.groupby(rows, _names_of):
            group = self._groups.get(names)
            if group is None:
                group = self._groups[names] = _Group()
            self._lines += group.add(list(together), self._lines)
        if rows:
            self._advance(max(row.s for row in rows), max(row.t for row in rows))

    def _add_other(self, event: Any) -> None:
        match event:
            case Started():
                self._start(event)
            case Phase():
                self.phase = event.name
            case Note():
                self.notes = (*self.notes, event)[-LONGEST_HISTORY:]
            case Answer():
                self.answers = (*self.answers, event)[-LONGEST_HISTORY:]
            case KnobChanged():
                self.knob_changes = (*self.knob_changes, event)
            case Baseline():
                rest = (each for each in self.baselines if (each.metric, each.name) != (event.metric, event.name))
                self.baselines = (*rest, event)
            case Saved():
                self.saved = event
            case Finished():
                self.finished = event
            case Failed():
                self.failed = event

    def _start(self, event: Started) -> None:
        """Begin, or go on from a checkpoint: what was shown of later steps is taken back."""
        if event.format > FORMAT:
            self.newer = event.format
        if self.started is not None:
            self._flush()
            self._take_back(event.s)
            self.resumes += 1
            self.step, self.elapsed = event.s, event.t
        self.started = event
        self.finished = self.failed = None

    def _take_back(self, step: int) -> None:
        for name, series in list(self.series.items()):
            if len(series) and series.steps[-1] > step:
                self.series[name] = series.until(step)
        for name, drawn in list(self.history.items()):
            if drawn[-1].s > step:
                self.history[name] = tuple(each for each in drawn if each.s <= step)
                self._show_latest(name)
        self.knob_changes = tuple(each for each in self.knob_changes if each.s <= step)
        if self.saved is not None and self.saved.s > step:
            self.saved = None

    def _keep_drawn(self, drawn: dict[str, list[Drawn]]) -> None:
        for name, fresh in drawn.items():
            if name not in self.history and len(self.history) >= MOST_NAMES:
                continue
            kept = [*self.history.get(name, ()), *fresh]
            while len(kept) > LONGEST_HISTORY:
                half = len(kept) // 2
                kept = kept[:half:2] + kept[half:]
            self.history[name] = tuple(kept)
            self._show_latest(name)

    def _show_latest(self, name: str) -> None:
        """Show the last event of that name, its body read; one whose file is lost gives way to the one before."""
        for event in reversed(self.history[name]):
            try:
                self.latest[name] = whole(self._folder, event)
                return
            except RunError:
                continue
        self.latest.pop(name, None)

    def _flush(self) -> None:
        """Move what was gathered into the series, each metric in the order of its lines."""
        gathered: dict[str, list[_Columns]] = {}
        for names, group in self._groups.items():
            for name, columns in zip(names, group.columns(len(names)), strict=True):
                gathered.setdefault(name[:LONGEST_NAME], []).append(columns)
        self._groups = {}
        for name, parts in gathered.items():
            if name not in self.series and len(self.series) >= MOST_NAMES:
                continue
            lines, steps, times, samples, values = parts[0]
            if len(parts) > 1:
                lines, steps, times, samples, values = (np.concatenate(each) for each in zip(*parts, strict=True))
                order = np.argsort(lines, kind="stable")
                steps, times, samples, values = steps[order], times[order], samples[order], values[order]
            self.series.setdefault(name, Series()).extend(steps, times, samples, values)

    def remaining(self, total_steps: int) -> float | None:
        """Return the seconds to the end at the pace of late: the last half of the run, at most `RATE_SECONDS`."""
        longest = max(self.series.values(), key=len, default=None)
        if longest is None or len(longest) < 2 or not total_steps:
            return None
        times, steps = longest.times, longest.steps
        first = int(np.searchsorted(times, times[-1] - min(times[-1] / 2, RATE_SECONDS)))
        first = min(first, len(times) - 2)
        made, took = int(steps[-1] - steps[first]), float(times[-1] - times[first])
        return max(0.0, (total_steps - self.step) * took / made) if made > 0 and took > 0 else None


_LARGEST = 2**62
"""What a column of whole numbers holds; only a log that was made up has more."""


class _Row(msgspec.Struct, gc=False):
    """A line of scalars with its checksum."""

    s: int = 0
    t: float = 0.0
    n: int = 0
    c: int = 0
    v: dict[str, Number] = {}


_rows = msgspec.json.Decoder(_Row)
_Columns = tuple[Integers, Integers, Floats, Integers, Floats]
"""Number of the line, step, seconds, samples, value."""


def _is_in_range(row: _Row | Scalars) -> bool:
    return -_LARGEST < row.s < _LARGEST and -_LARGEST < row.n < _LARGEST


def _floats(values: list[Number]) -> Floats:
    """Return numbers as an array; a word that is no number becomes NaN."""
    try:
        return np.array(values, np.float64)
    except ValueError:
        return np.array([_real(value) for value in values], np.float64)


def _real(value: Number) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")


def _is_scalars(line: bytes) -> bool:
    return line.startswith(b'{"k":"scalars"')


def _names_of(row: _Row) -> tuple[str, ...]:
    return tuple(row.v)


def _decode_rows(lines: list[bytes]) -> list[_Row] | None:
    """Return the rows of lines that are all sound; None where any is not."""
    try:
        rows = _rows.decode_lines(b"\n".join(lines))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    checksums = [zlib.crc32(line[: line.rfind(b',"c":')]) for line in lines]
    if checksums != [row.c for row in rows]:
        return None
    steps, samples = [row.s for row in rows], [row.n for row in rows]
    largest = max(max(steps), max(samples), -min(steps), -min(samples))
    return rows if largest < _LARGEST else None


class _Group:
    """Lines of scalars that carry the same metrics."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._steps: list[int] = []
        self._times: list[float] = []
        self._samples: list[int] = []
        self._values: list[Number] = []

    def add(self, rows: list[_Row], line: int) -> int:
        """Gather rows, of which the first is line number `line`; return how many they are."""
        self._lines.extend(range(line, line + len(rows)))
        self._steps.extend([row.s for row in rows])
        self._times.extend([row.t for row in rows])
        self._samples.extend([row.n for row in rows])
        self._values.extend([value for row in rows for value in row.v.values()])
        return len(rows)

    def columns(self, count: int) -> Iterator[_Columns]:
        """Yield one metric after another."""
        lines = np.array(self._lines, np.int64)
        steps = np.array(self._steps, np.int64)
        times = np.array(self._times, np.float64)
        samples = np.array(self._samples, np.int64)
        for column in _floats(self._values).reshape(len(lines), count).T:
            yield lines, steps, times, samples, column
