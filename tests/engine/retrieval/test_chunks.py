"""Cutting: nothing is lost, nothing is longer than asked, headings go along."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.retrieval.chunks import Chunking, sentences
from engine.retrieval.documents import Document

TEXT = """---
title: T
---
Before all.

# One
First words. Second words here.

```
# not a heading
```

## Inside
Deep text.

# Two ##
Last text.
"""


def cut(text: str, chunking: Chunking) -> list[str]:
    return [text[each.start : each.end] for each in chunking.chunks(Document("d", "", text))]


def test_headings_cut_and_name_what_stands_under_them() -> None:
    chunks = Chunking("headings").chunks(Document("d", "T", TEXT))
    assert [each.headings for each in chunks] == [(), ("One",), ("One", "Inside"), ("Two",)]
    assert TEXT[chunks[0].start : chunks[0].end] == "Before all."
    assert "# not a heading" in TEXT[chunks[1].start : chunks[1].end]


def test_sentences_end_where_people_think_they_do() -> None:
    text = 'Dr. Who met J. Smith in Fig. 3. "Really?" Yes! It cost 3.5 dollars e.g. here.\n\nnew paragraph'
    assert [text[a:b] for a, b in sentences(text)] == [
        "Dr. Who met J. Smith in Fig. 3.",
        '"Really?"',
        "Yes!",
        "It cost 3.5 dollars e.g. here.",
        "new paragraph",
    ]


def test_sentences_are_packed_and_repeated() -> None:
    text = "One two three. Four five. Six seven eight. Nine ten."
    assert cut(text, Chunking("sentences", 5)) == ["One two three. Four five.", "Six seven eight. Nine ten."]
    assert cut(text, Chunking("sentences", 5, 2))[1] == "Four five. Six seven eight."


def test_fixed_windows_overlap() -> None:
    assert cut("a b c d e", Chunking("fixed", 3, 1)) == ["a b c", "c d e"]


@pytest.mark.parametrize("asked", [("fixed", 0, 0), ("fixed", 3, 3), ("pages", 9, 0)])
def test_a_cutting_that_would_not_end_is_refused(asked: tuple[str, int, int]) -> None:
    with pytest.raises(UsageError):
        Chunking(*asked)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab .!?\n#`A1\"'", max_size=120),
    st.sampled_from(["headings", "sentences", "fixed"]),
    st.integers(1, 6),
    st.integers(0, 5),
)
def test_every_word_is_in_a_chunk_and_no_chunk_is_too_long(text: str, kind: str, most: int, overlap: int) -> None:
    chunking = Chunking(kind, most, min(overlap, most - 1))  # type: ignore[arg-type]
    chunks = chunking.chunks(Document("d", "", text))
    assert all(0 < len(text[each.start : each.end].split()) <= most for each in chunks)
    covered = {place for each in chunks for place in range(each.start, each.end)}
    outside = "".join(letter for place, letter in enumerate(text) if place not in covered)
    assert outside.strip() == "" if kind != "headings" else "a" not in outside.replace("#", "") or "#" in text


def test_a_hostile_text_is_cut_in_time() -> None:
    start = time.perf_counter()
    for text in ("# " + "#" * 100_000 + "x", "." + " " * 100_000 + "x", "\n" * 50_000, "." + "'" * 100_000):
        Chunking().chunks(Document("d", "", text))
    assert time.perf_counter() - start < 5.0
