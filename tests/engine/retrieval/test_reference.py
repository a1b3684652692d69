"""The measures against a second implementation, written from their definitions and nothing else."""

from __future__ import annotations

import math
import random

import pytest

from engine.retrieval.metrics import MEASURES


def reference(name: str, ranked: list[str], relevant: dict[str, float], k: int) -> float:
    """Return a measure by counting over every rank, as TREC's definitions say it."""
    hits = [1 if ranked[i] in relevant else 0 for i in range(min(k, len(ranked)))]
    if name == "recall":
        return sum(hits) / len(relevant)
    if name == "precision":
        return sum(hits) / k
    if name == "MRR":
        return 1.0 / (hits.index(1) + 1) if 1 in hits else 0.0
    if name == "MAP":
        return sum(sum(hits[: i + 1]) / (i + 1) for i in range(len(hits)) if hits[i]) / len(relevant)
    gained = 0.0
    for i in range(len(hits)):
        gained += relevant.get(ranked[i], 0.0) / math.log(i + 2, 2)
    best = 0.0
    for i, grade in enumerate(sorted(relevant.values())[::-1]):
        if i < k:
            best += grade / math.log(i + 2, 2)
    return gained / best


@pytest.mark.parametrize("seed", range(20))
def test_every_measure_agrees_with_its_definition(seed: int) -> None:
    draw = random.Random(seed)
    names = [f"d{place}" for place in range(30)]
    ranked = draw.sample(names, draw.randint(1, 30))
    relevant = {name: float(draw.randint(1, 3)) for name in draw.sample(names, draw.randint(1, 12))}
    for k in (1, 3, 5, 10, 40):
        for name, measure in MEASURES.items():
            assert measure(ranked, relevant, k) == pytest.approx(reference(name, ranked, relevant, k), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_every_measure_agrees_with_ranx_where_it_is_installed(seed: int) -> None:
    ranx = pytest.importorskip("ranx")
    draw = random.Random(seed)
    names = [f"d{place}" for place in range(20)]
    ranked = draw.sample(names, 15)
    relevant = {name: draw.randint(1, 3) for name in draw.sample(names, 6)}
    run = ranx.Run({"q": {name: 100.0 - rank for rank, name in enumerate(ranked)}})
    for k in (1, 5, 10):
        found = ranx.evaluate(ranx.Qrels({"q": relevant}), run, [f"recall@{k}", f"mrr@{k}", f"ndcg@{k}"])
        ours = {name: MEASURES[name](ranked, {n: float(g) for n, g in relevant.items()}, k) for name in MEASURES}
        assert found[f"recall@{k}"] == pytest.approx(ours["recall"])
        assert found[f"mrr@{k}"] == pytest.approx(ours["MRR"])
        assert found[f"ndcg@{k}"] == pytest.approx(ours["nDCG"])
