"""Where a text mentions a term: by its title or an alias, in any number, longest first.

A mention inside a longer term is that of the longer one: "self-attention" does not mention attention; and a part of
another compound ("gradient-norm panel") is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?\+*")
_GAP = re.compile(r"[ \t]*\n?[ \t]*(?:[-‐/][ \t]*)?")
_EVERYDAY = re.compile(
    r"\b(?:pay|pays|paid|paying|draw|draws|drew|call|calls|attract|attracts|deserve|deserves)\s+(?:\w+\s+)?attention\b|"
    r"\btraining\s+sets\s+(?:an?|the)\b",
    re.IGNORECASE,
)
"""Phrases in which the word is not the term."""
_COMPOUND = re.compile(r"[-‐][^\W_]")
_PREFIXED = re.compile(r"[^\W_][-‐]$")


class Mention(msgspec.Struct, frozen=True):
    """A piece of text that names a term."""

    start: int
    end: int
    slug: str


class _Form(msgspec.Struct, frozen=True):
    """One way to write a term."""

    slug: str
    exact: str
    """The capitals that an acronym has to have; empty for ordinary words."""


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """Return a word in small letters without the ending of its plural.

    >>> singular("Vocabularies"), singular("losses"), singular("bias")
    ('vocabulary', 'loss', 'bias')
    """
    word = word.lower().replace("’s", "").replace("'s", "")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if re.search(r"(?:ss|sh|ch|x|z)es$", word):
        return word[:-2]
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is", "as")):
        return word[:-1]
    return word


def key_of(text: str) -> tuple[str, ...]:
    """Return the words of `text` in the form in which terms are compared."""
    return tuple(singular(word) for word in _TOKEN.findall(text))


def is_acronym(text: str) -> bool:
    """Say whether a term is written in capitals, so that only capitals mention it: GAN, LLMs, SGD."""
    return bool(re.fullmatch(r"[A-Z0-9][A-Z0-9&/ -]*[A-Z0-9]s?|[A-Z]", text))


class Mentions:
    """All the ways to name the terms of a glossary."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """Take pairs of a name and its slug; of two equal names the first counts."""
        self._forms: dict[tuple[str, ...], list[_Form]] = {}
        self._longest: dict[str, int] = {}
        for name, slug in names:
            key = key_of(name)
            if not key:
                continue
            exact = name.rstrip("s") if is_acronym(name) else ""
            forms = self._forms.setdefault(key, [])
            if all(form.exact != exact for form in forms):
                forms.append(_Form(slug, exact))
            self._longest[key[0]] = max(self._longest.get(key[0], 0), len(key))

    def find(self, text: str) -> Iterator[Mention]:
        """Yield the mentions in a text, from left to right, none inside another."""
        text = _EVERYDAY.sub(lambda found: " " * len(found[0]), text)
        tokens = list(_TOKEN.finditer(text))
        keys = [singular(token[0]) for token in tokens]
        at = 0
        while at < len(tokens):
            length = self._length(text, tokens, keys, at)
            if length:
                start, end = tokens[at].start(), tokens[at + length - 1].end()
                slug = self._slug(tuple(keys[at : at + length]), text[start:end])
                if not _COMPOUND.match(text, end) and not _PREFIXED.search(text, max(0, start - 2), start):
                    yield Mention(start, end, slug)
            at += length or 1

    def _length(self, text: str, tokens: list[re.Match[str]], keys: list[str], at: int) -> int:
        """Return how many tokens the longest term has that begins at a token; 0 where none does."""
        longest = 0
        for length in range(1, self._longest.get(keys[at], 0) + 1):
            if at + length > len(tokens):
                break
            last = tokens[at + length - 1]
            if length > 1 and not _GAP.fullmatch(text, tokens[at + length - 2].end(), last.start()):
                break
            if self._slug(tuple(keys[at : at + length]), text[tokens[at].start() : last.end()]):
                longest = length
        return longest

    def _slug(self, key: tuple[str, ...], written: str) -> str:
        for form in self._forms.get(key, ()):
            if not form.exact or written.rstrip("s") == form.exact:
                return form.slug
        return ""
