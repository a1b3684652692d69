"""What the shim reads and writes beside a run: records, its lock, its log. Standard library alone."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from typing import Any

from engine.core.processes import is_alive

LARGEST_LOG = 32 * 1024 * 1024
KEPT_LOG = 1024 * 1024
"""Bytes that stay of a log that grew past `LARGEST_LOG`: its end."""
LOCK_SECONDS = 1.0
"""How long a lock is asked for: who looks whether it is free holds it for a moment."""


def take_lock(path: str) -> tuple[int, bool] | None:
    """Return the descriptor of a lock, and whether it is held: False where the file system knows no locks.

    None where somebody else holds it.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock, True
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                return None if is_noted_alive(os.path.dirname(path)) else (lock, False)
        if time.monotonic() >= until:
            os.close(lock)
            return None
        time.sleep(0.02)


def open_log(path: str) -> int:
    """Return a descriptor that appends to a log, made where it is missing."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def give(mine: str, folder: str) -> bool:
    """Give lock and log of a trainer that was started ahead to a run; False where the run has a lock already."""
    try:
        os.link(f"{mine}.lock", f"{folder}/run.lock")
        os.unlink(f"{mine}.lock")
    except FileExistsError:
        return False
    except OSError:
        try:  # no hard links here
            os.rename(f"{mine}.lock", f"{folder}/run.lock")
        except OSError:
            return False
    with contextlib.suppress(OSError):
        os.rename(f"{mine}.log", f"{folder}/log.txt")
    return True


def forget(folder: str) -> None:
    """Remove what an earlier attempt said about its end and its heart-beat."""
    for name in ("exit.json", "status.json"):
        with contextlib.suppress(OSError):
            os.unlink(f"{folder}/{name}")


def write(path: str, content: dict[str, Any], durable: bool = False) -> None:
    """Replace a small file, whole or not at all; a full disk or a folder that is gone must not end the shim."""
    with contextlib.suppress(OSError):
        part = f"{path}.{os.getpid()}.part"
        with open(part, "w", encoding="utf-8") as file:
            json.dump(content, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)


def read(path: str) -> Any:
    """Return what a small JSON file says; None where it is missing, damaged or not a plain file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return json.loads(file.read(65536))
    except (OSError, ValueError, RecursionError):
        return None


def stop_waits(folder: str) -> bool:
    """Whether a command to stop lies there that no trainer has answered."""
    try:
        names = [name for name in os.listdir(f"{folder}/control") if name.endswith(".json")]
    except OSError:
        return False
    commands = (read(f"{folder}/control/{name}") for name in names)
    return any(isinstance(each, dict) and each.get("command") == "stop" for each in commands)


def clear_commands(folder: str) -> None:
    """Remove commands that no trainer will answer any more."""
    with contextlib.suppress(OSError):
        for name in os.listdir(f"{folder}/control"):
            os.unlink(f"{folder}/control/{name}")


def is_noted_alive(folder: str) -> bool:
    """Whether the shim that ``proc.json`` names is alive; asked only where there are no locks."""
    note = read(f"{folder}/proc.json")
    shim = note.get("shim") if isinstance(note, dict) else None
    return isinstance(shim, dict) and is_alive(int(shim["pid"]), str(shim["start"]), str(shim["boot"]))


def trim_log(path: str) -> None:
    """Cut a log that grew too long down to its end. Its writer appends, so it goes on behind what is kept."""
    try:
        if os.stat(path).st_size <= LARGEST_LOG:
            return
        with open(path, "r+b") as file:
            file.seek(-KEPT_LOG, os.SEEK_END)
            kept = file.read(KEPT_LOG)
            file.truncate(0)
        with open(path, "ab") as file:
            file.write(b"[cut here: the log had grown too long]\n" + kept)
    except OSError:
        return


def memory_kills() -> int:
    """Return how many processes of this control group the kernel has killed for lack of memory; 0 where unknown."""
    try:
        with open("/proc/self/cgroup", encoding="ascii") as file:
            group = next(line[3:].strip() for line in file if line.startswith("0::"))
        with open(f"/sys/fs/cgroup{group}/memory.events", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
    except (OSError, StopIteration, ValueError):
        return 0
