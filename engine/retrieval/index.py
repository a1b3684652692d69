"""An index: passages, their words and their vectors, searched by BM25, by meaning, or by both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from engine.core.errors import DataError, UsageError, suggest
from engine.retrieval.bm25 import BM25, best
from engine.retrieval.chunks import Chunk, Chunking
from engine.retrieval.counts import Counts
from engine.retrieval.dense import Embedder, Floats, SentenceEmbedder, cosines
from engine.retrieval.documents import Document
from engine.retrieval.fusion import weighted_fusion
from engine.retrieval.lsa import DIMENSIONS, LatentSemantics
from engine.retrieval.words import Analysis

Method = Literal["bm25", "dense", "hybrid"]
Progress = Callable[[int, int], None]
LSA = "lsa"
NONE = "none"

HYBRID_WEIGHTS = (1.0, 1.0, 1.0)
"""What BM25 over words, BM25 over pieces of words and dense vectors weigh, the best of each at 1: all the same.

Other weights gain up to half a point on one collection and lose as much on another."""


def silent(done: int, of: int) -> None:
    """Hear of progress and say nothing."""


@dataclass(frozen=True)
class Settings:
    """How an index is made; another setting is another index."""

    chunking: Chunking = field(default_factory=Chunking)
    analysis: Analysis = field(default_factory=Analysis)
    dense: str = LSA
    """`lsa`, `none`, or the name or folder of a sentence-embedding model."""
    dimensions: int = DIMENSIONS
    """Of latent semantic analysis; fewer where there are fewer passages."""
    seed: int = 0


@dataclass(frozen=True)
class Passage:
    """A passage that was found."""

    chunk: Chunk
    title: str
    text: str
    score: float
    """Higher is nearer; comparable within one search only."""


@dataclass(frozen=True)
class Changes:
    """What an update did, by path."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: int


@dataclass(frozen=True)
class Index:
    """Documents cut into passages, ready to be searched. Nothing in it changes; an update makes a new one."""

    settings: Settings
    documents: Mapping[str, Document]
    """By path, in the order of the paths."""
    chunks: tuple[Chunk, ...]
    counts: Counts
    """How often each term stands in each passage, title and headings counted in."""
    pieces: Counts
    """The same for the pieces of its words."""
    vectors: Floats
    """One a passage at length 1 (N, D); D is 0 without dense vectors."""
    embedder: Embedder | None

    @classmethod
    def of(
        cls,
        documents: Sequence[Document],
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        progress: Progress = silent,
    ) -> Index:
        """Index documents.

        Args:
            documents: with a path of its own each.
            settings: how; the usual ones where none are given.
            embedder: a model of one's own in place of the one that the settings name.
            progress: told how many documents are cut and counted, and of how many.

        Raises:
            DataError: there is nothing to index, or two documents have one path.
        """
        none = Counts.joined([])
        empty = cls(settings or Settings(), {}, (), none, none, np.zeros((0, 0), np.float32), embedder)
        return empty.updated(documents, embedder, progress)[0]

    def updated(
        self, documents: Sequence[Document], embedder: Embedder | None = None, progress: Progress = silent
    ) -> tuple[Index, Changes]:
        """Return the index of these documents, made from this one, and what had changed.

        Only new and changed documents are cut, counted and, by a sentence model, embedded. Latent semantics are
        learned from all passages, so they are learned again; the result is that of a fresh index.

        Raises:
            DataError: there is nothing left to index, or two documents have one path.
        """
        fresh = _by_path(documents)
        kept = {path for path, each in fresh.items() if self.documents.get(path) == each}
        if self.documents and len(kept) == len(fresh) == len(self.documents):
            return self, Changes((), (), (), len(kept))
        old = _places(self.chunks)
        analysis = self.settings.analysis
        chunks: list[Chunk] = []
        words: list[Mapping[str, int]] = []
        pieces: list[Mapping[str, int]] = []
        origins: list[int] = []
        for done, (path, document) in enumerate(fresh.items()):
            progress(done, len(fresh))
            if path in kept:
                places = old.get(path, range(0))
                chunks += [self.chunks[place] for place in places]
                words += [self.counts.row(place) for place in places]
                pieces += [self.pieces.row(place) for place in places]
                origins += places
            else:
                cut = self.settings.chunking.chunks(document)
                chunks += cut
                fresh_texts = [_indexed(document, chunk) for chunk in cut]
                words += [Counter(analysis.terms(text)) for text in fresh_texts]
                pieces += [Counter(analysis.pieces(text)) for text in fresh_texts]
                origins += [-1] * len(cut)
        progress(len(fresh), len(fresh))
        counts = Counts.joined(words)
        if not counts.terms:
            raise DataError("The documents hold no words to index.", "Choose documents with text.")
        texts = [_indexed(fresh[chunk.document], chunk) for chunk in chunks]
        vectors, embedder = self._embed(counts, texts, origins, embedder or _lasting(self.embedder))
        changes = _changes(self.documents, fresh, kept)
        return Index(self.settings, fresh, tuple(chunks), counts, Counts.joined(pieces), vectors, embedder), changes

    def _embed(
        self, counts: Counts, texts: list[str], origins: list[int], embedder: Embedder | None
    ) -> tuple[Floats, Embedder | None]:
        """Return the vector of every passage, old ones taken over where a text alone decides about them."""
        settings = self.settings
        if embedder is None and settings.dense == NONE:
            return np.zeros((len(texts), 0), np.float32), None
        if embedder is None and settings.dense == LSA:
            learned = LatentSemantics.of(counts, settings.analysis, settings.dimensions, settings.seed)
            return learned.embed(counts), learned
        embedder = embedder or SentenceEmbedder(settings.dense)
        places = np.array(origins)
        new = embedder([text for text, origin in zip(texts, origins, strict=True) if origin < 0])
        width = new.shape[1] if new.size else self.vectors.shape[1]
        if self.vectors.size and new.size and width != self.vectors.shape[1]:
            raise DataError("The index was made with another embedding model.", "Make the index anew.")
        vectors = np.empty((len(texts), width), np.float32)
        if (places >= 0).any():
            vectors[places >= 0] = self.vectors[places[places >= 0]]
        if new.size:
            vectors[places < 0] = new
        return vectors, embedder

    @cached_property
    def bm25(self) -> BM25:
        """The postings of the words."""
        return BM25.of(self.counts)

    @cached_property
    def bm25_of_pieces(self) -> BM25:
        """The postings of the pieces of words."""
        return BM25.of(self.pieces)

    def scores(self, question: str, method: Method = "hybrid", weights: Sequence[float] = HYBRID_WEIGHTS) -> Floats:
        """Return the score of every passage (N); 0 and less is not found.

        Args:
            question: as a person asks it.
            method: which search.
            weights: of the three that `hybrid` puts together.

        Raises:
            UsageError: an unknown method, or dense search in an index without vectors.
        """
        if method not in get_args(Method):
            raise UsageError(f"There is no search {method!r}.", suggest(method, list(get_args(Method))))
        analysis = self.settings.analysis
        if method == "bm25":
            return self.bm25.scores(analysis.terms(question))
        if method == "dense":
            return self._nearness(question)
        scores = [self.bm25.scores(analysis.terms(question)), self.bm25_of_pieces.scores(analysis.pieces(question))]
        if self.embedder is not None:
            scores.append(self._nearness(question))
        return weighted_fusion(scores, weights[: len(scores)])

    def _nearness(self, question: str) -> Floats:
        if self.embedder is None:
            raise UsageError("This index holds no dense vectors.", "Search by bm25, or index again with lsa.")
        return cosines(self.vectors, self.embedder([question])[0])

    def search(
        self, question: str, k: int = 5, method: Method = "hybrid", weights: Sequence[float] = HYBRID_WEIGHTS
    ) -> list[Passage]:
        """Return the best `k` passages for a question, best first; fewer where fewer have anything to do with it."""
        scores = self.scores(question, method, weights)
        return [self.passage(place, score) for place, score in best(scores, k, above=0.0)]

    def rank_documents(
        self, question: str, k: int = 10, method: Method = "hybrid", weights: Sequence[float] = HYBRID_WEIGHTS
    ) -> list[str]:
        """Return the paths of the best `k` documents, each as good as its best passage."""
        scores = self.scores(question, method, weights)
        order = np.argsort(-scores, kind="stable")
        found: dict[str, None] = {}
        for place in order[scores[order] > 0.0]:
            found.setdefault(self.chunks[place].document)
            if len(found) == k:
                break
        return list(found)

    def passage(self, place: int, score: float = 0.0) -> Passage:
        """Return the passage at a place, with its text."""
        chunk = self.chunks[place]
        document = self.documents[chunk.document]
        return Passage(chunk, document.title, document.text[chunk.start : chunk.end], score)


def _by_path(documents: Sequence[Document]) -> dict[str, Document]:
    if not documents:
        raise DataError("There is no document to index.", "Choose a folder with Markdown or text files.")
    found = {each.path: each for each in sorted(documents, key=lambda each: each.path)}
    if len(found) < len(documents):
        raise DataError("Two documents have the same path.", "Give each a path of its own.")
    return found


def _places(chunks: Sequence[Chunk]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, chunk in enumerate(chunks):
        places.setdefault(chunk.document, []).append(place)
    return places


def _indexed(document: Document, chunk: Chunk) -> str:
    """Return what a passage is found by: the title and the headings that it stands under belong to what it says."""
    return "\n".join([document.title, *chunk.headings, document.text[chunk.start : chunk.end]])


def _lasting(embedder: Embedder | None) -> Embedder | None:
    """Return an embedder that does not depend on the passages."""
    return None if isinstance(embedder, LatentSemantics) else embedder


def _changes(old: Mapping[str, Document], new: Mapping[str, Document], kept: set[str]) -> Changes:
    added = tuple(path for path in new if path not in old)
    changed = tuple(path for path in new if path in old and path not in kept)
    return Changes(added, changed, tuple(path for path in old if path not in new), len(kept))
