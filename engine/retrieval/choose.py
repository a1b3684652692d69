"""Choosing the right answer among several: once from the question alone, once with passages beside it.

It measures what passages are worth to whoever answers, and it needs no model that writes. The same reader does both, so
the difference is the passages'.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.retrieval.index import Index, Passage

RANK = 0.85
"""What a passage counts against the one before it."""


def choose(index: Index, question: str, candidates: Sequence[str], passages: Sequence[Passage] = ()) -> list[float]:
    """Return a score for each candidate answer; the highest is the choice.

    Without passages: the share of the answer's words, rare ones counting more, that the question has too. That is the
    best guess of a reader who knows the language and the subject's words and was shown no document. With passages: that
    share, plus the share that the best passage has, plus how near in meaning the answer is to it.
    """
    analysis = index.settings.analysis
    terms = [set(analysis.terms(each)) for each in candidates]
    asked = set(analysis.terms(question))
    scores = [_share(index, each, asked) for each in terms]
    if not passages:
        return scores
    shown = [set(analysis.terms(_whole(each))) for each in passages]
    found = [max(_share(index, each, one) * RANK**rank for rank, one in enumerate(shown)) for each in terms]
    near = _nearness(index, candidates, passages)
    return [a + b + c for a, b, c in zip(scores, found, near, strict=True)]


def right(scores: Sequence[float], place: int) -> float:
    """Return 1 where the candidate at `place` has the highest score, its part where several share it, else 0."""
    best = [each for each, score in enumerate(scores) if score >= max(scores) - 1e-12]
    return 1.0 / len(best) if place in best else 0.0


def _whole(passage: Passage) -> str:
    return " ".join([passage.title, *passage.chunk.headings, passage.text])


def _share(index: Index, terms: set[str], there: set[str]) -> float:
    """Return the share of the terms that are there, each by its weight."""
    total = sum(index.bm25.weight(term) for term in terms)
    return sum(index.bm25.weight(term) for term in terms & there) / total if total else 0.0


def _nearness(index: Index, candidates: Sequence[str], passages: Sequence[Passage]) -> list[float]:
    """Return the largest cosine of each candidate with a passage; 0 in an index without vectors."""
    if index.embedder is None:
        return [0.0] * len(candidates)
    near = index.embedder(list(candidates)) @ index.embedder([_whole(each) for each in passages]).T
    return [float(each) for each in np.max(near, axis=1)]
