"""word2vec: a vector for every word, learned by telling true neighbors from random words.

Mikolov, Sutskever, Chen, Corrado and Dean, Distributed Representations of Words and Phrases and their Compositionality,
2013; CBOW from Mikolov, Chen, Corrado and Dean, Efficient Estimation of Word Representations in Vector Space, 2013.
Left out: hierarchical softmax, phrases.

Every word has two vectors: v as a word that is looked up, u as one that is guessed. What people call "the" vector is v.
Shape legend: B batch, C places around a word (twice the window), N random words, D width of a vector.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class NegativeSampling(nn.Module):
    """The two tables, and the loss that both models share.

    Args:
        words: how many words there are.
        width: D.
        negatives: k, how many random words each true one weighs as much as, however many are drawn.
    """

    def __init__(self, words: int, width: int, negatives: int) -> None:
        super().__init__()
        self.negatives = negatives
        self.v = nn.Embedding(words, width)
        self.u = nn.Embedding(words, width)
        nn.init.uniform_(self.v.weight, -0.5 / width, 0.5 / width)
        nn.init.zeros_(self.u.weight)

    def noise_loss(self, v_BD: Tensor, negatives_BN: Tensor) -> Tensor:
        """Return ``B``: k times the mean of -log σ(-u·v) over the random words.

        Where all rows of `negatives_BN` are one row expanded (stride 0), one matrix product serves the whole batch.
        """
        if negatives_BN.stride(0) == 0:
            scores_BN = v_BD @ self.u(negatives_BN[0]).T
        else:
            scores_BN = torch.einsum("bd,bnd->bn", v_BD, self.u(negatives_BN))
        return self.negatives * F.softplus(scores_BN.float()).mean(-1)


class SkipGram(NegativeSampling):
    """Guesses the neighbors of a word from the word."""

    def forward(
        self, word_B: Tensor, around_BC: Tensor, there_BC: Tensor, negatives_BN: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the summed loss and the number of pairs of word and neighbor.

        Args:
            word_B: the words.
            around_BC: the words around each.
            there_BC: which of those places count; a window is not always full.
            negatives_BN: random words to tell them from.
        """
        v_BD = self.v(word_B)
        scores_BC = torch.einsum("bd,bcd->bc", v_BD, self.u(around_BC)).float()
        pair_loss_BC = F.softplus(-scores_BC) + self.noise_loss(v_BD, negatives_BN)[:, None]
        return (pair_loss_BC * there_BC).sum(), there_BC.sum()


class CBOW(NegativeSampling):
    """Guesses a word from its neighbors ("continuous bag of words"): from the mean of their vectors, in no order."""

    def forward(
        self, word_B: Tensor, around_BC: Tensor, there_BC: Tensor, negatives_BN: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the summed loss and the number of words that have a neighbor at all; arguments as for `SkipGram`."""
        neighbors_B = there_BC.sum(-1)
        v_BD = (self.v(around_BC) * there_BC[..., None]).sum(1) / neighbors_B.clamp(min=1)[:, None]
        scores_B = (v_BD * self.u(word_B)).sum(-1).float()
        loss_B = F.softplus(-scores_B) + self.noise_loss(v_BD, negatives_BN)
        return (loss_B * (neighbors_B > 0)).sum(), (neighbors_B > 0).sum()
