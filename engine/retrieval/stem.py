"""An English stemmer after Porter2 (Porter, Snowball, 2001), without its lists of exceptions.

It cuts what inflection adds, so that a question's "invented" meets a passage's "inventing". What it leaves need not be
a word. Words of other languages mostly pass unharmed, since few of them end as English ones do.
"""

from __future__ import annotations

import re
from functools import lru_cache

VOWELS = "aeiouy"
_REGION = re.compile(r"[aeiouy][^aeiouy]")
_VOWEL = re.compile(r"[aeiouy]")
_DOUBLE = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_SHORT_END = re.compile(r"(^[aeiouy][^aeiouy]|[^aeiouy][aeiouy][^aeiouywxY])$")
_LI = frozenset("cdeghkmnrt")
_KNOWN_SIZE = 65536

_STEP_2 = {
    "ization": "ize", "ational": "ate", "ousness": "ous", "iveness": "ive", "fulness": "ful", "tional": "tion",
    "biliti": "ble", "lessli": "less", "entli": "ent", "ation": "ate", "alism": "al", "aliti": "al", "ousli": "ous",
    "iviti": "ive", "fulli": "ful", "enci": "ence", "anci": "ance", "abli": "able", "izer": "ize", "ator": "ate",
    "alli": "al", "bli": "ble", "logi": "log",
}  # fmt: skip
_STEP_3 = {
    "ational": "ate", "tional": "tion", "alize": "al", "icate": "ic", "iciti": "ic", "ical": "ic", "ful": "",
    "ness": "",
}  # fmt: skip
_STEP_4 = (
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "al", "er",
    "ic",
)  # fmt: skip


@lru_cache(_KNOWN_SIZE)
def stem(word: str) -> str:
    """Return the stem of a lower-case word; words of two letters and those with digits stay as they are."""
    if len(word) <= 2 or not word.isalpha():
        return word
    word = re.sub(r"(?<=[aeiouy])y|^y", "Y", word)
    first, second = _regions(word)
    word = _plural(word)
    word = _past(word, first)
    if len(word) > 2 and word[-1] in "yY" and word[-2] not in VOWELS:
        word = word[:-1] + "i"
    word = _replace(word, first, _STEP_2)
    if word.endswith("li") and len(word) - 2 >= first and word[-3] in _LI:
        word = word[:-2]
    word = _replace(word, first, _STEP_3)
    word = _cut(word, second)
    return _last_letter(word, first, second).lower()


def _regions(word: str) -> tuple[int, int]:
    """Return where R1 and R2 start: what follows the first, and the second, consonant after a vowel."""
    found = _REGION.search(word)
    first = found.end() if found else len(word)
    found = _REGION.search(word, first)
    return first, found.end() if found else len(word)


def _plural(word: str) -> str:
    """Step 1a."""
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _VOWEL.search(word[:-2]):
        return word[:-1]
    return word


def _past(word: str, first: int) -> str:
    """Step 1b: -eed, -ed, -ing and what they leave behind."""
    for ending in ("eedly", "eed"):
        if word.endswith(ending):
            return word[: -len(ending)] + "ee" if len(word) - len(ending) >= first else word
    for ending in ("ingly", "edly", "ing", "ed"):
        if word.endswith(ending):
            rest = word[: -len(ending)]
            return _mend(rest, first) if _VOWEL.search(rest) else word
    return word


def _mend(rest: str, first: int) -> str:
    """Give back the e of "hoping", take the second p of "hopping"."""
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest.endswith(_DOUBLE):
        return rest[:-1]
    return rest + "e" if first >= len(rest) and _SHORT_END.search(rest) else rest


def _replace(word: str, first: int, table: dict[str, str]) -> str:
    """Steps 2 and 3: replace the longest ending of the table that lies in R1."""
    for ending, new in table.items():
        if word.endswith(ending):
            return word[: -len(ending)] + new if len(word) - len(ending) >= first else word
    return word


def _cut(word: str, second: int) -> str:
    """Step 4: cut an ending that lies in R2."""
    if word.endswith("ion") and word[-4:-3] in {"s", "t"} and len(word) - 3 >= second:
        return word[:-3]
    for ending in _STEP_4:
        if word.endswith(ending):
            return word[: -len(ending)] if len(word) - len(ending) >= second else word
    return word


def _last_letter(word: str, first: int, second: int) -> str:
    """Step 5: a silent e, the second l."""
    if word.endswith("e"):
        start = len(word) - 1
        silent = start >= second or (start >= first and not _SHORT_END.search(word[:-1]))
        return word[:-1] if silent else word
    return word[:-1] if word.endswith("ll") and len(word) - 1 >= second else word
