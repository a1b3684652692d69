"""From a million measured points to one span for every column of dots, nothing lost that reaches out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tui.render.dots import Bools, Floats

XAxis = Literal["step", "samples", "time"]
X_AXES: tuple[XAxis, ...] = ("step", "samples", "time")


class Measured(Protocol):
    """What a curve has to offer; `engine.core.series.Series` does."""

    @property
    def steps(self) -> NDArray[np.generic]:
        """Step of every finite point, rising."""

    @property
    def samples(self) -> NDArray[np.generic]:
        """Samples trained on at every finite point."""

    @property
    def times(self) -> NDArray[np.generic]:
        """Seconds of training at every finite point."""

    @property
    def values(self) -> NDArray[np.float64]:
        """The finite values themselves."""

    @property
    def nonfinite(self) -> Sequence[float]:
        """Steps at which NaN or an infinity was measured."""

    def within(self, cuts: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return least and greatest value of points ``cuts[i]`` up to ``cuts[i + 1]``, NaN where there is none."""

    def smoothed(self, weight: float) -> Floats:
        """Return the debiased moving average of all values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a chart: which figures, under which name, in which ink."""

    name: str
    role: str
    """``series-1`` ...; its band is drawn in ``series-1-dim``."""
    series: Measured
    smoothing: float = 0.0
    """Weight of the past, from 0 (draw what was measured) to below 1."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A curve over C columns of dots; NaN where no point falls into a column."""

    lows_C: Floats
    highs_C: Floats
    line_C: Floats | None
    """The smoothed value at the end of each column; None where nothing is smoothed."""
    broken_C: Bools
    """Columns in which NaN or an infinity was measured."""


def positions(series: Measured, axis: XAxis) -> NDArray[np.generic]:
    """Return where every point lies on the chosen axis."""
    return {"step": series.steps, "samples": series.samples, "time": series.times}[axis]


def columns(curve: Curve, axis: XAxis, first: float, last: float, count: int) -> Columns:
    """Gather the points of `curve` into `count` columns, whose centers go from `first` to `last`."""
    series = curve.series
    where = positions(series, axis)
    gap = (last - first) / max(1, count - 1) or 1.0
    edges = first + (np.arange(count + 1) - 0.5) * gap
    cuts = np.searchsorted(where, edges)
    lows_C, highs_C = series.within(cuts)
    line_C = None
    if curve.smoothing > 0 and where.size:
        smooth = series.smoothed(curve.smoothing)
        line_C = np.where(cuts[1:] > cuts[:-1], smooth[np.maximum(cuts[1:] - 1, 0)], np.nan)
    broken_C = np.zeros(count, np.bool_)
    if len(series.nonfinite):
        at = np.asarray(nonfinite_positions(series, axis))
        inside = at[(at >= edges[0]) & (at < edges[-1])]
        broken_C[((inside - edges[0]) / gap).astype(np.intp).clip(0, count - 1)] = True
    return Columns(lows_C, highs_C, line_C, broken_C)


def nonfinite_positions(series: Measured, axis: XAxis) -> Sequence[float]:
    """Return where on the axis NaN or an infinity was measured: exact for steps, at the nearest point before otherwise."""
    if axis == "step" or not len(series.steps):
        return series.nonfinite
    before = np.searchsorted(series.steps, np.asarray(series.nonfinite), side="right") - 1
    return [float(each) for each in np.asarray(positions(series, axis))[np.maximum(before, 0)].tolist()]


def value_at(curve: Curve, axis: XAxis, where: float) -> float:
    """Return what the curve shows at a place: the last value at or before it, NaN before the first."""
    index = int(np.searchsorted(positions(curve.series, axis), where, side="right")) - 1
    if index < 0:
        return float("nan")
    shown = curve.series.smoothed(curve.smoothing) if curve.smoothing > 0 else curve.series.values
    return float(shown[index])
