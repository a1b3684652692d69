"""A text in tokens, characters or words, beside the special ones that BERT needs.

Devlin et al. cut words into pieces (WordPiece); whole characters and whole words need no table of pieces.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

PAD, UNKNOWN, START, END, MASK = range(5)
"""Numbers of the special tokens: what fills a row up, a token that is not known, the two ends of a sentence, a gap."""

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""As the paper writes them; their numbers come first."""

FIRST = len(SPECIAL)
"""The number of the first token that stands for text."""

LEAST = 2
"""How often a word has to occur to be known; a word seen once teaches nothing."""

WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
"""A word, also across an apostrophe or hyphen, or a single sign."""

GAP = re.compile(r"\[MASK\]|_")
"""How a person marks a gap."""


class Vocabulary:
    """The tokens that a model knows, each with its number.

    Args:
        words: all of them, the special ones first.
        characters: whether a token is a character, and not a word.
    """

    def __init__(self, words: Sequence[str], *, characters: bool) -> None:
        self.words = tuple(words)
        self.characters = characters
        self.numbers = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def of(cls, texts: Iterable[str], *, characters: bool) -> Vocabulary:
        """Return the tokens of some texts, the most frequent first; words that are rare are left out."""
        counted: Counter[str] = Counter()
        for text in texts:
            counted.update(text if characters else split(text))
        least = 1 if characters else LEAST
        known = sorted((each for each in counted if counted[each] >= least), key=lambda each: (-counted[each], each))
        return cls((*SPECIAL, *known), characters=characters)

    def __len__(self) -> int:
        return len(self.words)

    def numbered(self, text: str) -> list[int]:
        """Return the number of each token of a text."""
        return [self.numbers.get(each, UNKNOWN) for each in (text if self.characters else split(text))]

    def encode(self, text: str) -> Tensor:
        """Return the number of each token of a text, int64."""
        return torch.tensor(self.numbered(text), dtype=torch.int64)

    def encode_gaps(self, text: str) -> Tensor:
        """Return the number of each token of a text with gaps, written as ``_`` or ``[MASK]``, int64."""
        first, *others = [self.numbered(part) for part in GAP.split(text)]
        for part in others:
            first += [MASK, *part]
        return torch.tensor(first, dtype=torch.int64)

    def row(self, text: str, length: int) -> list[int]:
        """Return a sentence between its two ends, cut or filled up to `length`."""
        ends = [START, *self.numbered(text)[: length - 2], END]
        return ends + [PAD] * (length - len(ends))

    def stream(self, texts: Iterable[str]) -> Tensor:
        """Return sentences one after another, each between its two ends, int64."""
        numbers = [number for text in texts for number in (START, *self.numbered(text), END)]
        return torch.tensor(numbers, dtype=torch.int64)

    def labels(self, numbers: Sequence[int]) -> list[str]:
        """Return each token so that it fits into a line, a gap as ``_``."""
        tokens = ["_" if number == MASK else self.words[number] for number in numbers]
        return [token if token.isprintable() else "\N{RETURN SYMBOL}" for token in tokens]

    def show(self, numbers: Sequence[int]) -> str:
        """Return the text of the numbers as one line, without what fills a row up."""
        return ("" if self.characters else " ").join(self.labels([number for number in numbers if number != PAD]))


def split(text: str) -> list[str]:
    """Return the words and signs of a text, in lower case."""
    return WORD.findall(text.lower())
