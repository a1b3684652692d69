"""Attention of one position, with nothing but multiplication, addition, exp and division.

Vaswani et al., Attention Is All You Need, 2017, equation 1, for one row of Q. Nothing but the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Numbers = Sequence[float]


def dot(a: Numbers, b: Numbers) -> float:
    """Return the sum of the products of two lists of equal length."""
    return sum(x * y for x, y in zip(a, b, strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """Everything that one position computes in one head."""

    products: list[float]
    """Its query times the key of each position that it sees."""
    scores: list[float]
    """Those over the root of the length of a key."""
    powers: list[float]
    """e to the power of each score, less the largest score so that none overflows."""
    weights: list[float]
    """Those over their sum: positive, and together 1."""
    output: list[float]
    """The values of all positions, each times its weight, added up."""


def attend(query: Numbers, keys: Sequence[Numbers], values: Sequence[Numbers]) -> Row:
    """Return what a position with `query` makes of the positions that it sees: those of `keys` and `values`."""
    products = [dot(query, key) for key in keys]
    scores = [product / math.sqrt(len(query)) for product in products]
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    total = math.fsum(powers)
    weights = [power / total for power in powers]
    return Row(products, scores, powers, weights, mix(weights, values))


def mix(weights: Numbers, values: Sequence[Numbers]) -> list[float]:
    """Return the values, each times its weight, added up number by number."""
    return [math.fsum(w * value[at] for w, value in zip(weights, values, strict=True)) for at in range(len(values[0]))]
