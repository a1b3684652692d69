"""How two players learn from one another: a step of the discriminator, then one of the generator.

Shape legend: N examples, Z numbers of noise, G cells of a grid along an axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from engine.core.errors import UsageError
from engine.core.events import Event, HeatMap, Points
from engine.data.batches import Shuffled, seeded
from engine.data.examples import Examples
from engine.families.gan.measures import Measure, Ring, measure_of, rounded
from engine.families.gan.model import (
    Discriminator,
    Generator,
    PictureDiscriminator,
    PictureGenerator,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)
from engine.families.gan.spec import InterpolateSettings, SampleSettings
from engine.play.asked import class_number
from engine.train.learner import Batch, Batches, Learner
from engine.train.optimizers import OptimizerSet, build_optimizers
from engine.train.rules import ADAM_BETAS
from engine.train.step import descend, unusable

VALID_BATCH = 1000

NOISE, VALID_NOISE, KEPT_NOISE = 20, 22, 23
"""Streams of chance: of training, of measuring, of the samples that are drawn over and over."""

GRID = 40
"""Cells of the discriminator's surface along each axis."""

MARGIN = 0.2
"""How far beyond the data the surface reaches, as a share of their extent."""


class WithNoise:
    """Batches with noise for the generator beside them; like them a pure function of seed and step."""

    def __init__(self, batches: Shuffled, latent: int, seed: int) -> None:
        self.batches = batches
        self.latent = latent
        self.seed = seed
        self.epoch_steps = batches.epoch_steps

    def at(self, step: int) -> Batch:
        """Return real examples, their classes, and noise ``NZ``."""
        real, label_N = self.batches.at(step)
        generator = seeded(self.seed, step, real.device, stream=NOISE)
        return real, label_N, torch.randn((len(real), self.latent), generator=generator, device=real.device)


class GANLearner(Learner):
    """Trains generator (``model``) and discriminator; what is judged is the generator's averaged weights."""

    sides: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    averaged: ClassVar[tuple[str, ...]] = ("model",)

    @property
    def data(self) -> Examples:
        """What is to be imitated."""
        found: Examples = self.setting.data
        return found

    def build(self) -> dict[str, nn.Module]:
        """Return both players.

        Raises:
            DataError: nothing is known about how to judge what is made.
        """
        spec = self.spec
        self._begun: tuple[Batch, dict[str, Tensor]] | None = None
        self.convolutional = spec.architecture == "convolutional"
        self.measure: Measure = measure_of(self.data, spec, self.setting.seed)
        shape, classes = self.measure.shape, len(self.data.classes) if spec.conditional else 0
        if spec.architecture == "full":
            sizes = {"width": spec.width, "depth": spec.depth}
            return {
                "model": Generator(spec.latent, shape, classes, **sizes),
                "discriminator": Discriminator(shape, classes, **sizes),
            }
        colors, side, _ = shape
        return {
            "model": PictureGenerator(spec.latent, colors, side, classes, width=spec.width),
            "discriminator": PictureDiscriminator(colors, side, classes, width=spec.width),
        }

    def build_optimizers(self) -> OptimizerSet:
        """Return the rules of both players, each with its own learning rate."""
        return build_optimizers(
            self.modules, self.spec, self.setting.device,
            shares={"discriminator": self.spec.discriminator_rate}, betas=(self.spec.momentum, ADAM_BETAS[1]),
        )  # fmt: skip

    def batches(self) -> Batches:
        """Return shuffled batches of real examples, with noise."""
        plain = Shuffled((self.measure.real, self.data.train_labels), self.spec.batch_size, self.setting.seed)
        return WithNoise(plain, self.spec.latent, self.setting.seed)

    def flops_per_sample(self) -> float:
        """Return the floating-point operations of a step of both players on one example."""
        return float(self.spec.flops_per_sample(self.data.train_inputs[0].numel(), self.data.outputs))

    def train_step(self, batch: Batch, side: str = "") -> dict[str, Tensor]:
        """Make a step of the discriminator, then one of the generator; or of `side` alone.

        ``loss`` is the sum of both. A player that does not step is measured all the same; its gradient counts as zero.
        Where memory runs out in the generator's turn, the loop asks for the step of that very batch again: the
        discriminator has made its own already.
        """
        if self._begun is None or self._begun[0] is not batch:
            self._begun = batch, self._turn("discriminator", batch, moves=side != "generator")
        told = self._begun[1]
        made = self._turn("model", batch, moves=side != "discriminator")
        self._begun = None
        if self.average is not None and side != "discriminator":
            self.average.update(unusable(made))
        norms_2 = torch.stack([told["gradient_norm"], made["gradient_norm"]])
        return {
            "loss": told["discriminator_loss"] + made["loss"],
            "discriminator_loss": told["discriminator_loss"],
            "generator_loss": made["loss"],
            "real": told["real"],
            "made": told["made"],
            "made_after": made["made"],
            **({"penalty": told["penalty"]} if "penalty" in told else {}),
            "discriminator_gradient": told["gradient_norm"],
            "generator_gradient": made["gradient_norm"],
            "gradient_norm": torch.linalg.vector_norm(norms_2),
        }

    def _turn(self, role: str, batch: Batch, *, moves: bool) -> dict[str, Tensor]:
        """Let one player step, or measure it only."""
        loss = self.loss_of_discriminator if role == "discriminator" else self.loss_of_generator
        if moves:
            return descend(self, batch, loss, list(self.modules[role].parameters()))
        with self.autocast():
            measured = {name: value.detach() for name, value in loss(batch).items()}
        return {**measured, "gradient_norm": torch.zeros_like(measured["loss"])}

    def loss_of_discriminator(self, batch: Batch) -> dict[str, Tensor]:
        """Return its loss with the penalty, without it, and the mean of D(x) and of D(G(z)); G is not touched."""
        real, label_N, noise_NZ = batch
        discriminator = self.modules["discriminator"]
        with torch.no_grad():
            made = self.modules["model"](noise_NZ, label_N)
        if self.spec.penalty:
            real = real.detach().requires_grad_()
        real_N = discriminator(real, label_N).float()
        made_N = discriminator(made, label_N).float()
        loss = discriminator_loss(real_N, made_N)
        means = {"discriminator_loss": loss, "real": real_N.sigmoid().mean(), "made": made_N.sigmoid().mean()}
        if not self.spec.penalty:
            return {"loss": loss, **means}
        penalty = gradient_penalty(real_N, real)
        return {"loss": loss + self.spec.penalty / 2 * penalty, **means, "penalty": penalty}

    def loss_of_generator(self, batch: Batch) -> dict[str, Tensor]:
        """Return its loss, and the mean of D(G(z)) after the discriminator's step on the same noise."""
        _, label_N, noise_NZ = batch
        made_N = self.modules["discriminator"](self.modules["model"](noise_NZ, label_N), label_N).float()
        return {"loss": generator_loss(made_N), "made": made_N.sigmoid().mean()}

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of both, added; the players never descend this sum, each has its own."""
        return {"loss": self.loss_of_discriminator(batch)["loss"] + self.loss_of_generator(batch)["loss"]}

    def valid_batches(self) -> Iterator[Batch]:
        """Yield noise and classes to make examples from, always the same."""
        self.measure.forget()
        label_N = self.measure.wanted()
        noise_NZ, _ = self.noise(len(label_N), VALID_NOISE, self.setting.seed)
        yield from zip(noise_NZ.split(VALID_BATCH), label_N.split(VALID_BATCH), strict=True)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Make examples and have them looked at."""
        noise_NZ, label_N = batch
        counted = self.measure.look(self.modules["model"](noise_NZ, label_N), label_N)
        if not self.spec.conditional:
            counted.pop("recognized", None)  # nothing was asked for
        return counted

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Add what all made examples together amount to: modes, or a distance."""
        return {**means, **self.measure.figures()}

    def noise(self, count: int, stream: int, seed: int) -> tuple[Tensor, Tensor]:
        """Return noise ``NZ`` and classes ``N``, as many of each."""
        device = self.setting.device
        generator = seeded(seed, 0, device, stream=stream)
        noise_NZ = torch.randn((count, self.spec.latent), generator=generator, device=device)
        return noise_NZ, torch.arange(count, device=device) % max(1, len(self.data.classes))

    def made(self, noise_NZ: Tensor, label_N: Tensor) -> Tensor:
        """Return what the generator makes, in single precision."""
        with self.autocast():
            return self.modules["model"](noise_NZ, label_N).float()

    def draw(self, step: int) -> Iterator[Event]:
        """Yield samples from the noise that is kept, in a plane with the discriminator's surface, and their spread."""
        made = self.made(*self.noise(self.measure.shown, KEPT_NOISE, 0))
        if isinstance(self.measure, Ring):
            yield surface(self.data, self.modules["discriminator"], asked=self.spec.conditional)
            x, y = rounded(self.measure.place(made))
            real_x, real_y = rounded(self.data.train_inputs[: len(x)])
            group = [0] * len(x) + [1] * len(real_x)
            yield Points(name="points", x=x + real_x, y=y + real_y, group=group, groups=["generated", "real"])
        else:
            yield self.measure.show("samples", made, [])
        yield from self.measure.spread(asked=self.spec.conditional)

    def baselines(self) -> Iterator[Event]:
        """Yield what real examples, simple models and noise reach."""
        yield from self.measure.lines(self.setting.seed)

    def sample(self, settings: SampleSettings) -> Iterator[Event]:
        """Yield new samples, of one class or of all in turn."""
        noise_NZ, label_N = self.noise(settings.count, KEPT_NOISE, settings.seed)
        if settings.label:
            label_N = torch.full_like(label_N, self.asked(settings.label))
        yield self.measure.show(
            "samples", self.made(noise_NZ, label_N), names(label_N, self.data.classes) if self.spec.conditional else []
        )

    def interpolate(self, settings: InterpolateSettings) -> Iterator[Event]:
        """Yield what is made on the way from one noise to another."""
        start_1Z, _ = self.noise(1, KEPT_NOISE, settings.seed)
        end_1Z, _ = self.noise(1, KEPT_NOISE, settings.to_seed)
        noise_NZ = walk(start_1Z, end_1Z, settings.count)
        label = self.asked(settings.label) if settings.label else 0
        label_N = torch.full((settings.count,), label, device=noise_NZ.device)
        yield self.measure.show(
            "on the way",
            self.made(noise_NZ, label_N),
            names(label_N, self.data.classes) if self.spec.conditional else [],
        )

    def asked(self, text: str) -> int:
        """Return the number of a class that a person asks for by name or number.

        Raises:
            UsageError: this generator was never told the classes, or there is no such class.
        """
        if not self.spec.conditional:
            raise UsageError("This generator was not told the classes.", "Train one with conditional=true.")
        return class_number(text, self.data.classes)


def surface(data: Examples, discriminator: nn.Module, *, asked: bool) -> HeatMap:
    """Return for every place of the plane the probability with which it is held real; the mean over the classes where
    the discriminator is `asked` about one.
    """
    low_2, high_2 = data.train_inputs.amin(0), data.train_inputs.amax(0)
    low_2, high_2 = low_2 - MARGIN * (high_2 - low_2), high_2 + MARGIN * (high_2 - low_2)
    axes = [torch.linspace(float(low_2[axis]), float(high_2[axis]), GRID, device=low_2.device) for axis in (0, 1)]
    y_G, x_G = torch.meshgrid(axes[1], axes[0], indexing="ij")
    places_N2 = data.prepare(torch.stack([x_G.flatten(), y_G.flatten()], 1))
    labels = range(len(data.classes)) if asked else range(1)
    chance_N = torch.zeros(len(places_N2), device=places_N2.device)
    for label in labels:
        label_N = torch.full((len(places_N2),), label, device=places_N2.device)
        chance_N += discriminator(places_N2, label_N).float().sigmoid() / len(labels)
    values = [[round(value, 3) for value in row] for row in chance_N.view(GRID, GRID).tolist()]
    extent = [round(float(value), 3) for value in (low_2[0], high_2[0], low_2[1], high_2[1])]
    return HeatMap(name="discriminator", values=values, extent=extent, row_title="y", column_title="x")


def names(label_N: Tensor, classes: tuple[str, ...]) -> list[str]:
    """Return the names of classes."""
    return [classes[label] for label in label_N.tolist()]


def walk(start_1Z: Tensor, end_1Z: Tensor, count: int) -> Tensor:
    """Return `count` places from one noise to another along the arc between their directions, ``NZ``.

    White, Sampling Generative Networks, 2016: Gaussian noise of many numbers lies near a sphere, and the straight line
    between two of its points leads through places that the generator has never seen. Where there is no one arc, because
    the two are alike or opposite, the line is taken all the same.
    """
    angle = torch.arccos(torch.cosine_similarity(start_1Z, end_1Z).clamp(-1, 1))
    share_N1 = torch.linspace(0, 1, count, device=start_1Z.device)[:, None]
    if float(angle.sin()) < 1e-3:
        return start_1Z + share_N1 * (end_1Z - start_1Z)
    return (((1 - share_N1) * angle).sin() * start_1Z + (share_N1 * angle).sin() * end_1Z) / angle.sin()
