"""A vision transformer: a picture cut into patches, which a transformer reads as a text reads words.

Dosovitskiy et al., An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale, 2021, section 3.1. The
mean over all patches in the place of the class token: Beyer, Zhai and Kolesnikov, Better plain ViT baselines for
ImageNet-1k, 2022. Left out: pre-training on many more pictures, without which the paper's networks lose to
convolutions; positions in two dimensions; a second layer in the head.

Shape legend: N examples, C channels of a picture, H height, W width, G patches along a side, P patches, D numbers of a
patch, T tokens (the patches, and the class token before them), E channels of the stream, A heads, K width of a head, O
classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.families.vit.spec import ViTSpec

POSITION_STD = 0.02
"""Of positions and class token at the start."""
HEAD_SCALE = 0.01
"""The last layer starts so small that every class is about equally likely: the first loss is the log of the classes."""


def patches(pictures_NCHW: Tensor, side: int) -> Tensor:
    """Return square pieces of a picture, row by row, as vectors ``NPD``; D goes channel by channel, then by rows."""
    N, C, H, W = pictures_NCHW.shape
    pieces = pictures_NCHW.reshape(N, C, H // side, side, W // side, side)
    return pieces.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


class Attention(nn.Module):
    """Every token asks (query) all tokens (keys), and takes a weighted mean of their values; head by head."""

    def __init__(self, spec: ViTSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.fused = spec.attention == "fused"
        self.qkv = nn.Linear(spec.width, 3 * spec.width)
        self.projection = nn.Linear(spec.width, spec.width)

    def forward(self, x_NTE: Tensor) -> Tensor:
        """Return ``NTE`` from ``NTE``."""
        q_NATK, k_NATK, v_NATK = self.queries_keys_values(x_NTE)
        if self.fused:
            y_NATK = F.scaled_dot_product_attention(q_NATK, k_NATK, v_NATK)
        else:
            y_NATK = self.weights(q_NATK, k_NATK) @ v_NATK
        return self.projection(y_NATK.transpose(1, 2).flatten(2))

    def queries_keys_values(self, x_NTE: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``q_NATK, k_NATK, v_NATK``."""
        N, T, E = x_NTE.shape
        q_NATK, k_NATK, v_NATK = self.qkv(x_NTE).view(N, T, 3, self.heads, E // self.heads).permute(2, 0, 3, 1, 4)
        return q_NATK, k_NATK, v_NATK

    @staticmethod
    def weights(q_NATK: Tensor, k_NATK: Tensor) -> Tensor:
        """Return how much each token takes from each, ``NATT``; rows sum to one."""
        scores_NATT = (q_NATK / math.sqrt(q_NATK.size(-1))) @ k_NATK.mT
        return scores_NATT.softmax(-1)


class Block(nn.Module):
    """Attention lets tokens talk, an MLP lets each think; both add to the stream that runs through all blocks."""

    def __init__(self, spec: ViTSpec) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(spec.width)
        self.attention = Attention(spec)
        self.mlp_norm = nn.LayerNorm(spec.width)
        self.up = nn.Linear(spec.width, spec.inner)
        self.down = nn.Linear(spec.inner, spec.width)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_NTE: Tensor) -> Tensor:
        """Return ``NTE`` from ``NTE``."""
        x_NTE = x_NTE + self.dropout(self.attention(self.attention_norm(x_NTE)))
        return x_NTE + self.dropout(self.down(self.dropout(F.gelu(self.up(self.mlp_norm(x_NTE))))))


class ViT(nn.Module):
    """Patches become tokens, blocks let them talk, and one vector scores the classes: the class token, or the mean.

    Args:
        spec: the knobs.
        colors: channels of a picture.
        side: height and width of a picture, a multiple of the patch's.
        classes: scores to give.
    """

    def __init__(self, spec: ViTSpec, colors: int, side: int, classes: int) -> None:
        super().__init__()
        self.spec = spec
        self.grid = side // spec.patch
        self.embedding = nn.Linear(colors * spec.patch**2, spec.width)
        self.class_token = nn.Parameter(torch.empty(spec.width)) if spec.pool == "token" else None
        tokens = self.grid**2 + (spec.pool == "token")
        self.positions = nn.Embedding(tokens, spec.width) if spec.positions == "learned" else None
        self.dropout = nn.Dropout(spec.dropout)
        self.blocks = nn.ModuleList(Block(spec) for _ in range(spec.layers))
        self.norm = nn.LayerNorm(spec.width)
        self.head = nn.Linear(spec.width, classes)
        self.initialize()

    @torch.no_grad()
    def initialize(self) -> None:
        """Draw the weights; blocks begin as the identity where the knob says so."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        if self.spec.zero_start:
            for block in self.blocks:
                assert isinstance(block, Block)
                nn.init.zeros_(block.attention.projection.weight)
                nn.init.zeros_(block.down.weight)
        for own in (self.class_token, None if self.positions is None else self.positions.weight):
            if own is not None:
                nn.init.normal_(own, std=POSITION_STD)
        nn.init.normal_(self.head.weight, std=HEAD_SCALE / self.head.in_features**0.5)

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return scores ``NO``."""
        return self.head(self.features(pictures_NCHW))

    def features(self, pictures_NCHW: Tensor) -> Tensor:
        """Return what the last layer reads its scores from, ``NE``."""
        x_NTE = self.embed(pictures_NCHW)
        for block in self.blocks:
            x_NTE = block(x_NTE)
        x_NTE = self.norm(x_NTE)
        return x_NTE.mean(1) if self.class_token is None else x_NTE[:, 0]

    def embed(self, pictures_NCHW: Tensor) -> Tensor:
        """Return the tokens ``NTE`` that enter the first block."""
        x_NTE = self.embedding(patches(pictures_NCHW, self.spec.patch))
        if self.class_token is not None:
            first_N1E = self.class_token.to(x_NTE.dtype).expand(len(x_NTE), 1, -1)
            x_NTE = torch.cat([first_N1E, x_NTE], dim=1)
        if self.positions is not None:
            x_NTE = x_NTE + self.positions.weight
        return self.dropout(x_NTE)

    def attention(self, pictures_NCHW: Tensor) -> Tensor:
        """Return the attention weights of every block, ``LNATT`` with L layers."""
        x_NTE = self.embed(pictures_NCHW)
        found = []
        for block in self.blocks:
            assert isinstance(block, Block)
            q_NATK, k_NATK, _ = block.attention.queries_keys_values(block.attention_norm(x_NTE))
            found.append(block.attention.weights(q_NATK, k_NATK))
            x_NTE = block(x_NTE)
        return torch.stack(found)
