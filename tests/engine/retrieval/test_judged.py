"""Judged questions in the formats that others write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.core.errors import DataError
from engine.retrieval.judged import read_judged, read_squad

DOCS = [{"_id": "d1", "title": "Cats", "text": "Cats sleep."}, {"_id": "d2", "title": "", "text": "Dogs bark."}]
QUERIES = [{"_id": "q1", "text": "who sleeps"}, {"_id": "q2", "text": "who swims"}]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "docs.jsonl").write_text("\n".join(map(json.dumps, DOCS)) + "\n")
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, QUERIES)))
    (tmp_path / "beir.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t0\n")
    (tmp_path / "trec.txt").write_text("q1 0 d1 2\nq1 0 d2 1\n")
    return tmp_path


def test_beir_files_are_read_and_questions_without_an_answer_left_out(place: Path) -> None:
    judged = read_judged(place / "docs.jsonl", place / "queries.jsonl", place / "beir.tsv")
    assert [(each.path, each.title) for each in judged.documents] == [("d1", "Cats"), ("d2", "")]
    assert judged.questions == {"q1": "who sleeps"}
    assert judged.relevant == {"q1": {"d1": 1.0}}


def test_tables_and_trec_judgments_are_read(place: Path) -> None:
    (place / "docs.tsv").write_text("d1\tCats sleep.\nd2\tDogs bark.\n")
    (place / "queries.tsv").write_text("q1\twho sleeps\n")
    judged = read_judged(place / "docs.tsv", place / "queries.tsv", place / "trec.txt")
    assert judged.documents[1].text == "Dogs bark."
    assert judged.relevant == {"q1": {"d1": 2.0, "d2": 1.0}}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("beir.tsv", "q1\td9\t1\n", "judges the document 'd9'"),
        ("beir.tsv", "q9\td1\t1\n", "names no question"),
        ("beir.tsv", "q1\td1\thigh\n", "Line 1 of .* is not a question, a document and a grade"),
        ("docs.jsonl", '{"_id": "d1"}\n', "Line 1 of .* is not a JSON object"),
        ("docs.jsonl", "", "is empty"),
        ("docs.jsonl", "\0\0", "is binary"),
        ("docs.jsonl", "\n".join(json.dumps(DOCS[0]) for _ in range(2)), "two documents of one name"),
    ],
)
def test_what_does_not_fit_is_named(place: Path, name: str, content: str, said: str) -> None:
    (place / name).write_text(content)
    with pytest.raises(DataError, match=said):
        read_judged(place / "docs.jsonl", place / "queries.jsonl", place / "beir.tsv")


def test_a_squad_file_gives_each_question_its_paragraph(tmp_path: Path) -> None:
    asked = {"id": "q", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}]}
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "T", "paragraphs": [{"context": "Ada did.", "qas": [asked]}]}]}))
    judged = read_squad(path)
    assert judged.relevant == {"q": {"p00000": 1.0}} and judged.answers == {"q": ("Ada",)}
    path.write_text("[]")
    with pytest.raises(DataError, match="no SQuAD file"):
        read_squad(path)
