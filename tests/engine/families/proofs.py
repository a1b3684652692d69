"""What every family of classifiers proves about itself, and how a learner is made for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import torch
from torch import Tensor

from engine import catalog
from engine.core.spec import Value
from engine.data.load import load
from engine.train.learner import Learner, Setting


def learner(
    family: str, preset: str = "quick", seed: int = 0, *, start: Mapping[str, Tensor] | None = None, **knobs: Value
) -> Learner:
    """Return a learner of a family on the CPU, in training mode, as the trainer builds it; `start` is what the model of
    another run weighs.
    """
    found = catalog.family(family)
    spec = found.configure(preset, knobs)
    cpu = torch.device("cpu")
    data = load(spec.data, spec, seed, cpu)
    torch.manual_seed(seed)
    module, _, name = found.learner.partition(":")
    inputs = {} if start is None else {"model": start}
    setting = Setting(spec=spec, data=data, seed=seed, device=cpu, inputs=inputs)
    made: Learner = getattr(import_module(module), name)(setting)
    made.mode(training=True)
    made.optimizers.schedule(1.0)
    return made


def losses(made: Learner, steps: int) -> list[float]:
    """Train and return the loss of every step."""
    batches = made.batches()
    return [float(made.train_step(batches.at(step))["loss"]) for step in range(steps)]


def overfit(made: Learner, examples: int = 8, steps: int = 300) -> float:
    """Train on the first examples of a batch alone and return the loss on them."""
    batch = tuple(tensor[:examples] for tensor in made.batches().at(0))
    scalars: dict[str, Tensor] = {}
    for _ in range(steps):
        scalars = made.train_step(batch)
    return float(scalars["loss"])


def untouched(made: Learner) -> list[str]:
    """Return the names of parameters whose gradient is missing, not finite, or zero throughout."""
    loss = made.loss(made.batches().at(0))["loss"]
    loss.backward()
    return [
        name
        for parameter, name in made.optimizers.names.items()
        if parameter.grad is None or not parameter.grad.isfinite().all() or not parameter.grad.any()
    ]
