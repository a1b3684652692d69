"""The transformer: an encoder reads a sequence, a decoder writes another, looking at the first by cross-attention.

Vaswani et al., Attention Is All You Need, 2017. The knobs choose between its details and what has proved itself since:
normalization before each part instead of after the addition (Xiong et al., On Layer Normalization in the Transformer
Architecture, 2020), RMSNorm (Zhang and Sennrich 2019), squared ReLU (So et al. 2021), normalized queries and keys
(Henry et al. 2020), rotary positions in self-attention (Su et al. 2021), and from Jordan et al.'s modded-nanogpt (2024)
the start from zero. Left out: learned biases for how far apart two tokens are (T5), mixtures of experts, sparse
attention. How a finished model writes stands in `decoding.py`.

Shape legend: B batch, S source tokens, T target tokens, C channels, H heads, K width of a head, V vocabulary; in
attention T is whoever asks and S whoever is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.families.transformer.spec import TransformerSpec
from engine.families.transformer.vocabulary import PAD
from engine.layers.norm import build_norm
from engine.layers.rotary import Rotary


class Cache:
    """Keys and values that one attention has computed, so that the next token costs one step, not a whole pass."""

    def __init__(self) -> None:
        self.kept: tuple[Tensor, Tensor] | None = None

    @property
    def length(self) -> int:
        """How many tokens are kept."""
        return 0 if self.kept is None else self.kept[0].size(-2)

    def extend(self, k_BHTK: Tensor, v_BHTK: Tensor) -> None:
        """Keep those of T more tokens."""
        if self.kept is not None:
            k_BHTK, v_BHTK = torch.cat([self.kept[0], k_BHTK], dim=-2), torch.cat([self.kept[1], v_BHTK], dim=-2)
        self.kept = k_BHTK, v_BHTK

    def pick(self, rows_B: Tensor) -> None:
        """Keep those rows of the batch, in that order; a beam search goes on with some of its texts."""
        if self.kept is not None:
            self.kept = self.kept[0].index_select(0, rows_B), self.kept[1].index_select(0, rows_B)


class Attention(nn.Module):
    """Each token asks (query) those of a sequence (keys), and takes a weighted mean of their values.

    Self-attention asks its own sequence, cross-attention another one: the same code, called with other arguments.
    """

    def __init__(self, spec: TransformerSpec, *, within: bool) -> None:
        super().__init__()
        self.heads = spec.heads
        self.qk_norm = spec.qk_norm
        self.fused = spec.attention == "fused"
        self.dropout = spec.dropout
        self.query = nn.Linear(spec.width, spec.width, bias=spec.bias)
        self.key_value = nn.Linear(spec.width, 2 * spec.width, bias=spec.bias)
        self.projection = nn.Linear(spec.width, spec.width, bias=spec.bias)
        # How far apart two tokens are means something within one sequence alone.
        turned = within and spec.positions == "rotary"
        self.rotary = Rotary(spec.width // spec.heads, spec.longest) if turned else None

    def forward(self, x_BTC: Tensor, asked_BSC: Tensor | None, visible: Tensor, cache: Cache | None = None) -> Tensor:
        """Return what the tokens of `x_BTC` found, ``BTC``.

        Args:
            x_BTC: whoever asks.
            asked_BSC: whoever is asked: with a cache those that it does not keep yet, None where it keeps all.
            visible: which of the S may be seen, a mask that fits ``BHTS``.
            cache: extended by the keys and values of `asked_BSC`, and then read in their place.
        """
        start = cache.length if cache else 0
        q_BHTK = self.queries(x_BTC, start)
        keys_values = None if asked_BSC is None else self.keys_values(asked_BSC, start)
        if cache is not None:
            if keys_values is not None:
                cache.extend(*keys_values)
            keys_values = cache.kept
        assert keys_values is not None
        k_BHSK, v_BHSK = keys_values
        dropout = self.dropout if self.training else 0.0
        if self.fused:
            y_BHTK = F.scaled_dot_product_attention(q_BHTK, k_BHSK, v_BHSK, visible, dropout)
        else:
            y_BHTK = F.dropout(self.weights(q_BHTK, k_BHSK, visible), dropout) @ v_BHSK
        return self.projection(y_BHTK.transpose(1, 2).flatten(2))

    def queries(self, x_BTC: Tensor, start: int = 0) -> Tensor:
        """Return ``q_BHTK``; the first of the T stands at position `start`."""
        return self._placed(self.query(x_BTC).unflatten(-1, (self.heads, -1)).transpose(1, 2), start)

    def keys_values(self, asked_BSC: Tensor, start: int = 0) -> tuple[Tensor, Tensor]:
        """Return ``k_BHSK, v_BHSK``; the first of the S stands at position `start`."""
        k_BHSK, v_BHSK = self.key_value(asked_BSC).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self._placed(k_BHSK, start), v_BHSK

    def _placed(self, x_BHTK: Tensor, start: int) -> Tensor:
        """Return queries or keys of one length each, and turned by their position, where the knobs say so."""
        if self.qk_norm:
            x_BHTK = F.rms_norm(x_BHTK, x_BHTK.shape[-1:])
        return x_BHTK if self.rotary is None else self.rotary(x_BHTK, start)

    @staticmethod
    def weights(q_BHTK: Tensor, k_BHSK: Tensor, visible: Tensor) -> Tensor:
        """Return how much each of the T takes from each of the S, ``BHTS``: rows sum to one, what is hidden gets
        nothing.
        """
        scores_BHTS = (q_BHTK / math.sqrt(q_BHTK.size(-1))) @ k_BHSK.mT
        return scores_BHTS.masked_fill(~visible, -torch.inf).softmax(-1)


class MLP(nn.Module):
    """Two matrices with a bend between them, for each token by itself."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.activation = spec.activation
        self.up = nn.Linear(spec.width, spec.inner, bias=spec.bias)
        self.down = nn.Linear(spec.inner, spec.width, bias=spec.bias)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        inner = F.relu(self.up(x_BTC))
        return self.down(inner.square() if self.activation == "relu2" else inner)


class Block(nn.Module):
    """What blocks of both kinds are: parts that add what they find to the stream that runs through all blocks."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__()
        self.norm_first = spec.norm_place == "before"
        self.dropout = nn.Dropout(spec.dropout)

    def add(self, x_BTC: Tensor, norm: nn.Module, part: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the stream with what a part found, ``BTC``.

        Normalized is what goes into the part, so that the stream itself runs through untouched; in 2017 it was the sum.
        """
        if self.norm_first:
            return x_BTC + self.dropout(part(norm(x_BTC)))
        return norm(x_BTC + self.dropout(part(x_BTC)))


class EncoderBlock(Block):
    """Source tokens talk to one another in both directions, then each thinks by itself."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__(spec)
        self.attention_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.attention = Attention(spec, within=True)
        self.mlp_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.mlp = MLP(spec)

    def forward(self, x_BSC: Tensor, visible: Tensor) -> Tensor:
        """Return ``BSC`` from ``BSC``; pads are not `visible`."""
        x_BSC = self.add(x_BSC, self.attention_norm, lambda y_BSC: self.attention(y_BSC, y_BSC, visible))
        return self.add(x_BSC, self.mlp_norm, self.mlp)


class DecoderBlock(Block):
    """Target tokens look at those before them, then at the whole source, then each thinks by itself."""

    def __init__(self, spec: TransformerSpec) -> None:
        super().__init__(spec)
        self.attention_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.attention = Attention(spec, within=True)
        self.cross_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.cross = Attention(spec, within=False)
        self.mlp_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.mlp = MLP(spec)

    def forward(self, x_BTC: Tensor, source: Source, caches: Caches | None = None) -> Tensor:
        """Return ``BTC`` from ``BTC``; with caches, the T tokens go on after those that they keep."""
        x_BTC = self.before_cross(x_BTC, caches)
        cache = caches.source if caches else None
        asked_BSC = None if cache is not None and cache.length else source.read
        x_BTC = self.add(x_BTC, self.cross_norm, lambda y_BTC: self.cross(y_BTC, asked_BSC, source.visible, cache))
        return self.add(x_BTC, self.mlp_norm, self.mlp)

    def before_cross(self, x_BTC: Tensor, caches: Caches | None = None) -> Tensor:
        """Return the stream after self-attention, from which the source is asked."""
        T, cache = x_BTC.size(1), caches.target if caches else None
        visible_TS = causal(T, T + (cache.length if cache else 0), x_BTC.device)
        return self.add(x_BTC, self.attention_norm, lambda y_BTC: self.attention(y_BTC, y_BTC, visible_TS, cache))

    def looks(self, x_BTC: Tensor, source: Source) -> Tensor:
        """Return the weights of cross-attention, ``BHTS``, for what goes into this block."""
        x_BTC = self.before_cross(x_BTC)
        asking_BTC = self.cross_norm(x_BTC) if self.norm_first else x_BTC
        k_BHSK, _ = self.cross.keys_values(source.read)
        return self.cross.weights(self.cross.queries(asking_BTC), k_BHSK, source.visible)


@dataclass(frozen=True, slots=True)
class Source:
    """What the encoder made of the sources."""

    read: Tensor
    """The last block's stream, ``BSC``."""
    visible: Tensor
    """Which of the S are no pads, ``B11S``."""

    def pick(self, rows_B: Tensor) -> Source:
        """Return those rows of the batch, in that order."""
        return Source(self.read.index_select(0, rows_B), self.visible.index_select(0, rows_B))


class Caches:
    """What one block of the decoder keeps: of the target what was written so far, of the source all, once."""

    def __init__(self) -> None:
        self.target, self.source = Cache(), Cache()


def causal(T: int, S: int, device: torch.device) -> Tensor:
    """Return which of S tokens each of the last T may see, ``TS``: itself and the earlier ones."""
    return torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)


def sinusoids(positions: int, channels: int) -> Tensor:
    """Return the table of positions of Vaswani et al., section 3.5, one row a position: pairs of sine and cosine, from
    fast to slow, so that a step onward is the same turn everywhere.
    """
    speeds = 10_000.0 ** (-torch.arange(0, channels, 2, dtype=torch.float64) / channels)
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :channels].float()


class Stack(nn.Module):
    """A table of tokens, their positions, and blocks: the encoder or the decoder.

    Args:
        spec: the knobs.
        embedding: the table of tokens; the other stack may have the same.
        kind: of the blocks.
    """

    def __init__(self, spec: TransformerSpec, embedding: nn.Embedding, kind: type[EncoderBlock | DecoderBlock]) -> None:
        super().__init__()
        self.embedding = embedding
        learned, waves = spec.positions == "learned", spec.positions == "sinusoidal"
        self.positions = nn.Embedding(spec.longest, spec.width) if learned else None
        self.places: Tensor | None
        self.register_buffer("places", sinusoids(spec.longest, spec.width) if waves else None, persistent=False)
        self.dropout = nn.Dropout(spec.dropout)
        self.blocks = nn.ModuleList(kind(spec) for _ in range(spec.layers))
        # After the addition, the last block has normalized already.
        before = spec.norm_place == "before"
        self.norm = build_norm(spec.norm, spec.width, bias=spec.bias) if before else nn.Identity()

    def embed(self, x_BT: Tensor, start: int = 0) -> Tensor:
        """Return the rows of the tokens, drawn so that their numbers have a variance of 1, and their positions from
        `start` on.
        """
        x_BTC = self.embedding(x_BT) * math.sqrt(self.embedding.embedding_dim)
        stop = start + x_BT.size(1)
        if self.places is not None:
            x_BTC = x_BTC + self.places[start:stop]
        elif self.positions is not None:
            x_BTC = x_BTC + self.positions.weight[start:stop]
        return self.dropout(x_BTC)


class Transformer(nn.Module):
    """Encoder, decoder, and a score for every token that may come next.

    Args:
        spec: the knobs.
        vocabulary: V, how many different tokens there are, the special ones included; both sides share them.
    """

    def __init__(self, spec: TransformerSpec, vocabulary: int) -> None:
        super().__init__()
        self.spec = spec
        source = nn.Embedding(vocabulary, spec.width)
        target = source if spec.tie else nn.Embedding(vocabulary, spec.width)
        self.encoder = Stack(spec, source, EncoderBlock)
        self.decoder = Stack(spec, target, DecoderBlock)
        self.head = nn.Linear(spec.width, vocabulary, bias=False)
        if spec.tie:
            self.head.weight = source.weight
        self.initialize()

    @torch.no_grad()
    def initialize(self) -> None:
        """Draw the weights: matrices as Glorot and Bengio (2010) do, so that a signal keeps its size; where the start
        is from zero, every block is the identity and every token equally likely.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear) and module is not self.head:
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.Embedding):
                module.weight.normal_(std=self.spec.width**-0.5)
        if not self.spec.tie:
            self.head.weight.normal_(std=self.spec.width**-0.5)
        if self.spec.zero_start:
            for module in self.modules():
                if isinstance(module, Attention):
                    module.projection.weight.zero_()
                elif isinstance(module, MLP):
                    module.down.weight.zero_()
            if not self.spec.tie:
                self.head.weight.zero_()

    def forward(self, source_BS: Tensor, target_BT: Tensor) -> Tensor:
        """Return the scores ``BTV`` of what follows each token of the target, given the whole source."""
        return self.decode(target_BT, self.encode(source_BS))

    def encode(self, source_BS: Tensor) -> Source:
        """Return what the encoder makes of the sources; pads are seen by no token."""
        visible = (source_BS != PAD)[:, None, None, :]
        x_BSC = self.encoder.embed(source_BS)
        for block in self.encoder.blocks:
            x_BSC = block(x_BSC, visible)
        return Source(self.encoder.norm(x_BSC), visible)

    def decode(self, target_BT: Tensor, source: Source, caches: list[Caches] | None = None) -> Tensor:
        """Return the scores ``BTV`` of what follows each token; with `caches`, one a block, the T tokens go on after
        those kept.
        """
        x_BTC = self.decoder.embed(target_BT, caches[0].target.length if caches else 0)
        for layer, block in enumerate(self.decoder.blocks):
            x_BTC = block(x_BTC, source, caches[layer] if caches else None)
        return self.head(self.decoder.norm(x_BTC))

    def cross_attention(self, source_BS: Tensor, target_BT: Tensor, layer: int = -1) -> Tensor:
        """Return how much each target token takes from each source token in one layer, ``BHTS``."""
        source, x_BTC = self.encode(source_BS), self.decoder.embed(target_BT)
        blocks = list(self.decoder.blocks)
        looked_at = blocks[layer]
        for block in blocks[: layer % len(blocks)]:
            x_BTC = block(x_BTC, source)
        assert isinstance(looked_at, DecoderBlock)
        return looked_at.looks(x_BTC, source)
