"""``lexigrad walk``: the walkthroughs and how far one is; one of them, in the app or as text."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from engine.core import paths
from engine.core.errors import LexigradError, UsageError, suggest
from engine.core.store import RunStore
from glossary.front import ParseProblem
from glossary.model import Problem, Step, Walkthrough
from glossary.progress import missing
from glossary.walk import parse_walkthrough, read_walkthroughs
from tui.columns import columns
from tui.facts import advance, facts_of
from tui.guard import refuse_reason
from tui.render.safe import safe
from tui.services import Services
from tui.watch import Watch

EXAMPLES = """examples:
  lexigrad walk                              all walkthroughs, and how far you are
  lexigrad walk your-first-neural-network    go on with it in the app; without a terminal, what comes next
  lexigrad walk ./mine.md                    one of your own; what is wrong in it is named by line

Your own walkthroughs also stand in the list when they lie in the folder `walkthroughs` of $LEXIGRAD_HOME."""

LARGEST = 1024 * 1024
"""Bytes of a walkthrough's file."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("walk", metavar="NAME|FILE", nargs="?", help="a walkthrough's name, or a file of your own")
    parser.add_argument("--plain", action="store_true", help="as text, also where there is a terminal")
    parser.add_argument("--json", action="store_true", help="the list, or one walkthrough's steps, as JSON")


def act(options: argparse.Namespace) -> int:
    """Open the walkthrough, or print what there is."""
    services = _services()
    try:
        if not options.walk:
            return _list(services, as_json=options.json)
        walk = found(options.walk)
        if not (options.plain or options.json or refuse_reason()):
            from tui.cli import open_app

            return open_app(f"walk/{Path(options.walk).absolute() if _is_file(options.walk) else walk.slug}")
        return _show(walk, services, as_json=options.json)
    except ParseProblem as problem:
        print(safe(str(Problem(options.walk, problem.line, "error", problem.reason))), file=sys.stderr)
        return 1
    finally:
        services.close()


def _services() -> Services:
    """Return the doors to the record and the runs, the ones that a walkthrough's checks look through."""
    services = Services()
    services.store = RunStore(paths.runs_folder())
    services.watch = Watch(services.store)
    return services


def _is_file(word: str) -> bool:
    return "/" in word or word.endswith(".md")


def found(word: str) -> Walkthrough:
    """Return the walkthrough of a name or a file.

    Raises:
        ParseProblem: the file does not parse.
        LexigradError: it cannot be read.
        UsageError: there is none of that name.
    """
    if _is_file(word):
        try:
            with Path(word).expanduser().open("rb") as file:
                return parse_walkthrough(file.read(LARGEST), word)
        except OSError as error:
            raise LexigradError(f"{word} cannot be read ({error.strerror}).", "Check the path.") from None
    walks, _ = read_walkthroughs(paths.home() / "walkthroughs")
    for walk in walks:
        if walk.slug == word:
            return walk
    raise UsageError(f"There is no walkthrough '{word}'.", suggest(word, [walk.slug for walk in walks]))


def _list(services: Services, *, as_json: bool) -> int:
    walks, problems = read_walkthroughs(paths.home() / "walkthroughs")
    rows = []
    for walk in walks:
        done = len(services.record.finished_steps(walk.slug))
        rows.append(
            (walk.slug, f"{done} of {len(walk.steps)}", f"{walk.minutes} min", f"level {walk.level}", walk.title)
        )
    if as_json:
        told = [
            {"name": row[0], "done": row[1], "level": walk.level, "title": walk.title}
            for row, walk in zip(rows, walks, strict=True)
        ]
        print(json.dumps(told, indent=1))
    else:
        for line in columns(rows, ("name", "steps", "takes", "", "title")):
            print(line)
    for problem in problems:
        print(safe(str(problem)), file=sys.stderr)
    return 0


def _show(walk: Walkthrough, services: Services, *, as_json: bool) -> int:
    """Print the steps, which of them are done, and what the next one asks for."""
    record = services.record
    if not record.place(f"walk:{walk.slug}:begun"):
        services.remember(lambda kept: kept.keep_place(f"walk:{walk.slug}:begun", str(time.time())))
    advance(walk, services)
    done = record.finished_steps(walk.slug)
    if as_json:
        steps = [{"step": step.id, "title": step.title, "do": step.do, "done": step.id in done} for step in walk.steps]
        print(json.dumps({"name": walk.slug, "title": walk.title, "steps": steps}, indent=1))
        return 0
    print(safe(f"{walk.title}\n{walk.one_line}\n"))
    for line in columns(
        [("x" if step.id in done else " ", str(n), step.title) for n, step in enumerate(walk.steps, 1)]
    ):
        print(line)
    following = next((step for step in walk.steps if step.id not in done), None)
    print()
    for line in _next_lines(following, walk, services) if following else ["All steps are done."]:
        print(safe(line))
    return 0


def _next_lines(step: Step, walk: Walkthrough, services: Services) -> list[str]:
    lines = [f"Next: {step.title}", f"  {step.do}"]
    if step.predict is not None:
        lines.append(f"  Before you look: {step.predict.question} ({' / '.join(step.predict.choices)})")
    lines += [f"  Hint: {hint}" for hint in step.hints]
    lacking = missing(step.check, facts_of(walk, services), step.id)
    if lacking:
        lines.append(f"  {lacking}")
    if step.go.startswith("run "):
        target, *knobs = step.go.removeprefix("run ").split()
        lines.append("  " + " ".join(["lexigrad run", target, *(f"--set {knob}" for knob in knobs)]))
    elif step.go.startswith("read "):
        lines.append(f"  lexigrad define {step.go.removeprefix('read ').partition('#')[0]} --full")
    return lines
