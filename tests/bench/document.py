"""``docs/benchmarks.md``: tables between comment markers, rewritten line by line, so that a partial run keeps the rest.

A line of a table carries its key in an HTML comment; a run replaces the lines of the benchmarks that it measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.bench.row import Row, cells
from tests.source import ROOT

PATH = ROOT / "docs" / "benchmarks.md"

SPEED = ("What", "Ours", "Reference", "Ours / reference", "Target", "Met", "n", "When, where")
FAMILIES = ("Run", "Figure", "Mean ± sd", "Bar", "Met", "Seconds", "n", "Reference", "When, where")

SKELETON = """# Benchmarks

Written by `make bench` (`python -m tests.bench [NAME ...]`, `python -m tests.bench families [NAME ...]`); do not edit
the tables by hand. Ours and the reference are measured in turn in one run, after a warm-up. Figures are medians, with
the quartiles in parentheses; ratios are medians of pairs with their 95 % bootstrap interval. A figure that could not be
measured is left out, with the reason. The letter behind a date names the machine, at the end.

## Speed

<!-- speed -->
<!-- /speed -->

### How it was measured

<!-- how -->
<!-- /how -->

## Families

Mean and sample standard deviation over seeds; seconds are the run's own, from its first step to its end, pauses left
out. A bar is a promise about the figure; the seconds are for orientation.

<!-- families -->
<!-- /families -->

## Machines

<!-- machines -->
<!-- /machines -->
"""

_KEY = re.compile(r"<!-- (\S+) -->")


def read(path: Path = PATH) -> str:
    """Return the document, or an empty one."""
    return path.read_text(encoding="utf-8") if path.is_file() else SKELETON


def replace(text: str, path: Path) -> None:
    """Put the document in its place, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def lines_of(text: str, table: str) -> dict[str, str]:
    """Return the lines between a table's markers by key, those without one left out."""
    found = {}
    for line in _between(text, table).splitlines():
        key = _KEY.search(line)
        if key:
            found[key[1]] = line
    return found


def write(
    text: str, rows: Sequence[Row], families: Mapping[str, list[str]], *, when: str, here: str, order: Sequence[str]
) -> str:
    """Return the document with these rows in place of those that the same benchmarks had.

    Args:
        text: the document as it was.
        rows: what was measured of the table of speeds.
        families: key -> cells of the table of families, all but the last column.
        when: the day.
        here: the machine, in one line.
        order: the benchmarks' names, in the order of the table.
    """
    machines = lines_of(text, "machines")
    letter = _letter(machines, here)
    stamp = f"{when}, {letter}"
    speed = _replaced(lines_of(text, "speed"), {row.key: [*cells(row), stamp] for row in rows})
    how = lines_of(text, "how")
    measured = {row.key.partition("/")[0] for row in rows}
    how = {key: line for key, line in how.items() if key.partition("/")[0] not in measured}
    how |= {row.key: f"- <!-- {row.key} --> **{row.what}**: {row.how}" for row in rows if row.how}
    bars = lines_of(text, "families") | {key: _line(key, [*columns, stamp]) for key, columns in families.items()}
    machines[letter] = f"- <!-- {letter} --> **{letter}**: {here}"
    used = " ".join([*speed.values(), *bars.values()])
    machines = {key: line for key, line in machines.items() if f", {key} |" in used}

    def place(key: str) -> tuple[int, str]:
        name = key.partition("/")[0]
        return (order.index(name) if name in order else len(order)), name

    text = _put(text, "speed", [_head(SPEED), *_sorted(speed, place)])
    text = _put(text, "how", _sorted(how, place))
    text = _put(text, "families", [_head(FAMILIES), *bars.values()])
    return _put(text, "machines", machines.values())


def _replaced(old: dict[str, str], new: Mapping[str, list[str]]) -> dict[str, str]:
    measured = {key.partition("/")[0] for key in new}
    kept = {key: line for key, line in old.items() if key.partition("/")[0] not in measured}
    return kept | {key: _line(key, columns) for key, columns in new.items()}


def _sorted(lines: Mapping[str, str], place: object) -> list[str]:
    return [lines[key] for key in sorted(lines, key=place)]  # type: ignore[arg-type]


def _letter(machines: Mapping[str, str], here: str) -> str:
    """Return the letter of this machine: the one that it has, or the next."""
    for letter, line in machines.items():
        if line.endswith(f"**: {here}"):
            return letter
    return next(each for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if each not in machines)


def _head(columns: Sequence[str]) -> str:
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def _line(key: str, columns: Sequence[str]) -> str:
    body = " | ".join(each.replace("|", "\\|").replace("\n", " ") for each in columns)
    return f"| <!-- {key} --> {body} |"


def _between(text: str, table: str) -> str:
    return text.partition(f"<!-- {table} -->\n")[2].partition(f"<!-- /{table} -->")[0]


def _put(text: str, table: str, lines: Iterable[str]) -> str:
    head, opening, rest = text.partition(f"<!-- {table} -->\n")
    _, closing, tail = rest.partition(f"<!-- /{table} -->")
    if not opening or not closing:
        raise ValueError(f"The document has no place for the table '{table}'.")
    body = "".join(f"{line}\n" for line in lines)
    return f"{head}{opening}{body}{closing}{tail}"
