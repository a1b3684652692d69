"""A child process that answers once, on its output: what it says, over which descriptor, and with whom it ends."""

from __future__ import annotations

import os
import signal
from typing import BinaryIO

import msgspec

from engine.core.errors import LexigradError, RunError, UsageError
from engine.core.own import Own, clean
from engine.core.processes import LINUX, end_with_parent

KINDS: dict[int, type[LexigradError]] = {1: RunError, 2: UsageError}


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every answer says."""

    what: str = ""
    """What went wrong, and below what to do and the exit code; empty where nothing did."""
    remedy: str = ""
    code: int = 0

    def check(self) -> None:
        """Raise what went wrong as a `LexigradError` of its exit code."""
        if self.what:
            raise KINDS.get(self.code, LexigradError)(clean(self.what), clean(self.remedy))


class Description(Outcome, frozen=True, kw_only=True, omit_defaults=True):
    """What a person's own file says of itself."""

    own: Own | None = None


class Ejection(Outcome, frozen=True, kw_only=True, omit_defaults=True):
    """How ejecting went."""

    of: str = ""
    """The run that the folder repeats, in words."""
    losses: list[float] = []


def answer_only(number: int = signal.SIGTERM) -> BinaryIO:
    """Return where this process answers; whatever else it writes to descriptor 1 goes to its errors from here on.

    Args:
        number: the signal that it gets when its parent ends.
    """
    if LINUX or os.getppid() > 1:
        end_with_parent(os.getppid(), number)
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answer
