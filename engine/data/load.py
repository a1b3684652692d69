"""Data by name, as tensors on the device: the one door through which a learner's data come."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from engine.core.errors import DataError, suggest
from engine.data.batches import seeded
from engine.data.examples import Corpus, Examples, moments
from engine.data.split import split_examples
from engine.data.table import TABLE


def load(name: str, spec: Any, seed: int, device: torch.device) -> Examples | Corpus:
    """Return a data set, split, on the device.

    Args:
        name: of the table, or the path of a CSV file (``.csv``, ``.tsv``, also ``.gz``) or of a text file.
        spec: the run's knobs; `examples` cuts the training split, `target` names a CSV file's column to predict.
        seed: of generated points and of random splits.
        device: where the tensors are to lie.

    Raises:
        DataError: there is no such data, it is missing or damaged; with how to get it.
    """
    if name in TABLE:
        loaded = _load_row(name, seed)
    elif Path(name).expanduser().suffix or "/" in name:
        loaded = _load_path(Path(name).expanduser(), spec, seed)
    else:
        raise DataError(
            f"There is no data set '{name}'.",
            suggest(name, list(TABLE)) + " A file is named by its path, say ./mine.csv.",
        )
    return _placed(_cut(loaded, spec.examples, seed), device)


def size(data: Examples | Corpus) -> int:
    """Return how many training examples there are; of a text, how many characters."""
    return len(data.train) if isinstance(data, Corpus) else len(data.train_inputs)


def _load_row(name: str, seed: int) -> Examples | Corpus:
    """Return a data set of the table, on the CPU."""
    from engine.data import planes

    row = TABLE[name]
    if row.kind == "plane":
        places, labels = planes.PLANES[name](seeded(seed, 0, torch.device("cpu"), stream=1))
        return split_examples(name, "plane", places, labels, seed, classes=planes.CLASSES[name], columns=("x", "y"))
    if row.kind == "text":
        from engine.data.corpora import load_corpus

        return load_corpus(row)
    if name in ("fashion-mnist", "mnist", "cifar-10"):
        return _load_pictures(name)
    if row.kind in ("table", "pictures") and row.embedded:
        from engine.data.bundled import load_bundled

        return load_bundled(row, seed)
    raise DataError(f"{row.title} is no data to train this family on.", "Choose another data set.")


def _load_path(path: Path, spec: Any, seed: int) -> Examples | Corpus:
    """Return the data of a person's own file, on the CPU."""
    name = path.name.removesuffix(".gz")
    if name.endswith((".csv", ".tsv")):
        from engine.data.csvfile import load_csv

        return load_csv(path, getattr(spec, "target", ""), seed)
    from engine.data.corpora import load_text_file

    return load_text_file(path)


def _load_pictures(name: str) -> Examples:
    """Return published pictures with their published split."""
    from engine.data import cifar, idx

    row = TABLE[name]
    if name == "cifar-10":
        classes: tuple[str, ...] = cifar.CLASSES
        train_NCHW, labels, valid_NCHW, valid_labels = cifar.load_cifar(row)
    else:
        classes = idx.CLASSES[name]
        pictures, labels, valid_pictures, valid_labels = (idx.load_idx(row, file) for file in row.files)
        train_NCHW, valid_NCHW = pictures[:, None], valid_pictures[:, None]
    mean, deviation = moments(train_NCHW)
    return Examples(
        name=name,
        layout="pictures",
        train_inputs=train_NCHW,
        train_labels=labels.long(),
        valid_inputs=valid_NCHW,
        valid_labels=valid_labels.long(),
        classes=classes,
        mean=mean,
        deviation=deviation,
        digest=digest_of_strings(*(file.sha256 for file in row.files)),
    )


def digest_of_strings(*parts: str) -> str:
    """Return the SHA-256 over some strings, for data that are made of several files."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _cut(data: Examples | Corpus, examples: int, seed: int) -> Examples | Corpus:
    """Return the data with that many training examples, chosen by `seed` (the first characters of a text); 0
    keeps all.
    """
    if not examples or examples >= size(data):
        return data
    if isinstance(data, Corpus):
        return replace(data, train=data.train[:examples])
    chosen = torch.randperm(size(data), generator=seeded(seed, 0, torch.device("cpu"), stream=3))[:examples]
    return replace(data, train_inputs=data.train_inputs[chosen], train_labels=data.train_labels[chosen])


def _placed(data: Examples | Corpus, device: torch.device) -> Examples | Corpus:
    """Return the data with every tensor on the device."""
    if isinstance(data, Corpus):
        return data
    return replace(
        data,
        train_inputs=data.train_inputs.to(device),
        train_labels=data.train_labels.to(device),
        valid_inputs=data.valid_inputs.to(device),
        valid_labels=data.valid_labels.to(device),
        mean=data.mean.to(device),
        deviation=data.deviation.to(device),
    )
