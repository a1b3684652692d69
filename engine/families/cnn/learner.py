"""How a convolutional network learns: as any classifier of pictures; what is its own is what the first layer finds."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn
from torch.nn import functional as F

from engine.core.events import Event
from engine.families.cnn.model import AlexNetStyle, LeNet5, VGGStyle
from engine.train.classifier import pictures
from engine.train.picture_classifier import PictureClassifier

MAPS_SHOWN = 16


class CNNLearner(PictureClassifier):
    """Trains one of the three networks to tell pictures apart."""

    convolutional = True

    def network_for(self, colors: int, side: int, classes: int) -> nn.Module:
        """Return the untrained network."""
        spec = self.spec
        match spec.architecture:
            case "lenet5":
                return LeNet5(colors, side, classes, channels=spec.channels, dropout=spec.dropout)
            case "alexnet":
                return AlexNetStyle(colors, side, classes, channels=spec.channels, dropout=spec.dropout)
            case _:
                return VGGStyle(colors, side, classes, channels=spec.channels, dropout=spec.dropout)

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The layer that sees the picture itself."""
        return next(each for each in self.modules["model"].modules() if isinstance(each, nn.Conv2d))

    def draw(self, step: int) -> Iterator[Event]:
        """Yield the first layer's filters, what they make of one picture, and what every classifier shows."""
        convolution = self.first_convolution
        yield self.filters(convolution.weight)
        maps_1CHW = F.relu(convolution(self.data.prepare(self.data.valid_inputs[:1])))
        yield pictures("feature maps", maps_1CHW[0, :MAPS_SHOWN, None])
        yield from super().draw(step)
