"""Word error rate: how many words have to be put in, taken out or changed, beside how many were said.

Levenshtein, Binary Codes Capable of Correcting Deletions, Insertions, and Reversals, 1966. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence


def edits(said: Sequence[object], heard: Sequence[object]) -> int:
    """Return the fewest changes that make one sequence of the other: each puts in, takes out or replaces one item."""
    previous = list(range(len(heard) + 1))
    for row, word in enumerate(said, start=1):
        current = [row]
        for column, other in enumerate(heard, start=1):
            replaced = previous[column - 1] + (word != other)
            current.append(min(replaced, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


def error_rate(said: Sequence[Sequence[object]], heard: Sequence[Sequence[object]]) -> float:
    """Return the changes of all pairs over the items that were said; it exceeds one where much was made up."""
    changes = sum(edits(one, other) for one, other in zip(said, heard, strict=True))
    return changes / max(1, sum(map(len, said)))
