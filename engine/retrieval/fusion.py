"""One ranking from several."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Name = TypeVar("Name", bound=Hashable)

RANK_OFFSET = 60
"""The k of reciprocal rank fusion in its paper."""


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Name]], k: float = RANK_OFFSET, weights: Sequence[float] | None = None
) -> list[tuple[Name, float]]:
    """Return all that any ranking names, best first, by the sum of weight / (k + rank), ranks from 1.

    It looks at ranks alone, so scores of any scale go together (Cormack, Clarke, Büttcher 2009). Among equals, what was
    named first comes first.
    """
    scores: dict[Name, float] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, name in enumerate(ranking, 1):
            scores[name] = scores.get(name, 0.0) + weight / (k + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def weighted_fusion(scores: Sequence[Floats], weights: Sequence[float]) -> Floats:
    """Return the weighted sum of scores over the same passages (N), the best of each brought to 1 first.

    Zero stays zero, so that what no search found is not found by all together. Scores none of which is above 0 add
    nothing.
    """
    fused = np.zeros_like(scores[0])
    for each, weight in zip(scores, weights, strict=True):
        highest = float(each.max(initial=0.0))
        if highest > 0.0:
            fused += np.float32(weight / highest) * each
    return fused
