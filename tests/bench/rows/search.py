"""Searching as one types: each key, over all entries and over ten thousand."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.bench.figures import Sample
from tests.bench.places import fresh_home
from tests.bench.row import Effort, Row, Target, figure

if TYPE_CHECKING:
    from glossary.library import Library
    from glossary.search import Index

MANY = 10_000
MOST, MOST_OF_MANY = 16.0, 30.0
QUERIES = (
    "learning rate", "gradient descent", "attention", "loss is nan", "why does my loss stop falling", "what is a token",
    "transfomer", "embeding", "batch", "overfitting", "how do I choose a batch size", "cross entropy", "lora", "rag",
    "recurent network", "vanishing gradients", "softmax temperature", "scaling laws",
)  # fmt: skip
"""Names, symptoms, questions, and words that are spelled wrong."""


def measure(effort: Effort) -> Iterator[Row]:
    """Type every query, key by key, over both libraries."""
    from engine.core import paths
    from glossary.library import Library
    from glossary.search import Index

    with fresh_home() as home:
        library = Library.load(cache=paths.cache_folder())
        index = Index(library, home / "entries.sqlite")
        many = library_of(library, MANY)
        large = Index(many, home / "many.sqlite")
        rounds = effort.times(5)
        yield _row("all", f"Search, per key, over all {len(library.entries)} entries", typed(index, rounds), MOST)
        yield _row("many", f"Search, per key, over {MANY:,} made-up entries", typed(large, rounds), MOST_OF_MANY)
        index.close()
        large.close()


def library_of(library: Library, count: int) -> Library:
    """Return a library of so many entries, whose sections come from the real ones and whose titles are new pairs."""
    import msgspec

    from glossary.library import Library

    chance = random.Random(0)
    real = list(library.entries.values())
    words = sorted({word for entry in real for word in entry.title.lower().split() if len(word) > 3})
    made = []
    for number in range(count):
        entry = chance.choice(real)
        title = f"{chance.choice(words)} {chance.choice(words)} {number}"
        sections = tuple(chance.choice(real).sections[place % 4] for place in range(len(entry.sections)))
        changes = {"slug": title.replace(" ", "-"), "title": title, "aliases": (), "digest": str(number)}
        made.append(msgspec.structs.replace(entry, sections=sections, **changes))
    return Library(made)


def typed(index: Index, rounds: int) -> Sample:
    """Return the milliseconds of every key of every query; a first round warms up."""
    found = []
    for repeat in range(rounds + 1):
        for query in QUERIES:
            for end in range(1, len(query) + 1):
                began = time.perf_counter()
                index.search(query[:end], limit=12)
                if repeat:
                    found.append(1000 * (time.perf_counter() - began))
    return Sample(tuple(found))


def _row(part: str, what: str, found: Sample, most: float) -> Row:
    return Row(
        key=f"search/{part}",
        what=what,
        ours=found,
        unit="ms",
        figure=f"p95 {figure(found.p95)} ms, median {figure(found.median)} ms, worst {figure(max(found.values))} ms",
        targets=(Target(f"p95 at most {most:g} ms", found.p95, most),),
        how=f"{len(QUERIES)} queries typed key by key after one round to warm up: names, symptoms, questions, "
        "misspellings; n counts keys. The time is the index's, without drawing the hits.",
    )
