"""Every search on every question, in turn, and how good each is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.labs.rag.lab import METHODS, Retrieval
from engine.retrieval.fusion import reciprocal_rank_fusion
from engine.retrieval.index import Index
from engine.retrieval.judged import Judged
from engine.retrieval.metrics import MEASURES, values
from engine.retrieval.rerank import LOOKED_AT, rerank

DEPTH = 10
POOL = 50
"""Documents of each ranking that fusion by rank looks at."""
TOP = 5
"""The k of recall@k."""
Ask = Callable[[str], list[str]]


@dataclass
class Rankings:
    """What one search found, and how long each question took."""

    found: dict[str, list[str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def values(self, judged: Judged, name: str, k: int) -> npt.NDArray[np.float64]:
        """Return one value of a measure for each question asked so far."""
        relevant = {question: judged.relevant[question] for question in self.found}
        return values(MEASURES[name], self.found, relevant, k)


def weights(asked: Retrieval) -> tuple[float, float, float]:
    """Return what words, pieces of words and embeddings weigh in the fused search."""
    return (1.0, 1.0, asked.dense_weight)


def searches(index: Index, asked: Retrieval) -> dict[str, Ask]:
    """Return each search as a function from a question to the documents found, best first."""
    fused = weights(asked)

    def by_rank(question: str) -> list[str]:
        rankings = [index.rank_documents(question, POOL, "bm25"), index.rank_documents(question, POOL, "dense")]
        found = reciprocal_rank_fusion(rankings, weights=(1.0, asked.dense_weight))
        return [name for name, _ in found][:DEPTH]

    def reranked(question: str) -> list[str]:
        first = rerank(index, question, index.search(question, LOOKED_AT, "hybrid", fused))
        again = dict.fromkeys(each.chunk.document for each in first)
        rest = index.rank_documents(question, DEPTH + len(again), "hybrid", fused)
        return list(again | dict.fromkeys(rest))[:DEPTH]

    return {
        "bm25": lambda question: index.rank_documents(question, DEPTH, "bm25"),
        "dense": lambda question: index.rank_documents(question, DEPTH, "dense"),
        "hybrid": lambda question: index.rank_documents(question, DEPTH, "hybrid", fused),
        "rrf": by_rank,
        "reranked": reranked,
    }


def ask_all(
    index: Index, judged: Judged, asked: Retrieval, names: Sequence[str] = METHODS, batch: int = 25
) -> Iterator[dict[str, Rankings]]:
    """Ask every question by every search, in turn; yield what there is after each batch and at the end."""
    each = {name: search for name, search in searches(index, asked).items() if name in names}
    found = {name: Rankings() for name in each}
    for number, (name, question) in enumerate(judged.questions.items(), 1):
        for method, search in each.items():
            began = time.perf_counter()
            found[method].found[name] = search(question)
            found[method].seconds.append(time.perf_counter() - began)
        if number % batch == 0 or number == len(judged.questions):
            yield found
