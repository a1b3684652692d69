"""What state a run is in, by the evidence on disk and in the kernel, strongest first.

1. The lock on ``run.lock``: shim and trainer share its descriptor: a free lock means that nothing is alive.
2. The identities in ``proc.json``: a lock that is held while the shim is gone means that the supervisor is lost.
3. The heart-beat in ``status.json``: what has not moved for long is stalled, a label and never a reason to kill.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Literal

from engine.core.control import stop_asked
from engine.core.ending import Ending
from engine.core.errors import RunError
from engine.core.files import open_inside
from engine.core.processes import is_alive
from engine.core.records import Exit, Identity, Processes, Status, read_record

State = Literal[
    "queued", "starting", "running", "paused", "stalled", "stopping", "finished", "stopped", "failed", "lost"
]
"""``queued``: the run's turn in its group has not come; the others are what they say."""

LIVE: frozenset[State] = frozenset({"queued", "starting", "running", "paused", "stalled", "stopping"})
"""The states in which something of the run is at work."""

PREPARING = frozenset({"starting", "loading data"})
"""The trainer's phases before its first step."""

LOCK = "run.lock"
START_SECONDS = 60.0
"""A run that no shim has taken on for so long after it was made will not start any more."""
STALLED_SECONDS = 60.0
STALLED_STEPS = 10.0


def lock_is_held(folder: Path) -> bool | None:
    """Whether anything of the run is alive; None where there is no lock or the file system knows none."""
    try:
        descriptor = open_inside(folder, LOCK)
    except (OSError, RunError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return True if error.errno in {errno.EWOULDBLOCK, errno.EACCES} else None
    finally:
        os.close(descriptor)
    return False


def identified(process: Identity | None) -> bool:
    """Whether exactly this process is alive."""
    return process is not None and is_alive(process.pid, process.start, process.boot)


def state_of(folder: Path, created: float) -> State:
    """Return the state of the run in `folder`, made at `created` (seconds since 1970)."""
    held = lock_is_held(folder)
    processes = read_record(folder, Processes)
    if held is None and processes is not None and not processes.locked:
        held = identified(processes.shim) or identified(processes.trainer)
    if held:
        return _live_state(folder, processes)
    return _ended_state(folder, processes, created)


def _live_state(folder: Path, processes: Processes | None) -> State:
    if processes is None:
        return "starting"
    if not identified(processes.shim):
        return "lost"
    if processes.queued:
        return "stopping" if stop_asked(folder) else "queued"
    if processes.stopping or stop_asked(folder):
        return "stopping"
    status = read_record(folder, Status)
    if processes.trainer is None or status is None or not status.phase:
        return "starting"
    if status.phase in {"paused", "stopping"}:
        return status.phase  # type: ignore[return-value]
    if is_stalled(status):
        return "stalled"
    return "starting" if status.phase in PREPARING else "running"


def is_stalled(status: Status, now: float | None = None) -> bool:
    """Whether nothing has moved for far longer than a step takes."""
    patience = max(STALLED_SECONDS, STALLED_STEPS * status.step_seconds)
    now = time.monotonic() if now is None else now
    return status.beat > 0 and now - status.beat > patience


def _ended_state(folder: Path, processes: Processes | None, created: float) -> State:
    ended = read_record(folder, Exit)
    ending = Ending(folder)
    if ended is None:
        if ending.finished is not None and not ending.finished.stopped:
            return "finished"
        never_started = processes is None and ending.step == 0 and folder.is_dir()
        return "starting" if never_started and time.time() - created < START_SECONDS else "lost"
    if ended.stopped or (ending.finished is not None and ending.finished.stopped):
        return "stopped"
    return "finished" if ended.code == 0 and ending.finished is not None else "failed"


def cause_of(folder: Path, state: State) -> str:
    """Say why a run that is no longer alive ended; empty for one that is alive or came to its end."""
    if state in LIVE or state == "finished":
        return ""
    ending = Ending(folder)
    ended = read_record(folder, Exit)
    if state == "lost":
        if not folder.is_dir():
            return "Its folder is gone."
        processes = read_record(folder, Processes)
        if processes is not None and processes.queued:
            return "It never started: the process that kept its group's queue is gone."
        alive = lock_is_held(folder)
        return (
            "Its supervisor is gone while the trainer still runs." if alive else "Its processes ended without a word."
        )
    if state == "stopped":
        return "Stopped by force: it did not end when asked." if ended and ended.forced else "Stopped by you."
    if ending.failed is not None:
        return ending.failed.what
    return _cause_of_exit(ended) if ended is not None else "The cause is unknown."


def _cause_of_exit(ended: Exit) -> str:
    if ended.text:
        return ended.text
    if ended.signal == 0:
        return f"The trainer ended with exit code {ended.code} and did not say why; its log may."
    try:
        name = signal.Signals(ended.signal).name
    except ValueError:
        name = f"signal {ended.signal}"
    if ended.oom:
        return f"Killed by {name}: the kernel counted a kill for lack of memory."
    return f"Killed by {name}, sender unknown."
