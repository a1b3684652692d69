"""Cutting documents into passages: by headings, by sentences, or by a fixed number of words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from engine.core.errors import UsageError, suggest
from engine.retrieval.documents import Document, body_start, heading_text

Kind = Literal["headings", "sentences", "fixed", "whole"]
Span = tuple[int, int]

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*)$")
_WORD = re.compile(r"\S+")
_BOUNDARY = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+(?=[^\W_a-z]|[\"'“‘(\[¿¡«„])|\n\s*\n|(?<=[。！？])")
_ABBREVIATED = re.compile(r"(?:\b[A-Z]|\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|al|Fig|Nr|Sr|Jr|e\.g|i\.e|z\.B|ca))\.$")


@dataclass(frozen=True)
class Chunk:
    """A passage: a piece of a document with its place in it."""

    document: str
    """Path of the document."""
    start: int
    """First character in the text of the document."""
    end: int
    """The character after the last."""
    headings: tuple[str, ...] = ()
    """The headings above it, outermost first."""


@dataclass(frozen=True)
class Chunking:
    """How documents are cut.

    headings: at every Markdown heading, and where a section is longer than `words`, by sentences within it.
    sentences: whole sentences up to `words`. fixed: exactly `words`. whole: not at all.
    """

    kind: Kind = "headings"
    words: int = 160
    """The most words in a passage."""
    overlap: int = 0
    """Words that a passage repeats from the end of the one before it; whole sentences unless fixed."""

    def __post_init__(self) -> None:
        """Refuse what would never end or cut nothing.

        Raises:
            UsageError: an unknown kind, fewer than 1 word, an overlap not below the words.
        """
        if self.kind not in get_args(Kind):
            raise UsageError(f"There is no chunking {self.kind!r}.", suggest(self.kind, list(get_args(Kind))))
        if self.words < 1 or not 0 <= self.overlap < self.words:
            raise UsageError(
                f"Chunks of {self.words} words with {self.overlap} repeated cannot be cut.",
                "Take at least 1 word, and repeat fewer than there are.",
            )

    def chunks(self, document: Document) -> list[Chunk]:
        """Return the passages of a document in order; only white space lies between them."""
        text, start = document.text, body_start(document.text)
        parts = sections(text, start) if self.kind == "headings" else [(start, len(text), ())]
        return [
            Chunk(document.path, *span, headings)
            for first, last, headings in parts
            for span in self._spans(text, first, last)
        ]

    def _spans(self, text: str, first: int, last: int) -> list[Span]:
        if self.kind == "whole":
            return _stripped(text, first, last)
        if self.kind == "fixed":
            return _windows(_words(text, first, last), self.words, self.overlap)
        return _packed(text, sentences(text, first, last), self.words, self.overlap)


def sections(text: str, start: int = 0) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield start, end and headings of each part of a Markdown text; headings in code blocks are code."""
    above: list[tuple[int, str]] = []
    fence = ""
    begin = place = start
    for line in text[start:].splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1] == fence:
            fence = ""
        found = None if fence or mark else _HEADING.match(line.rstrip("\n"))
        if found:
            yield begin, place, tuple(name for _, name in above)
            above = [(level, name) for level, name in above if level < len(found[1])]
            above.append((len(found[1]), heading_text(found[2])))
            begin = place + len(line)
        place += len(line)
    yield begin, place, tuple(name for _, name in above)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the spans of the sentences of a text, white space around them left out.

    A sentence ends at a full stop, question or exclamation mark before a capital, a digit or a quote, and at an empty
    line; not after an initial or a common abbreviation.
    """
    end = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for found in _BOUNDARY.finditer(text, start, end):
        if found[0].strip("\"'”’)] \t") == "" and _ABBREVIATED.search(
            text, max(begin, found.start() - 8), found.start()
        ):
            continue
        spans += _stripped(text, begin, found.end())
        begin = found.end()
    return spans + _stripped(text, begin, end)


def _stripped(text: str, start: int, end: int) -> list[Span]:
    """Return the span without white space at its ends, or nothing."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return [(start + left, start + len(piece.rstrip()))] if piece.strip() else []


def _words(text: str, start: int, end: int) -> list[Span]:
    return [found.span() for found in _WORD.finditer(text, start, end)]


def _windows(pieces: list[Span], size: int, overlap: int) -> list[Span]:
    """Return windows of `size` pieces, each starting `size - overlap` after the one before."""
    spans = []
    for first in range(0, len(pieces), size - overlap):
        spans.append((pieces[first][0], pieces[min(first + size, len(pieces)) - 1][1]))
        if first + size >= len(pieces):
            break
    return spans


def _packed(text: str, pieces: list[Span], most: int, overlap: int) -> list[Span]:
    """Return runs of whole sentences of at most `most` words; a longer sentence is cut."""
    spans: list[Span] = []
    held: list[tuple[Span, int]] = []
    for piece in pieces:
        words = _words(text, *piece)
        if sum(size for _, size in held) + len(words) > most and held:
            spans.append((held[0][0][0], held[-1][0][1]))
            held = _tail(held, min(overlap, most - len(words)))
        if len(words) > most:
            spans += _windows(words, most, overlap)
            held = []
        else:
            held.append((piece, len(words)))
    if held:
        spans.append((held[0][0][0], held[-1][0][1]))
    return spans


def _tail(held: list[tuple[Span, int]], most: int) -> list[tuple[Span, int]]:
    """Return the last sentences that together have at most `most` words, never all of them."""
    sizes = [0]
    for _, size in reversed(held):
        sizes.append(sizes[-1] + size)
    count = min(bisect_left(sizes, most + 1) - 1, len(held) - 1)
    return held[len(held) - count :] if count > 0 else []
