"""BM25 over postings in arrays: for each term the passages that hold it, and what it adds to the score of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.retrieval.counts import Counts

Floats = npt.NDArray[np.float32]

K1 = 0.9
B = 0.4


def inverse_frequencies(holding: npt.NDArray[np.int64], passages: int) -> npt.NDArray[np.float64]:
    """Return Lucene's idf of each term, ln(1 + (N - n + 0.5) / (n + 0.5)); never negative.

    Args:
        holding: n, the number of passages that hold each term.
        passages: N.
    """
    frequencies: npt.NDArray[np.float64] = np.log1p((passages - holding + 0.5) / (holding + 0.5))
    return frequencies


@dataclass(frozen=True)
class BM25:
    """The score of Robertson and Zaragoza (2009, equation 3.15), with Lucene's idf and without the constant k1 + 1.

    What a term adds does not depend on the question, so it is computed once: a query only gathers and adds.
    """

    columns: dict[str, int]
    """Term to its place."""
    starts: npt.NDArray[np.int64]
    """Where the postings of each term begin, and the end of the last one (V + 1)."""
    rows: npt.NDArray[np.int32]
    """The passage of each posting."""
    gains: Floats
    """What the term adds to the score of that passage."""
    passages: int

    @classmethod
    def of(cls, counts: Counts, k1: float = K1, b: float = B) -> BM25:
        """Return the postings of counted passages.

        Args:
            counts: how often each term stands in each passage.
            k1: how fast repeats of a term stop counting; 0 counts presence alone.
            b: how much a long passage is marked down, 0 to 1.
        """
        starts, rows, frequencies = counts.by_term()
        lengths = counts.lengths()
        mean = lengths.mean() if len(lengths) and lengths.any() else 1.0
        idf = inverse_frequencies(np.diff(starts), counts.rows)
        damping = k1 * (1.0 - b + b * lengths / mean)
        gains = np.repeat(idf, np.diff(starts)) * frequencies / (frequencies + damping[rows])
        columns = {term: place for place, term in enumerate(counts.terms)}
        return cls(columns, starts, rows, gains.astype(np.float32), counts.rows)

    def weight(self, term: str, unknown: float = 1.0) -> float:
        """Return how much a term tells: the most that it adds to a score; `unknown` for a word of no passage."""
        column = self.columns.get(term)
        if column is None:
            return unknown
        return float(self.gains[self.starts[column] : self.starts[column + 1]].max())

    def scores(self, terms: Iterable[str]) -> Floats:
        """Return the score of every passage (N), 0 where it shares no term; a repeated term counts each time."""
        scores = np.zeros(self.passages, np.float32)
        for term, times in Counter(terms).items():
            column = self.columns.get(term)
            if column is not None:
                part = slice(self.starts[column], self.starts[column + 1])
                scores[self.rows[part]] += times * self.gains[part]
        return scores

    def top(self, terms: Sequence[str], k: int) -> list[tuple[int, float]]:
        """Return the best `k` passages that share a term, best first, as (passage, score)."""
        return best(self.scores(terms), k, above=0.0)


def best(scores: Floats, k: int, above: float = -np.inf) -> list[tuple[int, float]]:
    """Return the places of the `k` highest scores over `above`, highest first, the earlier place first among equals."""
    k = min(k, len(scores))
    if k <= 0:
        return []
    # A partition finds the k-th score; its equals are all looked at, so that ties do not depend on the partition.
    kth = np.partition(scores, len(scores) - k)[len(scores) - k]
    places = np.flatnonzero(scores >= kth)
    order = places[np.argsort(-scores[places], kind="stable")][:k]
    return [(int(place), float(scores[place])) for place in order if scores[place] > above]
