"""The contestants: indexes of FAISS, each with the dial that trades recall for time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from engine.labs.vector_database.lab import BATCH

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

PROBES = (1, 2, 4, 8, 16, 32)
RECHECK = 10
"""How many times k candidates the full vectors are compared for."""
_TRAINED = 20_000
"""Vectors that centers and codes are learned from; more would cost seconds and gain little."""


@dataclass(frozen=True)
class Built:
    """An index, ready to search."""

    name: str
    search: Any
    """FAISS's index."""
    seconds: float
    size: int
    """Bytes of the whole, as it would be written to disk."""
    dial: str = ""
    """What is turned: ``ef`` or ``probes``; empty where there is nothing to turn."""
    settings: Sequence[int] = (0,)

    def turn(self, setting: int) -> None:
        """Set the dial."""
        if self.dial == "ef":
            self.search.hnsw.efSearch = setting
        elif self.dial == "probes":
            self.search.nprobe = setting


def alone() -> None:
    """Let FAISS use one thread, so that indexes are compared and not schedulers."""
    faiss.omp_set_num_threads(1)


def exact(vectors_ND: Floats) -> Any:
    """Return the index that compares the query with every vector."""
    return faiss.IndexFlatIP(vectors_ND.shape[1])


def hnsw(vectors_ND: Floats, links: int, breadth: int) -> Any:
    """Return a graph with `links` (M) links a vector, 2 M on its bottom floor, built with searches of that breadth."""
    graph = faiss.IndexHNSWFlat(vectors_ND.shape[1], links, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = breadth
    return graph


def cells(vectors_ND: Floats) -> Any:
    """Return cells around about sqrt(n) centers."""
    width = vectors_ND.shape[1]
    count = max(4, round(len(vectors_ND) ** 0.5))
    centers = faiss.IndexFlatIP(width)
    found = faiss.IndexIVFFlat(centers, width, count, faiss.METRIC_INNER_PRODUCT)
    found.cp.niter = 8
    found.cp.max_points_per_centroid = max(39, _TRAINED // count)
    return found


def whole_bytes(vectors_ND: Floats) -> Any:
    """Return all vectors with 8 bits a number, compared one by one."""
    return faiss.IndexScalarQuantizer(vectors_ND.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)


def pieces(width: int) -> int:
    """Return into how many pieces a vector is cut, one byte each: about one for every 6 numbers."""
    return max(count for count in range(1, max(2, width // 6 + 1)) if width % count == 0)


def codes(vectors_ND: Floats) -> Any:
    """Return product quantization (Jegou et al. 2011): each piece of a vector named by the nearest of 256 centers."""
    width = vectors_ND.shape[1]
    found = faiss.IndexPQ(width, pieces(width), 8, faiss.METRIC_INNER_PRODUCT)
    found.pq.cp.niter = 8
    found.pq.cp.max_points_per_centroid = _TRAINED // 256
    return found


def fill(index: Any, vectors_ND: Floats, beat: Callable[[int], None]) -> Any:
    """Learn what the index needs to learn and put all vectors in; `beat` is told how many are in."""
    if not index.is_trained:
        index.train(vectors_ND[:_TRAINED])
        beat(0)
    for start in range(0, len(vectors_ND), BATCH):
        index.add(vectors_ND[start : start + BATCH])
        beat(min(start + BATCH, len(vectors_ND)))
    return index


def size_of(index: Any) -> int:
    """Return the bytes that the index takes when written."""
    return len(faiss.serialize_index(index))


def recheck(index: Any, vectors_ND: Floats, k: int, query_D: Floats) -> Places:
    """Return the best `k` by full vectors among the `RECHECK` x k candidates of an index."""
    candidates = index.search(query_D[None], RECHECK * k)[1][0]
    candidates = candidates[candidates >= 0]
    order = np.argsort(-(vectors_ND[candidates] @ query_D), kind="stable")[:k]
    best: Places = candidates[order]
    return best


def nearest(vectors_ND: Floats, queries_QD: Floats, k: int) -> Places:
    """Return the true `k` nearest of each query (Q, k), by comparing with all."""
    index = faiss.IndexFlatIP(vectors_ND.shape[1])
    index.add(vectors_ND)
    found: Places = index.search(queries_QD, k)[1]
    return found


def recall(found: Sequence[Places], truth_QK: Places) -> float:
    """Return the share of the true nearest that were found."""
    hits = [len(np.intersect1d(ours, true)) for ours, true in zip(found, truth_QK, strict=True)]
    return float(np.sum(hits) / truth_QK.size)
