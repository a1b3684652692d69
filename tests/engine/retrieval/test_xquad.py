"""The whole on real questions: XQuAD, each question with its one right paragraph."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.retrieval.chunks import Chunking
from engine.retrieval.evaluate import Measured, against, figures, measure
from engine.retrieval.index import Index, Method, Settings
from engine.retrieval.judged import Judged, read_squad
from tests.conftest import DATA

FILE = DATA / "xquad" / "xquad.en.json"
pytestmark = pytest.mark.skipif(not Path(FILE).is_file(), reason="XQuAD is not on this machine")


@pytest.fixture(scope="module")
def judged() -> Judged:
    return read_squad(FILE)


@pytest.fixture(scope="module")
def measured(judged: Judged) -> dict[Method, Measured]:
    index = Index.of(judged.documents, Settings(chunking=Chunking("whole")))
    methods: tuple[Method, ...] = ("bm25", "dense", "hybrid")
    return {method: measure(index, judged, method) for method in methods}


def test_the_collection_is_whole(judged: Judged) -> None:
    assert (len(judged.documents), len(judged.questions)) == (240, 1190)


def test_both_together_are_at_least_as_good_as_bm25(judged: Judged, measured: dict[Method, Measured]) -> None:
    assert against(measured["hybrid"], measured["bm25"], judged, "recall", 5).mean >= 0.0
    assert against(measured["hybrid"], measured["bm25"], judged, "MRR", 10).low > 0.0


def test_no_method_has_become_worse(judged: Judged, measured: dict[Method, Measured]) -> None:
    found = {method: figures(each, judged, 10)["MRR@10"].mean for method, each in measured.items()}
    assert found["bm25"] > 0.96 and found["dense"] > 0.93 and found["hybrid"] > 0.965


def test_a_question_is_answered_at_once(measured: dict[Method, Measured]) -> None:
    """The median, since others may be at work on the machine; the 95th percentile is measured on a quiet one."""
    assert measured["hybrid"].latency(0.5) < 0.02
