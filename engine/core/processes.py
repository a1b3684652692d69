"""Processes told apart: a number is reused, a number with its start time and the machine's start is one process.

Standard library alone, and little of it: the shim imports this without the environment's packages, and starts often.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import cache

LINUX = sys.platform.startswith("linux")
_SET_DEATH_SIGNAL = 1
_SET_SUBREAPER = 36


@cache
def boot_id() -> str:
    """Return what names this start of the machine; empty where the system has no such thing."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> str:
    """Return when a process started, in the system's own count; empty where it is gone or only waits to be reaped."""
    if LINUX:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in b"ZX" else fields[19].decode()
    import subprocess

    asked = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    condition, _, started = asked.stdout.strip().partition(" ")
    return "" if condition.startswith("Z") else " ".join(started.split())


def is_alive(pid: int, start: str, boot: str) -> bool:
    """Whether exactly this process still runs."""
    return bool(start) and boot == boot_id() and start_time(pid) == start


def send_signal(pid: int, start: str, boot: str, number: int) -> bool:
    """Signal exactly this process; False, and no signal to anybody, where it is another one by now or none.

    On Linux a descriptor of the process is taken first and its identity read afterwards: nothing can come between.
    """
    if not LINUX:
        if not is_alive(pid, start, boot):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not is_alive(pid, start, boot):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def descendants(root: int) -> list[int]:
    """Return the processes below `root`, children before grandchildren; Linux only, empty elsewhere."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if LINUX else []:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found = list(children.get(root, []))
    for each in found:
        found.extend(children.get(each, []))
    return found


def adopt_orphans() -> None:
    """Become the parent of every orphan among the own descendants (Linux), so that none escapes."""
    if LINUX:
        _prctl(_SET_SUBREAPER, 1)


def end_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """Have `number` sent to this process when its parent ends; where the parent is gone already, send it now.

    The kernel does it on Linux, for the process that calls; elsewhere a thread looks once a second.
    """
    if LINUX:
        _prctl(_SET_DEATH_SIGNAL, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)
        return
    threading.Thread(target=_watch_parent, args=(parent, number), daemon=True, name="parent").start()


def _watch_parent(parent: int, number: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), number)


def _prctl(option: int, value: int) -> None:
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def work_quietly(work: Callable[[], object], niceness: int = 10) -> None:
    """Run `work` in a thread of low priority and return when it is done, this thread's own priority untouched.

    On Linux each thread has a priority of its own, so what is prepared quietly can go on at full priority: a process
    as a whole could never take its priority back. Elsewhere `work` simply runs. Errors of `work` are raised here.
    """
    if not LINUX:
        work()
        return
    problem: list[BaseException] = []

    def quiet() -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
            work()
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=quiet, name="quiet")
    thread.start()
    thread.join()
    if problem:
        raise problem[0]
