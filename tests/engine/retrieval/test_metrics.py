"""Measures against cases made by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from engine.retrieval.metrics import (
    average_precision,
    interval,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    values,
)

RANKED = ["a", "b", "c", "d"]


def test_measures_are_what_one_counts_by_hand() -> None:
    relevant = {"b": 1.0, "d": 1.0, "z": 1.0}
    assert recall(RANKED, relevant, 2) == pytest.approx(1 / 3)
    assert precision(RANKED, relevant, 2) == 0.5
    assert precision(["b"], relevant, 5) == pytest.approx(0.2)
    assert reciprocal_rank(RANKED, relevant, 4) == 0.5
    assert reciprocal_rank(RANKED, relevant, 1) == 0.0
    assert average_precision(RANKED, relevant, 4) == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert ndcg(["b", "a"], {"b": 2.0, "a": 1.0}, 2) == 1.0
    assert ndcg(["x", "b"], {"b": 1.0}, 2) == pytest.approx(1 / np.log2(3))


def test_nothing_relevant_and_nothing_found_are_zero() -> None:
    for measure in (recall, precision, reciprocal_rank, average_precision, ndcg):
        assert measure(RANKED, {}, 3) == 0.0 and measure([], {"a": 1.0}, 3) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_is_that_of_scikit_learn(seed: int) -> None:
    from sklearn.metrics import ndcg_score

    draw = np.random.default_rng(seed)
    grades, scores = draw.integers(0, 4, 12), draw.permutation(12).astype(float)
    ranked = [str(place) for place in np.argsort(-scores)]
    relevant = {str(place): float(grade) for place, grade in enumerate(grades) if grade}
    for k in (1, 5, 12):
        assert ndcg(ranked, relevant, k) == pytest.approx(ndcg_score([grades], [scores], k=k))


def test_an_interval_holds_its_mean_repeats_itself_and_narrows_with_more_questions() -> None:
    few = np.random.default_rng(0).random(50)
    many = np.tile(few, 20)
    first = interval(few)
    assert first.low < first.mean < first.high and first.questions == 50
    assert interval(few) == first and interval(few, seed=1) != first
    narrow = interval(many)
    assert narrow.high - narrow.low < (first.high - first.low) / 3
    assert first.high - first.low == pytest.approx(2 * 1.96 * few.std() / np.sqrt(50), rel=0.15)
    assert np.isnan(interval(np.zeros(0)).mean)


def test_a_question_without_a_ranking_counts_as_missed() -> None:
    assert values(recall, {"q1": ["a"]}, {"q1": {"a": 1.0}, "q2": {"b": 1.0}}, 5).tolist() == [1.0, 0.0]
