"""Dense vectors: a text as a point, near in meaning as near in angle, and exact search among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.core.errors import DataError

Floats = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Anything that turns texts into vectors."""

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return one vector a text (N, D)."""
        ...


def unit(vectors: npt.NDArray[np.floating]) -> Floats:
    """Return the vectors at length 1, so that a product is a cosine; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = (vectors / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)
    return scaled


def cosines(vectors_ND: Floats, query_D: Floats) -> Floats:
    """Return the cosine of every vector with the query (N); both at length 1. Exact: every vector is looked at."""
    scores: Floats = vectors_ND @ query_D
    return scores


class SentenceEmbedder:
    """A pre-trained sentence-embedding model, through sentence-transformers or fastembed where one is installed.

    The model has to lie on this machine already: nothing is downloaded here. It is loaded at the first call.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        """Folder of the model, or its name in the package's own cache."""
        self._encode: Callable[[Sequence[str]], Any] | None = None

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 a text (N, D).

        Raises:
            DataError: no such package is installed, the model is not here, or what it gave is no table of vectors.
        """
        if self._encode is None:
            self._encode = _encoder(self.model)
        if not texts:
            return np.zeros((0, 0), np.float32)
        vectors = np.asarray(self._encode(texts), np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise DataError(f"The model {self.model} gave no finite vector for every text.", "Choose another model.")
        return unit(vectors)


def _encoder(model: str) -> Callable[[Sequence[str]], Any]:
    """Load the model with the first package that is installed."""
    for package, load in (("sentence_transformers", _sentence_transformers), ("fastembed", _fastembed)):
        if find_spec(package) is None:
            continue
        try:
            return load(import_module(package), model)
        except Exception as error:  # whatever the package raises, the person has to hear which model it was
            raise DataError(
                f"{package} could not load the model {model}: {error}.", "Put it on this machine first, or use lsa."
            ) from error
    raise DataError(
        "No package for sentence embeddings is installed.", "Install sentence-transformers or fastembed, or use lsa."
    )


def _sentence_transformers(package: Any, model: str) -> Callable[[Sequence[str]], Any]:
    loaded = package.SentenceTransformer(model, local_files_only=True)
    return lambda texts: loaded.encode(list(texts), show_progress_bar=False)


def _fastembed(package: Any, model: str) -> Callable[[Sequence[str]], Any]:
    loaded = package.TextEmbedding(model_name=model, local_files_only=True)

    def encode(texts: Iterable[str]) -> Any:
        return list(loaded.embed(list(texts)))

    return encode
