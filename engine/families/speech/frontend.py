"""From air pressure to what an ear tells apart: frames, their spectra, bands that widen with the pitch, logarithms.

Davis and Mermelstein, Comparison of Parametric Representations for Monosyllabic Word Recognition in Continuously Spoken
Sentences, 1980, whose last step (a cosine transform) networks do without. The mel scale in this form: O'Shaughnessy,
Speech Communication: Human and Machine, 1987. The cut far below the loudest place is that of Whisper
(`log_mel_spectrogram` of its `audio.py`): Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision,
2022.

Shape legend: N recordings, T samples, F frames, W samples of a window, K frequencies of a spectrum, M mel bands.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

FLOOR = 1e-10
"""The smallest power of which a logarithm is taken, beside samples between -1 and 1."""
DECADES = 8.0
"""How far below the loudest band of a recording counts as silence: powers of ten."""


def hann(width: int) -> Tensor:
    """Return the window of Hann, ``W``: one period of a raised cosine, so that a frame has no edges to be heard."""
    return 0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(width, dtype=torch.float64) / width)


def to_mel(hertz: Tensor) -> Tensor:
    """Return frequencies on the mel scale, on which equal steps sound equal: nearly linear up to 1 kHz, then ever
    closer to the logarithm.
    """
    return 2595 * torch.log10(1 + hertz / 700)


def to_hertz(mel: Tensor) -> Tensor:
    """Return the frequencies that `to_mel` takes to these."""
    return 700 * (10 ** (mel / 2595) - 1)


def mel_filters(bands: int, frequencies: int, rate: int) -> Tensor:
    """Return how much each band takes of each frequency, ``MK``: triangles, each ending where the next but one begins.

    Corners and top lie in equal steps of mel from 0 to half the sampling rate.
    """
    highest = torch.tensor(rate / 2, dtype=torch.float64)
    corners_hertz = to_hertz(torch.linspace(0, float(to_mel(highest)), bands + 2, dtype=torch.float64))
    low_M1, top_M1, high_M1 = (corners_hertz[start : start + bands, None] for start in range(3))
    hertz_K = torch.linspace(0, rate / 2, frequencies, dtype=torch.float64)
    rising_MK = (hertz_K - low_M1) / (top_M1 - low_M1)
    falling_MK = (high_M1 - hertz_K) / (high_M1 - top_M1)
    return rising_MK.minimum(falling_MK).clamp(min=0)


class LogMel(nn.Module):
    """Turns waves into log-mel features from 0 (silence) to 2 (the loudest place of the recording). Nothing is learned.

    The loudness of a whole recording is taken out: how near the microphone was says nothing about the words.

    Args:
        rate: samples a second.
        window: milliseconds of a frame.
        hop: milliseconds from the start of one frame to the next.
        bands: M.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, rate: int, window: float, hop: float, bands: int) -> None:
        super().__init__()
        self.rate = rate
        self.width = max(2, round(window * rate / 1000))
        self.hop = max(1, round(hop * rate / 1000))
        # A power of two is quick to transform; zeros at the end of a frame draw its spectrum with more points.
        self.points = 2 ** math.ceil(math.log2(max(self.width, 4 * bands)))
        filters_MK = mel_filters(bands, self.points // 2 + 1, rate)
        self.register_buffer("window", hann(self.width).float(), persistent=False)
        self.register_buffer("filters", filters_MK.float(), persistent=False)

    def frames(self, lengths_N: Tensor) -> Tensor:
        """Return how many whole frames recordings of so many samples have, at least one."""
        return ((lengths_N - self.width).clamp(min=0) // self.hop) + 1

    def forward(self, waves_NT: Tensor, lengths_N: Tensor) -> Tensor:
        """Return features ``NFM`` of 16-bit waves; frames after a recording's end are silent."""
        waves_NT = waves_NT.float() / 2**15
        missing = max(0, self.width - waves_NT.size(1))
        waves_NT = nn.functional.pad(waves_NT, (0, missing))
        frames_NFW = waves_NT.unfold(1, self.width, self.hop) * self.window
        power_NFK = torch.fft.rfft(frames_NFW, self.points).abs().square()
        real_NF1 = inside(self.frames(lengths_N), power_NFK.size(1))
        bands_NFM = (power_NFK @ self.filters.T * real_NF1).clamp(min=FLOOR)
        peak_N11 = bands_NFM.amax((1, 2), keepdim=True)
        below_NFM = bands_NFM.log10() - peak_N11.log10()
        # Where nothing at all is heard, every place would be the loudest.
        heard_NFM = real_NF1 & (peak_N11 > FLOOR)
        features_NFM: Tensor = (below_NFM.clamp(min=-DECADES) + DECADES) * (2 / DECADES) * heard_NFM
        return features_NFM


def inside(lengths_N: Tensor, frames: int) -> Tensor:
    """Return which frames lie before the end of each recording, ``NF1``."""
    return (torch.arange(frames, device=lengths_N.device) < lengths_N[:, None])[..., None]
