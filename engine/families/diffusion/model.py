"""The network that looks at a mixture of data and noise and says what is in it.

A U-Net for pictures, as in Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, 2020, appendix B (the shape:
Ronneberger, Fischer and Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015); for points of a
plane a plain network of residual blocks. Time and class enter every block as a gain and a shift per channel, as in
Dhariwal and Nichol, Diffusion Models Beat GANs on Image Synthesis, 2021. Left out: dropout, attention at more than the
lowest resolution, a learned variance.

Shape legend: N examples, D coordinates, C channels, H height, W width, P pixels, E channels of time and class, F
frequencies, A heads, K width of a head, L classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.families.diffusion.spec import CONDITION, GROUPS, HEAD_WIDTH, DiffusionSpec

LONGEST_WAVE = 10_000.0
TIME_SCALE = 1000.0
"""Times of [0, 1] are stretched to the 1,000 steps for which the waves were made."""


def waves(times_N: Tensor, channels: int) -> Tensor:
    """Return sines and cosines of the time at many frequencies, ``NE``: near times look alike, far ones do not.

    Vaswani et al., Attention Is All You Need, 2017, section 3.5.
    """
    exponent_F = torch.arange(channels // 2, device=times_N.device) / (channels // 2)
    angle_NF = times_N[:, None] * TIME_SCALE * LONGEST_WAVE**-exponent_F
    return torch.cat([angle_NF.sin(), angle_NF.cos()], dim=1)


class Condition(nn.Module):
    """Time and class as one vector, which steers every block.

    Args:
        channels: E, of the vector.
        classes: L; one more row of the table stands for "no class in particular".
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.channels = channels
        self.hidden = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)
        self.classes = nn.Embedding(classes + 1, channels)

    def forward(self, times_N: Tensor, labels_N: Tensor) -> Tensor:
        """Return ``NE``."""
        time_NE = self.out(F.silu(self.hidden(waves(times_N, self.channels))))
        return F.silu(time_NE + self.classes(labels_N))


class PointBlock(nn.Module):
    """Two layers that learn what to add to their input; the condition says with which gain and shift in between."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, width)
        self.steer = nn.Linear(condition, 2 * width)
        self.down = nn.Linear(width, width)

    def forward(self, x_NC: Tensor, condition_NE: Tensor) -> Tensor:
        """Return ``NC`` from ``NC``."""
        gain_NC, shift_NC = self.steer(condition_NE).chunk(2, dim=1)
        return x_NC + self.down(F.silu(self.up(x_NC) * (1 + gain_NC) + shift_NC))


class PointNet(nn.Module):
    """A stack of such blocks between a layer that reads the point and one that answers.

    Args:
        spec: the knobs.
        coordinates: D, of a point.
    """

    def __init__(self, spec: DiffusionSpec, coordinates: int) -> None:
        super().__init__()
        self.stem = nn.Linear(coordinates, spec.width)
        self.blocks = nn.ModuleList(PointBlock(spec.width, CONDITION) for _ in range(spec.blocks))
        self.head = nn.Linear(spec.width, coordinates)

    def forward(self, x_ND: Tensor, condition_NE: Tensor) -> Tensor:
        """Return ``ND`` from ``ND``."""
        x_NC = self.stem(x_ND)
        for block in self.blocks:
            x_NC = block(x_NC, condition_NE)
        return self.head(F.silu(x_NC))


class PictureBlock(nn.Module):
    """Two convolutions that learn what to add to their input; the condition steers the second one's input.

    Args:
        c_in: channels of the input.
        c_out: channels of the output; where they differ, a mixture of the input's channels is added to.
        condition: E, channels of time and class.
    """

    def __init__(self, c_in: int, c_out: int, condition: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.steer = nn.Linear(condition, 2 * c_out)
        self.norm2 = nn.GroupNorm(GROUPS, c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x_NCHW: Tensor, condition_NE: Tensor) -> Tensor:
        """Return ``NCHW`` of as many pixels."""
        gain_NC, shift_NC = self.steer(condition_NE).chunk(2, dim=1)
        y_NCHW = self.norm2(self.conv1(F.silu(self.norm1(x_NCHW))))
        y_NCHW = y_NCHW * (1 + gain_NC[:, :, None, None]) + shift_NC[:, :, None, None]
        return self.shortcut(x_NCHW) + self.conv2(F.silu(y_NCHW))


class Attention(nn.Module):
    """Every pixel asks (query) all pixels (keys) and adds a weighted mean of their values to itself, head by head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // HEAD_WIDTH)
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.projection = nn.Linear(channels, channels)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return ``NCHW`` from ``NCHW``."""
        N, C, H, W = x_NCHW.shape
        x_NPC = self.norm(x_NCHW).flatten(2).mT
        q_NAPK, k_NAPK, v_NAPK = self.qkv(x_NPC).view(N, H * W, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        weights_NAPP = ((q_NAPK / math.sqrt(C // self.heads)) @ k_NAPK.mT).softmax(-1)
        y_NPC = (weights_NAPP @ v_NAPK).transpose(1, 2).flatten(2)
        return x_NCHW + self.projection(y_NPC).mT.reshape(N, C, H, W)


class UNet(nn.Module):
    """Down to fewer pixels with more channels, and up again; on the way up each block also sees what its counterpart on
    the way down made, so that no detail has to pass through the narrow middle.

    Args:
        spec: the knobs.
        colors: channels of a picture.
    """

    def __init__(self, spec: DiffusionSpec, colors: int) -> None:
        super().__init__()
        widths, E = spec.widths(), CONDITION
        self.stem = nn.Conv2d(colors, widths[0], 3, padding=1)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        c = widths[0]
        for stage, width in enumerate(widths):
            self.down.append(nn.ModuleList(PictureBlock(width if n else c, width, E) for n in range(spec.blocks)))
            is_last = stage == len(widths) - 1
            self.shrink.append(nn.Identity() if is_last else nn.Conv2d(width, width, 3, stride=2, padding=1))
            c = width
        self.attention = Attention(c) if spec.attention else nn.Identity()
        self.middle = PictureBlock(c, c, E)
        for stage, width in reversed(list(enumerate(widths))):
            self.up.append(nn.ModuleList(PictureBlock(2 * width, width, E) for _ in range(spec.blocks)))
            self.grow.append(nn.Conv2d(width, widths[stage - 1], 3, padding=1) if stage else nn.Identity())
        self.norm = nn.GroupNorm(GROUPS, widths[0])
        self.head = nn.Conv2d(widths[0], colors, 3, padding=1)

    def forward(self, x_NCHW: Tensor, condition_NE: Tensor) -> Tensor:
        """Return ``NCHW`` from ``NCHW``."""
        x_NCHW = self.stem(x_NCHW)
        seen: list[Tensor] = []
        for stage, shrink in zip(self.down, self.shrink, strict=True):
            for block in stage:  # type: ignore[attr-defined]
                x_NCHW = block(x_NCHW, condition_NE)
                seen.append(x_NCHW)
            x_NCHW = shrink(x_NCHW)
        x_NCHW = self.middle(self.attention(x_NCHW), condition_NE)
        for stage, grow in zip(self.up, self.grow, strict=True):
            for block in stage:  # type: ignore[attr-defined]
                x_NCHW = block(torch.cat([x_NCHW, seen.pop()], dim=1), condition_NE)
            x_NCHW = grow(x_NCHW)
            if seen:
                x_NCHW = F.interpolate(x_NCHW, scale_factor=2)
        return self.head(F.silu(self.norm(x_NCHW)))


class Denoiser(nn.Module):
    """Says what is in a mixture, given its time and class: its noise, its data, or the way from one to the other.

    Args:
        spec: the knobs.
        shape: of one example: ``(D,)``, or ``(C, H, W)``.
        classes: L; 0 where the class is not told.
    """

    def __init__(self, spec: DiffusionSpec, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.condition = Condition(CONDITION, classes)
        self.body: PointNet | UNet = PointNet(spec, shape[0]) if len(shape) == 1 else UNet(spec, shape[0])
        self.initialize()

    @torch.no_grad()
    def initialize(self) -> None:
        """Begin with every block as the identity and zero as the answer to everything."""
        for block in self.modules():
            last: nn.Linear | nn.Conv2d
            match block:
                case PointBlock():
                    last = block.down
                case PictureBlock():
                    last = block.conv2
                case Attention():
                    last = block.projection
                case PointNet() | UNet():
                    last = block.head
                case _:
                    continue
            nn.init.zeros_(last.weight)
            assert last.bias is not None
            nn.init.zeros_(last.bias)

    def forward(self, mixtures: Tensor, times_N: Tensor, labels_N: Tensor) -> Tensor:
        """Return the answer to mixtures ``N...``, shaped as they are.

        Args:
            mixtures: ``ND`` or ``NCHW``.
            times_N: from 0 (data) to 1 (noise).
            labels_N: class numbers; L stands for no class.
        """
        return self.body(mixtures, self.condition(times_N, labels_N))
