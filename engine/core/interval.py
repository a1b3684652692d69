"""How sure a mean over a few seeds is: Student's interval, and a bootstrap where there are many items."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

QUANTILES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""The 97.5 % point of Student's t with 1 to 30 degrees of freedom."""
NORMAL = 1.960
"""The same for more."""


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean and 95 % interval of the mean (Student's t); without an interval (NaN) for a single value.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    count = len(values)
    mean = math.fsum(values) / count
    if count == 1:
        return mean, math.nan, math.nan
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    quantile = QUANTILES[count - 2] if count - 1 <= len(QUANTILES) else NORMAL
    half = quantile * deviation / math.sqrt(count)
    return mean, mean - half, mean + half


def bootstrap_interval(
    items: Floats, statistic: Callable[[Floats], float], *, draws: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """Return a statistic of items (first axis) with its 95 % percentile interval over resampled items.

    Source: Efron 1979, Bootstrap Methods: Another Look at the Jackknife.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    picks = generator.integers(0, len(items), size=(draws, len(items)))
    values = np.array([statistic(items[pick]) for pick in picks])
    low, high = np.quantile(values, (0.025, 0.975))
    return float(statistic(items)), float(low), float(high)
