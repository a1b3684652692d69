"""Search: names first, then the text, then what is spelled like a name; any text is a query."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glossary.library import Library
from glossary.model import Entry, Section
from glossary.search import MARK, Index


def page(slug: str, text: str = "", aliases: tuple[str, ...] = (), digest: str = "1") -> Entry:
    title = slug.replace("-", " ").capitalize()
    return Entry(
        slug=slug, title=title, path=f"{slug}.md", aliases=aliases, one_line=f"About {slug}.", digest=digest,
        sections=(Section("How it works", text, 1),),
    )  # fmt: skip


LIBRARY = Library(
    [
        page("learning-rate", "How far one step moves the weights.", ("step size",)),
        page("embedding", "A table of vectors. The learning rate moves them. Café.", ("embeddings", "word vectors")),
        page("transformer", "Stacks of attention; each embedding is mixed."),
        page("retrieval-augmented-generation", "Looks things up first.", ("RAG",)),
    ]
)
INDEX = Index(LIBRARY)


def slugs(query: str) -> list[str]:
    return [hit.slug for hit in INDEX.search(query)]


def test_a_name_comes_before_the_text_that_mentions_it():
    assert slugs("learning rate")[:2] == ["learning-rate", "embedding"]
    assert slugs("embedding")[:2] == ["embedding", "transformer"]


def test_an_alias_says_what_it_is():
    hit = INDEX.search("rag")[0]
    assert (hit.slug, hit.why) == ("retrieval-augmented-generation", "also called RAG")
    assert INDEX.search("Step-Size")[0].slug == "learning-rate"


@pytest.mark.parametrize("query", ["l", "le", "learn", "learning r", "learning rat", "learning rates"])
def test_each_key_of_a_name_finds_it(query: str):
    assert slugs(query)[0] == "learning-rate"


def test_the_text_is_found_with_the_place_marked():
    hit = INDEX.search("weights moves")[0]
    assert (hit.slug, hit.why) == ("learning-rate", "in the text")
    assert MARK in hit.snippet
    assert hit.one_line == "About learning-rate."


@pytest.mark.parametrize(
    ("query", "slug"), [("transfomer", "transformer"), ("embeding", "embedding"), ("lerning rate", "learning-rate")]
)
def test_a_slip_of_the_keyboard_is_forgiven_and_said(query: str, slug: str):
    hit = INDEX.search(query)[0]
    assert hit.slug == slug
    assert hit.why.startswith("spelled like")


def test_accents_and_capitals_do_not_matter():
    assert slugs("CAFE") == slugs("café") == ["embedding"]


def test_a_question_in_words_is_answered_by_any_of_them():
    assert slugs("what makes all these weights shrink?")[0] == "learning-rate"


def test_planned_entries_are_found_as_coming():
    hit = INDEX.search("dropout")[0]
    assert (hit.slug, hit.why) == ("dropout", "coming")


@pytest.mark.parametrize(
    "query",
    ['"', "'", "*", "AND", "NOT x", "NEAR(a b)", "title:", "x*", "(", "^a", "-", "+", "a AND",
     '"; DROP TABLE search_text; --', "{", "\x00", "\ud800", " " * 500, "a" * 10_000, "%", "_", ":" * 50,
     "你好", "e\u0301"],
)  # fmt: skip
def test_no_query_is_a_syntax_error(query: str):
    INDEX.search(query)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_query(query: str):
    assert all(hit.slug for hit in INDEX.search(query))


def test_an_empty_query_finds_nothing():
    assert slugs("") == slugs("?!") == INDEX.search("embedding", limit=0) == []


def test_the_limit_holds():
    assert len(INDEX.search("a", limit=2)) <= 2


class TestOnDisk:
    """The index is kept in a database, made again on any doubt, and leaves what else lies there alone."""

    def test_it_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        Index(LIBRARY, tmp_path / "app.db").close()
        monkeypatch.setattr("glossary.search._build", lambda *_: pytest.fail("built again"))
        assert Index(LIBRARY, tmp_path / "app.db").search("embedding")

    def test_a_changed_entry_builds_it_anew(self, tmp_path: Path):
        Index(LIBRARY, tmp_path / "app.db").close()
        changed = Library([page("embedding", "Zebra.", digest="2")])
        assert Index(changed, tmp_path / "app.db").search("zebra")[0].slug == "embedding"

    def test_a_half_index_builds_it_anew(self, tmp_path: Path):
        Index(LIBRARY, tmp_path / "app.db").close()
        with sqlite3.connect(tmp_path / "app.db") as database:
            database.execute("DROP TABLE search_names")
        assert Index(LIBRARY, tmp_path / "app.db").search("rag")[0].slug == "retrieval-augmented-generation"

    def test_an_index_that_breaks_while_it_is_used_goes_on_in_memory(self, tmp_path: Path):
        index = Index(LIBRARY, tmp_path / "app.db")
        with sqlite3.connect(tmp_path / "app.db") as database:
            database.execute("DROP TABLE search_names")
        assert index.search("rag")[0].slug == "retrieval-augmented-generation"

    def test_other_tables_stay(self, tmp_path: Path):
        with sqlite3.connect(tmp_path / "app.db") as database:
            database.execute("CREATE TABLE record (note TEXT)")
            database.execute("INSERT INTO record VALUES ('mine')")
        Index(LIBRARY, tmp_path / "app.db").close()
        with sqlite3.connect(tmp_path / "app.db") as database:
            assert database.execute("SELECT note FROM record").fetchall() == [("mine",)]

    @pytest.mark.parametrize(
        "content", [b"this is no database at all, but long enough to be taken for one" * 20, b"SQLite format 3\x00"]
    )
    def test_a_file_that_is_no_database_is_left_as_it_is(self, tmp_path: Path, content: bytes):
        (tmp_path / "app.db").write_bytes(content)
        assert Index(LIBRARY, tmp_path / "app.db").search("embedding")[0].slug == "embedding"
        assert (tmp_path / "app.db").read_bytes().startswith(content[:12])

    def test_a_place_that_cannot_be_used_means_memory(self, tmp_path: Path):
        assert Index(LIBRARY, tmp_path / "no" / "such" / "app.db").search("embedding")
