"""Training that feeds panels against training that feeds none, in alternating blocks of one process."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figures import Sample, interval
from tests.bench.places import fresh_home
from tests.bench.row import Effort, Row, Target, figure
from tests.bench.rows.emit import TARGETS, slug, trained

PAIRS = 100
MOST = 1.01


def measure(effort: Effort) -> Iterator[Row]:
    """Train blocks of each target."""
    for target in TARGETS:
        with fresh_home() as home:
            pairs = trained("blocks", target, effort.times(PAIRS, least=20), home)
        assert isinstance(pairs, list)
        fed, unfed = (Sample(tuple(1000 * pair[side] for pair in pairs)) for side in (0, 1))
        slower = interval([own / other for own, other in zip(fed.values, unfed.values, strict=True)])
        yield Row(
            key=f"panels_on/{slug(target)}",
            what=f"A step of {target} with panels on",
            ours=fed,
            unit="ms",
            against="events off",
            reference=unfed,
            ratio=slower,
            figure=f"{figure(100 * (slower.middle - 1))} % slower ({figure(100 * (slower.low - 1))} to "
            f"{figure(100 * (slower.high - 1))} %), {figure(fed.median)} ms",
            targets=(Target("95 % interval not wholly above 1 %", slower.low, MOST),),
            how="processor time of blocks of 0.4 s of it by turns in one process on one thread: commands looked for, "
            "scalars collected, fetched and written, against the bare update. Pictures and evaluation are governed "
            "apart and off in both.",
        )
