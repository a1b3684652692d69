"""Index a collection, ask every judged question by every search, answer with and without, and say what it took."""

from __future__ import annotations

import time
from typing import cast

import numpy as np

from engine.core.errors import UsageError
from engine.core.events import Table
from engine.labs.rag.answering import answer_all
from engine.labs.rag.collection import read_collection
from engine.labs.rag.lab import METHODS, TITLES, Retrieval
from engine.labs.rag.searches import DEPTH, TOP, Rankings, ask_all
from engine.labs.workbench import Workbench
from engine.retrieval.chunks import Chunking, Kind
from engine.retrieval.index import NONE, Index, Settings
from engine.retrieval.judged import Judged
from engine.retrieval.metrics import interval

LENGTHS = (40, 80, 160, 320)
"""Words in a passage that are tried."""
SWEPT = 2000
"""Documents up to which they are tried."""
BATCH = 25
SHOWN = 12


def measure(bench: Workbench) -> None:
    """Measure every search on the judged questions, then what passages are worth to an answer."""
    asked = cast(Retrieval, bench.settings)
    if asked.embedder == NONE:
        raise UsageError("Without embeddings there is nothing to compare.", "Take lsa, or a model on this machine.")
    judged, said = read_collection(asked, bench.seed)
    batches = -(-len(judged.questions) // BATCH)
    lengths = LENGTHS if len(judged.documents) <= SWEPT else ()
    bench.start(total_steps=1 + batches * (2 if judged.answers else 1) + len(lengths))
    for sentence in said:
        bench.say(sentence)

    bench.enter("indexing")
    began = time.perf_counter()
    index = Index.of(judged.documents, settings_of(asked, asked.chunking, asked.chunk_words, bench.seed))
    bench.figures["index/seconds"] = time.perf_counter() - began
    bench.say(
        f"{len(judged.documents):,} documents, {len(index.chunks):,} passages, "
        f"{len(judged.questions):,} questions; indexed in {bench.figures['index/seconds']:.1f} s."
    )
    bench.advance()

    bench.enter("searching")
    found: dict[str, Rankings] = {}
    for found in ask_all(index, judged, asked, batch=BATCH):
        bench.emit(table_of(found, judged))
        scores = {f"{name}__recall": float(one.values(judged, "recall", TOP).mean()) for name, one in found.items()}
        bench.advance(**scores)
    bench.emit(won_and_lost(found, judged))
    bench.figures |= figures(found, judged, bench.seed)

    bench.enter("cutting")
    cut_every_way(bench, judged, asked, lengths)
    if judged.answers:
        bench.enter("answering")
        bench.figures |= answer_all(bench, index, judged, asked, BATCH)


def settings_of(asked: Retrieval, kind: str, words: int, seed: int) -> Settings:
    """Return how the index is made."""
    chunking = Chunking(cast(Kind, kind), words, min(asked.overlap, words - 1))
    return Settings(chunking=chunking, dense=asked.embedder, dimensions=asked.dimensions, seed=seed)


def table_of(found: dict[str, Rankings], judged: Judged) -> Table:
    """Return every search with its measures, their intervals over questions, and its time."""
    rows = []
    for name, one in found.items():
        recall = interval(one.values(judged, "recall", TOP), resamples=300)
        rows.append(
            [
                TITLES[name],
                f"{one.values(judged, 'recall', 1).mean():.3f}",
                f"{recall.mean:.3f}",
                f"{recall.low:.3f} to {recall.high:.3f}",
                f"{one.values(judged, 'MRR', DEPTH).mean():.3f}",
                f"{one.values(judged, 'nDCG', DEPTH).mean():.3f}",
                f"{1e3 * float(np.median(one.seconds)):.1f}",
                f"{1e3 * float(np.quantile(one.seconds, 0.95)):.1f}",
            ]
        )
    columns = ["search", "recall@1", "recall@5", "95 %", "MRR@10", "nDCG@10", "median ms", "p95 ms"]
    return Table(name="searches", columns=columns, rows=rows)


def won_and_lost(found: dict[str, Rankings], judged: Judged) -> Table:
    """Return questions of which only one of the two searches has the right passage in the top 5."""
    words, dense, fused = (found[name].values(judged, "recall", TOP) for name in METHODS[:3])
    rows = [
        [question, TITLES["bm25" if one > other else "dense"], "yes" if both else "no"]
        for question, one, other, both in zip(judged.questions.values(), words, dense, fused, strict=True)
        if one != other
    ]
    return Table(name="won and lost", columns=["question", "found by", "found fused"], rows=rows[:SHOWN])


def figures(found: dict[str, Rankings], judged: Judged, seed: int) -> dict[str, float]:
    """Return what the statements are judged by; differences with their intervals over the same questions."""
    out: dict[str, float] = {"questions": float(len(judged.questions)), "documents": float(len(judged.documents))}
    for name, one in found.items():
        out[f"{name}/recall"] = float(one.values(judged, "recall", TOP).mean())
        out[f"{name}/mrr"] = float(one.values(judged, "MRR", DEPTH).mean())
        out[f"{name}/ndcg"] = float(one.values(judged, "nDCG", DEPTH).mean())
    better = "bm25" if out["bm25/recall"] > out["dense/recall"] else "dense"
    fused = found["hybrid"]
    out |= gap("recall", fused.values(judged, "recall", TOP) - found[better].values(judged, "recall", TOP), seed)
    out |= gap("mrr", fused.values(judged, "MRR", DEPTH) - found["bm25"].values(judged, "MRR", DEPTH), seed)
    again = found["reranked"].values(judged, "MRR", DEPTH) - fused.values(judged, "MRR", DEPTH)
    out |= gap("reranked", again, seed)
    out["query/p50"] = 1e3 * float(np.median(fused.seconds))
    out["query/p95"] = 1e3 * float(np.quantile(fused.seconds, 0.95))
    return out


def gap(name: str, differences: np.ndarray, seed: int) -> dict[str, float]:
    """Return the mean of one difference a question, with its interval over questions."""
    found = interval(differences, seed)
    return {f"gap/{name}": found.mean, f"gap/{name}/low": found.low, f"gap/{name}/high": found.high}


def cut_every_way(bench: Workbench, judged: Judged, asked: Retrieval, lengths: tuple[int, ...]) -> None:
    """Show how the length of a passage changes what the fused search finds."""
    rows = []
    for words in lengths:
        index = Index.of(judged.documents, settings_of(asked, "sentences", words, bench.seed))
        (*_, found) = ask_all(index, judged, asked, ("hybrid",), batch=10**9)
        one = found["hybrid"]
        rows.append(
            [
                str(words),
                f"{len(index.chunks):,}",
                f"{one.values(judged, 'recall', TOP).mean():.3f}",
                f"{one.values(judged, 'MRR', DEPTH).mean():.3f}",
                f"{1e3 * float(np.quantile(one.seconds, 0.95)):.1f}",
            ]
        )
        columns = ["words at most", "passages", "recall@5", "MRR@10", "p95 ms"]
        bench.emit(Table(name="cuts", columns=columns, rows=list(rows)))
        bench.advance()
