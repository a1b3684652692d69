"""BLEU: cases that one computes by hand, and words cut as mteval-v13a cuts them."""

from __future__ import annotations

import math

import pytest

from engine.data.bleu import bleu, precisions, tokenize


def test_a_case_computed_by_hand() -> None:
    translation, reference = "the cat sat on mat today", "the cat sat on the mat today"
    # 6 of 6 words, 4 of 5 pairs, 2 of 4 triples, 1 of 3 fours; 6 words for 7
    counts = precisions([translation.split()], [reference.split()])
    assert counts == [(6, 6), (4, 5), (2, 4), (1, 3)]
    expected = 100 * math.exp(1 - 7 / 6) * (1 * 4 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert bleu([translation], [reference]) == pytest.approx(expected) == pytest.approx(51.15, abs=0.01)


def test_a_word_that_is_repeated_counts_as_often_as_the_reference_has_it() -> None:
    # The example of the paper: 2 of 7, not 7 of 7.
    assert precisions([["the"] * 7], [["the", "cat", "is", "on", "the", "mat"]])[0] == (2, 7)


def test_sentences_are_counted_together() -> None:
    translations, references = ["a b c d e", "x y"], ["a b c d e", "x z"]
    # 6/7, 4/5, 3/3, 2/2: the second sentence has no match of two, yet the set has
    assert bleu(translations, references) == pytest.approx(100 * (6 / 7 * 4 / 5) ** 0.25)


def test_the_best_and_the_worst() -> None:
    text = ["A man, in a blue shirt, is standing.", "Two dogs play."]
    assert bleu(text, text) == pytest.approx(100)
    assert bleu(["", ""], text) == 0 == bleu(["no match at all here", "none"], text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A dog's ball, red.", ["A", "dog's", "ball", ",", "red", "."]),
        ("It costs $1,000.50 (or 3-4%)!", ["It", "costs", "$", "1,000.50", "(", "or", "3", "-", "4", "%", ")", "!"]),
        ("T-shirts &amp; &quot;hats&quot;", ["T-shirts", "&", '"', "hats", '"']),
        ("in 2016. Then", ["in", "2016", ".", "Then"]),
    ],
)
def test_words_and_signs_are_told_apart(text: str, words: list[str]) -> None:
    assert tokenize(text) == words
