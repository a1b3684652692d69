"""The text of the grid: as long as the longest run wants it, read once; and what no model can foresee of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.examples import Corpus
from engine.data.load import load
from engine.data.made_language import made_language

MADE = "made-language"
VALID_CHARACTERS = 64_000
"""At most; the same for every run, so that a lucky piece of text is lucky for all."""
FIRST_SEED = 1000
"""Of the lab's own texts; the data set of that name has others."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the runs of a seed read, and are judged by."""

    corpus: Corpus
    floor: float
    """The mean surprise of the judged characters for whoever knows the language; NaN for other texts."""
    entropy: float
    """Of the language, in nats per character; NaN for other texts."""

    @property
    def vocabulary(self) -> int:
        """How many characters there are."""
        return len(set(self.corpus.train) | set(self.corpus.valid))

    def times(self, characters: int) -> float:
        """Return how often a run of that length reads the text."""
        return characters / len(self.corpus.train)


def vocabulary_of(name: str) -> int:
    """Return how many characters a text has, before it is cut to length."""
    return read(name, 10_000, 8, 0).vocabulary


def read(name: str, characters: int, context: int, seed: int) -> Reading:
    """Return a text with at least that many characters to train on, or all that there are.

    Args:
        name: ``made-language``, whose text never ends, another text of the table, or a file's path.
        characters: of the longest run.
        context: characters of a window.
        seed: of a made text.

    Raises:
        DataError: there is no such text, it is no text, or it is too short.
    """
    if name == MADE:
        language = made_language()
        train = language.write(characters + 1, FIRST_SEED + 2 * seed)
        valid = language.write(VALID_CHARACTERS, FIRST_SEED + 2 * seed + 1)
        surprises = torch.from_numpy(language.surprises(valid))
        judged = later_half(surprises[1:], context)
        return Reading(Corpus(name=name, train=train, valid=valid), float(judged.mean()), language.entropy)
    loaded = load(name, SimpleNamespace(examples=0, target=""), seed, torch.device("cpu"))
    if not isinstance(loaded, Corpus):
        raise DataError(f"{name} is no text.", "Name a text file, or made-language.")
    valid = loaded.valid[:VALID_CHARACTERS]
    if len(valid) < 8 * context or len(loaded.train) <= context:
        raise DataError(f"{name} is too short to train on and to judge by.", "Name a longer text, or made-language.")
    return Reading(Corpus(name=name, train=loaded.train, valid=valid), float("nan"), float("nan"))


def later_half(values: Tensor, context: int) -> Tensor:
    """Return, of values that belong to the characters after the first, those in the later halves of all windows.

    There a model has read at least half a window: enough to know which word came before.
    """
    whole = len(values) // context
    return values[: whole * context].view(whole, context)[:, context // 2 :]
