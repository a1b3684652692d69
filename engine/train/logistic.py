"""Logistic regression, the linear model that every classifier has to beat."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from engine.data.batches import Shuffled, in_order
from engine.data.examples import Examples
from engine.train.rules import AdamW, Group
from engine.train.schedule import learning_rate_scale

BATCH = 256
LEAST_STEPS = 400
PASSES = 4
RATE = 0.1
"""Divided by the root of the number of features, so that the score of an example moves as fast with many as with few.
"""

PULL = 0.01
"""Decoupled weight decay; keeps the weights of separable data finite."""


def logistic_accuracy(data: Examples, seed: int) -> float:
    """Return the validation accuracy of a linear model trained on the same split: scores = x W + b, cross-entropy.

    The answer lies within a point of what full convergence gives; it does not touch the global generators.
    """
    features = data.train_inputs[0].numel()
    device = data.train_inputs.device
    weight_FK = torch.zeros(features, data.outputs, device=device, requires_grad=True)
    bias_K = torch.zeros(data.outputs, device=device, requires_grad=True)
    rate = torch.zeros((), device=device)
    rule = AdamW([Group([weight_FK, bias_K], rate, decay=PULL)])
    batches = Shuffled((data.train_inputs, data.train_labels), BATCH, seed, data.prepare)
    steps = max(LEAST_STEPS, round(PASSES * batches.epoch_steps))
    held = torch.zeros((), device=device)
    with torch.enable_grad():
        for step in range(steps):
            inputs, labels_N = batches.at(step)
            loss = F.cross_entropy(inputs.flatten(1) @ weight_FK + bias_K, labels_N)
            weight_FK.grad, bias_K.grad = torch.autograd.grad(loss, (weight_FK, bias_K))
            rate.fill_(RATE * learning_rate_scale((step + 0.5) / steps, 0.05, 0.8) / features**0.5)
            rule.step(held)
    right = torch.zeros((), device=device)
    with torch.no_grad():
        for inputs, labels_N in in_order((data.valid_inputs, data.valid_labels), 1000, data.prepare):
            right += ((inputs.flatten(1) @ weight_FK + bias_K).argmax(1) == labels_N).sum()
    return float(right) / len(data.valid_labels)
