"""A person's own table: CSV to numbers. Numeric and text columns, missing values, any separator, with a header or
without.

Numbers stay numbers, and get a column that says where they were missing; texts become one column of 0 and 1 for each of
their commoner values. Columns in which almost every row has a text of its own (names, keys) are left out.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import DataError, suggest
from engine.data.examples import Examples
from engine.data.split import split_examples, valid_places

MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "-"}
FEWEST_ROWS = 20
MOST_CLASSES = 100
MOST_CLASSES_OF_NUMBERS = 20
"""A target of whole numbers with more different ones than this is a number to predict, not a class."""

MOST_VALUES = 50
"""Of a text column, those that get a column of their own."""

LARGEST = 1 << 30
"""Characters of a table."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column as it was read; None stands for a missing cell."""

    name: str
    cells: list[str | None]

    @property
    def present(self) -> list[str]:
        """The cells that are not missing."""
        return [cell for cell in self.cells if cell is not None]

    @property
    def is_numeric(self) -> bool:
        """Whether every cell that is there is a number."""
        return bool(self.present) and all(is_number(cell) for cell in self.present)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table of which one column is to be predicted, before anything was measured on its rows."""

    name: str
    target: str
    columns: list[Column]
    """What to predict it from; only the rows that have a target."""
    labels: Tensor
    """Class numbers, or the numbers to predict where `classes` is empty."""
    classes: tuple[str, ...]

    def features(self, train: Tensor) -> tuple[tuple[str, ...], Tensor]:
        """Return names and values ``NF`` of the features; what fills gaps is measured on the rows of `train` alone.

        Raises:
            DataError: no column can be used.
        """
        named = [each for column in self.columns for each in _features(column, train)]
        if not named:
            raise DataError(
                f"{self.name} has no column to predict {self.target} from.", "Every other one is empty or a name."
            )
        return tuple(name for name, _ in named), torch.stack([values for _, values in named], 1)


def load_csv(path: Path, target: str, seed: int) -> Examples:
    """Return a table as examples, split by `seed`; arguments and errors are those of `read_sheet`."""
    sheet = read_sheet(path, target)
    names, inputs_NF = sheet.features(~valid_places(sheet.labels, seed, stratified=bool(sheet.classes)))
    return split_examples(path.stem, "table", inputs_NF, sheet.labels, seed, classes=sheet.classes, columns=names)


def read_sheet(path: Path, target: str, left_out: Collection[str] = ()) -> Sheet:
    """Return a table with its target.

    Args:
        path: a CSV or TSV file, also gzipped.
        target: name of the column to predict; empty takes the last. Texts and few whole numbers are classes, other
            numbers are predicted as such.
        left_out: names of columns that are not to be predicted from.

    Raises:
        DataError: the file cannot be read, is no table, or has no such column; with what to do.
    """
    columns = read_columns(path)
    chosen = _target(path, columns, target)
    for name in left_out:
        _target(path, columns, name)
    known = [cell is not None for cell in chosen.cells]
    if sum(known) < FEWEST_ROWS:
        raise DataError(
            f"{path.name} has {sum(known)} rows with a target, too few to train on.", f"Use {FEWEST_ROWS} or more."
        )
    rows = torch.tensor(known).nonzero()[:, 0].tolist()
    labels, classes = _labels(path, [str(chosen.cells[row]) for row in rows], numeric=chosen.is_numeric)
    others = [column for column in columns if column is not chosen and column.name not in left_out]
    kept = [Column(column.name, [column.cells[row] for row in rows]) for column in others]
    return Sheet(name=path.name, target=chosen.name, columns=kept, labels=labels, classes=classes)


def read_columns(path: Path) -> list[Column]:
    """Return the columns of a table; without a header they are called column 1, column 2 ...

    Raises:
        DataError: the file cannot be read, or its rows differ in length.
    """
    rows = [row for row in _rows(path) if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise DataError(
            f"{path.name} has {len(rows) or 'no'} row{'' if rows else 's'}, too few for a table.", "Add rows."
        )
    if len(rows[0]) < 2:
        raise DataError(
            f"{path.name} is no table: {len(rows):,} rows of one column.",
            "Use commas, semicolons or tabs between cells.",
        )
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise DataError(
                f"Row {number:,} of {path.name} has {len(row)} cells, the first has {len(rows[0])}.", "Repair that row."
            )
    table = [[_cell(cell) for cell in row] for row in rows]
    header = _header(table)
    names = [str(name) for name in header] if header else [f"column {place + 1}" for place in range(len(table[0]))]
    body = table[1:] if header else table
    return [Column(name, [row[place] for row in body]) for place, name in enumerate(names)]


def _rows(path: Path) -> list[list[str]]:
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as file:
            text = file.read(LARGEST + 1).decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", "Check the path.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no UTF-8 text (byte {error.start:,}).", "Save it as CSV in UTF-8.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Check the file.") from None
    if len(text) > LARGEST:
        raise DataError(f"{path} is larger than {LARGEST:,} bytes.", "Train on a part of it.")
    first = text.partition("\n")[0]
    separator = max(",;\t|", key=first.count)
    try:
        return list(csv.reader(text.splitlines(), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise DataError(f"{path} is no CSV file ({error}).", "Save it as CSV anew.") from None


def _cell(text: str) -> str | None:
    text = text.strip()
    return None if text.lower() in MISSING else text


def is_number(text: str) -> bool:
    """Whether a cell is a finite number."""
    try:
        value = float(text)
    except ValueError:
        return False
    return value - value == 0.0


def _header(table: list[list[str | None]]) -> list[str | None] | None:
    """Return the first row if it names the columns: different texts, none a number, none again in its own column."""
    first = table[0]
    names = [name for name in first if name is not None]
    if len(set(names)) < len(first) or any(is_number(name) for name in names):
        return None
    again = any(row[place] == name for row in table[1:] for place, name in enumerate(first))
    return None if again else first


def _target(path: Path, columns: list[Column], name: str) -> Column:
    """Return the column to predict."""
    if not name:
        return columns[-1]
    for column in columns:
        if column.name == name:
            return column
    raise DataError(f"{path.name} has no column '{name}'.", suggest(name, [column.name for column in columns]))


def _labels(path: Path, cells: list[str], *, numeric: bool) -> tuple[Tensor, tuple[str, ...]]:
    """Return class numbers and class names; for a number to predict, the numbers and no names."""
    values = sorted(set(cells), key=lambda cell: (float(cell), cell)) if numeric else sorted(set(cells))
    if numeric and not (len(values) <= MOST_CLASSES_OF_NUMBERS and all(float(value).is_integer() for value in values)):
        return torch.tensor([float(cell) for cell in cells]), ()
    if len(values) == 1:
        raise DataError(
            f"Every row of {path.name} has the same value in the target, {values[0]}; there is nothing to tell apart.",
            "Name another column: target=NAME.",
        )
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"The target of {path.name} has {len(values):,} different values; a class needs 2 to {MOST_CLASSES}.",
            "Name another column: target=NAME.",
        )
    number_of = {value: number for number, value in enumerate(values)}
    return torch.tensor([number_of[cell] for cell in cells]), tuple(values)


def _features(column: Column, train: Tensor) -> list[tuple[str, Tensor]]:
    """Return the features that a column gives, by name; what fills gaps is measured on the training rows alone."""
    if not column.present:
        return []
    missing = torch.tensor([cell is None for cell in column.cells])
    if column.is_numeric:
        values = torch.tensor([0.0 if cell is None else float(cell) for cell in column.cells])
        seen = values[train & ~missing]
        filled = torch.where(missing, seen.median() if len(seen) else torch.tensor(0.0), values)
        gaps = [(f"{column.name} missing", missing.float())] if missing.any() else []
        return [(column.name, filled), *gaps]
    counts = Counter(column.present)
    if len(counts) > MOST_VALUES and len(counts) > 0.5 * len(column.present):
        return []
    common = sorted(value for value, _ in counts.most_common(MOST_VALUES))
    number_of = {value: number for number, value in enumerate(common)}
    numbers = torch.tensor([-1 if cell is None else number_of.get(cell, -1) for cell in column.cells])
    named = [(f"{column.name} = {value}", (numbers == number).float()) for value, number in number_of.items()]
    return [*named, (f"{column.name} missing", missing.float())] if missing.any() else named
