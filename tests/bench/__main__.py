"""``python -m tests.bench [NAME ...]`` measures speeds, ``python -m tests.bench families [FAMILY ...]`` the bars."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

from tests.bench import document, families
from tests.bench.machine import load, machine
from tests.bench.row import Effort, NotHereError, Row, cells

BENCHMARKS = (
    "startup", "entry", "search", "first_point", "emit", "panels_on", "watching", "opening", "tick", "shakespeare",
    "gpu",
)  # fmt: skip
"""Modules of ``tests/bench/rows``, in the order of the table."""

BUSY = 1.2
"""Load a core from which a figure is marked, because other work slowed it down; measuring alone stays below."""


def main(arguments: list[str] | None = None) -> int:
    """Measure what is named, all speeds where nothing is, and write it down."""
    options = parser().parse_args(arguments)
    names = options.names
    if names[:1] == ["families"]:
        return measure_families(options, names[1:])
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}.", file=sys.stderr)
        print(f"  There are families, {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    failed = 0
    for name in names or BENCHMARKS:
        failed += not measure_speed(options, name)
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"families, {', '.join(BENCHMARKS)}")
    parser.add_argument("--share", type=float, default=1.0, help="share of the usual repeats; 0.2 tries things out")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each family")
    parser.add_argument("--document", type=Path, default=document.PATH, help="the file to write into")
    parser.add_argument("--dry", action="store_true", help="print, and write nothing")
    return parser


def measure_speed(options: argparse.Namespace, name: str) -> bool:
    """Measure one benchmark and write its rows at once; return whether it could be carried out."""
    module = import_module(f"tests.bench.rows.{name}")
    print(f"{name}: measuring (load {load():.2f} a core) ...", flush=True)
    began = time.perf_counter()
    try:
        rows = list(module.measure(Effort(options.share)))
    except NotHereError as reason:
        rows = [Row(key=f"{name}/all", what=module.__doc__.splitlines()[0].rstrip("."), missing=f"not here: {reason}")]
    except Exception:
        traceback.print_exc()
        print(f"{name}: broke off; what stands in the document stays as it is.", file=sys.stderr)
        return False
    for row in rows:
        print("  " + "  |  ".join(filter(None, cells(row))), flush=True)
    print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    if not options.dry:
        put(options.document, rows, {})
    return True


def measure_families(options: argparse.Namespace, names: list[str]) -> int:
    """Train the runs that have bars, and write each at once."""
    failed = 0
    for run in dict.fromkeys(bar.run for bar in families.BARS):
        bars = tuple(bar for bar in families.BARS if bar.run == run)
        if names and bars[0].family not in names and bars[0].target not in names:
            continue
        print(f"{run}: training with {options.seeds} seeds (load {load():.2f} a core) ...", flush=True)
        try:
            lines = families.measure(bars, options.seeds)
        except Exception:
            traceback.print_exc()
            failed += 1
            continue
        for columns in lines.values():
            print("  " + "  |  ".join(filter(None, columns)), flush=True)
        if not options.dry:
            put(options.document, [], lines)
    return 1 if failed else 0


def put(path: Path, rows: list[Row], bars: dict[str, list[str]]) -> None:
    """Write rows into the document, its other rows as they were."""
    when = time.strftime("%Y-%m-%d") + (f" (busy, load {load():.1f} a core)" if load() > BUSY else "")
    text = document.write(document.read(path), rows, bars, when=when, here=machine(), order=BENCHMARKS)
    document.replace(text, path)


if __name__ == "__main__":
    sys.exit(main())
