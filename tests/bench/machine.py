"""The machine and the versions that a figure was measured with."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "textual", "numpy", "msgspec")


def machine() -> str:
    """Return processor, cores, memory, system and versions in one line."""
    import psutil

    memory = psutil.virtual_memory().total / 2**30
    parts = [
        f"{processor()}, {cores()}, {memory:.0f} GiB",
        f"{system()}",
        f"Python {platform.python_version()}",
        *(f"{name} {installed(name)}" for name in PACKAGES),
    ]
    return "; ".join(parts)


def processor() -> str:
    """Return the processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no file, but a window into the kernel
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> str:
    """Return how many cores there are, and of them, how many this process may use."""
    there = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    return f"{there} cores" if usable == there else f"{usable} of {there} cores"


def system() -> str:
    """Return the operating system's name and release."""
    if sys.platform == "linux":
        try:
            return platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            return f"Linux {platform.release()}"
    return f"{platform.system()} {platform.release()}"


def installed(package: str) -> str:
    """Return a package's version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def load() -> float:
    """Return how busy the machine is: the one-minute load average over the number of cores."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)
