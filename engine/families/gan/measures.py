"""What made examples are held against: the modes of the ring, or the eye of a judge of pictures.

Shape legend: N examples, M modes, H height, W width, K classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

from engine.core.errors import DataError
from engine.core.events import Baseline, Event, HeatMap, Histogram, Pictures, Points
from engine.data.examples import Examples
from engine.data.planes import MODES, RING_DEVIATION, ring_centers
from engine.families.gan.spec import GANSpec
from engine.look.fid import JUDGES, Judge, frechet, unit_pictures
from engine.look.lines import SAMPLES, reference_lines
from engine.look.points import PointYardstick
from engine.train.classifier import confusion

NEAR = 3 * RING_DEVIATION
"""How far from its center a point may lie and still be of a mode; 98.9 % of the real ones do."""

FAIR_SHARE = 0.2
"""A mode is found where at least this share of an eighth of all samples lies on it."""


class Measure(ABC):
    """How the examples of a data set are given to the players, shown, and judged.

    Attributes:
        data: as they are kept.
        real: the training split as the players see it.
        shape: of one example.
        samples: how many made examples a figure is measured on.
        shown: how many are drawn from the noise that is kept.
    """

    data: Examples
    real: Tensor
    shape: tuple[int, ...]
    samples: int
    shown: int

    def wanted(self) -> Tensor:
        """Return the classes ``N`` that examples are made of for a figure: all in turn."""
        return torch.arange(self.samples, device=self.real.device) % len(self.data.classes)

    @abstractmethod
    def forget(self) -> None:
        """Begin a new measurement."""

    @abstractmethod
    def look(self, made: Tensor, label_N: Tensor) -> dict[str, tuple[Tensor, int]]:
        """Add made examples, asked for by class, to the measurement; return what has sums and counts."""

    @abstractmethod
    def figures(self) -> dict[str, float]:
        """Return what all of the examples together amount to."""

    @abstractmethod
    def spread(self, *, asked: bool) -> Iterator[Event]:
        """Yield how the examples of the last measurement spread over modes or classes."""

    @abstractmethod
    def show(self, name: str, made: Tensor, captions: list[str]) -> Event:
        """Return made examples as an event."""

    @abstractmethod
    def lines(self, seed: int) -> Iterator[Baseline]:
        """Yield what the figures are to be compared with."""


def measure_of(data: Examples, spec: GANSpec, seed: int) -> Measure:
    """Return how the data that the knobs name are measured; `seed` is of the chance in it.

    Raises:
        DataError: neither modes nor a judge are known of them.
    """
    if spec.data == "ring":
        return Ring(data, seed, conditional=spec.conditional)
    if spec.data in JUDGES:
        return Seen(data, spec.shrink)
    raise DataError(
        f"Nobody here can judge whether made examples of {data.name} are good.",
        f"Choose ring, {' or '.join(JUDGES)}.",
    )


class Ring(Measure):
    """Points of the plane: which of the eight Gaussians they lie on, and how far they are from real points."""

    samples = 2000
    shown = 300

    def __init__(self, data: Examples, seed: int, *, conditional: bool) -> None:
        self.data = data
        self.yardstick = PointYardstick(data, seed, conditional=conditional)
        self.real = data.prepare(data.train_inputs)
        self.shape = (2,)
        self.center_M2 = ring_centers().to(self.real.device)
        self.forget()

    def wanted(self) -> Tensor:
        """Return the classes of the validation points, over again: each is held against as many made ones."""
        label_N = self.yardstick.labels_N
        return label_N.repeat(-(-self.samples // len(label_N)))[: self.samples]

    def forget(self) -> None:
        """Begin a new measurement."""
        self.count_M = torch.zeros(MODES, device=self.center_M2.device)
        self.points: list[Tensor] = []

    def place(self, made_N2: Tensor) -> Tensor:
        """Return points as they lie in the plane."""
        return made_N2.float() * self.data.deviation + self.data.mean

    def look(self, made: Tensor, label_N: Tensor) -> dict[str, tuple[Tensor, int]]:
        """Add points; return how many lie on a mode."""
        self.points.append(self.place(made))
        near_NM = torch.cdist(self.points[-1], self.center_M2) <= NEAR
        self.count_M += near_NM.sum(0)
        return {"on_modes": (near_NM.any(1).sum(), len(made))}

    def figures(self) -> dict[str, float]:
        """Return how many modes are found, and the distance from the validation points, from as many made ones."""
        made_N2 = torch.cat(self.points)
        found = float((self.count_M >= FAIR_SHARE * len(made_N2) / MODES).sum())
        return {"modes": found, "wasserstein": self.yardstick.distance(made_N2[: len(self.yardstick.labels_N)])}

    def spread(self, *, asked: bool) -> Iterator[Event]:
        """Yield how many points lie on each mode."""
        edges = [mode - 0.5 for mode in range(MODES + 1)]
        yield Histogram(name="classes of samples", edges=edges, counts=self.count_M.tolist())

    def show(self, name: str, made: Tensor, captions: list[str]) -> Points:
        """Return points in the plane."""
        x, y = rounded(self.place(made))
        return Points(name=name, x=x, y=y, group=[0] * len(x), groups=["generated"])

    def lines(self, seed: int) -> Iterator[Baseline]:
        """Yield what real points and those of one wide Gaussian reach."""
        near_NM = torch.cdist(self.data.valid_inputs, self.center_M2) <= NEAR
        share = float(near_NM.any(1).float().mean())
        yield Baseline(metric="valid/on_modes", name="real points", value=share, source="the validation split")
        yield from self.yardstick.baselines()


class Seen(Measure):
    """Pictures, seen by the judge of their data: classifier-FID, and what each is taken for."""

    samples = SAMPLES
    shown = 50

    def __init__(self, data: Examples, shrink: int) -> None:
        self.data = data
        device = data.train_inputs.device
        self.judge = Judge.load(device, data.name)
        self.side = data.shape[1] // shrink
        if self.side < self.judge.make.side or self.side % self.judge.make.side:
            raise DataError(
                f"Pictures of {self.side} pixels a side are too small for the judge, which looks at "
                f"{self.judge.make.side}.",
                "Use a smaller shrink.",
            )
        self.real = 2 * unit_pictures(data.train_inputs, self.side, data.peak) - 1
        self.valid_NF = self.judge.features(self.judged(data.valid_inputs))
        self.shape = tuple(self.real.shape[1:])
        self.forget()

    def judged(self, kept_NCHW: Tensor) -> Tensor:
        """Return kept pictures as the judge sees them."""
        return unit_pictures(kept_NCHW, self.judge.make.side, self.data.peak)

    def forget(self) -> None:
        """Begin a new measurement."""
        self.features: list[Tensor] = []
        self.taken: list[Tensor] = []
        self.asked: list[Tensor] = []

    def look(self, made: Tensor, label_N: Tensor) -> dict[str, tuple[Tensor, int]]:
        """Add pictures; return how many are taken for what was asked for."""
        seen_N1HW = unit_pictures((made.float() + 1) / 2, self.judge.make.side, 1.0)
        self.features.append(self.judge.features(seen_N1HW))
        self.taken.append(self.judge.classes(seen_N1HW))
        self.asked.append(label_N)
        return {"recognized": ((self.taken[-1] == label_N).sum(), len(made))}

    def figures(self) -> dict[str, float]:
        """Return the classifier-FID against the validation split."""
        return {"fid": frechet(torch.cat(self.features), self.valid_NF)}

    def spread(self, *, asked: bool) -> Iterator[Event]:
        """Yield what the judge takes the pictures for, all together and by the class asked for."""
        if not self.taken:
            return
        taken_N, asked_N, classes = torch.cat(self.taken), torch.cat(self.asked), list(self.data.classes)
        counts = torch.bincount(taken_N, minlength=len(classes)).tolist()
        edges = [number - 0.5 for number in range(len(classes) + 1)]
        yield Histogram(name="classes of samples", edges=edges, counts=counts)
        if asked:
            counts_KK = confusion(asked_N, taken_N, len(classes))
            yield HeatMap(
                name="asked and taken for", values=counts_KK.tolist(), rows=classes, columns=classes,
                row_title="asked for", column_title="taken for",
            )  # fmt: skip

    def show(self, name: str, made: Tensor, captions: list[str]) -> Pictures:
        """Return pictures, white where a value is 1."""
        made_NHWC = (127.5 * (made.float() + 1)).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        count, height, width, channels = made_NHWC.shape
        pixels = made_NHWC.contiguous().cpu().numpy().tobytes()
        return Pictures(
            name=name, count=count, height=height, width=width, channels=channels, pixels=pixels, captions=captions
        )

    def lines(self, seed: int) -> Iterator[Baseline]:
        """Yield the floor, a Gaussian a class, and the ceiling of classifier-FID."""
        train_N1HW = self.judged(self.data.train_inputs)
        yield from reference_lines(
            self.judge, train_N1HW, self.data.train_labels, self.judged(self.data.valid_inputs), seed
        )


def rounded(places_N2: Tensor) -> tuple[list[float], list[float]]:
    """Return x and y of points, as many digits as one can see."""
    x, y = ([round(value, 3) for value in column] for column in places_N2.T.tolist())
    return x, y
