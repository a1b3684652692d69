"""A GPT: a transformer that sees the text so far and scores every possible next token.

Radford et al., Language Models are Unsupervised Multitask Learners, 2019 (GPT-2), after Vaswani et al., Attention Is
All You Need, 2017; in the manner of Karpathy's nanoGPT. The knobs choose between GPT-2 and what has proved itself
since: rotary positions (Su et al. 2021), RMSNorm (Zhang and Sennrich 2019), squared ReLU (So et al. 2021), SwiGLU
(Shazeer 2020), normalized queries and keys (Henry et al. 2020), and from Jordan et al.'s modded-nanogpt (2024) the
start from zero and the optimizer. Left out: mixtures of experts, grouped queries, sliding windows.

Shape legend: B batch, T time (new tokens), S all tokens so far, C channels, H heads, K width of a head, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.families.gpt.spec import GPTSpec
from engine.layers.norm import build_norm
from engine.layers.rotary import Rotary
from engine.layers.sampling import pick

GPT_2_STD = 0.02
"""Of GPT-2's weights at the start."""


class KVCache:
    """Keys and values that one layer has computed, so that a new token costs one step, not a whole pass."""

    def __init__(self) -> None:
        self.kept: tuple[Tensor, Tensor] | None = None

    @property
    def length(self) -> int:
        """How many tokens are kept."""
        return 0 if self.kept is None else self.kept[0].size(-2)

    def extend(self, k_BHTK: Tensor, v_BHTK: Tensor) -> tuple[Tensor, Tensor]:
        """Keep those of T new tokens, and return those of all S."""
        if self.kept is not None:
            k_BHTK, v_BHTK = torch.cat([self.kept[0], k_BHTK], dim=-2), torch.cat([self.kept[1], v_BHTK], dim=-2)
        self.kept = k_BHTK, v_BHTK
        return self.kept


class CausalSelfAttention(nn.Module):
    """Every token asks (query) itself and all earlier ones (keys), and takes a weighted mean of their values."""

    def __init__(self, spec: GPTSpec) -> None:
        super().__init__()
        self.heads = spec.heads
        self.qk_norm = spec.qk_norm
        self.fused = spec.attention == "fused"
        self.dropout = spec.dropout
        self.qkv = nn.Linear(spec.width, 3 * spec.width, bias=spec.bias)
        self.projection = nn.Linear(spec.width, spec.width, bias=spec.bias)
        self.rotary = Rotary(spec.width // spec.heads, spec.context) if spec.positions == "rotary" else None

    def forward(self, x_BTC: Tensor, cache: KVCache | None = None) -> Tensor:
        """Return ``BTC`` from ``BTC``; with a cache, the T tokens go on after those that it keeps."""
        q_BHTK, k_BHSK, v_BHSK = self.queries_keys_values(x_BTC, cache)
        dropout = self.dropout if self.training else 0.0
        if self.fused:
            T, S = q_BHTK.size(-2), k_BHSK.size(-2)
            mask_TS = None if T == S else self.visible(T, S, x_BTC.device)
            y_BHTK = F.scaled_dot_product_attention(q_BHTK, k_BHSK, v_BHSK, mask_TS, dropout, is_causal=T == S)
        else:
            y_BHTK = F.dropout(self.weights(q_BHTK, k_BHSK), dropout) @ v_BHSK
        return self.projection(y_BHTK.transpose(1, 2).flatten(2))

    def queries_keys_values(self, x_BTC: Tensor, cache: KVCache | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``q_BHTK, k_BHSK, v_BHSK``: the queries of the new tokens, keys and values of all."""
        B, T, C = x_BTC.shape
        q_BHTK, k_BHTK, v_BHTK = self.qkv(x_BTC).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        if self.qk_norm:
            q_BHTK, k_BHTK = F.rms_norm(q_BHTK, (C // self.heads,)), F.rms_norm(k_BHTK, (C // self.heads,))
        if self.rotary is not None:
            start = cache.length if cache else 0
            q_BHTK, k_BHTK = self.rotary(q_BHTK, start), self.rotary(k_BHTK, start)
        return (q_BHTK, k_BHTK, v_BHTK) if cache is None else (q_BHTK, *cache.extend(k_BHTK, v_BHTK))

    def weights(self, q_BHTK: Tensor, k_BHSK: Tensor) -> Tensor:
        """Return how much each token takes from each, ``BHTS``: rows sum to one, and what comes later gets nothing."""
        T, S = q_BHTK.size(-2), k_BHSK.size(-2)
        scores_BHTS = (q_BHTK / math.sqrt(q_BHTK.size(-1))) @ k_BHSK.mT
        return scores_BHTS.masked_fill(~self.visible(T, S, q_BHTK.device), -torch.inf).softmax(-1)

    @staticmethod
    def visible(T: int, S: int, device: torch.device) -> Tensor:
        """Return which of S tokens each of the last T may see, ``TS``: itself and the earlier ones."""
        return torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)


class MLP(nn.Module):
    """Two matrices with a bend between them, for each token by itself; in SwiGLU a third one is a gate."""

    def __init__(self, spec: GPTSpec) -> None:
        super().__init__()
        self.activation = spec.activation
        self.up = nn.Linear(spec.width, spec.inner, bias=spec.bias)
        self.gate = nn.Linear(spec.width, spec.inner, bias=spec.bias) if spec.activation == "swiglu" else None
        self.down = nn.Linear(spec.inner, spec.width, bias=spec.bias)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        inner = self.up(x_BTC)
        if self.gate is not None:
            inner = inner * F.silu(self.gate(x_BTC))
        elif self.activation == "relu2":
            inner = F.relu(inner).square()
        else:
            inner = F.gelu(inner, approximate="tanh" if self.activation == "gelu-tanh" else "none")
        return self.down(inner)


class Block(nn.Module):
    """Attention lets tokens talk, the MLP lets each think; both add to the stream that runs through all blocks."""

    def __init__(self, spec: GPTSpec) -> None:
        super().__init__()
        self.attention_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.attention = CausalSelfAttention(spec)
        self.mlp_norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.mlp = MLP(spec)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_BTC: Tensor, cache: KVCache | None = None) -> Tensor:
        """Return ``BTC`` from ``BTC``."""
        x_BTC = x_BTC + self.dropout(self.attention(self.attention_norm(x_BTC), cache))
        return x_BTC + self.dropout(self.mlp(self.mlp_norm(x_BTC)))


class GPT(nn.Module):
    """Table of tokens, blocks, and a score for every token that may come next.

    Args:
        spec: the knobs.
        vocabulary: V, how many different tokens there are.
    """

    def __init__(self, spec: GPTSpec, vocabulary: int) -> None:
        super().__init__()
        self.spec = spec
        self.embedding = nn.Embedding(vocabulary, spec.width)
        self.positions = nn.Embedding(spec.context, spec.width) if spec.positions == "learned" else None
        self.dropout = nn.Dropout(spec.dropout)
        self.blocks = nn.ModuleList(Block(spec) for _ in range(spec.layers))
        self.norm = build_norm(spec.norm, spec.width, bias=spec.bias)
        self.head = nn.Linear(spec.width, vocabulary, bias=False)
        if spec.tie:
            self.head.weight = self.embedding.weight
        self.initialize()

    @torch.no_grad()
    def initialize(self) -> None:
        """Draw the weights: as GPT-2 did, or so that every block is the identity and every token equally likely."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                module.weight.normal_(std=GPT_2_STD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                module.bias.zero_()
        for module in self.modules():
            if isinstance(module, Block):
                shrink = 0.0 if self.spec.zero_start else 1 / math.sqrt(2 * self.spec.layers)
                module.attention.projection.weight.mul_(shrink)
                module.mlp.down.weight.mul_(shrink)
        if self.spec.zero_start and not self.spec.tie:
            self.head.weight.zero_()

    def forward(self, x_BT: Tensor, caches: list[KVCache] | None = None) -> Tensor:
        """Return the scores ``BTV`` of what follows each token; with `caches`, the T tokens go on after those kept."""
        return self.head(self.features(x_BT, caches))

    def features(self, x_BT: Tensor, caches: list[KVCache] | None = None) -> Tensor:
        """Return what the last layer reads its scores from, ``BTC``."""
        x_BTC = self.embed(x_BT, caches[0].length if caches else 0)
        for layer, block in enumerate(self.blocks):
            x_BTC = block(x_BTC, caches[layer] if caches else None)
        return self.norm(x_BTC)

    def embed(self, x_BT: Tensor, start: int = 0) -> Tensor:
        """Return the rows of the tokens, ``BTC``, and where positions are learned add those from `start` on."""
        x_BTC = self.embedding(x_BT)
        if self.positions is not None:
            x_BTC = x_BTC + self.positions(torch.arange(start, start + x_BT.size(1), device=x_BT.device))
        return self.dropout(x_BTC)

    def attention(self, x_BT: Tensor, layer: int = -1) -> Tensor:
        """Return the attention weights ``BHTT`` of one layer."""
        layer %= len(self.blocks)
        x_BTC = self.embed(x_BT)
        for block in self.blocks[:layer]:
            x_BTC = block(x_BTC)
        looked_at = self.blocks[layer]
        assert isinstance(looked_at, Block)
        q_BHTK, k_BHTK, _ = looked_at.attention.queries_keys_values(looked_at.attention_norm(x_BTC))
        return looked_at.attention.weights(q_BHTK, k_BHTK)

    def generate(
        self,
        prompt_BT: Tensor,
        length: int,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the prompt and `length` tokens after it; chance is as in `engine.layers.sampling.pick`."""
        written = self.write(prompt_BT, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)
        return torch.cat([prompt_BT, *islice(written, length)], dim=1)

    @torch.no_grad()
    def write(
        self,
        prompt_BT: Tensor,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Iterator[Tensor]:
        """Yield one token ``B1`` after another, without end; each follows from the prompt and those before it.

        When the context is full, its later half is read anew, so that the model always sees at least that much.
        """
        context = self.spec.context
        text_BS = x_BT = prompt_BT[:, -context:]
        caches = [KVCache() for _ in self.blocks]
        while True:
            if caches[0].length + x_BT.size(1) > context:
                text_BS = x_BT = text_BS[:, -(context // 2) :]
                caches = [KVCache() for _ in self.blocks]
            logits_BV = self(x_BT, caches)[:, -1]
            x_BT = pick(logits_BV, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)
            text_BS = torch.cat([text_BS, x_BT], dim=1)
            yield x_BT
