"""Recordings in wav files: read, brought to one sampling rate, and cut to their loudest stretch.

Standard library and torch alone: `wave` reads what is not compressed. Shape legend: T samples.
"""

from __future__ import annotations

import io
import wave
from pathlib import Path

import torch
from torch import Tensor

from engine.core.errors import DataError

RATE = 8_000
"""Samples a second of all speech here: that of a telephone, which carries what a voice has below 4 kHz."""
LONGEST_FILE = 120.0
"""Seconds of a file that is read at all."""


def read_wav(path: Path) -> Tensor:
    """Return a wav file as 16-bit samples ``T`` at `RATE`; of several channels the mean.

    Raises:
        DataError: there is no such file, it is no wav file, or it is too long.
    """
    try:
        return parse_wav(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except (wave.Error, EOFError, ValueError) as error:
        raise DataError(
            f"{path} is no recording that can be read ({error}).",
            f"It has to be a wav file, not compressed, of at most {LONGEST_FILE:.0f} seconds.",
        ) from None


def parse_wav(content: bytes) -> Tensor:
    """Return the content of a wav file as `read_wav` does.

    Raises:
        wave.Error, EOFError, ValueError: it is none, or compressed, empty or too long.
    """
    with wave.open(io.BytesIO(content)) as file:
        frames, rate, channels, width = file.getnframes(), file.getframerate(), file.getnchannels(), file.getsampwidth()
        if not frames or not rate or frames > LONGEST_FILE * rate:
            raise ValueError(f"{frames:,} samples")
        content = file.readframes(frames)
    samples_T = numbers(content, width)
    whole = len(samples_T) // channels * channels
    return as_16_bit(resample(samples_T[:whole].view(-1, channels).mean(1), rate, RATE))


def numbers(content: bytes, width: int) -> Tensor:
    """Return samples of 1 to 4 bytes, lowest byte first, as floats between -1 and 1.

    Raises:
        ValueError: samples of that width are not known.
    """
    raw = torch.frombuffer(bytearray(content[: len(content) // width * width]), dtype=torch.uint8)
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
            raise ValueError(f"samples of {width} bytes")


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
