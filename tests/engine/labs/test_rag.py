"""The lab on retrieval: what is concluded, on whose texts it runs, and what it says to input that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_bench import FakeBench

from engine.core.errors import DataError, LexigradError, UsageError
from engine.core.events import Table, Text
from engine.core.lab import Results
from engine.labs.rag import answering, compute
from engine.labs.rag.collection import read_collection
from engine.labs.rag.lab import ARM, LAB, Retrieval
from engine.labs.rag.searches import ask_all, searches
from engine.retrieval.documents import Document
from engine.retrieval.endpoint import Endpoint, EndpointError, Reply
from engine.retrieval.index import Index
from engine.retrieval.judged import Judged

FIGURES = {
    "bm25/recall": 0.741, "dense/recall": 0.75, "hybrid/recall": 0.76, "bm25/mrr": 0.553, "dense/mrr": 0.6,
    "hybrid/mrr": 0.607,
    "gap/recall": 0.01, "gap/recall/low": -0.02, "gap/recall/high": 0.04,
    "gap/mrr": 0.05, "gap/mrr/low": 0.03, "gap/mrr/high": 0.08,
    "answers/with": 0.63, "answers/without": 0.47, "answers/others": 0.2,
    "gap/answers": 0.15, "gap/answers/low": 0.08, "gap/answers/high": 0.22,
}  # fmt: skip
TEXTS = {
    "tea.md": "# Tea\n\nGreen tea is brewed at 80 degrees. Black tea wants boiling water for four minutes at least.\n",
    "coffee.md": "# Coffee\n\nEspresso is pressed at nine bar. Filter coffee drips slowly into the jug.\n",
}


def judge(name: str, **changes: float) -> bool | None:
    statement = LAB.statement(name)
    assert statement is not None
    figures = {key: value for key, value in {**FIGURES, **changes}.items() if value == value}
    return statement.judge(Results({(ARM, 0): figures}, (0,), Retrieval())).holds


def changed(name: str, mean: float, low: float, high: float) -> dict[str, float]:
    return {name: mean, f"{name}/low": low, f"{name}/high": high}


def test_the_interval_over_questions_decides() -> None:
    assert [judge(each.id) for each in LAB.statements] == [True, True, True]
    assert judge("fused", **changed("gap/recall", -0.1, -0.15, -0.05)) is False
    assert judge("fused", **changed("gap/recall", -0.02, -0.05, 0.01)) is None
    assert judge("higher", **changed("gap/mrr", -0.05, -0.08, -0.02)) is False
    assert judge("higher", **changed("gap/mrr", 0.01, -0.01, 0.03)) is None
    assert judge("answers", **changed("gap/answers", -0.1, -0.2, -0.05)) is False


def test_questions_without_answers_leave_their_sentence_open() -> None:
    assert judge("answers", **{"gap/answers": float("nan")}) is None
    results = Results({(ARM, 0): {k: v for k, v in FIGURES.items() if "answers" not in k}}, (0,), Retrieval())
    assert [each.outcome(results) for each in LAB.forecasts][1] == ""


def test_the_forecasts_name_a_choice() -> None:
    results = Results({(ARM, 0): FIGURES}, (0,), Retrieval())
    assert all(each.outcome(results) in each.choices for each in LAB.forecasts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "texts"
    place.mkdir()
    for name, text in TEXTS.items():
        (place / name).write_text(text * 3)
    return place


def test_a_folder_of_ones_own_is_asked_by_its_own_sentences(folder: Path) -> None:
    (folder / "a.md").write_bytes(b"\0\1")
    judged, said = read_collection(Retrieval(docs=str(folder)), 0)
    assert judged.questions and not judged.answers
    assert "sentences are taken out" in said[0] and "a.md (binary)" in said[1]
    bench = FakeBench(Retrieval(docs=str(folder)))
    compute.measure(bench)  # type: ignore[arg-type]
    assert bench.figures["hybrid/recall"] == 1.0 and "gap/answers" not in bench.figures
    assert bench.step == bench.total_steps


def test_judged_files_are_measured(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "how hot is green tea"}) + "\n")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\ttea.md\t1\n")
    asked = Retrieval(docs=str(folder), queries=str(tmp_path / "queries.jsonl"), qrels=str(tmp_path / "qrels.tsv"))
    bench = FakeBench(asked)
    compute.measure(bench)  # type: ignore[arg-type]
    assert bench.figures["bm25/mrr"] == bench.figures["reranked/mrr"] == bench.figures["rrf/ndcg"] == 1.0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"queries": "q.jsonl"}, "queries is set and qrels is not"),
        ({"qrels": "q.tsv"}, "qrels is set and queries is not"),
        ({"queries": "q.jsonl", "qrels": "q.tsv"}, "no documents"),
        ({"docs": "/does/not/exist"}, "There is no folder"),
        ({"docs": "{empty}"}, "holds no Markdown or text file"),
        ({"docs": "{binary}"}, "a.md' \\(binary\\)"),
        ({"docs": "{folder}", "queries": "{queries}", "qrels": "{strange}"}, "judges the document 'd9'"),
        ({"docs": "{folder}", "queries": "{binary}/a.md", "qrels": "{strange}"}, "binary"),
    ],
)
def test_input_that_is_wrong_is_named(folder: Path, tmp_path: Path, asked: dict[str, str], said: str) -> None:
    for name in ("empty", "binary"):
        (tmp_path / name).mkdir()
    (tmp_path / "binary" / "a.md").write_bytes(b"\0\1\2")
    (tmp_path / "q.jsonl").write_text(json.dumps({"_id": "q", "text": "tea"}) + "\n")
    (tmp_path / "q.tsv").write_text("q\td9\t1\n")
    places = {
        "folder": folder, "empty": tmp_path / "empty", "binary": tmp_path / "binary", "queries": tmp_path / "q.jsonl",
        "strange": tmp_path / "q.tsv",
    }  # fmt: skip
    knobs: dict[str, Any] = {name: value.format(**places) for name, value in asked.items()}
    with pytest.raises(LexigradError, match=said):
        read_collection(Retrieval(**knobs), 0)


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(UsageError, match="not below chunk_words"):
        Retrieval(chunk_words=50, overlap=50)
    with pytest.raises(UsageError, match="nothing to compare"):
        compute.measure(FakeBench(Retrieval(embedder="none")))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"sentence embeddings|could not load"):
        compute.measure(FakeBench(Retrieval(embedder="/no/such/model")))  # type: ignore[arg-type]


JUDGED = Judged(
    tuple(Document(name, name.partition(".")[0].title(), text) for name, text in TEXTS.items()),
    {"q1": "How hot for green tea?", "q2": "At what pressure is espresso made?"},
    {"q1": {"tea.md": 1.0}, "q2": {"coffee.md": 1.0}},
    {"q1": ("80 degrees",), "q2": ("nine bar",)},
)


def test_every_search_ranks_every_question_and_a_question_once(folder: Path) -> None:
    index = Index.of(JUDGED.documents)
    for search in searches(index, Retrieval()).values():
        found = search("How hot for green tea?")
        assert found[0] == "tea.md" and len(found) == len(set(found))
    assert [len(each["hybrid"].found) for each in ask_all(index, JUDGED, Retrieval(), batch=1)] == [1, 2]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Reply]], None]:
    """Sets a language model that answers as told."""

    def put(answer: Callable[..., Reply]) -> None:
        monkeypatch.setenv("LEXIGRAD_ENDPOINT", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("LEXIGRAD_MODEL", "m")
        monkeypatch.setattr(Endpoint, "answer", answer)

    return put


def test_answers_are_right_more_often_with_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEXIGRAD_ENDPOINT", raising=False)
    bench = FakeBench(Retrieval())
    found = answering.answer_all(bench, Index.of(JUDGED.documents), JUDGED, Retrieval(), 1)  # type: ignore[arg-type]
    assert found["answers/with"] == 1.0 and found["answers/without"] == 0.5
    shown = [each for each in bench.events if isinstance(each, Text)]
    assert "80 degrees. [1]" in shown[0].text and isinstance(bench.events[0], Table)


def test_a_language_model_is_asked_with_and_without(model: Callable[[Callable[..., Reply]], None]) -> None:
    def answer(self: Endpoint, question: str, passages: Any = ()) -> Reply:
        options = dict(line.split(". ", 1) for line in question.splitlines() if line[1:3] == ". ")
        wanted = {"80 degrees", "nine bar"} & {
            value for value in options.values() if any(value in p.text for p in passages)
        }
        return Reply(next((key for key, value in options.items() if value in wanted), "none of them"), (), ())

    model(answer)
    bench = FakeBench(Retrieval(k=1))
    found = answering.answer_all(bench, Index.of(JUDGED.documents), JUDGED, Retrieval(k=1), 1)  # type: ignore[arg-type]
    assert (found["answers/model_with"], found["answers/model_without"]) == (1.0, 0.0)


def test_a_model_that_is_down_is_left_out_and_the_rest_goes_on(model: Callable[[Callable[..., Reply]], None]) -> None:
    def answer(self: Endpoint, question: str, passages: Any = ()) -> Reply:
        raise EndpointError("It did not answer within 1 s.", "Wait.")

    model(answer)
    bench = FakeBench(Retrieval())
    found = answering.answer_all(bench, Index.of(JUDGED.documents), JUDGED, Retrieval(), 1)  # type: ignore[arg-type]
    assert bench.notes == ["It did not answer within 1 s. Wait. The language model is left out from here on."]
    assert "answers/model_with" not in found and found["answers/with"] == 1.0


def test_a_letter_is_read_out_of_a_reply() -> None:
    assert [answering.letter(each) for each in ("B", "The answer is C.", "(A) because", "none")] == [1, 2, 0, None]


def test_an_endpoint_that_is_half_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIGRAD_ENDPOINT", "http://localhost:11434/v1")
    monkeypatch.delenv("LEXIGRAD_MODEL", raising=False)
    with pytest.raises(UsageError, match="names no model"):
        Endpoint.of_environment()
    monkeypatch.setenv("LEXIGRAD_MODEL", "m")
    monkeypatch.setenv("LEXIGRAD_ENDPOINT_SECONDS", "soon")
    with pytest.raises(UsageError, match="no number"):
        Endpoint.of_environment()
    monkeypatch.delenv("LEXIGRAD_ENDPOINT_SECONDS")
    found = Endpoint.of_environment()
    assert found is not None and found.model == "m"
