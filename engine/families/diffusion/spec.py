"""Diffusion and flow matching: knobs, presets, panels and plays. Torch-free."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.errors import UsageError
from engine.core.spec import Family, Metric, Panel, Play, Preset, Settings, Spec, Value, knob

GROUPS = 8
"""Of channels, that a picture's network normalizes together."""
HEAD_WIDTH = 32
"""Channels of an attention head."""
CONDITION = 128
"""Channels of time and class, however wide the network."""
PLANE = 2
"""Numbers of a point in the plane; what has more is a picture."""

OBJECTIVES = ("noise", "velocity", "data")
SCHEDULES = ("linear", "cosine", "straight")
SAMPLERS = ("ddpm", "ddim", "heun")
SAMPLERS_HELP = (
    "How samples are drawn. ddpm: in random steps; ddim: without new chance; heun: with a second look at each step."
)


@dataclass(frozen=True, kw_only=True)
class DiffusionSpec(Spec):
    """Knobs of a diffusion model: how noise comes in, what the network learns, how samples are drawn, its size.

    Raises:
        UsageError: the noise is asked for where a mixture has nothing else in it, guidance where the network does not
            learn with classes and without, or channels that cannot be shared out.
    """

    data: str = knob("ring", "The points or pictures to make more of.", entry="data-split")
    pool: int = knob(
        1,
        "Side of the squares of pixels that are averaged into one, so that pictures get smaller.",
        low=1,
        high=8,
        unit="pixels",
        entry="pooling",
    )
    objective: str = knob(
        "noise",
        "What the network says of a mixture. noise: its noise; velocity: the way from data to noise; data: its data.",
        choices=OBJECTIVES,
        entry="noise-prediction-objective",
    )
    schedule: str = knob(
        "cosine",
        "How noise comes in. linear: by the chain of 2020; cosine: more evenly; straight: on a line (flow matching).",
        choices=SCHEDULES,
        entry="forward-process-and-noise-schedule",
    )
    sampler: str = knob(
        "ddim",
        SAMPLERS_HELP,
        choices=SAMPLERS,
        entry="ddpm-and-ddim-sampling",
    )
    sampling_steps: int = knob(
        20, "Steps from noise to a sample.", low=1, high=1000, unit="steps", entry="ddpm-and-ddim-sampling"
    )
    guidance: float = knob(
        1.0,
        "How much a class is exaggerated in the samples: 1 not at all, 0 ignores it.",
        low=0.0,
        high=50.0,
        entry="classifier-free-guidance",
    )
    conditional: bool = knob(True, "Tell the network the class.", entry="conditional-generation")
    label_dropout: float = knob(
        0.1,
        "Share of the examples whose class is kept from the network; without it there is no guidance.",
        low=0.0,
        high=1.0,
        entry="classifier-free-guidance",
    )
    width: int = knob(
        128,
        "Units of a layer; for pictures channels at full size, twice as many at half.",
        low=8,
        high=4096,
        unit="channels",
        entry="feature-map",
    )
    blocks: int = knob(
        3, "Residual blocks; for pictures at each size on the way down, and as many up.", low=1, high=64, entry="resnet"
    )
    stages: int = knob(
        2, "In how many sizes a picture is looked at, each half of the last.", low=1, high=5, entry="u-net"
    )
    attention: bool = knob(True, "Let every place of the smallest picture look at all others.", entry="self-attention")
    steps: int = shared_knobs.steps(3000)
    batch_size: int = knob(
        256,
        "How many examples one step averages its gradient over.",
        low=1,
        high=65536,
        unit="examples",
        entry="mini-batch-and-batch-size",
    )
    ema: float = knob(
        0.99,
        "Decay of the averaged weights that draw the samples; 0 draws with the weights themselves.",
        low=0.0,
        high=0.99999,
        entry="exponential-moving-average-of-weights",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective == "noise" and self.schedule == "straight":
            raise UsageError(
                "A straight schedule ends in noise alone, and from that no data can be told by their noise.",
                "Use objective=velocity (flow matching), or schedule=linear or cosine.",
            )
        if self.guidance != 1.0 and not (self.conditional and self.label_dropout):
            raise UsageError(
                f"A guidance of {self.guidance:g} compares a class with no class, and this model is never taught both.",
                "Use guidance=1, or train with conditional=yes and a label_dropout above 0.",
            )
        if self.width % GROUPS:
            raise UsageError(
                f"A width of {self.width} is no multiple of {GROUPS}.", f"Use {GROUPS * round(self.width / GROUPS)}."
            )

    def widths(self) -> list[int]:
        """Return the channels of a picture at each of its sizes: doubled once, then kept."""
        return [self.width * min(2, 2**stage) for stage in range(self.stages)]

    def side(self, pixels: int) -> tuple[int, int]:
        """Return colors and side, after pooling, of a square picture of so many numbers."""
        colors = 3 if pixels % 3 == 0 and math.isqrt(pixels // 3) ** 2 * 3 == pixels else 1
        return colors, math.isqrt(pixels // colors) // self.pool

    def total_samples(self, examples: int) -> int:
        """Return on how many examples the whole run trains."""
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers."""
        E, classes = CONDITION, outputs if self.conditional else 0
        condition = 2 * (E + 1) * E + (classes + 1) * E
        return condition + sum(layer.weights for layer in self.layers(inputs))

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Count multiplications and additions of forward and backward; a filter works once at every place."""
        E = CONDITION
        last = self.side(inputs)[1] >> (self.stages - 1)
        mixing = 12 * self.widths()[-1] * last**4 if inputs != PLANE and self.attention else 0
        return 12 * E * E + mixing + sum(6 * layer.weights * layer.places for layer in self.layers(inputs))

    def layers(self, inputs: int) -> list[Layer]:
        """Return the layers of the network's body for examples of so many numbers."""
        C, E = self.width, CONDITION
        if inputs == PLANE:
            block = [Layer(C, C), Layer(E, 2 * C), Layer(C, C)]
            return [Layer(inputs, C), *self.blocks * block, Layer(C, inputs)]
        colors, side = self.side(inputs)
        widths = self.widths()
        layers, c, places = [Layer(9 * colors, C, side * side)], C, side * side
        for stage, width in enumerate(widths):
            for _ in range(self.blocks):
                layers += self._block(c, width, places)
                c = width
            if stage < len(widths) - 1:
                places = (side >> (stage + 1)) ** 2
                layers.append(Layer(9 * c, c, places))
        if self.attention:
            layers += [Layer(0, 2 * c), Layer(c, 3 * c, places), Layer(c, c, places)]
        layers += self._block(c, c, places)
        for stage, width in reversed(list(enumerate(widths))):
            places = (side >> stage) ** 2
            layers += [each for _ in range(self.blocks) for each in self._block(2 * width, width, places)]
            if stage:
                layers.append(Layer(9 * width, widths[stage - 1], places))
        return [*layers, Layer(0, 2 * C), Layer(9 * C, colors, side * side)]

    def _block(self, c_in: int, c_out: int, places: int) -> list[Layer]:
        """Return the layers of one residual block; a norm has a gain and a shift for each channel."""
        shortcut = [Layer(c_in, c_out, places)] if c_in != c_out else []
        convolutions = [Layer(9 * c_in, c_out, places), Layer(9 * c_out, c_out, places)]
        norms = [Layer(0, 2 * c_in), Layer(0, 2 * c_out)]
        return [*norms, *convolutions, Layer(CONDITION, 2 * c_out), *shortcut]


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


@dataclass(frozen=True, kw_only=True)
class SampleSettings(Settings):
    """How samples are drawn."""

    label: str = knob("", "The class, by name or number; empty takes all in turn.", entry="conditional-generation")
    count: int = knob(20, "How many samples.", low=1, high=10_000, unit="samples")
    steps: int = knob(20, "Steps from noise to a sample.", low=1, high=1000, entry="ddpm-and-ddim-sampling")
    sampler: str = knob(
        "heun",
        SAMPLERS_HELP,
        choices=SAMPLERS,
        entry="ddpm-and-ddim-sampling",
    )
    guidance: float = knob(
        1.0, "How much the class is exaggerated: 1 not at all, 0 ignores it.", low=0.0, high=50.0,
        entry="classifier-free-guidance",
    )  # fmt: skip
    seed: int = knob(0, "Of the noise.", low=0, high=10**9, entry="seed-and-reproducibility")


@dataclass(frozen=True, kw_only=True)
class DenoiseSettings(SampleSettings):
    """How a few samples are drawn while one looks on."""

    count: int = knob(1, "How many samples.", low=1, high=100, unit="samples")
    steps: int = knob(10, "Steps from noise to a sample.", low=1, high=1000, entry="ddpm-and-ddim-sampling")


SAMPLE = Play(
    name="sample",
    help="Let it make more of what it learned from.",
    settings=SampleSettings,
    act="engine.play.sample:sample",
    words="label",
)
DENOISE = Play(
    name="denoise",
    help="Watch samples come out of noise, step by step.",
    settings=DenoiseSettings,
    act="engine.play.denoise:denoise",
    words="label",
)

RING: dict[str, Value] = {"data": "ring", "width": 96, "blocks": 3, "sampling_steps": 50, "steps": 1500}
FLOW: dict[str, Value] = {"objective": "velocity", "schedule": "straight"}
"""Flow matching."""
FEW_LOOKS: dict[str, Value] = {"sampler": "heun", "sampling_steps": 8}
"""For pictures, where each look at a mixture costs; the points of the ring want their places more exactly."""
DIGITS: dict[str, Value] = {**FLOW, **FEW_LOOKS, "data": "digits", "width": 32, "blocks": 1, "batch_size": 64}
CLOTHES: dict[str, Value] = {**FLOW, **FEW_LOOKS, "data": "fashion-mnist", "pool": 2}

PANELS = (
    Panel(
        events=("train/loss", "valid/loss"),
        kind="line",
        title="Loss",
        unit="squared error",
        entry="noise-prediction-objective",
    ),
    Panel(events=("samples",), kind="pictures", title="Samples", entry="conditional-generation"),
    Panel(events=("real and made",), kind="points", title="Real and made", entry="diffusion-model"),
    Panel(events=("valid/fid",), kind="line", title="FID of 2,000, at last of 10,000", entry="fid"),
    Panel(events=("valid/wasserstein",), kind="line", title="Sliced Wasserstein distance", entry="fid"),
    Panel(events=("out of noise", "data guessed"), kind="pictures", title="Out of noise", entry="denoising"),
    Panel(events=("ways",), kind="points", title="Ways from noise to data", entry="denoising"),
    Panel(
        events=("loss by time",),
        kind="histogram",
        title="Loss by time",
        unit="squared error",
        x="time, 0 data, 1 noise",
        entry="forward-process-and-noise-schedule",
    ),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="examples/s", entry="throughput-and-mfu"),
    Panel(events=(), kind="hardware", title="Hardware"),
    Panel(events=(), kind="log", title="Log"),
)

FAMILY = Family(
    name="diffusion",
    title="Diffusion model",
    summary="A network that learns to take a little noise away, and makes points or pictures by doing so many times.",
    entry="diffusion-model",
    spec=DiffusionSpec,
    presets=(
        Preset(
            name="quick",
            seconds=11.0,
            help="Noise becomes eight heaps of points on a ring: the recipe of 2020 with a smoother schedule.",
            knobs=RING,
        ),
        Preset(
            name="flow",
            help="The ring by flow matching: straight ways from noise to data.",
            knobs={**RING, **FLOW},
        ),
        Preset(
            name="ddpm",
            help="The ring as in 2020: the chain of 1,000 steps, all of them walked back at random.",
            knobs={**RING, "schedule": "linear", "sampler": "ddpm", "sampling_steps": 1000},
        ),
        Preset(
            name="digits",
            help="Handwritten digits of 8 by 8 pixels, each on demand.",
            knobs={**DIGITS, "steps": 800, "optimizer": "muon", "learning_rate": 0.01},
        ),
        Preset(
            name="real",
            help="Pictures of clothes in ten classes (Fashion-MNIST), 14 by 14 pixels.",
            knobs={
                **CLOTHES,
                "width": 32,
                "blocks": 1,
                "batch_size": 128,
                "steps": 1200,
                "optimizer": "muon",
                "learning_rate": 0.01,
                "ema": 0.995,
            },
        ),
        Preset(
            name="standard",
            help="A wider and deeper U-Net on the same pictures, for a GPU.",
            knobs={
                **CLOTHES,
                "width": 96,
                "blocks": 2,
                "batch_size": 512,
                "steps": 15_000,
                "learning_rate": 0.001,
                "clip": 1.0,
                "ema": 0.999,
                "sampling_steps": 20,
            },
        ),
    ),
    panels=PANELS,
    headline=(
        Metric(name="valid/fid", title="Classifier-FID"),
        Metric(name="valid/wasserstein", title="Sliced Wasserstein distance"),
        Metric(name="valid/loss", title="Loss", unit="squared error"),
    ),
    learner="engine.families.diffusion.learner:DiffusionLearner",
    data=("ring", "moons", "rings", "spiral", "digits", "mnist", "fashion-mnist", "cifar-10"),
    own_data="a folder of pictures by class",
    plays=(SAMPLE, DENOISE),
    code=(
        "families/diffusion/model.py",
        "families/diffusion/noising.py",
        "families/diffusion/sampling.py",
        "families/diffusion/learner.py",
        "families/diffusion/judging.py",
        "families/diffusion/spec.py",
    ),
)
