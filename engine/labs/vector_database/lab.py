"""The lab on vector databases: what an index gives up for its speed, and how the times grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Verdict, at_least, both, measured, more_than

EXACT, HNSW, CELLS, BYTES, CODES = "exact", "HNSW", "cells (IVF)", "8 bits (SQ8)", "codes (PQ)"
RECHECKED = "codes, rechecked"
ARM = "race"
BATCH = 4000
"""Vectors that go into an index at once."""
ROUND = 25
"""Queries of one index in a row; what else the machine does falls on all indexes alike."""
TENFOLD = (7.0, 14.0)
"""What counts as about tenfold."""
MUCH_LESS = 4.0
FOUND = 0.95


@dataclass(frozen=True, kw_only=True)
class Search(Settings):
    """What is searched, and how."""

    vectors: str = knob(
        "",
        "A .npy file of your own vectors, one a row; empty for a made-up collection of 256 topics.",
        entry="embedding",
    )
    n: int = knob(
        100_000, "How many vectors are searched.", low=2000, high=20_000_000, unit="vectors", entry="vector-database"
    )
    dimension: int = knob(96, "Numbers in a vector of the made-up collection.", low=8, high=4096, entry="embedding")
    M: int = knob(
        16, "Links of a vector in the graph of HNSW; twice as many on its bottom floor.", low=2, high=128,
        unit="links", entry="approximate-nearest-neighbor-search",
    )  # fmt: skip
    ef_build: int = knob(
        80, "How broadly the graph is searched while it is built.", low=8, high=2000, unit="vectors",
        entry="approximate-nearest-neighbor-search",
    )  # fmt: skip
    ef: int = knob(
        320, "The broadest search of HNSW; it begins at k and doubles.", low=20, high=10_000, unit="vectors",
        entry="approximate-nearest-neighbor-search",
    )  # fmt: skip
    k: int = knob(10, "How many nearest vectors a query asks for.", low=1, high=100, unit="vectors")
    queries: int = knob(500, "How many queries are timed, each by every index.", low=50, high=100_000, unit="queries")

    def __post_init__(self) -> None:
        """Refuse a broadest search that is none.

        Raises:
            UsageError: a value is out of range, or `ef` is not larger than `k`.
        """
        super().__post_init__()
        if self.ef <= self.k:
            raise UsageError(f"ef = {self.ef} is not larger than k = {self.k}.", "Take a larger ef or a smaller k.")


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the one computation."""
    return [Arm(name=ARM, title="All indexes", target="vector-database/quick", knobs=settings.values())]


def broader(results: Results) -> Verdict:
    """Judge whether a larger ef finds more and takes longer."""
    low, high = results.of(ARM, "hnsw/narrow_recall"), results.of(ARM, "hnsw/broad_recall")
    times = [
        b / a for a, b in zip(results.of(ARM, "hnsw/narrow_time"), results.of(ARM, "hnsw/broad_time"), strict=True)
    ]
    gains = [b - a for a, b in zip(low, high, strict=True)]
    gain, longer = measured("recall gained", gains), measured("time of a query", times, "x")
    steps = measured("doublings that did both", results.of(ARM, "hnsw/climbing"))
    return Verdict(
        holds=both(more_than(0.0, gains), more_than(1.0, times)),
        text=f"From the narrowest to the broadest search recall rose by {gain.value or 0:.3f} and a query took "
        f"{longer.value or 0:.1f} times as long; {100 * (steps.value or 0):.0f} % of the doublings of ef did both.",
        measured=(gain, longer, steps),
    )


def grows(results: Results) -> Verdict:
    """Judge how both times grow, over a hundredfold of vectors."""
    exact, graph = results.of(ARM, "exact/growth"), results.of(ARM, "hnsw/growth")
    all_, few = measured("exact search", exact, "x"), measured("HNSW, recall 0.95", graph, "x")
    if few.value is None:
        return Verdict(holds=None, text="HNSW did not reach a recall of 0.95; take a larger ef.", measured=(all_, few))
    return Verdict(
        holds=both(
            more_than(TENFOLD[0], exact),
            more_than(-TENFOLD[1], [-each for each in exact]),
            more_than(-MUCH_LESS, [-each for each in graph]),
        ),
        text=f"Over a hundredfold of vectors, each tenfold made exact search {all_.value or 0:.1f} times as long, and "
        f"HNSW at a recall of 0.95 {few.value:.1f} times.",
        measured=(all_, few),
    )


def fewer_bits(results: Results) -> Verdict:
    """Judge whether 8 bits a number suffice."""
    found, memory = results.of(ARM, "bytes/recall"), results.of(ARM, "bytes/memory")
    share, size = measured("recall", found), measured("memory", memory, "of 32 bits")
    return Verdict(
        holds=both(at_least(FOUND, found), more_than(-0.3, [-each for each in memory])),
        text=f"With 8 bits a number the index took {100 * (size.value or 0):.0f} % of the memory and found "
        f"{100 * (share.value or 0):.1f} % of the true neighbors.",
        measured=(share, size),
    )


def rechecked(results: Results) -> Verdict:
    """Judge whether a second look at the full vectors mends what short codes lose."""
    short, again = results.of(ARM, "codes/recall"), results.of(ARM, "rechecked/recall")
    mended = [(b - a) / (1.0 - a) if a < 1.0 else 1.0 for a, b in zip(short, again, strict=True)]
    first, second = measured("recall of the codes", short), measured("recall after the second look", again)
    share = measured("of the missing ones found", mended)
    return Verdict(
        holds=more_than(0.5, mended),
        text=f"Codes alone found {100 * (first.value or 0):.0f} % of the true neighbors; a second look at ten times as "
        f"many candidates found {100 * (second.value or 0):.0f} %.",
        measured=(first, second, share),
    )


FASTER = ("About as fast", "2 to 10 times as fast", "More than 10 times as fast")
LOSS = ("Hardly any", "A few in a hundred", "More than one in five")


def speed(results: Results) -> str:
    """Return which guess about the speed of HNSW came true."""
    ratio = measured(
        "", [a / b for a, b in zip(results.of(ARM, "exact/time"), results.of(ARM, "hnsw/time"), strict=True)]
    )
    if ratio.value is None:
        return ""
    return FASTER[0] if ratio.value < 2 else FASTER[1] if ratio.value <= 10 else FASTER[2]


def loss(results: Results) -> str:
    """Return which guess about the short codes came true."""
    missing = 1.0 - (measured("", results.of(ARM, "codes/recall")).value or 0.0)
    return LOSS[0] if missing < 0.02 else LOSS[1] if missing <= 0.2 else LOSS[2]


CONTEST = (
    Panel(
        events=("recall against time",),
        kind="points",
        title="recall@10 (y) against time of a query (x, log10 of µs)",
        entry="approximate-nearest-neighbor-search",
    ),
    Panel(events=("contest",), kind="table", title="every index on the whole collection", entry="vector-database"),
    Panel(
        events=("time by size",),
        kind="points",
        title="time (y, log10 of µs) by number of vectors (x, log10)",
        entry="vector-database#how-it-works",
    ),
    Panel(events=("times",), kind="table", title="time by number of vectors", entry="vector-database"),
    Panel(events=("narrow", "broad"), kind="line", title="recall of HNSW, narrowest and broadest", x="round"),
    Panel(events=("built",), kind="line", title="of the index being built", x="batch"),
)

LAB = Lab(
    name="vector-database",
    title="Exact search against an index",
    question="What does an index give up for its speed, and when does it pay?",
    summary="Builds exact, HNSW, cell and quantized indexes of FAISS and races them, one query at a time.",
    entry="vector-database",
    settings=Search,
    presets=(
        Preset(name="quick", help="Up to 100,000 vectors of 96 numbers.", knobs={}, seconds=60.0),
        Preset(
            name="standard",
            help="Up to 1,000,000 vectors of 256 numbers.",
            knobs={"n": 1_000_000, "dimension": 256, "ef_build": 200, "queries": 1000},
            seconds=3600.0,
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="speed",
            question="100,000 vectors of 96 numbers. HNSW is set to find 95 of 100 true neighbors. How fast is a "
            "query, against comparing with every vector?",
            choices=FASTER,
            outcome=speed,
            because="Exact search looks at all vectors, the graph at some hundreds: each step leads to nearer ones.",
        ),
        Forecast(
            id="codes",
            question="Product quantization names each vector by 16 bytes instead of 384. How many of the ten true "
            "neighbors does it miss?",
            choices=LOSS,
            outcome=loss,
            because="The nearest ten differ by less than a code can tell: vectors of one code are all equally near. "
            "A second look at the full vectors of the best hundred tells them apart.",
        ),
    ),
    statements=(
        Statement(
            id="broader",
            says="Searching an HNSW index more broadly (a larger ef) raises its recall and lengthens the time of a "
            "query.",
            judge=broader,
        ),
        Statement(
            id="grows",
            says="As the number of vectors grows tenfold, the time of an exact search grows about tenfold (7 to 14 "
            "times) and that of an HNSW search with a recall of 95 percent less than fourfold.",
            judge=grows,
        ),
        Statement(
            id="fewer-bits",
            says="With 8 bits a number instead of 32, an index takes less than a third of the memory and still finds "
            "at least 95 percent of the true neighbors.",
            judge=fewer_bits,
        ),
        Statement(
            id="second-look",
            says="Comparing the full vectors of the best hits again finds more than half of the true neighbors that "
            "short codes miss.",
            judge=rechecked,
        ),
    ),
    why="Exact search multiplies the query with every vector: twice the vectors, twice the work. HNSW links each "
    "vector to near ones, with long links on sparse upper floors, and walks from neighbor to nearer neighbor, keeping "
    "the `ef` best that it has met. It stops when no link leads nearer. So it looks at some hundreds of vectors, "
    "whether there are ten thousand or a million, and the walk grows only slowly. Now and then it ends in a place "
    "from where no link leads to a true neighbor; a larger `ef` keeps more ways open, and each costs time. Fewer bits "
    "a number save memory: 8 bits move each vector by less than the distance between neighbors, codes of one byte for "
    "several numbers move it by more, so that they choose candidates well and order them badly.",
    limits="The time is what one thread computes; a small collection lies in the processor's caches and a large one "
    "does not, so that a single tenfold can cost exact search more than ten times. One machine, one thread, one query "
    "at a time, everything in memory, no filters and no updates. The vectors are made up unless you give your own; "
    "recall depends on how they lie, so measure on yours.",
    watch=Panel(events=("narrow", "broad"), kind="line", title="recall of HNSW, narrowest and broadest", x="round"),
    figures=(
        Metric(name="exact/time", title="Exact search", unit="µs"),
        Metric(name="hnsw/time", title="HNSW, recall 0.95", unit="µs"),
        Metric(name="exact/growth", title="Exact, tenfold vectors", unit="x"),
        Metric(name="hnsw/growth", title="HNSW, tenfold vectors", unit="x"),
        Metric(name="bytes/recall", title="Recall, 8 bits", higher=True),
        Metric(name="codes/recall", title="Recall, codes", higher=True),
    ),
    computation=Computation(
        name="vector-database",
        title="Exact search against an index",
        summary="Indexes of FAISS, raced on the same queries.",
        entry="vector-database",
        spec=Search,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=CONTEST,
        headline=(
            Metric(name="exact/time", title="Exact search", unit="µs"),
            Metric(name="hnsw/time", title="HNSW, recall 0.95", unit="µs"),
        ),
        code=(
            "labs/vector_database/indexes.py",
            "labs/vector_database/timing.py",
            "labs/vector_database/search.py",
            "labs/vector_database/vectors.py",
        ),
        compute="engine.labs.vector_database.compute:measure",
    ),
)
