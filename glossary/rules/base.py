"""What every rule is given, and how it reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from glossary.known import KnownNames
from glossary.library import Library
from glossary.mentions import Mentions
from glossary.model import Entry, Level, Problem


class Inquiry:
    """One check of a library: what is known, and what was found to be coming on the way."""

    def __init__(self, library: Library, known: KnownNames) -> None:
        self.library = library
        self.known = known
        self.coming: Counter[str] = Counter()
        """How many targets of each kind (entry, run, lab, play, code) are promised and not there yet."""

    @cached_property
    def mentions(self) -> Mentions:
        """All the ways to name a term, written or planned."""
        return Mentions(self.library.names())


EM_DASH = "\N{EM DASH}"

Findings = Iterator[Problem]


def problem(entry: Entry, line: int, text: str, level: Level = "error") -> Problem:
    """Return a problem of `entry`."""
    return Problem(entry.path, line, level, text)


def at_key(entry: Entry, key: str, text: str, level: Level = "error") -> Problem:
    """Return a problem at the line of a key of the front matter."""
    return Problem(entry.path, entry.lines.get(key, 1), level, f"{key}: {text}")
