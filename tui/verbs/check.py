"""``lexigrad check``: all that a machine can find wrong with entries and walkthroughs, shipped and one's own."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

import engine
from engine.catalog import families, labs
from engine.core import paths
from glossary.check import Report, check
from glossary.known import KnownNames
from glossary.library import Library
from glossary.walk import read_walkthroughs
from tui.render.safe import safe

EXAMPLES = """examples:
  lexigrad check                  every problem as path:line: level: what
  lexigrad check perceptron       only those whose line holds the word
  lexigrad check --fast           without running the Python blocks of the entries

A target that the plan names and that is not built yet is coming: counted, not an error.
Exit code 1 where there is an error; warnings alone are 0."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("words", metavar="WORD", nargs="*", help="only problems whose line holds one of these")
    parser.add_argument("--errors", action="store_true", help="leave warnings out")
    parser.add_argument("--fast", action="store_true", help="do not execute the Python blocks of entries")
    parser.add_argument("--json", action="store_true", help="the report as JSON")


def act(options: argparse.Namespace) -> int:
    """Print the report; 1 where there is an error in what was asked for."""
    report = examine(run_blocks=not options.fast)
    shown = [
        each
        for each in (report.errors if options.errors else report.problems)
        if not options.words or any(word in str(each) for word in options.words)
    ]
    if options.json:
        problems = [msgspec.to_builtins(each) for each in shown]
        print(json.dumps({"entries": report.entries, "problems": problems, "coming": dict(report.coming)}, indent=1))
    else:
        for each in shown:
            print(safe(str(each)))
        print(_sum(report))
    return 1 if any(each.level == "error" for each in shown) else 0


def examine(*, run_blocks: bool = True) -> Report:
    """Return the report on all entries and walkthroughs of this machine."""
    library = Library.load(paths.entries_folder())
    walks, unread = read_walkthroughs(paths.home() / "walkthroughs")
    library = Library(library.entries.values(), (*library.problems, *unread))
    return check(library, known_names(), walks, run_blocks=run_blocks)


def known_names() -> KnownNames:
    """Return what entries may point at, as the catalog has it now."""
    there = families()
    return KnownNames(
        presets={family.name: frozenset(preset.name for preset in family.presets) for family in there},
        knobs={family.name: frozenset(knob.name for knob in family.spec.knobs()) for family in there},
        labs={lab.name: {each.id: each.says for each in lab.statements} for lab in labs()},
        plays=frozenset(f"{family.name}/{play.name}" for family in there for play in family.plays),
        root=Path(engine.__path__[0]).parent,
    )


def _sum(report: Report) -> str:
    coming = ", ".join(f"{count} {kind}" for kind, count in sorted(report.coming.items())) or "nothing"
    found = f"{report.entries} entries, {len(report.errors)} errors, {len(report.warnings)} warnings."
    return f"{found} Targets still to come: {coming}."
