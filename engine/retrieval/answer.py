"""An answer taken word for word from the passages: the sentences that cover the question, each with its source.

Nothing is made up, since nothing is written; whether the sentences answer the question is for the reader to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.retrieval.chunks import sentences
from engine.retrieval.index import Index, Passage

MOST_SENTENCES = 3
ENOUGH = 0.1
"""A further sentence has to cover at least this share of the question."""
RANK_DISCOUNT = 0.15
"""What a sentence loses for each place that its passage stands further down."""


@dataclass(frozen=True)
class Cited:
    """A sentence with its source."""

    text: str
    passage: int
    """Place of its passage in the list, from 1, as it is cited: [1]."""
    document: str
    start: int
    """Of the sentence in the document."""
    end: int


@dataclass(frozen=True)
class Answer:
    """The sentences in the order in which they were chosen."""

    sentences: tuple[Cited, ...]
    covered: float
    """Share of the question's weight that the sentences cover, 0 to 1; low means that the texts may not answer it."""

    def text(self) -> str:
        """Return the sentences with their citations."""
        return " ".join(f"{each.text} [{each.passage}]" for each in self.sentences)


def extract(index: Index, question: str, passages: Sequence[Passage], most: int = MOST_SENTENCES) -> Answer:
    """Return the sentences of the passages that cover the question best.

    Each choice takes the sentence that adds most of what is not yet covered, rare words counting more (idf); the
    passage's rank decides among equals and discounts what stands far down.
    """
    analysis = index.settings.analysis
    weights = {term: index.bm25.weight(term) for term in analysis.terms(question)}
    total = sum(weights.values())
    pool = [
        (cited, set(analysis.terms(cited.text)) & weights.keys())
        for rank, passage in enumerate(passages, 1)
        for cited in _sentences(passage, rank)
    ]
    chosen: list[Cited] = []
    left = dict(weights)
    while pool and len(chosen) < most:
        gains = [sum(left.get(term, 0.0) for term in terms) / _discount(cited) for cited, terms in pool]
        place = max(range(len(pool)), key=gains.__getitem__)
        if gains[place] < ENOUGH * total or not gains[place]:
            break
        cited, terms = pool.pop(place)
        chosen.append(cited)
        left = {term: weight for term, weight in left.items() if term not in terms}
    return Answer(tuple(chosen), 1.0 - sum(left.values()) / total if total else 0.0)


def _discount(cited: Cited) -> float:
    return 1.0 + RANK_DISCOUNT * (cited.passage - 1)


def _sentences(passage: Passage, rank: int) -> list[Cited]:
    chunk = passage.chunk
    return [
        Cited(passage.text[start:end], rank, chunk.document, chunk.start + start, chunk.start + end)
        for start, end in sentences(passage.text)
    ]
