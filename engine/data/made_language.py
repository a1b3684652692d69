"""A language that was made up, so that its entropy is known and its text never runs out. numpy only.

Which letter comes next depends on the last one strongly, on the last two together, on the last three, and on the last
four; each of these tables was drawn at random. A short table is learned from little text by a small model, each longer
one is sixteen times as large. So there is always more to learn, for a larger model and for a longer text, while no
model, however large, can foresee more than the four letters tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LETTERS = " aeioubdklmnprst"
BITS = 4
"""Of a letter's number."""
ORDER = 4
"""Letters that the next one depends on."""
STATES = 1 << BITS * ORDER
PARTS = 256
"""Every probability is a whole number of this many parts, so that one byte of chance draws a letter."""
STRENGTHS = (1.5, 1.2, 0.7, 0.4)
"""Standard deviation of the scores of each table, that of the last letter first."""
CHARACTERS = 2_000_000
"""Of the data set."""
SEED = 1
"""Of the data set's text."""


@dataclass(frozen=True, eq=False)
class Language:
    """How likely each letter is after any four. Legend: S states (the last four letters), V letters."""

    chances: Floats
    """``SV``."""
    draws: bytes
    """For every state its `PARTS` equally likely continuations, one byte each."""

    def write(self, characters: int, seed: int) -> str:
        """Return a text of that many characters."""
        chance = np.random.default_rng(seed).integers(0, PARTS, characters, dtype=np.uint8).tobytes()
        state, draws, last = 0, self.draws, STATES - 1
        numbers = bytearray(characters)
        for place, part in enumerate(chance):
            letter = draws[state << 8 | part]
            numbers[place] = letter
            state = (state << BITS | letter) & last
        return numbers.translate(bytes.maketrans(bytes(range(len(LETTERS))), LETTERS.encode())).decode()

    def states(self, text: str) -> NDArray[np.int64]:
        """Return the state before every character of a text that `write` began."""
        numbers = np.array([LETTERS.index(each) for each in text], dtype=np.int64)
        before = np.concatenate([np.zeros(ORDER, np.int64), numbers[:-1]])
        found = np.zeros(len(text), np.int64)
        for back in range(ORDER):
            found |= before[ORDER - 1 - back :][: len(text)] << BITS * back
        return found

    @property
    def shares(self) -> Floats:
        """How often each state occurs in the long run, ``S``: what one more letter leaves as it was."""
        share: Floats = np.full(STATES, 1 / STATES)
        for _ in range(200):
            moved = (share[:, None] * self.chances).reshape(len(LETTERS), -1).sum(0)
            if np.abs(moved - share).sum() < 1e-12:
                break
            share = moved
        return share

    @property
    def entropy(self) -> float:
        """What nobody can foresee, in nats per character."""
        logs = np.log(np.where(self.chances > 0, self.chances, 1.0))
        return float(-(self.shares[:, None] * self.chances * logs).sum())

    def surprises(self, text: str) -> Floats:
        """Return -ln p of every character, given all before it: no model does better on average."""
        numbers = np.array([LETTERS.index(each) for each in text], dtype=np.int64)
        found: Floats = -np.log(self.chances[self.states(text), numbers])
        return found


@cache
def made_language() -> Language:
    """Return the language; it is always the same."""
    draw = np.random.default_rng(7)
    vowels = np.array([letter in "aeiou" for letter in LETTERS])
    scores = np.where(vowels[:, None] == vowels[None, :], -1.5, 0.0)  # vowels and consonants take turns
    scores[0, 0] = -9.0  # one space at a time
    for order, strength in enumerate(STRENGTHS, start=1):
        table = strength * draw.standard_normal((1 << BITS * order, len(LETTERS)))
        scores = np.tile(scores, (len(table) // len(scores), 1)) + table
    chances = np.exp(scores - scores.max(1, keepdims=True))
    parts = _whole_parts(PARTS * chances / chances.sum(1, keepdims=True))
    letters = np.tile(np.arange(len(LETTERS), dtype=np.uint8), STATES)
    return Language(parts / PARTS, np.repeat(letters, parts.ravel()).tobytes())


def made_text() -> str:
    """Return the text of the data set, always the same."""
    return made_language().write(CHARACTERS, SEED)


def _whole_parts(shares: Floats) -> NDArray[np.int64]:
    """Return rows of whole numbers that sum to `PARTS`: rounded down, and the largest rests up."""
    parts = np.floor(shares).astype(np.int64)
    missing = PARTS - parts.sum(1, keepdims=True)
    rank = np.argsort(np.argsort(parts - shares, axis=1), axis=1)
    return parts + (rank < missing)
