"""Who competes: how each is fitted as it comes, and which settings a search may draw for it.

Shape legend: N rows, F features, K classes.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from engine.core.spec import Value
from engine.data.examples import Examples
from engine.families.mlp.learner import MLPLearner
from engine.families.mlp.spec import MLPSpec
from engine.train.learner import Setting
from engine.train.randomness import seed_everything
from engine.train.schedule import learning_rate_scale

Config = Mapping[str, Any]
MOST_STEPS = 3000
"""Updates that a network makes at most, however many rows there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A method: how it is fitted, its settings as it comes, and what a search draws."""

    name: str
    default: Config
    draw: Callable[[random.Random], Config]
    fit: Callable[[Config, Examples, int], Tensor]
    """Takes settings, rows to learn from and to predict, and a seed; returns the probabilities ``NK`` of the latter."""


def even(draw: random.Random, low: float, high: float) -> float:
    """Return a number whose logarithm is drawn evenly."""
    return math.exp(draw.uniform(math.log(low), math.log(high)))


def fit_sklearn(model: Any, data: Examples, *, standardized: bool) -> Tensor:
    """Fit one of scikit-learn's classifiers; return probabilities of every class, also of those it never saw."""
    prepare = data.prepare if standardized else Tensor.float
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(prepare(data.train_inputs).numpy(), data.train_labels.numpy())
        known = torch.from_numpy(model.predict_proba(prepare(data.valid_inputs).numpy())).float()
    chances_NK = torch.zeros(len(known), len(data.classes))
    chances_NK[:, torch.from_numpy(model.classes_)] = known
    return chances_NK


def fit_logistic(config: Config, data: Examples, seed: int) -> Tensor:
    """Fit a linear model on standardized columns."""
    from sklearn.linear_model import LogisticRegression

    return fit_sklearn(LogisticRegression(max_iter=1000, random_state=seed, **config), data, standardized=True)


def fit_forest(config: Config, data: Examples, seed: int) -> Tensor:
    """Fit a random forest (Breiman 2001)."""
    from sklearn.ensemble import RandomForestClassifier

    return fit_sklearn(RandomForestClassifier(random_state=seed, **config), data, standardized=False)


def fit_boosting(config: Config, data: Examples, seed: int) -> Tensor:
    """Fit gradient boosting on binned columns, as in LightGBM (Ke et al. 2017)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(random_state=seed, **config)
    return fit_sklearn(model, data, standardized=False)


def fit_network(config: Config, data: Examples, seed: int) -> Tensor:
    """Train the project's own multilayer perceptron by its own update rules."""
    spec = MLPSpec.of(cast("Mapping[str, Value]", config))
    steps = min(MOST_STEPS, max(1, math.ceil(spec.total_samples(len(data.train_inputs)) / spec.batch_size)))
    seed_everything(seed)
    learner = MLPLearner(Setting(spec, data, seed, torch.device("cpu"), total_steps=steps))
    batches = learner.batches()
    learner.mode(training=True)
    for step in range(steps):
        learner.optimizers.schedule(learning_rate_scale(step / steps, spec.warmup, spec.cooldown))
        learner.train_step(batches.at(step))
    learner.mode(training=False)
    with torch.no_grad():
        scores: Tensor = learner.modules["model"](data.prepare(data.valid_inputs))
        return scores.float().softmax(1)


def draw_logistic(draw: random.Random) -> Config:
    """Draw how little it is held back."""
    return {"C": even(draw, 1e-3, 1e3)}


def draw_forest(draw: random.Random) -> Config:
    """Draw how much its trees differ from one another, and how deep they go."""
    return {
        "max_features": draw.choice(["sqrt", 0.3, 0.6, 1.0]),
        "min_samples_leaf": draw.choice([1, 2, 4, 8]),
        "max_depth": draw.choice([None, None, 4, 8]),
    }


def draw_boosting(draw: random.Random) -> Config:
    """Draw how many trees follow one another, how much each adds, and how fine they are."""
    return {
        "learning_rate": even(draw, 0.02, 0.3),
        "max_iter": draw.choice([25, 50, 100]),
        "max_leaf_nodes": draw.choice([4, 8, 16, 31]),
        "min_samples_leaf": draw.choice([2, 5, 10, 20]),
        "l2_regularization": even(draw, 1e-3, 10.0),
    }


NETWORK: dict[str, Value] = {
    "width": 128, "depth": 2, "learning_rate": 0.003, "weight_decay": 0.01, "batch_size": 32, "epochs": 60.0,
}  # fmt: skip
"""What one would try first."""


def draw_network(draw: random.Random) -> Config:
    """Draw its size, how it is held back, and how long and how fast it learns."""
    return {
        **NETWORK,
        "width": draw.choice([32, 64, 128, 256]),
        "depth": draw.choice([1, 2, 3]),
        "learning_rate": even(draw, 3e-4, 1e-2),
        "weight_decay": even(draw, 1e-3, 1.0),
        "dropout": draw.choice([0.0, 0.1, 0.3, 0.5]),
        "epochs": draw.choice([15.0, 30.0, 60.0, 100.0]),
    }


CONTESTANTS = (
    Contestant(name="logistic", default={}, draw=draw_logistic, fit=fit_logistic),
    Contestant(name="forest", default={}, draw=draw_forest, fit=fit_forest),
    Contestant(name="boosting", default={}, draw=draw_boosting, fit=fit_boosting),
    Contestant(name="network", default=NETWORK, draw=draw_network, fit=fit_network),
)
"""In the order of `engine.labs.trees_against_nets.lab.NAMES`."""
