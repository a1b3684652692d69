"""What a person asks by files in ``control/`` and the system by signals; obeyed at the end of a step."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Literal

from engine.core import control
from engine.core.control import Checkpoint, Command, Pause, Resume, SetKnob, Slow, StepOnce, Stop, Unreadable
from engine.core.errors import UsageError

LOOK_SECONDS = 0.05
"""Between looks into the folder while training."""

HELD_SECONDS = 0.05
"""Between looks while paused or slowed down."""

Ending = Literal["", "stopped", "terminated"]


class Orders:
    """The trainer's state of obedience: paused or not, how slow, and whether and how to end.

    Attributes:
        ending: empty while training goes on; ``stopped`` where a person asked for the end, ``terminated`` by a signal.
        signal: the signal that asked for the end, 0 where none did.
        paused: whether the loop holds still.
        side: which player the next single step moves; empty for all.
        idle: seconds held so far, in pauses and slow motion; they are no training time.
        wants_save: whether a checkpoint was asked for.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.perf_counter) -> None:
        self.folder = folder
        self.clock = clock
        self.ending: Ending = ""
        self.signal = 0
        self.paused = False
        self.side = ""
        self.idle = 0.0
        self.wants_save = False
        self._single = False
        self._slow = 0.0
        self._looked_at = 0.0
        self._stepped_at = clock()

    def listen(self) -> None:
        """Let signals set flags: TERM and INT end after a checkpoint, a second one at once; USR1 saves; HUP
        is ignored.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGUSR1, self._save)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            os._exit(128 + number)
        self.signal = number
        self.ending = self.ending or "terminated"

    def _save(self, number: int, frame: FrameType | None) -> None:
        self.wants_save = True

    def look(self) -> list[tuple[str, Command]]:
        """Return the commands that wait, seldom enough to cost nothing."""
        now = self.clock()
        if now - self._looked_at < LOOK_SECONDS:
            return []
        self._looked_at = now
        return control.pending(self.folder)

    def obey(self, command: Command, turn: Callable[[SetKnob], str]) -> str:
        """Take one command on and return what was done, in words; `turn` sets a knob and says so.

        Raises:
            LexigradError: it cannot be done; the message says why.
        """
        match command:
            case Pause():
                self.paused = True
                return "Paused."
            case Resume():
                self.paused, self._slow = False, 0.0
                return "Going on."
            case Stop():
                self.ending = "stopped"
                return "Stopping after this step."
            case Checkpoint():
                self.wants_save = True
                return "Saving."
            case StepOnce(side=side):
                self.paused, self._single, self.side = True, True, side
                return f"One step of {side}." if side else "One step."
            case Slow(seconds=seconds):
                self._slow = max(0.0, seconds)
                return f"At least {seconds:g} s a step." if seconds > 0 else "Full speed."
            case SetKnob():
                return turn(command)
            case Unreadable(why=why):
                raise UsageError(f"A command could not be read ({why}).", "Send it again.")

    def holding(self) -> bool:
        """Whether the next step has to wait: paused with no single step asked for, or too soon in slow motion."""
        if self.ending or self.wants_save:
            return False
        if self.paused:
            return not self._single
        return self._slow > 0 and self.clock() - self._stepped_at < self._slow

    def hold(self) -> None:
        """Wait a moment, and count it as idle."""
        start = self.clock()
        time.sleep(
            HELD_SECONDS if self.paused else min(HELD_SECONDS, max(0.001, self._slow - start + self._stepped_at))
        )
        self.idle += self.clock() - start

    def stepped(self) -> None:
        """Note that a step was made: a single one is used up, and slow motion counts from here."""
        self._single, self.side = False, ""
        if self._slow > 0:
            self._stepped_at = self.clock()
