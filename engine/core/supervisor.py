"""What the shim does: it holds the run's lock, starts trainer and sampler, stays to the end and says how it ended.

Signals: TERM ends everything, USR1 asks the trainer of this run to end, USR2 kills it; HUP and INT are ignored.
Standard library alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from types import FrameType
from typing import Any

from engine.core.processes import LINUX, adopt_orphans, boot_id, descendants, end_with_parent, start_time
from engine.core.upkeep import (
    clear_commands,
    forget,
    give,
    memory_kills,
    open_log,
    stop_waits,
    take_lock,
    trim_log,
    write,
)

TICK = 1.0
"""Seconds between two looks at the log, the sampler and the queue; a child's end is noticed at once."""
WARM_SECONDS = 600.0
"""How long a trainer that was started ahead waits for its run."""
SAMPLER_SECONDS = 60.0
"""A sampler that died is started again after so long."""
ACTIVE = 3
"""Exit code: the run is active already."""
CANNOT_START = 127
"""Exit code of a child whose command could not be started."""


class Supervisor:
    """Runs one trainer after another and outlives each of them."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.queue: dict[str, int] = {}
        """Runs whose turn is still to come, each with the descriptor of its lock."""
        self._trainer_command: list[str] = orders["trainer"]
        self._sampler_command: list[str] = orders["sampler"]
        self._grace: float = orders["grace"]
        self._me = {"pid": os.getpid(), "start": start_time(os.getpid()), "boot": boot_id()}
        self._ended: dict[int, int] = {}
        self._asked = ""
        self._last = False
        self._locked = True
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self._wake, self._alarm = os.pipe()
        self._listen()

    def _listen(self) -> None:
        os.set_blocking(self._wake, False)
        os.set_blocking(self._alarm, False)
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGUSR2:
            self._asked = "kill"
        elif number != signal.SIGCHLD:
            self._asked = self._asked or "stop"
            self._last = self._last or number == signal.SIGTERM

    # One run after another

    def run_all(self, folders: list[str]) -> int:
        """Run the trainers of all folders in turn; a folder that is active already is left alone."""
        self._line_up(folders)
        if not self.queue:
            return ACTIVE
        for folder in list(self.queue)[1:]:
            self._note(folder, queued=True)
        self._run_queue()
        return 0

    def _line_up(self, folders: list[str]) -> None:
        for folder in folders:
            lock = self._lock(f"{folder}/run.lock")
            if lock is not None:
                self.queue[folder] = lock

    def _run_queue(self) -> None:
        while self.queue:
            folder = next(iter(self.queue))
            lock = self.queue.pop(folder)
            self._asked = ""
            try:
                self._run(folder, lock)
            except OSError as error:
                ended = {"format": 1, "code": 1, "ended": time.time(), "text": f"It could not start: {error}."}
                write(f"{folder}/exit.json", ended, durable=True)
            os.close(lock)

    def _run(self, folder: str, lock: int) -> None:
        forget(folder)
        self._note(folder)
        log = open_log(f"{folder}/log.txt")
        trainer = self._spawn([*self._trainer_command, folder], self._null, log, keep=lock)
        os.close(log)
        self._attend(folder, trainer)

    def run_warm(self, store: str) -> int:
        """Start a trainer ahead, wait for its run's folder on the input, and then attend to it as to any other."""
        mine = f"{store}/.warm-{os.getpid()}"
        lock = self._lock(f"{mine}.lock")
        log = open_log(f"{mine}.log")
        heard, told = os.pipe()
        trainer = self._spawn([*self._trainer_command, "--warm"], heard, log, keep=-1 if lock is None else lock)
        os.close(heard)
        os.close(log)
        folders = self._wait_for_work(trainer)
        if not folders or not give(mine, folders[0]):
            self._kill_tree()
            for name in ("lock", "log"):
                with contextlib.suppress(OSError):
                    os.unlink(f"{mine}.{name}")
            return ACTIVE if folders else 0
        self._note(folders[0])
        os.write(told, folders[0].encode() + b"\n")
        os.close(told)
        self._line_up(folders[1:])
        for folder in self.queue:
            self._note(folder, queued=True)
        os.write(1, b"ok\n")
        os.dup2(self._null, 0)
        os.dup2(self._null, 1)
        self._attend(folders[0], trainer)
        if lock is not None:
            os.close(lock)
        self._run_queue()
        return 0

    def _wait_for_work(self, trainer: int) -> list[str]:
        """Return the folders that the app sends; none where it closes the pipe, time is over or the trainer ends."""
        line = b""
        until = time.monotonic() + WARM_SECONDS
        while not line.endswith(b"\n"):
            ready = self._wait(until - time.monotonic(), 0)
            if trainer in self._ended or self._asked or (not ready and time.monotonic() >= until):
                return []
            if ready:
                more = os.read(0, 65536)
                if not more:
                    return []
                line += more
        folders: list[str] = json.loads(line)
        return folders

    # One run

    def _attend(self, folder: str, trainer: int) -> None:
        """Stay with a trainer to its end, clear what it leaves behind, and write how it ended."""
        kills_before = memory_kills()
        identity: dict[str, object] = {"pid": trainer, "start": start_time(trainer), "boot": boot_id()}
        self._note(folder, trainer=identity)
        sampler, sampled_at = self._start_sampler(folder), time.monotonic()
        asked_at = 0.0
        forced = False
        while trainer not in self._ended:
            if self._asked and not asked_at:
                asked_at = time.monotonic()
                self._note(folder, trainer=identity, stopping=True)
                os.kill(trainer, signal.SIGTERM)
            patience = asked_at + self._grace - time.monotonic() if asked_at else TICK
            if self._asked == "kill" or patience <= 0:
                forced = True
                os.kill(trainer, signal.SIGKILL)
            self._wait(min(TICK, max(0.05, patience)))
            self._look_at_queue()
            trim_log(f"{folder}/log.txt")
            if sampler in self._ended and time.monotonic() - sampled_at > SAMPLER_SECONDS:
                sampler, sampled_at = self._start_sampler(folder), time.monotonic()
        code = os.waitstatus_to_exitcode(self._ended.pop(trainer))
        ended = {
            "format": 1, "code": code if code >= 0 else 128 - code, "signal": max(0, -code),
            "stopped": bool(self._asked) or stop_waits(folder), "forced": forced,
            "oom": code == -signal.SIGKILL and memory_kills() > kills_before,
            "stragglers": self._clear(sampler, trainer),
            "text": "The trainer could not be started; its log says why." if code == CANNOT_START else "",
        }  # fmt: skip
        self._look_at_queue()
        clear_commands(folder)
        write(f"{folder}/exit.json", {**ended, "ended": time.time()}, durable=True)

    def _start_sampler(self, folder: str) -> int:
        if not self._sampler_command:
            return 0
        return self._spawn([*self._sampler_command, folder], self._null, self._null, niceness=10)

    def _look_at_queue(self) -> None:
        """Take runs out of the queue that were stopped before their turn came; all of them where all has to end."""
        for folder, lock in list(self.queue.items()):
            if self._last or stop_waits(folder):
                del self.queue[folder]
                clear_commands(folder)
                write(
                    f"{folder}/exit.json",
                    {"format": 1, "stopped": True, "ended": time.time(), "text": "Stopped before its turn came."},
                    durable=True,
                )
                os.close(lock)

    def _note(
        self, folder: str, *, trainer: dict[str, object] | None = None, queued: bool = False, stopping: bool = False
    ) -> None:
        """Write who runs the run, before anybody may signal them."""
        note = {
            "shim": self._me, "trainer": trainer, "started": time.time(), "queued": queued, "stopping": stopping,
            "locked": self._locked,
        }  # fmt: skip
        write(f"{folder}/proc.json", note)

    # Processes

    def _lock(self, path: str) -> int | None:
        """Return the descriptor of a lock that is ours now; None where somebody else holds it."""
        taken = take_lock(path)
        if taken is None:
            return None
        self._locked = taken[1]
        return taken[0]

    def _spawn(self, command: list[str], given: int, said: int, *, keep: int = -1, niceness: int = 0) -> int:
        """Start a child that ends with this process; `keep` is a descriptor that it inherits."""
        me = os.getpid()
        child = os.fork()
        if child:
            return child
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.setpgid(0, 0)
            os.nice(niceness)
            os.dup2(given, 0)
            os.dup2(said, 1)
            os.dup2(said, 2)
            if keep >= 0:
                os.set_inheritable(keep, True)
            if LINUX:
                end_with_parent(me)
            os.execvp(command[0], command)
        except BaseException as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
        finally:
            os._exit(CANNOT_START)

    def _wait(self, seconds: float, *sources: int) -> bool:
        """Wait for a signal, a child's end or one of the `sources`; reap; return whether a source can be read."""
        ready, _, _ = select.select([self._wake, *sources], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._ended[found[0]] = found[1]
        return any(source in ready for source in sources)

    def _clear(self, sampler: int, trainer: int) -> int:
        """End the sampler and every process that the trainer left; return how many those were."""
        left = [pid for pid in descendants(os.getpid()) if pid != sampler and start_time(pid)]
        if not LINUX:
            with contextlib.suppress(OSError):
                os.killpg(trainer, signal.SIGKILL)
        if sampler and sampler not in self._ended:
            os.kill(sampler, signal.SIGTERM)
        self._signal_all(left, signal.SIGTERM)
        until = time.monotonic() + TICK
        while time.monotonic() < until and any(start_time(pid) for pid in descendants(os.getpid())):
            self._wait(0.05)
        self._kill_tree()
        return len(left)

    def _kill_tree(self) -> None:
        """Kill every process below this one; orphans come to it, so that none is missed."""
        until = time.monotonic() + 5.0
        while time.monotonic() < until:
            below = [pid for pid in descendants(os.getpid()) if start_time(pid)]
            if not below:
                break
            self._signal_all(below, signal.SIGKILL)
            self._wait(0.05)
        self._wait(0.0)

    def _signal_all(self, pids: list[int], number: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def supervise(orders: dict[str, Any]) -> int:
    """Carry out the orders of the app; return the exit code."""
    adopt_orphans()
    supervisor = Supervisor(orders)
    warm = orders.get("warm", "")
    return supervisor.run_warm(warm) if warm else supervisor.run_all(orders["folders"])
