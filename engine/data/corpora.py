"""Texts to train on: the frozen glossary, Tiny Shakespeare, made-up ones, any text file of a person's own."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

from engine.core.errors import DataError
from engine.data.examples import Corpus
from engine.data.files import verified
from engine.data.made_language import made_text
from engine.data.many_tasks import many_tasks
from engine.data.table import DataSet

FROZEN = {"glossary": "glossary-v1.txt.gz", "glossary-questions": "glossary-questions-v1.txt.gz"}
"""Texts that lie beside this file, made by `engine.data.freeze`."""

WRITTEN: dict[str, Callable[[], str]] = {"made-language": made_text, "many-tasks": many_tasks}
"""Texts that a program writes, always the same."""

TRAIN_SHARE = 0.9
"""Of a text; the rest, its end, is for validation, as in char-rnn and nanoGPT."""

SHORTEST = 1000
"""Characters; a shorter text teaches nothing."""

LARGEST = 1 << 30
"""Bytes of a person's own text."""


def load_corpus(row: DataSet, seed: int) -> Corpus:
    """Return one of the table's texts; its end is for validation, whatever the seed.

    Raises:
        DataError: its file is missing or damaged.
    """
    if row.name in FROZEN:
        return split_text(row.name, _read(Path(__file__).with_name(FROZEN[row.name])))
    if row.name in WRITTEN:
        return split_text(row.name, WRITTEN[row.name]())
    return split_text(row.name, _read(verified(row, row.files[0])))


def load_text_file(path: Path) -> Corpus:
    """Return a person's own text, plain or gzipped, UTF-8.

    Raises:
        DataError: it is missing, too short, too long, or no text.
    """
    return split_text(path.name, _read(path))


def split_text(name: str, text: str) -> Corpus:
    """Return a text cut into training and validation part.

    Raises:
        DataError: it is too short.
    """
    if len(text) < SHORTEST:
        raise DataError(
            f"{name} has {len(text):,} characters, too few to train on.", f"Use a text of at least {SHORTEST:,}."
        )
    cut = int(len(text) * TRAIN_SHARE)
    return Corpus(name=name, train=text[:cut], valid=text[cut:], digest=hashlib.sha256(text.encode()).hexdigest())


def _read(path: Path) -> str:
    """Return the text of a file, line ends as single newlines.

    Raises:
        DataError: it cannot be read, or is no text.
    """
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise DataError(f"{path} is larger than {LARGEST:,} bytes.", "Train on a part of it.")
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", "Check the path.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder.", "Name a text file or a CSV file.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no UTF-8 text (byte {error.start:,}).", "Convert it to UTF-8 first.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Check the file.") from None
    if "\0" in text:
        raise DataError(f"{path} is no text: it has zero bytes.", "Name a text file or a CSV file.")
    return text.replace("\r\n", "\n").replace("\r", "\n")
