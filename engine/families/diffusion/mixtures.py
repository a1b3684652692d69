"""What a step learns from: examples, and the noise, the time and the hidden classes that chance gives them.

All of it is part of the batch, and so a pure function of seed and step: a resumed run sees the same noise.

Shape legend: N examples, ... the axes of one example, L classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.data.batches import Shuffled, seeded
from engine.train.learner import Batch


class Mixtures:
    """Batches of ``(data N..., labels N, noise N..., times N)``; a label of L is a class that is kept secret.

    Args:
        examples: the training examples with their classes, shuffled.
        classes: L; 0 keeps every class secret.
        label_dropout: share of the classes that are kept secret.
        seed: of the chance.
    """

    def __init__(self, examples: Shuffled, classes: int, label_dropout: float, seed: int) -> None:
        self.examples = examples
        self.classes = classes
        self.label_dropout = label_dropout
        self.seed = seed

    @property
    def epoch_steps(self) -> float:
        """How many steps see every example once."""
        return self.examples.epoch_steps

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        data, labels_N = self.examples.at(step)
        generator = seeded(self.seed, step, data.device, stream=31)
        hidden_N = torch.rand(len(data), generator=generator, device=data.device) < self.label_dropout
        labels_N = torch.where(hidden_N, self.classes, labels_N) if self.classes else torch.zeros_like(labels_N)
        return data, labels_N, *noise_and_times(data, generator)


def noise_and_times(data: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return noise for each example, and a time in (0, 1]: one at random, the others at even distances from it.

    Even times make the loss of a batch depend less on which ones chance picked (Kingma et al., Variational Diffusion
    Models, 2021).
    """
    noise = torch.randn(data.shape, generator=generator, device=data.device)
    first = torch.rand((), generator=generator, device=data.device)
    places_N = torch.arange(len(data), device=data.device) / len(data)
    return noise, 1 - (first + places_N) % 1
