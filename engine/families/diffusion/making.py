"""Samples out of noise, by a trained network: Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, 2020,
algorithm 2, with any of the samplers.

Shape legend: N samples, ... the axes of one sample, L classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from engine.families.diffusion.noising import Noising, solved
from engine.families.diffusion.sampling import guided, times_back, walk
from engine.families.diffusion.seen import Seen
from engine.families.diffusion.spec import DiffusionSpec

TOGETHER = 500
"""Samples that are made at the same time."""


class Maker:
    """Makes samples.

    Args:
        ask: from mixtures ``N...``, times ``N`` and class numbers ``N`` to the network's answer ``N...``.
        noising: the schedule.
        seen: what the network sees.
        classes: L, which stands for no class; 0 where the network is not told any.
    """

    def __init__(
        self, ask: Callable[[Tensor, Tensor, Tensor], Tensor], noising: Noising, seen: Seen, classes: int
    ) -> None:
        self.ask = ask
        self.noising = noising
        self.seen = seen
        self.classes = classes

    def made(self, labels_N: Tensor, generator: torch.Generator, spec: DiffusionSpec) -> Tensor:
        """Return a sample of each class, ``N...``, as people see it."""
        parts = []
        for labels in labels_N.split(TOGETHER):
            *_, (last, _) = self.making(labels, generator, spec)
            parts.append(last)
        return self.seen.restored(torch.cat(parts))

    def making(
        self, labels_N: Tensor, generator: torch.Generator, spec: DiffusionSpec
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield, step by step out of noise, the mixtures ``N...`` and the data that were guessed before, as the network
        sees them.

        Args:
            labels_N: class numbers; of no account where the network is not told any.
            generator: of all chance.
            spec: says objective, sampler, sampling_steps and guidance.
        """
        known_N = labels_N if self.classes else torch.zeros_like(labels_N)
        start = torch.randn((len(labels_N), *self.seen.shape), generator=generator, device=labels_N.device)
        times = times_back(spec.sampling_steps, self.noising, start.device)

        def guess(mixtures: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
            return self._guess(mixtures, time, known_N, spec)

        return walk(guess, start, times, self.noising, spec.sampler, generator)

    def _guess(self, mixtures: Tensor, time: Tensor, labels_N: Tensor, spec: DiffusionSpec) -> tuple[Tensor, Tensor]:
        """Return the data and the noise in mixtures of one time; data stay in their range, the noise is the rest."""
        times_N = time.expand(len(mixtures))
        answer = self.ask(mixtures, times_N, labels_N)
        if self.classes and spec.guidance != 1.0:
            without = self.ask(mixtures, times_N, torch.full_like(labels_N, self.classes))
            answer = guided(answer, without, spec.guidance)
        signal, share = self.noising.shares(time)
        data, _ = solved(spec.objective, answer, mixtures, signal, share)
        return solved("data", self.seen.settled(data), mixtures, signal, share)
