"""A residual network, and its plain twin that lacks nothing but the sums.

He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2015: with three stages and a small stem the
networks for CIFAR-10 (section 4.2), with four stages, a width of 64 and a large stem the ResNet-18 and ResNet-34 for
ImageNet (table 1). Ioffe and Szegedy, Batch Normalization, 2015. A last gain that starts at zero, so that every block
begins as the identity: Goyal et al., Accurate, Large Minibatch SGD, 2017, section 5.1. Left out: bottlenecks, and
normalization before the convolution (He et al., Identity Mappings in Deep Residual Networks, 2016).

Shape legend: N examples, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.families.resnet.spec import STEMS, ResNetSpec

HEAD_SCALE = 0.01
"""The last layer starts so small that every class is about equally likely: the first loss is ln K."""


def convolution(c_in: int, c_out: int, kernel: int, stride: int, spec: ResNetSpec) -> nn.Conv2d:
    """Return a convolution that keeps the size of the picture at a stride of 1; batch norm makes its bias useless."""
    return nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=not spec.batch_norm)


def norm(channels: int, spec: ResNetSpec) -> nn.Module:
    """Return batch normalization, or nothing in its place."""
    return nn.BatchNorm2d(channels) if spec.batch_norm else nn.Identity()


class PaddingShortcut(nn.Module):
    """The identity where the shape changes: every second pixel, and new channels of zeros. It learns nothing."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.new = c_out - c_in

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return ``NCHW`` with more channels and fewer pixels."""
        return F.pad(x_NCHW[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new))


class ProjectionShortcut(nn.Module):
    """A learned mixture of the channels of every second pixel, where the shape changes."""

    def __init__(self, c_in: int, c_out: int, stride: int, spec: ResNetSpec) -> None:
        super().__init__()
        self.conv = convolution(c_in, c_out, 1, stride, spec)
        self.norm = norm(c_out, spec)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return ``NCHW`` with more channels and fewer pixels."""
        return self.norm(self.conv(x_NCHW))


class Block(nn.Module):
    """Two convolutions that learn what to add to their input; in the plain twin, what to put in its place."""

    def __init__(self, c_in: int, c_out: int, stride: int, spec: ResNetSpec) -> None:
        super().__init__()
        self.conv1 = convolution(c_in, c_out, 3, stride, spec)
        self.norm1 = norm(c_out, spec)
        self.conv2 = convolution(c_out, c_out, 3, 1, spec)
        self.norm2 = norm(c_out, spec)
        self.residual = spec.residual
        self.shortcut: nn.Module = nn.Identity()
        if spec.residual and (stride > 1 or c_in != c_out):
            projects = spec.shortcut == "projection"
            self.shortcut = (
                ProjectionShortcut(c_in, c_out, stride, spec) if projects else PaddingShortcut(c_in, c_out, stride)
            )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return ``NCHW``: as many pixels, or at a stride of 2 a quarter of them."""
        y_NCHW = F.relu(self.norm1(self.conv1(x_NCHW)))
        y_NCHW = self.norm2(self.conv2(y_NCHW))
        if self.residual:
            y_NCHW = y_NCHW + self.shortcut(x_NCHW)
        return F.relu(y_NCHW)


class ResNet(nn.Module):
    """A stem, stages of blocks, the mean over all pixels, and a score for each class.

    From stage to stage the side of the picture is halved and the number of channels doubled.

    Args:
        spec: the knobs.
        colors: channels of a picture.
        classes: scores to give.
    """

    def __init__(self, spec: ResNetSpec, colors: int, classes: int) -> None:
        super().__init__()
        self.spec = spec
        kernel, stride = STEMS[spec.stem]
        self.conv = convolution(colors, spec.width, kernel, stride, spec)
        self.norm = norm(spec.width, spec)
        self.stages = nn.ModuleList()
        c_in = spec.width
        for number, c_out in enumerate(spec.channels()):
            stage = nn.ModuleList()
            for block in range(spec.blocks):
                stage.append(Block(c_in, c_out, 2 if number and not block else 1, spec))
                c_in = c_out
            self.stages.append(stage)
        self.head = nn.Linear(c_in, classes)
        self.initialize()

    @torch.no_grad()
    def initialize(self) -> None:
        """Draw the weights so that signals keep their size through convolution and ReLU (He et al., 2015, eq. 10)."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        if self.spec.zero_start:
            for block in self.blocks():
                last = block.norm2 if isinstance(block.norm2, nn.BatchNorm2d) else block.conv2
                nn.init.zeros_(last.weight)
        nn.init.normal_(self.head.weight, std=HEAD_SCALE / self.head.in_features**0.5)
        nn.init.zeros_(self.head.bias)

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks of all stages, from the picture to the classes."""
        for stage in self.stages:
            yield from stage  # type: ignore[misc]

    def convolutions(self) -> Iterator[nn.Conv2d]:
        """Yield the layers on the long way through the network, from the picture to the classes; no projections."""
        yield self.conv
        for block in self.blocks():
            yield block.conv1
            yield block.conv2

    def features(self, pictures_NCHW: Tensor) -> Tensor:
        """Return what the last layer reads its scores from, ``NC``."""
        x_NCHW = F.relu(self.norm(self.conv(pictures_NCHW)))
        if self.spec.stem != "small":
            x_NCHW = F.max_pool2d(x_NCHW, 3, stride=2, padding=1)
        for block in self.blocks():
            x_NCHW = block(x_NCHW)
        return x_NCHW.mean((2, 3))

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return scores ``NK``."""
        return self.head(self.features(pictures_NCHW))
