"""Kneser-Ney against the formulas written out, by hand and by brute force."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from engine.data import ngram
from engine.data.ngram import KneserNey, ngram_losses, unigram_loss

ABRACADABRA = np.array(["abcdr".index(letter) for letter in "abracadabra"])


def written_out(tokens: list[int], vocabulary: int, order: int, history: tuple[int, ...], word: int) -> float:
    """Interpolated Kneser-Ney with the paper's formulas and dictionaries, slowly."""

    def grams(n: int) -> Counter[tuple[int, ...]]:
        return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))

    def probability(n: int, history: tuple[int, ...]) -> float:
        if n == 0:
            return 1 / vocabulary
        counts: Counter[tuple[int, ...]] = grams(n)
        if n < order:
            counts = Counter(gram[1:] for gram in grams(n + 1))
        discounts = ngram._discounts(np.array(list(counts.values())))
        after = {gram[-1]: count for gram, count in counts.items() if gram[:-1] == history}
        lower = probability(n - 1, history[1:])
        if not after:
            return lower
        total = sum(after.values())
        gamma = sum(discounts[min(count, 3)] for count in after.values()) / total
        count = after.get(word, 0)
        return max(count - discounts[min(count, 3)], 0) / total + gamma * lower

    return probability(order, history[len(history) - order + 1 :] if order > 1 else ())


def test_a_bigram_by_hand() -> None:
    # After "a" stood b, c, d, b. Too regular to estimate discounts, so each of the
    # three counts gives up 1/2: 3/2 of 4 are reserved.
    # Below: of the 7 different pairs, b ends one (a|b): the continuation counts are a 3, b 1, c 1, d 1, r 1.
    model = KneserNey(ABRACADABRA, vocabulary=5, order=2)
    unigram_b = (1 - 0.5) / 7 + (5 * 0.5 / 7) / 5
    assert model.distribution(np.array([0]))[1] == pytest.approx((2 - 0.5) / 4 + (3 * 0.5 / 4) * unigram_b)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_agrees_with_the_formulas_written_out(order: int) -> None:
    tokens = np.random.default_rng(1).choice(4, size=400, p=[0.55, 0.25, 0.15, 0.05])
    model = KneserNey(tokens, vocabulary=4, order=order)
    for history in [(0, 1, 0, 2), (3, 3, 3, 3), (1, 0, 0, 0), (2, 1, 3, 0)]:
        expected = [written_out(tokens.tolist(), 4, order, history, word) for word in range(4)]
        np.testing.assert_allclose(model.distribution(np.array(history)), expected, rtol=1e-12)


def test_probabilities_sum_to_one_after_any_history() -> None:
    generator = np.random.default_rng(0)
    model = KneserNey(generator.integers(0, 12, 3000) ** 2 // 12, vocabulary=12, order=5)
    for length in (0, 1, 4, 9):
        assert model.distribution(generator.integers(0, 12, length)).sum() == pytest.approx(1.0, abs=1e-12)


def test_discounts_are_those_of_the_paper() -> None:
    counts = np.array([1] * 40 + [2] * 20 + [3] * 10 + [4] * 5 + [9])
    y = 40 / (40 + 2 * 20)
    expected = [0, 1 - 2 * y * 20 / 40, 2 - 3 * y * 10 / 20, 3 - 4 * y * 5 / 10]
    np.testing.assert_allclose(ngram._discounts(counts), expected)


def test_a_longer_memory_helps_on_text_that_has_one() -> None:
    text = np.tile([0, 1, 0, 2, 0, 1, 0, 3], 200)
    losses = [KneserNey(text[:1200], 4, order).loss(text[1200:]) for order in (1, 2, 3, 5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.01


def test_unigram_is_the_share_of_each_token() -> None:
    train, valid = np.array([0, 0, 0, 1]), np.array([1, 0, 1])
    assert unigram_loss(train, valid, 2) == pytest.approx(-(np.log(4 / 6) + np.log(2 / 6)) / 2)


def test_figures_are_kept_by_the_digest_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIGRAD_HOME", str(tmp_path))
    train, valid = np.tile(ABRACADABRA, 20), ABRACADABRA
    first = list(ngram_losses(train, valid, 5))
    assert [name for name, _, _ in first] == ["unigram", "Kneser-Ney-3", "Kneser-Ney-5"]

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(ngram, "KneserNey", refuse)
    assert list(ngram_losses(train, valid, 5)) == first
    with pytest.raises(AssertionError, match="computed again"):
        list(ngram_losses(train[1:], valid, 5))
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".json"}
