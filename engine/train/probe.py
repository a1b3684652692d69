"""How this machine's CPU computes fastest: measured once, in under a second, and kept in the cache folder.

Whether bfloat16 wins, and whether a second thread does, differs between processors and between small and large steps: a
small step loses to overhead what a large one gains.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import platform
import time

import msgspec
import torch
from torch import Tensor, nn

from engine.core.paths import cache_folder, write_whole
from engine.train.rules import AdamW, Group

LARGE_STEP = 3e8
"""Floating-point operations from which a step counts as large."""

KINDS = ("small", "large", "convolution")
"""Of steps: matrix products small and large, and convolutions of any size."""

MOST_THREADS = 8
SECONDS = 0.04
"""Of each of the trials."""

BUSY = 0.5
"""Processes per core from which a measurement is provisional."""

GAIN = 1.05
"""A way with more threads or less precision has to be this much faster to be chosen."""


class Way(msgspec.Struct, frozen=True):
    """A number of threads and a precision."""

    threads: int
    precision: str


class Probed(msgspec.Struct, frozen=True):
    """What was measured, and how busy the machine was with other things."""

    load: float
    """Busy processes per core, over the minute before."""
    ways: dict[str, Way]
    """By kind of step."""


def fastest(flops_per_step: float, *, convolutional: bool) -> Way:
    """Return how steps of that size run fastest on this machine's CPU, from the cache or by measuring now.

    What was measured on a busy machine holds until the machine is idle.
    """
    kind = "convolution" if convolutional else "large" if flops_per_step >= LARGE_STEP else "small"
    path = cache_folder() / f"probe-{_machine()}.json"
    load = os.getloadavg()[0] / cores()
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Probed)
        if known.load < BUSY or load >= BUSY:
            return known.ways[kind]
    except (OSError, msgspec.DecodeError, KeyError):
        pass
    probed = Probed(round(load, 2), {each: measure(each) for each in KINDS})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.encode(probed))
    except OSError:
        pass  # measured again next time
    return probed.ways[kind]


def _machine() -> str:
    """Return what names this kind of machine, its torch and the cores that this process may use."""
    capability = torch.backends.cpu.get_cpu_capability()
    words = (platform.machine(), platform.processor(), str(cores()), capability, torch.__version__)
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measure(kind: str) -> Way:
    """Return the fastest way for one kind of step; the plainer one unless another is clearly faster."""
    before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        try:
            times = {
                Way(count, precision): _seconds_a_step(kind, count, precision)
                for count in sorted({1, min(cores(), MOST_THREADS)})
                for precision in ("float32", "bfloat16")
            }
        finally:
            torch.set_num_threads(before)
    best = Way(1, "float32")
    for way, seconds in times.items():
        if seconds * GAIN < times[best]:
            best = way
    return best


def _trial(kind: str) -> tuple[nn.Module, Tensor]:
    """Return a network that stands for a kind of step, and inputs for it."""
    if kind == "convolution":
        network = nn.Sequential(nn.Conv2d(1, 24, 3), nn.ReLU(), nn.Conv2d(24, 48, 3), nn.ReLU(), nn.MaxPool2d(4))
        inputs = torch.randn(32, 1, 16, 16).contiguous(memory_format=torch.channels_last)
        return network.to(memory_format=torch.channels_last), inputs
    batch_size, width = (256, 512) if kind == "large" else (64, 64)
    layers = [nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 16)]
    return nn.Sequential(*layers), torch.randn(batch_size, width)


def _seconds_a_step(kind: str, threads: int, precision: str) -> float:
    """Return the shortest time of a training step of that kind."""
    torch.set_num_threads(threads)
    model, inputs = _trial(kind)
    model(inputs)
    rule = AdamW([Group(list(model.parameters()), torch.tensor(1e-3))])
    held = torch.zeros(())
    shortest = float("inf")
    until = time.perf_counter() + SECONDS
    for attempt in itertools.count():
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(inputs).float().square().mean()
        model.zero_grad()
        loss.backward()
        rule.step(held)
        now = time.perf_counter()
        if attempt >= 2:
            shortest = min(shortest, now - start)
        if now > until and attempt >= 4:
            break
    return shortest
