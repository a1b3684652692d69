"""Choosing the next token from a model's scores. Shape legend: B batch, V vocabulary."""

from __future__ import annotations

import torch
from torch import Tensor


def pick(
    logits_BV: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the numbers of the chosen tokens, ``B1``.

    Args:
        logits_BV: scores of all tokens.
        temperature: what the scores are divided by; 0, or what is 0 in single precision, takes the highest score,
            without chance.
        top_k: draw among that many likeliest tokens only; 0 draws among all.
        top_p: draw among the likeliest tokens that together reach this probability (Holtzman et al., The Curious Case
            of Neural Text Degeneration, 2020); 1 draws among all.
        generator: where the chance comes from; torch's global one if there is none.
    """
    if temperature < torch.finfo(torch.float32).tiny:
        return logits_BV.argmax(-1, keepdim=True)
    logits_BV = logits_BV.float()
    # The highest score becomes 0, which no temperature drives beyond what a number can hold.
    logits_BV = (logits_BV - logits_BV.amax(-1, keepdim=True)) / temperature
    if 0 < top_k < logits_BV.size(-1):
        least_B1 = logits_BV.topk(top_k).values[:, -1:]
        logits_BV = logits_BV.masked_fill(logits_BV < least_B1, -torch.inf)
    if top_p < 1:
        logits_BV = logits_BV.masked_fill(_beyond(logits_BV, top_p), -torch.inf)
    return torch.multinomial(logits_BV.softmax(-1), 1, generator=generator)


def _beyond(logits_BV: Tensor, top_p: float) -> Tensor:
    """Return which tokens lie beyond the likeliest ones that reach `top_p`; the likeliest of all never does."""
    ranked_BV, order_BV = logits_BV.softmax(-1).sort(dim=-1, descending=True)
    reached_before_BV = ranked_BV.cumsum(-1) - ranked_BV
    return torch.zeros_like(ranked_BV, dtype=torch.bool).scatter(-1, order_BV, reached_before_BV >= max(top_p, 1e-9))
