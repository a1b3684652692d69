"""``lexigrad search WORDS``: what the entries say about it."""

from __future__ import annotations

import argparse
import json
import sys

from engine.core import paths
from glossary.library import Library
from glossary.search import MARK, UNMARK, Index
from tui.render.safe import safe

EXAMPLES = """examples:
  lexigrad search vanishing gradients
  lexigrad search my loss stopped falling --limit 3

Exit code 1 where nothing has it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("words", nargs="+", help="words, a symptom, a misspelled name")
    parser.add_argument("--limit", type=int, default=10, help="at most so many hits (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="hits as JSON")


def act(options: argparse.Namespace) -> int:
    """Print the hits; 1 where there is none."""
    index = Index(Library.load(paths.entries_folder()), None)
    hits = index.search(" ".join(options.words), limit=max(1, options.limit))
    if options.json:
        record = [{"slug": hit.slug, "title": hit.title, "one_line": hit.one_line, "why": hit.why} for hit in hits]
        print(json.dumps(record, indent=1))
        return 0 if hits else 1
    for hit in hits:
        snippet = hit.snippet.replace(MARK, "").replace(UNMARK, "").replace("\n", " ")
        print(safe(f"{hit.slug}\n  {hit.one_line}" + (f"\n  ... {snippet}" if snippet else "")))
    if not hits:
        print("lexigrad: nothing has that, not even nearly.", file=sys.stderr)
    return 0 if hits else 1
