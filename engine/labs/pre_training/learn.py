"""A language model that answers: trained on examples by the loss of the answer's characters alone.

Radford et al., Improving Language Understanding by Generative Pre-Training, 2018; that the label is text which the
model writes, instead of a new last layer, is as in Raffel et al., Exploring the Limits of Transfer Learning with a
Unified Text-to-Text Transformer, 2019. All of the model is trained.

Shape legend: B batch, T time, K classes.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.data.batches import seeded
from engine.data.text import Characters
from engine.families.gpt.model import GPT
from engine.labs.pre_training.pairs import Pairs

BATCH = 8
WARMUP = 0.1
"""Share of the updates in which the learning rate rises; after them it falls to zero."""
LOOKS = 10
"""How often in a training the examples that are watched are looked at."""
CPU = torch.device("cpu")
IGNORED = -100
"""A target that does not count."""
Encoded = tuple[Tensor, Tensor]
"""Tokens ``BT`` and targets ``BT``; what is given, and what fills a row up, is `IGNORED` among the targets."""


def encode(pairs: Pairs, characters: Characters, context: int) -> Encoded:
    """Return examples as numbers; the end of a short one is filled up, which causal attention never looks at."""
    known = characters.numbers
    x_BT = torch.zeros(len(pairs), context, dtype=torch.int64)
    y_BT = torch.full((len(pairs), context), IGNORED)
    for row, (given, answer) in enumerate(zip(pairs.given, pairs.answers, strict=True)):
        before = [known[letter] for letter in given if letter in known] or [0]
        tokens = torch.tensor((before + [known[letter] for letter in answer if letter in known])[: context + 1])
        x_BT[row, : len(tokens) - 1] = tokens[:-1]
        y_BT[row, len(before) - 1 : len(tokens) - 1] = tokens[len(before) :]
    longest = max(1, int((y_BT != IGNORED).any(0).nonzero().max()) + 1) if (y_BT != IGNORED).any() else 1
    return x_BT[:, :longest], y_BT[:, :longest]


def learn(start: GPT, examples: Encoded, watched: Encoded, steps: int, learning_rate: float, seed: int) -> GPT:
    """Return a copy of `start` that was trained on the examples by AdamW, as it was when it did best on `watched`.

    Few examples are soon known by heart, many take long; stopping early gives each number of examples and each start
    the length of training that suits it.
    """
    model = copy.deepcopy(start).train()
    best, lowest = copy.deepcopy(model.state_dict()), mean_loss(model.eval(), watched)
    rule = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.0)
    x_BT, y_BT = examples
    for step in range(steps):
        rise, fall = (step + 1) / (WARMUP * steps), (1 - step / steps) / (1 - WARMUP)
        rule.param_groups[0]["lr"] = learning_rate * min(1.0, rise, fall)
        chosen = torch.randperm(len(x_BT), generator=seeded(seed, step, CPU))[:BATCH]
        model.train()
        rule.zero_grad()
        loss = F.cross_entropy(model(x_BT[chosen]).flatten(0, 1), y_BT[chosen].flatten(), ignore_index=IGNORED)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rule.step()
        if (step + 1) % max(1, steps // LOOKS) == 0:
            now = mean_loss(model.eval(), watched)
            if now < lowest:
                best, lowest = copy.deepcopy(model.state_dict()), now
    model.load_state_dict(best)
    return model.eval()


@torch.no_grad()
def losses(model: GPT, examples: Encoded) -> tuple[Tensor, Tensor]:
    """Return the summed loss of each answer, and how many characters it has: ``B``, ``B``."""
    sums: list[Tensor] = []
    for x_BT, y_BT in zip(*(torch.split(each, 64) for each in examples), strict=True):
        each_BT = F.cross_entropy(model(x_BT).transpose(1, 2), y_BT, ignore_index=IGNORED, reduction="none")
        sums.append(each_BT.sum(1))
    return torch.cat(sums), (examples[1] != IGNORED).sum(1)


def mean_loss(model: GPT, examples: Encoded) -> float:
    """Return the mean loss of the answers' characters, in nats."""
    sums_B, counts_B = losses(model, examples)
    return float(sums_B.sum() / counts_B.sum())


def accuracy(model: GPT, pairs: Pairs, characters: Characters) -> float:
    """Return the share of the examples whose own class is the likeliest of all; NaN where there are no classes."""
    if not pairs.classes:
        return math.nan
    scores = []
    for each in pairs.classes:
        asked = Pairs(pairs.given, (each,) * len(pairs), pairs.classes)
        scores.append(losses(model, encode(asked, characters, model.spec.context))[0])
    best_B = torch.stack(scores).argmin(0)
    labels_B = torch.tensor([pairs.classes.index(answer) for answer in pairs.answers])
    return float((best_B == labels_B).float().mean())
