"""The multilayer perceptron: weighted sums, a bend, weighted sums again.

Rosenblatt's perceptron (1958) is the case without hidden layers; Rumelhart, Hinton and Williams, Learning
representations by back-propagating errors, 1986, showed how to train the hidden ones. Left out: residual connections,
normalization.

Shape legend: N examples, F features, W width, K outputs.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
}

GAINS = {"identity": 1.0, "relu": 2.0, "tanh": 1.0, "sigmoid": 1.0, "gelu": 2.0}
"""Variance that a layer's weights have to add, because the bend takes it away: He et al., 2015, eq. 10 for relu."""

HEAD_SCALE = 0.01
"""The last layer starts so small that every class is about equally likely: the first loss is ln K."""


class MLP(nn.Module):
    """Any number of hidden layers of one width; with none it is logistic regression.

    Args:
        features: width of an input; inputs of more axes are flattened.
        outputs: one score a class.
        width: units of a hidden layer.
        depth: hidden layers.
        activation: the bend, one of `ACTIVATIONS`.
        dropout: share of the hidden units that a training step leaves out.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        *,
        width: int = 64,
        depth: int = 3,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [features] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.bend = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], outputs)
        for layer in self.hidden:
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=(GAINS[activation] / layer.in_features) ** 0.5)
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.head.weight, std=HEAD_SCALE / widths[-1] ** 0.5)
        nn.init.zeros_(self.head.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return scores ``NK`` of inputs ``NF`` (or ``N...``, flattened)."""
        x_NW = torch.flatten(inputs, 1)
        for layer in self.hidden:
            x_NW = self.dropout(self.bend(layer(x_NW)))
        scores_NK: Tensor = self.head(x_NW)
        return scores_NK
