"""How far made pictures are from real ones, in the eyes of a small classifier that Lexigrad trained: classifier-FID.

The Fréchet distance between two Gaussians that have the moments of both sets of features: Heusel, Ramsauer,
Unterthiner, Nessler and Hochreiter, GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium,
2017, equation 6. There the features are those of Inception; figures of one judge are never compared with those of
another. `engine.look.train_judge` trains the judges; each is named by the digest of its file.

The judge of digits was trained on the training split of seed 0. Under another seed the digits are split otherwise, and
most of those that the validation split holds then are known to the judge: what it sees in real digits and in made ones
may differ a little more there, so digits' figures are compared under one seed, or over several alike.

Shape legend: N pictures, H height, W width, F features, K classes.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import DataError, RunError

BATCH = 1000
"""Pictures that a judge looks at together."""


@dataclass(frozen=True, slots=True)
class Make:
    """What a judge is of: the data that it knows, the side of a picture in pixels, its features, and its file."""

    data: str
    side: int
    features: int
    classes: int
    sha256: str = ""

    @property
    def file(self) -> Path:
        """Where its weights lie."""
        return Path(__file__).with_name(f"judge-{self.data.partition('-')[0]}-{self.side}.safetensors")


JUDGES = {
    make.data: make
    for make in (
        Make("fashion-mnist", 14, 64, 10, "fbe2871ff877808114b0e04d513b54694cb2a6aa24b7edbb81095a2834ef6d6f"),
        Make("digits", 8, 32, 10, "2d2c50d0fbd6dd1dca416063e513687e22d75de72ca94c5aac90b4abff927f8f"),
    )
}


class Judge(nn.Module):
    """Three convolutions and two layers that see everything; the outputs of the first of them are the features.

    Features have mean 0 and deviation 1 over the training pictures, so that the scale of a distance does not depend on
    how the judge was trained: one real picture over and over lies about 2 F away from the real ones, F for the variance
    that it lacks, and about as much for its own distance from their mean.

    Args:
        make: the sizes.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, make: Make) -> None:
        super().__init__()
        self.make = make
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 32, 3, padding=1)
        self.hidden = nn.Linear(32 * (make.side // 4) ** 2, make.features)
        self.head = nn.Linear(make.features, make.classes)
        self.register_buffer("mean", torch.zeros(make.features))
        self.register_buffer("deviation", torch.ones(make.features))

    @classmethod
    def load(cls, device: torch.device, data: str = "fashion-mnist") -> Self:
        """Return the shipped judge of a data set, ready to look.

        Raises:
            DataError: there is none for these data.
            RunError: its file is not the one that it is named by.
        """
        if data not in JUDGES:
            raise DataError(f"No judge knows {data}.", f"Choose {' or '.join(JUDGES)}.")
        make = JUDGES[data]
        content = make.file.read_bytes()
        if hashlib.sha256(content).hexdigest() != make.sha256:
            raise RunError(f"{make.file.name} is not the judge that figures are measured by.", "Install Lexigrad anew.")
        judge = cls(make)
        judge.load_state_dict(load(content))
        return judge.to(device).eval().requires_grad_(False)

    def hidden_values(self, pictures_N1HW: Tensor) -> Tensor:
        """Return the outputs ``NF`` of the first layer that sees everything, before its bend, as they are."""
        x_NCHW = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(pictures_N1HW - 0.5)))), 2)
        x_NCHW = F.max_pool2d(F.relu(self.conv3(x_NCHW)), 2)
        values_NF: Tensor = self.hidden(x_NCHW.flatten(1))
        return values_NF

    def forward(self, pictures_N1HW: Tensor) -> Tensor:
        """Return a score for each class, ``NK``."""
        scores_NK: Tensor = self.head(F.relu(self.hidden_values(pictures_N1HW)))
        return scores_NK

    @torch.no_grad()
    def features(self, pictures_N1HW: Tensor) -> Tensor:
        """Return the standardized features ``NF`` of pictures in [0, 1], in single precision whatever the run's is."""
        with torch.autocast(pictures_N1HW.device.type, enabled=False):
            parts = [self.hidden_values(each) for each in torch.split(pictures_N1HW.float(), BATCH)]
        return (torch.cat(parts) - self.mean) / self.deviation

    @torch.no_grad()
    def classes(self, pictures_N1HW: Tensor) -> Tensor:
        """Return what it takes pictures in [0, 1] for: class numbers ``N``."""
        with torch.autocast(pictures_N1HW.device.type, enabled=False):
            return torch.cat([self(each).argmax(1) for each in torch.split(pictures_N1HW.float(), BATCH)])


def frechet(a_NF: Tensor, b_NF: Tensor) -> float:
    """Return the Fréchet distance between the Gaussians that have the moments of two sets of features; 0 at least.

    NaN where there are no such moments: of a single picture, or of features that are not finite. In double precision on
    the CPU: eigenvalues of small covariances need the digits, and a GPU gains nothing.
    """
    a_NF, b_NF = a_NF.detach().cpu().double(), b_NF.detach().cpu().double()
    if len(a_NF) < 2 or len(b_NF) < 2 or not (a_NF.isfinite().all() and b_NF.isfinite().all()):
        return math.nan
    a_FF, b_FF = torch.cov(a_NF.T), torch.cov(b_NF.T)
    values_F, vectors_FF = torch.linalg.eigh(a_FF)
    root_FF = (vectors_FF * values_F.clamp(min=0).sqrt()) @ vectors_FF.T
    # The eigenvalues of the product of both covariances, from a symmetric matrix that has the same ones.
    shared_F = torch.linalg.eigvalsh(root_FF @ b_FF @ root_FF).clamp(min=0).sqrt()
    between = (a_NF.mean(0) - b_NF.mean(0)).square().sum()
    return max(0.0, float(between + a_FF.trace() + b_FF.trace() - 2 * shared_F.sum()))


def unit_pictures(kept_NCHW: Tensor, side: int, peak: float) -> Tensor:
    """Return kept pictures (bytes) as floats in [0, 1], averaged over squares of pixels until they have that side."""
    return F.avg_pool2d(kept_NCHW.float(), kept_NCHW.shape[-1] // side) / peak
