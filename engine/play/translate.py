"""Letting a model that reads one text write another, and letting it take the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from engine.core.errors import UsageError
from engine.core.events import Event, HeatMap, Table, Text
from engine.data.bleu import bleu
from engine.data.pairs import Pairs


class Translator(Protocol):
    """What a learner has to be able to do so that its model can translate."""

    @property
    def pairs(self) -> Pairs:
        """The pairs that it learned from and is judged by."""

    def answers(self, sources: Sequence[str], *, beams: int, length_penalty: float) -> list[list[tuple[str, float]]]:
        """Return for each source its targets with their scores, the best first.

        Raises:
            UsageError: a source is too long.
        """

    def looks(self, source: str, target: str) -> Iterator[HeatMap]:
        """Yield where the model looks in the source while it writes the target."""


def translate(learner: Any, settings: Any) -> Iterator[Event]:
    """Yield the answer, those that came next in the race, and where the model looked.

    Raises:
        UsageError: there is no such example, or the text is too long.
    """
    translator: Translator = learner
    source, truth = settings.text, ""
    if not source:
        valid = translator.pairs.valid
        if settings.example >= len(valid):
            raise UsageError(
                f"The validation split has {len(valid):,} examples, counted from 0.",
                "Choose a lower example, or give a text of your own.",
            )
        source, truth = valid[settings.example]
    (found,) = translator.answers([source], beams=settings.beams, length_penalty=settings.length_penalty)
    best = found[0][0]
    yield Text(name="it says", prompt=f"{source}\n", text=best)
    if truth:
        yield Text(name="the target", text=truth)
    rows = [[answer, f"{score:.2f}"] for answer, score in found]
    yield Table(name="in the race", columns=["text", "score"], rows=rows)
    yield from translator.looks(source, best)


def score(learner: Any, settings: Any) -> Iterator[Event]:
    """Yield how well the test split is answered: by the likeliest token each time, and by beam search; and how long the
    answers are, in characters, relative to the targets.
    """
    translator: Translator = learner
    pairs = translator.pairs.test[: settings.examples]
    targets = [pair.target for pair in pairs]
    prose = translator.pairs.prose
    rows = []
    ways = {"greedy": 1} | ({f"{settings.beams} beams": settings.beams} if settings.beams > 1 else {})
    for name, beams in ways.items():
        found = translator.answers([pair.source for pair in pairs], beams=beams, length_penalty=settings.length_penalty)
        answers = [each[0][0] for each in found]
        right = sum(answer == target for answer, target in zip(answers, targets, strict=True))
        length = sum(map(len, answers)) / sum(map(len, targets))
        cells = [name, f"{100 * right / len(pairs):.1f} %", f"{length:.3f}"]
        rows.append([*cells, f"{bleu(answers, targets):.2f}"] if prose else cells)
    columns = ["decoding", "exact match", "length ratio", *(["BLEU (13a, cased)"] if prose else [])]
    yield Table(name=f"test, {len(pairs):,} pairs", columns=columns, rows=rows)
