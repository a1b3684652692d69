"""A training watched for some steps: which functions ran, which losses came out, and the data that it had."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

import engine
from engine.core.spec import Family, Spec
from engine.data.load import load
from engine.eject.shake import Seen
from engine.train.learner import Setting
from engine.train.randomness import seed_everything
from engine.train.schedule import learning_rate_scale

STEPS = 20
LONGEST = 90.0
"""Seconds that the steps may take together; what is done by then has to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen."""

    seen: Seen
    losses: list[float]
    data: Any
    total_steps: int


class Watch:
    """Notes which functions of the engine are called while it is on."""

    def __init__(self) -> None:
        self.root = Path(engine.__path__[0])
        self.ran: set[tuple[str, str]] = set()
        self._codes: set[object] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event != "call" or code in self._codes:
            return
        self._codes.add(code)
        path = Path(code.co_filename)
        if path.is_relative_to(self.root):
            module = ".".join(["engine", *path.relative_to(self.root).with_suffix("").parts])
            self.ran.add((module, code.co_qualname.partition(".<locals>")[0]))


def observe(family: Family, spec: Spec, seed: int) -> Observed:
    """Train for some steps, on one thread of the CPU in single precision, as the loop does."""
    torch.set_num_threads(1)
    device = torch.device("cpu")
    data = load(spec.data, spec, seed, device)
    total_steps = max(1, math.ceil(spec.total_samples(data.size) / spec.batch_size))
    seed_everything(seed)
    module, _, name = family.learner.partition(":")
    kind = getattr(import_module(module), name)
    watch, losses = Watch(), []
    sys.setprofile(watch)
    try:
        learner = kind(Setting(spec, data, seed, device, total_steps=total_steps))
        batches = learner.batches()
        learner.mode(training=True)
        began = time.monotonic()
        for step in range(min(STEPS, total_steps)):
            learner.optimizers.schedule(learning_rate_scale((step + 0.5) / total_steps, spec.warmup, spec.cooldown))
            losses.append(float(learner.train_step(batches.at(step))["loss"]))
            if time.monotonic() - began > LONGEST:
                break
    finally:
        sys.setprofile(None)
    return Observed(seen=Seen(frozenset(watch.ran), common_names()), losses=losses, data=data, total_steps=total_steps)


def common_names() -> frozenset[str]:
    """Return what tensors, networks and containers answer to."""
    kinds = (Tensor, nn.Module, dict, list, tuple, set, str, Path, torch.Generator)
    return frozenset(name for kind in kinds for name in dir(kind))
