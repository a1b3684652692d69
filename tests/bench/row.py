"""One line of the table of speeds: ours, the reference, the target, and whether it was met."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.figures import Interval, Sample


class NotHereError(Exception):
    """What is needed is not here; the message says what, and stands in the table instead of a figure."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How thorough a run of the benchmarks is."""

    share: float = 1.0

    def times(self, usual: int, least: int = 2) -> int:
        """Return how many repeats to make where `usual` are made otherwise."""
        return max(least, round(usual * self.share))

    def seconds(self, usual: float, least: float = 5.0) -> float:
        """Return how long to watch where it is `usual` otherwise."""
        return max(least, usual * self.share)


@dataclass(frozen=True, slots=True)
class Target:
    """A limit, and what was measured against it."""

    words: str
    """``at most 1.6x``."""
    value: float
    limit: float
    at_least: bool = False
    """Whether the value has to reach the limit, rather than stay below it."""

    @property
    def met(self) -> bool:
        """Whether the limit is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def verdict(self) -> str:
        """``met``, or by how many percent it was missed."""
        if self.met:
            return "met"
        off = abs(self.value - self.limit) / abs(self.limit) if self.limit else float("inf")
        return f"missed by {100 * off:.0f} %" if off < 2 else f"missed, {1 + off:.0f} times the limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one measurement found."""

    key: str
    """``benchmark/part``; a later run of the benchmark replaces the row."""
    what: str
    ours: Sample | None = None
    unit: str = ""
    figure: str = ""
    """What stands for ours where a median with its quartiles is not it, such as a 95th percentile."""
    against: str = ""
    """The name of the reference."""
    reference: Sample | None = None
    reference_figure: str = ""
    ratio: Interval | None = None
    targets: tuple[Target, ...] = ()
    how: str = ""
    """How it was measured, in a sentence or two."""
    missing: str = ""
    """Why there is no figure."""


def figure(value: float) -> str:
    """Return a number with three digits: ``0.0123``, ``1.62``, ``24.1``, ``1,430``."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 0.1:
        return f"{value:.2f}"
    return f"{value:.2g}"


def spread(sample: Sample | None, unit: str) -> str:
    """Return median and quartiles: ``62.1 ms (60.2 to 65.0)``."""
    if sample is None:
        return ""
    low, high = sample.quartiles
    within = f" ({figure(low)} to {figure(high)})" if sample.n > 1 else ""
    return f"{figure(sample.median)} {unit}{within}".strip()


def times(ratio: Interval | None) -> str:
    """Return a ratio with its interval: ``1.42x (1.38 to 1.47)``."""
    return f"{figure(ratio.middle)}x ({figure(ratio.low)} to {figure(ratio.high)})" if ratio else ""


def cells(row: Row) -> list[str]:
    """Return the row's cells: what, ours, reference, ratio, target, verdict, n."""
    if row.missing:
        words = "; ".join(each.words for each in row.targets)
        return [row.what, "not measured", row.against, "", words, row.missing, ""]
    reference = row.reference_figure or spread(row.reference, row.unit)
    named = f"{row.against}: {reference}" if row.against and reference else row.against or reference
    verdicts = [each.verdict for each in row.targets]
    verdict = verdicts[0] if len(set(verdicts)) == 1 else "; ".join(verdicts)
    return [
        row.what,
        row.figure or spread(row.ours, row.unit),
        named,
        times(row.ratio),
        "; ".join(each.words for each in row.targets),
        verdict,
        str(row.ours.n) if row.ours else "",
    ]
