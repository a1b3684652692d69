"""The small files beside a run's events: who runs it, how far it is, how it ended, what a person calls it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from engine.core.errors import RunError
from engine.core.files import read_inside, replace_file
from engine.core.paths import write_whole

FORMAT = 1


class Identity(msgspec.Struct, frozen=True):
    """One process, told apart from a later one of the same number."""

    pid: int
    start: str
    """When it started, as the system counts it (`processes.start_time`)."""
    boot: str
    """Which start of the machine it belongs to (`processes.boot_id`)."""


class Processes(msgspec.Struct, frozen=True, kw_only=True):
    """``proc.json``, written by the shim before anything of the run can be signaled."""

    shim: Identity
    trainer: Identity | None = None
    started: float = 0.0
    """Seconds since 1970 at which the shim took the run on."""
    queued: bool = False
    """The run waits for those before it in its group."""
    stopping: bool = False
    """The shim was told to end it."""
    locked: bool = True
    """False where the file system knows no locks; then process identities have to do."""


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``status.json``, the trainer's heart-beat: replaced at most every 2 seconds, whenever something moved."""

    format: int = FORMAT
    phase: str = ""
    """As in the event `Phase`: ``loading data``, ``training``, ``evaluating``, ``paused``, ``saving``, ``stopping``."""
    step: int = 0
    total_steps: int = 0
    beat: float = 0.0
    """`time.monotonic` of the last step, batch or file that came to its end; one clock for the whole machine."""
    boot: str = ""
    """The machine start that `beat` counts from; empty where the trainer does not say."""
    step_seconds: float = 0.0
    """What one step takes, by the median of late; what takes ten times that, and a minute at least, is stalled."""


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """``exit.json``, the shim's last word: how the trainer ended."""

    format: int = FORMAT
    code: int = 0
    """What the trainer returned; 128 + signal where one ended it."""
    signal: int = 0
    stopped: bool = False
    """A person asked for the end."""
    forced: bool = False
    """It did not end when asked, so the shim killed it."""
    oom: bool = False
    """The kernel counted a kill for lack of memory in this control group while the run was alive."""
    stragglers: int = 0
    """Processes the trainer left behind, cleared by the shim."""
    ended: float = 0.0
    """Seconds since 1970."""
    text: str = ""
    """What the shim has to add, such as why the trainer could not be started."""


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``label.json``: what a person calls a run. The text is as it was typed; who shows it cleans it."""

    name: str = ""
    tags: list[str] = []
    notes: str = ""


Record = TypeVar("Record", Processes, Status, Exit, Label)

NAMES: dict[type, str] = {Processes: "proc.json", Status: "status.json", Exit: "exit.json", Label: "label.json"}


def read_record(folder: Path, kind: type[Record]) -> Record | None:
    """Return the record of that kind in a run's folder, None where it is missing, damaged or not a plain file.

    Raises:
        RunError: a newer Lexigrad wrote it.
    """
    try:
        record = msgspec.json.decode(read_inside(folder, NAMES[kind]), type=kind)
    except (OSError, RunError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    written = getattr(record, "format", FORMAT)
    if written > FORMAT:
        raise RunError(
            f"{NAMES[kind]} of {folder.name} is of format {written}, newer than this Lexigrad.", "Update Lexigrad."
        )
    return record


def write_status(folder: Path, status: Status) -> None:
    """Replace the heart-beat; cheap and not synced, for it is old in two seconds."""
    replace_file(folder / NAMES[Status], msgspec.json.encode(status))


def write_record(folder: Path, record: Exit | Label) -> None:
    """Replace the record in a run's folder, whole and durable."""
    write_whole(folder / NAMES[type(record)], msgspec.json.encode(record) + b"\n")
