"""CLIP: a tower for pictures and a tower for captions, whose vectors meet in one space.

Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021. The loss over all pairs of
a batch: van den Oord, Li and Vinyals, Representation Learning with Contrastive Predictive Coding, 2018. Left out: the
vector at an end token (here the mean over the words stands for a caption), a text tower that looks only back (this one
looks both ways), byte-pair encoding (these captions have a few dozen words), attention pooling.

Shape legend: N pictures, M captions, C channels, H height, W width or words of a caption, G patches along a side, T
tokens, E channels of a tower, A heads, K width of a head, D numbers of a vector in the common space.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.families.clip.spec import CNN_PLAN, CLIPSpec

PAD = 0
"""The number of the word that fills captions up, which nobody looks at."""
STD = 0.02
"""Of embeddings and positions at the start."""
HIGHEST_SCALE = 100.0
"""What cosines are multiplied with at most (section 2.5 of the paper): beyond it training becomes unstable."""
NEVER = 1e4
"""Nats by which a caption that cannot be is less likely than one that can."""


class Attention(nn.Module):
    """Every token asks (query) all tokens that are real (keys), and takes a weighted mean of their values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, x_NTE: Tensor, real_NT: Tensor | None = None) -> Tensor:
        """Return ``NTE`` from ``NTE``; `real_NT` says which tokens are there to be looked at, all where it is None."""
        N, T, E = x_NTE.shape
        q_NATK, k_NATK, v_NATK = self.qkv(x_NTE).view(N, T, 3, self.heads, E // self.heads).permute(2, 0, 3, 1, 4)
        scores_NATT = q_NATK @ k_NATK.mT / math.sqrt(E // self.heads)
        if real_NT is not None:
            scores_NATT = scores_NATT.masked_fill(~real_NT[:, None, None], -torch.inf)
        y_NATK = scores_NATT.softmax(-1) @ v_NATK
        return self.projection(y_NATK.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention lets tokens talk, an MLP lets each think; both add to the stream that runs through all blocks."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x_NTE: Tensor, real_NT: Tensor | None = None) -> Tensor:
        """Return ``NTE`` from ``NTE``."""
        x_NTE = x_NTE + self.attention(self.attention_norm(x_NTE), real_NT)
        return x_NTE + self.down(F.gelu(self.up(self.mlp_norm(x_NTE))))


class TextTower(nn.Module):
    """Words become vectors, blocks let them talk, and their mean stands for the caption.

    Without blocks it is a bag of words: it cannot see in which order they stand.
    """

    def __init__(self, spec: CLIPSpec, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, spec.text_width)
        self.positions = nn.Embedding(spec.context, spec.text_width)
        self.blocks = nn.ModuleList(Block(spec.text_width, spec.heads) for _ in range(spec.text_layers))
        self.norm = nn.LayerNorm(spec.text_width)
        self.head = nn.Linear(spec.text_width, spec.dimensions, bias=False)
        nn.init.normal_(self.embedding.weight, std=STD)
        nn.init.normal_(self.positions.weight, std=STD)

    def forward(self, words_MW: Tensor) -> Tensor:
        """Return a vector for each caption, ``MD``, of any length."""
        real_MW = words_MW != PAD
        x_MWE = self.embedding(words_MW) + self.positions.weight[: words_MW.size(1)]
        for block in self.blocks:
            x_MWE = block(x_MWE, real_MW)
        share_MW1 = (real_MW / real_MW.sum(1, keepdim=True))[:, :, None]
        return self.head(self.norm((x_MWE * share_MW1).sum(1)))


class CNNTower(nn.Module):
    """Three convolutions, with pooling after the first two; the mean over all places stands for the picture."""

    def __init__(self, spec: CLIPSpec, colors: int) -> None:
        super().__init__()
        c1, c2, c3 = (times * spec.picture_width for times in CNN_PLAN)
        self.conv1 = nn.Conv2d(colors, c1, 3, padding=1)
        self.conv2 = nn.Conv2d(c1, c2, 3, padding=1)
        self.conv3 = nn.Conv2d(c2, c3, 3, padding=1)
        self.norm = nn.LayerNorm(c3)
        self.head = nn.Linear(c3, spec.dimensions, bias=False)
        for each in (self.conv1, self.conv2, self.conv3):
            nn.init.kaiming_normal_(each.weight, nonlinearity="relu")

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return a vector for each picture, ``ND``, of any length."""
        x_NCHW = F.relu(F.max_pool2d(self.conv1(pictures_NCHW), 2))
        x_NCHW = F.relu(F.max_pool2d(self.conv2(x_NCHW), 2))
        x_NCHW = F.relu(self.conv3(x_NCHW))
        return self.head(self.norm(x_NCHW.mean((2, 3))))


class ViTTower(nn.Module):
    """Patches become tokens, blocks let them talk, and their mean stands for the picture."""

    def __init__(self, spec: CLIPSpec, colors: int, side: int) -> None:
        super().__init__()
        E = spec.picture_width
        self.patching = nn.Conv2d(colors, E, spec.patch, stride=spec.patch)
        self.positions = nn.Embedding((side // spec.patch) ** 2, E)
        self.blocks = nn.ModuleList(Block(E, spec.heads) for _ in range(spec.picture_layers))
        self.norm = nn.LayerNorm(E)
        self.head = nn.Linear(E, spec.dimensions, bias=False)
        nn.init.normal_(self.positions.weight, std=STD)

    def forward(self, pictures_NCHW: Tensor) -> Tensor:
        """Return a vector for each picture, ``ND``, of any length."""
        x_NTE = self.patching(pictures_NCHW).flatten(2).mT + self.positions.weight
        for block in self.blocks:
            x_NTE = block(x_NTE)
        return self.head(self.norm(x_NTE.mean(1)))


class CLIP(nn.Module):
    """Both towers, and the temperature that sharpens their cosines.

    Args:
        spec: the knobs.
        colors: channels of a picture.
        side: height and width of a picture.
        words: how many different words there are, the one that fills up among them.
    """

    def __init__(self, spec: CLIPSpec, colors: int, side: int, words: int) -> None:
        super().__init__()
        self.picture_tower = CNNTower(spec, colors) if spec.picture_tower == "cnn" else ViTTower(spec, colors, side)
        self.text_tower = TextTower(spec, words)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(spec.temperature)), requires_grad=spec.learned)

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied with: one over the temperature. Its logarithm is what is learned."""
        return self.log_scale.exp()

    def see(self, pictures_NCHW: Tensor) -> Tensor:
        """Return a unit vector for each picture, ``ND``."""
        return F.normalize(self.picture_tower(pictures_NCHW).float(), dim=1)

    def read(self, words_MW: Tensor) -> Tensor:
        """Return a unit vector for each caption, ``MD``."""
        return F.normalize(self.text_tower(words_MW).float(), dim=1)

    def forward(self, pictures_NCHW: Tensor, words_MW: Tensor) -> Tensor:
        """Return how well each picture and each caption go together, ``NM``: cosine over temperature."""
        return self.scale * self.see(pictures_NCHW) @ self.read(words_MW).mT


def contrastive_loss(scores_NN: Tensor, same_NN: Tensor) -> Tensor:
    """Return the mean cross-entropy, in nats, of choosing a caption for each picture and a picture for each caption.

    With ones on the diagonal alone this is the loss of the paper (figure 3). Where a caption stands twice in a batch,
    neither of the two is wrong for the other's picture: the target is shared between all that are the same.

    Args:
        scores_NN: of pictures (rows) and captions (columns), pair by pair on the diagonal.
        same_NN: 1 where two captions are the same, else 0; symmetric, ones on the diagonal.
    """
    target_NN = same_NN / same_NN.sum(1, keepdim=True)
    return (F.cross_entropy(scores_NN, target_NN) + F.cross_entropy(scores_NN.mT, target_NN)) / 2


def best_scores(fits_KM: Tensor, labels_N: Tensor, texts_N: Tensor) -> Tensor:
    """Return the scores ``NN`` of a model that knows all there is to know: the pointwise mutual information.

    That is what the contrastive loss makes scores tend to (van den Oord et al., section 2.3): the logarithm of how much
    likelier a caption is for this picture than for any. Captions that fit several pictures of a batch leave a choice
    open, so that even these scores have a loss: the floor. Where all captions name the class, and a class stands n
    times in a batch, it is ln n.

    Args:
        fits_KM: how often each class has each text; classes are equally likely, and a row of zeros is one that no
            picture has.
        labels_N: the classes of the pictures.
        texts_N: the numbers of the captions.
    """
    share_KM = fits_KM / fits_KM.sum(0).clamp(min=1)
    return share_KM.log().clamp(min=-NEVER)[labels_N][:, texts_N]
