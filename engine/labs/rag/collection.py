"""What is searched and asked: the embedded glossary, a SQuAD file, judged files, or a folder of one's own."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import UsageError
from engine.labs.rag.lab import Retrieval
from engine.retrieval.documents import read_folder
from engine.retrieval.frozen import read_glossary
from engine.retrieval.held_out import hold_out
from engine.retrieval.judged import Judged, read_judged, read_squad

MOST_QUESTIONS = 300
"""Sentences that are taken out of a folder without judgments."""


def read_collection(asked: Retrieval, seed: int) -> tuple[Judged, list[str]]:
    """Return the collection that the knobs name, and sentences to tell whoever watches.

    Raises:
        UsageError: questions without judgments, or the reverse, or either without documents.
        DataError: what a path names cannot be used.
    """
    if bool(asked.queries) != bool(asked.qrels):
        missing, there = ("qrels", "queries") if asked.queries else ("queries", "qrels")
        raise UsageError(f"{there} is set and {missing} is not.", "Give both, or neither.")
    if not asked.docs:
        if asked.queries:
            raise UsageError("There are questions and judgments, and no documents.", "Give docs=FOLDER as well.")
        return read_glossary(), []
    docs = Path(asked.docs).expanduser()
    if asked.queries:
        return read_judged(docs, Path(asked.queries).expanduser(), Path(asked.qrels).expanduser()), []
    if docs.suffix.lower() == ".json" and docs.is_file():
        return read_squad(docs), []
    found = read_folder(docs)
    said = [
        f"{len(found.documents):,} documents without judged questions: sentences are taken out of them, and each has "
        "to be led back to its document. Give queries and qrels for questions that people ask."
    ]
    if found.skipped:
        first = found.skipped[0]
        said.append(f"{len(found.skipped):,} files were passed over, the first is {first.path} ({first.reason}).")
    return hold_out(found.documents, MOST_QUESTIONS, seed), said
