"""Opening an entry, until it is painted, against Textual's own Markdown widget."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Sample, alternate, ratio
from tests.bench.places import fresh_home
from tests.bench.row import Effort, Row, Target
from tests.bench.terminal import Terminal

WORDS = 900
PAGES = 6
"""Entries opened by one process: the first is the first, the others find the code warm and are new themselves."""
FIRST, WARM, FASTER = 150.0, 60.0, 5.0


def pages() -> list[tuple[str, int]]:
    """Return slugs and words of the entries that are nearest to the wanted length."""
    from engine.core import paths
    from glossary.library import Library

    entries = Library.load(cache=paths.cache_folder()).entries.values()
    nearest = sorted(entries, key=lambda each: (abs(each.words - WORDS), each.slug))
    return [(each.slug, each.words) for each in nearest[:PAGES]]


def opened(which: str, slugs: list[str], home: Path) -> list[float]:
    """Return the milliseconds that each of the entries took in a new process."""
    out = home / f"{which}.json"
    out.unlink(missing_ok=True)
    with Terminal([sys.executable, "-m", "tests.bench.child.entries", which, str(out), *slugs]) as terminal:
        terminal.program.wait(120)
        if not out.is_file():
            raise RuntimeError(terminal.text()[-2000:])
    found: list[float] = json.loads(out.read_text())
    return found


def measure(effort: Effort) -> Iterator[Row]:
    """Open the same entries in both, a process each in turn."""
    kept: dict[str, list[list[float]]] = {"ours": [], "textual": []}
    with fresh_home() as home:
        chosen = pages()
        slugs = [slug for slug, _ in chosen]

        def once(which: str) -> float:
            kept[which].append(opened(which, slugs, home))
            return 0.0

        alternate(lambda: once("ours"), lambda: once("textual"), n=effort.times(8))
    runs = {which: found[1:] for which, found in kept.items()}
    lengths = [words for _, words in chosen[1:]]
    words = f"{min(lengths)} to {max(lengths)} words"
    first = {which: Sample(tuple(each[0] for each in found)) for which, found in runs.items()}
    warm = {which: Sample(tuple(ms for each in found for ms in each[1:])) for which, found in runs.items()}
    yield _row("first", f"Opening a first entry ({chosen[0][1]} words)", first, FIRST)
    yield _row("warm", f"Opening further entries ({words}), each new", warm, WARM)


def _row(part: str, what: str, found: dict[str, Sample], most: float) -> Row:
    share = ratio(found["ours"], found["textual"])
    return Row(
        key=f"entry/{part}",
        what=what,
        ours=found["ours"],
        unit="ms",
        against="Textual's Markdown",
        reference=found["textual"],
        ratio=share,
        targets=(
            Target(f"at most {most:g} ms", found["ours"].median, most),
            Target(f"at least {FASTER:g} times as fast", 1 / share.middle, FASTER, at_least=True),
        ),
        how="a process each in turn, at a pseudo-terminal of 120x40; from the call that opens the entry to the last "
        "frame that it brings about. Textual's widget gets the same Markdown and draws no formulas.",
    )
