"""The embedded collection: a frozen copy of the glossary's entries, and the questions that they ask and answer.

``python -m engine.retrieval.frozen glossary/entries engine/retrieval/glossary-judged-v1.json.gz`` makes it. The engine
never reads the glossary itself, so that editing an entry moves no figure; a new copy gets a new name.

The questions are those of `Check yourself` and `FAQ`, and the texts leave these sections out: no document holds a
question or its answer word for word.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

from engine.core.errors import DataError
from engine.data.freeze import LEFT_OUT, prose, questions
from engine.data.plain import plain
from engine.retrieval.documents import Document, body_start, title_of
from engine.retrieval.judged import Judged

FILE = Path(__file__).parent / "glossary-judged-v1.json.gz"

_HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
_ASKED = re.compile(r"^Question: (.+)\nAnswer: (.+)$", re.MULTILINE)


def read_glossary() -> Judged:
    """Return the embedded collection: each question has its own entry to find.

    Raises:
        DataError: the file that ships with Lexigrad is missing or damaged.
    """
    try:
        kept = json.loads(gzip.decompress(FILE.read_bytes()))
        documents = tuple(Document(*each) for each in kept["documents"])
        asked = {name: (entry, question, answer) for name, entry, question, answer in kept["questions"]}
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{FILE} is damaged ({type(error).__name__}).", "Install Lexigrad again.") from None
    return Judged(
        documents,
        {name: question for name, (_, question, _) in asked.items()},
        {name: {entry: 1.0} for name, (entry, _, _) in asked.items()},
        {name: (answer,) for name, (_, _, answer) in asked.items()},
    )


def freeze(folder: Path) -> bytes:
    """Return the collection of the entries below `folder`, as the file holds it."""
    documents: list[list[str]] = []
    asked: list[list[str]] = []
    for path in sorted(folder.rglob("*.md"), key=lambda path: path.stem):
        markdown = path.read_text(encoding="utf-8")
        documents.append([path.stem, plain(title_of(markdown, path.stem)), plain(texts(markdown))])
        pairs = _ASKED.findall(plain(questions(markdown)))
        asked += [[f"{path.stem}-{place}", path.stem, *pair] for place, pair in enumerate(pairs, 1)]
    content = json.dumps({"documents": documents, "questions": asked}, ensure_ascii=True, separators=(",", ":"))
    return gzip.compress(content.encode(), compresslevel=9, mtime=0)


def texts(markdown: str) -> str:
    """Return the running text of an entry below its headings, without its questions, code and formulas."""
    parts = _HEADING.split(markdown[body_start(markdown) :])
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return "\n".join(
        f"## {heading}\n\n" + prose(text).strip().replace("\n", "\n\n") + "\n"
        for heading, text in pairs
        if heading.strip() not in LEFT_OUT and prose(text).strip()
    )


def main(arguments: list[str]) -> int:
    """Write the collection; the arguments are the folder of the entries and the file."""
    if len(arguments) != 2:
        print("usage: python -m engine.retrieval.frozen FOLDER FILE.json.gz", file=sys.stderr)
        return 2
    content = freeze(Path(arguments[0]))
    Path(arguments[1]).write_bytes(content)
    print(f"{len(content):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
