"""Byte-pair encoding: pieces of words, learned by merging again and again the pair of neighbors seen most often.

Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016. As there, it starts from
characters (GPT-2 starts from bytes), and no piece crosses the border of a word; as in GPT-2, the blank before a word
belongs to it, so that the pieces joined are the text.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

WORD = re.compile(r" ?\w+| ?[^\w\s]+|\s+")
"""Letters and digits, signs, or blanks, each with one blank before it."""

Neighbors = tuple[str, str]


def words_of(text: str) -> list[str]:
    """Return the words of a text, the first with a blank before it like any other."""
    return WORD.findall(" " + text)


def learn(texts: Iterable[str], size: int) -> tuple[str, ...]:
    """Return at most `size` pieces: all characters of the texts in code-point order, then what was merged, in the order
    in which it was.

    Only the words that hold the merged pair are looked at again, and a heap knows the most frequent pair: its entries
    are brought up to date when they come to the top. Of equally frequent pairs the first in code-point order is merged.
    """
    counts = Counter(word for text in texts for word in words_of(text))
    words = [list(word) for word in counts]
    often = list(counts.values())
    pieces = sorted({letter for word in words for letter in word})
    known = set(pieces)

    pairs: Counter[Neighbors] = Counter()
    places: defaultdict[Neighbors, set[int]] = defaultdict(set)
    for number, word in enumerate(words):
        for pair in pairwise(word):
            pairs[pair] += often[number]
            places[pair].add(number)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)

    while len(pieces) < size and heap:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            if pairs[pair] > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        if -count < 2:
            break
        merged = pair[0] + pair[1]
        if merged not in known:  # the same piece may come about in two ways
            known.add(merged)
            pieces.append(merged)
        grown: set[Neighbors] = set()
        for number in places.pop(pair):
            for old in pairwise(words[number]):
                pairs[old] -= often[number]
            words[number] = merge(words[number], pair)
            for new in pairwise(words[number]):
                pairs[new] += often[number]
                if merged in new:
                    places[new].add(number)
                    grown.add(new)
        for new in grown:
            heapq.heappush(heap, (-pairs[new], new))
    return tuple(pieces)


def merge(word: Sequence[str], pair: Neighbors) -> list[str]:
    """Return a word's pieces with every such pair of neighbors made one, from the left."""
    merged: list[str] = []
    place = 0
    while place < len(word):
        if tuple(word[place : place + 2]) == pair:
            merged.append(pair[0] + pair[1])
            place += 2
        else:
            merged.append(word[place])
            place += 1
    return merged


class BytePairs:
    """Cuts texts into known pieces, and joins them.

    Args:
        pieces: as `learn` gives them: earlier pieces are merged first.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.ranks = {piece: rank for rank, piece in enumerate(pieces)}
        self._cut_word = cache(self._merge_up)

    def cut(self, text: str) -> list[str]:
        """Return the pieces of a text; a character that is not known is a piece of its own."""
        return [piece for word in words_of(text.strip()) for piece in self._cut_word(word)]

    @staticmethod
    def join(pieces: Iterable[str]) -> str:
        """Return the text of the pieces."""
        return "".join(pieces).strip()

    def _merge_up(self, word: str) -> tuple[str, ...]:
        """Return a word's pieces: of all pairs whose union is known, the one of lowest rank is merged until none is."""
        pieces = list(word)
        while len(pieces) > 1:
            pair = min(pairwise(pieces), key=lambda pair: self.ranks.get(pair[0] + pair[1], len(self.ranks)))
            if pair[0] + pair[1] not in self.ranks:
                break
            pieces = merge(pieces, pair)
        return tuple(pieces)
