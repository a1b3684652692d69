"""What one reaches without a network: tokens guessed by counting, sentences judged by a linear model of their words.

Shape legend: B windows, T time, P hidden places, N sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data.batches import Batch
from engine.data.sentences import Sentences
from engine.families.bert.vocabulary import FIRST, PAD, split

Ints = NDArray[np.int64]


def fill_in_baselines(
    train_tokens: Tensor, windows: Sequence[Batch], vocabulary: int
) -> Iterator[tuple[str, str, float, str]]:
    """Yield metric, name, value and source of three ways to guess hidden tokens by what was counted in the training
    text: the most frequent token, the one that follows its left neighbor most often, the one that stands most often
    between its two neighbors. They see the true neighbors, also where these are hidden from the model.

    Args:
        train_tokens: numbers of the training text, on the CPU.
        windows: ``(x_BT, places_BP, targets_BP, kinds_BP)`` each, on any device.
        vocabulary: how many tokens there are.
    """
    if not windows:
        return
    train: Ints = train_tokens.numpy()
    left, target, right = (np.concatenate(each) for each in zip(*map(_neighbors, windows), strict=True))
    counts = np.bincount(train, minlength=vocabulary)
    counts[:FIRST] = 0
    shares = (counts + 1) / (counts + 1).sum()
    yield "loss", "unigram", float(-np.log(shares[target]).mean()), "the share of each token in the training text"

    most_frequent = np.full(len(target), counts.argmax())
    yield "accuracy", "most frequent", float((most_frequent == target).mean()), "always the most frequent token"

    by_left = _likeliest(train[:-1], train[1:], left, most_frequent)
    yield "accuracy", "left neighbor", float((by_left == target).mean()), "what most often follows the token before"

    between_train, between = train[:-2] * vocabulary + train[2:], left * vocabulary + right
    by_both = _likeliest(between_train, train[1:-1], between, by_left)
    yield "accuracy", "both neighbors", float((by_both == target).mean()), "what most often stands between the two"


def _neighbors(window: Batch) -> tuple[Ints, Ints, Ints]:
    """Return the true token before each hidden place, that at it, and that after it; `PAD` beyond the window."""
    x_BT, places_BP, targets_BP, _ = (tensor.cpu() for tensor in window)
    true_BT = torch.nn.functional.pad(x_BT.scatter(1, places_BP, targets_BP), (1, 1), value=PAD)
    left, right = (true_BT.gather(1, places_BP + beside).flatten().numpy() for beside in (0, 2))
    return left, targets_BP.flatten().numpy(), right


def _likeliest(contexts: Ints, tokens: Ints, asked: Ints, otherwise: Ints) -> Ints:
    """Return for each context that is asked for the token that was seen in it most often, `otherwise` where none was.

    Args:
        contexts: seen, one for each of `tokens`.
        tokens: what was seen in it; special ones do not count.
        asked: the contexts to answer for.
        otherwise: an answer for each of them.
    """
    text = tokens >= FIRST
    pairs, counts = np.unique(np.stack([contexts[text], tokens[text]]), axis=1, return_counts=True)
    if not counts.size:
        return otherwise
    order = np.lexsort((counts, pairs[0]))
    seen, last = pairs[0][order], np.append(pairs[0][order][1:] != pairs[0][order][:-1], True)
    known, best = seen[last], pairs[1][order][last]
    place = np.searchsorted(known, asked).clip(max=len(known) - 1)
    answers: Ints = np.where(known[place] == asked, best[place], otherwise)
    return answers


def bag_of_words_accuracy(data: Sentences) -> float:
    """Return the validation accuracy of a logistic regression on which words a sentence has, whatever their order."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    words = CountVectorizer(analyzer=split, binary=True, min_df=2)
    train_NF, valid_NF = words.fit_transform(data.train_texts), words.transform(data.valid_texts)
    linear = LogisticRegression(C=0.3, max_iter=200).fit(train_NF, data.train_labels.cpu().numpy())
    return float((linear.predict(valid_NF) == data.valid_labels.cpu().numpy()).mean())
