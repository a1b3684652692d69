"""Carrying out a lab: its runs, what they ended with, and the findings, kept as one file each.

``findings/<lab>/<time>.json`` is the whole record of one experiment, beside the runs that it names.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from engine.core.errors import LexigradError, RunError
from engine.core.files import read_inside
from engine.core.paths import write_whole
from engine.core.spec import Value
from engine.core.verdict import Measured

FORMAT = 1
_NAME = re.compile(r"[0-9a-z][0-9a-z-]*")


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an experiment: which arm it is, and with which seed."""

    arm: str
    seed: int
    run: str


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an experiment found out about one sentence, in the wording of then."""

    statement: str
    says: str
    holds: bool | None
    text: str
    measured: tuple[Measured, ...] = ()
    exact: bool = False
    """Whether no chance is involved, so that one seed settles it."""


class Experiment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One carrying-out of a lab."""

    format: int = FORMAT
    id: str
    lab: str
    form: str
    """The preset: ``quick``, ``standard``."""
    knobs: dict[str, Value]
    seeds: tuple[int, ...]
    predictions: dict[str, str] = {}
    """Forecast -> the choice that the learner made."""
    runs: tuple[Placed, ...] = ()
    begun: float = 0.0
    """Seconds of the epoch."""
    ended: float = 0.0
    """0 until every run has come to its end and the findings stand."""
    seconds: float = 0.0
    """Of all its runs together."""
    machine: str = ""
    findings: tuple[Finding, ...] = ()
    outcomes: dict[str, str] = {}
    """Forecast -> the choice that came true."""

    @property
    def ids(self) -> list[str]:
        """The ids of its runs, each once, in the order of training."""
        return list(dict.fromkeys(each.run for each in self.runs))

    @property
    def date(self) -> str:
        """The day on which it ended (or began): ``2026-11-20``."""
        return time.strftime("%Y-%m-%d", time.localtime(self.ended or self.begun))

    def finding(self, statement: str) -> Finding | None:
        """Return what it found about a statement, if it has come that far."""
        return next((each for each in self.findings if each.statement == statement), None)


class Experiments:
    """The folder of all experiments, one folder a lab. Names from outside never lead out of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, experiment: Experiment) -> None:
        """Write an experiment, whole or not at all.

        Raises:
            RunError: the folder cannot be written, or the disk is full.
        """
        try:
            path = self._path(experiment.lab, experiment.id)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, msgspec.json.format(msgspec.json.encode(experiment), indent=2) + b"\n")
        except OSError as error:
            raise RunError(
                f"The findings of {experiment.lab} could not be kept ({error.strerror}).", "Make room on the disk."
            ) from None

    def _path(self, lab: str, id_: str) -> Path:
        if not (_NAME.fullmatch(lab) and _NAME.fullmatch(id_)):
            raise RunError(f"'{lab}/{id_}' is no experiment's name.")
        return self.folder / lab / f"{id_}.json"

    def new_id(self, lab: str) -> str:
        """Return an id that sorts by time and is not taken."""
        while True:
            now = time.time()
            id_ = f"{time.strftime('%y%m%d-%H%M%S', time.localtime(now))}-{int(now % 1 * 65536):04x}"
            if not self._path(lab, id_).exists():
                return id_

    def of(self, lab: str) -> list[Experiment]:
        """Return the experiments of a lab, newest first; what is no sound file is left out."""
        try:
            names = sorted((each.stem for each in (self.folder / lab).glob("*.json")), reverse=True)
        except OSError:
            return []
        found = (self._read(lab, name) for name in names)
        return [each for each in found if each is not None and each.lab == lab]

    def latest(self, lab: str, *, ended: bool = True) -> Experiment | None:
        """Return the newest experiment of a lab, with `ended` the newest that has its findings."""
        return next((each for each in self.of(lab) if each.ended or not ended), None)

    def _read(self, lab: str, id_: str) -> Experiment | None:
        try:
            return read_experiment(self.folder / lab, f"{id_}.json")
        except LexigradError:
            return None


def read_experiment(folder: Path, name: str) -> Experiment:
    """Read one file of an experiment.

    Raises:
        RunError: it is missing, is no experiment, or is of a newer format.
    """
    try:
        found = msgspec.json.decode(read_inside(folder, name), type=Experiment)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{name} of {folder.name} holds no findings ({error}).", "Carry the lab out again.") from None
    if found.format > FORMAT:
        raise RunError(f"{name} was written by a newer Lexigrad (format {found.format}).", "Update Lexigrad.")
    return found


def shipped(folder: Path, labs: Sequence[str]) -> Mapping[str, Experiment]:
    """Return the experiments that the project carried out itself and ships, by lab."""
    found: dict[str, Experiment] = {}
    for lab in labs:
        try:
            found[lab] = read_experiment(folder, f"{lab}.json")
        except LexigradError:
            continue
    return found
