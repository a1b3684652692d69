"""What a transformer reads and writes instead of text: numbers of characters or of pieces of words, and special tokens.

One vocabulary serves both sides of the pairs. Torch-free.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.data.bpe import BytePairs, learn

PAD, START, END, UNKNOWN = range(4)
"""Numbers of the special tokens: what fills a batch up, what a target begins with, what both sides end with, and what
stands for a character that training never showed.
"""

SPECIAL = ("<pad>", "<start>", "<end>", "\N{REPLACEMENT CHARACTER}")


class Vocabulary:
    """The tokens of some texts.

    Args:
        texts: of the training split, both sides.
        size: how many tokens there may be, the special ones included: pieces by byte-pair encoding; 0 takes single
            characters.
    """

    def __init__(self, texts: Iterable[str], size: int = 0) -> None:
        pieces = learn(texts, size - len(SPECIAL)) if size else sorted(set().union(*texts))
        self.words: tuple[str, ...] = (*SPECIAL, *pieces)
        self.numbers = {word: number for number, word in enumerate(self.words) if number >= len(SPECIAL)}
        self._pairs = BytePairs(pieces) if size else None

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text's tokens, `END` after them."""
        pieces = text if self._pairs is None else self._pairs.cut(text)
        return [*(self.numbers.get(piece, UNKNOWN) for piece in pieces), END]

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of the numbers up to the first `END`, special ones left out."""
        return self._join([self.words[number] for number in _until_end(numbers) if number >= UNKNOWN])

    def show(self, numbers: Sequence[int]) -> list[str]:
        """Return each token so that it can be seen."""
        return [self.words[number].replace(" ", "\N{OPEN BOX}" if self._pairs is None else "") for number in numbers]

    def _join(self, pieces: list[str]) -> str:
        return "".join(pieces) if self._pairs is None else self._pairs.join(pieces)


def _until_end(numbers: Iterable[int]) -> Iterable[int]:
    """Yield what comes before the first `END`."""
    for number in numbers:
        if number == END:
            return
        yield number
