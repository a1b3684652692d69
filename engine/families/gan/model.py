"""A generator and a discriminator, twice: layers that see everything, and convolutions for pictures.

Goodfellow et al., Generative Adversarial Nets, 2014: the game, and players made of full layers. Radford, Metz and
Chintala, Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks, 2015:
convolutions with steps of two pixels, transposed ones in the generator. Mirza and Osindero, Conditional Generative
Adversarial Nets, 2014: both players are told the class; the discriminator hears it as in Miyato and Koyama, cGANs with
Projection Discriminator, 2018, equation 3.

Left out: maxout and dropout of 2014; batch normalization, which ties the examples of a batch together and makes a
penalty on the gradient at one example ill-defined. The generator of pictures gives each pixel's features length one
instead (Karras et al., Progressive Growing of GANs, 2018, section 4.2).

Shape legend: N examples, Z numbers of noise, D numbers of an example, F features, C channels, H height, W width.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.families.gan.spec import SMALLEST_SIDE

SLOPE = 0.2
"""Of the bend below zero: the generator learns through the discriminator, so no unit of it may go silent."""

HEAD_SCALE = 0.01
"""The discriminator's last layer starts so small that it holds everything real with a probability of one half."""

EPSILON = 1e-6


class Generator(nn.Module):
    """Turns noise into examples by layers that see everything.

    Args:
        latent: numbers of noise.
        shape: of an example: ``(D,)``, or ``(C, H, W)`` of values from -1 to 1.
        classes: that can be asked for; 0 makes whatever comes.
        width: units of a hidden layer.
        depth: hidden layers.
    """

    def __init__(self, latent: int, shape: tuple[int, ...], classes: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.latent, self.shape = latent, shape
        self.wish = Wish(latent, classes)
        sizes = [self.wish.width, *[width] * depth]
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(sizes)])
        self.head = nn.Linear(sizes[-1], torch.Size(shape).numel())
        initialize(self)

    def forward(self, noise_NZ: Tensor, label_N: Tensor) -> Tensor:
        """Return made examples, of `shape` each."""
        x_NF = self.wish(noise_NZ, label_N)
        for layer in self.hidden:
            x_NF = F.leaky_relu(layer(x_NF), SLOPE)
        made_ND: Tensor = self.head(x_NF)
        # Pixels have an end on both sides, places in a plane have none.
        return made_ND.tanh().view(-1, *self.shape) if len(self.shape) == 3 else made_ND


class Discriminator(nn.Module):
    """Tells by layers that see everything how real an example looks.

    Args:
        shape: of an example.
        classes: whose examples it is told apart by; 0 where it is not told.
        width: units of a hidden layer.
        depth: hidden layers, 1 at least.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, *, width: int, depth: int) -> None:
        super().__init__()
        sizes = [torch.Size(shape).numel(), *[width] * depth]
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(sizes)])
        self.verdict = Verdict(width, classes)
        initialize(self)

    def forward(self, examples: Tensor, label_N: Tensor) -> Tensor:
        """Return logits ``N``: positive where an example looks real."""
        x_NF = examples.flatten(1)
        for layer in self.hidden:
            x_NF = F.leaky_relu(layer(x_NF), SLOPE)
        logit_N: Tensor = self.verdict(x_NF, label_N)
        return logit_N


class PictureGenerator(nn.Module):
    """Turns noise into square pictures: a small picture of many channels, doubled until it has its size.

    Args:
        latent: numbers of noise.
        colors: channels of a picture.
        side: height and width of a picture.
        classes: that can be asked for; 0 makes whatever comes.
        width: channels at full size; twice as many with every halving.
    """

    def __init__(self, latent: int, colors: int, side: int, classes: int, *, width: int) -> None:
        super().__init__()
        self.latent = latent
        self.sides = halvings(side)
        channels = [width * 2**level for level in range(len(self.sides))]
        self.wish = Wish(latent, classes)
        self.base = nn.Linear(self.wish.width, channels[-1] * self.sides[-1] ** 2)
        self.doubling = nn.ModuleList(
            [nn.ConvTranspose2d(channels[i], channels[i - 1], 4, 2, 1) for i in range(len(channels) - 1, 0, -1)]
        )
        self.head = nn.Conv2d(channels[0], colors, 3, padding=1)
        initialize(self)

    def forward(self, noise_NZ: Tensor, label_N: Tensor) -> Tensor:
        """Return made pictures ``NCHW`` of values from -1 to 1."""
        side = self.sides[-1]
        x_NCHW = self.base(self.wish(noise_NZ, label_N)).view(len(noise_NZ), -1, side, side)
        x_NCHW = F.leaky_relu(length_one(x_NCHW), SLOPE)
        for layer in self.doubling:
            x_NCHW = F.leaky_relu(length_one(layer(x_NCHW)), SLOPE)
        made_NCHW: Tensor = self.head(x_NCHW).tanh()
        return made_NCHW


class PictureDiscriminator(nn.Module):
    """Tells by convolutions how real a picture looks: halved until it is small, then seen as a whole.

    Args:
        colors: channels of a picture.
        side: height and width of a picture.
        classes: whose pictures it is told apart by; 0 where it is not told.
        width: channels after the first halving; twice as many with every further layer.
    """

    def __init__(self, colors: int, side: int, classes: int, *, width: int) -> None:
        super().__init__()
        sides = halvings(side)
        channels = [colors, *[width * 2**level for level in range(len(sides))]]
        self.halving = nn.ModuleList([nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(channels[:-1])])
        self.last = nn.Conv2d(channels[-2], channels[-1], 3, padding=1)
        self.hidden = nn.Linear(channels[-1] * sides[-1] ** 2, 4 * width)
        self.verdict = Verdict(4 * width, classes)
        initialize(self)

    def forward(self, pictures_NCHW: Tensor, label_N: Tensor) -> Tensor:
        """Return logits ``N``: positive where a picture looks real."""
        x_NCHW = pictures_NCHW
        for layer in (*self.halving, self.last):
            x_NCHW = F.leaky_relu(layer(x_NCHW), SLOPE)
        x_NF = F.leaky_relu(self.hidden(x_NCHW.flatten(1)), SLOPE)
        logit_N: Tensor = self.verdict(x_NF, label_N)
        return logit_N


class Wish(nn.Module):
    """What a generator starts from: noise, and beside it a learned vector of the class that is asked for."""

    def __init__(self, latent: int, classes: int) -> None:
        super().__init__()
        self.width = 2 * latent if classes else latent
        self.classes = nn.Embedding(classes, latent) if classes else None

    def forward(self, noise_NZ: Tensor, label_N: Tensor) -> Tensor:
        """Return ``NF``, F twice Z where there are classes."""
        return noise_NZ if self.classes is None else torch.cat([noise_NZ, self.classes(label_N)], 1)


class Verdict(nn.Module):
    """A discriminator's last layer: w · x + b, and where there are classes also v · x with a v of the class."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, 1)
        self.classes = nn.Embedding(classes, width) if classes else None

    def forward(self, x_NF: Tensor, label_N: Tensor) -> Tensor:
        """Return logits ``N``."""
        logit_N: Tensor = self.head(x_NF)[:, 0]
        return logit_N if self.classes is None else logit_N + (self.classes(label_N) * x_NF).sum(1)


def discriminator_loss(real_N: Tensor, made_N: Tensor) -> Tensor:
    """Return -log D(x) - log(1 - D(G(z))), the mean over logits of real and of made examples, in nats.

    Goodfellow et al. 2014, equation 1, with the sign of a loss. Where D says one half to everything it is 2 ln 2.
    """
    return F.softplus(-real_N).mean() + F.softplus(made_N).mean()


def generator_loss(made_N: Tensor) -> Tensor:
    """Return -log D(G(z)), the mean over logits of made examples, in nats; ln 2 where D says one half.

    The non-saturating loss (section 3 there): log(1 - D(G(z))) has the same aim but hardly any slope while D is sure.
    """
    return F.softplus(-made_N).mean()


def gradient_penalty(logit_N: Tensor, real: Tensor) -> Tensor:
    """Return |∇D(x)|² at real examples, the mean over them: R1 without its factor.

    Mescheder, Geiger and Nowozin, Which Training Methods for GANs do actually Converge?, 2018, equation 9. Once
    the made examples lie where the real ones do, a discriminator that slopes there would only push them off again.

    Args:
        logit_N: of the real examples.
        real: those examples, which the logits were computed from and whose gradient is asked for.
    """
    (slope,) = torch.autograd.grad(logit_N.sum(), real, create_graph=True)
    return slope.flatten(1).square().sum(1).mean()


def length_one(x_NCHW: Tensor) -> Tensor:
    """Return features scaled so that at each pixel their mean square over the channels is one."""
    return x_NCHW * torch.rsqrt(x_NCHW.square().mean(1, keepdim=True) + EPSILON)


def halvings(side: int) -> list[int]:
    """Return the sides of a picture that is halved until it is small: ``[28, 14, 7]``."""
    sides = [side]
    while sides[-1] > SMALLEST_SIDE and sides[-1] % 2 == 0:
        sides.append(sides[-1] // 2)
    return sides


def initialize(network: nn.Module) -> None:
    """Start every layer so that signals keep their size through the bends; verdicts start near one half."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            fan = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):  # each output is made from a quarter of the kernel
                fan = layer.weight[:, 0].numel() // 4
            nn.init.normal_(layer.weight, std=(2 / (1 + SLOPE**2) / fan) ** 0.5)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    for layer in network.modules():
        if isinstance(layer, Verdict):
            for weight in (layer.head.weight, *(() if layer.classes is None else (layer.classes.weight,))):
                nn.init.normal_(weight, std=HEAD_SCALE / weight.shape[1] ** 0.5)
