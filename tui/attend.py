"""Watching a run without the app: a bar or lines for people, the events themselves for programs.

The run is a process of its own and needs nobody. Whoever attends it here may ask it to stop (Ctrl+C) and is told how it
ended; a connection that breaks off ends the watching, not the run.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from engine.core.ending import DETAILS
from engine.core.errors import RunError
from engine.core.launcher import Launcher
from engine.core.liveness import LIVE
from engine.core.store import Run

PAUSE = 0.1
"""Seconds between two looks."""


def telling_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a run is told."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--plain", action="store_true", help="a progress bar or lines, and the figures at the end")
    ways.add_argument("--json", action="store_true", help="the events of the run, one JSON object a line")
    ways.add_argument("--detach", action="store_true", help="start it, print its id and leave")


def tell(launcher: Launcher, start: Callable[[], Run], options: argparse.Namespace, begin: int = 0) -> int:
    """Start a run and show it; return the exit code.

    It is shown in the app where there is a terminal and nothing else was asked for, else in words or events.

    Args:
        launcher: stops it when somebody asks.
        start: starts the run, or takes it up again.
        options: `plain`, `json` or `detach`.
        begin: bytes of its log that were there before.

    Raises:
        LexigradError: it did not start, or ended before its end.
    """
    from tui.cli import open_app
    from tui.guard import refuse_reason
    from tui.voices import voice_of

    if options.detach:
        print(start().id)
        return 0
    if not (options.plain or options.json or refuse_reason()):
        return open_app(f"run/{start().id}")
    with interruption() as asked:
        run = start()
        return attend(run, launcher, voice_of(run, json=options.json, begin=begin), asked)


class Voice(Protocol):
    """How a run is told."""

    def look(self) -> None:
        """Tell what is new."""

    def stopping(self) -> None:
        """Say that the run was asked to end."""

    def end(self) -> None:
        """Tell how it ended, where it did not fail."""


class Interruption:
    """How often somebody asked to end, and by which signal first."""

    def __init__(self) -> None:
        self.count = 0
        self.number = 0

    def note(self, number: int, frame: FrameType | None) -> None:
        """Remember a signal; the next look acts on it."""
        self.count += 1
        self.number = self.number or number


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Note Ctrl+C and TERM instead of being ended by them."""
    noted = Interruption()
    before = {number: signal.signal(number, noted.note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def attend(run: Run, launcher: Launcher, voice: Voice, asked: Interruption) -> int:
    """Tell the run until it ends and return the exit code: 0 at its end, 128 + signal where it was stopped by one.

    A second Ctrl+C gives the trainer a short grace, a third ends it at once.

    Raises:
        RunError: the run failed or was lost, or somebody else stopped it before its end.
    """
    heard = 0
    while True:
        # The state is read before the events: what was said before the end is then never missed.
        over = run.state() not in LIVE
        voice.look()
        if over:
            break
        if asked.count > heard:
            heard = asked.count
            _end(run, launcher, heard)
            voice.stopping()
        time.sleep(PAUSE)
    return _outcome(run, voice, asked)


def _end(run: Run, launcher: Launcher, times: int) -> None:
    try:
        if times > 2:
            launcher.kill(run)
        else:
            launcher.stop(run)
    except RunError:
        if run.state() in LIVE:
            raise


def _outcome(run: Run, voice: Voice, asked: Interruption) -> int:
    state = run.state()
    if state == "finished":
        voice.end()
        return 0
    if state == "stopped" and asked.count:
        voice.end()
        return 128 + asked.number
    raise how_it_failed(run)


def how_it_failed(run: Run) -> RunError:
    """Return what ended a run before its end, what was kept and what to do."""
    ending = run.ending()
    what, remedy = run.cause(), ""
    if ending.failed is not None:
        what, remedy = ending.failed.what, ending.failed.remedy.replace(DETAILS, "")
    kept = f"Its checkpoint of step {ending.saved.s:,} is kept" if ending.saved else "No checkpoint was saved yet"
    go_on = f"{kept}; `lexigrad runs resume {run.id}` goes on from there." if ending.saved else f"{kept}."
    return RunError(f"{run.id} {run.state()}: {what}", " ".join(filter(None, (remedy, go_on, log_words(run)))))


def log_words(run: Run) -> str:
    """Say where the trainer's own words are; nothing where it has none."""
    log = run.folder / "log.txt"
    return f"What it printed is in {log}." if log.is_file() else ""
