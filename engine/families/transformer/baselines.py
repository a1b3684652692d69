"""What one reaches without a model: by copying the source, or by looking up the most similar training pair."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.data.bleu import bleu
from engine.data.pairs import Pairs


def baselines(data: Pairs, cut: Callable[[str], Sequence[object]]) -> Iterator[tuple[str, str, float, str]]:
    """Yield metric, name, value and source of each, on the validation split.

    Args:
        data: the pairs.
        cut: the tokens of a text, by which texts are similar.
    """
    ways = {
        "copy": ([pair.source for pair in data.valid], "the source as it stands"),
        "memory": (looked_up(data, cut), "the target of the training pair whose source shares most rare tokens"),
    }
    for name, (answers, how) in ways.items():
        targets = [pair.target for pair in data.valid]
        right = sum(answer == target for answer, target in zip(answers, targets, strict=True))
        yield "accuracy", name, right / len(targets), how
        if data.prose:
            yield "bleu", name, bleu(answers, targets), how


def looked_up(data: Pairs, cut: Callable[[str], Sequence[object]]) -> list[str]:
    """Return for each validation pair the target of the most similar training source.

    Similar are sources by the cosine of their tokens, each weighed by how rare it is (the logarithm of the number of
    sources over the number that have it); the earlier of two that are alike.
    """
    postings: defaultdict[object, list[int]] = defaultdict(list)
    for number, pair in enumerate(data.train):
        for token in set(cut(pair.source)):
            postings[token].append(number)
    rows = {token: np.array(numbers) for token, numbers in postings.items()}
    rarity = {token: math.log(len(data.train) / len(numbers)) for token, numbers in rows.items()}
    sizes: NDArray[np.float64] = np.full(len(data.train), 1e-9)
    for token, numbers in rows.items():
        sizes[numbers] += rarity[token] ** 2
    found = []
    for pair in data.valid:
        scores = np.zeros(len(data.train))
        for token in Counter(cut(pair.source)):
            if token in rows:
                scores[rows[token]] += rarity[token] ** 2
        found.append(data.train[int((scores / np.sqrt(sizes)).argmax())].target)
    return found
