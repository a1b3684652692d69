"""From text to terms: Unicode words in lower case, without stop words, stemmed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from engine.retrieval.stem import stem

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"[’‘ʼ]")
_POSSESSIVE = re.compile(r"'s?\b")

STOP_WORDS = frozenset(
    """
    a an and are as at be been but by did do does for from had has have he her his how i if in into is it its no not
    of on or s she so such t than that the their then there these they this to was we were what when where which while
    who whom whose why will with would you your
    """.split()  # noqa: SIM905
)
"""English function words and the words that ask; they stand in every passage and tell none apart."""


def words(text: str) -> list[str]:
    """Return the words of a text in order: runs of letters and digits in lower case, the possessive 's dropped.

    Compatible forms are one word (NFKC: a ligature, a full-width digit).
    """
    plain = unicodedata.normalize("NFKC", text)
    return _WORD.findall(_POSSESSIVE.sub(" ", _APOSTROPHE.sub("'", plain)).lower())


@dataclass(frozen=True)
class Analysis:
    """How text becomes terms; passages and questions have to go through the same one."""

    stems: bool = True
    stops: bool = True
    """Drop the stop words. A text of nothing else keeps them, so that "to be or not to be" finds something."""

    grams: int = 4
    """Letters in a piece of a word; 0 for none."""

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text, in order, repeated as often as they occur."""
        found = words(text)
        if self.stops:
            found = [word for word in found if word not in STOP_WORDS] or found
        return [stem(word) for word in found] if self.stems else found

    def pieces(self, text: str) -> list[str]:
        """Return every run of `grams` letters within the words of a text, their ends marked by #.

        A compound, an inflection that no stemmer knows and a misspelling share most of their pieces with the word
        that is looked for (McNamee and Mayfield 2004).
        """
        if not self.grams:
            return []
        plain = Analysis(stems=False, stops=self.stops).terms(text)
        marked = [f"#{word}#" for word in plain]
        return [word[at : at + self.grams] for word in marked for at in range(max(1, len(word) - self.grams + 1))]
