"""Front matter: a small, safe subset of YAML with a line number for every key.

Only mappings, lists and scalars, every scalar a string (so ``no`` stays "no" and ``1:30`` stays "1:30"); aliases,
anchors, tags, duplicate keys and deep nesting are refused. Types come from the msgspec struct that the data become.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

FRONT_BYTES = 64 * 1024
DEPTH = 8
NODES = 2000

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Also those that turn the direction of a line."""

T = TypeVar("T")
Path = tuple[str | int, ...]


class ParseProblem(Exception):
    """A file that does not parse.

    Attributes:
        line: counted from 1.
        reason: one sentence.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


def split_front(text: str) -> tuple[str | None, str, int]:
    """Return front matter (None where there is none), the body, and the line on which the body begins.

    Raises:
        ParseProblem: the front matter is opened with ``---`` and never closed.
    """
    if not re.match(r"---[ \t]*(\n|$)", text):
        return None, text, 1
    opening = text.find("\n") + 1
    closing = re.compile(r"^(---|\.\.\.)[ \t]*$", re.MULTILINE).search(text, opening) if opening else None
    if closing is None:
        raise ParseProblem(1, "The front matter is opened with --- and never closed.")
    front = text[opening : closing.start()]
    return front, text[closing.end() + 1 :], front.count("\n") + 3


def read_yaml(text: str, first_line: int) -> tuple[Any, dict[Path, int]]:
    """Return the data of `text` and the line of every node in it.

    Raises:
        ParseProblem: no YAML, or more than the subset allows.
    """
    if len(text.encode("utf-8", "surrogatepass")) > FRONT_BYTES:
        raise ParseProblem(first_line, f"The front matter is longer than {FRONT_BYTES // 1024} KiB.")
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return _Reader(yaml.parse(text, Loader=loader), first_line).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = " Quote a value that holds a colon." if "mapping values" in str(error.problem) else ""
        reason = f"No YAML: {error.problem or error.context}.{hint}"
        raise ParseProblem(first_line + (mark.line if mark else 0), reason) from None
    except yaml.reader.ReaderError as error:
        at = error.position if isinstance(error.position, int) else 0
        raise ParseProblem(first_line + text.count("\n", 0, at), "A character that may not stand in YAML.") from None


class _Reader:
    """Builds data from parse events, one node at a time."""

    def __init__(self, events: Any, first_line: int) -> None:
        self.events = events
        self.first_line = first_line
        self.lines: dict[Path, int] = {}

    def document(self) -> tuple[Any, dict[Path, int]]:
        data: Any = {}
        found = False
        for event in self.events:
            kind = type(event).__name__
            if kind in ("StreamStartEvent", "StreamEndEvent", "DocumentStartEvent", "DocumentEndEvent"):
                continue
            if found:
                raise ParseProblem(self.line(event), "More than one document.")
            found = True
            data = self.node(event, ())
        return data, self.lines

    def line(self, event: Any) -> int:
        return int(event.start_mark.line) + self.first_line

    def node(self, event: Any, path: Path) -> Any:
        line = self.line(event)
        kind = type(event).__name__
        if kind == "AliasEvent":
            raise ParseProblem(line, "Aliases (*name) are not allowed.")
        if event.anchor is not None:
            raise ParseProblem(line, "Anchors (&name) are not allowed.")
        if event.tag not in (None, "!"):
            raise ParseProblem(line, "Tags (!name) are not allowed.")
        if len(path) > DEPTH:
            raise ParseProblem(line, f"Nested deeper than {DEPTH}.")
        if len(self.lines) >= NODES:
            raise ParseProblem(line, f"More than {NODES} values.")
        self.lines[path] = line
        if kind == "ScalarEvent":
            if _CONTROL.search(event.value):
                raise ParseProblem(line, "A control character.")
            return event.value
        return self.mapping(path) if kind == "MappingStartEvent" else self.sequence(path)

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.events:
            if type(event).__name__ == "MappingEndEvent":
                break
            line = self.line(event)
            key = self.node(event, (*path, ""))
            self.lines.pop((*path, ""), None)
            if not isinstance(key, str):
                raise ParseProblem(line, "A key has to be a word.")
            if key in found:
                raise ParseProblem(line, f"The key '{key}' stands here twice.")
            found[key] = self.node(next(self.events), (*path, key))
            self.lines[*path, key] = line
        return found

    def sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        for event in self.events:
            if type(event).__name__ == "SequenceEndEvent":
                break
            found.append(self.node(event, (*path, len(found))))
        return found


def convert(data: Any, lines: dict[Path, int], type_: type[T], at: Path = ()) -> T:
    """Return `data`, which stands at the path `at`, as `type_`; numbers are read from their digits.

    Raises:
        ParseProblem: an unknown key, a missing one or a wrong type, with its line.
    """
    try:
        return msgspec.convert(data, type_, strict=False)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$")
        path = (*at, *_path(where.rstrip("`")))
        unknown = re.search(r"unknown field `(.*)`", text)
        if unknown:
            path = (*path, unknown[1])
            text = f"Unknown key '{unknown[1]}'"
        while path and path not in lines:
            path = path[:-1]
        name = ".".join(str(part) for part in path if part != 0 and path != at)
        text = text.replace("Object missing required field", "Missing key").replace("`", "'")
        text = f"{text}." if unknown or not name else f"{name}: {text}."
        raise ParseProblem(lines.get(path, lines.get((), 1)), text) from None


def _path(where: str) -> Path:
    """Return the parts of msgspec's ``.claims[0].says``."""
    parts: list[str | int] = []
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", where):
        parts.append(int(index) if index else name)
    return tuple(parts)
