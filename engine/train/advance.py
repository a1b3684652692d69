"""Making one update: eagerly or as a replayed CUDA graph, and in smaller pieces when memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.core.errors import RunError

if TYPE_CHECKING:
    from engine.train.learner import Batch, Learner

WARM_STEPS = 3
"""Eager steps before a capture, on the stream of the capture, so that every library has allocated what it needs."""


class Advance:
    """Calls the learner's `train_step` in the way that fits the device.

    Args:
        learner: whose step it is.
        capture: whether to replay a captured graph (CUDA alone).
        say: told when a batch is cut into smaller pieces.
    """

    def __init__(self, learner: Learner, *, capture: bool, say: Callable[[str], None]) -> None:
        self.learner = learner
        self.say = say
        self._captured = CapturedStep(learner) if capture else None

    def __call__(self, batch: Batch, side: str = "") -> dict[str, Tensor]:
        """Make one update and return its scalars, still on the device.

        Raises:
            RunError: not even the smallest piece of the batch fits into memory, or the batch cannot be cut.
        """
        while True:
            shortage = ""
            try:
                if self._captured is not None and not side:
                    return self._captured(batch)
                return self.learner.train_step(batch, side)
            except RuntimeError as error:
                if not is_memory_shortage(error):
                    raise
                shortage = str(error)
            self._halve(
                len(batch[0]), shortage
            )  # outside of the handler, whose traceback keeps the step's tensors alive

    def recapture(self) -> None:
        """Capture the step anew before the next one; for knobs that are part of the graph."""
        if self._captured is not None:
            self._captured.drop()

    def _halve(self, samples: int, shortage: str) -> None:
        """Cut batches into pieces half as large as before, and free what the failed step held."""
        learner = self.learner
        learner.optimizers.clear()
        self.recapture()
        if learner.setting.device.type == "cuda":
            torch.cuda.empty_cache()
        remedy = f"Fork the run with a smaller batch_size than {samples}, a smaller model, or more memory."
        if learner.batch_stats:
            raise RunError(
                "Memory ran out, and this loss couples the examples of a batch, so it cannot be cut.", remedy
            )
        if learner.micro_batches * 2 > samples:
            raise RunError(f"Memory ran out on a single example ({shortage.splitlines()[0]}).", remedy)
        learner.micro_batches *= 2
        self.say(
            f"Memory ran out, so each batch of {samples} is now computed in {learner.micro_batches} pieces; "
            "the update is the same, a step takes longer."
        )


def is_memory_shortage(error: RuntimeError) -> bool:
    """Whether `error` says that a device or the machine has no memory left."""
    words = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in words or "can't allocate memory" in words


class CapturedStep:
    """A train step as one CUDA graph: recorded once, replayed with a single launch.

    Everything that changes between steps is read from fixed places: the batch is copied into the tensors of the
    capture, the learning rate is a tensor, dropout draws from the generator that the graph has registered. Decisions in
    Python are recorded as they fell.
    """

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self._stream = torch.cuda.Stream()
        self.drop()

    def drop(self) -> None:
        """Forget the graph; the next calls warm up and capture again."""
        self._graph: torch.cuda.CUDAGraph | None = None
        self._batch: Batch = ()
        self._names: list[str] = []
        self._row: Tensor | None = None
        self._warmed = 0

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Make one update with `batch`; the first few run eagerly, and each counts as a step."""
        if self._warmed < WARM_STEPS:
            self._warmed += 1
            return self._eagerly(batch)
        if self._graph is None:
            self._capture(batch)
        if any(own.shape != new.shape for own, new in zip(self._batch, batch, strict=True)):
            return self.learner.train_step(batch)
        for own, new in zip(self._batch, batch, strict=True):
            own.copy_(new, non_blocking=True)
        assert self._graph is not None and self._row is not None
        self._graph.replay()
        return dict(zip(self._names, self._row.clone().unbind(), strict=True))

    def _eagerly(self, batch: Batch) -> dict[str, Tensor]:
        """Run a step on the stream of the capture, so that what it allocates can be used there."""
        main = torch.cuda.current_stream()
        self._stream.wait_stream(main)
        with torch.cuda.stream(self._stream):
            scalars = self.learner.train_step(batch)
        main.wait_stream(self._stream)
        return scalars

    def _capture(self, batch: Batch) -> None:
        """Record one step without running it."""
        self._batch = tuple(tensor.clone() for tensor in batch)
        self.learner.optimizers.clear()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=self._stream):
            scalars = self.learner.train_step(self._batch)
            self._names = list(scalars)
            self._row = torch.stack([value.float() for value in scalars.values()])
