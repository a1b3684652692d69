"""One contest: the same rows, the same search budget, the same test rows for everybody.

Shape legend: N rows, K classes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.data.batches import seeded
from engine.data.examples import Examples, moments
from engine.labs.trees_against_nets.contestants import Config, Contestant

CHOOSING_SHARE = 1 / 3
"""Of the rows to learn from, what the settings of a search are compared on."""
SUREST = 1e-4
"""No answer is taken to be less probable, or one sure mistake would outweigh all else."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well test rows were predicted."""

    accuracy: float
    """Share right."""
    loss: float
    """Mean -log of the probability given to the right class, in nats."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one contestant reached on one table with some rows."""

    untuned: Score
    tuned: Score
    chosen: Config
    tried: int


def compete(contestant: Contestant, data: Examples, budget: int, seed: int) -> Outcome:
    """Fit as it comes, then with the best of `budget` settings, the ones that it comes with among them.

    A setting is judged by its log loss on a third of the rows, held out from the others; the best is then fitted on
    all rows.
    """
    untuned = score(contestant.fit(contestant.default, data, seed), data.valid_labels)
    draw = random.Random(f"{seed} {contestant.name} {data.name} {len(data.train_labels)}")
    configs = [contestant.default, *(contestant.draw(draw) for _ in range(budget - 1))]
    inner = inner_split(data, seed)
    losses = [score(contestant.fit(each, inner, seed), inner.valid_labels).loss for each in configs]
    best = losses.index(min(losses))
    tuned = score(contestant.fit(configs[best], data, seed), data.valid_labels) if best else untuned
    return Outcome(untuned, tuned, configs[best], budget)


def inner_split(data: Examples, seed: int) -> Examples:
    """Return the rows to learn from, split once more; every class keeps at least one row to learn from."""
    generator = seeded(seed, 0, torch.device("cpu"), stream=9)
    order = torch.randperm(len(data.train_labels), generator=generator)
    firsts = [order[data.train_labels[order] == each][:1] for each in range(len(data.classes))]
    is_first = torch.isin(order, torch.cat(firsts))
    order = torch.cat([order[~is_first], order[is_first]])
    cut = max(1, round(len(order) * CHOOSING_SHARE))
    held, rest = order[:cut], order[cut:]
    mean, deviation = moments(data.train_inputs[rest])
    return replace(
        data,
        train_inputs=data.train_inputs[rest],
        train_labels=data.train_labels[rest],
        valid_inputs=data.train_inputs[held],
        valid_labels=data.train_labels[held],
        mean=mean,
        deviation=deviation,
    )


def score(chances_NK: Tensor, labels_N: Tensor) -> Score:
    """Return accuracy and log loss of probabilities."""
    right = (chances_NK.argmax(1) == labels_N).float().mean()
    given = chances_NK.clamp(min=SUREST)
    given = given / given.sum(1, keepdim=True)
    return Score(float(right), float(-given[torch.arange(len(labels_N)), labels_N].log().mean()))


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)
