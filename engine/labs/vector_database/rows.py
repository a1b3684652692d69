"""What was measured of one contestant, and what follows from many of them; without numpy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression

TARGET = 0.95
"""The recall at which HNSW is timed as the collection grows: a time without a recall says nothing."""


@dataclass(frozen=True)
class Row:
    """One index with one setting of its dial, on one size of the collection."""

    index: str
    count: int
    """Vectors."""
    dial: str
    setting: int
    recall: float
    median: float
    """Microseconds of one thread a query."""
    slow: float
    """Microseconds within which 95 % of the queries were done."""
    size: int
    """Bytes of the index."""
    build: float
    """Seconds."""


def of_index(rows: Iterable[Row], index: str, count: int) -> list[Row]:
    """Return the rows of an index over `count` vectors, by its dial."""
    return sorted((row for row in rows if (row.index, row.count) == (index, count)), key=lambda row: row.setting)


def reaching(rows: Sequence[Row], recall: float = TARGET) -> Row | None:
    """Return the narrowest search that finds that share of the true neighbors, None where none does."""
    return next((row for row in rows if row.recall >= recall), None)


def climbing(rows: Sequence[Row]) -> float:
    """Return the share of the steps up the dial that lowered no recall and lengthened the time."""
    steps = list(pairwise(rows))
    good = sum(after.recall >= before.recall and after.median > before.median for before, after in steps)
    return good / len(steps) if steps else math.nan


def by_size(rows: Sequence[Row], index: str, counts: Sequence[int]) -> list[tuple[int, Row]]:
    """Return the row of an index that counts at each size: of HNSW the narrowest search with a recall of `TARGET`."""
    found = [(count, reaching(of_index(rows, index, count))) for count in counts]
    return [(count, row) for count, row in found if row is not None]


def growth(rows: Sequence[Row], index: str, counts: Sequence[int]) -> float:
    """Return by what factor the median time grows as the vectors grow tenfold.

    It is 10 to the slope of the line through all sizes, both axes logarithmic (least squares). NaN where a size has no
    search with a recall of `TARGET`.
    """
    found = by_size(rows, index, counts)
    if len(found) < max(2, len(counts)):
        return math.nan
    line = linear_regression([math.log10(count) for count, _ in found], [math.log10(row.median) for _, row in found])
    return float(10.0**line.slope)
