"""Have the indexes built and raced in a process of their own, and draw what comes back."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from engine.core.errors import RunError
from engine.core.events import Points, Table
from engine.labs.vector_database.lab import BATCH, BYTES, CODES, EXACT, HNSW, RECHECKED, ROUND, Search
from engine.labs.vector_database.rows import Row, by_size, climbing, growth, of_index, reaching
from engine.labs.workbench import Workbench


def measure(bench: Workbench) -> None:
    """Measure recall, time and memory of every index, and how the times grow."""
    asked = cast(Search, bench.settings)
    began = False
    rows: list[Row] = []
    counts: list[int] = []
    with searching({**asked.values(), "seed": bench.seed}, bench.folder) as messages:
        for message in messages:
            if "what" in message:
                raise RunError(message["what"], message["remedy"])
            if "counts" in message:
                counts = message["counts"]
                bench.start(total_steps=expected_steps(counts, message["queries"]))
                began = True
                if counts[-1] < asked.n:
                    bench.say(
                        f"The file holds {counts[-1]:,} vectors to search; {asked.n:,} were asked for.", "warning"
                    )
            elif "building" in message:
                bench.advance(built=message["done"] / message["n"])
            elif "racing" in message:
                bench.enter("searching")
            elif "rows" in message:
                rows = [Row(**each) for each in message["rows"]]
                draw(bench, rows, counts)
    if not began or not rows:
        raise RunError("The process that searches has ended early.", "Try it again, or with fewer vectors.")
    bench.figures |= figures(rows, counts)


def expected_steps(counts: list[int], queries: int) -> int:
    """Return how many steps there will be: batches that go into indexes, and rounds of the race."""
    batches = [math.ceil(count / BATCH) for count in counts]
    return 2 * sum(batches) + 3 * batches[-1] + 3 + math.ceil(queries / ROUND)


@contextmanager
def searching(asked: dict[str, Any], folder: Path) -> Iterator[Iterator[dict[str, Any]]]:
    """Start the process that searches; yield its messages, and end it whatever happens."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (folder / "search.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine.labs.vector_database.search"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment,
        )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    try:
        send(child.stdin, json.dumps(asked))
        yield replies(child.stdin, child.stdout)
        code = child.wait()
        if code:
            raise RunError(f"The process that searches ended with {code}.", f"Its log is {folder / 'search.log'}.")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def replies(asking: IO[bytes], answering: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield message after message; the next one is asked for when this one is dealt with."""
    for line in answering:
        yield json.loads(line)
        send(asking, "")
    asking.close()


def send(asking: IO[bytes], line: str) -> None:
    """Write a line; whoever has ended already does not read it."""
    try:
        asking.write(line.encode() + b"\n")
        asking.flush()
    except BrokenPipeError:
        pass


def draw(bench: Workbench, rows: list[Row], counts: list[int]) -> None:
    """Show what is known after a round."""
    last = [row for row in rows if row.count == counts[-1]]
    names = list(dict.fromkeys(row.index for row in last))
    bench.emit(
        Points(
            name="recall against time",
            x=[math.log10(row.median) for row in last],
            y=[row.recall for row in last],
            group=[names.index(row.index) for row in last],
            words=[f"{row.dial} {row.setting}" if row.dial else row.index for row in last],
            groups=names,
        ),
        time_by_size(rows, counts),
        contest(last),
        sizes_table(rows, counts),
    )
    graph = of_index(rows, HNSW, counts[-1])
    bench.advance(
        narrow=graph[0].recall, broad=graph[-1].recall, narrow__time=graph[0].median, broad__time=graph[-1].median
    )


def time_by_size(rows: list[Row], counts: list[int]) -> Points:
    """Return both times by number of vectors, both axes in powers of ten: tenfold growth is a slope of one."""
    there = [(count, name, row) for name in (EXACT, HNSW) for count, row in by_size(rows, name, counts)]
    return Points(
        name="time by size",
        x=[math.log10(count) for count, _, _ in there],
        y=[math.log10(row.median) for _, _, row in there],
        group=[int(name == HNSW) for _, name, _ in there],
        groups=[EXACT, f"{HNSW}, recall 0.95"],
    )


def contest(last: list[Row]) -> Table:
    """Return every index on the whole collection."""
    exact = next(row for row in last if row.index == EXACT)
    shown = [
        [
            row.index,
            f"{row.dial} {row.setting}" if row.dial else "",
            f"{row.recall:.3f}",
            f"{row.median:,.0f}",
            f"{row.slow:,.0f}",
            f"{exact.median / row.median:.1f}x",
            f"{row.size / row.count:,.0f}",
            f"{row.build:.1f}",
        ]
        for row in last
    ]
    columns = ["index", "dial", "recall@10", "median µs", "p95 µs", "faster", "bytes a vector", "built in s"]
    return Table(name="contest", columns=columns, rows=shown)


def sizes_table(rows: list[Row], counts: list[int]) -> Table:
    """Return the times of exact search and HNSW by number of vectors."""
    shown = []
    for count in counts:
        exact, graph = of_index(rows, EXACT, count)[0], reaching(of_index(rows, HNSW, count))
        cells = [f"{graph.median:,.0f}", str(graph.setting), f"{graph.recall:.3f}"] if graph else ["", "", "below 0.95"]
        shown.append([f"{count:,}", f"{exact.median:,.0f}", *cells])
    return Table(name="times", columns=["vectors", "exact µs", "HNSW µs", "ef", "recall@10"], rows=shown)


def figures(rows: list[Row], counts: list[int]) -> dict[str, float]:
    """Return what the statements are judged by."""
    last = counts[-1]
    exact, graph = of_index(rows, EXACT, last)[0], of_index(rows, HNSW, last)
    chosen = reaching(graph)
    whole, short, again = (of_index(rows, name, last)[0] for name in (BYTES, CODES, RECHECKED))
    return {
        "vectors": float(last),
        "exact/time": exact.median,
        "exact/growth": growth(rows, EXACT, counts),
        "hnsw/growth": growth(rows, HNSW, counts),
        "hnsw/time": chosen.median if chosen else math.nan,
        "hnsw/narrow_recall": graph[0].recall,
        "hnsw/broad_recall": graph[-1].recall,
        "hnsw/narrow_time": graph[0].median,
        "hnsw/broad_time": graph[-1].median,
        "hnsw/climbing": climbing(graph),
        "bytes/recall": whole.recall,
        "bytes/memory": whole.size / exact.size,
        "codes/recall": short.recall,
        "codes/memory": short.size / exact.size,
        "rechecked/recall": again.recall,
    }
