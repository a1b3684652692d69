"""Checkpoints that are whole or absent.

A checkpoint is a folder ``checkpoints/step-00001200`` of ``model.safetensors`` (the weights that are evaluated, to play
with), ``training.safetensors`` (all else that a resume restores), ``state.json`` (what is no tensor) and
``digests.json`` (bytes and SHA-256 of the others). It is written beside its place, made durable, and moved there in one
step; only then an older one goes. Nothing in it is ever unpickled, and nothing is loaded before its digest was checked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.core.errors import RunError
from engine.core.files import open_inside, read_inside

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = 1
FOLDER = "checkpoints"
LATEST_KEPT = 2
LARGEST_HEADER = 16 * 1024 * 1024
MOST_TENSORS = 100_000
NAME = re.compile(r"step-(\d{8,12})")


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a checkpoint knows that is no tensor."""

    format: int = FORMAT
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    """Of training so far, pauses left out."""
    knobs: dict[str, bool | int | float | str] = {}
    """Live knobs that were turned, with the value they had."""
    metrics: dict[str, float] = {}
    """The latest evaluation."""
    headline: float | None = None
    """The first headline metric as something that is better when larger; None where it was not finite."""
    micro_batches: int = 1
    baselines: int = 0
    """How many reference lines had been reported."""


class FileDigest(msgspec.Struct, frozen=True):
    """Size and SHA-256 of one file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was read and whose digests fit."""

    path: Path
    digest: str
    state: State
    model: dict[str, Tensor]
    training: dict[str, Tensor]


def save_checkpoint(
    run: Path, state: State, model: Mapping[str, Tensor], training: Mapping[str, Tensor]
) -> tuple[str, str]:
    """Write a checkpoint, durable when this returns, and drop those that are no longer wanted.

    Returns: its address relative to the run, and its digest.

    Raises:
        OSError: it could not be written; what was there before still stands.
    """
    folder = run / FOLDER
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        sync_folder(run)
    place = folder / f"step-{state.step:08d}"
    part = folder / f".part-{state.step:08d}"
    shutil.rmtree(part, ignore_errors=True)
    try:
        digest = _write_parts(part, state, model, training)
        if place.exists():
            place.rename(folder / f".del-{state.step:08d}")
        part.rename(place)
        sync_folder(folder)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    rotate(run)
    return f"{FOLDER}/{place.name}", digest


def _write_parts(part: Path, state: State, model: Mapping[str, Tensor], training: Mapping[str, Tensor]) -> str:
    """Write the files of a checkpoint into a new folder, each durable; return the digest of the whole."""
    from safetensors.torch import save

    part.mkdir(mode=0o700)
    contents = {
        "model.safetensors": save({name: tensor.cpu().contiguous() for name, tensor in model.items()}),
        "training.safetensors": save({name: tensor.cpu().contiguous() for name, tensor in training.items()}),
        "state.json": msgspec.json.encode(state),
    }
    digests = {
        name: FileDigest(len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()
    }
    contents["digests.json"] = msgspec.json.format(msgspec.json.encode(digests), indent=2) + b"\n"
    for name, content in contents.items():
        write_durable(part / name, content)
    sync_folder(part)
    return hashlib.sha256(contents["digests.json"]).hexdigest()


def write_durable(path: Path, content: bytes) -> None:
    """Write a new file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in `folder`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checkpoints(run: Path) -> list[Path]:
    """Return the folders of a run's checkpoints, oldest first."""
    folder = run / FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(
        each for each in folder.iterdir() if NAME.fullmatch(each.name) and each.is_dir() and not each.is_symlink()
    )


def rotate(run: Path) -> None:
    """Drop all checkpoints but the latest two and the best, each by renaming first, so that none is ever seen in
    part.
    """
    found = checkpoints(run)
    kept = {*found[-LATEST_KEPT:], best_checkpoint(run)}
    for path in found:
        if path not in kept:
            path.rename(path.with_name(f".del-{path.name}"))
    clear_leftovers(run)


def clear_leftovers(run: Path) -> None:
    """Remove what a killed trainer left half-written or half-removed; only names of our own, never through a link."""
    folder = run / FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.startswith((".part-", ".del-")) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def best_checkpoint(run: Path) -> Path | None:
    """Return the checkpoint whose evaluation was best, the latest among equals; None where none was evaluated."""
    scored = [
        (state.headline, path) for path in checkpoints(run) if (state := _state(path)) and state.headline is not None
    ]
    return max(scored)[1] if scored else None


def _state(path: Path) -> State | None:
    try:
        return msgspec.json.decode(read_inside(path, "state.json"), type=State)
    except (OSError, RunError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def load_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint, its digests checked before anything is decoded.

    Raises:
        RunError: it is damaged, incomplete, of a newer format, or no checkpoint at all.
    """
    from safetensors.torch import load

    try:
        table = read_inside(path, "digests.json")
        digests = msgspec.json.decode(table, type=dict[str, FileDigest])
        contents = {
            name: _verified(path, name, digests) for name in ("state.json", "model.safetensors", "training.safetensors")
        }
        state = msgspec.json.decode(contents["state.json"], type=State)
        if state.format > FORMAT:
            raise RunError(
                f"{path.name} is a checkpoint of format {state.format}, newer than this Lexigrad.", "Update Lexigrad."
            )
        tensors = [
            load(_sound(contents[name], f"{path.name}/{name}"))
            for name in ("model.safetensors", "training.safetensors")
        ]
    except FileNotFoundError as error:
        raise RunError(
            f"{path.name} is incomplete: {Path(error.filename).name} is missing.", "Use an earlier checkpoint."
        ) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
        raise RunError(f"{path.name} cannot be read ({error}).", "Use an earlier checkpoint.") from None
    return Checkpoint(path, hashlib.sha256(table).hexdigest(), state, *tensors)


def _verified(path: Path, name: str, digests: Mapping[str, FileDigest]) -> bytes:
    """Return the content of one file of a checkpoint, if it is what was written."""
    wanted = digests[name]
    with os.fdopen(open_inside(path, name), "rb") as file:
        content = file.read()
    if len(content) != wanted.bytes or hashlib.sha256(content).hexdigest() != wanted.sha256:
        raise RunError(f"{path.name}/{name} is damaged (checksum).", "Use an earlier checkpoint.")
    return content


def _sound(content: bytes, name: str) -> bytes:
    """Return a safetensors file whose header is of a size that can be decoded safely."""
    header = int.from_bytes(content[:8], "little")
    if header > LARGEST_HEADER or content[8 : 8 + header].count(b'"data_offsets"') > MOST_TENSORS:
        raise RunError(f"{name} has a header of {header:,} bytes.", "It was not written by Lexigrad.")
    return content


def latest_checkpoint(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that is sound, and a sentence on each newer one that is not.

    Raises:
        RunError: there are checkpoints, and every one is damaged. A run is never silently started over.
    """
    problems: list[str] = []
    for path in reversed(checkpoints(run)):
        try:
            return load_checkpoint(path), problems
        except RunError as error:
            problems.append(error.what)
    if problems:
        raise RunError("Every checkpoint of this run is damaged: " + " ".join(problems), "Start it again as a new run.")
    return None, []
