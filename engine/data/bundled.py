"""The data sets that scikit-learn ships: digits, breast cancer, wine."""

from __future__ import annotations

import dataclasses

import torch

from engine.data.examples import Examples
from engine.data.split import split_examples
from engine.data.table import DataSet

DIGITS_PEAK = 16
"""A pixel of the digits counts how many of 4 by 4 finer ones have ink."""


def load_bundled(row: DataSet, seed: int) -> Examples:
    """Return one of scikit-learn's data sets, split by `seed`."""
    from sklearn import datasets

    if row.name == "digits":
        bundle = datasets.load_digits()
        pictures_N1HW = torch.from_numpy(bundle.images).to(torch.uint8)[:, None]
        labels = torch.from_numpy(bundle.target).long()
        found = split_examples(row.name, "pictures", pictures_N1HW, labels, seed, classes=tuple("0123456789"))
        return dataclasses.replace(found, peak=DIGITS_PEAK)
    bundle = datasets.load_breast_cancer() if row.name == "breast-cancer" else datasets.load_wine()
    return split_examples(
        row.name,
        "table",
        torch.from_numpy(bundle.data).float(),
        torch.from_numpy(bundle.target).long(),
        seed,
        classes=tuple(str(name).replace("class_", "cultivar ") for name in bundle.target_names),
        columns=tuple(str(name) for name in bundle.feature_names),
    )
