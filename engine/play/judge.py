"""Asking a classifier of sentences for its answer, and what each word does to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from engine.core.events import Event, Table, Text
from engine.families.bert.spec import JudgeSettings


class Judge(Protocol):
    """What a learner has to be able to do so that its model can judge sentences."""

    def judge(self, text: str) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Return the probability of each class, the likeliest first; and of each token by how much the probability of
        the likeliest falls without it.

        Raises:
            UsageError: there is no sentence.
        """

    def example(self, number: int) -> tuple[str, str]:
        """Return a sentence of the validation split and its class.

        Raises:
            UsageError: there is no such sentence.
        """


def judge(learner: Any, settings: JudgeSettings) -> Iterator[Event]:
    """Yield the sentence, the probability of each class, and what each word does to the answer."""
    judging: Judge = learner
    text, true = (settings.text, "") if settings.text else judging.example(settings.example)
    classes, words = judging.judge(text)
    yield Text(name="sentence", text=text)
    rows = [[name, f"{100 * chance:.1f} %"] for name, chance in classes]
    truth = f", in truth {true}" if true else ""
    yield Table(name=f"taken for {classes[0][0]}{truth}", columns=["class", "probability"], rows=rows)
    ranked = sorted(words, key=lambda word: -abs(word[1]))
    yield Table(
        name=f"what leaving a word out does to {classes[0][0]}",
        columns=["word", "points"],
        rows=[[word, f"{-100 * fall:+.1f}"] for word, fall in ranked],
    )
