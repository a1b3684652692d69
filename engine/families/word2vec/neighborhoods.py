"""Words with their neighbors and with random words to tell them from. Which come when is a function of seed and step.

Shape legend: B batch, C places around a word (twice the window), N random words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.data.batches import Batch, seeded

KEEPING, PICKING = 5, 6
"""Streams of chance: which words are left out, and which are picked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How neighbors and random words are drawn; `word_counts` decides both, and lies on the device."""

    word_counts: Tensor
    window: int
    negatives: int
    """Random words for each word; with `shared`, for the whole batch."""
    shared: bool
    subsample: float
    power: float

    def kept(self) -> Tensor:
        """Return how probably an occurrence of each word stays in the text: sqrt(t / frequency), at most 1."""
        if self.subsample <= 0:
            return torch.ones_like(self.word_counts, dtype=torch.float64)
        frequency = self.word_counts.double() / self.word_counts.sum()
        return (self.subsample / frequency).sqrt().clamp(max=1.0)

    def noise(self) -> Tensor:
        """Return the cumulative probabilities of the random words: frequency to the power, made to sum to one."""
        return (self.word_counts.double() ** self.power).cumsum(0) / (self.word_counts.double() ** self.power).sum()


class Neighborhoods:
    """Batches of words of a text with what is around them, ``(word_B, around_BC, there_BC, negatives_BN)``.

    As in the original: frequent words are left out first, anew every epoch, so that a window reaches further; its
    radius is drawn for each word from 1 to the window, so that near neighbors count more; and it ends with the line.
    """

    def __init__(self, tokens: Tensor, lines: Tensor, batch_size: int, seed: int, sampling: Sampling) -> None:
        self.tokens, self.lines = tokens, lines
        self.batch_size = batch_size
        self.seed = seed
        self.sampling = sampling
        self._kept = sampling.kept()
        self._noise = sampling.noise()
        window = torch.arange(1, sampling.window + 1, device=tokens.device)
        self._offsets_C = torch.cat([-window.flip(0), window])
        self._epoch = -1
        self._text = (tokens, lines)

    @property
    def epoch_steps(self) -> float:
        """How many steps see as many words as the text keeps."""
        return float(self._kept[self.tokens].sum()) / self.batch_size

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        tokens, lines = self._subsampled(step * self.batch_size // len(self.tokens))
        generator = seeded(self.seed, step, tokens.device, stream=PICKING)
        places_B = torch.randint(len(tokens), (self.batch_size,), generator=generator, device=tokens.device)
        return self._around(tokens, lines, places_B, generator)

    def in_order(self) -> Iterator[Batch]:
        """Yield every word that the text keeps once, always the same; the last batch may be short."""
        tokens, lines = self._subsampled(0)
        for number, places_B in enumerate(torch.arange(len(tokens), device=tokens.device).split(self.batch_size)):
            yield self._around(tokens, lines, places_B, seeded(self.seed, number, tokens.device, stream=PICKING))

    def _subsampled(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Return the words that an epoch keeps, and their lines."""
        if epoch != self._epoch:
            generator = seeded(self.seed, epoch, self.tokens.device, stream=KEEPING)
            chance = torch.rand(len(self.tokens), generator=generator, device=self.tokens.device)
            stays = (chance < self._kept[self.tokens]).nonzero()[:, 0]
            self._epoch, self._text = epoch, (self.tokens[stays], self.lines[stays])
        return self._text

    def _around(self, tokens: Tensor, lines: Tensor, places_B: Tensor, generator: torch.Generator) -> Batch:
        """Return the words at some places with their neighbors and random words."""
        window, device = self.sampling.window, tokens.device
        radius_B = torch.randint(1, window + 1, (len(places_B),), generator=generator, device=device)
        near_BC = places_B[:, None] + self._offsets_C
        inside_BC = (near_BC >= 0) & (near_BC < len(tokens))
        near_BC = near_BC.clamp(0, len(tokens) - 1)
        there_BC = inside_BC & (self._offsets_C.abs() <= radius_B[:, None]) & (lines[near_BC] == lines[places_B, None])
        return tokens[places_B], tokens[near_BC], there_BC, self._negatives(len(places_B), generator)

    def _negatives(self, words: int, generator: torch.Generator) -> Tensor:
        """Return random words, ``BN``; where the batch shares them, one row expanded."""
        count = self.sampling.negatives
        shape = (1, count) if self.sampling.shared else (words, count)
        chance = torch.rand(shape, generator=generator, device=self._noise.device, dtype=torch.float64)
        return torch.searchsorted(self._noise, chance).clamp(max=len(self._noise) - 1).expand(words, count)
