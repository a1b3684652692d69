"""An index in a folder: a small header that names two files by their content, replaced last and whole.

Whoever opens the folder while it is written, or after a crash in the middle, finds the index of before or the new one.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.core.errors import DataError, RunError
from engine.core.files import read_inside
from engine.core.paths import write_whole
from engine.retrieval.chunks import Chunk, Chunking
from engine.retrieval.counts import Counts
from engine.retrieval.dense import Embedder, SentenceEmbedder
from engine.retrieval.documents import Collection, Document, read_folder
from engine.retrieval.index import LSA, NONE, Changes, Index, Progress, Settings, silent
from engine.retrieval.lsa import LatentSemantics
from engine.retrieval.words import Analysis

FORMAT = 1
HEADER = "index.json"
LARGEST = 2**31 - 1
"""Bytes of one file of an index."""

_LOCK = ".lock"
_PART = re.compile(r"(passages-[0-9a-f]{32}\.json|arrays-[0-9a-f]{32}\.npz)")
_REMEDY = "Index the folder again."
Arrays = dict[str, npt.NDArray[Any]]


def save(index: Index, folder: Path) -> None:
    """Keep an index in a folder, in place of the one that was there.

    Raises:
        DataError: the folder cannot be written or the disk is full; the index of before still stands.
    """
    passages, arrays = _passages(index), _arrays(index)
    names = [f"passages-{_digest(passages)}.json", f"arrays-{_digest(arrays)}.npz"]
    header = {"format": FORMAT, "settings": asdict(index.settings), "passages": names[0], "arrays": names[1]}
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(folder):
            for name, content in zip(names, (passages, arrays), strict=True):
                write_whole(folder / name, content)
            write_whole(folder / HEADER, json.dumps(header, indent=1).encode())
            for path in folder.iterdir():
                if _PART.fullmatch(path.name) and path.name not in names:
                    path.unlink()
    except OSError as error:
        raise DataError(f"The index cannot be kept in {folder}: {error.strerror}.", "Make room, or choose.") from None


def load(folder: Path, embedder: Embedder | None = None) -> Index:
    """Open an index.

    Args:
        folder: where it was saved.
        embedder: the model of one's own that it was made with, if it was.

    Raises:
        DataError: there is no index, it is damaged, or a newer Lexigrad wrote it.
    """
    for attempt in range(3):
        header = _header(folder)
        try:
            return _opened(folder, header, embedder)
        except FileNotFoundError:
            # An update replaced it between the reading of the header and of its parts: the new header is there.
            if attempt == 2:
                break
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, zipfile.BadZipFile) as error:
            raise DataError(f"The index in {folder} is damaged ({type(error).__name__}).", _REMEDY) from None
    raise DataError(f"The index in {folder} lacks one of its parts.", _REMEDY)


def refresh(
    texts: Path,
    folder: Path,
    settings: Settings | None = None,
    embedder: Embedder | None = None,
    progress: Progress = silent,
) -> tuple[Index, Changes, Collection]:
    """Bring the index in `folder` up to the files in `texts`: read all, cut and count only what is new or changed.

    An index of other settings, a damaged one and an older format are made anew.

    Raises:
        DataError: there is nothing to index, the folder cannot be written, or a newer Lexigrad wrote the index.
    """
    collection = read_folder(texts)
    wanted = settings or Settings()
    before = _reusable(folder, wanted, embedder)
    if before is None:
        index = Index.of(collection.documents, wanted, embedder, progress)
        changes = Changes(tuple(index.documents), (), (), 0)
    else:
        index, changes = before.updated(collection.documents, embedder, progress)
    if index is not before:
        save(index, folder)
    return index, changes, collection


def _reusable(folder: Path, wanted: Settings, embedder: Embedder | None) -> Index | None:
    if not (folder / HEADER).exists():
        return None
    try:
        index = load(folder, embedder)
    except NewerFormat:
        raise
    except DataError:
        return None
    return index if index.settings == wanted else None


class NewerFormat(DataError):
    """An index that a newer Lexigrad wrote."""


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one writer in at a time; the lock goes with its process."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _header(folder: Path) -> dict[str, Any]:
    try:
        header = json.loads(read_inside(folder, HEADER))
        written = int(header["format"])
    except FileNotFoundError:
        raise DataError(f"There is no index in {folder}.", "Index a folder of texts first.") from None
    except (OSError, RunError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The header of the index in {folder} is damaged ({error}).", _REMEDY) from None
    if written > FORMAT:
        raise NewerFormat(f"The index in {folder} has format {written}; this Lexigrad reads {FORMAT}.", "Update it.")
    assert isinstance(header, dict)
    return header


def _opened(folder: Path, header: dict[str, Any], embedder: Embedder | None) -> Index:
    kept = header["settings"]
    settings = Settings(**{**kept, "chunking": Chunking(**kept["chunking"]), "analysis": Analysis(**kept["analysis"])})
    passages = json.loads(_part(folder, header["passages"]))
    arrays = _unpacked(_part(folder, header["arrays"]))
    documents = {path: Document(path, title, text) for path, title, text in passages["documents"]}
    chunks = tuple(
        Chunk(path, start, end, tuple(headings))
        for path, cut in passages["chunks"].items()
        for start, end, headings in cut
    )
    counts = _counts(tuple(passages["terms"]), arrays, "words")
    pieces = _counts(tuple(passages["pieces"]), arrays, "pieces")
    _check(counts, pieces, chunks, documents, arrays)
    if embedder is None:
        embedder = _embedder(settings, counts, arrays)
    return Index(settings, documents, chunks, counts, pieces, arrays["vectors"], embedder)


def _embedder(settings: Settings, counts: Counts, arrays: Arrays) -> Embedder | None:
    if settings.dense == NONE:
        return None
    if settings.dense != LSA:
        return SentenceEmbedder(settings.dense)
    columns = {term: place for place, term in enumerate(counts.terms)}
    return LatentSemantics(settings.analysis, columns, arrays["idf"], arrays["directions"])


def _counts(terms: tuple[str, ...], arrays: Arrays, name: str) -> Counts:
    """Return a matrix; ValueError where its arrays do not fit together, which a digest does not prove."""
    found = Counts(terms, *(arrays[f"{name}_{each}"] for each in ("starts", "columns", "times")))
    sound = (
        found.starts[0] == 0
        and bool((np.diff(found.starts) >= 0).all())
        and found.starts[-1] == len(found.columns) == len(found.times)
        and (not len(found.columns) or 0 <= found.columns.min() <= found.columns.max() < len(terms))
    )
    if not sound:
        raise ValueError("the arrays do not fit together")
    return found


def _check(
    counts: Counts, pieces: Counts, chunks: tuple[Chunk, ...], documents: dict[str, Document], arrays: Arrays
) -> None:
    """Raise ValueError where the parts are not of one index."""
    fits = (
        counts.rows == pieces.rows == len(chunks) == len(arrays["vectors"])
        and all(each.document in documents for each in chunks)
        and ("idf" not in arrays or len(arrays["idf"]) == len(arrays["directions"]) == len(counts.terms))
    )
    if not fits:
        raise ValueError("the parts do not fit together")


def _part(folder: Path, name: str) -> bytes:
    if not _PART.fullmatch(name):
        raise ValueError("no name of a part")
    try:
        content = read_inside(folder, name, LARGEST)
    except RunError as error:
        raise ValueError(error.what) from None
    if _digest(content) not in name:
        raise ValueError("not what was written")
    return content


def _passages(index: Index) -> bytes:
    cut: dict[str, list[Any]] = {}
    for chunk in index.chunks:
        cut.setdefault(chunk.document, []).append([chunk.start, chunk.end, chunk.headings])
    documents = [[each.path, each.title, each.text] for each in index.documents.values()]
    content = {"documents": documents, "chunks": cut, "terms": index.counts.terms, "pieces": index.pieces.terms}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _arrays(index: Index) -> bytes:
    arrays: Arrays = {"vectors": index.vectors}
    for name, counts in (("words", index.counts), ("pieces", index.pieces)):
        arrays |= {
            f"{name}_starts": counts.starts, f"{name}_columns": counts.columns, f"{name}_times": counts.times,
        }  # fmt: skip
    learned = index.embedder
    if isinstance(learned, LatentSemantics):
        arrays |= {"idf": learned.idf, "directions": learned.directions}
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def _unpacked(content: bytes) -> Arrays:
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        if sum(each.file_size for each in found.infolist()) > LARGEST:
            raise ValueError("larger than any index")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:32]
