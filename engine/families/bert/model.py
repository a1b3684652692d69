"""BERT: a transformer encoder that reads a text in both directions, and the heads that make something of it.

Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding, 2019. The knobs choose
between their model (learned positions, LayerNorm after each sum, GELU, tied tables) and what has proved itself since:
normalization before each part, rotary positions (Su et al. 2021), RMSNorm (Zhang and Sennrich 2019), squared ReLU (So
et al. 2021), normalized queries and keys (Henry et al. 2020), the start from zero. Left out: the prediction of the next
sentence and with it the embedding of segments, which Liu et al. (RoBERTa, 2019) found to be of no use; WordPiece.

Shape legend: B batch, T time (tokens), C channels, H heads, K width of a head, P places to fill, V vocabulary,
N classes.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.families.bert.spec import BERTSpec
from engine.layers.norm import build_norm
from engine.layers.rotary import Rotary

STD = 0.02
"""Of BERT's weights at the start."""


class SelfAttention(nn.Module):
    """Every token asks (query) all tokens (keys), those before it and those after it, and takes a weighted mean of
    their values. Without the mask of a GPT: that is what makes it bidirectional.
    """

    def __init__(self, spec: BERTSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.qk_norm = spec.qk_norm
        self.fused = spec.attention == "fused"
        self.dropout = spec.dropout
        self.qkv = nn.Linear(spec.width, 3 * spec.width, bias=spec.bias)
        self.projection = nn.Linear(spec.width, spec.width, bias=spec.bias)
        self.rotary = Rotary(spec.width // spec.heads, spec.context) if spec.positions == "rotary" else None

    def forward(self, x_BTC: Tensor, real_BT: Tensor | None = None) -> Tensor:
        """Return ``BTC`` from ``BTC``; `real_BT` says which tokens are there to be looked at, all where it is None."""
        q_BHTK, k_BHTK, v_BHTK = self.queries_keys_values(x_BTC)
        dropout = self.dropout if self.training else 0.0
        if self.fused:
            mask_B11T = None if real_BT is None else real_BT[:, None, None]
            y_BHTK = F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, mask_B11T, dropout)
        else:
            y_BHTK = F.dropout(self.weights(q_BHTK, k_BHTK, real_BT), dropout) @ v_BHTK
        return self.projection(y_BHTK.transpose(1, 2).flatten(2))

    def queries_keys_values(self, x_BTC: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``q_BHTK, k_BHTK, v_BHTK``."""
        B, T, C = x_BTC.shape
        q_BHTK, k_BHTK, v_BHTK = self.qkv(x_BTC).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        if self.qk_norm:
            q_BHTK, k_BHTK = F.rms_norm(q_BHTK, (C // self.heads,)), F.rms_norm(k_BHTK, (C // self.heads,))
        if self.rotary is not None:
            q_BHTK, k_BHTK = self.rotary(q_BHTK), self.rotary(k_BHTK)
        return q_BHTK, k_BHTK, v_BHTK

    def weights(self, q_BHTK: Tensor, k_BHTK: Tensor, real_BT: Tensor | None = None) -> Tensor:
        """Return how much each token takes from each, ``BHTT``: rows sum to one, and padding gets nothing."""
        scores_BHTT = (q_BHTK / math.sqrt(q_BHTK.size(-1))) @ k_BHTK.mT
        if real_BT is not None:
            scores_BHTT = scores_BHTT.masked_fill(~real_BT[:, None, None], -torch.inf)
        return scores_BHTT.softmax(-1)


class MLP(nn.Module):
    """Two matrices with a bend between them, for each token by itself."""

    def __init__(self, spec: BERTSpec) -> None:
        super().__init__()
        self.squared = spec.activation == "relu2"
        self.up = nn.Linear(spec.width, 4 * spec.width, bias=spec.bias)
        self.down = nn.Linear(4 * spec.width, spec.width, bias=spec.bias)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        inner = self.up(x_BTC)
        return self.down(F.relu(inner).square() if self.squared else F.gelu(inner))


class Block(nn.Module):
    """Attention lets tokens talk, the MLP lets each think; both add to the stream that runs through all blocks.

    BERT normalizes the sum (``after``); normalizing what goes into each part (``before``) leaves the stream itself
    alone, and deep stacks train without a long warm-up (Xiong et al., On Layer Normalization in the Transformer
    Architecture, 2020).
    """

    def __init__(self, spec: BERTSpec) -> None:
        super().__init__()
        self.before = spec.norm_place == "before"
        self.attention = SelfAttention(spec)
        self.attention_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.mlp = MLP(spec)
        self.mlp_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_BTC: Tensor, real_BT: Tensor | None = None) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        if self.before:
            x_BTC = x_BTC + self.dropout(self.attention(self.attention_norm(x_BTC), real_BT))
            return x_BTC + self.dropout(self.mlp(self.mlp_norm(x_BTC)))
        x_BTC = self.attention_norm(x_BTC + self.dropout(self.attention(x_BTC, real_BT)))
        return self.mlp_norm(x_BTC + self.dropout(self.mlp(x_BTC)))


class Encoder(nn.Module):
    """Table of tokens and blocks: what BERT makes of a text, whatever it is then used for.

    Args:
        spec: the knobs.
        vocabulary: V, how many different tokens there are.
    """

    def __init__(self, spec: BERTSpec, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, spec.width)
        self.positions = nn.Embedding(spec.context, spec.width) if spec.positions == "learned" else None
        # After the table where the blocks normalize their sums, else at the end: once in either case.
        self.before = spec.norm_place == "before"
        self.norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.dropout = nn.Dropout(spec.dropout)
        self.blocks = nn.ModuleList(Block(spec) for _ in range(spec.layers))

    def forward(self, x_BT: Tensor, real_BT: Tensor | None = None) -> Tensor:
        """Return a vector for each token, ``BTC``, in the light of all others."""
        x_BTC = self.embed(x_BT)
        for block in self.blocks:
            x_BTC = block(x_BTC, real_BT)
        return self.norm(x_BTC) if self.before else x_BTC

    def embed(self, x_BT: Tensor) -> Tensor:
        """Return the rows of the tokens, ``BTC``, and where positions are learned add theirs."""
        x_BTC = self.embedding(x_BT)
        if self.positions is not None:
            x_BTC = x_BTC + self.positions.weight[: x_BT.size(1)]
        return self.dropout(x_BTC if self.before else self.norm(x_BTC))

    def attention(self, x_BT: Tensor, real_BT: Tensor | None = None) -> Tensor:
        """Return the attention weights ``BHTT`` of the last layer."""
        x_BTC = self.embed(x_BT)
        for block in self.blocks[:-1]:
            x_BTC = block(x_BTC, real_BT)
        last = self.blocks[-1]
        assert isinstance(last, Block)
        q_BHTK, k_BHTK, _ = last.attention.queries_keys_values(last.attention_norm(x_BTC) if last.before else x_BTC)
        return last.attention.weights(q_BHTK, k_BHTK, real_BT)


class GapFiller(nn.Module):
    """BERT with the head that it is pre-trained with: which token stands at a hidden place?

    Args:
        spec: the knobs.
        vocabulary: V, how many different tokens there are.
    """

    def __init__(self, spec: BERTSpec, vocabulary: int) -> None:
        super().__init__()
        self.encoder = Encoder(spec, vocabulary)
        self.transform = nn.Linear(spec.width, spec.width, bias=spec.bias) if spec.transform else None
        self.norm = build_norm(spec.norm, spec.width, bias=spec.bias) if spec.transform else None
        self.head = nn.Linear(spec.width, vocabulary, bias=spec.bias)
        initialize(self, spec)
        if spec.tie:
            self.head.weight = self.encoder.embedding.weight

    def forward(self, x_BT: Tensor, places_BP: Tensor) -> Tensor:
        """Return the scores of every token at the places asked for alone, ``BPV``."""
        x_BTC = self.encoder(x_BT)
        x_BPC = x_BTC.gather(1, places_BP[:, :, None].expand(-1, -1, x_BTC.size(-1)))
        if self.transform is not None and self.norm is not None:
            x_BPC = self.norm(F.gelu(self.transform(x_BPC)))
        return self.head(x_BPC)


class SentenceJudge(nn.Module):
    """BERT with a head for whole sentences: which class does each belong to?

    Args:
        spec: the knobs.
        vocabulary: V, how many different tokens there are.
        classes: N.
        pad: the number of the token that fills rows up, which nobody looks at.
    """

    def __init__(self, spec: BERTSpec, vocabulary: int, classes: int, pad: int) -> None:
        super().__init__()
        self.pad = pad
        self.mean = spec.pool == "mean"
        self.encoder = Encoder(spec, vocabulary)
        self.pooler = nn.Linear(spec.width, spec.width, bias=spec.bias)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(spec.width, classes, bias=spec.bias)
        initialize(self, spec)

    def forward(self, x_BT: Tensor) -> Tensor:
        """Return the scores of the classes, ``BN``, read from the first token, or from the mean of all."""
        real_BT = x_BT != self.pad
        x_BTC = self.encoder(x_BT, real_BT)
        if self.mean:
            real_BT1 = real_BT[:, :, None].to(x_BTC.dtype)
            x_BC = (x_BTC * real_BT1).sum(1) / real_BT1.sum(1)
        else:
            x_BC = x_BTC[:, 0]
        return self.head(self.dropout(torch.tanh(self.pooler(x_BC))))


@torch.no_grad()
def initialize(model: nn.Module, spec: BERTSpec) -> None:
    """Draw the weights: as BERT's were, or so that no block changes the stream and every answer is equally likely."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.normal_(std=STD)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.zero_()
    if not spec.zero_start:
        return
    for name, parameter in model.named_parameters():
        if name == "head.weight" or name.endswith(("attention.projection.weight", "mlp.down.weight")):
            parameter.zero_()
