"""Labeled sentences: Pang and Lee's movie reviews, each praise or blame, from the archive as it is published.

Of every class there is one file, a sentence a line (Pang and Lee, Seeing stars, 2005).
"""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.data.batches import seeded
from engine.data.examples import chosen, moved
from engine.data.files import how_to_get, verified
from engine.data.plain import plain
from engine.data.split import valid_places
from engine.data.table import DataSet

MEMBERS = {"negative": "sentence_polarity/rt-polarity.neg", "positive": "sentence_polarity/rt-polarity.pos"}
"""The file of each class."""

SPLIT_SEED = 0
"""Of the split, whatever the run's seed: a run that starts from another one must not be judged by what that one read.
"""

LARGEST_MEMBER = 10_000_000
"""Bytes; more than ten times as large as the published ones are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """Sentences, each of one class. Shape legend: N sentences."""

    name: str
    train_texts: tuple[str, ...]
    train_labels: Tensor
    """Class numbers ``N``, int64."""
    valid_texts: tuple[str, ...]
    valid_labels: Tensor
    classes: tuple[str, ...]
    digest: str = ""

    @property
    def size(self) -> int:
        """How many training sentences there are."""
        return len(self.train_texts)

    def cut(self, count: int, seed: int) -> Self:
        """Return the data with `count` training sentences."""
        few = chosen(self.size, count, seed)
        texts = tuple(self.train_texts[number] for number in few.tolist())
        return dataclasses.replace(self, train_texts=texts, train_labels=self.train_labels[few])

    def to(self, device: torch.device) -> Self:
        """Return the data with the labels on the device; a text becomes numbers only once its vocabulary is known."""
        return moved(self, device)


def load_polarity(row: DataSet, seed: int) -> Sentences:
    """Return the sentences, always split alike, with the same share of both classes on both sides; `seed` mixes those
    of training.

    Raises:
        DataError: the archive is missing or damaged, with how to get it.
    """
    path = verified(row, row.files[0])
    try:
        classes = {name: sentences(path, member) for name, member in MEMBERS.items()}
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be decoded ({error}).", how_to_get(row)) from None
    return split_sentences(row.name, classes, seed)


def sentences(path: Path, member: str) -> list[str]:
    """Return the lines of a file of an archive, in ASCII, each once.

    Raises:
        ValueError: it is too long, or no text.
        OSError, EOFError, KeyError, RuntimeError, zlib.error, zipfile.BadZipFile: there is no such file, or it is
            damaged.
    """
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        content = file.read(LARGEST_MEMBER + 1)
    if len(content) > LARGEST_MEMBER:
        raise ValueError(f"{member} is longer than {LARGEST_MEMBER:,} bytes")
    lines = (line.strip() for line in plain(content.decode()).split("\n"))
    return list(dict.fromkeys(line for line in lines if line))


def split_sentences(name: str, classes: dict[str, list[str]], seed: int) -> Sentences:
    """Return sentences by class, split and mixed, so that no neighbor tells a sentence's class.

    The split is the same for every seed, and so is the order of validation; `seed` mixes the sentences of training.
    """
    texts = [text for group in classes.values() for text in group]
    labels = torch.tensor([number for number, group in enumerate(classes.values()) for _ in group])
    content = "\n".join(f"{label}\t{text}" for label, text in zip(labels.tolist(), texts, strict=True))
    valid = valid_places(labels, SPLIT_SEED, stratified=True)
    train, held = _mixed(~valid, seed), _mixed(valid, SPLIT_SEED)
    return Sentences(
        name=name,
        train_texts=tuple(texts[number] for number in train.tolist()),
        train_labels=labels[train],
        valid_texts=tuple(texts[number] for number in held.tolist()),
        valid_labels=labels[held],
        classes=tuple(classes),
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )


def _mixed(chosen: Tensor, seed: int) -> Tensor:
    """Return the places of the chosen ones, given as booleans ``N``, in an order drawn by `seed`."""
    order = torch.randperm(len(chosen), generator=seeded(seed, 1, torch.device("cpu"), stream=2))
    return order[chosen[order]]
