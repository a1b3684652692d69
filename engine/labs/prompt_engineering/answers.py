"""What a model answers to prompts: right or wrong for many at once, or letter by letter for one.

Shape legend: B batch, T time, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from engine.core.errors import UsageError
from engine.data.text import Characters
from engine.families.gpt.model import GPT
from engine.labs.prompt_engineering.prompts import ENDS, Prompt

BATCH = 128
"""Prompts that are read at once."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A model and the characters that it knows."""

    model: GPT
    characters: Characters

    @torch.no_grad()
    def right(self, prompts: Sequence[Prompt]) -> list[bool]:
        """Return for each prompt whether the likeliest continuation, letter by letter, is the right answer and an end.

        The right answer is read along: every letter of it is the likeliest after those before it exactly if greedy
        writing would write it. What stands after an answer cannot be seen by what comes before, so that prompts of
        different lengths share a batch.
        """
        ends = set(self.numbers("".join(ENDS)).tolist())
        found: list[bool] = []
        for start in range(0, len(prompts), BATCH):
            some = prompts[start : start + BATCH]
            wholes = [self.numbers(each.text + each.answer) for each in some]
            x_BT = pad_sequence(wholes, batch_first=True)
            guess_BT = self.model(x_BT).argmax(-1)
            for each, x_T, guess_T in zip(some, wholes, guess_BT, strict=True):
                begin, end = len(each.text), len(x_T)
                same = torch.equal(guess_T[begin - 1 : end - 1], x_T[begin:])
                found.append(same and int(guess_T[end - 1]) in ends)
        return found

    def completed(self, text: str, longest: int = 8) -> str:
        """Return what the model writes after a text, always the likeliest letter, up to an end or `longest` letters."""
        prompt_1T = self.numbers(text)[None]
        letters = islice(self.model.write(prompt_1T, temperature=0.0), longest)
        written = ""
        for letter in letters:
            written += self.characters.decode(letter[0])
            if written.endswith(ENDS):
                break
        return written

    @torch.no_grad()
    def likeliest(self, text: str, count: int = 5) -> list[tuple[str, float]]:
        """Return the letters that may come next, with their probabilities, the likeliest first."""
        chances_V = self.model(self.numbers(text)[None])[0, -1].softmax(-1)
        found = chances_V.topk(min(count, len(chances_V)))
        return [
            (self.characters.words[int(number)], float(chance))
            for chance, number in zip(found.values, found.indices, strict=True)
        ]

    def numbers(self, text: str) -> Tensor:
        """Return the numbers of a short text; quicker than `Characters.encode`, which is made for long ones."""
        return torch.tensor([self.characters.numbers[letter] for letter in text], dtype=torch.int64)

    def check(self, text: str) -> None:
        """Raise UsageError unless the model can read a text.

        Raises:
            UsageError: it has characters that the model never saw, or is too long.
        """
        strange = sorted(set(text) - set(self.characters.words))
        if strange:
            known = "".join(each for each in self.characters.words if each.isprintable())
            raise UsageError(f"The model has never seen {' '.join(map(repr, strange))}.", f"It knows: {known}")
        room = self.model.spec.context
        if len(text) >= room:
            raise UsageError(f"The prompt has {len(text)} characters, the model sees {room}.", "Use fewer examples.")
