"""What the machine has: processor, cores, memory, GPUs. ``python -m engine.core.hardware`` prints it as JSON."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import msgspec

from engine.core.samples import GpuSample

PROBE_SECONDS = 10.0


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine in figures."""

    processor: str
    cores: int
    """That this process may use."""
    memory_total: float
    """Bytes."""
    memory_free: float
    gpus: list[GpuSample] = []


def probe() -> Machine:
    """Look at the machine; the GPUs are asked by a child, because their library can crash. Takes up to a second."""
    total, free = _memory()
    return Machine(processor=_processor(), cores=_cores(), memory_total=total, memory_free=free, gpus=_gpus())


def describe(machine: Machine | None = None) -> str:
    """Return the machine in a few words: ``H200 · 121 of 139 GB free``, ``2 cores · 19 of 23 GB free``."""
    machine = probe() if machine is None else machine
    if machine.gpus:
        first = machine.gpus[0]
        count = f"{len(machine.gpus)} x " if len(machine.gpus) > 1 else ""
        words = [count + first.name.removeprefix("NVIDIA ").removeprefix("GeForce ")]
        total, used = first.memory_total, first.memory_used
        if total is not None and used is not None:
            words.append(f"{(total - used) / 1e9:.0f} of {total / 1e9:.0f} GB free")
        return " · ".join(words)
    cores = f"{machine.cores} core{'s' if machine.cores != 1 else ''}"
    return f"{cores} · {machine.memory_free / 1e9:.0f} of {machine.memory_total / 1e9:.0f} GB free"


def _cores() -> int:
    """Return the cores that the scheduler and the control group leave to this process."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(usable, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return usable


def _memory() -> tuple[float, float]:
    """Return total and free bytes."""
    import psutil

    found = psutil.virtual_memory()
    return float(found.total), float(found.available)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[GpuSample]:
    if not any(Path(each).exists() for each in ("/dev/nvidiactl", "/dev/dxg")):
        return []
    from engine.core.shims import environment

    asked = [sys.executable, "-P", "-m", "engine.core.hardware"]
    try:
        said = subprocess.run(asked, capture_output=True, timeout=PROBE_SECONDS, env=environment(), check=True).stdout
        return msgspec.json.decode(said, type=list[GpuSample])
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
        return []


def main() -> None:
    """Print the GPUs as JSON."""
    from engine.core.nvml import Gpus

    sys.stdout.buffer.write(msgspec.json.encode(Gpus().samples()))


if __name__ == "__main__":
    main()
