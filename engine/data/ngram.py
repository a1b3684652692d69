"""n-gram models that count: reference lines for every model that writes character by character.

Interpolated Kneser-Ney smoothing with three discounts an order ("modified"): Chen and Goodman, An Empirical Study of
Smoothing Techniques for Language Modeling, 1999, section 3. Numpy only; contexts are numbered instead of stored, so
that an order costs one sort of the text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.paths import cache_folder, write_whole

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ORDERS = {"Kneser-Ney-3": 3, "Kneser-Ney-5": 5}
SOURCES = {
    "unigram": "each token's share of this training text",
    **dict.fromkeys(ORDERS, "modified Kneser-Ney (Chen and Goodman 1999), counted on this training text"),
}
VERSION = "1"
"""Of what is computed here; a change lets cached figures go."""

UNSEEN = -1


def ngram_losses(train: Ints, valid: Ints, vocabulary: int) -> Iterator[tuple[str, float, str]]:
    """Yield name, mean loss in nats per token, and source of each reference model: unigram, Kneser-Ney 3 and 5.

    Every token of `valid` but the first is predicted, from all the history within `valid` that the model can use.
    Figures are kept in the cache folder by a digest of the data.
    """
    digest = hashlib.sha256(
        f"{VERSION} {vocabulary} {len(train)} ".encode() + train.tobytes() + valid.tobytes()
    ).hexdigest()
    path = cache_folder() / f"ngram-{digest[:24]}.json"
    try:
        known = msgspec.json.decode(path.read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError):
        known = {}
    for name in ("unigram", *ORDERS):
        if name not in known:
            known[name] = _loss(name, train, valid, vocabulary)
            _keep(path, known)
        yield name, known[name], SOURCES[name]


def _loss(name: str, train: Ints, valid: Ints, vocabulary: int) -> float:
    """Return the loss of one reference model."""
    if name == "unigram":
        return unigram_loss(train, valid, vocabulary)
    return KneserNey(train, vocabulary, ORDERS[name]).loss(valid)


def _keep(path: Path, known: dict[str, float]) -> None:
    """Write figures into the cache; where that fails they are computed again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.encode(known))
    except OSError:
        pass


def unigram_loss(train: Ints, valid: Ints, vocabulary: int) -> float:
    """Return the loss of always giving every token its share of the training text; one is added to each count."""
    counts = np.bincount(train, minlength=vocabulary) + 1
    return float(-np.log(counts / counts.sum())[valid[1:]].mean())


@dataclass(frozen=True, slots=True)
class Order:
    """The counts of one order. An n-gram's number is its place in `keys`; that of the (n-1)-gram before it is its
    context.
    """

    keys: Ints
    """Number of the context x vocabulary + last token, sorted."""
    counts: Ints
    """How often each was seen; in lower orders, after how many different tokens it was seen."""
    totals: Floats
    """Sum of the counts over each context."""
    reserved: Floats
    """What the discounts took from each context, given to the lower order."""
    discounts: Floats
    """For counts of 0, 1, 2, 3 and more."""


class KneserNey:
    """An interpolated Kneser-Ney model of sequences of numbers.

    Args:
        tokens: the training sequence.
        vocabulary: V; numbers run from 0 to V - 1.
        order: n, the length of the longest n-gram.
    """

    def __init__(self, tokens: Ints, vocabulary: int, order: int) -> None:
        self.vocabulary = vocabulary
        numbers, keys = _number_ngrams(np.asarray(tokens, dtype=np.int64), vocabulary, order)
        self.orders = [_count(numbers, keys, n, order, vocabulary) for n in range(1, order + 1)]

    def loss(self, tokens: Ints) -> float:
        """Return the mean of -ln p of every token but the first, in nats."""
        return float(-np.log(self.probabilities(tokens)[1:]).mean())

    def probabilities(self, tokens: Ints) -> Floats:
        """Return the probability of each token given those before it in `tokens` (the first: given nothing)."""
        tokens = np.asarray(tokens, dtype=np.int64)
        p = np.full(len(tokens), 1.0 / self.vocabulary)
        context = np.zeros(len(tokens), dtype=np.int64)
        for order in self.orders:
            number = _find(order.keys, context, tokens, self.vocabulary)
            p = _interpolate(order, context, number, p)
            context = np.concatenate([[UNSEEN], number[:-1]])
        return p

    def distribution(self, history: Ints) -> Floats:
        """Return the probability of every token after `history`."""
        each = [self.probabilities(np.append(history, token))[-1] for token in range(self.vocabulary)]
        return np.array(each)


def _number_ngrams(tokens: Ints, vocabulary: int, order: int) -> tuple[list[Ints], list[Ints]]:
    """Return for every n up to `order` the number of the n-gram that ends at each place (from place n - 1 on),
    and the keys.
    """
    numbers, keys = [], []
    context = np.zeros(len(tokens), dtype=np.int64)
    for n in range(1, order + 1):
        found, inverse = np.unique(context * vocabulary + tokens[n - 1 :], return_inverse=True)
        keys.append(found)
        numbers.append(inverse.reshape(-1))
        context = numbers[-1][:-1]
    return numbers, keys


def _count(numbers: list[Ints], keys: list[Ints], n: int, order: int, vocabulary: int) -> Order:
    """Return the counts of order n: of occurrences at the top, below it of different tokens in front
    (continuations).
    """
    own = numbers[n - 1]
    if n == order:
        counts = np.bincount(own, minlength=len(keys[n - 1]))
    else:
        _, first_places = np.unique(numbers[n], return_index=True)  # one place of each different (n+1)-gram
        counts = np.bincount(own[first_places + 1], minlength=len(keys[n - 1]))
    contexts = keys[n - 1] // vocabulary
    size = 1 if n == 1 else len(keys[n - 2])
    discounts = _discounts(counts)
    totals: Floats = np.bincount(contexts, counts, minlength=size).astype(np.float64)
    reserved: Floats = np.bincount(contexts, discounts[np.minimum(counts, 3)], minlength=size).astype(np.float64)
    return Order(keys[n - 1], counts, totals, reserved, discounts)


def _discounts(counts: Ints) -> Floats:
    """Return the discounts for counts 0, 1, 2, 3+ (the paper's for modified smoothing); 0, 1/2, 1/2, 1/2 ... where a
    text is too regular for them.
    """
    n1, n2, n3, n4 = (int((counts == each).sum()) for each in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    found = [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.clip(found, 0.0, [0.0, 1.0, 2.0, 3.0])


def _find(keys: Ints, context: Ints, tokens: Ints, vocabulary: int) -> Ints:
    """Return the number of the n-gram of each context and token, `UNSEEN` where it never occurred."""
    wanted = np.where(context == UNSEEN, UNSEEN, context * vocabulary + tokens)
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, place, UNSEEN)


def _interpolate(order: Order, context: Ints, number: Ints, lower: Floats) -> Floats:
    """Return the probabilities of one order from those of the order below; a context that was never seen passes
    them on.
    """
    known = (context != UNSEEN) & (order.totals[context] > 0)
    counts = np.where(number == UNSEEN, 0, order.counts[number])
    kept = counts - order.discounts[np.minimum(counts, 3)]
    totals = np.where(known, order.totals[context], 1.0)
    return np.where(known, (kept + order.reserved[context] * lower) / totals, lower)
