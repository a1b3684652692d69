"""Autoencoders: an encoder that squeezes a picture into a code, a decoder that draws it again from the code.

Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks, 2006; the variational one Kingma and
Welling, Auto-Encoding Variational Bayes, 2014 (section 3 and appendix B). Pixels are probabilities of ink: what is
learned is the cross-entropy of each pixel, summed over the picture. Left out: convolutions, learned prior, quantized
codes.

Shape legend: N pictures, D pixels (numbers of a picture), L latent numbers.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.families.autoencoder.spec import AutoencoderSpec

HEAD_SCALE = 0.01
"""The last layer of each half starts so small that every pixel costs ln 2 and every code is near the middle."""


class Layers(nn.Module):
    """Matrices with a ReLU between them; the last one is named ``head``."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths[:-1]))
        self.head = nn.Linear(widths[-2], widths[-1])
        for layer in (*self.hidden, self.head):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # type: ignore[arg-type, unused-ignore]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type, unused-ignore]
        nn.init.normal_(self.head.weight, std=HEAD_SCALE / widths[-2] ** 0.5)

    def forward(self, x_NF: Tensor) -> Tensor:
        """Return the last layer's outputs."""
        for layer in self.hidden:
            x_NF = F.relu(layer(x_NF))
        return self.head(x_NF)


class Autoencoder(nn.Module):
    """Encoder and decoder. In a variational one the code of a picture is a Gaussian cloud, of which one point is drawn.

    Args:
        spec: the knobs.
        pixels: D.
    """

    def __init__(self, spec: AutoencoderSpec, pixels: int) -> None:
        super().__init__()
        encoder, decoder = spec.widths(pixels)
        self.is_variational = spec.is_variational
        self.encoder = Layers(encoder)
        self.decoder = Layers(decoder)

    def encode(self, x_ND: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance ``NL`` of each picture's cloud; a plain code is a cloud without extent."""
        code = self.encoder(x_ND).float()
        if not self.is_variational:
            return code, torch.full_like(code, -torch.inf)
        mean_NL, log_variance_NL = code.chunk(2, dim=1)
        return mean_NL, log_variance_NL

    def decode(self, z_NL: Tensor) -> Tensor:
        """Return a score ``ND`` of each pixel; its sigmoid is the probability of ink."""
        return self.decoder(z_NL).float()

    def forward(self, x_ND: Tensor, noise_NL: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each picture costs, in nats: drawing it again from its code, and telling the code (``N`` each).

        The two sum to the negative of the bound on the log likelihood (Kingma and Welling, 2014, eq. 10) where pixels
        are ink or paper; gray ones, as here, are taken for the probability of ink, and no likelihood is bounded.
        """
        mean_NL, log_variance_NL = self.encode(x_ND)
        scores_ND = self.decode(draw(mean_NL, log_variance_NL, noise_NL))
        reconstruction_N = F.binary_cross_entropy_with_logits(scores_ND, x_ND, reduction="none").sum(1)
        if not self.is_variational:
            return reconstruction_N, torch.zeros_like(reconstruction_N)
        return reconstruction_N, kl_to_normal(mean_NL, log_variance_NL).sum(1)


def draw(mean_NL: Tensor, log_variance_NL: Tensor, noise_NL: Tensor) -> Tensor:
    """Return a point of each cloud: the chance comes in from outside, so that a gradient passes through the rest."""
    return mean_NL + (0.5 * log_variance_NL).exp() * noise_NL


def kl_to_normal(mean_NL: Tensor, log_variance_NL: Tensor) -> Tensor:
    """Return the KL divergence of each coordinate from the standard normal, in nats, ``NL`` (appendix B)."""
    return 0.5 * (mean_NL.square() + log_variance_NL.exp() - 1.0 - log_variance_NL)
