"""The Free Spoken Digit Dataset: six people say the digits in English, fifty times each.

Its archive is read member by member and never unpacked; what was decoded is kept in the cache folder. Its official test
split, the recordings 0 to 4 of each speaker and digit, is the validation split here.
"""

from __future__ import annotations

import hashlib
import lzma
import re
import tarfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from engine.core.errors import DataError
from engine.core.paths import cache_folder, write_whole
from engine.data.files import find, how_to_get, verified
from engine.data.speech import Speech, padded
from engine.data.table import DataSet
from engine.data.wav import RATE, loudest, parse_wav

MEMBER = re.compile(r"recordings/(\d)_([a-z]+)_(\d+)\.wav")
"""Digit, speaker, number of the recording."""
TEST = 5
"""Recordings of each speaker and digit that are for validation, the first ones."""
LONGEST_SECONDS = 1.0
"""Of the 3,000 recordings 20 are longer; of them the loudest second is kept, so that no batch is mostly padding."""
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
WORDS = tuple("0123456789")
LARGEST_MEMBER = 1 << 20
"""Bytes of a recording; none comes near."""


def load_spoken_digits(row: DataSet, seed: int) -> Speech:
    """Return the recordings in their official split.

    Raises:
        DataError: the archive is missing or damaged, with how to get it.
    """
    decoded = load_decoded(row)
    digits_N, speakers_N, takes_N = decoded["labels"].long().unbind(1)
    waves = decoded["samples"].split(decoded["lengths"].tolist())
    everything = padded(waves, (digits_N[:, None] + 1).tolist(), speakers_N.tolist())
    return Speech(
        name=row.name,
        train=everything.pick(takes_N >= TEST),
        valid=everything.pick(takes_N < TEST),
        words=WORDS,
        speakers=SPEAKERS,
        digest=hashlib.sha256("\n".join(file.sha256 for file in row.files).encode()).hexdigest(),
    )


def load_decoded(row: DataSet) -> dict[str, Tensor]:
    """Return the decoded archive, from the cache where it was decoded before.

    Raises:
        DataError: it is missing or damaged.
    """
    (file,) = row.files
    find(row, file)
    cached = cache_folder() / f"{row.folder}-{file.sha256[:16]}-{RATE}-{LONGEST_SECONDS:g}.safetensors"
    try:
        kept = parse_tensors(cached.read_bytes())
        return {name: kept[name] for name in ("samples", "lengths", "labels")}
    except (OSError, SafetensorError, KeyError):
        pass
    path = verified(row, file)
    try:
        decoded = decode(path)
    except (OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError) as error:
        raise DataError(f"{path} cannot be decoded ({error}).", how_to_get(row)) from None
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_whole(cached, tensors_to_bytes(decoded))
    except OSError:
        pass  # without room it is decoded again next time
    return decoded


def decode(path: Path) -> dict[str, Tensor]:
    """Return all samples one after another, how many each recording has, and its digit, speaker and number, ``N3``.

    Raises:
        ValueError, tarfile.TarError and the like: it is no such archive.
    """
    found: dict[tuple[int, int, int], Tensor] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            named = MEMBER.fullmatch(member.name)
            if named is None or not member.isfile() or member.size > LARGEST_MEMBER:
                continue
            content = archive.extractfile(member)
            assert content is not None
            key = (int(named[1]), SPEAKERS.index(named[2]), int(named[3]))
            found[key] = loudest(parse_wav(content.read()), round(LONGEST_SECONDS * RATE))
    if not found:
        raise ValueError("it holds no recordings")
    ordered = dict(sorted(found.items()))
    return {
        "samples": torch.cat(list(ordered.values())),
        "lengths": torch.tensor([len(each) for each in ordered.values()]),
        "labels": torch.tensor(list(ordered), dtype=torch.int16),
    }
