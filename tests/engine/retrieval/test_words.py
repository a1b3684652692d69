"""Words, stems and pieces."""

from __future__ import annotations

import pytest

from engine.retrieval.stem import stem
from engine.retrieval.words import Analysis, words


def test_words_are_lower_case_letters_and_digits_of_any_script() -> None:
    assert words("The Panthers’ 24 wins_2, Ünder Ελλάδα ﬁsh, Bob's") == [
        "the", "panthers", "24", "wins", "2", "ünder", "ελλάδα", "fish", "bob",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "family",
    [
        "connect connected connecting connection connections",
        "hope hopes hoped hoping",
        "hop hopped hopping",
        "relate related relating relation relational",
        "generalize generalization generalizations generalized",
        "study studies studied studying",
        "invent invented inventing invention",
    ],
)
def test_the_forms_of_a_word_have_one_stem(family: str) -> None:
    assert len({stem(word) for word in family.split()}) == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("caresses", "caress"), ("ties", "tie"), ("gas", "gas"), ("gaps", "gap"), ("feed", "feed"), ("agreed", "agre"),
        ("bled", "bled"), ("sing", "sing"), ("luxuriating", "luxuri"), ("happy", "happi"), ("say", "say"),
        ("hopeful", "hope"), ("goodness", "good"), ("controlling", "control"), ("rate", "rate"), ("4th", "4th"),
        ("adjustment", "adjust"), ("national", "nation"), ("is", "is"),
    ],
)  # fmt: skip
def test_stems_are_those_of_porter_2(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_different_words_stay_different() -> None:
    assert stem("hope") != stem("hop") and stem("universe") != stem("uneven")


def test_stop_words_go_unless_there_is_nothing_else() -> None:
    assert Analysis().terms("What is the loss?") == ["loss"]
    assert Analysis().terms("To be or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert Analysis(stems=False, stops=False).terms("The losses") == ["the", "losses"]


def test_pieces_are_runs_within_words() -> None:
    assert Analysis().pieces("a cats") == ["#cat", "cats", "ats#"]
    assert Analysis(grams=0).pieces("cats") == []
