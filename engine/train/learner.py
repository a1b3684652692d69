"""The seam between the one loop and a family: what a learner has to be able to do.

The loop knows steps, samples, time, checkpoints and commands. A learner knows its modules, its loss and what it can draw.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from engine.core.events import Event
from engine.core.spec import Spec
from engine.train.optimizers import OptimizerSet, build_optimizers

Batch = tuple[Tensor, ...]
"""What `train_step` receives: tensors that lie on the device, first axis = samples."""


@dataclass(slots=True)
class Setting:
    """What a learner is built from: knobs, data, seed and the device that the loop chose."""

    spec: Any
    """The family's own Spec."""
    data: Any
    """What ``engine.data.table.load`` returned for ``spec.data``: train and valid tensors and their names."""
    seed: int
    device: torch.device
    precision: torch.dtype
    total_steps: int = 0
    inputs: dict[str, Any] = field(default_factory=dict)
    """Role -> the tensors of a checkpoint to start from (``model`` for fine-tuning)."""


class Learner(ABC):
    """A family's side of training. Most need `build`, `loss`, `valid_step` and `draw` alone.

    A learner that trains several modules against one another (a GAN) overrides `train_step`, which owns all its
    optimizers, and `state`, which covers all that a resume has to restore.
    """

    batch_stats: ClassVar[bool] = False
    """Whether the loss couples the samples of a batch (batch norm, in-batch negatives), so that it cannot be split."""

    modules: dict[str, nn.Module]
    optimizers: OptimizerSet

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.spec: Any = setting.spec
        self.modules = {name: module.to(setting.device) for name, module in self.build().items()}
        self.optimizers = build_optimizers(self.modules, setting.spec, setting.device)

    @abstractmethod
    def build(self) -> dict[str, nn.Module]:
        """Return the modules by name, initialized under the global generator that the loop has seeded."""

    @abstractmethod
    def batches(self) -> Any:
        """Return the training batches: ``at(step) -> Batch``, a pure function of seed and step, and ``epoch_steps``."""

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return ``{"loss": scalar to descend, ...}`` and any further scalars to report, as 0-d tensors."""

    @abstractmethod
    def valid_batches(self) -> Iterator[Batch]:
        """Yield the batches of the validation split, in a fixed order."""

    @abstractmethod
    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return sums and counts by metric name (never a mean of means); called without gradients, in eval mode."""

    def draw(self, step: int) -> Iterator[Event]:
        """Yield what the family's panels show at this step; called without gradients, in eval mode."""
        return iter(())

    def baselines(self) -> Iterator[Event]:
        """Yield reference lines that have to be computed on the data; called once, before step 0."""
        return iter(())

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """Make one update and return detached scalars, among them ``loss`` and ``gradient_norm``; no host sync."""
        raise NotImplementedError  # written with the loop

    def state(self) -> dict[str, Any]:
        """Return all that a resume restores beside the loop's own counters: tensors by dotted name, plain values else."""
        raise NotImplementedError

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        raise NotImplementedError
