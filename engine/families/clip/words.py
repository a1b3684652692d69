"""The words of captions as numbers. Shape legend: M captions, W words of a caption."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.core.errors import UsageError, suggest
from engine.families.clip.model import PAD


class Words:
    """Numbers every word that occurs, and fills captions up to one length.

    Args:
        texts: where the words come from; case makes no difference.
        context: W, the length to fill up to.
    """

    def __init__(self, texts: Sequence[str], context: int) -> None:
        self.context = context
        self.words = sorted({word for text in texts for word in split(text)})
        self.numbers = {word: number for number, word in enumerate(self.words, start=PAD + 1)}

    def __len__(self) -> int:
        """How many numbers there are, the one that fills up among them."""
        return len(self.words) + 1

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return the numbers of the words of each text, ``MW``.

        Raises:
            UsageError: a text is empty, too long, or has a word that no caption had.
        """
        rows = []
        for text in texts:
            words = split(text)
            if not 0 < len(words) <= self.context:
                raise UsageError(f"'{text}' has {len(words)} words; the model reads 1 to {self.context}.")
            for word in words:
                if word not in self.numbers:
                    near = suggest(word, self.words) or f"It knows {', '.join(self.words)}."
                    raise UsageError(f"No caption had the word '{word}'.", near)
            rows.append([self.numbers[word] for word in words] + [PAD] * (self.context - len(words)))
        return torch.tensor(rows)


def split(text: str) -> list[str]:
    """Return the words of a text in small letters, without the full stop at its end."""
    return text.lower().rstrip(" .").split()
