"""Where things lie: the home of runs, data, entries and the app's database."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import tempfile
from pathlib import Path

from engine.core.errors import UsageError

HOME = "LEXIGRAD_HOME"
DATA = "LEXIGRAD_DATA"


def home() -> Path:
    """Return the folder of everything the person made: `$LEXIGRAD_HOME`, or the platform's user data folder.

    Where no folder can be written at all (no home, read-only), a private temporary one serves, the same for every
    process of this user until the machine restarts; `home_is_temporary` tells.
    """
    asked = os.environ.get(HOME)
    if asked:
        return Path(asked).expanduser().absolute()
    import platformdirs

    try:
        usual = Path(platformdirs.user_data_dir("lexigrad"))
        usual.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(usual, os.W_OK):
            return usual
    except (OSError, RuntimeError, KeyError):
        pass
    return _fallback()


def _fallback() -> Path:
    """Return this user's folder among the temporary ones; never a link or a folder that somebody else put there."""
    spare = Path(tempfile.gettempdir()) / f"lexigrad-{os.getuid()}"
    with contextlib.suppress(OSError):
        spare.mkdir(mode=0o700, exist_ok=True)
        found = spare.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
            return spare
    return _last_resort()


@functools.cache
def _last_resort() -> Path:
    return Path(tempfile.mkdtemp(prefix="lexigrad-"))


def home_is_temporary() -> bool:
    """Whether runs go to a temporary folder because no home could be written."""
    return home().name.startswith("lexigrad-") and home().parent == Path(tempfile.gettempdir())


def expanded(text: str) -> Path:
    """Return the path that a person typed, ``~`` and ``~name`` put in full.

    Raises:
        UsageError: there is no such person, or nobody knows where the home is.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{text}: there is no home of that name.", "Name the folder in full.") from None


def runs_folder() -> Path:
    """Return the folder with one folder a run."""
    return home() / "runs"


def data_folders() -> list[Path]:
    """Return the folders that may hold data sets, the one to look in first at the head, the one to write to last."""
    asked = os.environ.get(DATA)
    first = [Path(asked).expanduser().absolute()] if asked else []
    return [*first, home() / "data"]


def findings_folder() -> Path:
    """Return the folder with what the labs found, one folder a lab."""
    return home() / "findings"


def cache_folder() -> Path:
    """Return the folder of decoded data and measured facts of this machine; all of it can be made again."""
    return home() / "cache"


def entries_folder() -> Path:
    """Return the folder of the person's own entries."""
    return home() / "entries"


def database() -> Path:
    """Return the app's one database: the index (rebuilt on any doubt) and the learner's record."""
    return home() / "lexigrad.sqlite"


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, whole or not at all, and durable when this returns.

    Raises:
        OSError: the disk is full or the folder cannot be written; what was there before still stands.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
