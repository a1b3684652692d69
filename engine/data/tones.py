"""Digits as a telephone sends them: each is a chord of two tones. Generated; whoever dials is one of four telephones.

The frequencies are those of ITU-T Q.23, Technical features of push-button telephone sets. Shape legend: T samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.data.batches import seeded
from engine.data.speech import Recordings, Speech, digest_of, padded
from engine.data.table import DataSet
from engine.data.wav import RATE, as_16_bit

TRAIN, VALID = 2_000, 400
MOST_DIGITS = 5
KEYS = ("123", "456", "789", " 0 ")
ROWS_HZ = (697.0, 770.0, 852.0, 941.0)
COLUMNS_HZ = (1209.0, 1336.0, 1477.0)
CHORDS = {
    key: (ROWS_HZ[row], COLUMNS_HZ[column])
    for row, keys in enumerate(KEYS)
    for column, key in enumerate(keys)
    if key != " "
}
"""Digit -> the two tones in hertz of its key."""
DIGITS = tuple(sorted(CHORDS))
TONE_SECONDS = (0.05, 0.12)
PAUSE_SECONDS = (0.02, 0.06)
"""Shortest and longest: between any two digits, and before the first and after the last."""
FADE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Telephone:
    """How one telephone sounds."""

    name: str
    tuning: float
    """By how much its tones are too high, as a factor."""
    high: float
    """How loud the upper tone is beside the lower."""
    noise: float
    """Standard deviation of the noise on the line, beside tones of amplitude one."""


TELEPHONES = (
    Telephone("hall", 1.0, 1.0, 0.1),
    Telephone("kitchen", 0.99, 0.6, 0.2),
    Telephone("office", 1.01, 1.4, 0.3),
    Telephone("street", 1.0, 0.8, 0.5),
)


def load_tones(row: DataSet, seed: int) -> Speech:
    """Return recordings of one to five dialed digits, drawn under the seed."""
    everything = dial(TRAIN + VALID, seed)
    return Speech(
        name=row.name,
        train=everything.pick(torch.arange(TRAIN)),
        valid=everything.pick(torch.arange(TRAIN, TRAIN + VALID)),
        words=DIGITS,
        speakers=tuple(each.name for each in TELEPHONES),
        digest=digest_of(everything),
    )


def dial(count: int, seed: int) -> Recordings:
    """Return that many recordings."""
    draw = seeded(seed, 0, torch.device("cpu"), stream=17)
    digits_N = torch.randint(1, MOST_DIGITS + 1, (count,), generator=draw).tolist()
    speakers_N = torch.randint(len(TELEPHONES), (count,), generator=draw).tolist()
    words = [torch.randint(len(DIGITS), (digits,), generator=draw).tolist() for digits in digits_N]
    waves = [
        spelled([DIGITS[each] for each in spoken], TELEPHONES[speaker], draw)
        for spoken, speaker in zip(words, speakers_N, strict=True)
    ]
    return padded(waves, [[each + 1 for each in spoken] for spoken in words], speakers_N)


def spelled(digits: list[str], telephone: Telephone, draw: torch.Generator) -> Tensor:
    """Return a recording of some digits, 16-bit samples ``T``, with pauses and noise."""
    tones = spans(len(digits), TONE_SECONDS, draw)
    pauses = spans(len(digits) + 1, PAUSE_SECONDS, draw)
    parts = [torch.zeros(pauses[0])]
    for digit, samples, pause in zip(digits, tones, pauses[1:], strict=True):
        parts += [chord(digit, samples, telephone, draw), torch.zeros(pause)]
    wave_T = torch.cat(parts)
    wave_T = wave_T + telephone.noise * torch.randn(len(wave_T), generator=draw)
    return as_16_bit(wave_T * 0.2)


def spans(count: int, seconds: tuple[float, float], draw: torch.Generator) -> list[int]:
    """Return random lengths in samples, from the shortest to the longest."""
    low, high = (round(each * RATE) for each in seconds)
    return torch.randint(low, high + 1, (count,), generator=draw).tolist()


def chord(digit: str, samples: int, telephone: Telephone, draw: torch.Generator) -> Tensor:
    """Return the two tones of a digit, faded in and out so that they do not click."""
    low, high = (frequency * telephone.tuning for frequency in CHORDS[digit])
    turns_T = 2 * math.pi * torch.arange(samples) / RATE
    phases = (2 * math.pi * torch.rand(2, generator=draw)).tolist()
    wave_T = (low * turns_T + phases[0]).sin() + telephone.high * (high * turns_T + phases[1]).sin()
    edge_T = torch.arange(samples).minimum(torch.arange(samples).flip(0)) / (FADE_SECONDS * RATE)
    return wave_T * edge_T.clamp(max=1.0)
