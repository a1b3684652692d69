"""What a screen may know of a run: one immutable picture of it at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.core.errors import RunError
from engine.core.events import (
    Answer,
    AnyEvent,
    Baseline,
    Event,
    Failed,
    Finished,
    HeatMap,
    Histogram,
    KnobChanged,
    Note,
    Pictures,
    Points,
    Saved,
    Started,
    Table,
    Text,
)  # fmt: skip
from engine.core.files import read_inside
from engine.core.liveness import LIVE, State
from engine.core.recipe import Recipe
from engine.core.samples import Sample

if TYPE_CHECKING:
    from engine.core.series import Series

Drawn = Pictures | Text | Histogram | HeatMap | Points | Table
"""The events that carry a name and something to look at."""

LARGEST_MEDIA = 64 * 1024 * 1024
"""Bytes of one file in ``media/``."""

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What the sampler said."""

    latest: Sample | None = None
    series: Mapping[str, Series] = field(default_factory=dict)
    """``cpu``, ``process_memory``, ``gpu0/utilization`` ... over seconds (step and time alike)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run at one moment. Its series only ever grow; all else is as it was.

    All text is as it was read and may hold anything; who shows it cleans it.
    """

    id: str
    folder: Path
    recipe: Recipe
    state: State
    cause: str = ""
    """Why it failed, stopped or was lost, as a sentence; empty where there is nothing to explain."""
    phase: str = ""
    step: int = 0
    total_steps: int = 0
    elapsed: float = 0.0
    """Seconds of training, pauses left out."""
    remaining: float | None = None
    """Seconds to the end at the pace of late; None where it cannot be known."""
    started: Started | None = None
    resumes: int = 0
    """How often it went on from a checkpoint."""
    series: Mapping[str, Series] = field(default_factory=dict)
    latest: Mapping[str, Drawn] = field(default_factory=dict)
    """The last picture, text, map ... of each name, whole."""
    history: Mapping[str, tuple[Drawn, ...]] = field(default_factory=dict)
    """All of them in the order of steps; see `whole`."""
    baselines: tuple[Baseline, ...] = ()
    notes: tuple[Note, ...] = ()
    knob_changes: tuple[KnobChanged, ...] = ()
    answers: tuple[Answer, ...] = ()
    hardware: Hardware = Hardware()
    finished: Finished | None = None
    failed: Failed | None = None
    saved: Saved | None = None
    damaged: int = 0
    """Lines that were skipped because their checksum was wrong."""
    unknown: int = 0
    """Lines of a kind that this version does not know."""
    behind: bool = False
    """Whether more has been written than was read so far."""

    @property
    def live(self) -> bool:
        """Whether something of the run is at work."""
        return self.state in LIVE

    def whole(self, event: Drawn) -> Drawn:
        """Return an event of the history with its body, which for a large one lies in a file of its own.

        Raises:
            RunError: the file is missing or damaged.
        """
        return whole(self.folder, event)


def whole(folder: Path, event: Drawn) -> Drawn:
    """Return `event` with its body, read from ``media/`` where it was too long for a line.

    Raises:
        RunError: the file is missing or damaged.
    """
    if not event.media:
        return event
    try:
        found: Event = _decoder.decode(read_inside(folder, event.media, LARGEST_MEDIA))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        raise RunError(
            f"{event.media} of {folder.name} is missing or damaged.", "The rest of the run is not touched."
        ) from None
    if type(found) is not type(event):
        raise RunError(
            f"{event.media} of {folder.name} is not what the log says.", "The rest of the run is not touched."
        )
    return found
