"""``python -m tests.labs [LAB ...]`` carries labs out and writes what was found: what the project ships, and
docs/findings.md.

What is shipped is `engine/labs/findings/<lab>.json`, an experiment like the learner's own without its runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from engine.catalog import LABS, lab
from engine.core.errors import LexigradError
from engine.core.experiments import Experiment, Experiments, shipped
from engine.core.inquiry import Inquiry, begin, conclude, live, unfinished
from engine.core.lab import Lab
from engine.core.launcher import Launcher
from engine.core.store import RunStore
from tui.figures import duration
from tui.findings import measured_words

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "engine" / "labs" / "findings"
PAGE = ROOT / "docs" / "findings.md"
HEAD = """# Findings

Written by `make labs` (`python -m tests.labs [LAB ...] [--seeds N]`); do not edit by hand. Each sentence is judged by
the lab's own code from runs with several seeds: it *holds* where the 95 % interval of the mean over the seeds is on the
right side of its bound, *does not hold* where it is on the other, and is *not decided* where it spans the bound.
Sentences in which no chance has a part have no interval. The same figures stand on the pages that make the claims,
below the reader's own.
"""


def main(arguments: list[str] | None = None) -> int:
    """Carry out the labs that are named, all where none is."""
    parser = argparse.ArgumentParser(prog="python -m tests.labs", description=__doc__)
    parser.add_argument("labs", nargs="*", metavar="LAB", help=", ".join(LABS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--home", type=Path, help="where runs are kept; a kept base is used again (default: a new folder)"
    )
    parser.add_argument("--page", action="store_true", help="only write the page anew from what is shipped")
    options = parser.parse_args(arguments)
    failed = 0
    if not options.page:
        home = options.home or Path(tempfile.mkdtemp(prefix="lexigrad-labs-"))
        for name in options.labs or LABS:
            failed += not carried_out(lab(name), options.seeds, home)
    PAGE.write_text(page())
    return 1 if failed else 0


def carried_out(asked: Lab, seeds: int, home: Path) -> bool:
    """Carry out the quick form of a lab and ship what was found; return whether it came to its end."""
    launcher = Launcher(RunStore(home / "runs"))
    experiments = Experiments(home / "findings")
    form = asked.presets[0].name
    inquiry = Inquiry(lab=asked, form=form, settings=asked.configure(form), seeds=tuple(range(seeds)))
    print(f"{asked.name}: {seeds} seeds ...", flush=True)
    began = time.monotonic()
    try:
        experiment = begin(inquiry, experiments, launcher)
        while live(experiment, launcher.store):
            time.sleep(0.5)
        for each in unfinished(experiment, launcher.store):
            print(f"  {each}: {launcher.store.open(each).cause()}", file=sys.stderr)
        done = conclude(asked, experiment, launcher.store, experiments)
    except LexigradError as error:
        print(f"  {error}", file=sys.stderr)
        return False
    if done.seeds != inquiry.seeds or not done.ended:
        return False
    SHIPPED.mkdir(exist_ok=True)
    kept = msgspec.structs.replace(done, runs=(), predictions={})
    (SHIPPED / f"{asked.name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    for finding in done.findings:
        print(f"  {verdict(finding.holds)}: {finding.says} {finding.text}")
    print(f"  {duration(time.monotonic() - began)}", flush=True)
    return True


def page() -> str:
    """Return docs/findings.md from what is shipped."""
    known = shipped(SHIPPED, LABS)
    parts = [HEAD]
    for name in LABS:
        asked = lab(name)
        parts.append(f"\n## {asked.title}\n\n{asked.question}\n")
        if name in known:
            parts += list(rows(asked, known[name]))
        else:
            parts.append("\nNot carried out yet.\n")
    return "".join(parts)


def rows(asked: Lab, done: Experiment) -> list[str]:
    """Return the table of one lab's findings and how they were made."""
    lines = ["\n| Sentence | Finding | Values | Text |\n|---|---|---|---|\n"]
    for finding in done.findings:
        values = "<br>".join(measured_words(finding.measured))
        lines.append(f"| {finding.says} | **{verdict(finding.holds)}** | {values} | {finding.text} |\n")
    pace = f"{done.seconds / len(done.seeds):.0f} s a seed"
    lines.append(f"\n{len(done.seeds)} seeds, form {done.form}, {pace}; {done.date}, {done.machine}.")
    lines.append(f" {asked.limits}\n" if asked.limits else "\n")
    return lines


def verdict(holds: bool | None) -> str:
    """Return a verdict in words."""
    return "not decided" if holds is None else "holds" if holds else "does not hold"


if __name__ == "__main__":
    sys.exit(main())
