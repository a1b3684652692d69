"""An index: searched, updated, kept in a folder; never half of one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import DataError, UsageError
from engine.retrieval import stored
from engine.retrieval.dense import Floats, SentenceEmbedder, unit
from engine.retrieval.documents import Document
from engine.retrieval.index import Index, Settings
from engine.retrieval.stored import HEADER, load, refresh, save

DOCUMENTS = (
    Document("cats.md", "Cats", "# Sleep\nCats sleep sixteen hours. They dream.\n\n# Food\nCats eat fish and mice."),
    Document("dogs.md", "Dogs", "Dogs bark at night. A dog guards the house."),
    Document("fish.md", "Fish", "Fish swim in water. Sharks are fish with teeth."),
)


class Letters:
    """An embedder that counts letters and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        return unit(np.array([[text.lower().count(letter) for letter in "aeiou"] for text in texts], np.float32))


def same(one: Index, other: Index) -> bool:
    return (
        one.documents == other.documents
        and one.chunks == other.chunks
        and all(
            left.terms == right.terms and all((a == b).all() for a, b in zip(arrays(left), arrays(right), strict=True))
            for left, right in ((one.counts, other.counts), (one.pieces, other.pieces))
        )
        and np.array_equal(one.vectors, other.vectors)
    )


def arrays(counts: stored.Counts) -> list[np.ndarray]:
    return [counts.starts, counts.columns, counts.times]


@pytest.mark.parametrize("method", ["bm25", "dense", "hybrid"])
def test_a_question_finds_its_passage_by_every_method(method: str) -> None:
    index = Index.of(DOCUMENTS)
    found = index.search("What do cats eat?", 2, method)  # type: ignore[arg-type]
    assert found[0].text == "Cats eat fish and mice." and found[0].chunk.headings == ("Food",)
    assert index.rank_documents("barking", 5, "bm25") == ["dogs.md"]
    assert index.search("zebra quux", 5, method) == []  # type: ignore[arg-type]


def test_pieces_of_words_forgive_a_misspelling() -> None:
    index = Index.of(DOCUMENTS)
    assert index.search("sharx", method="bm25") == []
    assert index.rank_documents("sharx") == ["fish.md"]


def test_without_dense_vectors_only_words_count() -> None:
    index = Index.of(DOCUMENTS, Settings(dense="none"))
    assert index.rank_documents("dogs")[0] == "dogs.md"
    with pytest.raises(UsageError, match="no dense vectors"):
        index.search("dogs", method="dense")
    with pytest.raises(UsageError, match="bm25"):
        index.search("dogs", method="bm52")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("documents", "said"),
    [((), "no document"), ((DOCUMENTS[0], DOCUMENTS[0]), "same path"), ((Document("a", "", "***"),), "no words")],
)
def test_what_cannot_be_indexed_is_said(documents: tuple[Document, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Index.of(documents)


def test_an_update_is_a_fresh_index_and_says_what_changed() -> None:
    index = Index.of(DOCUMENTS)
    new = Document("birds.md", "Birds", "Birds sing in the morning.")
    later = (replace(DOCUMENTS[0], text="Cats purr."), DOCUMENTS[2], new)
    updated, changes = index.updated(later)
    assert same(updated, Index.of(later))
    assert (changes.added, changes.changed, changes.removed, changes.kept) == (
        ("birds.md",), ("cats.md",), ("dogs.md",), 1,
    )  # fmt: skip
    assert updated.updated(later)[0] is updated


def test_only_new_passages_are_embedded_again() -> None:
    letters = Letters()
    index = Index.of(DOCUMENTS, embedder=letters)
    letters.asked.clear()
    later = (*DOCUMENTS[:2], replace(DOCUMENTS[2], text="Rays are flat."))
    updated, _ = index.updated(later)
    assert letters.asked == ["Fish\nRays are flat."]
    assert same(updated, Index.of(later, embedder=Letters()))


def test_a_model_that_is_not_here_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.retrieval.dense.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"Install sentence-transformers or fastembed, or use lsa\."):
        SentenceEmbedder("all-MiniLM-L6-v2")(["text"])


def test_a_kept_index_is_the_same_and_nothing_of_the_one_before_stays(tmp_path: Path) -> None:
    index = Index.of(DOCUMENTS)
    save(Index.of(DOCUMENTS[:1]), tmp_path / "index")
    save(index, tmp_path / "index")
    opened = load(tmp_path / "index")
    assert same(opened, index)
    assert opened.search("cats eat", 3) == index.search("cats eat", 3)
    assert len([path for path in (tmp_path / "index").iterdir() if not path.name.startswith(".")]) == 3


def test_a_crash_between_two_files_leaves_the_index_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Index.of(DOCUMENTS)
    save(before, tmp_path)
    write, done = stored.write_whole, []

    def failing(path: Path, content: bytes) -> None:
        if len(done) == 2:
            raise OSError(28, "No space left on device")
        done.append(path)
        write(path, content)

    monkeypatch.setattr(stored, "write_whole", failing)
    with pytest.raises(DataError, match="No space left"):
        save(Index.of(DOCUMENTS[:2]), tmp_path)
    assert same(load(tmp_path), before)


def test_newer_damaged_and_missing_indexes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no index"):
        load(tmp_path)
    save(Index.of(DOCUMENTS), tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps({**header, "format": stored.FORMAT + 1}))
    with pytest.raises(DataError, match=r"has format \d+; this Lexigrad reads"):
        load(tmp_path)
    for bad in ("{", "[]", '{"format": null}'):
        (tmp_path / HEADER).write_text(bad)
        with pytest.raises(DataError, match="damaged"):
            load(tmp_path)
    (tmp_path / HEADER).write_text(json.dumps({**header, "arrays": "../../etc/passwd"}))
    with pytest.raises(DataError, match="damaged"):
        load(tmp_path)
    (tmp_path / HEADER).write_text(json.dumps(header))
    part = tmp_path / header["arrays"]
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(DataError, match="damaged"):
        load(tmp_path)
    part.unlink()
    with pytest.raises(DataError, match="lacks one of its parts"):
        load(tmp_path)


def test_a_folder_is_indexed_once_and_then_only_refreshed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, place = tmp_path / "texts", tmp_path / "index"
    texts.mkdir()
    for each in DOCUMENTS:
        (texts / each.path).write_text(each.text)
    index, changes, _ = refresh(texts, place)
    assert len(changes.added) == 3
    (texts / "dogs.md").unlink()
    index, changes, collection = refresh(texts, place)
    assert changes.removed == ("dogs.md",) and changes.kept == 2
    assert same(load(place), Index.of(collection.documents))
    monkeypatch.setattr(stored, "save", lambda *_: pytest.fail("nothing changed, so nothing is written"))
    assert refresh(texts, place)[1].kept == 2
    monkeypatch.undo()
    (place / HEADER).write_text("{")
    assert len(refresh(texts, place)[1].added) == 2
    index, changes, _ = refresh(texts, place, Settings(dense="none"))
    assert len(changes.added) == 2 and index.vectors.shape[1] == 0
