"""How good a ranking is, one number a question, and the mean over questions with its interval.

`ranked` is what was found, best first, each name once; `relevant` maps what should be found to a grade above 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Grades = Mapping[str, float]
Measure = Callable[[Sequence[str], Grades, int], float]

RESAMPLES = 2000
CONFIDENCE = 0.95


def recall(ranked: Sequence[str], relevant: Grades, k: int) -> float:
    """Return the share of the relevant that is among the first `k`."""
    return sum(name in relevant for name in ranked[:k]) / len(relevant) if relevant else 0.0


def precision(ranked: Sequence[str], relevant: Grades, k: int) -> float:
    """Return the share of the first `k` places that hold something relevant; an empty place holds nothing."""
    return sum(name in relevant for name in ranked[:k]) / k


def reciprocal_rank(ranked: Sequence[str], relevant: Grades, k: int) -> float:
    """Return 1 / rank of the first relevant among the first `k`, 0 where there is none; the mean of it is MRR@k."""
    return next((1.0 / rank for rank, name in enumerate(ranked[:k], 1) if name in relevant), 0.0)


def average_precision(ranked: Sequence[str], relevant: Grades, k: int) -> float:
    """Return the mean, over the relevant, of the precision at the rank of each; 0 for those past `k`."""
    found, total = 0, 0.0
    for rank, name in enumerate(ranked[:k], 1):
        if name in relevant:
            found += 1
            total += found / rank
    return total / len(relevant) if relevant else 0.0


def ndcg(ranked: Sequence[str], relevant: Grades, k: int) -> float:
    """Return the discounted gain of the first `k` by that of the best possible order (Järvelin and Kekäläinen 2002).

    The gain is the grade itself and the discount log2(rank + 1), as in trec_eval.
    """
    ideal = _discounted(sorted(relevant.values(), reverse=True)[:k])
    return _discounted([relevant.get(name, 0.0) for name in ranked[:k]]) / ideal if ideal else 0.0


def _discounted(gains: Sequence[float]) -> float:
    return float(sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains, 1)))


MEASURES: Mapping[str, Measure] = {
    "recall": recall,
    "precision": precision,
    "MRR": reciprocal_rank,
    "MAP": average_precision,
    "nDCG": ndcg,
}


@dataclass(frozen=True)
class Figure:
    """A mean over questions with its bootstrap interval."""

    mean: float
    low: float
    high: float
    questions: int


def values(
    measure: Measure, rankings: Mapping[str, Sequence[str]], judgments: Mapping[str, Grades], k: int
) -> npt.NDArray[np.float64]:
    """Return one value a judged question, in the order of the judgments; a question without a ranking counts 0."""
    return np.array([measure(rankings.get(name, ()), grades, k) for name, grades in judgments.items()], np.float64)


def interval(sample: npt.NDArray[np.float64], seed: int = 0, resamples: int = RESAMPLES) -> Figure:
    """Return the mean and its percentile bootstrap interval over questions (Efron 1979).

    For two searches over the same questions give their differences: the interval of a pair is far narrower.
    """
    count = len(sample)
    if count == 0:
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    draw = np.random.default_rng(seed)
    means = np.array([sample[draw.integers(0, count, count)].mean() for _ in range(resamples)])
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Figure(float(sample.mean()), float(low), float(high), count)
