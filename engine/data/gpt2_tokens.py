r"""GPT-2's tokens: byte-pair encoding that starts from the 256 bytes, so that no text is unknown to it.

Radford et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2. A text is cut into words, a
word into its bytes, and neighbors are merged in the order in which the merges were learned. Files and ids are OpenAI's
own. `engine.data.bpe` learns such merges, from characters. A word costs the square of its length, once.

Python's `re` does not know the classes that the original pattern names, so they are written out: a letter is what
``\w`` matches and no number, and numbers and blanks are listed.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.bpe import merge
from engine.data.files import how_to_get, verified
from engine.data.table import data_set

ROW = "gpt-2"
"""Of the table of data sets."""

END = "<|endoftext|>"
"""Stood between the documents that GPT-2 read; no text encodes to it."""

BLANKS = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Unicode calls white space."""


@cache
def letters_of_bytes() -> tuple[str, ...]:
    """Return the character that stands for each byte in the files: itself where it can be seen, else one from 256 on.

    The blank is the 33rd that cannot, so that it reads ``Ġ``.
    """
    seen = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    unseen = [byte for byte in range(256) if byte not in seen]
    return tuple(chr(byte) if byte in seen else chr(256 + unseen.index(byte)) for byte in range(256))


@cache
def words_pattern() -> re.Pattern[str]:
    r"""Return GPT-2's pattern of a word.

    It is ``'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+``: English endings; letters,
    digits or signs, each with the blank before them; and blanks, the last of which goes to the word that follows.
    """
    numbers = "".join(
        chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Nl", "No")
    )  # such as Roman and raised ones; those that count by ten are \d
    letter, number, sign = rf"[^\W\d_{numbers}]", rf"[\d{numbers}]", rf"(?:[^\w{BLANKS}]|_)"
    return re.compile(
        rf"'s|'t|'re|'ve|'m|'ll|'d| ?{letter}+| ?{number}+| ?{sign}+|[{BLANKS}]+(?![^{BLANKS}])|[{BLANKS}]+"
    )


class GPT2Tokens:
    """A vocabulary of pieces of words, as `Characters` is one of characters.

    Args:
        words: the tokens in the order of their numbers, a character for each byte.
        merges: pairs of neighbors, ``Ġ t``, those that are merged first in front.
    """

    def __init__(self, words: Sequence[str], merges: Sequence[str]) -> None:
        self.words = tuple(words)
        self.merges = tuple(merges)
        self.numbers = {word: number for number, word in enumerate(self.words)}
        self.start = self.numbers.get(END)
        bytes_of = {letter: byte for byte, letter in enumerate(letters_of_bytes())}
        self._bytes = [
            word.encode() if word == END else bytes(bytes_of[letter] for letter in word) for word in self.words
        ]
        self._ranks = {tuple(pair.split(" ")): rank for rank, pair in enumerate(self.merges)}
        self._cut = cache(self._numbers_of)

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str, device: torch.device | str = "cpu") -> Tensor:
        """Return the numbers of the tokens of `text`, int64."""
        numbers = array("q")
        for word in words_pattern().findall(text):
            numbers.extend(self._cut(word))
        return (torch.frombuffer(numbers, dtype=torch.int64).clone() if numbers else torch.empty(0).long()).to(device)

    def decode(self, numbers: Tensor | list[int]) -> str:
        """Return the text of the numbers; bytes that make no character read as the sign for it."""
        return b"".join(self._bytes[int(number)] for number in numbers).decode(errors="replace")

    def pieces(self, numbers: Tensor | list[int]) -> list[str]:
        """Return the text of each number by itself; of a part of a character there is none but the sign for it."""
        return [self.decode([int(number)]) for number in numbers]

    def stream(self, numbers: Iterable[int]) -> Iterator[str]:
        """Yield the text of numbers as they come, character by character, each when its last byte is there."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for number in numbers:
            yield from decoder.decode(self._bytes[number])
        yield from decoder.decode(b"", final=True)

    def _numbers_of(self, word: str) -> tuple[int, ...]:
        """Return the numbers of a word: of all neighbors the pair of lowest rank is merged, until none has a rank."""
        letters = letters_of_bytes()
        pieces = [letters[byte] for byte in word.encode(errors="replace")]
        while len(pieces) > 1:
            pair = min(pairwise(pieces), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if pair not in self._ranks:
                break
            pieces = merge(pieces, pair)
        return tuple(self.numbers[piece] for piece in pieces)


def load_gpt2_tokens() -> GPT2Tokens:
    """Return the tokens of the published GPT-2.

    Raises:
        DataError: their files are not on this machine, or damaged; with how to get them.
    """
    row = data_set(ROW)
    places = {file.name: verified(row, file) for file in row.files if file.name in ("merges.txt", "vocab.json")}
    try:
        return read_gpt2_tokens(places["merges.txt"], places["vocab.json"])
    except DataError as error:
        raise DataError(error.what, how_to_get(row)) from None


def read_gpt2_tokens(merges: Path, vocabulary: Path) -> GPT2Tokens:
    """Return tokens from a list of merges, one a line, and a JSON object from token to number.

    Raises:
        DataError: the files are not of this form, or do not fit each other.
    """
    try:
        head, *rest = merges.read_text("utf-8").split("\n")
        lines = [line for line in ([] if head.startswith("#version") else [head]) + rest if line]
        numbers: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))
        words = sorted(numbers, key=numbers.__getitem__)
        whole = [numbers[word] for word in words] == list(range(len(words)))
        pairs = [line.split(" ") for line in lines]
        fit = all(len(pair) == 2 and pair[0] + pair[1] in numbers for pair in pairs)
        if not (whole and fit and all(letter in numbers for letter in letters_of_bytes())):
            raise ValueError("they do not fit each other")
        return GPT2Tokens(words, lines)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise DataError(f"{merges.name} and {vocabulary.name} are not GPT-2's tokens ({error}).") from None
