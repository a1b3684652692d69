"""Commands to a live trainer: one small file each in ``control/``, written whole by the app, deleted by the trainer.

The trainer asks for `pending` at a step's end, acts, answers in an event `Answer` and calls `done`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path

import msgspec

from engine.core.errors import RunError
from engine.core.files import read_inside, replace_file
from engine.core.spec import Value

FOLDER = "control"
LARGEST = 16 * 1024
"""Bytes of one command."""


class Pause(msgspec.Struct, frozen=True, tag_field="command", tag="pause"):
    """Hold still at the end of this step."""


class Resume(msgspec.Struct, frozen=True, tag_field="command", tag="resume"):
    """Go on after a pause, and at full speed after `Slow`."""


class Stop(msgspec.Struct, frozen=True, tag_field="command", tag="stop"):
    """Save a checkpoint and end; the run counts as stopped, not as failed."""


class Checkpoint(msgspec.Struct, frozen=True, tag_field="command", tag="checkpoint"):
    """Save a checkpoint now."""


class StepOnce(msgspec.Struct, frozen=True, tag_field="command", tag="step"):
    """Make one update and hold still again."""

    side: str = ""
    """The module that alone is updated, such as ``generator``; empty for all."""


class Slow(msgspec.Struct, frozen=True, tag_field="command", tag="slow"):
    """Let each step take at least so long."""

    seconds: float
    """0 is full speed."""


class SetKnob(msgspec.Struct, frozen=True, tag_field="command", tag="knob"):
    """Turn a live knob."""

    name: str
    value: Value


class Unreadable(msgspec.Struct, frozen=True, tag_field="command", tag="unreadable"):
    """What stands for a file that is no command; the trainer answers that it was not understood."""

    why: str


Command = Pause | Resume | Stop | Checkpoint | StepOnce | Slow | SetKnob | Unreadable

_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_numbers = itertools.count()


def name_of(command: Command) -> str:
    """Return the word for a command that an `Answer` carries: ``pause``, ``knob`` ..."""
    return str(command.__struct_config__.tag)


def send(folder: Path, command: Command) -> str:
    """Leave a command for the trainer of the run in `folder` and return its id; later ones sort after earlier ones.

    Raises:
        RunError: the folder cannot be written.
    """
    command_id = f"{time.time_ns():020d}-{os.getpid()}-{next(_numbers)}"
    box = folder / FOLDER
    try:
        box.mkdir(mode=0o700, exist_ok=True)
        replace_file(box / f"{command_id}.json", msgspec.json.encode(command))
    except OSError as error:
        why = error.strerror or error
        raise RunError(f"The command could not be written to {folder.name} ({why}).", "Is the folder yours?") from None
    return command_id


def pending(folder: Path) -> list[tuple[str, Command]]:
    """Return the commands that wait, oldest first, each with its id; microseconds where there is none."""
    try:
        names = os.listdir(f"{folder}/{FOLDER}")  # noqa: PTH208 - called at the end of every step
    except OSError:
        return []
    ids = sorted(name[:-5] for name in names if name.endswith(".json") and not name.startswith("."))
    return [(each, command) for each in ids if (command := _read(folder, each)) is not None]


def _read(folder: Path, command_id: str) -> Command | None:
    """Return one command; None where it was deleted just now."""
    try:
        return _decoder.decode(read_inside(folder, f"{FOLDER}/{command_id}.json", LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, RunError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unreadable(why=str(error))


def done(folder: Path, command_id: str) -> None:
    """Delete a command that was carried out or refused."""
    with contextlib.suppress(OSError):
        (folder / FOLDER / f"{command_id}.json").unlink()


def stop_asked(folder: Path) -> bool:
    """Whether a stop waits to be carried out."""
    return any(isinstance(command, Stop) for _, command in pending(folder))
