"""The errors that people see: one sentence of what is wrong, one of what to do."""

from __future__ import annotations


class LexigradError(Exception):
    """Something that a person has to know, with its remedy and the exit code of the command line.

    Attributes:
        what: one sentence that names the thing that is wrong.
        remedy: one sentence that says what to do about it; may be empty.
        code: exit code, 1 for a thing that failed and 2 for wrong usage.
    """

    code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what if not remedy else f"{what} {remedy}")
        self.what = what
        self.remedy = remedy


class UsageError(LexigradError):
    """A wrong word on the command line or in a form: an unknown family, a knob out of range."""

    code = 2


class DataError(LexigradError):
    """Data that is missing, damaged or of the wrong kind."""


class RunError(LexigradError):
    """A run directory that cannot be read, resumed or controlled."""


MOST_NAMED = 15
"""Known words that are told where none is near; of more, a list says nothing."""


def suggest(word: str, known: list[str]) -> str:
    """Return ``Did you mean 'x'?`` for the nearest known word, or the list of known words where it is short."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    return "Known: " + ", ".join(sorted(known)) + "." if 0 < len(known) <= MOST_NAMED else ""
