"""One index, asked in messages: what it holds, bringing it up to its folder, passages and answers.

A message is a JSON object with `do` (``status``, ``index`` or ``ask``) and an `id` that the replies to it carry.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np

from engine.core.errors import DataError, LexigradError, UsageError, suggest
from engine.retrieval.answer import extract
from engine.retrieval.bm25 import best
from engine.retrieval.chunks import Chunking
from engine.retrieval.documents import Collection
from engine.retrieval.endpoint import Endpoint, EndpointError
from engine.retrieval.index import LSA, Changes, Index, Method, Passage, Settings
from engine.retrieval.shown import matches, plain
from engine.retrieval.stored import HEADER, load, refresh

Message = dict[str, Any]
Tell = Callable[[Message], None]

LONGEST_QUESTION = 4000
"""Characters."""
MOST_PASSAGES = 50
NAMED = 5
"""Files that were passed over and are named."""
_ITEM = re.compile(r"^(?:[-*+]|\d+\.)\s+")
"""The mark of a list before a sentence."""
_PACE = 0.1
"""Seconds between two words of progress."""


class Session:
    """Answers messages, one after another; a language model's answer comes later, from a thread of its own."""

    def __init__(self, folder: Path, tell: Tell, endpoint: Endpoint | None = None) -> None:
        """Stand on the index in `folder`; `tell` sends a reply."""
        self._folder = folder
        self._tell = tell
        self._endpoint = endpoint
        self._index: Index | None = None
        self._newest: object = None
        self._does: dict[str, Callable[[Any, Message], None]] = {
            "status": self._status,
            "index": self._bring_up,
            "ask": self._ask,
        }

    def begin(self) -> None:
        """Open the index where there is one, and say what it holds."""
        trouble = ""
        if (self._folder / HEADER).exists():
            try:
                self._index = load(self._folder)
            except LexigradError as error:
                trouble = str(error)
        self._tell({"ready": True, "trouble": trouble, **self._facts()})

    def answer(self, message: object) -> None:
        """Carry out one message; whatever is wrong with it becomes a reply."""
        name = message.get("id") if isinstance(message, dict) else None
        name = name if isinstance(name, str | int) else None
        try:
            if not isinstance(message, dict):
                raise UsageError("A message is a JSON object.", 'Example: {"id": 1, "do": "status"}')
            do = message.get("do")
            if not isinstance(do, str) or do not in self._does:
                raise UsageError(f"There is no {str(do)[:80]!r} to do.", suggest(str(do)[:80], list(self._does)))
            self._does[do](name, message)
        except LexigradError as error:
            self._tell({"id": name, "ok": False, "what": error.what, "remedy": error.remedy})
        except MemoryError:
            self._tell({"id": name, "ok": False, "what": "The memory is full.", "remedy": "Take a smaller folder."})

    def _facts(self) -> Message:
        index = self._index
        held = None
        if index is not None:
            held = {
                "documents": len(index.documents), "passages": len(index.chunks), "vectors": index.vectors.shape[1],
            }  # fmt: skip
        return {"index": held, "model": self._endpoint.model if self._endpoint else ""}

    def _status(self, name: Any, message: Message) -> None:
        self._tell({"id": name, "ok": True, **self._facts()})

    def _bring_up(self, name: Any, message: Message) -> None:
        """Bring the index up to the files of a folder."""
        texts = _text(message, "texts")
        settings = Settings(
            chunking=Chunking(
                message.get("chunking", "headings"),
                _number(message, "words", 160, 5000),
                _number(message, "overlap", 0, 2000, 0),
            ),
            dense=_text(message, "dense", LSA),
        )
        began = last = time.monotonic()

        def progress(done: int, of: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _PACE or done in {0, of}:
                last = time.monotonic()
                self._tell({"id": name, "progress": [done, of]})

        self._index, changes, collection = refresh(Path(texts).expanduser(), self._folder, settings, progress=progress)
        seconds = round(time.monotonic() - began, 3)
        self._tell({"id": name, "ok": True, "seconds": seconds, **self._facts(), **_changed(changes, collection)})

    def _ask(self, name: Any, message: Message) -> None:
        """Reply with passages and an answer taken from them; a model's answer follows when it is there."""
        if self._index is None:
            raise DataError("There is no index yet.", "Index a folder of texts first.")
        index, question = self._index, _text(message, "question")[:LONGEST_QUESTION]
        method: Method = message.get("method", "hybrid")
        if method not in get_args(Method):
            raise UsageError(
                f"There is no search {str(method)[:80]!r}.", suggest(str(method)[:80], list(get_args(Method)))
            )
        count = _number(message, "k", 5, MOST_PASSAGES)
        with_passages = message.get("retrieval", True) is not False
        began = time.perf_counter()
        found = found_by(index, question, method, count, _names(message, "leave_out")) if with_passages else []
        seconds = time.perf_counter() - began
        passages = [passage for passage, _ in found]
        extracted = extract(index, question, passages)
        self._tell(
            {
                "id": name,
                "ok": True,
                "seconds": round(seconds, 5),
                "passages": [_shown(index, question, passage, scores) for passage, scores in found],
                "answer": [
                    {"text": _ITEM.sub("", plain(each.text)), "passage": each.passage} for each in extracted.sentences
                ],
                "covered": round(extracted.covered, 3),
                "model": self._endpoint.model if self._endpoint else "",
            }
        )
        if self._endpoint is not None:
            self._newest = name
            threading.Thread(target=self._by_model, args=(name, question, passages), daemon=True).start()

    def _by_model(self, name: Any, question: str, passages: list[Passage]) -> None:
        """Ask the language model; keep silent where a newer question was asked meanwhile."""
        assert self._endpoint is not None
        try:
            reply = self._endpoint.answer(question, passages)
            said: Message = {"text": reply.text, "cited": reply.cited, "unknown": reply.unknown}
        except EndpointError as error:
            said = {"what": error.what, "remedy": error.remedy}
        if self._newest == name:
            self._tell({"id": name, "by_model": said})


def found_by(
    index: Index, question: str, method: Method, count: int, leave_out: set[str]
) -> list[tuple[Passage, dict[str, float]]]:
    """Return the best passages by one search, each with its scores by every search; some sections left out.

    Raises:
        UsageError: dense search in an index without vectors.
    """
    methods: tuple[Method, ...] = get_args(Method) if index.embedder is not None else ("bm25", "hybrid")
    scores = {each: index.scores(question, each) for each in {*methods, method}}
    ranked = scores[method]
    if leave_out:
        kept = [leave_out.isdisjoint(chunk.headings) for chunk in index.chunks]
        ranked = np.where(np.array(kept), ranked, np.float32(0.0))
    return [
        (index.passage(place, score), {each: round(float(scores[each][place]), 4) for each in methods})
        for place, score in best(ranked, count, above=0.0)
    ]


def _shown(index: Index, question: str, passage: Passage, scores: dict[str, float]) -> Message:
    text = plain(passage.text)
    return {
        "source": passage.chunk.document,
        "title": passage.title,
        "headings": list(passage.chunk.headings),
        "text": text,
        "matched": matches(text, question, index.settings.analysis),
        "scores": scores,
    }


def _changed(changes: Changes, collection: Collection) -> Message:
    first = [f"{each.path}: {each.reason}" for each in collection.skipped if each.reason != "hidden"]
    return {
        "added": len(changes.added), "changed": len(changes.changed), "removed": len(changes.removed),
        "kept": changes.kept, "skipped": len(first), "first_skipped": first[:NAMED],
    }  # fmt: skip


def _text(message: Message, name: str, default: str = "") -> str:
    value = message.get(name, default)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"The message lacks {name}.", f'Give "{name}" as a text.')
    return value


def _number(message: Message, name: str, default: int, most: int, least: int = 1) -> int:
    value = message.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise UsageError(f"{name} is not a whole number from {least} to {most:,}.", f"Its default is {default}.")
    return value


def _names(message: Message, name: str) -> set[str]:
    value = message.get(name, [])
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else set()
