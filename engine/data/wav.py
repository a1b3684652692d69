"""Recordings in wav files: read, brought to one sampling rate, and cut to their loudest stretch.

Standard library and torch alone; the module `wave` would not read every file that is not compressed: up to Python 3.11
none whose header is of the extensible kind. The layout: IBM and Microsoft, Multimedia Programming Interface and Data
Specifications 1.0, 1991; the extensible header: Microsoft, WAVEFORMATEXTENSIBLE. Shape legend: T samples.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from engine.core.errors import DataError

RATE = 8_000
"""Samples a second of all speech here: that of a telephone, which carries what a voice has below 4 kHz."""
LONGEST_FILE = 120.0
"""Seconds of a file that is read at all."""
PCM, EXTENSIBLE = 1, 0xFFFE
"""Formats of a header: numbers as they were measured; and one that says further on what it is."""
SUBFORMAT = 24
"""Where an extensible header says it: the byte."""
HEADER = 40
"""Bytes of the longest header that is known."""


def read_wav(path: Path) -> Tensor:
    """Return a wav file as 16-bit samples ``T`` at `RATE`; of several channels the mean.

    Raises:
        DataError: there is no such file, it is no wav file, it holds no samples, or it is too long.
    """
    try:
        if not path.is_file():  # a pipe or a device would have no end
            raise DataError(f"There is no file {path}.", "Check the path.")
        with path.open("rb") as file:
            return decoded(file)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except ValueError as error:
        raise DataError(
            f"{path} is no recording that can be read: {error}.",
            f"Save it as a wav file of 16-bit PCM, of at most {LONGEST_FILE:.0f} seconds.",
        ) from None


def parse_wav(content: bytes) -> Tensor:
    """Return the content of a wav file as `read_wav` does.

    Raises:
        ValueError: it is none, or compressed, empty or too long.
    """
    return decoded(io.BytesIO(content))


def decoded(file: BinaryIO) -> Tensor:
    """Return an open wav file as `read_wav` does; the samples are read only where its header is right.

    Raises:
        ValueError, with what is wrong: it is none, or compressed, empty or too long.
    """
    begin = file.read(12)
    if begin[:4] != b"RIFF" or begin[8:] != b"WAVE":
        raise ValueError("it does not begin as a wav file does")
    header = b""
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        start = file.tell()
        if name == b"fmt ":
            header = file.read(min(size, HEADER))
        elif name == b"data":
            there = file.seek(0, os.SEEK_END) - start
            file.seek(start)
            return samples(file, header, min(size, there))
        file.seek(start + size + size % 2)
    raise ValueError("it ends before its samples")


def samples(file: BinaryIO, header: bytes, size: int) -> Tensor:
    """Return the samples that begin at the place of a file, `size` bytes, as `read_wav` does.

    Raises:
        ValueError: they are not what is read here.
    """
    if len(header) < 16:
        raise ValueError("it does not say what its samples are")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", header[:16])
    if kind == EXTENSIBLE:
        kind = int.from_bytes(header[SUBFORMAT : SUBFORMAT + 2], "little")
    if kind != PCM:
        raise ValueError(f"its samples are in format {kind}, not PCM")
    width = (bits + 7) // 8
    frame = width * channels
    if not rate or not frame:
        raise ValueError(f"it has {channels} channels of {bits} bits at {rate} hertz")
    count = size // frame
    if not count:
        raise ValueError("it holds no samples")
    if count > LONGEST_FILE * rate:
        raise ValueError(f"it lasts {count / rate:,.0f} seconds")
    samples_T = numbers(file.read(count * frame), width).view(-1, channels).mean(1)
    return as_16_bit(resample(samples_T, rate, RATE))


def numbers(content: bytes, width: int) -> Tensor:
    """Return whole samples of 1 to 4 bytes, lowest byte first, as floats between -1 and 1.

    Raises:
        ValueError: samples of that width are not known.
    """
    raw = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    match width:
        case 1:
            return raw.float() / 128 - 1  # the only width without a sign
        case 2:
            return raw.view(torch.int16).float() / 2**15
        case 3:
            highest = torch.cat([torch.zeros(len(raw) // 3, 1, dtype=torch.uint8), raw.view(-1, 3)], 1)
            return highest.flatten().view(torch.int32).float() / 2**31
        case 4:
            return raw.view(torch.int32).float() / 2**31
        case _:
            raise ValueError(f"its samples have {width} bytes")


def as_16_bit(samples_T: Tensor) -> Tensor:
    """Return samples between -1 and 1 as 16-bit numbers; what is louder is clipped."""
    return (samples_T * 2**15).round().clamp(-(2**15), 2**15 - 1).to(torch.int16)


def resample(samples_T: Tensor, rate: int, wanted: int) -> Tensor:
    """Return the samples at another rate, by cutting or filling up their spectrum: what is too high is left out."""
    if rate == wanted:
        return samples_T
    count = max(1, round(len(samples_T) * wanted / rate))
    return torch.fft.irfft(torch.fft.rfft(samples_T), n=count) * (count / len(samples_T))


def loudest(samples_T: Tensor, most: int) -> Tensor:
    """Return the stretch of at most `most` samples that has the most energy."""
    if len(samples_T) <= most:
        return samples_T
    energy = torch.cat([torch.zeros(1, dtype=torch.float64), samples_T.double().square().cumsum(0)])
    start = int((energy[most:] - energy[:-most]).argmax())
    return samples_T[start : start + most]
