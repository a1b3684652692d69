"""Generative adversarial networks: knobs, presets, panels and plays. Torch-free."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from engine.core.errors import UsageError
from engine.core.spec import Family, Metric, Panel, Play, Preset, Reference, Settings, Spec, knob

SMALLEST_SIDE = 7
"""Pixels; the convolutional players halve a picture as long as it is larger than this."""


@dataclass(frozen=True, kw_only=True)
class GANSpec(Spec):
    """Knobs of both players and of the game between them.

    Raises:
        UsageError: knobs that do not go together.
    """

    data: str = knob("ring", "What is to be imitated.", entry="data-split")
    architecture: str = knob(
        "full",
        "What both players are made of: layers that see everything, or convolutions for pictures.",
        choices=("full", "convolutional"),
        entry="generator-and-discriminator",
    )
    conditional: bool = knob(
        False, "Whether both players are told the class, so that one can be asked for.", entry="conditional-generation"
    )
    shrink: int = knob(
        1, "Squares of how many pixels a side are averaged to one.", low=1, high=8, unit="pixels", entry="pooling"
    )
    latent: int = knob(
        16, "How many numbers of noise the generator starts from.", low=1, high=1024, entry="latent-space"
    )
    width: int = knob(
        128,
        "Units of a hidden layer, or channels at full size; with each halving of a picture twice as many.",
        low=1,
        high=4096,
        entry="generator-and-discriminator",
    )
    depth: int = knob(
        3, "Hidden layers of each player, where they are full.", low=1, high=16, unit="layers",
        entry="multilayer-perceptron",
    )  # fmt: skip
    discriminator_rate: float = knob(
        1.0,
        "Learning rate of the discriminator, relative to the generator's.",
        low=0.001,
        high=1000.0,
        unit="times",
        entry="generator-and-discriminator",
    )
    momentum: float = knob(
        0.5,
        "Memory of the averaged gradient under adamw; what was right against the last opponent is soon wrong.",
        low=0.0,
        high=0.99,
        entry="adam",
    )
    penalty: float = knob(
        0.0,
        "Weight of the discriminator's squared slope at real examples (R1); 0 leaves it out.",
        low=0.0,
        high=1000.0,
        entry="mode-collapse",
        live="recapture",
    )
    epochs: float = knob(
        100.0,
        "How often the run sees every training example.",
        low=0.001,
        high=1e6,
        unit="passes",
        entry="epoch-and-step",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data == "ring" and self.architecture == "convolutional":
            raise UsageError("Convolutions want pictures; ring has points of a plane.", "Set architecture=full.")

    def total_samples(self, examples: int) -> int:
        """Return the samples of the run: passes times examples."""
        return math.ceil(self.epochs * examples)

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of weights of both players."""
        return sum(layer.weights for player in self.players(inputs, outputs) for layer in player)

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Count multiplications and additions of one step of both players, on one real and one made example.

        The generator goes forward twice and back once: 4 times forward's work. The discriminator sees the real and the
        made example forward and back, and the made one once more, back to its input: 8 times, with the penalty 11.
        """
        made, told = (sum(2 * layer.products for layer in player) for player in self.players(inputs, outputs))
        return 4 * made + (11 if self.penalty else 8) * told

    def players(self, inputs: int, outputs: int) -> tuple[list[Layer], list[Layer]]:
        """Return the layers of generator and discriminator for examples of that many numbers."""
        classes = outputs if self.conditional else 0
        start = 2 * self.latent if classes else self.latent
        generator = [Layer(self.latent, classes, places=0, bias=0)] if classes else []
        verdict = self.width if self.architecture == "full" else 4 * self.width
        last = [Layer(verdict, 1), *([Layer(verdict, classes, places=0, bias=0)] if classes else [])]
        if self.architecture == "full":
            numbers = inputs if inputs == 2 else inputs // self.shrink**2
            hidden = [self.width] * self.depth
            return generator + _full(start, *hidden, numbers), [*_full(numbers, *hidden), *last]
        return self._convolutional(inputs, start, generator, last)

    def _convolutional(
        self, inputs: int, start: int, generator: list[Layer], last: list[Layer]
    ) -> tuple[list[Layer], list[Layer]]:
        """Return the layers of both players for square gray pictures."""
        side = math.isqrt(inputs) // self.shrink
        sides = [side]
        while sides[-1] > SMALLEST_SIDE and sides[-1] % 2 == 0:
            sides.append(sides[-1] // 2)
        channels = [self.width * 2**level for level in range(len(sides))]
        area = sides[-1] ** 2
        generator = [*generator, Layer(start, channels[-1] * area)]
        for level in range(len(sides) - 1, 0, -1):
            # Each output of a transposed convolution with steps of two is made from a quarter of the kernel.
            generator.append(Layer(16 * channels[level], channels[level - 1], places=sides[level - 1] ** 2 / 4))
        generator.append(Layer(9 * channels[0], 1, places=side * side))
        discriminator = [
            Layer(16 * before, after, places=sides[level + 1] ** 2)
            for level, (before, after) in enumerate(pairwise([1, *channels[:-1]]))
        ]
        discriminator.append(Layer(9 * ([1, *channels][-2]), channels[-1], places=area))
        return generator, [*discriminator, Layer(channels[-1] * area, 4 * self.width), *last]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: how many numbers an output is made from, how many outputs, at how many places."""

    inputs: int
    outputs: int
    places: float = 1
    bias: int = 1

    @property
    def weights(self) -> int:
        """Weights and biases."""
        return (self.inputs + self.bias) * self.outputs

    @property
    def products(self) -> int:
        """Multiplications of a forward pass."""
        return round(self.inputs * self.outputs * self.places)


def _full(*widths: int) -> list[Layer]:
    """Return layers in which every output sees every input."""
    return [Layer(before, after) for before, after in pairwise(widths)]


@dataclass(frozen=True, kw_only=True)
class SampleSettings(Settings):
    """What is drawn."""

    count: int = knob(30, "How many samples.", low=1, high=1000, unit="samples")
    label: str = knob(
        "", "The class to draw, by name or number; empty draws all in turn.", entry="conditional-generation"
    )
    seed: int = knob(0, "Of the noise.", low=0, high=10**9, entry="seed-and-reproducibility")


@dataclass(frozen=True, kw_only=True)
class InterpolateSettings(Settings):
    """Between which two places of the space of noise to walk."""

    seed: int = knob(0, "Of the noise at the start.", low=0, high=10**9, entry="seed-and-reproducibility")
    to_seed: int = knob(1, "Of the noise at the end.", low=0, high=10**9, entry="seed-and-reproducibility")
    count: int = knob(10, "How many samples on the way, both ends included.", low=2, high=1000, unit="samples")
    label: str = knob(
        "", "The class to draw, by name or number; empty takes the first.", entry="conditional-generation"
    )


SAMPLE = Play(
    name="sample", help="Draw new samples from noise.", settings=SampleSettings, act="engine.play.sample:sample",
    words="label",
)  # fmt: skip
INTERPOLATE = Play(
    name="interpolate",
    help="Walk from one noise to another and see what is drawn on the way.",
    settings=InterpolateSettings,
    act="engine.play.sample:interpolate",
    words="label",
)

HALF = "D says one half"
PANELS = (
    Panel(
        events=("discriminator", "points"), kind="surface", title="What the discriminator holds real",
        entry="generator-and-discriminator",
    ),
    Panel(events=("samples",), kind="pictures", title="Samples, from the same noise", entry="latent-space"),
    Panel(events=("points",), kind="points", title="Real points and generated ones", entry="latent-space"),
    Panel(
        events=("train/discriminator_loss", "train/generator_loss"), kind="line", title="Loss of both",
        unit="nats per example", entry="generative-adversarial-network",
        references=(Reference("2 ln 2", 2 * math.log(2), HALF), Reference("ln 2", math.log(2), HALF)),
    ),
    Panel(
        events=("train/real", "train/made", "train/made_after"), kind="line", title="D(x), D(G(z)), D(G(z)) after",
        unit="probability", entry="generator-and-discriminator", references=(Reference("one half", 0.5, HALF),),
    ),
    Panel(events=("valid/fid",), kind="line", title="Classifier-FID of samples", entry="fid"),
    Panel(events=("valid/wasserstein",), kind="line", title="Sliced Wasserstein distance", entry="fid"),
    Panel(events=("valid/modes",), kind="line", title="Modes found", unit="of 8", entry="mode-collapse"),
    Panel(events=("valid/on_modes",), kind="line", title="Samples on a mode", unit="%", entry="mode-collapse"),
    Panel(
        events=("valid/recognized",), kind="line", title="Taken for the class asked for", unit="%",
        entry="conditional-generation",
    ),
    Panel(events=("classes of samples",), kind="histogram", title="Classes of samples", entry="mode-collapse"),
    Panel(
        events=("asked and taken for",), kind="heatmap", title="Asked for, taken for", unit="samples",
        entry="conditional-generation",
    ),
    Panel(
        events=("train/discriminator_gradient", "train/generator_gradient"), kind="line", title="Gradient norms",
        entry="exploding-gradient-and-clipping",
    ),
    Panel(events=("train/penalty",), kind="line", title="Squared slope at real examples", entry="mode-collapse"),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="examples/s", entry="throughput-and-mfu"),
    Panel(events=(), kind="hardware", title="Hardware"),
    Panel(events=(), kind="log", title="Log"),
)  # fmt: skip

FAMILY = Family(
    name="gan",
    title="Generative adversarial network",
    summary="Two networks in a contest: one makes fakes, the other spots them, and the fakes become convincing.",
    entry="generative-adversarial-network",
    spec=GANSpec,
    presets=(
        Preset(
            name="quick",
            seconds=20.0,
            help="Eight clusters on a circle, to be found from noise without being told of them.",
            knobs={
                "data": "ring",
                "width": 128,
                "depth": 3,
                "latent": 8,
                "batch_size": 256,
                "learning_rate": 0.001,
                "penalty": 0.5,
                "ema": 0.99,
                "epochs": 200.0,
            },
        ),
        Preset(
            name="digits",
            help="Handwritten digits of 8 by 8 pixels, each on demand.",
            knobs={
                "data": "digits",
                "conditional": True,
                "width": 256,
                "depth": 2,
                "latent": 32,
                "batch_size": 128,
                "learning_rate": 0.001,
                "penalty": 1.0,
                "ema": 0.998,
                "epochs": 300.0,
            },
        ),
        Preset(
            name="real",
            help="Pictures of clothes (Fashion-MNIST), 14 by 14 pixels, by class.",
            knobs={
                "data": "fashion-mnist",
                "shrink": 2,
                "architecture": "convolutional",
                "conditional": True,
                "width": 32,
                "latent": 64,
                "batch_size": 64,
                "learning_rate": 0.001,
                "penalty": 1.0,
                "ema": 0.999,
                "epochs": 4.0,
            },
        ),
        Preset(
            name="standard",
            help="Fashion-MNIST at its full 28 by 28 pixels, for a GPU.",
            knobs={
                "data": "fashion-mnist",
                "architecture": "convolutional",
                "conditional": True,
                "width": 64,
                "latent": 128,
                "batch_size": 256,
                "learning_rate": 0.001,
                "penalty": 1.0,
                "ema": 0.999,
                "epochs": 60.0,
            },
        ),
    ),
    panels=PANELS,
    headline=(
        Metric(name="valid/modes", title="Modes found", unit="of 8", higher=True),
        Metric(name="valid/wasserstein", title="Sliced Wasserstein distance"),
        Metric(name="valid/fid", title="Classifier-FID"),
    ),
    learner="engine.families.gan.learner:GANLearner",
    data=("ring", "digits", "fashion-mnist"),
    plays=(SAMPLE, INTERPOLATE),
    code=(
        "families/gan/model.py",
        "families/gan/learner.py",
        "families/gan/measures.py",
        "look/fid.py",
        "look/lines.py",
        "families/gan/spec.py",
    ),
)
