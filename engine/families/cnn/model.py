"""Three classic convolutional networks, written out: LeNet-5, and AlexNet and VGG cut to the size of small pictures.

LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, 1998, section II.B.
Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, section 3.
Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, section 2.

Left out: LeNet-5's sparse connections, trained subsampling and radial units; AlexNet's two GPUs and its local response
normalization. The bend is ReLU throughout. Pooling stands before it: the largest of some numbers and the cut at zero
can change places, and so the cut has a quarter of the work.

Shape legend: N examples, C channels, H height, W width, F features, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.families.cnn.spec import ALEXNET_HIDDEN, VGG_HIDDEN, VGG_PLAN

HEAD_SCALE = 0.01
"""The last layer starts so small that every class is about equally likely: the first loss is ln K."""


def initialize(network: nn.Module, head: nn.Linear) -> None:
    """Start every layer so that signals keep their size through convolution and ReLU (He et al., 2015, eq. 10)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    nn.init.normal_(head.weight, std=HEAD_SCALE / head.in_features**0.5)


class LeNet5(nn.Module):
    """Two rounds of convolution and pooling, then three layers that see everything.

    With 28 by 28 pixels and plain channels these are the paper's sizes: 6, 16, 120, 84. Pictures smaller than 16 pixels
    keep their size through the second convolution, which would otherwise find no room.

    Args:
        colors: channels of a picture.
        side: height and width of a picture.
        classes: scores to give.
        channels: of the layers, relative to the paper.
        dropout: share of the units before the last two layers that a training step leaves out.
    """

    def __init__(self, colors: int, side: int, classes: int, *, channels: float = 1.0, dropout: float = 0.0) -> None:
        super().__init__()
        c1, c2, f3, f4 = (max(1, round(channels * each)) for each in (6, 16, 120, 84))
        border = 0 if side >= 16 else 2
        self.conv1 = nn.Conv2d(colors, c1, 5, padding=2)
        self.conv2 = nn.Conv2d(c1, c2, 5, padding=border)
        left = (side // 2 + 2 * border - 4) // 2
        self.full3 = nn.Linear(c2 * left * left, f3)
        self.full4 = nn.Linear(f3, f4)
        self.head = nn.Linear(f4, classes)
        self.dropout = nn.Dropout(dropout)
        initialize(self, self.head)

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return scores ``NK``."""
        x_NCHW = F.relu(F.max_pool2d(self.conv1(pictures_NCHW), 2))
        x_NCHW = F.relu(F.max_pool2d(self.conv2(x_NCHW), 2))
        x_NF = self.dropout(F.relu(self.full3(torch.flatten(x_NCHW, 1))))
        x_NF = self.dropout(F.relu(self.full4(x_NF)))
        scores_NK: Tensor = self.head(x_NF)
        return scores_NK


class AlexNetStyle(nn.Module):
    """Five convolutions, overlapping pooling after the first, second and fifth, then two wide layers with dropout.

    With ``first=(11, 4, 2)``, a side of 224 and ``hidden=4096`` this is AlexNet as torchvision has it.

    Args:
        colors: channels of a picture.
        side: height and width of a picture.
        classes: scores to give.
        channels: of the convolutions, relative to AlexNet's.
        hidden: units of the two wide layers.
        first: kernel, stride and border of the first convolution; small pictures cannot afford steps of 4 pixels.
        dropout: share of the units of the wide layers that a training step leaves out.
    """

    def __init__(
        self, colors: int, side: int, classes: int, *,
        channels: float = 1.0, hidden: int = ALEXNET_HIDDEN, first: tuple[int, int, int] = (5, 1, 2),
        dropout: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        c1, c2, c3, c4, c5 = (max(1, round(channels * each)) for each in (64, 192, 384, 256, 256))
        kernel, stride, border = first
        self.conv1 = nn.Conv2d(colors, c1, kernel, stride, border)
        self.conv2 = nn.Conv2d(c1, c2, 5, padding=2)
        self.conv3 = nn.Conv2d(c2, c3, 3, padding=1)
        self.conv4 = nn.Conv2d(c3, c4, 3, padding=1)
        self.conv5 = nn.Conv2d(c4, c5, 3, padding=1)
        left = (side + 2 * border - kernel) // stride + 1
        self.border = 1 if side < 63 else 0
        for _ in range(3):
            left = (left + 2 * self.border - 3) // 2 + 1
        self.full6 = nn.Linear(c5 * left * left, hidden)
        self.full7 = nn.Linear(hidden, hidden)
        self.head = nn.Linear(hidden, classes)
        self.dropout = nn.Dropout(dropout)
        initialize(self, self.head)

    def pool(self, x_NCHW: Tensor) -> Tensor:
        """Keep the largest of each 3 by 3 pixels, every second one: the windows overlap."""
        return F.max_pool2d(x_NCHW, 3, stride=2, padding=self.border)

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return scores ``NK``."""
        x_NCHW = F.relu(self.pool(self.conv1(pictures_NCHW)))
        x_NCHW = F.relu(self.pool(self.conv2(x_NCHW)))
        x_NCHW = F.relu(self.conv3(x_NCHW))
        x_NCHW = F.relu(self.conv4(x_NCHW))
        x_NCHW = F.relu(self.pool(self.conv5(x_NCHW)))
        x_NF = F.relu(self.full6(self.dropout(torch.flatten(x_NCHW, 1))))
        x_NF = F.relu(self.full7(self.dropout(x_NF)))
        scores_NK: Tensor = self.head(x_NF)
        return scores_NK


class VGGStyle(nn.Module):
    """Blocks of 3 by 3 convolutions, each block ended by pooling, with more channels the smaller the picture gets.

    With ``plan=((64,), (128,), (256, 256), (512, 512), (512, 512))``, a side of 224 and ``hidden=(4096, 4096)`` this is
    VGG-11.

    Args:
        colors: channels of a picture.
        side: height and width of a picture; each block halves it.
        classes: scores to give.
        plan: channels of each convolution, block by block.
        channels: of the convolutions, relative to the plan.
        hidden: units of the layers that see everything.
        dropout: share of their units that a training step leaves out.
    """

    def __init__(
        self, colors: int, side: int, classes: int, *,
        plan: Sequence[Sequence[int]] = VGG_PLAN, channels: float = 1.0, hidden: Sequence[int] = (VGG_HIDDEN,),
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.blocks = nn.ModuleList()
        c_in = colors
        for block in plan:
            convolutions = nn.ModuleList()
            for planned in block:
                c_out = max(1, round(channels * planned))
                convolutions.append(nn.Conv2d(c_in, c_out, 3, padding=1))
                c_in = c_out
            self.blocks.append(convolutions)
        left = side // 2 ** len(plan)
        widths = [c_in * left * left, *hidden]
        self.full = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(widths[-1], classes)
        self.dropout = nn.Dropout(dropout)
        initialize(self, self.head)

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return scores ``NK``."""
        x_NCHW = pictures_NCHW
        for block in self.blocks:
            assert isinstance(block, nn.ModuleList)
            for convolution in block[:-1]:
                x_NCHW = F.relu(convolution(x_NCHW))
            x_NCHW = F.relu(F.max_pool2d(block[-1](x_NCHW), 2))
        x_NF = torch.flatten(x_NCHW, 1)
        for layer in self.full:
            x_NF = self.dropout(F.relu(layer(x_NF)))
        scores_NK: Tensor = self.head(x_NF)
        return scores_NK
