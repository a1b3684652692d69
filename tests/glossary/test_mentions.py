"""A text mentions a term by title or alias, in any number, longest first."""

from __future__ import annotations

import pytest

from glossary.mentions import Mentions, singular

TERMS = Mentions(
    [
        ("Attention", "attention"),
        ("self-attention", "self-attention"),
        ("Learning rate", "learning-rate"),
        ("Loss function", "loss-function"),
        ("losses", "loss-function"),
        ("GAN", "generative-adversarial-network"),
        ("RAG", "retrieval-augmented-generation"),
        ("vocabulary", "vocabulary"),
        ("gradient", "derivative-and-gradient"),
        ("training sets", "data-split"),
    ]
)


def found(text: str) -> list[tuple[str, str]]:
    return [(text[each.start : each.end], each.slug) for each in TERMS.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The learning rates were", [("learning rates", "learning-rate")]),
        ("a learning-rate of", [("learning-rate", "learning-rate")]),
        ("the learning\nrate is", [("learning\nrate", "learning-rate")]),
        ("Losses and vocabularies", [("Losses", "loss-function"), ("vocabularies", "vocabulary")]),
        ("self-attention", [("self-attention", "self-attention")]),
        ("two GANs", [("GANs", "generative-adversarial-network")]),
        ("a gradient's size", [("gradient's", "derivative-and-gradient")]),
    ],
)
def test_terms_are_found_in_the_forms_that_people_write(text: str, expected: list[tuple[str, str]]):
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    ["learning. Rate it", "learning, rate", "a rag doll", "pay attention to", "pays close attention",
     "gradient-norm panel", "multi-gradient", "Training sets a parameter", "learning\n\nrate", ""],
)  # fmt: skip
def test_what_only_looks_like_a_term_is_none(text: str):
    assert found(text) == []


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("Losses", "loss"),
        ("bias", "bias"),
        ("classes", "class"),
        ("indexes", "index"),
        ("gradient's", "gradient"),
        ("gas", "gas"),
    ],
)
def test_the_singular_of_a_word(word: str, one: str):
    assert singular(word) == one
