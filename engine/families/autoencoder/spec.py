"""Autoencoders for pictures: knobs, presets, panels and plays. Torch-free."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from engine.core.spec import Family, Metric, Panel, Play, Preset, Settings, Spec, knob


@dataclass(frozen=True, kw_only=True)
class AutoencoderSpec(Spec):
    """Knobs of an autoencoder."""

    data: str = knob("digits", "The pictures to train on; their classes are never told.", entry="data-split")
    kind: str = knob(
        "variational",
        "A code that is a cloud to draw from (VAE), or a code that is a point.",
        choices=("variational", "plain"),
        entry="variational-autoencoder",
    )
    latent: int = knob(
        16, "Numbers in the code between encoder and decoder.", low=1, high=1024, unit="numbers", entry="latent-space"
    )
    width: int = knob(256, "Units of a hidden layer.", low=1, high=8192, unit="units", entry="layer")
    depth: int = knob(1, "Hidden layers of the encoder, and of the decoder.", low=0, high=8, entry="layer")
    beta: float = knob(
        1.0,
        "How dear it is to tell the decoder anything; 1 is the bound on the likelihood.",
        low=0.0,
        high=1000.0,
        entry="kl-divergence",
        live="recapture",
    )
    epochs: float = knob(
        20.0,
        "How often the run sees every training picture.",
        low=0.001,
        high=1e6,
        unit="passes",
        entry="epoch-and-step",
    )

    @property
    def is_variational(self) -> bool:
        """Whether the code is a cloud."""
        return self.kind == "variational"

    def widths(self, pixels: int) -> tuple[list[int], list[int]]:
        """Return the widths of the encoder's and of the decoder's layers, what goes in first."""
        hidden = [self.width] * self.depth
        code = 2 * self.latent if self.is_variational else self.latent
        return [pixels, *hidden, code], [self.latent, *hidden, pixels]

    def total_samples(self, examples: int) -> int:
        """Return the samples of the run: passes times pictures."""
        return math.ceil(self.epochs * examples)

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of weights and biases for pictures of that many numbers."""
        return sum((before + 1) * after for layers in self.widths(inputs) for before, after in pairwise(layers))


@dataclass(frozen=True, kw_only=True)
class SampleSettings(Settings):
    """What is drawn."""

    count: int = knob(16, "How many pictures.", low=1, high=256, unit="pictures")
    spread: float = knob(
        1.0, "How far from the middle of all codes they are drawn.", low=0.0, high=100.0, entry="latent-space"
    )
    seed: int = knob(0, "Of the chance.", low=0, high=10**9, entry="seed-and-reproducibility")


@dataclass(frozen=True, kw_only=True)
class WalkSettings(Settings):
    """From where to where."""

    first: int = knob(0, "The picture of the validation split to begin with.", low=0, high=10**9)
    last: int = knob(1, "The one to end with.", low=0, high=10**9)
    steps: int = knob(9, "How many pictures on the way, both ends included.", low=2, high=64, unit="pictures")


PLAYS = (
    Play(
        name="sample",
        help="Draw codes at random and see what the decoder makes of them.",
        settings=SampleSettings,
        act="engine.play.sample:sample",
    ),
    Play(
        name="interpolate",
        help="Walk from the code of one picture to that of another.",
        settings=WalkSettings,
        act="engine.play.interpolate:interpolate",
    ),
)

PANELS = (
    Panel(
        events=("train/bound", "valid/loss"),
        kind="line",
        title="Loss, beta at 1",
        unit="nats per picture",
        entry="variational-autoencoder",
    ),
    Panel(events=("reconstructions",), kind="pictures", title="Pictures and what comes back", entry="autoencoder"),
    Panel(events=("samples",), kind="pictures", title="Drawn from random codes", entry="latent-space"),
    Panel(
        events=("valid/reconstruction", "valid/kl"),
        kind="line",
        title="Reconstruction and KL",
        unit="nats per picture",
        entry="kl-divergence",
        when=("kind", "variational"),
    ),
    Panel(events=("valid/mse",), kind="line", title="Squared error of a pixel", entry="mean-squared-error"),
    Panel(
        events=("KL by latent unit",),
        kind="histogram",
        title="What each latent unit tells",
        unit="nats",
        x="latent unit, the busiest first",
        entry="kl-divergence",
        when=("kind", "variational"),
    ),
    Panel(events=("code map",), kind="points", title="Codes of held-out pictures", entry="latent-space"),
    Panel(events=("walk",), kind="pictures", title="From one picture to another", entry="latent-space"),
    Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate-schedule-and-warmup"),
    Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
    Panel(events=("samples_per_second",), kind="line", title="Speed", unit="pictures/s", entry="throughput-and-mfu"),
)

FAMILY = Family(
    name="autoencoder",
    title="Autoencoder",
    summary="One network squeezes a picture into a few numbers, another draws it again from them.",
    entry="autoencoder",
    spec=AutoencoderSpec,
    presets=(
        Preset(
            name="quick",
            seconds=4.0,
            help="A variational autoencoder of handwritten digits, 8 by 8 pixels.",
            knobs={
                "data": "digits", "latent": 8, "width": 256, "batch_size": 64, "learning_rate": 0.003, "beta": 0.5,
                "epochs": 120.0,
            },
        ),
        Preset(
            name="plain",
            help="The same without the cloud: a better copy, and no way to draw new digits.",
            knobs={
                "data": "digits", "kind": "plain", "latent": 8, "width": 256, "batch_size": 64,
                "learning_rate": 0.003, "epochs": 120.0,
            },
        ),
        Preset(
            name="real",
            help="A variational autoencoder of MNIST.",
            knobs={
                "data": "mnist", "latent": 20, "width": 400, "batch_size": 256, "learning_rate": 0.003, "epochs": 10.0,
            },
        ),
        Preset(
            name="fashion",
            help="A variational autoencoder of pictures of clothes (Fashion-MNIST).",
            knobs={
                "data": "fashion-mnist", "latent": 20, "width": 400, "batch_size": 256, "learning_rate": 0.003,
                "epochs": 10.0,
            },
        ),
        Preset(
            name="standard",
            help="A deeper one on MNIST, for a GPU.",
            knobs={
                "data": "mnist", "latent": 32, "width": 1024, "depth": 2, "batch_size": 512, "learning_rate": 0.002,
                "ema": 0.995, "epochs": 100.0,
            },
        ),
    ),
    panels=PANELS,
    headline=(
        Metric(name="valid/loss", title="Loss, beta at 1", unit="nats per picture"),
        Metric(name="valid/mse", title="Squared error of a pixel"),
        Metric(name="valid/active", title="Active in the code", unit="units", higher=True),
    ),
    learner="engine.families.autoencoder.learner:AutoencoderLearner",
    data=("digits", "mnist", "fashion-mnist", "cifar-10"),
    own_data="a folder of pictures by class",
    plays=PLAYS,
    code=("families/autoencoder/model.py", "families/autoencoder/learner.py", "families/autoencoder/spec.py"),
)  # fmt: skip
