"""The labeled examples: what is given, and what has to be answered. Three tasks, one form."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import DataError

ASKED = re.compile(r"Question: (.*?)\nAnswer: (.*?)\n")
WORD = re.compile(r"(?<![A-Za-z'-])[a-z]{4,12}(?![A-Za-z'-])")
"""Plain words of middle length."""
GIVEN, ANSWER = 40, 32
"""Characters of an example that are read of what is given, and of its answer."""
FEWEST = 40
"""Examples; with fewer nothing can be measured."""
MOST_CLASSES = 50
"""Different answers up to which they count as classes, so that the share of right ones can be told."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labeled examples in random order."""

    given: tuple[str, ...]
    answers: tuple[str, ...]
    classes: tuple[str, ...] = ()
    """All different answers, where they are few."""

    def __len__(self) -> int:
        return len(self.given)

    def take(self, start: int, count: int) -> Pairs:
        """Return `count` of them from `start` on, from the beginning again after the last."""
        places = [place % len(self) for place in range(start, start + count)]
        return Pairs(tuple(self.given[p] for p in places), tuple(self.answers[p] for p in places), self.classes)


def questions(text: str, seed: int) -> Pairs:
    """Return the questions of a text with the beginning of their answers."""
    return shuffled(
        [(f"{asked[-GIVEN + 10 :]}\nAnswer: ", answer[:ANSWER]) for asked, answer in ASKED.findall(text)], seed
    )


def spelling(text: str, seed: int) -> Pairs:
    """Return every plain word of a text once, of every second one the letters shuffled; is it a word?"""
    draw = random.Random(seed)
    words = sorted(word for word in set(WORD.findall(text)) if len(set(word)) > 2)
    known = set(words)
    draw.shuffle(words)
    rows = [
        (f" {word} ", "right") if place % 2 else (f" {scrambled(word, known, draw)} ", "wrong")
        for place, word in enumerate(words)
    ]
    return shuffled(rows, seed)


def scrambled(word: str, known: set[str], draw: random.Random) -> str:
    """Return the letters of a word in an order that makes no word."""
    letters = list(word)
    while (found := "".join(letters)) in known:
        draw.shuffle(letters)
    return found


def own_table(path: Path, seed: int) -> Pairs:
    """Return the rows of a person's own CSV: the last column is the answer, the longest of the others what is given.

    Raises:
        DataError: the file cannot be read, has too few rows, or the same answer in all.
    """
    from engine.data.csvfile import read_columns

    *others, last = read_columns(path)
    longest = max(others, key=lambda column: sum(len(cell or "") for cell in column.cells))
    rows = [(given, answer) for given, answer in zip(longest.cells, last.cells, strict=True) if given and answer]
    if len(rows) < FEWEST:
        raise DataError(f"{path.name} has {len(rows)} labeled rows, too few to measure on.", f"Use {FEWEST} or more.")
    if len({answer for _, answer in rows}) < 2:
        raise DataError(f"Every row of {path.name} has the same label.", "Put what is to be told in the last column.")
    return shuffled([(f"{given[:GIVEN]}\n", answer[:ANSWER]) for given, answer in rows], seed)


def shuffled(rows: Sequence[tuple[str, str]], seed: int) -> Pairs:
    """Return the rows in random order, with the classes where there are few different answers."""
    mixed = list(rows)
    random.Random(seed).shuffle(mixed)
    answers = tuple(answer for _, answer in mixed)
    different = tuple(sorted(set(answers)))
    classes = different if len(different) <= min(MOST_CLASSES, len(rows) // 4) else ()
    return Pairs(tuple(given for given, _ in mixed), answers, classes)
