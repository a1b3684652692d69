"""Measuring a search on judged questions: what was found for each, how good that is, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.retrieval.index import Index, Method
from engine.retrieval.judged import Judged
from engine.retrieval.metrics import MEASURES, Figure, interval, values

DEPTH = 10


@dataclass(frozen=True)
class Measured:
    """A search over all questions of a collection."""

    rankings: Mapping[str, list[str]]
    """Documents found for each question, best first."""
    seconds: npt.NDArray[np.float64]
    """What each question took."""

    def latency(self, share: float) -> float:
        """Return the seconds within which this share of the questions was done: 0.5 the median, 0.95 the p95."""
        return float(np.quantile(self.seconds, share))


def measure(index: Index, judged: Judged, method: Method = "hybrid", depth: int = DEPTH) -> Measured:
    """Ask every question and keep the best `depth` documents of each."""
    rankings: dict[str, list[str]] = {}
    seconds = []
    for name, question in judged.questions.items():
        start = time.perf_counter()
        rankings[name] = index.rank_documents(question, depth, method)
        seconds.append(time.perf_counter() - start)
    return Measured(rankings, np.array(seconds))


def figures(measured: Measured, judged: Judged, k: int, seed: int = 0) -> dict[str, Figure]:
    """Return every measure at `k`, as ``recall@5``, with its interval over questions."""
    return {
        f"{name}@{k}": interval(values(each, measured.rankings, judged.relevant, k), seed)
        for name, each in MEASURES.items()
    }


def against(one: Measured, other: Measured, judged: Judged, name: str, k: int, seed: int = 0) -> Figure:
    """Return by how much `one` is better than `other` in a measure, over the same questions, with its interval."""
    first, second = (values(MEASURES[name], each.rankings, judged.relevant, k) for each in (one, other))
    return interval(first - second, seed)
