"""Judged questions for a folder that has none: sentences taken out of it, each to be led back to its document.

It is the known-item search of the field (Azzopardi, de Rijke, Balog 2007): easier than what people ask, and fair to
compare searches by.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from engine.core.errors import DataError
from engine.retrieval.chunks import sentences
from engine.retrieval.documents import Document, body_start
from engine.retrieval.judged import Judged

FEWEST_WORDS = 8
FEWEST_LEFT = 3
"""Sentences that a document has to keep."""


def hold_out(documents: Sequence[Document], most: int, seed: int) -> Judged:
    """Return the documents without up to `most` of their sentences, and these as questions.

    Raises:
        DataError: no document has a sentence to spare.
    """
    draw = random.Random(seed)
    there = {each.path: each.text for each in documents}
    pools = {each.path: _spare(each) for each in documents}
    drawn = [(path, span) for path, spans in pools.items() for span in draw.sample(spans, len(spans) // FEWEST_LEFT)]
    drawn = draw.sample(drawn, min(most, len(drawn)))
    if not drawn:
        raise DataError("No document has a sentence to ask by.", "Give questions and judgments of your own.")
    questions = {f"{path}:{start}": there[path][start:end] for path, (start, end) in drawn}
    relevant = {f"{path}:{start}": {path: 1.0} for path, (start, _) in drawn}
    for path, (start, end) in sorted(drawn, key=lambda each: -each[1][0]):
        there[path] = there[path][:start] + there[path][end:]
    return Judged(tuple(replace(each, text=there[each.path]) for each in documents), questions, relevant, {})


def _spare(document: Document) -> list[tuple[int, int]]:
    """Return the sentences that read as a question could: running text, long enough."""
    found = sentences(document.text, body_start(document.text))
    return [
        (start, end)
        for start, end in found
        if len(document.text[start:end].split()) >= FEWEST_WORDS and document.text[start].isalpha()
    ]
