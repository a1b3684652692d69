"""A folder of Markdown or text files as documents; what is passed over is named with its reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import DataError, RunError
from engine.core.files import read_inside

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".text", ".rst", ""})
LARGEST = 4 * 1024 * 1024
"""Bytes; a longer file is hardly prose."""
MOST = 100_000
"""Files in a folder; more of them ask for a real search engine."""

_FRONT = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_TITLE = re.compile(r"^title:(.+)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """One text to be found."""

    path: str
    """Relative to the folder, with slashes; or the name that judgments use."""
    title: str
    text: str


@dataclass(frozen=True)
class Skipped:
    """A file that was passed over."""

    path: str
    reason: str


@dataclass(frozen=True)
class Collection:
    """What a folder held, in the order of the paths."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...] = ()


def read_folder(folder: Path, largest: int = LARGEST) -> Collection:
    """Return the documents of a folder and of the folders in it; links are not followed, hidden names not entered.

    Raises:
        DataError: there is no such folder, it holds nothing to read, or far too much.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", "Give the folder that holds the Markdown or text files.")
    documents: list[Document] = []
    skipped: list[Skipped] = []
    for address, reason in _walk(folder, ""):
        found = Skipped(address, reason) if reason else _read(folder, address, largest)
        if isinstance(found, Document):
            documents.append(found)
        else:
            skipped.append(found)
        if len(documents) > MOST:
            raise DataError(f"{folder} holds more than {MOST:,} texts.", "Choose a folder inside it.")
    if not documents:
        raise DataError(f"{folder} holds no Markdown or text file.{_reasons(skipped)}", "Choose another folder.")
    return Collection(tuple(documents), tuple(skipped))


def read_file(path: Path, largest: int = LARGEST) -> Document:
    """Return one file as a document.

    Raises:
        DataError: it is missing, binary, empty, too large or no plain file.
    """
    found = _read(path.parent, path.name, largest)
    if isinstance(found, Skipped):
        raise DataError(f"{path} cannot be read as a document: {found.reason}.", "Give a Markdown or text file.")
    return found


def title_of(text: str, otherwise: str) -> str:
    """Return the title in the front matter, the first heading, or what stands in for them."""
    front = _FRONT.match(text)
    named = _TITLE.search(front[0]) if front else None
    if named:
        return named[1].strip().strip("\"'")
    heading = _HEADING.search(text, front.end() if front else 0)
    return heading_text(heading[1]) if heading else otherwise


def heading_text(written: str) -> str:
    """Return a heading without the number signs that may close it; "C#" keeps its own."""
    open_end = written.rstrip().rstrip("#")
    return (open_end if open_end.endswith((" ", "\t")) else written).strip()


def body_start(text: str) -> int:
    """Return where the text starts after its front matter."""
    front = _FRONT.match(text)
    return front.end() if front else 0


def _walk(folder: Path, inside: str) -> Iterator[tuple[str, str]]:
    """Yield the address of every file and the reason to pass it over, if one shows from outside."""
    try:
        with os.scandir(folder / inside) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield inside, f"cannot be opened ({error.strerror})"
        return
    for entry in entries:
        address = f"{inside}{entry.name}"
        if entry.name.startswith("."):
            yield address, "hidden"
        elif entry.is_symlink():
            yield address, "a link"
        elif entry.is_dir():
            yield from _walk(folder, f"{address}/")
        elif Path(entry.name).suffix.lower() not in SUFFIXES:
            yield address, "neither Markdown nor text by its name"
        else:
            yield address, ""


def _read(folder: Path, address: str, largest: int) -> Document | Skipped:
    try:
        content = read_inside(folder, address, largest)
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except RunError as error:
        return Skipped(address, "too large" if "longer" in error.what else "not a plain file")
    except UnicodeDecodeError:
        return Skipped(address, "binary")
    except OSError as error:
        return Skipped(address, f"cannot be read ({error.strerror})")
    if "\0" in text:
        return Skipped(address, "binary")
    if not text.strip():
        return Skipped(address, "empty")
    return Document(address, title_of(text, Path(address).stem), text)


def _reasons(skipped: list[Skipped]) -> str:
    if not skipped:
        return " It is empty."
    first = skipped[0]
    return f" {len(skipped):,} passed over, the first is {first.path!r} ({first.reason})."
