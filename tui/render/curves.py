"""From a million measured points to one span for every column of dots, nothing lost that reaches out of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.series import FACTOR, Axis, Floats, Integers, Series
from tui.render.dots import Bools

Places = Floats | Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a chart: which figures, under which name, in which ink."""

    name: str
    role: str
    """``series-1`` ...; its band is drawn in ``series-1-dim``."""
    series: Series
    smoothing: float = 0.0
    """Weight of the past, from 0 (draw what was measured) to below 1."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A curve over C columns of dots; NaN where no finite point falls into a column."""

    lows: Floats
    highs: Floats
    line: Floats | None
    """The smoothed value at the end of each column; None where nothing is smoothed."""
    broken: Bools
    """Columns in which NaN or an infinity was measured."""


def columns(curve: Curve, axis: Axis, first: float, last: float, count: int) -> Columns:
    """Gather the points of `curve` into `count` columns, whose centers go from `first` to `last`."""
    series = curve.series
    where = series.axis(axis)
    gap = (last - first) / max(1, count - 1) or 1.0
    edges = first + (np.arange(count + 1) - 0.5) * gap
    cuts = _cuts(where, edges)
    lows_C, highs_C = _extremes(series, cuts)
    line_C = None
    if curve.smoothing > 0 and len(series):
        ends = series.smoothed(curve.smoothing)[np.maximum(cuts[1:] - 1, 0)]
        line_C = np.where(np.isnan(lows_C), np.nan, ends)
    broken_C = np.zeros(count, np.bool_)
    if len(series.nonfinite):
        at = ((where[series.nonfinite] - edges[0]) / gap).astype(np.int64)
        broken_C[at[(at >= 0) & (at < count)]] = True
    return Columns(lows_C, highs_C, line_C, broken_C)


def _cuts(where: Places, edges: NDArray[np.floating[Any]]) -> Integers:
    """Return the index of the first point at or after each edge."""
    # Compared in the type of the places: numpy would copy a million whole numbers into floats to compare them.
    return np.searchsorted(where, edges if where.dtype.kind == "f" else np.ceil(edges).astype(where.dtype))


def _extremes(series: Series, cuts: Integers) -> tuple[Floats, Floats]:
    """Return least and greatest value of the points from each cut up to the next.

    Where a column spans several blocks of the pyramid its cuts move to whole blocks, whose extremes are known. Every
    point stays in exactly one column and moves by less than a quarter of one.
    """
    room = int(cuts[-1] - cuts[0]) // max(1, 4 * (len(cuts) - 1))
    block = 1
    while block * FACTOR <= room:
        block *= FACTOR
    if block == 1:
        return series.extremes_between(cuts)
    lows_C, highs_C = series.extremes_between(cuts // block * block)
    # The first block may begin before the first cut; what is beyond the last whole block is still to be looked at.
    rest = series.values[int(cuts[-1]) // block * block : int(cuts[-1])]
    rest = rest[np.isfinite(rest)]
    if len(rest):
        lows_C[-1], highs_C[-1] = np.fmin(lows_C[-1], rest.min()), np.fmax(highs_C[-1], rest.max())
    return lows_C, highs_C


def extremes(curve: Curve, axis: Axis, first: float, last: float, *, positive: bool = False) -> tuple[float, float]:
    """Return least and greatest value from `first` to `last` on the axis; NaN where there is none.

    `positive` leaves out what a logarithmic axis cannot show.
    """
    where = curve.series.axis(axis)
    start, end = _cuts(where, np.array([first, np.nextafter(last, math.inf)])).tolist()
    if end <= start:
        return math.nan, math.nan
    if end - start == len(curve.series):
        low, high = curve.series.span
    else:
        lows, highs = curve.series.extremes_between(np.array([start, end]))
        low, high = float(lows[0]), float(highs[0])
    if positive and low <= 0:
        inside = curve.series.values[start:end]
        low = float(np.min(inside, where=inside > 0, initial=math.inf))
        low, high = (low, high) if high > 0 else (math.nan, math.nan)
    return low, high


def nonfinite_places(curve: Curve, axis: Axis, most: int) -> list[float]:
    """Return where on the axis NaN or an infinity was measured, the first `most` of them."""
    found: list[float] = curve.series.axis(axis)[curve.series.nonfinite[:most]].tolist()
    return found


def value_at(curve: Curve, axis: Axis, where: float) -> float:
    """Return what the curve shows at a place: the last value at or before it, NaN before the first."""
    index = len(curve.series) - 1
    if where < math.inf:
        index = int(_cuts(curve.series.axis(axis), np.array([np.nextafter(where, math.inf)]))[0]) - 1
    if index < 0:
        return math.nan
    raw = float(curve.series.values[index])
    if curve.smoothing <= 0 or not math.isfinite(raw):
        return raw
    return float(curve.series.smoothed(curve.smoothing)[index])
