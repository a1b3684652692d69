"""The learner's record: what was read, predicted, answered and reached. One SQLite file, the app's alone.

Nothing in it can be made again, so it is backed up before every migration, and a damaged file is set aside.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

VERSION = 1
"""``PRAGMA user_version`` of the file that this code writes."""
PATIENCE = 1.0
"""Seconds that are waited for another app to let go of the file."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS read (slug TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS bookmark (slug TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answer (slug TEXT, question INTEGER, choice INTEGER, right INTEGER, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS prediction (walk TEXT, step TEXT, choice TEXT, at REAL NOT NULL, PRIMARY KEY (walk, step));
CREATE TABLE IF NOT EXISTS done (walk TEXT, step TEXT, at REAL NOT NULL, PRIMARY KEY (walk, step));
CREATE TABLE IF NOT EXISTS opened (thing TEXT, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS place (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Record:
    """Facts about one learner, by name.

    Attributes:
        trouble: one sentence where the file was damaged and set aside, or cannot be kept; else empty.

    Raises:
        sqlite3.Error: at a write, where the disk is full or the file locked for long; reads of a fresh file never fail.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the record at `path`, or one in memory where it is None."""
        self._database, self.trouble = open_database(path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _write(self, statement: str, *values: object) -> None:
        with self._database:
            self._database.execute(statement, values)

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query; where the file cannot be read any more, a record in memory takes its place."""
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._database.close()
            self._database, self.trouble = _in_memory(str(error))
            return self._database.execute(statement, values).fetchall()

    # Reading

    def mark_read(self, slug: str) -> None:
        """Note that the entry was read to its end, or for long enough."""
        self._write("INSERT OR IGNORE INTO read VALUES (?, ?)", slug, time.time())

    def read(self) -> frozenset[str]:
        """Return the slugs of all entries that were read."""
        return frozenset(slug for (slug,) in self._rows("SELECT slug FROM read"))

    def toggle_bookmark(self, slug: str) -> bool:
        """Set or remove a bookmark; return whether it stands now."""
        if slug in self.bookmarks():
            self._write("DELETE FROM bookmark WHERE slug = ?", slug)
            return False
        self._write("INSERT INTO bookmark VALUES (?, ?)", slug, time.time())
        return True

    def bookmarks(self) -> tuple[str, ...]:
        """Return the bookmarked slugs, newest first."""
        return tuple(slug for (slug,) in self._rows("SELECT slug FROM bookmark ORDER BY at DESC"))

    # Answering and predicting

    def answer(self, slug: str, question: int, choice: int, right: bool) -> None:
        """Note an answer to question number `question` (from 1) of an entry."""
        self._write("INSERT INTO answer VALUES (?, ?, ?, ?, ?)", slug, question, choice, int(right), time.time())

    def answers(self) -> list[tuple[str, int, bool]]:
        """Return slug, number and whether it was right of the last answer to every question that was answered."""
        rows = self._rows("SELECT slug, question, right, max(at) FROM answer GROUP BY slug, question")
        return [(slug, question, bool(right)) for slug, question, right, _ in rows]

    def predict(self, walk: str, step: str, choice: str) -> None:
        """Note what the learner expects; a second thought replaces the first."""
        self._write("INSERT OR REPLACE INTO prediction VALUES (?, ?, ?, ?)", walk, step, choice, time.time())

    def predictions(self, walk: str) -> dict[str, str]:
        """Return the choice by step of a walkthrough."""
        return dict(self._rows("SELECT step, choice FROM prediction WHERE walk = ?", walk))

    # Walking

    def finish_step(self, walk: str, step: str) -> None:
        """Note that a step's check was met."""
        self._write("INSERT OR IGNORE INTO done VALUES (?, ?, ?)", walk, step, time.time())

    def finished_steps(self, walk: str) -> frozenset[str]:
        """Return the steps of a walkthrough that are done."""
        return frozenset(step for (step,) in self._rows("SELECT step FROM done WHERE walk = ?", walk))

    def note_opened(self, thing: str) -> None:
        """Note that a panel or a screen was opened."""
        self._write("INSERT INTO opened VALUES (?, ?)", thing, time.time())

    def opened(self, since: float = 0.0) -> frozenset[str]:
        """Return what was opened after the time `since` (seconds of the epoch)."""
        rows = self._rows("SELECT DISTINCT thing FROM opened WHERE at >= ?", since)
        return frozenset(thing for (thing,) in rows)

    # Places

    def place(self, name: str, default: str = "") -> str:
        """Return what was kept under `name`: where one left, or a setting."""
        rows = self._rows("SELECT value FROM place WHERE name = ?", name)
        return str(rows[0][0]) if rows else default

    def keep_place(self, name: str, value: str) -> None:
        """Keep a value under `name`."""
        self._write("INSERT OR REPLACE INTO place VALUES (?, ?)", name, value)

    def forget_walk(self, walk: str) -> None:
        """Begin a walkthrough anew: its steps and predictions are forgotten."""
        with self._database:
            self._database.execute("DELETE FROM done WHERE walk = ?", (walk,))
            self._database.execute("DELETE FROM prediction WHERE walk = ?", (walk,))
            self._database.execute("DELETE FROM place WHERE name LIKE ?", (f"walk:{walk}:%",))


def open_database(path: Path | None) -> tuple[sqlite3.Connection, str]:
    """Return the record's database, and a sentence where it is not the one that was asked for.

    A damaged file is set aside and a new one begins; where none can be written, one in memory serves.
    """
    if path is None:
        return _prepare(sqlite3.connect(":memory:")), ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        back_up(path)
        return _prepare(sqlite3.connect(path, timeout=PATIENCE)), ""
    except OSError as error:
        return _in_memory(error.strerror or str(error))
    except sqlite3.OperationalError as error:
        # It is locked, of a newer version, or cannot be written: nothing is wrong with what it holds.
        return _in_memory(str(error))
    except sqlite3.DatabaseError as error:
        return _begin_anew(path, str(error))


def _begin_anew(path: Path, why: str) -> tuple[sqlite3.Connection, str]:
    aside = path.with_suffix(f".damaged-{int(time.time())}")
    try:
        path.rename(aside)
        fresh = _prepare(sqlite3.connect(path, timeout=PATIENCE))
    except (OSError, sqlite3.Error):
        return _in_memory(why)
    return fresh, f"The learner's record was damaged ({why}) and set aside as {aside.name}; a new one begins."


def _in_memory(why: str) -> tuple[sqlite3.Connection, str]:
    sentence = f"The learner's record cannot be kept on disk ({why}); it lasts until the app closes."
    return _prepare(sqlite3.connect(":memory:")), sentence


def back_up(path: Path) -> None:
    """Copy a record of an older version beside itself, before it is changed.

    Raises:
        sqlite3.OperationalError: it is of a newer version.
    """
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as old:
        (version,) = old.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise sqlite3.OperationalError("a newer Lexigrad wrote it")
    if 0 < version < VERSION:
        shutil.copy2(path, path.with_suffix(f".v{version}.backup"))


def _prepare(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.executescript(SCHEMA)
    database.execute(f"PRAGMA user_version={VERSION}")
    database.commit()
    return database
