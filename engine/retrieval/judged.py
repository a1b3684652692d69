"""Judged questions: documents, questions, and which documents answer which; as BEIR and TREC write them, and SQuAD."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import DataError
from engine.retrieval.documents import Document, read_folder

LARGEST = 1024 * 1024 * 1024
"""Bytes of one file."""
_ID_NAMES = ("_id", "id", "docno", "doc_id", "query_id")


@dataclass(frozen=True)
class Judged:
    """A collection on which a search can be measured."""

    documents: tuple[Document, ...]
    questions: Mapping[str, str]
    """Those with at least one relevant document, by name."""
    relevant: Mapping[str, Mapping[str, float]]
    """For each question the documents that answer it, and how well (above 0)."""
    answers: Mapping[str, tuple[str, ...]]
    """The words of the answer, where the collection gives them."""


def read_judged(docs: Path, queries: Path, qrels: Path) -> Judged:
    """Return a collection from three files.

    Args:
        docs: a folder of texts, a JSON-lines file (``_id``, ``title``, ``text``) or a table (name, tab, text).
        queries: a JSON-lines file (``_id``, ``text``) or a table (name, tab, text).
        qrels: a table of question, document, grade (BEIR, with its header) or question, 0, document, grade (TREC).

    Raises:
        DataError: a file is missing, binary or malformed, or a judgment names no document.
    """
    documents = read_folder(docs).documents if docs.is_dir() else tuple(_documents(docs))
    texts = {name: text for name, _, text in _records(queries)}
    known = {each.path for each in documents}
    if len(known) < len(documents):
        raise DataError(f"{docs} holds two documents of one name.", "Give each document a name of its own.")
    relevant: dict[str, dict[str, float]] = {}
    for question, document, grade in _judgments(qrels):
        if document not in known:
            raise DataError(
                f"{qrels} judges the document {document!r}, which {docs} does not hold.",
                "Give the documents that these judgments were made for.",
            )
        if grade > 0.0 and question in texts:
            relevant.setdefault(question, {})[document] = grade
    if not relevant:
        raise DataError(f"{qrels} names no question of {queries}.", "Give the judgments of these questions.")
    return Judged(documents, {name: texts[name] for name in relevant}, relevant, {})


def read_squad(path: Path) -> Judged:
    """Return a SQuAD-format file (SQuAD 1.1, XQuAD) as a collection: each question has its own paragraph to find.

    Raises:
        DataError: the file is missing or of another format.
    """
    documents: list[Document] = []
    questions: dict[str, str] = {}
    relevant: dict[str, dict[str, float]] = {}
    answers: dict[str, tuple[str, ...]] = {}
    try:
        for article in json.loads(_text(path))["data"]:
            for paragraph in article["paragraphs"]:
                document = Document(f"p{len(documents):05d}", str(article.get("title", "")), paragraph["context"])
                documents.append(document)
                for asked in paragraph["qas"]:
                    questions[asked["id"]] = asked["question"]
                    relevant[asked["id"]] = {document.path: 1.0}
                    answers[asked["id"]] = tuple(str(each["text"]) for each in asked["answers"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is no SQuAD file ({error!r}).", "Give a file in the format of SQuAD 1.1.") from None
    return Judged(tuple(documents), questions, relevant, answers)


def _documents(path: Path) -> Iterator[Document]:
    for name, title, text in _records(path):
        yield Document(name, title, text)


def _records(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, title and text of each line of a JSON-lines file or a table."""
    lines = _text(path).split("\n")
    table = path.suffix.lower() in {".tsv", ".txt"}
    empty = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        empty = False
        yield _row(path, number, line) if table else _object(path, number, line)
    if empty:
        raise DataError(f"{path} is empty.", "Give a file with one record a line.")


def _row(path: Path, number: int, line: str) -> tuple[str, str, str]:
    name, tab, text = line.partition("\t")
    if not tab:
        raise _malformed(path, number, "a name, a tab and a text")
    return name.strip(), "", text.replace("\t", " ").strip()


def _object(path: Path, number: int, line: str) -> tuple[str, str, str]:
    try:
        record: Any = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise _malformed(path, number, 'a JSON object with "_id" and "text"')
    name = next((record[key] for key in _ID_NAMES if key in record), None)
    if not isinstance(name, str | int) or name == "":
        raise _malformed(path, number, 'a JSON object with "_id" and "text"')
    return str(name), str(record.get("title") or ""), record["text"]


def _judgments(path: Path) -> Iterator[tuple[str, str, float]]:
    """Yield question, document and grade of each line."""
    for number, line in enumerate(_text(path).split("\n"), 1):
        parts = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or (number == 1 and parts[-1].strip().lower() in {"score", "relevance", "rel", "grade"}):
            continue
        if len(parts) == 4:
            del parts[1]
        try:
            question, document, grade = parts
            yield question.strip(), document.strip(), float(grade)
        except ValueError:
            raise _malformed(path, number, "a question, a document and a grade") from None


def _malformed(path: Path, number: int, wanted: str) -> DataError:
    return DataError(f"Line {number} of {path} is not {wanted}.", "Correct the line or give another file.")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path} is longer than {LARGEST:,} bytes.", "Give a part of it.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is binary, not text.", "Give a text file in UTF-8; unpack it first.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", "Give the path of a file.") from None
    if "\0" in text:
        raise DataError(f"{path} is binary, not text.", "Give a text file in UTF-8; unpack it first.")
    return text
