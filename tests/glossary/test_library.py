"""The library finds entries by any name, knows what stands around them, and never lets a bad file hide the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from glossary import folder
from glossary.folder import CACHE_NAME
from glossary.library import OWN_TOPIC, Library
from glossary.model import Entry, Link, Section
from glossary.taxonomy import taxonomy


def entry(slug: str, **more: object) -> Entry:
    return Entry(slug=slug, title=slug.replace("-", " ").capitalize(), path=f"{slug}.md", **more)  # type: ignore[arg-type]


@pytest.fixture
def library() -> Library:
    return Library(
        [
            entry("embedding", aliases=("word vectors",), needs=("dot-product", "neural-network")),
            entry("neural-network", needs=("neuron",), sections=(Section("How it works", "", 3),)),
            entry("neuron", links=(Link("embedding", "", "", 1), Link("gpt", "", "", 2))),
            entry("large-language-model", aliases=("LLM",), related=("embedding",)),
        ]
    )


@pytest.mark.parametrize(
    "words", ["embedding", "Embeddings", "EMBEDDING", "word vector", "Word Vectors", "word-vectors"]
)
def test_an_entry_is_found_by_slug_title_and_alias_in_any_number(library: Library, words: str):
    found = library.find(words)
    assert found is not None
    assert found.slug == "embedding"


def test_what_is_not_there_is_not_found(library: Library):
    assert library.find("gpt") is None
    assert library.find("") is None
    assert library.suggest("embeding") == " Did you mean 'embedding'?"
    assert library.suggest("xyzzy") == ""


def test_a_link_leads_to_an_entry_to_a_planned_one_or_nowhere(library: Library):
    assert [library.standing(slug) for slug in ("embedding", "gpt", "nothing")] == ["here", "coming", "unknown"]


def test_a_link_without_words_shows_the_term(library: Library):
    assert [library.term(slug) for slug in ("large-language-model", "gpt", "adam", "data-split", "nothing")] == [
        "large language model", "GPT", "Adam", "data split", "nothing",
    ]  # fmt: skip


def test_an_address_may_name_a_section_in_words_or_as_a_slug(library: Library):
    for address in ("neural-network#How it works", "neural-network#how-it-works"):
        located = library.locate(address)
        assert located is not None
        assert located[1] is not None
        assert located[1].heading == "How it works"
    assert library.locate("neural-network") == (library.entries["neural-network"], None)
    assert library.locate("nothing#x") is None


def test_what_stands_around_an_entry(library: Library):
    around = library.neighbors("embedding")
    assert around.needs == ("dot-product", "neural-network")
    assert around.linked_from == ("neuron",)
    assert library.neighbors("neuron").needed_by == ("neural-network",)
    assert library.backlinks("gpt") == ("neuron",)


def test_the_path_to_an_entry_reads_what_it_needs_first(library: Library):
    assert library.path_to("embedding") == ("dot-product", "neuron", "neural-network", "embedding")


def test_a_ring_of_needs_does_not_hang():
    ring = Library([entry("a", needs=("b",)), entry("b", needs=("c",)), entry("c", needs=("a",))])
    assert sorted(ring.path_to("a")) == ["a", "b", "c"]


def test_topics_keep_the_order_of_the_taxonomy_and_own_entries_come_last():
    library = Library([entry("softmax"), entry("mine", origin="own")])
    topics = library.topics()
    assert [topic.slug for topic in topics[:-1]] == [topic.slug for topic in taxonomy().topics]
    assert (topics[-1].slug, topics[-1].slugs) == (OWN_TOPIC, ("mine",))
    assert "softmax" not in library.coming
    assert "relu" in library.coming


def test_a_slug_that_is_taken_is_listed_and_the_first_stays():
    library = Library([entry("a"), entry("a", origin="own")])
    assert library.entries["a"].origin == "shipped"
    assert "taken" in library.problems[0].text


def test_a_bad_file_is_listed_with_its_line_and_hides_nothing(tmp_path: Path):
    (tmp_path / "good.md").write_text("# Good\nSee [[Softmax]].")
    (tmp_path / "bad.md").write_text("---\ntitle: [x\n---\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "also good.md").write_text("Words.")
    (tmp_path / ".hidden.md").write_text("---\n")
    (tmp_path / "notes.txt").write_text("---\n")
    library = Library.load(own=tmp_path)
    mine = [each.slug for each in library.entries.values() if each.origin == "own"]
    assert sorted(mine) == ["also-good", "good"]
    assert [(each.path, each.line) for each in library.problems] == [("bad.md", 3)]


def test_strange_things_in_the_folder_do_no_harm(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "good.md").write_text("Words.")
    library = Library.load(own=tmp_path)
    assert library.entries["good"].origin == "own"
    assert Library.load(own=tmp_path / "missing").problems == ()


def test_too_many_files_are_cut_off_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder, "MOST_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.md").write_text("Words.")
    found: list[str] = []
    problems: list[object] = []
    found += [path for path, _ in folder._files(tmp_path, problems.append)]
    assert (len(found), len(problems)) == (3, 1)


class TestCache:
    """What was parsed once is found again by its content."""

    def test_it_gives_the_same_entries_without_parsing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        first = Library.load(cache=tmp_path)
        monkeypatch.setattr(folder, "parse_entry", lambda *_: pytest.fail("parsed again"))
        assert Library.load(cache=tmp_path).entries == first.entries

    def test_a_changed_file_is_parsed_again(self, tmp_path: Path):
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "a.md").write_text("# One")
        assert Library.load(own=mine, cache=tmp_path).entries["a"].title == "One"
        (mine / "a.md").write_text("# Two")
        assert Library.load(own=mine, cache=tmp_path).entries["a"].title == "Two"

    @pytest.mark.parametrize("damage", [b"", b"\x00" * 100, b"\x91" * 5000])
    def test_a_damaged_cache_is_made_again(self, tmp_path: Path, damage: bytes):
        first = Library.load(cache=tmp_path)
        (tmp_path / CACHE_NAME).write_bytes(damage)
        assert Library.load(cache=tmp_path).entries == first.entries
        assert (tmp_path / CACHE_NAME).stat().st_size > len(damage)

    def test_another_parser_does_not_trust_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        Library.load(cache=tmp_path)
        monkeypatch.setattr(folder, "_parser_digest", lambda: "another")
        assert folder._read_cache(tmp_path) == {}

    def test_a_place_that_cannot_be_written_is_done_without(self, tmp_path: Path):
        (tmp_path / "file").write_text("")
        assert Library.load(cache=tmp_path / "file" / "cache").entries
