"""Connectionist temporal classification: learning which words were said without being told when.

Graves, Fernandez, Gomez and Schmidhuber, Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
with Recurrent Neural Networks, 2006, sections 3 and 4.1. Every frame says a word or nothing (the blank). A path of
frames spells a transcript: repeats are merged, then blanks are dropped, so that ``-55-5`` spells ``5 5``. The
probability of a transcript is the sum over all paths that spell it; the loss is its negative logarithm.

Shape legend: B batch, T frames, V words and the blank, L words of a transcript, S = 2L + 1 places: blanks around words.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

BLANK = 0
IMPOSSIBLE = -1e30
"""The logarithm of nothing; minus infinity would make gradients NaN."""


def ctc_losses(log_chances_BTV: Tensor, frames_B: Tensor, words_BL: Tensor, counts_B: Tensor) -> Tensor:
    """Return for each recording minus the logarithm of the probability of its transcript, in nats, ``B``.

    The forward variable of the paper: how likely the frames so far end at each place of the transcript with blanks
    around its words. A place is reached from itself, from the one before, and where both are different words also from
    the word before, past the blank between them. A transcript that no path of its frames spells costs infinity.

    Args:
        log_chances_BTV: logarithms of the probabilities of each frame.
        frames_B: how many of the T frames count.
        words_BL: transcripts, from 1 on.
        counts_B: how many of the L words count.
    """
    B, T, _ = log_chances_BTV.shape
    places_BS = F.pad(words_BL[..., None], (1, 0)).flatten(1)  # a blank before each word
    places_BS = F.pad(places_BS, (0, 1))  # and one at the end
    said_BTS = log_chances_BTV.gather(2, places_BS[:, None].expand(-1, T, -1))
    skips_BS = (places_BS != BLANK) & (places_BS != F.pad(places_BS, (2, 0), value=BLANK)[:, :-2])
    skips_BS = skips_BS & (torch.arange(places_BS.size(1), device=places_BS.device) > 1)
    first_BS = torch.arange(places_BS.size(1), device=places_BS.device).expand(B, -1) < 2
    reached_BS = said_BTS[:, 0].masked_fill(~first_BS, IMPOSSIBLE)
    for t in range(1, T):
        before_BS = F.pad(reached_BS, (1, 0), value=IMPOSSIBLE)[:, :-1]
        skipped_BS = F.pad(reached_BS, (2, 0), value=IMPOSSIBLE)[:, :-2].masked_fill(~skips_BS, IMPOSSIBLE)
        summed_BS = torch.stack([reached_BS, before_BS, skipped_BS]).logsumexp(0) + said_BTS[:, t]
        reached_BS = torch.where((t < frames_B)[:, None], summed_BS, reached_BS)
    last_B1 = 2 * counts_B[:, None]
    word_B1 = reached_BS.gather(1, (last_B1 - 1).clamp(min=0)).masked_fill(last_B1 == 0, IMPOSSIBLE)
    losses_B = -torch.cat([reached_BS.gather(1, last_B1), word_B1], 1).logsumexp(1)
    return losses_B.masked_fill(losses_B > -IMPOSSIBLE / 2, math.inf)


def fused_ctc_losses(log_chances_BTV: Tensor, frames_B: Tensor, words_BL: Tensor, counts_B: Tensor) -> Tensor:
    """Return what `ctc_losses` returns, by torch's kernel."""
    return F.ctc_loss(log_chances_BTV.transpose(0, 1), words_BL, frames_B, counts_B, BLANK, reduction="none")


def paths(frames: int, words: list[int]) -> int:
    """Return how many paths of that many frames spell a transcript.

    Stars and bars: the runs of blanks and of each word share the frames out; only between equal words has a blank to
    be.
    """
    repeats = sum(first == second for first, second in pairwise(words))
    return math.comb(frames + len(words) - repeats, 2 * len(words))


def spelled(path: list[int]) -> list[int]:
    """Return the transcript that a path spells: repeats merged, then blanks dropped."""
    return [word for word, before in zip(path, [BLANK, *path], strict=False) if word not in (before, BLANK)]
