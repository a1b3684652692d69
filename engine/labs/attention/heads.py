"""What a head does, as three figures: how evenly it spreads its weights, and two places that it may look at.

Shape legend: B batch, H heads, L layers, T time, K width of a head, C channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.families.gpt.model import GPT, Block, CausalSelfAttention


def spread(weights_BHTT: Tensor) -> Tensor:
    """Return the entropy of each head's rows over that of even weights, the mean over rows, ``H``: 0 to 1.

    The first row sees itself alone and says nothing, so it is left out.
    """
    T = weights_BHTT.size(-1)
    entropy_BHT = -torch.xlogy(weights_BHTT, weights_BHTT).sum(-1)
    even_T = torch.arange(1, T + 1, device=weights_BHTT.device).log()
    return (entropy_BHT[..., 1:] / even_T[1:]).mean((0, 2))


def on_previous(weights_BHTT: Tensor) -> Tensor:
    """Return the mean weight that each head puts on the position just before, ``H``."""
    return weights_BHTT.diagonal(-1, -2, -1).mean((0, 2))


REPEATED = 24
"""Random characters that are written down twice; half the context where that is shorter."""


def induction(model: GPT, layer: int, characters: int, seed: int, texts: int = 32) -> Tensor:
    """Return the mean weight that each head puts on what followed the same character earlier, ``H``.

    Measured on random characters that are repeated once, where nothing else could tell what comes next. Olsson et al.,
    In-context Learning and Induction Heads, 2022.
    """
    length = min(REPEATED, model.spec.context // 2)
    generator = torch.Generator().manual_seed(seed)
    once = torch.randint(characters, (texts, length), generator=generator)
    weights_BHTT = model.attention(torch.cat([once, once], 1), layer)
    return weights_BHTT.diagonal(1 - length, -2, -1)[..., 1:].mean((0, 2))


@torch.no_grad()
def survey(model: GPT, windows_BT: Tensor, characters: int, seed: int) -> dict[str, Tensor]:
    """Return every figure of every head, ``LH`` each, by name."""
    found: dict[str, list[Tensor]] = {"spread": [], "previous": [], "induction": []}
    for layer in range(len(model.blocks)):
        weights_BHTT = model.attention(windows_BT, layer)
        found["spread"].append(spread(weights_BHTT))
        found["previous"].append(on_previous(weights_BHTT))
        found["induction"].append(induction(model, layer, characters, seed))
    return {name: torch.stack(each) for name, each in found.items()}


@torch.no_grad()
def opened(model: GPT, tokens_T: Tensor) -> list[tuple[CausalSelfAttention, Tensor, tuple[Tensor, Tensor, Tensor]]]:
    """Return of each layer its attention, the normalized stream that goes in ``1TC``, and q, k, v ``HTK``."""
    found = []
    x_1TC = model.embed(tokens_T[None])
    for block in model.blocks:
        assert isinstance(block, Block)
        normed_1TC = block.attention_norm(x_1TC)
        q, k, v = block.attention.queries_keys_values(normed_1TC)
        found.append((block.attention, normed_1TC, (q[0], k[0], v[0])))
        x_1TC = block(x_1TC)
    return found


@torch.no_grad()
def by_torch(q_HTK: Tensor, k_HTK: Tensor, v_HTK: Tensor) -> Tensor:
    """Return what torch's own kernel makes of the same queries, keys and values, ``HTK``."""
    return F.scaled_dot_product_attention(q_HTK, k_HTK, v_HTK, is_causal=True)
