"""Pairs of a source and a target text, for models that read one sequence and write another: made-up tasks, and
translations.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch

from engine.core.errors import DataError
from engine.data.examples import chosen
from engine.data.files import how_to_get, verified
from engine.data.pair_tasks import TASKS, Pair
from engine.data.table import DataSet, File

TRAIN = 20_000
JUDGED = 1_000
"""Pairs of a made-up task for training; for validation, and as many for the test."""

LANGUAGES = {"de": "German", "en": "English"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of texts, split in three."""

    name: str
    train: tuple[Pair, ...]
    valid: tuple[Pair, ...]
    test: tuple[Pair, ...]
    """Looked at where a trained model is scored, never in training."""
    prose: bool = False
    """Whether a target is a sentence, of which many are right, so that BLEU measures more than exact match does."""
    languages: tuple[str, str] = ("source", "target")
    digest: str = ""

    @property
    def size(self) -> int:
        """How many training pairs there are."""
        return len(self.train)

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with `count` training pairs."""
        few = tuple(self.train[number] for number in chosen(self.size, count, seed).tolist())
        return dataclasses.replace(self, train=few)

    def to(self, device: torch.device) -> Self:
        """Return the data themselves: texts become numbers only once their vocabulary is known."""
        return self


def load_task(row: DataSet, seed: int) -> Pairs:
    """Return one of the made-up tasks, drawn under the seed.

    No source stands in two of the splits; of the dates, no day does, in whatever form it is written.
    """
    task, draw = TASKS[row.name], random.Random(f"{row.name} {seed}")
    taken: set[str] = set()

    def distinct(count: int) -> Iterator[Pair]:
        """Yield pairs whose source is new, and whose key belongs to no earlier split."""
        sources: set[str] = set()
        keys: set[str] = set()
        while len(sources) < count:
            pair = task.draw(draw)
            if task.key(pair) not in taken and pair.source not in sources:
                sources.add(pair.source)
                keys.add(task.key(pair))
                yield pair
        taken.update(keys)

    test, valid, train = tuple(distinct(JUDGED)), tuple(distinct(JUDGED)), tuple(distinct(TRAIN))
    return Pairs(name=row.name, train=train, valid=valid, test=test, digest=digest_of_pairs(train, valid, test))


def load_translations(row: DataSet, seed: int) -> Pairs:
    """Return sentences and their translations as they are published, with the splits that are published.

    The row's files are those of training, validation and test, each first in the language to translate from.

    Raises:
        DataError: a file is missing or damaged.
    """
    sides = [_lines(row, file) for file in row.files]
    for (source, source_file), (target, target_file) in zip(
        zip(sides[::2], row.files[::2], strict=True), zip(sides[1::2], row.files[1::2], strict=True), strict=True
    ):
        if len(source) != len(target):
            raise DataError(
                f"{source_file.name} and {target_file.name} differ in their number of lines.", how_to_get(row)
            )
    train, valid, test = (
        tuple(Pair(*pair) for pair in zip(source, target, strict=True))
        for source, target in zip(sides[::2], sides[1::2], strict=True)
    )
    codes = [file.name.split(".")[1] for file in row.files[:2]]
    return Pairs(
        name=row.name,
        train=train,
        valid=valid,
        test=test,
        prose=True,
        languages=(LANGUAGES[codes[0]], LANGUAGES[codes[1]]),
        digest=digest_of_pairs(train, valid, test),
    )


def _lines(row: DataSet, file: File) -> list[str]:
    """Return the lines of a gzipped text, without blanks at their ends.

    Raises:
        DataError: it is missing, damaged, or no text.
    """
    path = verified(row, file)
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as text:
            return [line.strip() for line in text]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Check the file.") from None


def digest_of_pairs(*splits: tuple[Pair, ...]) -> str:
    """Return the SHA-256 of the pairs of all splits."""
    digest = hashlib.sha256()
    for split in splits:
        for pair in split:
            digest.update(f"{pair.source}\t{pair.target}\n".encode())
        digest.update(b"\0")
    return digest.hexdigest()
