"""``lexigrad define TERM``: one entry as plain text, with the sentence first."""

from __future__ import annotations

import argparse
import json

from engine.core import paths
from engine.core.errors import LexigradError, suggest
from glossary.library import Library
from glossary.model import Entry
from tui.render.safe import safe

FIELDS = (
    "slug", "title", "aliases", "topic", "kind", "level", "one_line", "needs", "related", "contrast", "run", "sources",
)  # fmt: skip
EXAMPLES = """examples:
  lexigrad define perceptron           what it is, in a sentence or two
  lexigrad define batch norm --full    the whole page
  lexigrad define LSTM --json | jq .   for a program"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("term", nargs="+", help="a term, another name of one, or a slug")
    parser.add_argument("--full", action="store_true", help="the whole page, not only what it is")
    parser.add_argument("--json", action="store_true", help="the entry as JSON")


def act(options: argparse.Namespace) -> int:
    """Print the entry."""
    library = Library.load(paths.entries_folder())
    entry = found(library, " ".join(options.term))
    if options.json:
        record = {name: getattr(entry, name) for name in FIELDS}
        record["sections"] = {section.heading: section.text for section in entry.sections}
        print(json.dumps(record, indent=1))
        return 0
    print(safe(f"{entry.title}\n{entry.one_line}\n"))
    for section in entry.sections:
        if options.full or section.heading == "In one sentence":
            if options.full:
                print(safe(section.heading))
            print(safe(section.text.strip()) + "\n")
    if not options.full:
        ways = {f"define {entry.slug} --full": "the whole page", f"--open read/{entry.slug}": "the page in the app"}
        for way, what in ways.items():
            print(f"lexigrad {way:<{max(map(len, ways))}}   {what}")
    return 0


def found(library: Library, term: str) -> Entry:
    """Return the entry of a term.

    Raises:
        LexigradError: there is none; the message names the nearest.
    """
    entry = library.find(term)
    if entry is not None:
        return entry
    if library.standing(term) == "coming":
        raise LexigradError(f"The entry '{term}' is still to be written.", "`lexigrad search` looks in the others.")
    nearest = suggest(term.lower(), [name.lower() for name, slug in library.names() if slug in library.entries])
    raise LexigradError(
        f"There is no entry '{term}'.", nearest if len(nearest) < 200 else "`lexigrad search` looks in the text."
    )
