"""Byte-pair encoding: what is merged first, that nothing is lost, and what is done with letters it never saw."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from engine.data.bpe import BytePairs, learn, merge, words_of

SENNRICH = ["low"] * 5 + ["lowest"] * 2 + ["newer"] * 6 + ["wider"] * 3
"""The words of the paper's example, as often as there."""


def naive(texts: list[str], size: int) -> tuple[str, ...]:
    """Count all pairs anew for every merge, as the paper writes it down."""
    words = [(list(word), count) for word, count in Counter(word for text in texts for word in words_of(text)).items()]
    pieces = sorted({letter for word, _ in words for letter in word})
    while len(pieces) < size:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in words:
            for pair in pairwise(word):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
        if best is None or pairs[best] < 2:
            break
        words = [(merge(word, best), count) for word, count in words]
        if "".join(best) not in pieces:
            pieces.append("".join(best))
    return tuple(pieces)


def test_the_pair_that_is_seen_most_often_is_merged_first() -> None:
    pieces = learn(SENNRICH, 16)
    letters = sorted(set(" " + "".join(SENNRICH)))
    assert list(pieces[: len(letters)]) == letters
    assert pieces[len(letters)] == "er", "9 times, as 'we' and 'wi' are not"


@pytest.mark.parametrize("size", [12, 20, 40, 400])
def test_counting_only_what_changed_finds_what_counting_all_finds(size: int) -> None:
    texts = [*SENNRICH, "banana bandana, ananas!", "aaaaaa aaaa aaa", "the then there other, the mother's"] * 3
    assert learn(texts, size) == naive(texts, size)


def test_the_pieces_joined_are_the_text() -> None:
    text = "Zwei Männer, die (am 4.3.2021) 'newer' sagten: low-lower!"
    for size in (0, 60, 200):
        assert BytePairs.join(BytePairs(learn([text] * 2, size)).cut(text)) == text


def test_no_piece_crosses_the_border_of_a_word() -> None:
    pieces = learn(["on the mat, on the hat"] * 50, 100)
    assert " the" in pieces and not any(" " in piece[1:] for piece in pieces)


def test_a_known_word_is_one_piece_and_an_unknown_letter_is_left_alone() -> None:
    pairs = BytePairs(learn(SENNRICH, 100))
    assert pairs.cut("newer lowest") == [" newer", " lowest"]
    assert "ö" in pairs.cut("löwer")


def test_a_text_is_cut_by_what_was_merged_first() -> None:
    assert BytePairs([" ", "a", "b", "c", "ab", "bc"]).cut("abc") == [" ", "ab", "c"]
    assert BytePairs([" ", "a", "b", "c", "bc", "ab"]).cut("abc") == [" ", "a", "bc"]
