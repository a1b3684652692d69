"""Vector indexes: what they find against brute force, how they are timed, and what is concluded."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from fake_bench import FakeBench

from engine.core.errors import DataError, LexigradError, RunError, UsageError
from engine.core.events import Points, Table
from engine.core.lab import Results
from engine.labs.vector_database import rows as rows_
from engine.labs.vector_database.lab import ARM, EXACT, HNSW, LAB, RECHECKED, Search
from engine.labs.vector_database.rows import Row, climbing, growth, of_index, reaching

FIGURES = {
    "exact/growth": 10.5, "hnsw/growth": 2.4, "exact/time": 2000.0, "hnsw/time": 100.0,
    "hnsw/narrow_recall": 0.83, "hnsw/broad_recall": 0.997, "hnsw/narrow_time": 46.0, "hnsw/broad_time": 570.0,
    "hnsw/climbing": 1.0, "bytes/recall": 0.978, "bytes/memory": 0.25, "codes/recall": 0.42, "rechecked/recall": 0.91,
}  # fmt: skip


def results(*changes: dict[str, float]) -> Results:
    figures = {(ARM, seed): {**FIGURES, **each} for seed, each in enumerate(changes)}
    return Results(figures, tuple(range(len(changes))), Search())


def verdict(name: str, *changes: dict[str, float]) -> bool | None:
    statement = LAB.statement(name)
    assert statement is not None
    return statement.judge(results(*changes)).holds


def row(index: str, count: int, setting: int, recall: float, median: float) -> Row:
    return Row(index, count, "ef", setting, recall, median, median, 1, 1.0)


def test_what_was_measured_decides() -> None:
    for statement in LAB.statements:
        assert verdict(statement.id, {}, {}, {}) is True


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("broader", {"hnsw/broad_recall": 0.7}),
        ("broader", {"hnsw/broad_time": 20.0}),
        ("grows", {"exact/growth": 20.0}),
        ("grows", {"hnsw/growth": 9.0}),
        ("fewer-bits", {"bytes/recall": 0.8}),
        ("second-look", {"rechecked/recall": 0.5}),
    ],
)
def test_each_statement_can_fail(name: str, change: dict[str, float]) -> None:
    assert verdict(name, change, change, change) is False


def test_seeds_that_disagree_decide_nothing() -> None:
    assert verdict("grows", {"exact/growth": 6.0}, {"exact/growth": 12.0}, {"exact/growth": 9.0}) is None
    assert verdict("grows", {"hnsw/growth": math.nan}, {}) is None


def test_the_forecasts_name_a_choice() -> None:
    for forecast in LAB.forecasts:
        assert forecast.outcome(results({})) in forecast.choices


def test_the_graph_is_timed_where_it_finds_enough() -> None:
    measured = [row(HNSW, n, ef, 0.9 + ef / 1000, ef * n**0.3) for n in (100, 1000, 10_000) for ef in (10, 60)]
    found = reaching(of_index(measured, HNSW, 1000))
    assert found is not None and found.setting == 60
    assert growth(measured, HNSW, [100, 1000, 10_000]) == pytest.approx(10**0.3)
    assert math.isnan(growth([each for each in measured if each.setting == 10], HNSW, [100, 1000, 10_000]))


def test_a_dial_that_lowers_recall_does_not_climb() -> None:
    assert climbing([row(HNSW, 1, 1, 0.5, 1.0), row(HNSW, 1, 2, 0.6, 2.0), row(HNSW, 1, 4, 0.55, 3.0)]) == 0.5
    assert rows_.reaching([]) is None


def test_indexes_agree_with_brute_force() -> None:
    faiss = pytest.importorskip("faiss")
    assert faiss
    from engine.labs.vector_database import indexes
    from engine.labs.vector_database.vectors import collection

    indexes.alone()
    vectors, queries = collection("", 1500, 20, 24, 0)
    scores = queries @ vectors.T
    truth = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    assert (np.sort(indexes.nearest(vectors, queries, 10)) == np.sort(truth)).mean() > 0.99
    graph = indexes.fill(indexes.hnsw(vectors, 16, 80), vectors, lambda done: None)
    graph.hnsw.efSearch = len(vectors)
    assert indexes.recall(list(graph.search(queries, 10)[1]), truth) > 0.999, "HNSW with ef = n is exact"
    inside = indexes.fill(indexes.cells(vectors), vectors, lambda done: None)
    inside.nprobe = inside.nlist
    assert indexes.recall(list(inside.search(queries, 10)[1]), truth) > 0.999, "all cells are everything"


def test_the_whole_race_in_little(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    from engine.labs.vector_database import search

    told: list[dict[str, object]] = []
    settings = Search(n=2000, dimension=24, queries=50, ef=40, ef_build=40)
    search.measure({**settings.values(), "seed": 0}, told.append)
    last = told[-1]["rows"]
    assert isinstance(last, list)
    rows = [Row(**each) for each in last]
    counts = told[0]["counts"]
    assert counts == [20, 63, 200, 632, 2000]
    assert {each.setting for each in of_index(rows, HNSW, 2000)} == {10, 20, 40}
    assert of_index(rows, EXACT, 2000)[0].recall == 1.0
    short, again = (of_index(rows, name, 2000)[0] for name in ("codes (PQ)", RECHECKED))
    assert again.recall >= short.recall and again.size > short.size


def test_ones_own_vectors_are_read_and_refused_with_a_reason(tmp_path: Path) -> None:
    from engine.labs.vector_database.vectors import collection, read_vectors

    path = tmp_path / "mine.npy"
    mine = np.random.default_rng(0).standard_normal((1200, 8))
    np.save(path, mine)
    assert np.allclose(np.linalg.norm(read_vectors(path), axis=1), 1.0)
    vectors, queries = collection(str(path), 10_000, 100, 96, 0)
    assert (len(vectors), len(queries)) == (1100, 100)
    with pytest.raises(UsageError, match="too few"):
        collection(str(path), 10_000, 500, 96, 0)
    for content, said in (
        (np.zeros(5), "no table"),
        (np.array([["a"]]), "no table"),
        (np.full((2, 2), np.nan), "finite"),
    ):
        np.save(path, content)
        with pytest.raises(DataError, match=said):
            read_vectors(path)
    path.write_bytes(b"\0\1not an array")
    with pytest.raises(DataError, match=r"no \.npy"):
        read_vectors(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_vectors(tmp_path / "none.npy")


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(UsageError, match="not larger than k"):
        Search(ef=20, k=50)
    with pytest.raises(LexigradError):
        Search(n=10)


def test_the_computation_runs_in_a_process_of_its_own_and_draws_what_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    from engine.labs.vector_database.compute import measure

    bench = FakeBench(Search(n=2000, dimension=24, queries=50, ef=40, ef_build=40))
    bench.folder = tmp_path  # type: ignore[attr-defined]
    measure(bench)  # type: ignore[arg-type]
    assert bench.step == bench.total_steps
    assert bench.figures["bytes/recall"] > 0.9 and bench.figures["vectors"] == 2000
    drawn = {each.name for each in bench.events if isinstance(each, Points | Table)}
    assert drawn == {"recall against time", "time by size", "contest", "times"}


def test_what_the_process_refuses_reaches_whoever_asked(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    from engine.labs.vector_database.compute import measure

    (tmp_path / "mine.npy").write_bytes(b"no vectors")
    bench = FakeBench(Search(vectors=str(tmp_path / "mine.npy")))
    bench.folder = tmp_path  # type: ignore[attr-defined]
    with pytest.raises(RunError, match=r"no \.npy file") as refused:
        measure(bench)  # type: ignore[arg-type]
    assert "numpy.save" in refused.value.remedy
