"""Ticks and numbers: where an axis is marked, and how a number is written so that it is read at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_SECONDS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30)
_MINUTES = (60, 120, 300, 600, 900, 1800)
_HOURS = (3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_TINY = 1e-3
_NOTHING = 1e-15
"""Below it a number is what rounding left of 0."""
_GROUPED = 10_000
"""Whole numbers below it are written out with a comma, larger ones shortened: 9,500 and 12.5k."""


def short(value: float, digits: int = 4) -> str:
    """Return a number in at most about seven characters: ``1.614``, ``12.5k``, ``3e-4``, ``NaN``."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if size < _NOTHING:
        return "0"
    if size >= 1e15 or 0 < size < _TINY:
        return _scientific(value, digits - 2)
    if size < _GROUPED:
        power = math.floor(math.log10(size)) if size else 0
        text = f"{value:.{max(0, digits - 1 - power - (power < 0))}f}"
        return f"{float(text):,.0f}" if float(text).is_integer() and size >= 1 else text if size else "0"
    return _shortened(value, max(1, digits - 1))


def _shortened(value: float, digits: int) -> str:
    """Return a number from a thousand on with its suffix; digits before the point are never rounded away."""
    scale, suffix = next((scale, suffix) for scale, suffix in _SUFFIXES if abs(value) >= scale * 0.9995)
    power = math.floor(math.log10(abs(value) / scale) + 1e-9)
    text = f"{value / scale:.{max(0, digits - 1 - power)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + suffix


def whole(value: float) -> str:
    """Return a count: written out with commas while that is short, then shortened to k, M, G."""
    return f"{value:,.0f}" if abs(value) < 100_000 else short(value)


def duration(seconds: float) -> str:
    """Return a span of time in its two largest units: ``0.5 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if not math.isfinite(seconds):
        return "?"
    if abs(seconds) < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    left = round(abs(seconds))
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append((f"{count} {unit}", size))
    two = [text for text, size in parts[:2] if size * 60 >= parts[0][1] or size == 3600]
    return ("-" if seconds < 0 else "") + " ".join(two)


def nice_step(span: float, count: int) -> float:
    """Return 1, 2 or 5 times a power of ten, about `count` of which fill `span` (Heckbert, "Nice numbers", 1990)."""
    if not (span > 0 and math.isfinite(span)):
        return 1.0
    rough = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else 1e-300
    return power * next((nice for nice in (1, 2, 5) if rough <= nice * power * 1.0001), 10)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return the nice values from `low` to `high`, about `count` of them, in rising order."""
    return _multiples(low, high, nice_step(high - low, count))


def time_ticks(low: float, high: float, count: int) -> list[float]:
    """Return times in seconds that fall on whole seconds, minutes, hours or days."""
    rough = (high - low) / max(1, count)
    step = next((each for each in (*_SECONDS, *_MINUTES, *_HOURS) if rough <= each), nice_step(high - low, count))
    return _multiples(low, high, float(step))


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Return values of a logarithmic axis: powers of ten, and between them 2 and 5 where few powers are in range.

    Args:
        low: above 0.
        high: above `low`.
        count: about how many.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = last - first
    if decades > count:
        stride = math.ceil(decades / max(1, count))
        return [10.0**power for power in range(first, last + 1, stride) if low <= 10.0**power <= high]
    for leads in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        inside = [lead * 10.0**power for power in range(first, last + 1) for lead in leads]
        inside = [each for each in inside if low <= each <= high]
        if len(inside) >= min(count, 3):
            return inside
    return ticks(low, high, count)


def tick_labels(values: Sequence[float]) -> list[str]:
    """Return labels of equal precision, just enough to tell neighbors apart."""
    gaps = [abs(after - before) for before, after in pairwise(values)]
    gap = min((each for each in gaps if each > 0), default=0.0)
    largest = max((abs(each) for each in values), default=0.0)
    if not values or gap == 0.0:
        return [short(each) for each in values]
    if largest < _TINY or largest >= 1e15:
        return [_scientific(each, 1) for each in values]
    scale, suffix = next(((scale, suffix) for scale, suffix in _SUFFIXES if largest >= scale >= 1e3), (1.0, ""))
    if largest < _GROUPED:
        scale, suffix = 1.0, ""
    decimals = min(9, max(0, -math.floor(math.log10(gap / scale) + 1e-9)))
    return ["0" if each == 0 else f"{each / scale:,.{decimals}f}{suffix}" for each in values]


def log_labels(values: Sequence[float]) -> list[str]:
    """Return labels of a logarithmic axis, each as short as its own size allows: ``0.01``, ``2``, ``1e-5``, ``50k``."""
    return [f"{each:g}" if _TINY <= each < _GROUPED else short(each, 2) for each in values]


def time_labels(values: Sequence[float]) -> list[str]:
    """Return labels of times in seconds, each in the unit that it is whole in."""
    return ["0" if each == 0 else duration(each) for each in values]


def _multiples(low: float, high: float, step: float) -> list[float]:
    if not (math.isfinite(low) and math.isfinite(high)) or high < low or step <= 0 or low + step == low:
        return []
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Rounded to the step's own digits, so that 3 x 0.1 is 0.3.
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(number * step, digits) + 0.0 for number in range(first, min(last, first + 1000) + 1)]


def _scientific(value: float, digits: int) -> str:
    mantissa, _, power = f"{value:.{max(0, digits)}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return "0" if value == 0 else f"{mantissa}e{int(power)}"
