"""Looking around in the space of words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from engine.core.errors import UsageError
from engine.core.events import Event, Table
from engine.play.kinds import NeighborsSettings


class Space(Protocol):
    """What a learner has to be able to do so that its words can be looked around in."""

    def nearest(self, plus: list[str], minus: list[str], count: int) -> list[tuple[str, float]]:
        """Return the words nearest to a sum of words, themselves left out, with their cosines.

        Raises:
            UsageError: a word is not known.
        """


def neighbors(learner: Any, settings: NeighborsSettings) -> Iterator[Event]:
    """Yield the nearest words with their cosines."""
    space: Space = learner
    plus, minus = parse(settings.words)
    rows = [[word, f"{cosine:.3f}"] for word, cosine in space.nearest(plus, minus, settings.count)]
    yield Table(name=f"nearest to {settings.words}", columns=["word", "cosine"], rows=rows)


def parse(text: str) -> tuple[list[str], list[str]]:
    """Return the words that are added and those that are taken off: ``king - man + woman``.

    A minus inside of a word is its hyphen.

    Raises:
        UsageError: there is no word to add.
    """
    plus: list[str] = []
    minus: list[str] = []
    into = plus
    for word in re.sub(r"(^|\s)-", " - ", text.replace("+", " + ")).split():
        if word in "+-":
            into = plus if word == "+" else minus
        else:
            into.append(word.lower())
            into = plus
    if not plus:
        raise UsageError("There is no word to look for.", "Example: king, or king - man + woman.")
    return plus, minus
