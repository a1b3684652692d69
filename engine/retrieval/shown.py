"""A passage as it is shown: without Markdown's marks, and with the places of the words that the question has too."""

from __future__ import annotations

import re

from engine.retrieval.words import Analysis

_MARKS = (
    (re.compile(r"^(```|~~~).*$", re.MULTILINE), ""),
    (re.compile(r"\[\[[^\]|\n]*\|([^\]\n]*)\]\]"), r"\1"),
    (re.compile(r"\[\[([^\]|#\n]*)(?:#[^\]\n]*)?\]\]"), lambda found: found[1].replace("-", " ")),
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)\*(?=\S)([^*\n]+?)(?<=\S)\*(?!\w)"), r"\1"),
    (re.compile(r"`([^`\n]*)`"), r"\1"),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"\n\s*\n+"), "\n\n"),
    (re.compile(r"(?<!\n)\n(?!\n|\s*(?:[-*+|]|\d+\.)\s)\s*"), " "),
    (re.compile(r"\n\n+"), "\n"),
)
_WORD = re.compile(r"[^\W_]+")


def plain(text: str) -> str:
    """Return a Markdown text as one reads it: links by their words, no marks, no empty lines."""
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return text.strip()


def matches(text: str, question: str, analysis: Analysis) -> list[tuple[int, int]]:
    """Return the spans of the words of a text that the question has too, in any of their forms."""
    wanted = set(analysis.terms(question))
    return [found.span() for found in _WORD.finditer(text) if wanted.intersection(analysis.terms(found[0]))]
