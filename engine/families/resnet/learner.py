"""How a residual network learns: as any classifier of pictures; what is its own is how the gradient fares by depth."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from engine.core.events import Event, HeatMap, Histogram
from engine.families.resnet.model import ResNet
from engine.families.resnet.published import imagenet_weights
from engine.train.classifier import start_from
from engine.train.picture_classifier import PictureClassifier


class ResNetLearner(PictureClassifier):
    """Trains a `ResNet` or its plain twin to tell pictures apart."""

    convolutional = True

    def network_for(self, colors: int, side: int, classes: int) -> nn.Module:
        """Return the network: untrained, or with the weights that torchvision publishes and a head of its own."""
        self.batch_stats = self.spec.batch_norm
        network = ResNet(self.spec, colors, classes)
        start = self.setting.inputs.get("model")
        if start is None and self.spec.weights == "imagenet":
            start_from(network, {f"model.{name}": tensor for name, tensor in imagenet_weights(colors).items()})
        return network

    @property
    def model(self) -> ResNet:
        """The network."""
        found = self.modules["model"]
        assert isinstance(found, ResNet)
        return found

    def draw(self, step: int) -> Iterator[Event]:
        """Yield the gradient by depth, the running statistics, the first filters, and what every classifier shows."""
        yield from self._gradient_by_depth()
        yield from self._running_statistics()
        yield self.filters(self.model.conv.weight)
        yield from super().draw(step)

    def _gradient_by_depth(self) -> Iterator[Event]:
        """Yield the norm of the last step's gradient in each convolution, once there was a step."""
        gradients = [each.weight.grad for each in self.model.convolutions() if each.weight.grad is not None]
        if not gradients:
            return
        norms = torch.stack(torch._foreach_norm(gradients)).float().tolist()
        yield Histogram(
            name="gradient by depth",
            edges=[float(layer) for layer in range(1, len(norms) + 2)],
            counts=[float(f"{norm:.4g}") for norm in norms],
        )

    def _running_statistics(self) -> Iterator[Event]:
        """Yield what evaluation normalizes by, layer by layer: the size of the means, and the mean deviation."""
        norms = [each for each in self.model.modules() if isinstance(each, nn.BatchNorm2d)]
        if not norms:
            return
        means, deviations = [], []
        for each in norms:
            assert each.running_mean is not None and each.running_var is not None
            means.append(each.running_mean.square().mean().sqrt())
            deviations.append(each.running_var.sqrt().mean())
        values = torch.stack([torch.stack(means), torch.stack(deviations)]).float().tolist()
        yield HeatMap(
            name="running statistics",
            values=[[round(value, 4) for value in row] for row in values],
            rows=["size of means", "deviation"],
            columns=[str(number) for number in range(1, len(norms) + 1)],
            column_title="layer",
        )
