"""Answers with their sources: taken from the passages, or written by a model that may be down, slow or mad."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from engine.core.errors import UsageError
from engine.retrieval import endpoint
from engine.retrieval.answer import extract
from engine.retrieval.documents import Document
from engine.retrieval.endpoint import Endpoint, EndpointError, request_body
from engine.retrieval.index import Index

DOCUMENTS = (
    Document("ada.md", "Ada", "Ada Lovelace was born in London. She wrote the first program. Her father was a poet."),
    Document("alan.md", "Alan", "Alan Turing broke a cipher. He studied in Cambridge and ran long distances."),
)


@pytest.fixture
def index() -> Index:
    return Index.of(DOCUMENTS)


def test_the_sentence_that_covers_the_question_comes_first_and_names_its_place(index: Index) -> None:
    answer = extract(index, "Who wrote the first program?", index.search("Who wrote the first program?"))
    first = answer.sentences[0]
    assert first.text == "She wrote the first program." and first.document == "ada.md"
    assert DOCUMENTS[0].text[first.start : first.end] == first.text
    assert answer.text().startswith("She wrote the first program. [1]")
    assert answer.covered == pytest.approx(1.0)


def test_a_question_of_two_parts_gets_two_sentences(index: Index) -> None:
    passages = index.search("born London and studied Cambridge")
    answer = extract(index, "born London and studied Cambridge", passages)
    assert {each.document for each in answer.sentences} == {"ada.md", "alan.md"}


def test_what_the_texts_do_not_hold_shows_in_the_coverage(index: Index) -> None:
    assert extract(index, "zebra quux", index.search("Ada")).sentences == ()
    assert extract(index, "zebra quux", index.search("Ada")).covered == 0.0
    assert extract(index, "program of the zebra", index.search("program")).covered < 0.8


def test_the_passages_are_sent_numbered_and_only_where_there_are_any(index: Index) -> None:
    body = request_body("m", "Who?", index.search("Ada Turing"))
    assert "[1] " in body["messages"][1]["content"] and "[2] " in body["messages"][1]["content"]
    assert request_body("m", "Who?", ())["messages"] == [{"role": "user", "content": "Who?"}]


Server = Callable[[int, bytes], Endpoint]


@pytest.fixture
def serve() -> Iterator[Server]:
    """A server of this machine that answers one thing, or nothing at all."""
    servers: list[ThreadingHTTPServer] = []
    gone = threading.Event()

    def start(status: int, content: bytes) -> Endpoint:
        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if status == 0:
                    gone.wait(20)
                    return
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return Endpoint(f"http://127.0.0.1:{servers[-1].server_port}/v1", "m", timeout=0.3 if status == 0 else 20.0)

    yield start
    gone.set()
    for each in servers:
        each.shutdown()
        each.server_close()


def test_a_written_answer_keeps_known_citations_apart_from_made_up_ones(index: Index, serve: Server) -> None:
    content = json.dumps({"choices": [{"message": {"content": " Ada [1], not [7] nor [1]. "}}]}).encode()
    reply = serve(200, content).answer("Who?", index.search("Ada"))
    assert (reply.text, reply.cited, reply.unknown) == ("Ada [1], not [7] nor [1].", (1,), (7,))


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, b"<html>", "nothing that is a chat completion"),
        (200, b'{"choices": []}', "nothing that is a chat completion"),
        (200, b'{"choices": [{"message": {"content": null}}]}', "nothing that is a chat completion"),
        (200, b"[" * 100_000, "nothing that is a chat completion"),
        (401, b"", "status 401.*Check the key"),
        (302, b"", "status 302.*points elsewhere"),
        (500, b"", "status 500"),
        (0, b"", "did not answer within"),
    ],
)
def test_refusals_nonsense_and_silence_have_their_sentence(
    serve: Server, status: int, content: bytes, said: str
) -> None:
    with pytest.raises(EndpointError, match=said):
        serve(status, content).answer("Who?")


def test_an_endless_reply_is_cut(serve: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "LARGEST_REPLY", 1000)
    with pytest.raises(EndpointError, match="over 1,000 bytes"):
        serve(200, b" " * 5000).answer("Who?")


def test_nobody_there_and_no_address_are_said() -> None:
    with pytest.raises(EndpointError, match="cannot be reached"):
        Endpoint("http://127.0.0.1:1/v1", "m").answer("Who?")
    with pytest.raises(UsageError, match="no http address"):
        Endpoint("file:///etc/passwd", "m")


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Endpoint("http://localhost/v1", "m", "secret"))
