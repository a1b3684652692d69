"""From pressing Run to the first point of a curve, with and without a warm worker, against importing torch alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.figures import Sample, alternate
from tests.bench.places import fresh_home
from tests.bench.row import Effort, Row, Target
from tests.bench.terminal import Terminal
from tests.source import ROOT

TARGET = "mlp/quick"
MOST = 0.5


def measure(effort: Effort) -> Iterator[Row]:
    """Press Run with a worker and without, and import torch, in turn; the probe of the machine is cached before."""
    with fresh_home() as home:
        warm, cold, torch = alternate(
            partial(pressed, "warm", home), partial(pressed, "cold", home), imported, n=effort.times(7)
        )
    yield _row("warm", "with a warm worker", warm, torch, Target(f"at most {MOST:g} s", warm.median, MOST))
    more = Sample(tuple(own - other for own, other in zip(cold.values, torch.values, strict=True))).median
    yield _row("cold", "without", cold, torch, Target(f"at most the import + {MOST:g} s", more, MOST))


def _row(part: str, what: str, found: Sample, torch: Sample, target: Target) -> Row:
    return Row(
        key=f"first_point/{part}",
        what=f"Run pressed to the first point on a panel, {what}",
        ours=found,
        unit="s",
        against="import torch",
        reference=torch,
        targets=(target,),
        how=f"{TARGET} in the app at a pseudo-terminal of 120x40, from the call that the key makes to the painted "
        "curve. The worker is warm when its processes were idle for a second; the difference is the median of pairs.",
    )


def pressed(how: str, home: Path) -> float:
    """Return the seconds from Run to the first painted point."""
    out = home / "pressed.json"
    out.unlink(missing_ok=True)
    with Terminal([sys.executable, "-m", "tests.bench.child.first_point", str(out), how, TARGET]) as terminal:
        terminal.program.wait(180)
        if not out.is_file():
            raise RuntimeError(terminal.text()[-2000:])
    found: float = json.loads(out.read_text())
    return found


def imported() -> float:
    """Return the seconds that a new process takes to import torch."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], cwd=ROOT, check=True, timeout=180)
    return time.perf_counter() - began
