"""All runs of a person: one folder each, made, listed, labeled, moved to the trash and back."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from engine.core.control import FOLDER as CONTROL
from engine.core.ending import LOG, Ending
from engine.core.errors import MOST_NAMED, RunError, suggest
from engine.core.events import LARGEST_LINE, Started, decode, real
from engine.core.files import read_start
from engine.core.liveness import LIVE, State, cause_of, lock_is_held, state_of
from engine.core.recipe import Recipe, read_recipe, write_recipe
from engine.core.records import Exit, Label, Processes, Status, read_record, write_record

TRASH = ".trash"
TRASH_SECONDS = 7 * 24 * 3600.0
"""What was deleted longer ago is removed for good when the next run is deleted."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_OURS = re.compile(r"(\d{6}-\d{6})-.*?([0-9a-f]{4})")
_STAMP = "%y%m%d-%H%M%S"


class Run:
    """One run's folder. What can change is read anew at each call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._recipe: tuple[int, Recipe] | None = None

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.folder == self.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    @property
    def recipe(self) -> Recipe:
        """Everything that repeats the run, read again only where the trainer has filled in what it resolved to.

        RunError where it is missing, damaged or of a newer format.
        """
        try:
            written = os.lstat(f"{self.folder}/recipe.json").st_mtime_ns
        except OSError:
            written = 0
        if self._recipe is None or self._recipe[0] != written:
            self._recipe = (written, read_recipe(self.folder))
        return self._recipe[1]

    @cached_property
    def created(self) -> float:
        """Seconds since 1970 at which the run was made: what its id says, for a foreign name its folder's time."""
        ours = _OURS.fullmatch(self.id)
        if ours:
            with contextlib.suppress(ValueError, OverflowError):
                return time.mktime(time.strptime(ours[1], _STAMP)) + int(ours[2], 16) / 65536
        try:
            return self.folder.stat().st_mtime
        except OSError:
            return 0.0

    @property
    def label(self) -> Label:
        """Its name, tags and notes."""
        return read_record(self.folder, Label) or Label()

    def relabel(self, label: Label) -> None:
        """Replace name, tags and notes.

        Raises:
            RunError: the folder cannot be written.
        """
        try:
            write_record(self.folder, label)
        except OSError as error:
            raise RunError(
                f"The label of {self.id} could not be written ({error.strerror}).", "Is the folder yours?"
            ) from None

    def status(self) -> Status | None:
        """Return the trainer's last heart-beat."""
        return read_record(self.folder, Status)

    def exit(self) -> Exit | None:
        """Return how the shim says that it ended; None while it is alive or where the shim was killed."""
        return read_record(self.folder, Exit)

    def processes(self) -> Processes | None:
        """Return who runs it, or ran it last."""
        return read_record(self.folder, Processes)

    def state(self) -> State:
        """Return what the run is doing, or how it ended; ``lost`` where a newer Lexigrad wrote what tells it."""
        try:
            return state_of(self.folder, self.created)
        except RunError:
            return "lost"

    def is_live(self) -> bool:
        """Whether something of it is at work, or about to be."""
        return self.state() in LIVE or lock_is_held(self.folder) is True

    def cause(self) -> str:
        """Say why it failed, stopped or was lost; empty where there is nothing to explain."""
        return self.cause_in(self.state())

    def cause_in(self, state: State) -> str:
        """Say the same of a run whose state is known."""
        try:
            return cause_of(self.folder, state)
        except RunError as error:
            return str(error)

    def ending(self) -> Ending:
        """Return the last words of its log."""
        return Ending(self.folder)

    def headline(self, names: tuple[str, ...] = ()) -> dict[str, float]:
        """Return its summary figures: those of its end, else the last known value of each metric of `names`.

        Without `names` the last known values of all metrics stand in.
        """
        ending = self.ending()
        if ending.finished is not None and ending.finished.headline:
            return {name: real(value) for name, value in ending.finished.headline.items()}
        known = {name: real(value) for name, value in ending.scalars.items()}
        return {name: known[name] for name in names if name in known} if names else known

    def seconds(self) -> float:
        """Return how long it trained so far, pauses left out, as far as its log tells."""
        return self.ending().seconds

    def device(self) -> str:
        """Return what it trains on, in the words of its log's first line; empty before it has one."""
        try:
            started = decode(read_start(self.folder, LOG, LARGEST_LINE).partition(b"\n")[0])
        except (OSError, RunError, ValueError):
            return ""
        return started.device if isinstance(started, Started) else ""

    def bytes(self) -> int:
        """Return how much of the disk the folder takes, links not followed."""
        total = 0
        for place, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(f"{place}/{name}").st_size
        return total


class RunStore:
    """The folder that holds one folder a run. Names from outside never lead out of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.troubles: dict[str, str] = {}
        """Folders that `runs` found and could not list, each with the reason."""
        self._known: dict[str, Run] = {}

    def create(self, recipe: Recipe, files: Mapping[str, bytes] | None = None) -> Run:
        """Make a run's folder with its recipe, and `files` by their address in it, whole or not at all.

        Ids sort by time within a family.

        Raises:
            RunError: the folder of all runs cannot be written, or the disk is full.
        """
        new = self.folder / f".new-{secrets.token_hex(8)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            new.mkdir(mode=0o700)
            (new / CONTROL).mkdir(mode=0o700)
            for address, content in (files or {}).items():
                (new / address).parent.mkdir(exist_ok=True, mode=0o700)
                (new / address).write_bytes(content)
            write_recipe(recipe, new)
            return Run(self._settle(new, recipe))
        except BaseException as error:
            shutil.rmtree(new, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            raise RunError(
                f"No run could be made in {self.folder} ({error.strerror}).", "Is there room, and is it yours?"
            ) from None

    def _settle(self, new: Path, recipe: Recipe) -> Path:
        """Give a finished folder its name; a rename onto one that is there fails, and the next moment serves."""
        words = "-".join(filter(None, (_plain(recipe.family), _plain(recipe.preset))))
        while True:
            now = time.time()
            stamp = time.strftime(_STAMP, time.localtime(now))
            home = self.folder / f"{stamp}-{words}-{int(now % 1 * 65536):04x}"
            try:
                return new.rename(home)
            except OSError:
                if not home.exists():
                    raise

    def runs(self) -> list[Run]:
        """Return every run, newest first; links are left out, what has no sound recipe is in `troubles`."""
        known, self._known, self.troubles = self._known, {}, {}
        for name in self._names():
            run = known.get(name) or Run(self.folder / name)
            try:
                _ = run.recipe
            except RunError as error:
                self.troubles[name] = str(error)
            else:
                self._known[name] = run
        return sorted(self._known.values(), key=lambda run: run.created, reverse=True)

    def _names(self) -> list[str]:
        try:
            with os.scandir(self.folder) as entries:
                return [
                    each.name for each in entries if _ID.fullmatch(each.name) and each.is_dir(follow_symlinks=False)
                ]
        except OSError:
            return []

    def open(self, run_id: str) -> Run:
        """Return the run of that id; its start or its end will do where only one run fits.

        Raises:
            RunError: no run fits, or several do; the message names the near ones.
        """
        if not _ID.fullmatch(run_id):
            raise RunError(f"{run_id!r} is no run's id.", "`lexigrad runs` lists them.")
        if self._holds(self.folder / run_id):
            return Run(self.folder / run_id)
        known = self.runs()
        fitting = [run for run in known if run.id.startswith(run_id)] or [
            run for run in known if run.id.endswith(run_id)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = ", ".join(run.id for run in fitting[:4])
            raise RunError(f"'{run_id}' fits {len(fitting)} runs: {names}.", "Give more of the id.")
        near = suggest(run_id, [run.id for run in known]) if len(known) < MOST_NAMED else ""
        raise RunError(f"There is no run '{run_id}'.", near or "`lexigrad runs list` names them all.")

    def _holds(self, folder: Path) -> bool:
        return folder.is_dir() and not folder.is_symlink() and os.path.lexists(folder / "recipe.json")

    def delete(self, run_id: str) -> None:
        """Move a run to the trash, from where `restore` brings it back for seven days.

        Raises:
            RunError: there is no such run, or it is alive.
        """
        run = self.open(run_id)
        if run.is_live():
            raise RunError(f"{run.id} is still at work.", "Stop it first.")
        trash = self.folder / TRASH
        try:
            trash.mkdir(mode=0o700, exist_ok=True)
            _empty(trash, time.time() - TRASH_SECONDS)
            os.utime(run.folder)
            run.folder.rename(trash / run.id)
        except OSError as error:
            raise RunError(
                f"{run.id} could not be moved to the trash ({error.strerror}).", "Is the folder yours?"
            ) from None

    def restore(self, run_id: str) -> Run:
        """Bring a run back from the trash.

        Raises:
            RunError: it is not there, or another run has its place.
        """
        if not _ID.fullmatch(run_id) or not self._holds(self.folder / TRASH / run_id):
            raise RunError(f"There is no '{run_id}' in the trash.", suggest(run_id, self.trash()))
        try:
            return Run((self.folder / TRASH / run_id).rename(self.folder / run_id))
        except OSError as error:
            raise RunError(
                f"{run_id} could not be brought back ({error.strerror}).", "Is there another run of that name?"
            ) from None

    def trash(self) -> list[str]:
        """Return the ids that can be restored, newest first."""
        trash = self.folder / TRASH
        return (
            sorted((each.name for each in trash.iterdir() if self._holds(each)), reverse=True) if trash.is_dir() else []
        )


def _plain(word: str) -> str:
    """Return a word that can be part of a folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:40]


def _empty(trash: Path, before: float) -> None:
    """Remove for good what was put in the trash before that time; links inside are removed, not followed."""
    for each in trash.iterdir():
        if each.lstat().st_mtime < before and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
