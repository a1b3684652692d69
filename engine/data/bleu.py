"""BLEU: how much of a translation stands in a reference, by n-grams.

Papineni, Roukos, Ward and Zhu, BLEU: a Method for Automatic Evaluation of Machine Translation, 2002. Over a whole set
of sentences, one reference each, n-grams up to 4, nothing smoothed; words are told apart as by mteval-v13a, the
tokenization "13a" that sacrebleu uses unless told otherwise, upper and lower case distinguished.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 4
"""Words of an n-gram, at most."""

_SPLITS = (
    (re.compile(r"([{-~\[-` -&(-+:-@/])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
"""Signs become words of their own; a point or comma where it is not inside a number, a hyphen after a digit."""

_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


def tokenize(text: str) -> list[str]:
    """Return the words and signs of a text, as mteval-v13a cuts it."""
    for written, meant in _ENTITIES:
        text = text.replace(written, meant)
    text = f" {text} "
    for pattern, apart in _SPLITS:
        text = pattern.sub(apart, text)
    return text.split()


def ngrams(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    """Return how often each run of `length` words occurs."""
    return Counter(tuple(words[start : start + length]) for start in range(len(words) - length + 1))


def precisions(translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Return for each length of n-gram how many of the translations' stand in the reference of the same sentence, and
    how many there are; one that is repeated counts as often as the reference has it, at most.
    """
    found = []
    for length in range(1, LONGEST + 1):
        matched = whole = 0
        for words, reference in zip(translations, references, strict=True):
            ours = ngrams(words, length)
            matched += (ours & ngrams(reference, length)).total()
            whole += ours.total()
        found.append((matched, whole))
    return found


def bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Return BLEU from 0 to 100 of translations, each beside its reference.

    It is the geometric mean of the four precisions, times a penalty for brevity, without which one would translate the
    sure words alone: e to the power of 1 - r / c where all translations together have c words, fewer than the r of the
    references. Without a single match of some length it is 0.
    """
    ours, theirs = [tokenize(each) for each in translations], [tokenize(each) for each in references]
    counts = precisions(ours, theirs)
    if any(matched == 0 for matched, _ in counts):
        return 0.0
    length, reference_length = sum(map(len, ours)), sum(map(len, theirs))
    brevity = min(0.0, 1 - reference_length / length)
    return 100 * math.exp(brevity + sum(math.log(matched / whole) for matched, whole in counts) / LONGEST)
