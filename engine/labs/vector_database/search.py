"""Build and race the indexes in a process of their own: ``python -P -m engine.labs.vector_database.search``.

FAISS and torch each bring an OpenMP of their own, which do not share a process on every machine; and what is timed
should be alone. It is asked by one JSON object on its first line of input, writes one JSON object a line, and waits for
a line after each, so that a pause and the end reach it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.core.errors import LexigradError
from engine.labs.vector_database import indexes
from engine.labs.vector_database.indexes import Built, Floats
from engine.labs.vector_database.lab import BYTES, CELLS, CODES, EXACT, HNSW, RECHECKED
from engine.labs.vector_database.rows import Row
from engine.labs.vector_database.timing import Contestant, race
from engine.labs.vector_database.vectors import collection

Tell = Callable[[dict[str, Any]], None]


def main() -> int:
    """Answer one request; 0 at its end, or where whoever asked is gone."""
    asked = json.loads(sys.stdin.readline())
    try:
        measure(asked, tell)
    except LexigradError as error:
        tell({"what": error.what, "remedy": error.remedy})
    except MemoryError:
        tell({"what": "The vectors do not fit into memory.", "remedy": "Take fewer of them, or fewer dimensions."})
    except (BrokenPipeError, EOFError):
        pass
    return 0


def tell(message: dict[str, Any]) -> None:
    """Write one message and wait until it was read.

    Raises:
        EOFError: nobody reads any more.
    """
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
    if not sys.stdin.readline():
        raise EOFError


def measure(asked: dict[str, Any], tell: Tell) -> None:
    """Build every index, race them all, and tell the rows after each round."""
    indexes.alone()
    vectors, queries = collection(asked["vectors"], asked["n"], asked["queries"], asked["dimension"], asked["seed"])
    counts = sizes(len(vectors))
    tell({"counts": counts, "dimension": vectors.shape[1], "queries": len(queries)})
    entered: list[tuple[Contestant, Built, int, int]] = []
    truths = {}
    for count in counts:
        part = vectors[:count]
        truths[count] = indexes.nearest(part, queries, asked["k"])
        for built in contestants(part, asked, whole=count == counts[-1], tell=tell):
            entered += [
                (Contestant(built.name, search_of(built, part, asked["k"]), turner(built, each)), built, each, count)
                for each in built.settings
            ]
    tell({"racing": len(entered)})

    def beat() -> None:
        rows = [row(each, built, setting, count, truths[count]) for each, built, setting, count in entered]
        tell({"rows": [asdict(one) for one in rows]})

    race([each for each, *_ in entered], queries, np.random.default_rng([asked["seed"], 2]), beat)


def sizes(count: int) -> list[int]:
    """Return five sizes up to `count`, two for each tenfold."""
    return [round(count / factor) for factor in (100, 10**1.5, 10, 10**0.5, 1)]


def contestants(vectors: Floats, asked: dict[str, Any], *, whole: bool, tell: Tell) -> Iterator[Built]:
    """Yield the built indexes: all of them on the whole collection, exact and HNSW alone on its parts."""
    efs = doubling(asked["k"], asked["ef"])
    yield build(EXACT, indexes.exact(vectors), vectors, tell)
    yield build(HNSW, indexes.hnsw(vectors, asked["M"], asked["ef_build"]), vectors, tell, "ef", efs)
    if not whole:
        return
    yield build(CELLS, indexes.cells(vectors), vectors, tell, "probes", indexes.PROBES)
    yield build(BYTES, indexes.whole_bytes(vectors), vectors, tell)
    short = build(CODES, indexes.codes(vectors), vectors, tell)
    yield short
    # The full vectors have to be kept for the second look, on disk or in memory: they count.
    yield Built(RECHECKED, short.search, short.seconds, short.size + vectors.nbytes)


def doubling(first: int, last: int) -> list[int]:
    """Return `first` and its doubles up to `last`, which ends the list."""
    found = [first]
    while found[-1] * 2 <= last:
        found.append(found[-1] * 2)
    return found if found[-1] >= last else [*found, last]


def build(name: str, index: Any, vectors: Floats, tell: Tell, dial: str = "", settings: Sequence[int] = (0,)) -> Built:
    """Fill an index, telling how far it is."""
    began, idle = time.perf_counter(), 0.0

    def beat(done: int) -> None:
        nonlocal idle
        before = time.perf_counter()
        tell({"building": name, "n": len(vectors), "done": done})
        idle += time.perf_counter() - before

    indexes.fill(index, vectors, beat)
    return Built(name, index, time.perf_counter() - began - idle, indexes.size_of(index), dial, settings)


def search_of(built: Built, vectors: Floats, k: int) -> Any:
    """Return a function from a query (D) to the places of its `k` nearest."""
    if built.name == RECHECKED:
        return lambda query: indexes.recheck(built.search, vectors, k, query)
    return lambda query: built.search.search(query[None], k)[1][0]


def turner(built: Built, setting: int) -> Callable[[], None]:
    """Return a function that sets the dial of an index."""
    return lambda: built.turn(setting)


def row(each: Contestant, built: Built, setting: int, count: int, truth: indexes.Places) -> Row:
    """Return what is known of a contestant so far."""
    # A block of every contestant is done before anything is told, so all found the same queries.
    recall = indexes.recall(each.found, truth[: len(each.found)])
    return Row(built.name, count, built.dial, setting, recall, each.median, each.slowest, built.size, built.seconds)


if __name__ == "__main__":
    sys.exit(main())
