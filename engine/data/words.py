"""Texts as words: cutting, counting, numbering."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import torch
from torch import Tensor

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""Letters, also across an apostrophe or hyphen."""


def split_words(text: str) -> list[str]:
    """Return the words of a text, in lower case."""
    return WORD.findall(text.lower())


class Words:
    """A vocabulary of words, the most frequent first.

    Args:
        texts: where the words are counted.
        least: words that occur less often are unknown.
    """

    def __init__(self, texts: Iterable[str], least: int = 1) -> None:
        counted = Counter(word for text in texts for word in split_words(text))
        ranked = sorted(
            (word for word, count in counted.items() if count >= least), key=lambda word: (-counted[word], word)
        )
        self.words: tuple[str, ...] = tuple(ranked)
        self.counts = torch.tensor([counted[word] for word in ranked], dtype=torch.int64)
        self.numbers = {word: number for number, word in enumerate(ranked)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> tuple[Tensor, Tensor]:
        """Return the numbers of the known words of a text, and beside each the number of its line; both int64."""
        numbers: list[int] = []
        lines: list[int] = []
        for line, content in enumerate(text.split("\n")):
            known = [self.numbers[word] for word in split_words(content) if word in self.numbers]
            numbers += known
            lines += [line] * len(known)
        return torch.tensor(numbers, dtype=torch.int64), torch.tensor(lines, dtype=torch.int64)
