"""Latent semantic analysis (Deerwester et al. 1990): dense vectors learned from the very passages that are searched.

Words that keep the same company come to point the same way, so a passage can be near a question without sharing a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.retrieval.bm25 import inverse_frequencies
from engine.retrieval.counts import Counts
from engine.retrieval.dense import Floats, unit
from engine.retrieval.words import Analysis

DIMENSIONS = 128
_SPARE = 10
_POWER = 2
_NEGLIGIBLE = 1e-4
"""A direction this much weaker than the strongest is rounding."""
_BLOCK = 2048
"""Entries of the sparse matrix that are multiplied at once; bounds the memory."""


@dataclass(frozen=True)
class Sparse:
    """A sparse matrix (N, V) by rows and by columns, for products with dense ones."""

    shape: tuple[int, int]
    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    values: Floats

    def times(self, dense_VL: Floats) -> Floats:
        """Return the product (N, L)."""
        return _product(self.rows, self.columns, self.values, dense_VL, self.shape[0])

    def transposed(self) -> Sparse:
        """Return the transposed matrix (V, N), its entries in the order of its own rows."""
        order = np.argsort(self.columns, kind="stable")
        return Sparse((self.shape[1], self.shape[0]), self.columns[order], self.rows[order], self.values[order])


def _product(
    rows: npt.NDArray[np.int32], columns: npt.NDArray[np.int32], values: Floats, dense: Floats, height: int
) -> Floats:
    """Multiply entries that are sorted by row with a dense matrix, a block of entries at a time."""
    out = np.zeros((height, dense.shape[1]), np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        inside, firsts = np.unique(rows[part], return_index=True)
        out[inside] += np.add.reduceat(dense[columns[part]] * values[part, None], firsts, axis=0)
    return out


def truncated_svd(matrix: Sparse, rank: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Return the `rank` largest singular values (K) and right singular vectors (V, K).

    Randomized, with power iterations (Halko, Martinsson, Tropp 2011, algorithms 4.4 and 5.1); the same seed gives the
    same vectors. The sign of each is fixed by its largest entry.
    """
    width = min(rank + _SPARE, *matrix.shape)
    across = matrix.transposed()
    probe = np.random.default_rng(seed).standard_normal((matrix.shape[1], width), np.float32)
    basis = _orthonormal(matrix.times(probe))
    for _ in range(_POWER):
        basis = _orthonormal(matrix.times(_orthonormal(across.times(basis))))
    values, right = _principal(across.times(basis))
    kept = int(np.count_nonzero(values[:rank] > values[:1] * _NEGLIGIBLE))
    right = right[:, :kept]
    signs = np.sign(right[np.abs(right).argmax(axis=0), np.arange(kept)]) if kept else np.ones(0)
    return values[:kept], right * signs.astype(np.float32)


def _principal(tall: Floats) -> tuple[Floats, Floats]:
    """Return the singular values (L), falling, and left singular vectors (H, L) of a tall matrix (H, L).

    Through its small Gram matrix in double precision: one product in place of a tall factorization, which is many times
    slower where other work shares the cores.
    """
    gram = tall.astype(np.float64)
    squares, turn = np.linalg.eigh(gram.T @ gram)
    values = np.sqrt(np.maximum(squares[::-1], 0.0))
    scale = np.where(values > values.max(initial=0.0) * _NEGLIGIBLE, values, np.inf)
    return values.astype(np.float32), (tall @ (turn[:, ::-1] / scale)).astype(np.float32)


def _orthonormal(tall: Floats) -> Floats:
    """Return an orthonormal basis of the columns (H, L); zero columns stand where they are dependent."""
    return _principal(_principal(tall)[1])[1]


@dataclass(frozen=True)
class LatentSemantics:
    """An embedder learned from counted passages: TF-IDF, then the strongest directions of its singular vectors."""

    analysis: Analysis
    columns: dict[str, int]
    idf: Floats
    directions: Floats
    """(V, D)."""

    @classmethod
    def of(cls, counts: Counts, analysis: Analysis, dimensions: int = DIMENSIONS, seed: int = 0) -> LatentSemantics:
        """Learn the directions from the passages."""
        idf = _idf(counts)
        matrix = _weighted(counts, idf)
        _, directions = truncated_svd(matrix, dimensions, seed)
        return cls(analysis, {term: place for place, term in enumerate(counts.terms)}, idf, directions)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text (N, D); a text without a known term is the zero vector."""
        out = np.zeros((len(texts), self.directions.shape[1]), np.float32)
        for row, text in enumerate(texts):
            known = [
                (self.columns[term], times)
                for term, times in Counter(self.analysis.terms(text)).items()
                if term in self.columns
            ]
            if known:
                places, times = np.array([place for place, _ in known]), np.array([each for _, each in known])
                out[row] = ((1.0 + np.log(times)) * self.idf[places]).astype(np.float32) @ self.directions[places]
        return unit(out)

    def embed(self, counts: Counts) -> Floats:
        """Return the vectors of passages that are counted over the same vocabulary (N, D)."""
        return unit(_weighted(counts, self.idf).times(self.directions))


def _idf(counts: Counts) -> Floats:
    return inverse_frequencies(np.bincount(counts.columns, minlength=len(counts.terms)), counts.rows).astype(np.float32)


def _weighted(counts: Counts, idf: Floats) -> Sparse:
    """Return (1 + ln tf) * idf, every row at length 1."""
    rows = counts.row_of_each()
    values = (1.0 + np.log(counts.times)) * idf[counts.columns]
    lengths = np.sqrt(np.bincount(rows, weights=values**2, minlength=counts.rows))
    values = values / np.maximum(lengths[rows], 1e-12)
    return Sparse((counts.rows, len(counts.terms)), rows, counts.columns, values.astype(np.float32))
