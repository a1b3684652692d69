"""Judging word vectors: rank agreement with the company that words keep, and with people.

Shape legend: P pairs, W words, D width of a vector.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.files import verified
from engine.data.table import TABLE
from engine.data.words import Words

SEEN = 3
"""Times that a pair has to be seen for its PMI to say something."""

LARGEST_TEXT = 2_000_000
"""Words of a text in which pairs are counted."""

LEAST_PAIRS = 20
"""Judged pairs that must be known, or their rank correlation is mostly chance."""


def spearman(first_P: Tensor, second_P: Tensor) -> Tensor:
    """Return the correlation of the ranks of two lists of numbers, 0-d; 0 where all numbers of one are equal.

    Equal numbers share their mean rank.
    """
    ranks = torch.stack([_ranks(first_P), _ranks(second_P)])
    return torch.corrcoef(ranks)[0, 1].nan_to_num(0.0)


def _ranks(values_P: Tensor) -> Tensor:
    """Return the ranks from 1, the mean rank where values are equal."""
    _, place_P, counts = values_P.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    return (last - (counts - 1) / 2)[place_P]


@dataclass(frozen=True, slots=True)
class Company:
    """Pairs of words that were seen often enough near one another, and their pointwise mutual information.

    log p(w, c) / p(w) p(c), with p over all pairs at most a window apart on one line, each pair counted in both
    directions.
    """

    words: Tensor
    neighbors: Tensor
    pmi: Tensor


def count_company(tokens: Tensor, lines: Tensor, words: int, window: int, seen: int = SEEN) -> Company:
    """Count the pairs of a text, of its first `LARGEST_TEXT` words at most."""
    tokens, lines = tokens[:LARGEST_TEXT], lines[:LARGEST_TEXT]
    keys = []
    for distance in range(1, window + 1):
        same = lines[distance:] == lines[:-distance]
        left, right = tokens[:-distance][same], tokens[distance:][same]
        keys += [left * words + right, right * words + left]
    pairs_P, counts_P = torch.cat(keys).unique(return_counts=True)
    words_P, neighbors_P = pairs_P // words, pairs_P % words
    occurrences = torch.zeros(words, dtype=torch.float64, device=tokens.device).index_add(0, words_P, counts_P.double())
    often = counts_P >= seen
    words_P, neighbors_P, counts_P = words_P[often], neighbors_P[often], counts_P[often].double()
    pmi_P = (counts_P * occurrences.sum() / (occurrences[words_P] * occurrences[neighbors_P])).log()
    return Company(words_P, neighbors_P, pmi_P)


def judged_pairs(words: Words) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return those pairs of WordSim-353 whose words are known, with people's judgment of their relatedness.

    None where the data set is not on this machine or too few of its words are known.
    """
    row = TABLE["wordsim-353"]
    try:
        path = verified(row, row.files[0])
    except DataError:
        return None
    rows = csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t")
    known = [
        (words.numbers[a.lower()], words.numbers[b.lower()], float(judgment))
        for a, b, judgment, *_ in (row for row in rows if len(row) >= 3 and not row[0].startswith("#"))
        if a.lower() in words.numbers and b.lower() in words.numbers
    ]
    if len(known) < LEAST_PAIRS:
        return None
    first, second, judgment = zip(*known, strict=True)
    return torch.tensor(first), torch.tensor(second), torch.tensor(judgment)


def nearest(vectors_WD: Tensor, word: int, count: int) -> tuple[Tensor, Tensor]:
    """Return the cosines and numbers of the `count` words most like one word, itself left out."""
    unit_WD = torch.nn.functional.normalize(vectors_WD, dim=-1)
    cosines_W = unit_WD @ unit_WD[word]
    cosines_W[word] = -torch.inf
    best = cosines_W.topk(min(count, len(cosines_W) - 1))
    return best.values, best.indices


def plane(vectors_WD: Tensor) -> Tensor:
    """Return the vectors' places ``W2`` on the plane of their greatest spread (principal components).

    Each axis points to where the longer tail is, so that a map does not flip from one drawing to the next by chance.
    """
    centered_WD = vectors_WD.double() - vectors_WD.double().mean(0)
    _, _, axes_DD = torch.linalg.svd(centered_WD, full_matrices=False)
    places_W2 = centered_WD @ axes_DD[:2].T
    # One word, or none, spans no plane.
    places_W2 = torch.nn.functional.pad(places_W2, (0, 2 - places_W2.size(1)))
    return places_W2 * torch.where(places_W2.pow(3).sum(0) < 0, -1.0, 1.0)
