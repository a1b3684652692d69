"""A second, closer look at the first passages: does one place in them hold what was asked, and in that order?

BM25 and vectors see a passage as a bag of words. Here the words of the question have to stand near one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from engine.retrieval.chunks import sentences
from engine.retrieval.index import Index, Passage

LOOKED_AT = 20
"""Passages that are read again."""
SHARE = 0.25
"""What the closer look weighs against the score before it, the best of each at 1."""
PAIRS = 0.5
"""What two words in a row weigh against the words themselves."""


def rerank(index: Index, question: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages in a new order: by their score and by what their best two sentences cover."""
    if not passages:
        return []
    analysis = index.settings.analysis
    asked = analysis.terms(question)
    weights = {term: index.bm25.weight(term) for term in asked}
    looks = [_closeness(asked, weights, _windows(index, each)) for each in passages[:LOOKED_AT]]
    best, top = max(looks) or 1.0, max(passages[0].score, 1e-9)
    joined = [
        (1.0 - SHARE) * each.score / top + SHARE * look / best
        for each, look in zip(passages[:LOOKED_AT], looks, strict=True)
    ]
    order = sorted(range(len(joined)), key=lambda place: -joined[place])
    return [passages[place] for place in order] + list(passages[LOOKED_AT:])


def _windows(index: Index, passage: Passage) -> list[list[str]]:
    """Return the terms of every two sentences in a row, the title among them."""
    analysis = index.settings.analysis
    title = analysis.terms(" ".join([passage.title, *passage.chunk.headings]))
    lines = [analysis.terms(passage.text[start:end]) for start, end in sentences(passage.text)]
    return [title + a + b for a, b in pairwise([*lines, []])] or [title]


def _closeness(asked: Sequence[str], weights: dict[str, float], windows: Sequence[Sequence[str]]) -> float:
    pairs = set(pairwise(asked))
    most = 0.0
    for window in windows:
        there = set(window)
        covered = sum(weight for term, weight in weights.items() if term in there)
        in_order = sum(min(weights[a], weights[b]) for a, b in pairs & set(pairwise(window)))
        most = max(most, covered + PAIRS * in_order)
    return most
