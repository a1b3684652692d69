"""Train one model of the grid: the project's GPT and update rules, over a text that it reads from front to back, once.

Shape legend: B batch, T time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.data.examples import Corpus
from engine.data.text import cold_windows
from engine.families.gpt.learner import GPTLearner
from engine.labs.scaling_laws.grid import Cell, spec_of
from engine.labs.scaling_laws.lab import Scaling
from engine.train.learner import Batch, Setting
from engine.train.schedule import learning_rate_scale

EVERY = 20
"""Updates between two looks at the loss."""
VALID_BATCH = 128
"""Windows."""

Progress = Callable[[int, float], None]
"""(characters read, mean training loss since the last look)."""


@dataclass(frozen=True, slots=True)
class InOrder:
    """Windows that follow one another through a text; a text that is too short begins again."""

    tokens: Tensor
    length: int
    batch_size: int

    @property
    def epoch_steps(self) -> float:
        """How many steps see every character once."""
        return len(self.tokens) / (self.batch_size * self.length)

    def at(self, step: int) -> Batch:
        """Return the windows of a step, ``(x_BT, y_BT)``."""
        windows = (len(self.tokens) - 1) // self.length
        first_B = (torch.arange(self.batch_size) + step * self.batch_size) % windows * self.length
        window_BT = self.tokens[first_B[:, None] + torch.arange(self.length + 1)]
        return window_BT[:, :-1], window_BT[:, 1:]


class Reader(GPTLearner):
    """A GPT that reads its text in order."""

    def batches(self) -> InOrder:
        """Return the windows of the training text, front to back."""
        return InOrder(self.train_tokens, self.spec.context, self.spec.batch_size)

    @torch.no_grad()
    def judge(self) -> float:
        """Return the mean loss in the later halves of the validation windows, in nats per character."""
        self.mode(training=False)
        total, count = 0.0, 0
        for batch in cold_windows(self.valid_tokens, self.spec.context, VALID_BATCH):
            if batch[0].size(1) == self.spec.context:
                late_BT = self._losses(batch)[:, self.spec.context // 2 :]
                total, count = total + float(late_BT.sum()), count + late_BT.numel()
        self.mode(training=True)
        return total / count


def train(asked: Scaling, cell: Cell, corpus: Corpus, seed: int, progress: Progress) -> float:
    """Train one model from scratch; return its validation loss in nats per character.

    The learning rate rises, stays and falls to zero within the run's own length, whatever that is: a run that is cut
    off on its way says nothing about a run of that length (Hoffmann et al. 2022, section 3.1).
    """
    torch.manual_seed(seed)
    spec = spec_of(asked, cell.width, cell.steps)
    text = replace(corpus, train=corpus.train[: cell.characters + 1])
    learner = Reader(Setting(spec, text, seed, torch.device("cpu"), total_steps=cell.steps))
    learner.mode(training=True)
    batches, losses = learner.batches(), torch.zeros(())
    since = 0
    for step in range(cell.steps):
        learner.optimizers.schedule(learning_rate_scale(step / cell.steps, spec.warmup, spec.cooldown))
        losses = losses + learner.train_step(batches.at(step))["loss"]
        since += 1
        if since == EVERY or step + 1 == cell.steps:
            progress((step + 1) * spec.batch_size * spec.context, float(losses) / since)
            losses, since = torch.zeros(()), 0
    return learner.judge()
