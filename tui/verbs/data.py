"""``lexigrad data``: which data sets are here, how to get the others, and whether they are undamaged."""

from __future__ import annotations

import argparse
import json
import sys
import time

from engine.core.errors import LexigradError
from engine.core.paths import data_folders
from engine.data.fetch import fetch
from engine.data.files import missing, verified
from engine.data.table import TABLE, DataSet, File, data_set
from tui.columns import columns
from tui.figures import memory
from tui.render.safe import safe

EXAMPLES = """examples:
  lexigrad data                       what there is
  lexigrad data get fashion-mnist     download it; after a break it goes on where it stopped
  lexigrad data verify                read every file and compare its SHA-256

They are looked for in $LEXIGRAD_DATA first, then in the folder `data` of $LEXIGRAD_HOME, where downloads go."""

SECONDS_A_LINE = 5.0
"""How often a download says how far it is where the output is no terminal."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.set_defaults(deed=list_sets)
    parser.add_argument("--json", action="store_true", help="the list as JSON")
    deeds = parser.add_subparsers(metavar="WHAT", title="what to do (list, where nothing is said)")
    listed = deeds.add_parser("list", help="list the data sets", description="List the data sets.")
    listed.add_argument("--json", action="store_true", help="as JSON")
    listed.set_defaults(deed=list_sets)
    got = deeds.add_parser("get", help="download data sets", description="Download data sets; what is here is kept.")
    got.add_argument("names", metavar="NAME", nargs="+", help="of `lexigrad data`")
    got.set_defaults(deed=get_sets)
    checked = deeds.add_parser("verify", help="compare every file with its SHA-256", description="Check the files.")
    checked.add_argument("names", metavar="NAME", nargs="*", help="all that are here, where none is named")
    checked.set_defaults(deed=verify_sets)


def act(options: argparse.Namespace) -> int:
    """Do what was asked with the data sets."""
    code: int = options.deed(options)
    return code


def state_of(row: DataSet) -> str:
    """Return ``built in``, ``here``, ``in part``, ``damaged`` or ``missing``; files are told by their size."""
    if row.embedded:
        return "built in"
    lacking = missing(row)
    if any(is_there(row, file) for file in lacking):
        return "damaged"
    return "here" if not lacking else "missing" if len(lacking) == len(row.files) else "in part"


def is_there(row: DataSet, file: File) -> bool:
    """Whether a data folder holds a file of that name, right or wrong."""
    return any((folder / row.folder / file.name).is_file() for folder in data_folders())


def list_sets(options: argparse.Namespace) -> int:
    """Print one line a data set."""
    if options.json:
        print(json.dumps([_record(row) for row in TABLE.values()], indent=1))
        return 0
    rows = [
        (row.name, state_of(row), memory(row.bytes) if row.files else "", row.title, row.license)
        for row in TABLE.values()
    ]
    for line in columns(rows, ("name", "", "size", "title", "license")):
        print(line)
    if any(state_of(row) not in {"built in", "here"} for row in TABLE.values()):
        print("\n`lexigrad data get NAME` downloads one.")
    return 0


def _record(row: DataSet) -> dict[str, object]:
    return {
        "name": row.name,
        "state": state_of(row),
        "title": row.title,
        "kind": row.kind,
        "summary": row.summary,
        "bytes": row.bytes,
        "examples": row.examples,
        "license": row.license,
        "citation": row.citation,
    }


def get_sets(options: argparse.Namespace) -> int:
    """Download what is missing of the data sets."""
    for row in [data_set(name) for name in dict.fromkeys(options.names)]:
        if not missing(row):
            print(f"{row.title} is {'built in' if row.embedded else 'here'}.")
            continue
        print(f"{row.title}: {memory(sum(file.bytes for file in missing(row)))} to load.")
        print(f"  License: {row.license}. {row.citation}")
        sys.stdout.flush()
        told = Progress(row)
        fetch(row, told.tell)
        told.end()
    return 0


class Progress:
    """How far a download is: a bar that is drawn over itself on a terminal, else a line now and then."""

    def __init__(self, row: DataSet) -> None:
        self._sizes = {file.name: file.bytes for file in missing(row)}
        self._here = dict.fromkeys(self._sizes, 0)
        self._draws = sys.stdout.isatty()
        self._told = self._began = time.monotonic()
        self._first: int | None = None

    def tell(self, name: str, here: int, whole: int) -> None:
        """Take note of the bytes that are here, and say so when it is time."""
        self._here[name] = here
        done, total = sum(self._here.values()), sum(self._sizes.values())
        self._first = done if self._first is None else self._first
        now = time.monotonic()
        if now - self._told < (0.1 if self._draws else SECONDS_A_LINE):
            return
        self._told = now
        pace = (done - self._first) / max(now - self._began, 0.1)
        text = f"  {done / total:4.0%}  {memory(done)} of {memory(total)}  {memory(pace)}/s"
        print(f"\r{text:<50}" if self._draws else text, end="" if self._draws else "\n", flush=True)

    def end(self) -> None:
        """Say that all is here and right."""
        text = f"  All {memory(sum(self._sizes.values()))} are here and have the right checksum."
        print(f"\r{text:<60}".rstrip() if self._draws else text, flush=True)


def verify_sets(options: argparse.Namespace) -> int:
    """Read every file of the data sets; 1 where one is damaged, or missing of those that were named."""
    rows = [data_set(name) for name in dict.fromkeys(options.names)] or [row for row in TABLE.values() if row.files]
    code = 0
    for row in rows:
        if row.embedded:
            print(f"{row.name}: built in.")
            continue
        if not options.names and not any(is_there(row, file) for file in row.files):
            print(f"{row.name}: not on this machine.")
            continue
        wrong = [trouble for file in row.files if (trouble := _trouble(row, file))]
        for trouble in wrong:
            print(safe(f"{row.name}: {trouble}"))
        if not wrong:
            print(f"{row.name}: {len(row.files)} file{'s' if len(row.files) > 1 else ''}, all undamaged.")
        code = code or int(bool(wrong))
        sys.stdout.flush()
    return code


def _trouble(row: DataSet, file: File) -> LexigradError | None:
    try:
        verified(row, file)
    except LexigradError as error:
        return error
    return None
