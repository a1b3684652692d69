"""Texts: characters as numbers, and windows over them. Shape legend: B batch, T time (characters of a window)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import torch
from torch import Tensor

from engine.data.batches import Batch, seeded

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for characters of the validation text, or of a prompt, that the training text never had."""


class Vocabulary(Protocol):
    """What turns a text into the numbers of its tokens and back: `Characters`, or `engine.data.gpt2_tokens`."""

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens in the order of their numbers, as a checkpoint keeps them."""

    @property
    def start(self) -> int | None:
        """The token that a text begins after; None where there is none."""

    def __len__(self) -> int: ...

    def encode(self, text: str, device: torch.device | str = "cpu") -> Tensor:
        """Return the numbers of the tokens of `text`, int64."""

    def decode(self, numbers: Tensor | list[int]) -> str:
        """Return the text of the numbers."""

    def pieces(self, numbers: Tensor | list[int]) -> list[str]:
        """Return the text of each number by itself."""

    def stream(self, numbers: Iterable[int]) -> Iterator[str]:
        """Yield the text of numbers as they come, character by character."""


class Characters:
    """A vocabulary of single characters: those of the training text in code-point order, and `UNKNOWN`, where it is
    needed.

    Args:
        train: the text whose characters are known.
        others: further texts; if one has a character beyond those, `UNKNOWN` joins the vocabulary.
    """

    start: int | None = None

    def __init__(self, train: str, *others: str) -> None:
        known = set(train)
        if any(set(each) - known for each in others):
            known.add(UNKNOWN)
        self.words: tuple[str, ...] = tuple(sorted(known))
        self.numbers = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str, device: torch.device | str = "cpu") -> Tensor:
        """Return the numbers of the characters of `text`, int64; unknown ones are left out where there is no
        `UNKNOWN`.
        """
        fallback = self.numbers.get(UNKNOWN)
        codes = (
            torch.frombuffer(bytearray(text.encode("utf-32-le", errors="replace")), dtype=torch.int32)
            if text
            else torch.empty(0)
        )
        table = torch.full((0x110000,), -1 if fallback is None else fallback, dtype=torch.int64)
        for word, number in self.numbers.items():
            table[ord(word)] = number
        numbers = table[codes.long()]
        return numbers[numbers >= 0].to(device)

    def decode(self, numbers: Tensor | list[int]) -> str:
        """Return the text of the numbers."""
        return "".join(self.pieces(numbers))

    def pieces(self, numbers: Tensor | list[int]) -> list[str]:
        """Return the character of each number."""
        return [self.words[int(number)] for number in numbers]

    def stream(self, numbers: Iterable[int]) -> Iterator[str]:
        """Yield the character of each number as it comes."""
        return (self.words[number] for number in numbers)


class Windows:
    """Random windows of a text, each with the same window one character on: what comes next at every place.

    `at` gives ``(x_BT, y_BT)``, int64; the starts are drawn anew for every step from seed and step alone.
    """

    def __init__(self, tokens: Tensor, length: int, batch_size: int, seed: int) -> None:
        if len(tokens) <= length:
            raise ValueError(f"{len(tokens)} tokens hold no window of {length} and its successor")
        self.tokens = tokens
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self._places = torch.arange(length + 1, device=tokens.device)

    @property
    def epoch_steps(self) -> float:
        """How many steps see as many characters as the text has."""
        return len(self.tokens) / (self.batch_size * self.length)

    def at(self, step: int) -> Batch:
        """Return the windows of a step."""
        device = self.tokens.device
        last = len(self.tokens) - self.length
        starts_B = torch.randint(last, (self.batch_size,), generator=seeded(self.seed, step, device), device=device)
        window_BT = self.tokens[starts_B[:, None] + self._places]
        return window_BT[:, :-1], window_BT[:, 1:]


def cold_windows(tokens: Tensor, length: int, batch_size: int) -> Iterator[Batch]:
    """Yield the whole text once in windows of `length` that follow one another, each ``(x_BT, y_BT)`` without earlier
    context.

    The protocol behind "full split, cold context of `length`": every character but the first is predicted exactly once,
    the first of a window from the one character before it. The rest that fills no window comes last, as one shorter
    window.
    """
    whole = (len(tokens) - 1) // length
    x_NT = tokens[: whole * length].view(whole, length)
    y_NT = tokens[1 : whole * length + 1].view(whole, length)
    for start in range(0, whole, batch_size):
        yield x_NT[start : start + batch_size], y_NT[start : start + batch_size]
    if whole * length < len(tokens) - 1:
        yield tokens[None, whole * length : -1], tokens[None, whole * length + 1 :]
