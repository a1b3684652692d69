"""From the command to a frame that a person can use, against the smallest Textual app."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tests.bench.figures import Sample, alternate, ratio
from tests.bench.places import fresh_home
from tests.bench.row import Effort, Row, Target
from tests.bench.terminal import Terminal
from tests.source import ROOT

OURS = [sys.executable, "-m", "tui"]
BARE = [sys.executable, str(ROOT / "tests" / "bench" / "child" / "bare.py")]
MOST = 1.6


def painted(command: Sequence[str], *words: str) -> float:
    """Return the milliseconds from the command until all words stand on the screen."""
    with Terminal(command) as terminal:
        seen = terminal.wait_for(lambda text: all(word in text for word in words))
        return 1000 * (seen - terminal.began)


def measure(effort: Effort) -> Iterator[Row]:
    """Start both in turn."""
    with fresh_home():
        ours, counted, bare = alternate(
            lambda: painted(OURS, "Begin", "Learn", "Train", "Runs", "Quit"),
            lambda: painted(OURS, "entries,", "walkthrough"),
            lambda: painted(BARE, "ready to begin"),
            n=effort.times(15),
        )
    share = ratio(ours, bare)
    yield _row(ours, bare, "painted", "Command to the first painted frame, doors and keys on it", (
        Target(f"at most {MOST}x, aim 1.3x", share.middle, MOST),
    ))  # fmt: skip
    yield _row(counted, bare, "counted", "Command to the library read and counted on the doors")


def _row(ours: Sample, bare: Sample, part: str, what: str, targets: tuple[Target, ...] = ()) -> Row:
    return Row(
        key=f"startup/{part}",
        what=what,
        ours=ours,
        unit="ms",
        against="bare Textual app",
        reference=bare,
        ratio=ratio(ours, bare),
        targets=targets,
        how="both started in turn at a pseudo-terminal of 120x40 that answers queries, until the words are printed; "
        "the parsed entries are in the cache.",
    )
