"""One tick of a screen full of curves: nine panels, three runs, a million points each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from tests.bench.figures import Sample
from tests.bench.places import fresh_home
from tests.bench.row import Effort, Row, Target
from tests.bench.terminal import Terminal

POINTS = 1_000_000
DRAWING, WHOLE = 25.0, 40.0


def measure(effort: Effort) -> Iterator[Row]:
    """Tick in a process of its own."""
    with fresh_home() as home:
        out = home / "ticks.json"
        command = [sys.executable, "-m", "tests.bench.child.ticking", str(out), str(POINTS), str(effort.times(60, 10))]
        with Terminal(command) as terminal:
            terminal.program.wait(300)
            if not out.is_file():
                raise RuntimeError(terminal.text()[-2000:])
        ticks = json.loads(out.read_text())
    drawing, whole = (Sample(tuple(tick[part] for tick in ticks)) for part in (0, 1))
    what = f"A tick of 9 panels x 3 runs x {POINTS:,} points"
    yield _row("drawing", f"{what}, drawing", drawing, DRAWING)
    yield _row("whole", f"{what}, with the compositor", whole, WHOLE)


def _row(part: str, what: str, found: Sample, most: float) -> Row:
    return Row(
        key=f"tick/{part}",
        what=what,
        ours=found,
        unit="ms",
        targets=(Target(f"median at most {most:g} ms", found.median, most),),
        how="27 different curves at a pseudo-terminal of 120x40, a new point on each before every tick; every panel "
        "is drawn anew with its band and its smoothed line. With the compositor: until the terminal has the frame.",
    )
