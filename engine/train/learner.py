"""The seam between the one loop and a family: what a learner has to be able to do.

The loop knows steps, samples, time, checkpoints and commands. A learner knows its modules, its loss and what it can
draw.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from engine.core.errors import RunError
from engine.core.events import Event
from engine.core.spec import Value
from engine.train.average import Average
from engine.train.optimizers import OptimizerSet, build_optimizers, named_parameters
from engine.train.step import update

Batch = tuple[Tensor, ...]
"""What `train_step` receives: tensors that lie on the device, first axis = samples."""


class Batches(Protocol):
    """The endless sequence of training batches."""

    @property
    def epoch_steps(self) -> float:
        """How many steps see every training example once."""

    def at(self, step: int) -> Batch:
        """Return the batch of a step: a pure function of seed and step, so that a resume needs no memory of it."""


@dataclass(slots=True)
class Setting:
    """What a learner is built from: knobs, data, seed and the device that the loop chose."""

    spec: Any
    """The family's own Spec."""
    data: Any
    """What ``engine.data.load.load`` returned for ``spec.data``, on the device."""
    seed: int
    device: torch.device
    precision: torch.dtype = torch.float32
    """``torch.bfloat16`` computes matrix products in it; weights stay in single precision."""
    total_steps: int = 0
    inputs: dict[str, Mapping[str, Tensor]] = field(default_factory=dict)
    """Role -> the tensors of a checkpoint to start from (``model`` for fine-tuning). A run that goes on finds its own
    there, so they are to begin with, not to be kept.
    """


class Learner(ABC):
    """A family's side of training. Most need `build`, `batches`, `loss`, `valid_batches`, `valid_step` and `draw`
    alone.

    A learner that trains several modules against one another (a GAN) overrides `train_step`, which owns all its
    optimizers, and where it keeps more than modules and optimizers also `state` and `load_state`.

    Attributes:
        modules: by role; ``model`` is the one to play with.
        average: the averaged weights, where ``spec.ema`` asks for them.
        micro_batches: into how many pieces a batch is cut; the loop doubles it when memory runs out.
        tokens_per_sample: how many tokens a sample has, for ``tokens_per_second``; 0 where tokens mean nothing.
    """

    batch_stats: bool = False
    """Whether the loss couples the samples of a batch (batch norm, in-batch negatives), so that it cannot be split; a
    family in which a knob decides says it in `build`.
    """

    capturable: ClassVar[bool] = True
    """Whether a step may be replayed as a captured CUDA graph: fixed shapes, no decision on the host."""

    convolutional: bool = False
    """Whether its work is mostly convolutions, which gain from low precision sooner than matrix products; a family that
    has both sorts of networks says it in `build`.
    """

    sides: ClassVar[tuple[str, ...]] = ()
    """Names of the players that can step alone (``generator``, ``discriminator``); empty where there is one."""

    averaged: ClassVar[tuple[str, ...]] = ()
    """Roles of the modules whose averaged weights are judged where ``spec.ema`` asks for it; empty for all."""

    step: int = 0
    """How many updates have been made; the loop tells it before every evaluation."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.spec: Any = setting.spec
        self.micro_batches = 1
        self.tokens_per_sample = 0
        self.modules: dict[str, nn.Module] = {name: module.to(setting.device) for name, module in self.build().items()}
        self.optimizers = self.build_optimizers()
        judged = {role: self.modules[role] for role in self.averaged or self.modules}
        names = {name: parameter for parameter, name in named_parameters(judged).items()}
        self.average = Average(names, self.spec.ema) if self.spec.ema > 0 else None

    @abstractmethod
    def build(self) -> dict[str, nn.Module]:
        """Return the modules by role, initialized under the global generator that the loop has seeded."""

    def build_optimizers(self) -> OptimizerSet:
        """Return what updates the modules, which `build` has made."""
        return build_optimizers(self.modules, self.setting.spec, self.setting.device)

    @abstractmethod
    def batches(self) -> Batches:
        """Return the training batches."""

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return ``{"loss": scalar to descend, ...}`` and any further scalars to report (``accuracy``), as 0-d tensors.

        The loop reports each as ``train/<name>``. Called in training mode, under `autocast`.
        """

    @abstractmethod
    def valid_batches(self) -> Iterator[Batch]:
        """Yield the batches of the validation split, in a fixed order."""

    @abstractmethod
    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return sums and counts by metric name (never a mean of means); called without gradients, in eval mode.

        The loop reports each sum over its count as ``valid/<name>``.
        """

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Return the validation's means by name, with what follows from them (bits from nats, a root of a
        mean square).
        """
        return means

    def draw(self, step: int) -> Iterator[Event]:
        """Yield what the family's panels show at this step; called without gradients, in eval mode."""
        return iter(())

    def baselines(self) -> Iterator[Event]:
        """Yield `Baseline` events, reference lines that have to be computed on the data; asked for once a run."""
        return iter(())

    def train_step(self, batch: Batch, side: str = "") -> dict[str, Tensor]:
        """Make one update and return detached 0-d scalars, among them ``loss`` and ``gradient_norm``; no host sync.

        `side` is one of `sides`, where a person steps one player alone.
        """
        return update(self, batch)

    def flops_per_sample(self) -> float:
        """Estimate the floating-point operations of forward and backward on one sample; convolutions need
        more than this.
        """
        return 6.0 * sum(each.numel() for each in self.optimizers.parameters) * max(1, self.tokens_per_sample)

    def turn(self, name: str, value: Value) -> None:
        """Set a live knob; the loop has checked name and value. Override for knobs of the family's own."""
        self.spec = replace(self.spec, **{name: value})
        if name == "learning_rate":
            self.optimizers.learning_rate = float(value)
        elif name == "weight_decay":
            self.optimizers.decay(float(value))

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which forward passes compute, in the precision of this run."""
        if self.setting.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.setting.device.type, dtype=self.setting.precision, cache_enabled=False)

    def mode(self, *, training: bool) -> None:
        """Put every module into training or evaluation mode."""
        for module in self.modules.values():
            module.train(training)

    def weights(self) -> dict[str, Tensor]:
        """Return every tensor of the modules once, by dotted name; a shared one under the first of its names."""
        found: dict[str, Tensor] = {}
        seen: set[int] = set()
        for role, module in self.modules.items():
            for name, tensor in module.state_dict(keep_vars=True).items():
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    found[f"{role}.{name}"] = tensor.detach()
        return found

    def load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy tensors by name into the modules; averaged weights begin there too.

        Raises:
            RunError: one is missing, or of another shape.
        """
        for name, own in self.weights().items():
            other = tensors.get(name)
            if other is None or other.shape != own.shape:
                found = "nothing" if other is None else f"the shape {tuple(other.shape)}"
                raise RunError(
                    f"The checkpoint has {found} for '{name}', this model wants {tuple(own.shape)}.",
                    "It was written with other knobs; start a new run.",
                )
            own.copy_(other)
        if self.average is not None:
            self.average.take(torch.zeros_like(self.average.updates))

    def state(self) -> dict[str, Tensor]:
        """Return all that a resume restores beside the evaluated weights, by dotted name."""
        kept = {f"optimizer.{name}": tensor for name, tensor in self.optimizers.state().items()}
        if self.average is not None:
            kept |= {
                f"raw.{name}": tensor for name, tensor in zip(self.average.names, self.average.parameters, strict=True)
            }
            kept["average.updates"] = self.average.updates
        return kept

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned, after `load_weights` brought the evaluated weights."""
        self.optimizers.load_state(
            {name.removeprefix("optimizer."): t for name, t in state.items() if name.startswith("optimizer.")}
        )
        if self.average is not None:
            self.average.take(state["average.updates"])
            for name, parameter in zip(self.average.names, self.average.parameters, strict=True):
                parameter.copy_(state[f"raw.{name}"])
