"""Looks at the machine once a second while a run lasts: ``python -m engine.core.sampler RUN_FOLDER``.

A process of its own, because the GPU library can crash or hang. The shim starts it, and it ends with the run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from engine.core.liveness import identified
from engine.core.nvml import Gpus
from engine.core.records import Identity, Processes, read_record
from engine.core.samples import LOG, Sample, encode_sample

EVERY = 1.0
"""Seconds between two samples."""
LARGEST = 64 * 1024 * 1024
"""Bytes of samples kept; a run of many days is sampled no further."""


class Sampler:
    """Takes samples of the machine and of the trainer's process tree."""

    def __init__(self, trainer: int) -> None:
        self._trainer = trainer
        self._gpus = Gpus()
        self._known: dict[int, psutil.Process] = {}
        self._moved: dict[int, tuple[float, float]] = {}
        self._at = time.monotonic()
        psutil.cpu_percent()

    def take(self) -> Sample:
        """Return a sample; rates are means since the one before."""
        now = time.monotonic()
        seconds, self._at = max(1e-3, now - self._at), now
        memory = psutil.virtual_memory()
        cpu = resident = read = written = 0.0
        for process in self._tree():
            try:
                with process.oneshot():
                    cpu += process.cpu_percent()
                    resident += process.memory_info().rss
                    came, went = self._transfer(process)
            except psutil.Error:
                continue
            read += came
            written += went
        gpus = self._gpus.samples()
        return Sample(
            at=time.time(),
            cpu=psutil.cpu_percent(),
            load=os.getloadavg()[0],
            memory_used=float(memory.total - memory.available),
            memory_total=float(memory.total),
            process_cpu=round(cpu, 1),
            process_memory=resident,
            disk_read=round(read / seconds),
            disk_written=round(written / seconds),
            gpus=gpus,
            trouble=self._gpus.trouble,
        )

    def _tree(self) -> Iterator[psutil.Process]:
        """Yield the trainer and its descendants; each keeps its object, from which the rates are counted."""
        try:
            root = self._known.get(self._trainer) or psutil.Process(self._trainer)
            found = {each.pid: each for each in (root, *root.children(recursive=True))}
        except psutil.Error:
            return
        self._known = {pid: self._known.get(pid, each) for pid, each in found.items()}
        yield from self._known.values()

    def _transfer(self, process: psutil.Process) -> tuple[float, float]:
        """Return the bytes that a process read from and wrote to disks since the last look."""
        if not hasattr(process, "io_counters"):
            return 0.0, 0.0
        try:
            counters = process.io_counters()
        except (psutil.Error, OSError):
            return 0.0, 0.0
        now = (float(counters.read_bytes), float(counters.write_bytes))
        before = self._moved.get(process.pid, now)
        self._moved[process.pid] = now
        return now[0] - before[0], now[1] - before[1]


def trainer_of(folder: Path, seconds: float = 5.0) -> Identity | None:
    """Return the run's trainer; the shim names it a moment before or after it starts the sampler."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        processes = read_record(folder, Processes)
        if processes is not None and processes.trainer is not None:
            return processes.trainer
        time.sleep(0.05)
    return None


def main() -> None:
    """Sample until the trainer has ended; a full disk loses samples, nothing more."""
    folder = Path(sys.argv[1])
    trainer = trainer_of(folder)
    if trainer is None:
        return
    sampler = Sampler(trainer.pid)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(folder / LOG, flags, 0o600)
    due = time.monotonic()
    while os.fstat(log).st_size < LARGEST:
        due = max(due + EVERY, time.monotonic())
        time.sleep(due - time.monotonic())
        line = encode_sample(sampler.take()) + b"\n"
        if not identified(trainer):
            break
        try:
            if os.write(log, line) < len(line):
                os.write(log, b"\n")
        except OSError:
            continue


if __name__ == "__main__":
    main()
