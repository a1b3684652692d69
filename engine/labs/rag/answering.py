"""Answers with and without passages: chosen among several, shown word for word, by a language model if one is set."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.core.events import Table, Text
from engine.labs.rag.lab import Retrieval
from engine.labs.rag.searches import weights
from engine.labs.workbench import Workbench
from engine.retrieval.answer import extract
from engine.retrieval.choose import choose, right
from engine.retrieval.endpoint import Endpoint, EndpointError
from engine.retrieval.index import Index, Method, Passage
from engine.retrieval.judged import Judged
from engine.retrieval.metrics import interval
from engine.retrieval.rerank import LOOKED_AT, rerank

WAYS = ("without", "others", "with")
SAYS = {
    "without": "no passages",
    "others": "passages drawn by chance",
    "with": "passages found",
    "model without": "language model, no passages",
    "model with": "language model, passages found",
}
_LETTER = re.compile(r"\b([A-Z])\b")
_MOST_LETTERS = 26


@dataclass
class Marks:
    """1 for each right answer, 0 for each wrong one, by way of answering."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def note(self, way: str, mark: float) -> None:
        """Add the mark of one answer."""
        self.of.setdefault(way, []).append(mark)

    def table(self) -> Table:
        """Return the share of right answers, with the interval over questions."""
        rows = []
        for way, marks in self.of.items():
            found = interval(np.array(marks), resamples=300)
            rows.append([SAYS[way], f"{100 * found.mean:.1f}", f"{100 * found.low:.1f} to {100 * found.high:.1f}"])
        return Table(name="right answers", columns=["reader has", "right, %", "95 %"], rows=rows)


@dataclass(frozen=True)
class Choice:
    """A question with the answers to choose from."""

    question: str
    options: list[str]
    place: int
    """Of the right one."""
    passages: list[Passage]


def answer_all(bench: Workbench, index: Index, judged: Judged, asked: Retrieval, batch: int) -> dict[str, float]:
    """Answer every question in every way; return the share of right answers of each, and what passages gain."""
    draw = random.Random(bench.seed)
    marks = Marks()
    endpoint = Endpoint.of_environment()
    for number, (name, question) in enumerate(judged.questions.items(), 1):
        passages = passages_for(index, question, asked)
        options, place = candidates(judged, name, asked.candidates, draw)
        others = [index.passage(draw.randrange(len(index.chunks)), 1.0) for _ in passages]
        for way, shown in (("without", []), ("others", others), ("with", passages)):
            marks.note(way, right(choose(index, question, options, shown), place))
        if endpoint is not None and number <= asked.by_model:
            endpoint = by_model(bench, endpoint, Choice(question, options, place, passages), marks)
        if number % batch == 0 or number == len(judged.questions):
            bench.emit(marks.table(), example(index, question, judged.answers[name][0], options, passages))
            bench.advance()
    return figures(marks, bench.seed)


def passages_for(index: Index, question: str, asked: Retrieval) -> list[Passage]:
    """Return the passages that are put before the reader."""
    method: Method = asked.retriever  # type: ignore[assignment]
    if not asked.rerank:
        return index.search(question, asked.k, method, weights(asked))
    return rerank(index, question, index.search(question, LOOKED_AT, method, weights(asked)))[: asked.k]


def candidates(judged: Judged, name: str, count: int, draw: random.Random) -> tuple[list[str], int]:
    """Return answers to choose from, and the place of the right one; the wrong ones are right for other questions."""
    true = judged.answers[name][0]
    pool = sorted({given[0] for given in judged.answers.values() if given} - set(judged.answers[name]))
    wrong = draw.sample(pool, min(count - 1, len(pool)))
    place = draw.randrange(len(wrong) + 1)
    return [*wrong[:place], true, *wrong[place:]], place


def example(index: Index, question: str, true: str, options: Sequence[str], passages: list[Passage]) -> Text:
    """Return one question with what the reader chose without passages, and what the passages say."""
    alone = choose(index, question, options)
    blind = options[max(range(len(options)), key=alone.__getitem__)]
    found = extract(index, question, passages)
    cited = "\n".join(
        f"[{rank}] {each.title}" + (f" > {' > '.join(each.chunk.headings)}" if each.chunk.headings else "")
        for rank, each in enumerate(passages, 1)
    )
    text = f"\n\nwithout passages, chosen: {blind}\n\nwith passages, word for word: {found.text()}\n\n{cited}\n\n"
    return Text(name="answer", prompt=question, text=f"{text}the answer: {true}")


def by_model(bench: Workbench, endpoint: Endpoint, asked: Choice, marks: Marks) -> Endpoint | None:
    """Have the language model choose, with and without passages; None where it cannot be asked any more."""
    few, place = _fewer(asked.options, asked.place)
    for way, shown in (("model without", []), ("model with", asked.passages)):
        try:
            reply = endpoint.answer(lettered(asked.question, few), shown)
        except EndpointError as error:
            bench.say(f"{error} The language model is left out from here on.", "warning")
            return None
        marks.note(way, float(letter(reply.text) == place))
    return endpoint


def _fewer(options: Sequence[str], place: int) -> tuple[list[str], int]:
    """Return no more options than there are letters, the right one among them."""
    if len(options) <= _MOST_LETTERS:
        return list(options), place
    return [options[place], *(each for each in options if each != options[place])][:_MOST_LETTERS], 0


def lettered(question: str, options: Sequence[str]) -> str:
    """Return the question with its options behind letters."""
    lines = "\n".join(f"{chr(65 + place)}. {each}" for place, each in enumerate(options))
    return f"{question}\n\nWhich of these is the answer? Give its letter alone.\n{lines}"


def letter(reply: str) -> int | None:
    """Return the place that a reply names by its letter; None where it names none."""
    found = _LETTER.search(reply)
    return ord(found[1]) - 65 if found else None


def figures(marks: Marks, seed: int) -> dict[str, float]:
    """Return the share of right answers by way, and what passages gain with its interval over questions."""
    out = {f"answers/{way.replace(' ', '_')}": float(np.mean(found)) for way, found in marks.of.items()}
    gain = interval(np.array(marks.of["with"]) - np.array(marks.of["without"]), seed)
    return out | {"gap/answers": gain.mean, "gap/answers/low": gain.low, "gap/answers/high": gain.high}
