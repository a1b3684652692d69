"""Pairs of words to judge vectors by, found in text that was held out, and the same words paired at random.

Shape legend: N words of a text, W words of the vocabulary, P pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MOST_WORDS = 4000
"""Words, the most frequent ones, that pairs are made of: who met whom is kept as a square table."""
LARGEST_TEXT = 2_000_000
"""Words of a text in which meetings are counted."""
MOST_PAIRS = 20_000
"""Pairs of one kind that are compared."""
PAIRINGS = 20
"""How often the words of the pairs are paired anew at random."""
OFTEN = 5
"""Times that a word has to occur in the held-out text for its company to say something."""
ALIKE = 0.02
"""Share of all pairs, those whose company is most alike, that are said to keep the same company."""


def met(tokens_N: Tensor, lines_N: Tensor, words: int, window: int) -> Tensor:
    """Return how often each two of the first `words` words stand at most `window` apart on one line, ``WW``.

    Counted in either order, in the first `LARGEST_TEXT` words of a text.
    """
    tokens_N, lines_N = tokens_N[:LARGEST_TEXT], lines_N[:LARGEST_TEXT]
    counts_WW = torch.zeros(words, words)
    for distance in range(1, window + 1):
        left, right = tokens_N[:-distance], tokens_N[distance:]
        both = (lines_N[distance:] == lines_N[:-distance]) & (left < words) & (right < words)
        left, right = left[both], right[both]
        ones = torch.ones(len(left))
        counts_WW.index_put_((left, right), ones, accumulate=True)
        counts_WW.index_put_((right, left), ones, accumulate=True)
    return counts_WW


def meeting_pairs(counts_WW: Tensor, usable_W: Tensor) -> Tensor:
    """Return the different pairs of usable words that have met, ``P2``."""
    seen_WW = (counts_WW > 0).triu(1) & usable_W & usable_W[:, None]
    return seen_WW.nonzero()


def company(counts_WW: Tensor) -> Tensor:
    """Return how alike the company of each two words is, ``WW``: the cosine of their rows of positive PMI.

    Source: Bullinaria and Levy 2007, Extracting semantic representations from word co-occurrence statistics.
    """
    totals_W = counts_WW.sum(1)
    expected_WW = totals_W[:, None] * totals_W / totals_W.sum().clamp(min=1)
    ppmi_WW = (counts_WW / expected_WW.clamp(min=1e-9)).log().clamp(min=0)
    unit_WW = torch.nn.functional.normalize(ppmi_WW, dim=1)
    return unit_WW @ unit_WW.T


def alike_pairs(counts_WW: Tensor, tokens_N: Tensor, usable_W: Tensor) -> Tensor:
    """Return the pairs of usable words, frequent enough in this text, whose company is most alike, ``P2``."""
    often_W = usable_W & (torch.bincount(tokens_N, minlength=len(counts_WW))[: len(counts_WW)] >= OFTEN)
    upper_WW = (often_W & often_W[:, None]).triu(1)
    pairs = upper_WW.nonzero()
    if not len(pairs):
        return pairs
    likeness_P = company(counts_WW)[upper_WW]
    return pairs[likeness_P.topk(max(1, round(ALIKE * len(pairs)))).indices]


def paired_anew(pairs_P2: Tensor, forbidden_WW: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the second words in another order, ``P``, and which of the new pairs may stand, ``P``.

    The words are the very same, each as often as before, so nothing but the pairing differs. A pair may stand unless it
    is forbidden or a word with itself.
    """
    first_P, second_P = pairs_P2.T
    second_P = second_P[torch.randperm(len(second_P), generator=generator)]
    return second_P, ~forbidden_WW[first_P, second_P] & (first_P != second_P)


@dataclass(frozen=True, slots=True)
class Wins:
    """How real pairs fare against the same words paired at random."""

    shares: Tensor
    """Of each real pair's random rivals, the share with a lower cosine, ``P``; an equal one counts 1/2."""
    real: Tensor
    """Cosines of the real pairs, ``P``."""
    random: Tensor
    """Cosines of all rivals."""

    @property
    def share(self) -> float:
        """The mean over pairs: 1/2 where vectors know nothing."""
        return float(self.shares.mean()) if len(self.shares) else float("nan")


def wins(vectors_WD: Tensor, pairs_P2: Tensor, forbidden_WW: Tensor, seed: int) -> Wins:
    """Compare the cosine of each pair with those of its first word and some other pairs' second words."""
    unit_WD = torch.nn.functional.normalize(vectors_WD, dim=1)
    generator = torch.Generator().manual_seed(seed)
    if len(pairs_P2) > MOST_PAIRS:
        pairs_P2 = pairs_P2[torch.randperm(len(pairs_P2), generator=generator)[:MOST_PAIRS]]
    first_P, second_P = pairs_P2.T
    real_P = (unit_WD[first_P] * unit_WD[second_P]).sum(1)
    won_P, met_P = torch.zeros(len(real_P)), torch.zeros(len(real_P))
    rivals = []
    for _ in range(PAIRINGS):
        other_P, stands_P = paired_anew(pairs_P2, forbidden_WW, generator)
        rival_P = (unit_WD[first_P] * unit_WD[other_P]).sum(1)
        won_P += stands_P * ((real_P > rival_P).float() + 0.5 * (real_P == rival_P))
        met_P += stands_P
        rivals.append(rival_P[stands_P])
    there = met_P > 0
    return Wins((won_P / met_P.clamp(min=1))[there], real_P[there], torch.cat(rivals))
