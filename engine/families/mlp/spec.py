"""The multilayer perceptron: its knobs, presets and panels. Torch-free."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from engine.core.spec import Family, Metric, Panel, Preset, Spec, knob
from engine.play.kinds import CLASSIFY


@dataclass(frozen=True, kw_only=True)
class MLPSpec(Spec):
    """Knobs of a multilayer perceptron."""

    data: str = knob("spiral", "The data set to train on; a path names a CSV file of your own.", entry="data-split")
    target: str = knob(
        "", "Of a CSV file, the name of the column to predict; empty takes the last.", entry="supervised-learning"
    )
    depth: int = knob(
        3,
        "How many hidden layers; 0 makes it a linear model.",
        low=0,
        high=64,
        unit="layers",
        entry="multilayer-perceptron",
    )
    width: int = knob(
        64, "How many units a hidden layer has.", low=1, high=16384, unit="units", entry="multilayer-perceptron"
    )
    activation: str = knob(
        "relu",
        "The bend between two layers; identity makes all layers together one linear map.",
        choices=("identity", "relu", "tanh", "sigmoid", "gelu"),
        entry="activation-function",
    )
    dropout: float = knob(
        0.0,
        "Share of the hidden units that each step leaves out.",
        low=0.0,
        high=0.95,
        entry="dropout",
        live="recapture",
    )
    epochs: float = knob(
        150.0,
        "How often the run sees every training example.",
        low=0.001,
        high=1e6,
        unit="passes",
        entry="epoch-and-step",
    )

    def total_samples(self, examples: int) -> int:
        """Return the samples of the run: passes times examples."""
        return math.ceil(self.epochs * examples)

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of weights and biases: per layer, inputs times outputs and one bias an output."""
        widths = [inputs, *[self.width] * self.depth, outputs]
        return sum((before + 1) * after for before, after in pairwise(widths))


PANELS = (
    Panel(events=("decision surface", "data"), kind="surface", title="Decision surface", entry="multilayer-perceptron"),
    Panel(
        events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per example", entry="cross-entropy"
    ),
    Panel(
        events=("train/accuracy", "valid/accuracy"),
        kind="line",
        title="Accuracy",
        unit="%",
        entry="accuracy",
    ),
    Panel(
        events=("confusion matrix",),
        kind="heatmap",
        title="Confusion matrix",
        unit="examples",
        entry="confusion-matrix",
    ),
    Panel(events=("first-layer filters",), kind="pictures", title="What the first layer looks for", entry="neuron"),
    Panel(events=("mistakes",), kind="pictures", title="Surest mistakes", entry="confusion-matrix"),
    Panel(events=("by class",), kind="table", title="By class", entry="accuracy"),
    Panel(
        events=("valid/rmse",),
        kind="line",
        title="Error",
        unit="unit of the target",
        entry="classification-and-regression",
    ),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="examples/s", entry="throughput-and-mfu"),
    Panel(events=(), kind="hardware", title="Hardware"),
    Panel(events=(), kind="log", title="Log"),
)

FAMILY = Family(
    name="mlp",
    title="Multilayer perceptron",
    summary="Layers of weighted sums with a bend between them: the plainest neural network, and a part of all others.",
    entry="multilayer-perceptron",
    spec=MLPSpec,
    presets=(
        Preset(
            name="quick",
            seconds=4.0,
            help="Two spirals that no straight line separates, or any small data set.",
            knobs={
                "data": "spiral",
                "width": 64,
                "depth": 3,
                "batch_size": 64,
                "learning_rate": 0.005,
                "epochs": 300.0,
            },
        ),
        Preset(
            name="real",
            help="Pictures of clothes in ten classes (Fashion-MNIST).",
            knobs={
                "data": "fashion-mnist",
                "width": 256,
                "depth": 2,
                "batch_size": 512,
                "optimizer": "muon",
                "learning_rate": 0.02,
                "weight_decay": 0.05,
                "dropout": 0.1,
                "epochs": 8.0,
            },
        ),
        Preset(
            name="standard",
            help="Fashion-MNIST with a wide network, for a GPU.",
            knobs={
                "data": "fashion-mnist",
                "width": 2048,
                "depth": 3,
                "batch_size": 1024,
                "learning_rate": 0.001,
                "epochs": 40.0,
                "dropout": 0.3,
                "weight_decay": 0.1,
            },
        ),
    ),
    panels=PANELS,
    headline=(
        Metric(name="valid/accuracy", title="Accuracy", unit="%", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats per example"),
        Metric(name="valid/rmse", title="Error", unit="unit of the target"),
    ),
    learner="engine.families.mlp.learner:MLPLearner",
    data=("spiral", "moons", "rings", "digits", "breast-cancer", "wine", "fashion-mnist", "mnist"),
    own_data="a table (CSV) or a folder of pictures by class",
    plays=(CLASSIFY,),
    code=("families/mlp/model.py", "families/mlp/learner.py", "train/classifier.py", "families/mlp/spec.py"),
)
