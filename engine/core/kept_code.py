"""The files of a family as they were when a run began, kept in the run's folder to be read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import engine

FOLDER = "code"


def keep_code(folder: Path, files: Sequence[str]) -> None:
    """Copy files, named relative to the package ``engine``, into the run once; a full disk loses only these copies."""
    if (folder / FOLDER).exists():
        return
    root = Path(engine.__path__[0])
    with suppress(OSError):
        for name in files:
            place = folder / FOLDER / name
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(root / name, place)
