"""The vectors that are searched: a made-up collection with the structure of real embeddings, or a file of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.core.errors import DataError, UsageError

Floats = npt.NDArray[np.float32]

TOPICS = 256
INNER = 24
"""Directions in which the vectors of a topic differ; real embeddings vary in far fewer directions than they have."""
SPREAD = 0.9
"""How far the vectors of a topic lie from its center, which has length 1."""
NOISE = 0.15


class Mixture:
    """Topics of unequal size, each a flat cloud around its center.

    The n-th largest topic has a share of about 1 / n (Zipf's law), and its i-th direction a width of about
    1 / sqrt(i). Vectors have length 1, so the nearest by angle, by product and by distance are the same.
    """

    def __init__(self, dimension: int, seed: int) -> None:
        draw = np.random.default_rng([seed, 0])
        self._centers_TD = _unit(draw.standard_normal((TOPICS, dimension), np.float32))
        shapes = draw.standard_normal((TOPICS, INNER, dimension), np.float32) / np.sqrt(dimension, dtype=np.float32)
        widths = 1.0 / np.sqrt(np.arange(1, INNER + 1, dtype=np.float32))
        self._shapes_TID = (SPREAD * widths / np.linalg.norm(widths))[:, None] * shapes
        shares = 1.0 / np.arange(1, TOPICS + 1)
        self._shares = shares / shares.sum()
        self._dimension, self._draw = dimension, draw

    def sample(self, count: int) -> Floats:
        """Return vectors of length 1 that were not drawn before (N, D)."""
        topics = self._draw.choice(TOPICS, count, p=self._shares)
        noise = np.float32(NOISE / np.sqrt(self._dimension))
        vectors = self._draw.standard_normal((count, self._dimension), np.float32) * noise
        for topic in np.unique(topics):
            rows = np.flatnonzero(topics == topic)
            along = self._draw.standard_normal((len(rows), INNER), np.float32)
            vectors[rows] += self._centers_TD[topic] + along @ self._shapes_TID[topic]
        return _unit(vectors)


def read_vectors(path: Path) -> Floats:
    """Return the vectors of a ``.npy`` file at length 1 (N, D).

    Raises:
        DataError: the file is missing, holds no table of numbers, or a number that is not finite.
    """
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or 'no such file'}.", "Give a .npy file.") from None
    except (ValueError, EOFError):
        raise DataError(f"{path} is no .npy file of numbers.", "Save the vectors with numpy.save.") from None
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.dtype.kind not in "fiu" or not table.size:
        raise DataError(f"{path} holds no table of vectors.", "One row a vector, one column a dimension, and numbers.")
    vectors = np.asarray(table, np.float32)
    if not np.isfinite(vectors).all():
        raise DataError(f"{path} holds numbers that are not finite.", "Leave out the vectors that hold them.")
    return _unit(vectors)


def collection(source: str, count: int, queries: int, dimension: int, seed: int) -> tuple[Floats, Floats]:
    """Return vectors to search and vectors to search with, none of them in both.

    Args:
        source: a ``.npy`` file, or empty for a mixture of topics.
        count: how many to search; fewer where the file holds fewer.
        queries: how many to search with.
        dimension: of the mixture; a file has its own.
        seed: of the mixture, or of the order in which the file's vectors are taken.

    Raises:
        DataError: the file cannot be used.
        UsageError: it holds too few vectors.
    """
    if not source:
        made = Mixture(dimension, seed)
        return made.sample(count), made.sample(queries)
    vectors = read_vectors(Path(source).expanduser())
    if len(vectors) < queries + 1000:
        raise UsageError(
            f"{source} holds {len(vectors):,} vectors, which is too few for an index to pay.",
            f"Give a file of at least {queries + 1000:,}.",
        )
    order = np.random.default_rng([seed, 1]).permutation(len(vectors))
    return vectors[order[queries : queries + count]], vectors[order[:queries]]


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0.0, lengths, np.float32(1.0)), np.float32)
