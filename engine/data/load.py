"""Data by name, as tensors on the device: the one door through which a learner's data come."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from engine.core.errors import DataError, suggest
from engine.data.examples import Data
from engine.data.table import TABLE, DataSet

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
"""How the name of a person's own table ends; every other file is taken for a text."""

FOLDERS = {
    ".png": "picture_folder:load_picture_folder",
    ".jpg": "picture_folder:load_picture_folder",
    ".jpeg": "picture_folder:load_picture_folder",
    ".wav": "speech:load_speech_folder",
}
"""What reads a person's own folder, by the suffix of most of its files: ``module:function`` of ``engine.data`` that
takes the folder and a seed.
"""


def load(name: str, spec: Any, seed: int, device: torch.device) -> Any:
    """Return a data set (a `Data`; the families that train on it know its kind), split, on the device.

    Args:
        name: of the table, or the path of a CSV file (``.csv``, ``.tsv``, also ``.gz``), of a text file, or of a folder
            whose subfolders are classes.
        spec: the run's knobs; `examples` cuts the training split, `target` names a CSV file's column to predict.
        seed: of generated points and of random splits.
        device: where the tensors are to lie.

    Raises:
        DataError: there is no such data, it is missing or damaged; with how to get it.
    """
    if name in TABLE:
        loaded = _load_row(TABLE[name], seed)
    elif Path(name).expanduser().suffix or "/" in name:
        loaded = _load_path(Path(name).expanduser(), spec, seed)
    else:
        raise DataError(
            f"There is no data set '{name}'.",
            suggest(name, list(TABLE)) + " A file is named by its path, say ./mine.csv.",
        )
    if spec.examples and spec.examples < loaded.size:
        loaded = loaded.cut(spec.examples, seed)
    return loaded.to(device)


def _load_row(row: DataSet, seed: int) -> Data:
    """Return a data set of the table, on the CPU."""
    if not row.loader:
        raise DataError(f"{row.title} is no data to train on by itself.", "Choose another data set.")
    module, _, function = row.loader.partition(":")
    loaded: Data = getattr(import_module(f"engine.data.{module}"), function)(row, seed)
    return loaded


def _load_path(path: Path, spec: Any, seed: int) -> Data:
    """Return the data of a person's own file or folder, on the CPU."""
    if path.is_dir():
        return _load_folder(path, seed)
    if path.name.endswith(TABLES):
        from engine.data.csvfile import load_csv

        return load_csv(path, getattr(spec, "target", ""), seed)
    from engine.data.corpora import load_text_file

    return load_text_file(path)


def _load_folder(path: Path, seed: int) -> Data:
    """Return the data of a folder whose subfolders are classes; what they hold, the suffixes of the files say."""
    try:
        suffixes = Counter(each.suffix.lower() for each in path.glob("*/*"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check the folder.") from None
    known = {suffix: count for suffix, count in suffixes.items() if suffix in FOLDERS}
    if not known:
        raise DataError(
            f"{path} holds no examples by class: none of its subfolders has files that end in {', '.join(FOLDERS)}.",
            "Put the files of each class into a subfolder that has the name of the class.",
        )
    module, _, function = FOLDERS[max(known, key=lambda suffix: known[suffix])].partition(":")
    loaded: Data = getattr(import_module(f"engine.data.{module}"), function)(path, seed)
    return loaded
