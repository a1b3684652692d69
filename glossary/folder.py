"""Entries on disk: found under a folder, read within limits, parsed once and kept by content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache as once
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from glossary.front import ParseProblem
from glossary.model import Entry, Origin, Problem
from glossary.parse import ENTRY_BYTES, parse_entry

MOST_FILES = 20_000
MOST_BYTES = 200 * 1024 * 1024
DEPTH = 12
CACHE_NAME = "entries.msgpack"
_PARSER = ("front.py", "goal.py", "model.py", "names.py", "parse.py", "prose.py")


def read_entries(own: Path | None, cache: Path | None) -> tuple[list[Entry], list[Problem]]:
    """Return the shipped entries, those of the user's own folder, and the files that did not parse."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    kept = _read_cache(cache) if cache else {}
    fresh: dict[str, Entry] = {}
    for path, data, origin in find_files("entries", own, problems.append):
        key = blake2b(b"%s\0%s\0%s" % (origin.encode(), os.fsencode(path), data), digest_size=16).hexdigest()
        try:
            entry = kept.get(key) or parse_entry(data, path, origin)
        except ParseProblem as problem:
            problems.append(Problem(path, problem.line, "error", problem.reason))
            continue
        fresh[key] = entry
        entries.append(entry)
    if cache and fresh.keys() != kept.keys():
        _write_cache(cache, fresh)
    return entries, problems


def find_files(name: str, own: Path | None, report: Callable[[Problem], None]) -> Iterator[tuple[str, bytes, Origin]]:
    """Yield path, content and origin of the Markdown files of a shipped folder, then of the user's own.

    What cannot be read, and what is past the limits, goes to `report`.
    """
    for path, data in _files(files("glossary").joinpath(name), report):
        yield path, data, "shipped"
    if own is not None:
        for path, data in _files(own, report):
            yield path, data, "own"


def _files(folder: Traversable, report: Callable[[Problem], None]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each Markdown file, one byte past the limit at most."""
    count = size = 0
    for path, file in _markdown(folder, "", DEPTH):
        try:
            with file.open("rb") as opened:
                data = opened.read(ENTRY_BYTES + 1)
        except OSError as error:
            report(Problem(path, 0, "error", f"Cannot be read: {error.strerror}."))
            continue
        count, size = count + 1, size + len(data)
        if count > MOST_FILES or size > MOST_BYTES:
            report(
                Problem(
                    path, 0, "error", f"More than {MOST_FILES:,} files or {MOST_BYTES:,} bytes; the rest is left out."
                )
            )
            return
        yield path, data


def _markdown(folder: Traversable, prefix: str, depth: int) -> Iterator[tuple[str, Traversable]]:
    """Yield the Markdown files under a folder with their paths in it, in order of name; hidden ones are left out."""
    try:
        found = sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else []
    except OSError:
        return
    for each in found:
        if each.name.startswith("."):
            continue
        if each.name.endswith(".md") and each.is_file():
            yield prefix + each.name, each
        elif depth and each.is_dir():
            yield from _markdown(each, f"{prefix}{each.name}/", depth - 1)


class _Cache(msgspec.Struct):
    parser: str
    entries: dict[str, Entry]


@once
def _parser_digest() -> str:
    """Return a digest of the code that parses: another parser finds nothing in the cache."""
    digest = blake2b(digest_size=16)
    for name in _PARSER:
        try:
            digest.update(files("glossary").joinpath(name).read_bytes())
        except OSError:
            digest.update(b"?")
    return digest.hexdigest()


def _read_cache(folder: Path) -> dict[str, Entry]:
    """Return what was parsed before, by content; empty on any doubt."""
    try:
        found = msgspec.msgpack.decode((folder / CACHE_NAME).read_bytes(), type=_Cache)
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}
    return found.entries if found.parser == _parser_digest() else {}


def _write_cache(folder: Path, entries: dict[str, Entry]) -> None:
    """Keep what was parsed; where that fails it is parsed again the next time."""
    data = msgspec.msgpack.encode(_Cache(_parser_digest(), entries))
    part = folder / f".{CACHE_NAME}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(folder / CACHE_NAME)
    except OSError:
        with suppress(OSError):
            part.unlink()
