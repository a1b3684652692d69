"""The check of the glossary: everything about the entries that a machine can enforce.

``python -m glossary.check`` prints the problems of the shipped entries, one a line, and exits with 1 where there
is an error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from glossary.known import KnownNames, lenient
from glossary.library import Library
from glossary.model import Entry, Problem, Walkthrough
from glossary.rules import blocks, form, language, links, maths, questions, targets, walks
from glossary.rules.base import Inquiry
from glossary.walk import read_walkthroughs

RULES: tuple[Callable[[Entry, Inquiry], Iterator[Problem]], ...] = (
    form.check_keys,
    form.check_headings,
    form.check_length,
    form.check_dates,
    links.check_targets,
    links.check_both_ways,
    links.check_first_uses,
    questions.check_questions,
    blocks.check_blocks,
    targets.check_runs,
    targets.check_labs,
    targets.check_code,
    maths.check_formulas,
    language.check_language,
)
OWN_RULES = (links.check_targets,)
"""A user's own entry is free in form; only its links are looked at, and those are warnings."""


class Report(msgspec.Struct, frozen=True):
    """What a check found."""

    problems: tuple[Problem, ...]
    coming: Mapping[str, int]
    """How many targets of each kind (entry, run, lab, play, code) are promised and not there yet."""
    entries: int

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that fail a check."""
        return tuple(each for each in self.problems if each.level == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that a person should look at."""
        return tuple(each for each in self.problems if each.level == "warning")


def check(
    library: Library, known: KnownNames, walkthroughs: Iterable[Walkthrough] = (), *, run_blocks: bool = True
) -> Report:
    """Return all that is wrong with the entries of a library and with walkthroughs.

    Args:
        library: the entries; the files that it could not parse are errors of the report.
        known: the families, labs, playgrounds and code that exist.
        walkthroughs: as `glossary.walk.read_walkthroughs` returns them.
        run_blocks: also execute the Python blocks of shipped entries, each entry in a child of its own.
    """
    inquiry = Inquiry(library, known)
    problems: list[Problem] = [*library.problems, *links.check_cycles(inquiry)]
    for entry in library.entries.values():
        if entry.origin == "own":
            for rule in OWN_RULES:
                problems += [msgspec.structs.replace(each, level="warning") for each in rule(entry, inquiry)]
            continue
        found = [each for rule in RULES for each in rule(entry, inquiry)]
        problems += found
        if run_blocks:
            problems += blocks.run_blocks(entry)
    for walkthrough in walkthroughs:
        problems += walks.check_walkthrough(walkthrough, inquiry)
    return Report(tuple(sorted(problems)), dict(inquiry.coming), len(library.entries))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the shipped entries, print what is wrong, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m glossary.check", description="Check the shipped entries.")
    parser.add_argument(
        "words", nargs="*", help="only problems whose line holds one of these words, a slug for instance"
    )
    parser.add_argument("--errors", action="store_true", help="leave warnings out")
    chosen = parser.parse_args(arguments)
    courses, unread = read_walkthroughs()
    library = Library.load()
    report = check(Library(library.entries.values(), (*library.problems, *unread)), lenient(), courses)
    for each in report.errors if chosen.errors else report.problems:
        if not chosen.words or any(word in str(each) for word in chosen.words):
            sys.stdout.write(f"{each}\n")
    coming = ", ".join(f"{count} {kind}" for kind, count in sorted(report.coming.items())) or "nothing"
    found = f"{report.entries} entries, {len(report.errors)} errors, {len(report.warnings)} warnings."
    sys.stdout.write(f"{found} Targets still to come: {coming}.\n")
    return 1 if report.errors else 0


if __name__ == "__main__":
    sys.exit(main())
