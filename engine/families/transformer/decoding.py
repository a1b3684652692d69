"""How a trained transformer writes: word by word the likeliest, or by keeping several texts in the race.

Shape legend: B batch, S source tokens, T target tokens, W beams a source, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.families.transformer.model import Caches, Transformer
from engine.families.transformer.vocabulary import END, PAD, START


@torch.no_grad()
def greedy(model: Transformer, source_BS: Tensor, longest: int) -> Tensor:
    """Return the targets ``BT`` that follow when the likeliest token is taken each time, without `START`.

    Each ends with `END` and is filled up with `PAD`, which is never written otherwise; one that finds no end is cut off
    after `longest` tokens.
    """
    source, caches = model.encode(source_BS), [Caches() for _ in model.decoder.blocks]
    token_B1 = torch.full_like(source_BS[:, :1], START)
    ended_B1 = torch.zeros_like(token_B1, dtype=torch.bool)
    written: list[Tensor] = []
    while len(written) < longest and not ended_B1.all():
        logits_BV = model.decode(token_B1, source, caches)[:, -1]
        logits_BV[:, PAD] = -torch.inf
        token_B1 = logits_BV.argmax(-1, keepdim=True).masked_fill(ended_B1, PAD)
        ended_B1 = ended_B1 | (token_B1 == END)
        written.append(token_B1)
    return torch.cat(written, dim=1)


@torch.no_grad()
def beam_search(
    model: Transformer, source_BS: Tensor, longest: int, *, beams: int, length_penalty: float = 0.6
) -> tuple[Tensor, Tensor]:
    """Return for each source the W best targets that were found, ``BWT`` without `START`, and their scores ``BW``, the
    best first.

    At every step each kept text is continued by every token, and the W best of all are kept. A score is the logarithm
    of a text's probability over ((5 + T) / 6) to the power of `length_penalty` (Wu et al., Google's Neural Machine
    Translation System, 2016), without which long texts, having more factors, would always lose. A text that has ended
    keeps its score and its place until better ones push it out.
    """
    B, W, device = len(source_BS), beams, source_BS.device
    rows_N = torch.arange(B, device=device).repeat_interleave(W)
    source, caches = model.encode(source_BS).pick(rows_N), [Caches() for _ in model.decoder.blocks]
    written_BWT = torch.full((B, W, 1), START, device=device)
    chance_BW = torch.full((B, W), -torch.inf, device=device)
    chance_BW[:, 0] = 0.0  # all beams begin alike; the first alone counts
    lengths_BW = torch.zeros_like(chance_BW)
    ended_BW = torch.zeros_like(written_BWT[:, :, 0], dtype=torch.bool)
    scores_BW = chance_BW
    for _ in range(longest):
        logits_NV = model.decode(written_BWT[:, :, -1].reshape(B * W, 1), source, caches)[:, -1]
        step_BWV = logits_NV.float().log_softmax(-1).view(B, W, -1)
        step_BWV = step_BWV.masked_fill(ended_BW[:, :, None], -torch.inf)
        step_BWV[:, :, PAD] = torch.where(ended_BW, 0.0, -torch.inf)  # what has ended goes on with nothing, for sure
        longer_BW = lengths_BW + (~ended_BW).float()
        total_BWV = chance_BW[:, :, None] + step_BWV
        ranked_BWV = total_BWV / ((5 + longer_BW[:, :, None]) / 6) ** length_penalty
        scores_BW, best_BW = ranked_BWV.flatten(1).topk(W)
        beam_BW, token_BW = best_BW // ranked_BWV.size(-1), best_BW % ranked_BWV.size(-1)

        chance_BW = total_BWV.flatten(1).gather(1, best_BW)
        lengths_BW = longer_BW.gather(1, beam_BW)
        kept_BWT = written_BWT.gather(1, beam_BW[:, :, None].expand_as(written_BWT))
        written_BWT = torch.cat([kept_BWT, token_BW[:, :, None]], dim=2)
        ended_BW = ended_BW.gather(1, beam_BW) | (token_BW == END)
        if ended_BW.all():
            break
        for each in caches:  # of the target alone: all texts of a race have one source
            each.target.pick((beam_BW + torch.arange(B, device=device)[:, None] * W).flatten())
    return written_BWT[:, :, 1:], scores_BW
