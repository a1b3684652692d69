"""Recordings that are a little different every time: said faster or slower, higher or lower, with stripes unheard.

Stripes: Park et al., SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition, 2019, section
2. Tempo: Ko, Peddinti, Povey and Khudanpur, Audio Augmentation for Speech Recognition, 2015. Pitch: Jaitly and Hinton,
Vocal Tract Length Perturbation (VTLP) Improves Speech Recognition, 2013. Here all of it is done to the features, which
costs next to nothing.

Shape legend: B batch, F frames, M mel bands, P places along one axis.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.data.batches import Batch, Shuffled, seeded

STREAM = 19
PITCH = 0.25
"""How much the bands are stretched, beside the time. That is in mel; in hertz it is about half as much as the time, or
less below 1 kHz."""


class Varied(Shuffled):
    """Batches in random order, each recording varied at random: a pure function of seed and step, like the order.

    Args:
        tensors: features ``NFM``, how many frames are real ``N``, and whatever else belongs to the recordings.
        batch_size: recordings a batch.
        seed: of the order and of the variation.
        masked: the widest stripe, as a share of all bands, and of a recording's own frames.
        warped: the largest change of tempo, as a share.
    """

    def __init__(
        self, tensors: tuple[Tensor, ...], batch_size: int, seed: int, *, masked: float = 0.0, warped: float = 0.0
    ) -> None:
        super().__init__(tensors, batch_size, seed)
        self.masked, self.warped = masked, warped

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        features_BFM, frames_B, *others = super().at(step)
        draw = seeded(self.seed, step, features_BFM.device, stream=STREAM)
        if self.warped:
            features_BFM, frames_B = warp(features_BFM, frames_B, self.warped, draw)
        if self.masked:
            _, F, M = features_BFM.shape
            bands_BM = stripes(torch.full_like(frames_B, M), M, self.masked, draw)
            times_BF = stripes(frames_B, F, self.masked, draw)
            features_BFM = features_BFM.masked_fill(bands_BM[:, None, :] | times_BF[:, :, None], 0.0)
        return (features_BFM, frames_B, *others)


def warp(features_BFM: Tensor, frames_B: Tensor, share: float, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the recordings at another tempo and pitch, and how many frames are now real; none grows beyond F."""
    _, F, M = features_BFM.shape
    chance_2B = 2 * torch.rand(2, len(frames_B), generator=draw, device=frames_B.device) - 1
    tempo_B = (1 + share * chance_2B[0]).maximum(frames_B / F)
    pitch_B = 1 + PITCH * share * chance_2B[1]
    features_BFM = read_between(features_BFM, torch.arange(F, device=frames_B.device) * tempo_B[:, None])
    bands_BMF = read_between(features_BFM.mT, torch.arange(M, device=frames_B.device) * pitch_B[:, None])
    frames_B = (frames_B / tempo_B).long().clamp(min=1, max=F)
    return bands_BMF.mT * (torch.arange(F, device=frames_B.device) < frames_B[:, None])[..., None], frames_B


def read_between(x_BPC: Tensor, places_BP: Tensor) -> Tensor:
    """Return what lies at places between those along the middle axis, by the line between both neighbors; beyond the
    end the last.
    """
    places_BP = places_BP.clamp(max=x_BPC.size(1) - 1)
    before_BP = places_BP.floor().long()
    after_BP = (before_BP + 1).clamp(max=x_BPC.size(1) - 1)
    first, second = (
        x_BPC.gather(1, each_BP[..., None].expand(-1, -1, x_BPC.size(2))) for each_BP in (before_BP, after_BP)
    )
    return torch.lerp(first, second, (places_BP - before_BP)[..., None])


def stripes(lengths_B: Tensor, places: int, share: float, draw: torch.Generator) -> Tensor:
    """Return one random stretch of each row, within its length and at most that share of it: yes and no."""
    chance_2B = torch.rand(2, len(lengths_B), generator=draw, device=lengths_B.device)
    width_B = chance_2B[0] * share * lengths_B
    start_B = chance_2B[1] * (lengths_B - width_B)
    place = torch.arange(places, device=lengths_B.device) + 0.5
    return (place >= start_B[:, None]) & (place < (start_B + width_B)[:, None])
