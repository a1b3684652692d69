"""Looking at a model without touching it: in eval mode, without gradients, with the averaged weights if there are
any.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.train.randomness import untouched_randomness

if TYPE_CHECKING:
    from engine.train.learner import Learner


@contextmanager
def looking_at(learner: Learner) -> Iterator[None]:
    """Within it the learner is as it is judged: eval mode, averaged weights, no gradients, chance as it was
    afterwards.
    """
    averaged = nullcontext() if learner.average is None else learner.average.applied()
    learner.mode(training=False)
    try:
        with torch.no_grad(), untouched_randomness(learner.setting.device), averaged:
            yield
    finally:
        learner.mode(training=True)


def evaluate(learner: Learner) -> dict[str, float]:
    """Return ``valid/<name>`` of the whole validation split: sums over counts, which cross to the host once, at
    the end.
    """
    wide = torch.float32 if learner.setting.device.type == "mps" else torch.float64  # Apple's GPU has no doubles
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    with looking_at(learner):
        for batch in learner.valid_batches():
            with learner.autocast():
                parts = learner.valid_step(batch)
            for name, (total, count) in parts.items():
                sums[name] = sums[name] + total.to(wide) if name in sums else total.to(wide)
                counts[name] = counts.get(name, 0) + count
        values = torch.stack(list(sums.values())).tolist() if sums else []
    means = {name: value / counts[name] for name, value in zip(sums, values, strict=True)}
    return {f"valid/{name}": value for name, value in learner.summarize(means).items()}
