"""How an autoencoder learns: pictures, and nothing else, as input and as target; and what the run screen sees of it.

Shape legend: N pictures, D pixels, L latent numbers, K components.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import DataError, UsageError
from engine.core.events import Baseline, Event, Histogram, Pictures, Points
from engine.data.batches import Shuffled, in_order, seeded
from engine.families.autoencoder.model import Autoencoder, kl_to_normal
from engine.families.autoencoder.spec import SampleSettings, WalkSettings
from engine.train.classifier import pictures
from engine.train.learner import Batch, Batches, Learner

VALID_BATCH = 1024
PAIRS_SHOWN = 12
SAMPLES_SHOWN = 24
WALK_STEPS = 10
MAPPED = 400
"""Held-out pictures on the map of codes."""
ACTIVE = 0.01
"""Variance of a unit's mean over pictures from which it counts as active (Burda, Grosse and Salakhutdinov, Importance
Weighted Autoencoders, 2016, section 5).
"""


class AutoencoderLearner(Learner):
    """Learns to draw pictures again from a few numbers. Each validation draws its codes with the same chance."""

    def build(self) -> dict[str, nn.Module]:
        """Return the untrained model.

        Raises:
            DataError: the data are no pictures.
        """
        data = self.setting.data
        if getattr(data, "layout", "") != "pictures":
            raise DataError(
                f"{data.name} has no pictures.",
                "Choose digits, mnist, fashion-mnist, cifar-10 or a folder of pictures.",
            )
        self._means: list[Tensor] = []
        self._kl_L: Tensor | None = None
        self._walk_ends = self._two_classes()
        return {"model": Autoencoder(self.spec, data.train_inputs[0].numel())}

    @property
    def _model(self) -> Autoencoder:
        model = self.modules["model"]
        assert isinstance(model, Autoencoder)
        return model

    def ink(self, inputs_NCHW: Tensor) -> Tensor:
        """Return kept pictures as ink from 0 to 1, ``ND``."""
        return inputs_NCHW.flatten(1).float() / self.setting.data.peak

    def batches(self) -> Batches:
        """Return shuffled pictures."""
        return Shuffled((self.setting.data.train_inputs,), self.spec.batch_size, self.setting.seed, self.ink)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return what is descended, the mean cost of a picture in nats; the same with beta at 1; and its two parts."""
        (x_ND,) = batch
        noise_NL = torch.randn(len(x_ND), self.spec.latent, device=x_ND.device)
        reconstruction_N, kl_N = self._model(x_ND, noise_NL)
        reconstruction, kl = reconstruction_N.mean(), kl_N.mean()
        parts = {"reconstruction": reconstruction, "kl": kl} if self.spec.is_variational else {}
        return {"loss": reconstruction + self.spec.beta * kl, "bound": reconstruction + kl, **parts}

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the held-out pictures in order."""
        self._means, self._kl_L = [], None
        self._chance = seeded(self.setting.seed, 0, self.setting.device, stream=31)
        return in_order((self.setting.data.valid_inputs,), VALID_BATCH, self.ink)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return the sums of what the pictures cost, with beta at 1, and of the squared error without chance."""
        (x_ND,) = batch
        N, D = x_ND.shape
        noise_NL = torch.randn(N, self.spec.latent, device=x_ND.device, generator=self._chance)
        reconstruction_N, kl_N = self._model(x_ND, noise_NL)
        mean_NL, log_variance_NL = self._model.encode(x_ND)
        error = (self._model.decode(mean_NL).sigmoid() - x_ND).square().sum()
        self._means.append(mean_NL)
        sums = {
            "loss": ((reconstruction_N + kl_N).sum(), N),
            "reconstruction": (reconstruction_N.sum(), N),
            "mse": (error, N * D),
        }
        if self.spec.is_variational:
            kl_L = kl_to_normal(mean_NL, log_variance_NL).sum(0)
            self._kl_L = kl_L if self._kl_L is None else self._kl_L + kl_L
            sums["kl"] = (kl_N.sum(), N)
        return sums

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Add how many latent units tell pictures apart."""
        variance_L = torch.cat(self._means).var(0)
        return {**means, "active": float((variance_L > ACTIVE).sum())}

    # What is shown

    def draw(self, step: int) -> Iterator[Event]:
        """Yield pictures beside what comes back, pictures from random codes, a walk, and the codes themselves."""
        held_out = self.ink(self.setting.data.valid_inputs[:PAIRS_SHOWN])
        back = self._model.decode(self._model.encode(held_out)[0]).sigmoid()
        both = torch.cat([self._shaped(held_out), self._shaped(back)], dim=2)
        yield pictures("reconstructions", both)
        yield self._samples("samples", SampleSettings(count=SAMPLES_SHOWN, seed=self.setting.seed))
        yield self._walk("walk", *self._walk_ends, WALK_STEPS)
        if self._means:
            yield from self._codes()

    def _shaped(self, ink_ND: Tensor) -> Tensor:
        """Return ink as bytes ``NCHW``."""
        return (255 * ink_ND).round().to(torch.uint8).view(-1, *self.setting.data.shape)

    def _samples(self, name: str, asked: SampleSettings) -> Pictures:
        generator = seeded(asked.seed, 0, self.setting.device, stream=32)
        codes = torch.randn(asked.count, self.spec.latent, device=self.setting.device, generator=generator)
        return pictures(name, self._shaped(self._model.decode(asked.spread * codes).sigmoid()))

    def _walk(self, name: str, first: int, last: int, steps: int) -> Pictures:
        ends, _ = self._model.encode(self.ink(self.setting.data.valid_inputs[[first, last]]))
        share_S1 = torch.linspace(0, 1, steps, device=ends.device)[:, None]
        return pictures(name, self._shaped(self._model.decode(ends[0] + share_S1 * (ends[1] - ends[0])).sigmoid()))

    def _two_classes(self) -> tuple[int, int]:
        """Return two held-out pictures of different classes, where there are such."""
        labels = self.setting.data.valid_labels
        other = (labels != labels[0]).nonzero()
        return 0, int(other[0]) if len(other) else len(labels) - 1

    def _codes(self) -> Iterator[Event]:
        """Yield what each unit tells, and a map of codes over the two units that vary most."""
        mean_NL = torch.cat(self._means)
        if self._kl_L is not None:
            kl = sorted((self._kl_L / len(mean_NL)).tolist(), reverse=True)
            edges = [float(unit) for unit in range(len(kl) + 1)]
            yield Histogram(name="KL by latent unit", edges=edges, counts=[round(each, 4) for each in kl])
        busiest = mean_NL.var(0).argsort(descending=True)[:2].tolist()
        across, up = busiest[0], busiest[-1]
        x, y = ([round(value, 3) for value in mean_NL[:MAPPED, unit].tolist()] for unit in (across, up))
        group = self.setting.data.valid_labels[:MAPPED].tolist()
        yield Points(name="code map", x=x, y=y, group=group, groups=list(self.setting.data.classes))

    def baselines(self) -> Iterator[Event]:
        """Yield what principal components of the same number reach, and what knowing nothing of a picture costs."""
        data = self.setting.data
        train_ND, valid_ND = self.ink(data.train_inputs), self.ink(data.valid_inputs)
        error = pca_error(train_ND, valid_ND, self.spec.latent)
        yield Baseline(metric="valid/mse", name="PCA", value=error, source=f"{self.spec.latent} principal components")
        mean_D = train_ND.mean(0).clamp(1e-4, 1 - 1e-4)
        cost = F.binary_cross_entropy(mean_D.expand_as(valid_ND), valid_ND, reduction="sum") / len(valid_ND)
        yield Baseline(metric="valid/loss", name="mean picture", value=float(cost), source="every pixel by itself")

    # Plays

    def sample(self, settings: SampleSettings) -> Iterator[Event]:
        """Yield pictures from random codes."""
        yield self._samples("samples", settings)

    def interpolate(self, settings: WalkSettings) -> Iterator[Event]:
        """Yield the pictures on the straight way from one code to another.

        Raises:
            UsageError: the validation split has no such picture.
        """
        count = len(self.setting.data.valid_inputs)
        if max(settings.first, settings.last) >= count:
            raise UsageError(f"The validation split has {count:,} pictures, counted from 0.")
        yield self._walk("walk", settings.first, settings.last, settings.steps)


def pca_error(train_ND: Tensor, valid_ND: Tensor, components: int) -> float:
    """Return the mean squared error of a pixel when pictures keep that many principal components of the training ones.

    Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space, 1901.
    """
    mean_D = train_ND.mean(0)
    centered_ND = (train_ND - mean_D).double()
    _, vectors_DD = torch.linalg.eigh(centered_ND.T @ centered_ND)
    kept_DK = vectors_DD[:, -components:]
    left_ND = (valid_ND - mean_D).double()
    return float((left_ND - left_ND @ kept_DK @ kept_DK.T).square().mean())
