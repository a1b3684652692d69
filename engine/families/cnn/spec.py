"""Convolutional networks for pictures: knobs, presets and panels. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from engine.core.picture_spec import PictureSpec
from engine.core.spec import Family, Metric, Panel, Preset, Value, knob
from engine.play.kinds import CLASSIFY

ARCHITECTURES = ("lenet5", "alexnet", "vgg")
ALEXNET_HIDDEN = 512
VGG_PLAN = ((32,), (64,), (128, 128))
VGG_HIDDEN = 128
"""Sizes for small pictures; AlexNet has 4,096 hidden units, VGG-11 eight convolutions of 64 to 512 channels."""


@dataclass(frozen=True, kw_only=True)
class CNNSpec(PictureSpec):
    """Knobs of a convolutional network."""

    architecture: str = knob(
        "lenet5",
        "Which of the classic plans the network follows.",
        choices=ARCHITECTURES,
        entry="convolutional-neural-network",
    )
    channels: float = knob(
        1.0,
        "How many channels each layer has, relative to the plan.",
        low=0.1,
        high=16.0,
        unit="times the plan",
        entry="feature-map",
    )
    dropout: float = knob(
        0.0,
        "Share of the units before the last layers that each step leaves out.",
        low=0.0,
        high=0.95,
        entry="dropout",
        live="recapture",
    )

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of weights and biases."""
        return sum(layer.weights for layer in self.layers(inputs, outputs))

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Count multiplications and additions of forward and backward: a filter works once at every place."""
        return sum(6 * layer.weights * layer.places for layer in self.layers(inputs, outputs))

    def layers(self, inputs: int, outputs: int) -> list[Layer]:
        """Return the layers of the network for square pictures of that many numbers."""
        colors, side = self.picture(inputs)
        plan = {"lenet5": self._lenet5, "alexnet": self._alexnet, "vgg": self._vgg}[self.architecture]
        return plan(colors, side, outputs)

    def _scaled(self, *planned: int) -> list[int]:
        return [max(1, round(self.channels * each)) for each in planned]

    def _lenet5(self, colors: int, side: int, classes: int) -> list[Layer]:
        c1, c2, f3, f4 = self._scaled(6, 16, 120, 84)
        inner = side // 2 - (4 if side >= 16 else 0)
        convolutions = [Layer(colors * 25, c1, side * side), Layer(c1 * 25, c2, inner * inner)]
        return [*convolutions, *_full(c2 * (inner // 2) ** 2, f3, f4, classes)]

    def _alexnet(self, colors: int, side: int, classes: int) -> list[Layer]:
        c1, c2, c3, c4, c5 = self._scaled(64, 192, 384, 256, 256)
        first, second, third = side, (side + 1) // 2, (side + 3) // 4
        last = (third + 1) // 2
        return [
            Layer(colors * 25, c1, first * first),
            Layer(c1 * 25, c2, second * second),
            Layer(c2 * 9, c3, third * third),
            Layer(c3 * 9, c4, third * third),
            Layer(c4 * 9, c5, third * third),
            *_full(c5 * last * last, ALEXNET_HIDDEN, ALEXNET_HIDDEN, classes),
        ]

    def _vgg(self, colors: int, side: int, classes: int) -> list[Layer]:
        layers, before = [], colors
        for block in VGG_PLAN:
            for after in self._scaled(*block):
                layers.append(Layer(before * 9, after, side * side))
                before = after
            side //= 2
        return [*layers, *_full(before * side * side, VGG_HIDDEN, classes)]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: how many numbers an output is made from, how many outputs, at how many places of the picture."""

    inputs: int
    outputs: int
    places: int = 1

    @property
    def weights(self) -> int:
        """Weights and biases."""
        return (self.inputs + 1) * self.outputs


def _full(*widths: int) -> list[Layer]:
    """Return layers in which every output sees every input."""
    return [Layer(before, after) for before, after in pairwise(widths)]


FASHION: dict[str, Value] = {"data": "fashion-mnist", "architecture": "vgg", "mirror": True, "shift": 1}

PANELS = (
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
    Panel(events=("first-layer filters",), kind="pictures", title="First-layer filters", entry="convolution"),
    Panel(events=("feature maps",), kind="pictures", title="One picture after the first layer", entry="feature-map"),
    Panel(events=("mistakes",), kind="pictures", title="Surest mistakes", entry="confusion-matrix"),
    Panel(events=("by class",), kind="table", title="By class", entry="precision-and-recall"),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="examples/s", entry="throughput-and-mfu"),
    Panel(events=(), kind="hardware", title="Hardware"),
    Panel(events=(), kind="log", title="Log"),
)

FAMILY = Family(
    name="cnn",
    title="Convolutional network",
    summary="Small filters that slide over a picture and look for the same thing everywhere.",
    entry="convolutional-neural-network",
    spec=CNNSpec,
    presets=(
        Preset(
            name="quick",
            seconds=4.0,
            help="LeNet-5 on handwritten digits of 8 by 8 pixels.",
            knobs={
                "data": "digits",
                "architecture": "lenet5",
                "channels": 2.0,
                "batch_size": 64,
                "learning_rate": 0.003,
                "weight_decay": 0.05,
                "shift": 1,
                "epochs": 30.0,
            },
        ),
        Preset(
            name="mnist",
            help="LeNet-5 on MNIST, what it was made for.",
            knobs={
                "data": "mnist",
                "architecture": "lenet5",
                "channels": 2.0,
                "batch_size": 128,
                "learning_rate": 0.003,
                "weight_decay": 0.05,
                "epochs": 2.0,
            },
        ),
        Preset(
            name="real",
            help="A VGG-style network on pictures of clothes in ten classes (Fashion-MNIST).",
            knobs={
                **FASHION,
                "batch_size": 128,
                "optimizer": "muon",
                "learning_rate": 0.02,
                "weight_decay": 0.05,
                "epochs": 3.0,
            },
        ),
        Preset(
            name="standard",
            help="A wider VGG-style network on Fashion-MNIST, for a GPU.",
            knobs={
                **FASHION,
                "channels": 2.0,
                "batch_size": 512,
                "learning_rate": 0.002,
                "weight_decay": 0.1,
                "dropout": 0.3,
                "label_smoothing": 0.1,
                "epochs": 30.0,
            },
        ),
    ),
    panels=PANELS,
    headline=(
        Metric(name="valid/accuracy", title="Accuracy", unit="%", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats per example"),
    ),
    learner="engine.families.cnn.learner:CNNLearner",
    data=("digits", "mnist", "fashion-mnist", "cifar-10"),
    own_data="a folder of pictures by class",
    plays=(CLASSIFY,),
    code=(
        "families/cnn/model.py",
        "families/cnn/learner.py",
        "train/picture_classifier.py",
        "train/classifier.py",
        "data/augment.py",
        "families/cnn/spec.py",
    ),
)
