"""Analogies by vector arithmetic: what lies nearest to b - a + c, with and without the three words themselves.

Mikolov, Yih and Zweig, Linguistic Regularities in Continuous Space Word Representations, 2013. That the result hangs on
leaving the input words out: Linzen, Issues in evaluating semantic spaces using word analogies, 2016.
Shape legend: Q questions, W words, D width of a vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from engine.core.paths import data_folders

SHORTEST = 4
"""Letters of a word whose plural is looked for; shorter ones are often no nouns."""
MOST_PAIRS = 40
AT_ONCE = 512
"""Questions that are answered together; each needs a number for every word."""
QUESTIONS = ("wordsim", "questions-words.txt")
"""Where the published questions may lie in a data folder: Mikolov et al. 2013."""

Question = tuple[int, int, int, int]
"""a is to b as c is to d, by the numbers of the words."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How many questions were answered rightly."""

    asked: int
    without: float
    """Share right where the three words of the question are left out of the answers."""
    among: float
    """Share right where they are not."""
    examples: tuple[tuple[Question, int, int], ...] = ()
    """Question, answer without and answer among the input words."""


def plurals(words: Sequence[str], numbers: Mapping[str, int]) -> list[Question]:
    """Return questions *one is to many as one is to many*, from words whose plural with s is known too."""
    pairs = [(number, numbers[f"{word}s"]) for number, word in enumerate(words) if f"{word}s" in numbers]
    pairs = [pair for pair in pairs if len(words[pair[0]]) >= SHORTEST][:MOST_PAIRS]
    return [(a, b, c, d) for (a, b), (c, d) in permutations(pairs, 2)]


def published(numbers: Mapping[str, int]) -> list[Question]:
    """Return those published questions whose words are all known; none where the file is not on this machine."""
    path = next((path for folder in data_folders() if (path := folder.joinpath(*QUESTIONS)).is_file()), None)
    if path is None:
        return []
    rows = (line.lower().split() for line in path.read_text(encoding="utf-8").splitlines())
    known = [tuple(numbers[word] for word in row) for row in rows if len(row) == 4 and all(w in numbers for w in row)]
    return [(a, b, c, d) for a, b, c, d in known]


def answer(vectors_WD: Tensor, questions: Sequence[Question], shown: int = 6) -> Answers:
    """Answer every question by the word nearest to b - a + c."""
    if not questions:
        return Answers(0, float("nan"), float("nan"))
    unit_WD = torch.nn.functional.normalize(vectors_WD, dim=1)
    given_Q4 = torch.tensor(questions)
    parts = [nearest(unit_WD, given_Q4[at : at + AT_ONCE, :3]) for at in range(0, len(questions), AT_ONCE)]
    without_Q, among_Q = (torch.cat(each) for each in zip(*parts, strict=True))
    d = given_Q4[:, 3]
    step = max(1, len(questions) // shown)
    examples = [(questions[at], int(without_Q[at]), int(among_Q[at])) for at in range(0, len(questions), step)]
    return Answers(
        len(questions),
        float((without_Q == d).float().mean()),
        float((among_Q == d).float().mean()),
        tuple(examples[:shown]),
    )


def nearest(unit_WD: Tensor, given_Q3: Tensor) -> tuple[Tensor, Tensor]:
    """Return the words nearest to b - a + c, ``Q`` each: a, b and c left out, and with them allowed."""
    a, b, c = given_Q3.T
    cosines_QW = torch.nn.functional.normalize(unit_WD[b] - unit_WD[a] + unit_WD[c], dim=1) @ unit_WD.T
    among_Q = cosines_QW.argmax(1)
    for each in (a, b, c):
        cosines_QW[torch.arange(len(a)), each] = -torch.inf
    return cosines_QW.argmax(1), among_Q
