"""The process of an index: asked in lines of JSON, it answers each of them, nonsense too, and ends with its input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.retrieval.documents import Document
from engine.retrieval.endpoint import Endpoint, EndpointError, Reply
from engine.retrieval.index import Index, Settings
from engine.retrieval.serve import LONGEST_LINE, serve
from engine.retrieval.session import Session
from engine.retrieval.stored import save
from tests import source

Told = list[dict[str, Any]]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "tea.md").write_text("# Tea\n\nGreen *tea* is brewed at 80 degrees. Black tea wants boiling water.\n")
    (folder / "coffee.md").write_text(
        "# Coffee\n\nEspresso is pressed at nine bar.\n\n## Quiz\n\nEspresso at 80 degrees.\n"
    )
    return folder


def session(folder: Path, texts: Path, model: Endpoint | None = None) -> tuple[Session, Told]:
    told: Told = []
    made = Session(folder, told.append, model)
    made.begin()
    made.answer({"id": 1, "do": "index", "texts": str(texts)})
    return made, told


def test_a_folder_is_indexed_asked_and_opened_again_at_once(tmp_path: Path, texts: Path) -> None:
    made, told = session(tmp_path / "index", texts)
    assert told[0] == {"ready": True, "trouble": "", "index": None, "model": ""}
    assert [each["progress"] for each in told[1:-1]] == [[0, 2], [2, 2]]
    assert told[-1]["ok"] and told[-1]["index"]["documents"] == 2 and told[-1]["added"] == 2
    made.answer({"id": 2, "do": "ask", "question": "How hot for green tea?", "method": "bm25"})
    reply = told[-1]
    first = reply["passages"][0]
    assert (first["source"], first["title"], reply["id"]) == ("tea.md", "Tea", 2)
    assert set(first["scores"]) == {"bm25", "dense", "hybrid"}
    start, end = first["matched"][0]
    assert first["text"][start:end] == "Green"
    assert reply["answer"][0] == {"text": "Green tea is brewed at 80 degrees.", "passage": 1}
    again, said = session(tmp_path / "index", texts)
    assert said[0]["index"]["documents"] == 2, "it is open before it is brought up"
    assert said[-1]["kept"] == 2 and said[-1]["added"] == 0
    (texts / "coffee.md").write_text("# Coffee\n\nMocha.\n")
    again.answer({"id": 3, "do": "index", "texts": str(texts)})
    assert (said[-1]["changed"], said[-1]["kept"]) == (1, 1)


def test_sections_can_be_left_out_and_so_can_the_search(tmp_path: Path, texts: Path) -> None:
    made, told = session(tmp_path / "index", texts)
    made.answer({"id": 2, "do": "ask", "question": "espresso", "leave_out": ["Quiz"]})
    assert all("Quiz" not in each["headings"] for each in told[-1]["passages"]) and told[-1]["passages"]
    made.answer({"id": 3, "do": "ask", "question": "espresso", "retrieval": False})
    assert told[-1]["passages"] == [] and told[-1]["answer"] == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (None, "JSON object"),
        ([1], "JSON object"),
        ({"do": 7}, "to do"),
        ({"do": "fly"}, "There is no 'fly'"),
        ({"do": "ask"}, "lacks question"),
        ({"do": "ask", "question": "   "}, "lacks question"),
        ({"do": "ask", "question": "x", "method": "magic"}, "no search 'magic'"),
        ({"do": "ask", "question": "x", "method": []}, "no search"),
        ({"do": "ask", "question": "x", "k": 10**9}, "k is not a whole number"),
        ({"do": "ask", "question": "x", "k": True}, "k is not a whole number"),
        ({"do": "index"}, "lacks texts"),
        ({"do": "index", "texts": "/does/not/exist"}, "no folder"),
        ({"do": "index", "texts": ".", "chunking": "magic"}, "no chunking"),
        ({"id": {"a": 1}, "do": "fly"}, "There is no 'fly'"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_next_message_answered(
    tmp_path: Path, texts: Path, message: object, said: str
) -> None:
    made, told = session(tmp_path / "index", texts)
    made.answer(message)
    assert not told[-1]["ok"] and said in told[-1]["what"]
    made.answer({"id": "x", "do": "status"})
    assert told[-1] == {"id": "x", "ok": True, "index": told[-1]["index"], "model": ""}


def test_an_index_that_is_not_there_or_damaged_is_told_and_made_anew(tmp_path: Path, texts: Path) -> None:
    told: Told = []
    empty = Session(tmp_path / "none", told.append)
    empty.begin()
    empty.answer({"id": 1, "do": "ask", "question": "x"})
    assert told[-1]["what"] == "There is no index yet."
    folder = tmp_path / "index"
    session(folder, texts)
    next(folder.glob("arrays-*")).write_bytes(b"?")
    _, said = session(folder, texts)
    assert "damaged" in said[0]["trouble"] and said[0]["index"] is None
    assert said[-1]["ok"] and said[-1]["index"]["documents"] == 2


def test_empty_folders_and_binary_files_have_their_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    made, told = session(tmp_path / "index", empty)
    assert "holds no Markdown or text file" in told[-1]["what"]
    (empty / "a.md").write_bytes(b"\0\1\2")
    (empty / "b.md").write_text("Some text.")
    made.answer({"id": 2, "do": "index", "texts": str(empty)})
    assert told[-1]["skipped"] == 1 and told[-1]["first_skipped"] == ["a.md: binary"]


def answers_of(told: Told, name: int) -> list[dict[str, Any]]:
    return [each["by_model"] for each in told if each.get("id") == name and "by_model" in each]


def joined() -> None:
    for each in threading.enumerate():
        if each.daemon and each is not threading.current_thread() and "_by_model" in each.name:
            each.join(10)


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (lambda: Reply("Eighty [1].", (1,), (9,)), {"text": "Eighty [1].", "cited": (1,), "unknown": (9,)}),
        (
            lambda: (_ for _ in ()).throw(EndpointError("It is down.", "Start it.")),
            {"what": "It is down.", "remedy": "Start it."},
        ),
    ],
)
def test_a_language_model_answers_later_or_says_why_not(
    tmp_path: Path, texts: Path, monkeypatch: pytest.MonkeyPatch, says: Callable[[], Reply], expected: dict[str, Any]
) -> None:
    monkeypatch.setattr(Endpoint, "answer", lambda self, question, passages=(): says())
    made, told = session(tmp_path / "index", texts, Endpoint("http://x/v1", "m"))
    made.answer({"id": 2, "do": "ask", "question": "tea"})
    joined()
    assert answers_of(told, 2) == [expected]
    assert next(each for each in told if each.get("id") == 2)["passages"], "the passages come first"


def test_a_slow_model_is_passed_by_the_next_question(
    tmp_path: Path, texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def slow(self: Endpoint, question: str, passages: object = ()) -> Reply:
        if question == "first":
            gate.wait(10)
        return Reply(question, (), ())

    monkeypatch.setattr(Endpoint, "answer", slow)
    made, told = session(tmp_path / "index", texts, Endpoint("http://x/v1", "m"))
    made.answer({"id": 2, "do": "ask", "question": "first"})
    made.answer({"id": 3, "do": "ask", "question": "second"})
    gate.set()
    joined()
    assert answers_of(told, 2) == [] and answers_of(told, 3)[0]["text"] == "second"


def test_lines_that_are_no_message_or_far_too_long_do_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIGRAD_ENDPOINT", "nonsense")
    monkeypatch.setenv("LEXIGRAD_MODEL", "m")
    save(Index.of((Document("a.md", "A", "Some words."),), Settings()), tmp_path / "index")
    lines = [b"\xff\xfe", b"{", b"[" * 100_000, b"x" * (2 * LONGEST_LINE), b"", b'{"id": 1, "do": "status"}']
    out = io.BytesIO()
    serve(tmp_path / "index", io.BytesIO(b"\n".join(lines)), out)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert told[0]["ready"] and "no http address" in told[1]["note"]
    assert [each.get("ok") for each in told[2:]] == [False] * 4 + [True]


def test_the_process_loads_no_torch_and_ends_with_its_input(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "engine.retrieval.serve", str(tmp_path / "index")]
    environment = {**os.environ, "PYTHONPATH": str(source.ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, input=b"?\n", capture_output=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2 and done.stderr == b""
    asked = "import sys, engine.retrieval.serve; print([n for n in sys.modules if n in ('torch', 'sklearn', 'faiss')])"
    loaded = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, env=environment, timeout=60, check=True, cwd=source.ROOT
    )
    assert loaded.stdout.strip() == b"[]"
