"""The lab on retrieval-augmented generation: which search finds the passages, and what they are worth to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.errors import UsageError
from engine.core.lab import Arm, Forecast, Lab, Results, Statement
from engine.core.spec import Computation, Metric, Panel, Preset, Settings, knob
from engine.core.verdict import Measured, Verdict, exactly, finite

ARM = "search"
MARGIN = 0.03
"""How much less often the fused search may find the right passage: 3 questions in 100."""
METHODS = ("bm25", "dense", "hybrid", "rrf", "reranked")
TITLES = {
    "bm25": "BM25",
    "dense": "embeddings",
    "hybrid": "both fused",
    "rrf": "fused by rank",
    "reranked": "fused, re-ranked",
}


@dataclass(frozen=True, kw_only=True)
class Retrieval(Settings):
    """What is indexed, how it is cut, how it is searched."""

    docs: str = knob(
        "",
        "A folder of Markdown or text, a SQuAD file (.json), or a file of documents; empty for the embedded glossary.",
        entry="retrieval-augmented-generation",
    )
    queries: str = knob("", "Questions: a BEIR file (.jsonl) or a table; with qrels.", entry="rag-evaluation")
    qrels: str = knob("", "Which document answers which question, as TREC or BEIR write it.", entry="rag-evaluation")
    chunking: str = knob(
        "headings",
        "Where documents are cut.",
        choices=("headings", "sentences", "fixed", "whole"),
        entry="chunking",
    )
    chunk_words: int = knob(160, "The most words in a passage.", low=10, high=5000, unit="words", entry="chunking")
    overlap: int = knob(
        0, "Words that a passage repeats from the one before.", low=0, high=2000, unit="words", entry="chunking"
    )
    k: int = knob(5, "How many passages are put before the reader.", low=1, high=100, unit="passages")
    retriever: str = knob(
        "hybrid", "The search that the answers are given from.", choices=("bm25", "dense", "hybrid"),
        entry="hybrid-search",
    )  # fmt: skip
    rerank: bool = knob(False, "Whether the answers' passages are read a second time.", entry="re-ranking")
    dense_weight: float = knob(
        1.0, "What embeddings weigh in the fused search, against 1 of BM25.", low=0.0, high=100.0, entry="hybrid-search"
    )
    embedder: str = knob(
        "lsa",
        "lsa learns vectors from these texts; or the name or folder of a sentence-embedding model on this machine.",
        entry="sentence-embedding",
    )
    dimensions: int = knob(128, "Numbers in a learned vector.", low=2, high=2048, entry="embedding")
    candidates: int = knob(
        10, "Among how many answers the right one has to be chosen.", low=2, high=100, unit="answers"
    )
    by_model: int = knob(
        40, "How many questions a language model is asked, where LEXIGRAD_ENDPOINT names one.", low=0, high=100_000,
        unit="questions", entry="large-language-model",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse passages that repeat all of the one before.

        Raises:
            UsageError: a value is out of range, or `overlap` is not below `chunk_words`.
        """
        super().__post_init__()
        if self.overlap >= self.chunk_words:
            raise UsageError(
                f"overlap = {self.overlap} is not below chunk_words = {self.chunk_words}.", "Repeat fewer words."
            )


def arms(settings: Settings) -> Sequence[Arm]:
    """Return the one computation."""
    return [Arm(name=ARM, title="Every search on every question", target="rag/quick", knobs=settings.values())]


def mean(results: Results, name: str) -> float:
    """Return the mean of a figure over the seeds."""
    values = results.of(ARM, name)
    return sum(values) / len(values)


def gap(results: Results, name: str, title: str) -> Measured:
    """Return a difference between two searches over the same questions, with its interval over questions.

    Another seed asks the same questions, so the interval over seeds would say nothing about other questions.
    """
    low, high = mean(results, f"{name}/low"), mean(results, f"{name}/high")
    value = finite(mean(results, name))
    return Measured(name=title, value=value, low=finite(low), high=finite(high), of="questions")


def above(bound: float, found: Measured) -> bool | None:
    """Say whether a difference lies above `bound`; None where its interval spans it."""
    if found.value is None or found.low is None or found.high is None:
        return None
    return True if found.low > bound else False if found.high < bound else None


def fused(results: Results) -> Verdict:
    """Judge whether fusion finds what the better of the two finds."""
    found = gap(results, "gap/recall", "fused minus the better one, recall@5")
    three = [exactly(f"recall@5, {TITLES[each]}", mean(results, f"{each}/recall")) for each in METHODS[:3]]
    return Verdict(
        holds=above(-MARGIN, found),
        text=f"Of 100 questions the right passage was among the first five for {100 * (three[2].value or 0):.1f} by "
        f"both fused, {100 * (three[0].value or 0):.1f} by BM25 and {100 * (three[1].value or 0):.1f} by embeddings.",
        measured=(found, *three),
    )


def higher(results: Results) -> Verdict:
    """Judge whether fusion ranks the right passage higher than BM25."""
    found = gap(results, "gap/mrr", "fused minus BM25, MRR@10")
    both = [exactly(f"MRR@10, {TITLES[each]}", mean(results, f"{each}/mrr")) for each in ("hybrid", "bm25")]
    return Verdict(
        holds=above(0.0, found),
        text=f"The mean of 1 / rank of the right passage was {both[0].value or 0:.3f} fused and "
        f"{both[1].value or 0:.3f} with BM25 alone.",
        measured=(found, *both),
    )


def answers(results: Results) -> Verdict:
    """Judge whether passages help to choose the right answer."""
    if not results.has(ARM, "gap/answers"):
        return Verdict(holds=None, text="These questions come without answers to choose from.", measured=())
    found = gap(results, "gap/answers", "with passages minus without")
    three = [
        exactly(title, mean(results, f"answers/{name}"))
        for name, title in (("with", "with passages"), ("without", "without"), ("others", "with passages of chance"))
    ]
    return Verdict(
        holds=above(0.0, found),
        text=f"Of 100 answers {100 * (three[0].value or 0):.0f} were right with the passages that were found, "
        f"{100 * (three[1].value or 0):.0f} without any, and {100 * (three[2].value or 0):.0f} with passages drawn by "
        "chance.",
        measured=(found, *three),
    )


BEST = ("BM25: the words themselves", "Embeddings: the meaning", "Both fused", "No clear winner")
AHEAD = 0.01
"""By how much a winner's mean reciprocal rank is clear of the next."""
GAIN = ("Less than 5 in 100 more", "5 to 20 in 100 more", "More than 20 in 100 more")


def best(results: Results) -> str:
    """Return which search put the right passage highest."""
    ranks = sorted(((mean(results, f"{METHODS[place]}/mrr"), BEST[place]) for place in range(3)), reverse=True)
    return ranks[0][1] if ranks[0][0] > ranks[1][0] + AHEAD else BEST[3]


def gain(results: Results) -> str:
    """Return which guess about the worth of passages came true."""
    if not results.has(ARM, "gap/answers"):
        return ""
    more = mean(results, "gap/answers")
    return GAIN[0] if more < 0.05 else GAIN[1] if more <= 0.2 else GAIN[2]


LAB = Lab(
    name="rag",
    title="Search first, then answer",
    question="Which search finds the passages that answer a question, and how much do passages help to answer it?",
    summary="Indexes a collection, asks judged questions by BM25, embeddings and both, and answers with and without.",
    entry="retrieval-augmented-generation",
    settings=Retrieval,
    presets=(
        Preset(name="quick", help="This glossary: its entries and their questions.", knobs={}, seconds=25.0),
        Preset(
            name="standard",
            help="The same, cut by sentences into short passages, 50 answers to choose from.",
            knobs={"chunking": "sentences", "chunk_words": 80, "candidates": 50, "by_model": 247},
            seconds=60.0,
        ),
    ),
    arms=arms,
    forecasts=(
        Forecast(
            id="best",
            question="Questions about this glossary, each answered by one entry. Which search puts the right entry "
            "highest?",
            choices=BEST,
            outcome=best,
            because="BM25 needs shared words and knows which are rare; vectors find what is said in other words and "
            "blur what is rare. They fail on different questions.",
        ),
        Forecast(
            id="gain",
            question="Ten answers, one of them right. A reader who sees the question alone chooses the one that shares "
            "most words with it. How much more often is the same reader right with five passages?",
            choices=GAIN,
            outcome=gain,
            because="The passages hold words that the answer has and the question has not.",
        ),
    ),
    statements=(
        Statement(
            id="fused",
            says="On judged questions, BM25 and embeddings fused find the right passage in the top 5 as often as the "
            "better of the two alone, or at most 3 questions in 100 less often.",
            judge=fused,
        ),
        Statement(
            id="higher",
            says="BM25 and embeddings fused put the right passage higher than BM25 alone (mean reciprocal rank).",
            judge=higher,
        ),
        Statement(
            id="answers",
            says="Answers chosen with retrieved passages are right more often than answers chosen without them.",
            judge=answers,
        ),
    ),
    why="BM25 adds up the words that question and passage share, a rare word counting more. It is blind where the "
    "same thing is said in other words. Embeddings put texts that keep the same company near one another, so *money "
    "back* can find *refund*, and they blur names and numbers that BM25 would find at once. Each is sure of itself "
    "where the other is lost, so their sum rarely does worse than either. To the reader a passage is worth what it "
    "holds beyond the question. Passages of chance mislead the same reader, so it is the finding that helps, and not "
    "more to read. And no reader can answer from a passage that was not found: recall bounds all that follows.",
    limits="The glossary's questions were written by those who wrote the entries, and some cannot be understood "
    "without their page. The reader only chooses among answers; it writes nothing. Its guess without passages is by "
    "shared words, so a large language model, which remembers much, would lose less without them: set "
    "LEXIGRAD_ENDPOINT and LEXIGRAD_MODEL to measure yours. Vectors are learned from these very texts unless a "
    "sentence-embedding model is named.",
    watch=Panel(
        events=("hybrid/recall", "bm25/recall", "dense/recall"), kind="line", title="right passage in the top 5"
    ),
    figures=(
        Metric(name="bm25/recall", title="Recall@5, BM25", higher=True),
        Metric(name="dense/recall", title="Recall@5, embeddings", higher=True),
        Metric(name="hybrid/recall", title="Recall@5, fused", higher=True),
        Metric(name="hybrid/mrr", title="MRR@10, fused", higher=True),
        Metric(name="answers/with", title="Right with passages", higher=True),
        Metric(name="answers/without", title="Right without", higher=True),
        Metric(name="query/p95", title="p95 of a query", unit="ms"),
    ),
    computation=Computation(
        name="rag",
        title="Search first, then answer",
        summary="A collection indexed, searched three ways and more, and answered from.",
        entry="retrieval-augmented-generation",
        spec=Retrieval,
        presets=(Preset(name="quick", help="As the lab asks.", knobs={}),),
        panels=(
            Panel(events=("searches",), kind="table", title="every search, all questions", entry="rag-evaluation"),
            Panel(
                events=("hybrid/recall", "bm25/recall", "dense/recall"),
                kind="line",
                title="right passage in the top 5, so far",
                x="step",
                entry="precision-and-recall",
            ),
            Panel(events=("answer",), kind="text", title="with and without passages", entry="grounding-and-citation"),
            Panel(events=("right answers",), kind="table", title="right answers", entry="rag-evaluation"),
            Panel(events=("cuts",), kind="table", title="by length of a passage (both fused)", entry="chunking"),
            Panel(events=("won and lost",), kind="table", title="questions that only one search answers"),
        ),
        headline=(
            Metric(name="hybrid/recall", title="Recall@5, fused", higher=True),
            Metric(name="answers/with", title="Right with passages", higher=True),
        ),
        code=(
            "retrieval/bm25.py",
            "retrieval/lsa.py",
            "retrieval/fusion.py",
            "retrieval/index.py",
            "retrieval/metrics.py",
            "retrieval/choose.py",
            "labs/rag/compute.py",
        ),
        compute="engine.labs.rag.compute:measure",
    ),
)
