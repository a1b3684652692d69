"""A language with a known entropy, and tasks that only examples reveal."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
import torch

from engine.data.examples import Corpus
from engine.data.load import load
from engine.data.made_language import LETTERS, ORDER, PARTS, STATES, made_language
from engine.data.many_tasks import RULES, best_guess, document, turned


class Knobs:
    examples = 0


def test_chances_are_whole_parts_that_sum_to_one() -> None:
    chances = made_language().chances
    assert chances.shape == (STATES, len(LETTERS))
    assert np.array_equal(chances.sum(1), np.ones(STATES)) and np.array_equal(
        chances * PARTS, np.round(chances * PARTS)
    )


def test_the_entropy_is_what_the_text_surprises_with() -> None:
    language = made_language()
    surprises = language.surprises(language.write(400_000, 3))
    error = surprises.std() / math.sqrt(len(surprises))
    assert surprises.mean() == pytest.approx(language.entropy, abs=8 * error)  # neighbors are not independent
    assert language.entropy < np.log(len(LETTERS))


def test_one_more_letter_leaves_the_shares_of_the_states_as_they_are() -> None:
    language = made_language()
    share = language.shares
    moved = np.zeros(STATES)
    for state in np.argsort(share)[-2000:]:
        for letter in range(len(LETTERS)):
            moved[(int(state) << 4 | letter) % STATES] += share[state] * language.chances[state, letter]
    assert share.sum() == pytest.approx(1.0) and (moved <= share + 1e-9).all() and moved.sum() > 0.5


def test_letters_follow_four_letters_as_often_as_they_should() -> None:
    language = made_language()
    text = language.write(300_000, 4)
    often, count = Counter(text[i : i + ORDER] for i in range(len(text) - ORDER)).most_common(1)[0]
    after = Counter(text[i + ORDER] for i in range(len(text) - ORDER) if text[i : i + ORDER] == often)
    state = int(language.states(often + " ")[-1])
    for letter, chance in zip(LETTERS, language.chances[state], strict=True):
        assert after[letter] / count == pytest.approx(chance, abs=4 * math.sqrt(0.25 / count))


def test_the_same_seed_writes_the_same_text_and_a_longer_one_begins_with_it() -> None:
    language = made_language()
    assert language.write(500, 1) == language.write(500, 1) != language.write(500, 2)
    assert language.write(900, 1)[:500] == language.write(500, 1)


@pytest.mark.parametrize("name", ["made-language", "many-tasks"])
def test_both_are_texts_that_a_model_can_be_trained_on(name: str) -> None:
    corpus = load(name, Knobs(), 0, torch.device("cpu"))
    assert isinstance(corpus, Corpus) and len(corpus.train) > 1_000_000
    assert set(corpus.valid) <= set(corpus.train)


def test_rules_do_what_their_names_say() -> None:
    done = {name: rule("cab") for name, rule in RULES.items()}
    assert done == {
        "copy": "cab", "reverse": "bac", "upper case": "CAB", "next letter": "dbc", "sort": "abc", "first": "c",
        "last": "b", "count": "3",
    }  # fmt: skip
    assert turned("fa", 1) == "ab" and RULES["count"]("aba") == "2"


def test_a_document_shows_one_rule() -> None:
    draw = random.Random(0)
    for _ in range(50):
        text = document(draw).strip().replace(": ", ">").replace(", ", ";").rstrip(",;")
        pairs = [each.split(">") for each in text.split(";")]
        assert any(all(rule(word) == answer for word, answer in pairs) for rule in RULES.values())


def test_the_best_guess_needs_an_example_and_survives_a_wrong_one() -> None:
    assert best_guess([("abc", "cba")], "fed") == "def"
    assert best_guess([("abc", "cba"), ("cab", "bac"), ("abd", "ABD")], "fed") == "def"
    draw = random.Random(1)
    queries = ["".join(draw.choices("abcdef", k=3)) for _ in range(200)]
    right = [best_guess([], query) == RULES["upper case"](query) for query in queries]
    assert sum(right) < 100
