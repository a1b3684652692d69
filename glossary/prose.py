"""Which characters of a Markdown text are prose, and which are code or formulas.

Everything here keeps length and line breaks, so an offset in the result is an offset in the text. All scans are linear:
a text of any kind is read in time proportional to its length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from glossary.model import Block

_FENCE = re.compile(r"^[ \t]{0,12}(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?(`{3,}|~{3,})([^\n]*)$")
_LINK = re.compile(
    r"\[\[(?P<target>[^\[\]|#\n\\]{1,200})(?:#(?P<heading>[^\[\]|\n\\]{1,200}))?(?:\\?\|(?P<words>[^\[\]|]{1,300}))?\]\]"
)
_WORD = re.compile(r"[^\W_][\w'’.,%-]*")
_MATHS = re.compile(
    r"\$(?<!\\\$)(?:\$(?P<display>.+?)(?<!\\)\$\$"
    r"|(?<![$\w]\$)(?![\s$])(?P<inline>[^$\n]*(?:\n[^$\n]+)?)(?<![\s\\])\$(?![\d$]))",
    re.DOTALL,
)
"""As Pandoc reads it: no space inside the dollars, no digit after them, so that prices stay prices."""

LINK = _LINK
"""Groups: target, heading, words."""
FORMULA = _MATHS
"""Groups: display, inline."""


def fences(text: str) -> Iterator[tuple[int, int, Block]]:
    """Yield the fenced code blocks of `text`: start and end offset, and the block (lines counted from 1)."""
    offset = 0
    opened: tuple[int, str, str, int] | None = None
    body: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if opened is None:
            fence = _FENCE.match(line) if "```" in line or "~~~" in line else None
            if fence and not (fence[1][0] == "`" and "`" in fence[2]):
                words = fence[2].split()
                opened, body = (offset, fence[1], words[0] if words else "", number + 1), []
        elif _closes(line, opened[1]):
            yield opened[0], offset + len(line), Block(opened[2], "\n".join(body), opened[3], True)
            opened = None
        else:
            body.append(line)
        offset += len(line) + 1
    if opened is not None:
        yield opened[0], len(text), Block(opened[2], "\n".join(body), opened[3], False)


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return len(bare) >= len(fence) and bare == fence[0] * len(bare)


def _blank_all(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += [text[at:start], re.sub(r"[^\n]", " ", text[start:end])]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def without_code(text: str) -> str:
    """Return `text` with fenced blocks and code spans blanked."""
    text = _blank_all(text, [(start, end) for start, end, _ in fences(text)])
    return _blank_all(text, list(_code_spans(text))) if "`" in text else text


def _code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans from a run of backticks to the next run of the same length in the same paragraph."""
    breaks = [found.start() for found in re.finditer(r"\n[ \t]*\n", text)]
    runs = [(found.start(), found.end()) for found in re.finditer(r"`+", text)]
    waiting: dict[tuple[int, int], list[int]] = {}
    for start, end in reversed(runs):
        waiting.setdefault((bisect_right(breaks, start), end - start), []).append(start)
    at = 0
    for start, end in runs:
        same = waiting[bisect_right(breaks, start), end - start]
        same.pop()
        if start < at or not same:
            continue
        at = same[-1] + end - start
        yield start, at


def formulas(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yield the formulas of a text whose code is blanked: start, end, LaTeX, and whether it stands on its own."""
    for found in _MATHS.finditer(text):
        display = found["display"]
        yield found.start(), found.end(), display if display is not None else found["inline"], display is not None


def prose(text: str) -> str:
    """Return `text` with code and formulas blanked; links still stand in it."""
    return without_formulas(without_code(text))


def without_formulas(text: str) -> str:
    """Return a text whose code is blanked with its formulas blanked as well."""
    return _blank_all(text, [(start, end) for start, end, _, _ in formulas(text)]) if "$" in text else text


def plain(text: str) -> str:
    """Return the words of a prose text: links as their words, no marks of Markdown."""
    text = _LINK.sub(lambda found: found["words"] or found["target"].replace("-", " "), text)
    return re.sub(r"[*_`#>|]+", " ", text)


def count_words(text: str) -> int:
    """Count the words of a prose text."""
    return len(_WORD.findall(plain(text)))


def line_at(text: str, offset: int, first: int = 1) -> int:
    """Return the line of an offset, where the text begins on line `first`."""
    return first + text.count("\n", 0, offset)
