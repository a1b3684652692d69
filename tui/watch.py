"""The app's eye on the runs: which there are, which are alive, and what is new in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from engine.core.errors import LexigradError
from engine.core.follow import GLANCE_SECONDS, Follower
from engine.core.liveness import LIVE
from engine.core.store import Run, RunStore
from engine.core.view import RunView

WORKING = frozenset({"starting", "running"})
STEADY, HURRIED, AT_ONCE = 0.25, 0.1, 0.001
"""Seconds to the next look: usually, until a live run has its first point, and while a log is not read to its end."""
RESCAN = 1.0
"""Seconds between two looks for runs that somebody else started."""


class Watch:
    """Follows every live run, and those that a screen has opened, by reading what was appended."""

    def __init__(self, store: RunStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._followers: dict[str, Follower] = {}
        self._runs: list[Run] = store.runs()
        self._scanned = clock()
        self._states: dict[str, str] = {}
        self._untold: set[str] = set()
        self._told = self._scanned - STEADY

    def runs(self) -> list[Run]:
        """Return all runs, the newest first."""
        return self._runs

    def live(self) -> list[str]:
        """Return the ids of the runs that are alive, the newest first."""
        return [run.id for run in self._runs if self._states.get(run.id) in LIVE]

    def follow(self, id: str) -> RunView:
        """Return the run as it is now, and keep following it.

        Raises:
            RunError: there is no such run, or it cannot be read.
        """
        follower = self._followers.get(id)
        if follower is None:
            follower = self._followers[id] = Follower(self._store.open(id))
            follower.poll(GLANCE_SECONDS)
        return follower.view

    def views(self, ids: Iterable[str]) -> tuple[RunView, ...]:
        """Return those of the runs that can be read, as they are now."""
        found: list[RunView] = []
        for id in ids:
            with suppress(LexigradError):
                found.append(self.follow(id))
        return tuple(found)

    def state(self, id: str) -> str:
        """Return the state of a run at the last look; empty where it was not looked at."""
        return self._states.get(id, "")

    def rescan(self) -> None:
        """Look for new and gone runs now."""
        self._runs = self._store.runs()
        self._scanned = self._clock()

    def patience(self) -> float:
        """Return the seconds until the next look is due."""
        if self._is_behind():
            return AT_ONCE
        working = [follower for id, follower in self._followers.items() if self._states.get(id) in WORKING]
        with suppress(LexigradError):
            return HURRIED if any(not follower.view.series for follower in working) else STEADY
        return STEADY

    def _is_behind(self) -> bool:
        """Whether a log is not read to its end yet."""
        return any(follower.behind for follower in self._followers.values())

    def poll(self) -> frozenset[str]:
        """Look at the runs once; return the ids of those that changed.

        While a long log is read piece by piece they are told no more often than usual: reading goes before drawing.
        """
        self._untold |= self._look()
        if self._is_behind() and self._clock() - self._told < STEADY:
            return frozenset()
        told, self._untold, self._told = frozenset(self._untold), set(), self._clock()
        return told

    def _look(self) -> set[str]:
        changed: set[str] = set()
        if self._clock() - self._scanned >= RESCAN:
            before = {run.id for run in self._runs}
            self.rescan()
            changed |= before ^ {run.id for run in self._runs}
        for run in self._runs:
            known = self._states.get(run.id)
            if known is not None and known not in LIVE and run.id not in self._followers:
                continue
            state = run.state()
            if state != known:
                self._states[run.id] = state
                changed.add(run.id)
            if state in LIVE and run.id not in self._followers:
                with suppress(LexigradError):
                    self._followers[run.id] = Follower(run)
        for id, follower in list(self._followers.items()):
            # A folder may come from elsewhere, or go, at any moment; what was read of it still stands.
            with suppress(LexigradError, OSError):
                if follower.poll():
                    changed.add(id)
        return changed
