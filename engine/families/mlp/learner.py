"""How a multilayer perceptron learns: as any classifier; what is its own is the surface that it draws in a plane."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.events import Baseline, Event, HeatMap, Points
from engine.core.spec import Value
from engine.families.mlp.model import MLP
from engine.train.classifier import FILTERS_SHOWN, Classifier, pictures
from engine.train.learner import Batch

GRID = 48
"""Cells of the decision surface along each axis."""

MARGIN = 0.15
"""How far beyond the data the surface reaches, as a share of their extent."""


class MLPLearner(Classifier):
    """Trains an `MLP` to tell classes apart, or, where the data have none, to predict a number."""

    def network(self) -> nn.Module:
        """Return the untrained network."""
        spec = self.spec
        return MLP(
            self.data.train_inputs[0].numel(), self.data.outputs,
            width=spec.width, depth=spec.depth, activation=spec.activation, dropout=spec.dropout,
        )  # fmt: skip

    @property
    def is_regression(self) -> bool:
        """Whether a number is predicted."""
        return not self.data.classes

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return cross-entropy and accuracy, or the mean squared error in units of the target's variance."""
        if not self.is_regression:
            return super().loss(batch)
        inputs, targets_N = batch
        return {"loss": F.mse_loss(self.modules["model"](inputs).float()[:, 0], targets_N)}

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return the sums of `loss` over the validation split."""
        if not self.is_regression:
            return super().valid_step(batch)
        inputs, targets_N = batch
        error_N = self.modules["model"](inputs).float()[:, 0] - targets_N
        return {"loss": (error_N.square().sum(), len(targets_N))}

    def summarize(self, means: dict[str, float]) -> dict[str, float]:
        """Add the root of the mean squared error, in the target's own unit."""
        if self.is_regression:
            return {**means, "rmse": means["loss"] ** 0.5 * self.data.label_deviation}
        return means

    def turn(self, name: str, value: Value) -> None:
        """Set a live knob; dropout is the family's own."""
        super().turn(name, value)
        if name == "dropout":
            model = self.modules["model"]
            assert isinstance(model, MLP)
            model.dropout.p = float(value)

    def draw(self, step: int) -> Iterator[Event]:
        """Yield the decision surface of a plane, the filters of pictures, and what every classifier shows."""
        if self.is_regression:
            return
        if self.data.layout == "plane":
            yield from self._surface()
        elif self.data.layout == "pictures" and self.spec.depth:
            model = self.modules["model"]
            assert isinstance(model, MLP)
            weight_WF = model.hidden[0].weight[:FILTERS_SHOWN]  # type: ignore[index, union-attr, unused-ignore]
            yield pictures("first-layer filters", weight_WF.view(-1, *self.data.shape))
        yield from super().draw(step)

    def _surface(self) -> Iterator[Event]:
        """Yield the probability of the second class over the plane, and once the points to be told apart."""
        data = self.data
        low_2, high_2 = data.train_inputs.amin(0), data.train_inputs.amax(0)
        low_2, high_2 = low_2 - MARGIN * (high_2 - low_2), high_2 + MARGIN * (high_2 - low_2)
        axes = [torch.linspace(float(low_2[axis]), float(high_2[axis]), GRID, device=low_2.device) for axis in (0, 1)]
        y_G, x_G = torch.meshgrid(axes[1], axes[0], indexing="ij")
        places = torch.stack([x_G.flatten(), y_G.flatten()], 1)
        chance = self.modules["model"](data.prepare(places)).float().softmax(1)[:, 1].view(GRID, GRID)
        extent = [round(float(value), 3) for value in (low_2[0], high_2[0], low_2[1], high_2[1])]
        values = [[round(value, 3) for value in row] for row in chance.tolist()]
        yield HeatMap(name="decision surface", values=values, extent=extent, row_title="y", column_title="x")
        if not self._shown:
            self._shown = True
            x, y = ([round(value, 3) for value in column] for column in data.train_inputs.T.tolist())
            yield Points(name="data", x=x, y=y, group=data.train_labels.tolist(), groups=list(data.classes))

    _shown = False

    def baselines(self) -> Iterator[Event]:
        """Yield those of a classifier, or the error of always predicting the mean."""
        if not self.is_regression:
            yield from super().baselines()
            return
        error = float(self.data.valid_labels.square().mean().sqrt()) * self.data.label_deviation
        yield Baseline(metric="valid/rmse", name="mean of the target", value=error, source="always the training mean")
