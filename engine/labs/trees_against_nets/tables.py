"""The tables to compete on: scikit-learn's, those that lie in a data folder, or a person's own file.

Shape legend: N rows, F features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.core.paths import data_folders
from engine.data.batches import seeded
from engine.data.csvfile import Sheet, read_sheet
from engine.data.examples import Examples, moments

FOLDER = "tabular"
"""Below a data folder, where further tables may lie."""
RAREST = 10
"""Rows that a class needs, or it is left out: fewer cannot be shared out among training, choosing and testing."""
LARGEST_TEST = 1000
"""Rows to test on; a table has half of its rows for that, and no more than these."""


@dataclass(frozen=True, slots=True)
class Found:
    """A table that may lie in a data folder: its target, and columns that give the answer away."""

    file: str
    target: str = ""
    left_out: tuple[str, ...] = ()


FOUND = (
    Found("adult-train.csv.gz"),
    Found("titanic.csv", "survived", ("alive",)),
    Found("penguins.csv", "species"),
    Found("winequality-white.csv"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One table, split into rows to learn from and rows to test on."""

    name: str
    classes: tuple[str, ...]
    pool_inputs: Tensor
    """``NF``, float32; gaps are filled with what was measured here, never on the test rows."""
    pool_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    remarks: tuple[str, ...] = ()
    """What was done to the table, for a person."""

    def training_rows(self, count: int, seed: int) -> Tensor:
        """Return the numbers of `count` rows of the pool: two of every class first, then whatever chance brings."""
        order = torch.randperm(len(self.pool_labels), generator=seeded(seed, 0, torch.device("cpu"), stream=8))
        labels = self.pool_labels[order]
        first = torch.cat([(labels == each).nonzero()[:2, 0] for each in range(len(self.classes))])
        is_first = torch.zeros(len(order), dtype=torch.bool)
        is_first[first] = True
        return torch.cat([order[is_first], order[~is_first]])[: max(count, len(first))]

    def examples(self, rows: Tensor) -> Examples:
        """Return some rows of the pool to learn from, and the test rows, as every family takes them."""
        inputs = self.pool_inputs[rows]
        mean, deviation = moments(inputs)
        return Examples(
            name=self.name,
            layout="table",
            train_inputs=inputs,
            train_labels=self.pool_labels[rows],
            valid_inputs=self.test_inputs,
            valid_labels=self.test_labels,
            classes=self.classes,
            mean=mean,
            deviation=deviation,
        )


def tasks(data: str, target: str, left_out: str, seed: int) -> Iterator[Task]:
    """Yield the tables to compete on, each split by `seed`.

    Args:
        data: path of a CSV file; empty for all tables that are shipped or found.
        target: of that file, the column to predict; empty takes the last.
        left_out: of that file, columns not to use, with commas between them.
        seed: of the split.

    Raises:
        DataError: the file cannot be used: it is no table, has too few rows, or one class alone.
    """
    if data:
        unused = tuple(name.strip() for name in left_out.split(",") if name.strip())
        yield split(classes_only(read_sheet(Path(data).expanduser(), target, unused)), seed)
        return
    for sheet in shipped():
        yield split(classes_only(sheet), seed)
    for each in FOUND:
        path = next((path for folder in data_folders() if (path := folder / FOLDER / each.file).is_file()), None)
        if path is not None:
            yield split(classes_only(read_sheet(path, each.target, each.left_out)), seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers(Sheet):
    """A table that holds nothing but numbers, none of them missing."""

    inputs: Tensor

    def features(self, train: Tensor) -> tuple[tuple[str, ...], Tensor]:
        """Return the numbers as they are."""
        return (), self.inputs


def shipped() -> Iterator[Sheet]:
    """Yield scikit-learn's own tables: breast cancer, wine, digits, and diabetes, whose target is a number."""
    from sklearn import datasets

    loaders = {
        "breast cancer": datasets.load_breast_cancer,
        "wine": datasets.load_wine,
        "digits": datasets.load_digits,
        "diabetes": datasets.load_diabetes,
    }
    for name, load in loaders.items():
        bundle = load()
        is_number = name == "diabetes"
        yield Numbers(
            name=name,
            target="target",
            columns=[],
            labels=torch.as_tensor(bundle.target).float() if is_number else torch.as_tensor(bundle.target).long(),
            classes=() if is_number else tuple(str(each) for each in bundle.target_names),
            inputs=torch.as_tensor(bundle.data).float(),
        )


def classes_only(sheet: Sheet) -> Sheet:
    """Return the table with classes to tell apart: a number becomes *below* or *from* its median *on*."""
    if sheet.classes:
        return sheet
    upper = (sheet.labels >= sheet.labels.median()).long()
    if upper.min() == upper.max():
        raise DataError(
            f"{sheet.target} of {sheet.name} is the same in most rows; there is nothing to tell apart.",
            "Name another column as target.",
        )
    return replace(sheet, labels=upper, classes=("below the median", "median and above"))


def split(sheet: Sheet, seed: int) -> Task:
    """Return the table without its rarest classes, its rows split at random into pool and test.

    Raises:
        DataError: fewer than two classes have enough rows, or there is no column to predict from.
    """
    counts = torch.bincount(sheet.labels, minlength=len(sheet.classes))
    kept = (counts >= RAREST).nonzero()[:, 0]
    if len(kept) < 2:
        raise DataError(
            f"{sheet.name} has {len(kept)} classes with {RAREST} rows or more in {sheet.target}, two are needed.",
            "Use more rows, or name another column as target.",
        )
    usable = (counts >= RAREST)[sheet.labels]
    remarks = [
        f"{sheet.name}: the class '{name}' has {count} rows and is left out."
        for name, count in zip(sheet.classes, counts.tolist(), strict=True)
        if 0 < count < RAREST
    ]
    order = torch.randperm(len(sheet.labels), generator=seeded(seed, 0, torch.device("cpu"), stream=7))
    order = order[usable[order]]
    tested = min(LARGEST_TEST, len(order) // 2)
    test, pool = order[:tested], order[tested:]
    in_pool = torch.zeros(len(sheet.labels), dtype=torch.bool)
    in_pool[pool] = True
    _, inputs = sheet.features(in_pool)
    numbers = torch.full((len(sheet.classes),), -1).index_put((kept,), torch.arange(len(kept)))
    labels = numbers[sheet.labels]
    return Task(
        name=Path(sheet.name).name.split(".")[0].replace("-train", ""),
        classes=tuple(sheet.classes[each] for each in kept.tolist()),
        pool_inputs=inputs[pool],
        pool_labels=labels[pool],
        test_inputs=inputs[test],
        test_labels=labels[test],
        remarks=tuple(remarks),
    )
