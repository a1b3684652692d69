"""BM25, latent semantics and fusion against the plain formula, brute force and cases made by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from engine.retrieval.bm25 import BM25, best
from engine.retrieval.counts import Counts
from engine.retrieval.dense import cosines, unit
from engine.retrieval.fusion import reciprocal_rank_fusion, weighted_fusion
from engine.retrieval.lsa import LatentSemantics, Sparse, truncated_svd
from engine.retrieval.words import Analysis

PASSAGES = [["cat", "sat", "mat"], ["dog", "sat"], ["cat", "cat", "dog", "log", "fog"], []]


def plain_bm25(passages: list[list[str]], query: list[str], k1: float, b: float) -> list[float]:
    mean = sum(map(len, passages)) / len(passages)
    scores = []
    for passage in passages:
        score = 0.0
        for term in query:
            holding = sum(term in each for each in passages)
            idf = log(1 + (len(passages) - holding + 0.5) / (holding + 0.5))
            times = passage.count(term)
            score += idf * times / (times + k1 * (1 - b + b * len(passage) / mean))
        scores.append(score)
    return scores


@pytest.mark.parametrize("query", [["cat"], ["cat", "sat"], ["cat", "cat", "dog"], ["bird"], []])
def test_bm25_is_its_formula(query: list[str]) -> None:
    found = BM25.of(Counts.of(PASSAGES), k1=1.2, b=0.75).scores(query)
    assert found == pytest.approx(plain_bm25(PASSAGES, query, 1.2, 0.75), abs=1e-6)


def test_the_best_are_those_of_a_full_sort_ties_in_order() -> None:
    scores = np.random.default_rng(0).integers(0, 5, 200).astype(np.float32)
    expected = sorted(range(200), key=lambda place: (-scores[place], place))
    assert [place for place, _ in best(scores, 30)] == expected[:30]
    assert best(np.zeros(3, np.float32), 2, above=0.0) == []
    assert best(np.zeros(0, np.float32), 2) == []


def test_counts_give_back_what_was_counted() -> None:
    counts = Counts.of(PASSAGES)
    assert counts.row(2) == {"cat": 2, "dog": 1, "fog": 1, "log": 1} and counts.row(3) == {}
    assert counts.lengths().tolist() == [3, 2, 5, 0]


def test_the_randomized_svd_is_the_exact_one_where_nothing_is_left_out() -> None:
    draw = np.random.default_rng(1)
    dense = np.where(draw.random((40, 70)) < 0.15, draw.random((40, 70)), 0.0)
    rows, columns = np.nonzero(dense)
    matrix = Sparse((40, 70), rows.astype(np.int32), columns.astype(np.int32), dense[rows, columns].astype(np.float32))
    values, right = truncated_svd(matrix, 40, seed=3)
    assert values == pytest.approx(np.linalg.svd(dense, compute_uv=False)[: len(values)], abs=1e-4)
    assert right.T @ right == pytest.approx(np.eye(len(values)), abs=1e-3)
    again, _ = truncated_svd(matrix, 40, seed=3)
    assert (again == values).all()


def test_the_leading_singular_values_are_near_the_exact_ones() -> None:
    draw = np.random.default_rng(2)
    dense = draw.standard_normal((80, 8)) @ np.diag(2.0 ** -np.arange(8)) @ draw.standard_normal((8, 60))
    rows, columns = np.nonzero(dense)
    matrix = Sparse((80, 60), rows.astype(np.int32), columns.astype(np.int32), dense[rows, columns].astype(np.float32))
    values, _ = truncated_svd(matrix, 4)
    assert values == pytest.approx(np.linalg.svd(dense, compute_uv=False)[:4], rel=1e-3)


def test_latent_semantics_find_a_passage_that_shares_no_word() -> None:
    texts = ["car engine motor", "motor engine wheel", "automobile engine motor", "cat milk fur", "fur milk kitten"]
    analysis = Analysis()
    counts = Counts.of([analysis.terms(text) for text in texts])
    learned = LatentSemantics.of(counts, analysis, dimensions=2)
    vectors = learned.embed(counts)
    near = cosines(vectors, learned(["automobile"])[0])
    assert near[0] > 0.8 and abs(near[3]) < 0.2
    assert learned(texts) == pytest.approx(vectors, abs=1e-5)
    assert not learned(["zebra"]).any()


def test_a_zero_vector_stays_zero() -> None:
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]


def test_reciprocal_ranks_are_added() -> None:
    fused = dict(reciprocal_rank_fusion([["a", "b", "c"], ["b", "d"]]))
    assert list(fused) == ["b", "a", "d", "c"]
    assert fused["b"] == pytest.approx(1 / 62 + 1 / 61)
    assert next(iter(dict(reciprocal_rank_fusion([["a"], ["b"]], weights=[1.0, 2.0])))) == "b"


def test_weighted_fusion_is_blind_to_scale_and_keeps_zero() -> None:
    one, other = np.array([0.0, 5.0, 10.0], np.float32), np.array([0.0, 1.0, -1.0], np.float32)
    assert weighted_fusion([one, other], [1.0, 0.5]).tolist() == [0.0, 1.0, 0.5]
    assert weighted_fusion([one, np.zeros(3, np.float32)], [1.0, 9.0]).tolist() == [0.0, 0.5, 1.0]
