"""How a diffusion model learns: mix noise into examples, ask what is in the mixture, and grade the answer.

Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, 2020, algorithm 1; Lipman et al., Flow Matching for
Generative Modeling, 2023, where the answer is a velocity.

Shape legend: N examples, ... the axes of one example, B buckets of time, L classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from engine.core.errors import UsageError
from engine.core.events import Event, Histogram
from engine.data.batches import Shuffled, in_order, seeded
from engine.families.diffusion.drawing import drawn, samples, ways
from engine.families.diffusion.judging import yardstick
from engine.families.diffusion.making import Maker
from engine.families.diffusion.mixtures import Mixtures, noise_and_times
from engine.families.diffusion.model import Denoiser
from engine.families.diffusion.noising import Noising, target
from engine.families.diffusion.seen import Seen, evenly
from engine.families.diffusion.spec import DenoiseSettings, DiffusionSpec, SampleSettings
from engine.play.asked import class_number
from engine.train.learner import Batch, Batches, Learner

VALID_EXAMPLES = 2000
"""Of the validation split whose loss is measured; their noise and times are always the same."""
VALID_BATCH = 500
BUCKETS = 10
"""Of the loss by time."""


class DiffusionLearner(Learner):
    """Makes more of its data: points of a plane, or square pictures."""

    def build(self) -> dict[str, nn.Module]:
        """Return the network as ``model``.

        Raises:
            DataError: more of such data cannot be made.
        """
        spec, data, device, seed = self.spec, self.setting.data, self.setting.device, self.setting.seed
        self.seen = Seen(data, spec)
        self.convolutional = not self.seen.is_plane
        self.classes = len(data.classes) if spec.conditional else 0
        self.noising = Noising(spec.schedule, device)
        self.maker = Maker(self.ask, self.noising, self.seen, self.classes)
        self.yardstick = yardstick(self.seen, spec, seed)
        shuffled = Shuffled((data.train_inputs, data.train_labels), spec.batch_size, seed, self.seen.prepare)
        self._mixtures = Mixtures(shuffled, self.classes, spec.label_dropout, seed)
        self._losses_B = torch.zeros(BUCKETS, device=device)
        self._counts_B = torch.zeros(BUCKETS, device=device)
        self._distance: float | None = None
        model = Denoiser(spec, self.seen.shape, self.classes)
        return {"model": model if self.seen.is_plane else model.to(memory_format=torch.channels_last)}

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the run's precision; the coordinates of a point need all digits."""
        return nullcontext() if self.seen.is_plane else super().autocast()

    def batches(self) -> Batches:
        """Return shuffled examples, each with noise and a time."""
        return self._mixtures

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean squared error of the answers, over all numbers of all examples."""
        return {"loss": self.errors(batch).mean()}

    def errors(self, batch: Batch) -> Tensor:
        """Return the mean squared error of the answer to each mixture, ``N``."""
        data, labels_N, noise, times_N = batch
        times_N = self.noising.settled(times_N)
        answer = self.answer(self.noising.mix(data, noise, times_N), times_N, labels_N)
        return (answer - target(self.spec.objective, data, noise)).square().flatten(1).mean(1)

    def answer(self, mixtures: Tensor, times_N: Tensor, labels_N: Tensor) -> Tensor:
        """Return what the network says, in single precision, shaped as the mixtures are."""
        if not self.seen.is_plane:
            mixtures = mixtures.contiguous(memory_format=torch.channels_last)
        answer: Tensor = self.modules["model"](mixtures, times_N, labels_N)
        return answer.float()

    def ask(self, mixtures: Tensor, times_N: Tensor, labels_N: Tensor) -> Tensor:
        """Return the `answer` in the precision of the run, where the loop has not entered it."""
        with self.autocast():
            return self.answer(mixtures, times_N, labels_N)

    def valid_batches(self) -> Iterator[Batch]:
        """Yield validation examples, their noise and times always the same; then make samples and measure them."""
        self._losses_B.zero_()
        self._counts_B.zero_()
        kept = self.setting.data
        data, labels_N = self.seen.prepare(kept.valid_inputs[:VALID_EXAMPLES]), kept.valid_labels[:VALID_EXAMPLES]
        noise, times_N = noise_and_times(data, seeded(0, 0, data.device, stream=34))
        labels_N = labels_N if self.classes else torch.zeros_like(labels_N)
        yield from in_order((data, labels_N, noise, times_N), VALID_BATCH)
        self._distance = self.measured()

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return the summed error; sums by time are kept, to be drawn."""
        errors_N = self.errors(batch)
        bucket_N = (batch[3] * BUCKETS).ceil().long().clamp(1, BUCKETS) - 1
        self._losses_B.index_add_(0, bucket_N, errors_N)
        self._counts_B.index_add_(0, bucket_N, torch.ones_like(errors_N))
        return {"loss": (errors_N.sum(), len(errors_N))}

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Return the loss, and how far samples are from real data."""
        if self.yardstick is None or self._distance is None:
            return means
        return {**means, self.yardstick.name: self._distance}

    def measured(self) -> float | None:
        """Return how far samples are from real data; after the last step more of them are measured."""
        if self.yardstick is None:
            return None
        is_last = 0 < self.setting.total_steps == self.step
        labels_N = self.yardstick.wanted(last=is_last)
        made = self.maker.made(labels_N, seeded(0, 0, labels_N.device, stream=35), self.spec)
        return self.yardstick.distance(made)

    def baselines(self) -> Iterator[Event]:
        """Yield what real data and simple models reach."""
        return iter(()) if self.yardstick is None else self.yardstick.baselines()

    def draw(self, step: int) -> Iterator[Event]:
        """Yield samples, how some come out of noise, and the loss by time that was last measured."""
        yield from drawn(self.maker, self.spec)
        if self._counts_B.any():
            means = (self._losses_B / self._counts_B.clamp(min=1)).tolist()
            edges = [bucket / BUCKETS for bucket in range(BUCKETS + 1)]
            yield Histogram(name="loss by time", edges=edges, counts=[round(mean, 4) for mean in means])

    def sample(self, settings: SampleSettings) -> Iterator[Event]:
        """Yield samples as a person wants them.

        Raises:
            UsageError: there is no such class, or no class or no guidance that the network was taught.
        """
        labels_N, generator, chosen = self.chosen(settings)
        made = self.maker.made(labels_N, generator, chosen)
        yield samples(self.seen, made, labels_N, told=self.classes > 0)

    def denoise(self, settings: DenoiseSettings) -> Iterator[Event]:
        """Yield how samples come out of noise, as a person wants them.

        Raises:
            UsageError: there is no such class, or no class or no guidance that the network was taught.
        """
        yield from ways(self.maker, *self.chosen(settings))

    def chosen(self, settings: SampleSettings) -> tuple[Tensor, torch.Generator, DiffusionSpec]:
        """Return classes ``N``, chance and knobs that a person's settings ask for.

        Raises:
            UsageError: there is no such class, or no class or no guidance that the network was taught.
        """
        names, device = self.setting.data.classes, self.setting.device
        if settings.label and not self.classes:
            raise UsageError("This model was told no class.", "Leave the label out, or train with conditional=yes.")
        labels_N = evenly(settings.count, len(names), device)
        if settings.label:
            labels_N = torch.full_like(labels_N, class_number(settings.label, names))
        knobs = {"sampler": settings.sampler, "sampling_steps": settings.steps, "guidance": settings.guidance}
        return labels_N, seeded(settings.seed, 0, device, stream=38), replace(self.spec, **knobs)

    def flops_per_sample(self) -> float:
        """Return the floating-point operations of forward and backward on one example."""
        return float(self.spec.flops_per_sample(self.setting.data.train_inputs[0].numel(), self.classes))
