"""Whether a sentence holds on what was measured, and the few ways in which a lab decides that."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from engine.core.interval import mean_interval


class Measured(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure of a verdict."""

    name: str
    value: float | None
    """None where it is no finite number."""
    low: float | None = None
    high: float | None = None
    """The 95 % interval of the mean over seeds (or over items, where `of` says so); None for a single seed."""
    unit: str = ""
    """``%`` where the value is in percent."""
    of: str = "seeds"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the measurement says about one sentence."""

    holds: bool | None
    """None where the interval reaches to both sides of the bound: not decided by so few seeds."""
    text: str
    """One sentence with the figures."""
    measured: tuple[Measured, ...]


def measured(name: str, values: Sequence[float], unit: str = "") -> Measured:
    """Return mean and interval of one value a seed."""
    mean, low, high = mean_interval(values)
    return Measured(name=name, value=finite(mean), low=finite(low), high=finite(high), unit=unit)


def exactly(name: str, value: float, unit: str = "") -> Measured:
    """Return a value that no chance has a part in: it has no interval."""
    return Measured(name=name, value=finite(value), unit=unit)


def finite(value: float) -> float | None:
    """Return the value as JSON can hold it."""
    return value if math.isfinite(value) else None


def more_than(bound: float, differences: Sequence[float]) -> bool | None:
    """Say whether the mean of one value a seed is above `bound`; None where its 95 % interval spans the bound.

    A single seed is decided by its value alone: whoever shows it says that it was one seed.
    """
    mean, low, high = mean_interval(differences)
    if not math.isfinite(mean):
        return None
    if math.isnan(low):
        return mean > bound
    return True if low > bound else False if high < bound else None


def at_least(bound: float, values: Sequence[float]) -> bool | None:
    """Say whether the mean of one value a seed reaches `bound`, as `more_than` does; equal values count."""
    if values and all(value == bound for value in values):
        return True
    return more_than(bound, values)


def both(*answers: bool | None) -> bool | None:
    """Return whether all hold: False where one does not, None where one is not decided."""
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True
