"""How a convolutional network learns: as any classifier, from pictures that may be moved and mirrored."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import DataError
from engine.core.events import Event
from engine.core.spec import Value
from engine.data.augment import Augmented
from engine.data.batches import Shuffled
from engine.families.cnn.model import AlexNetStyle, LeNet5, VGGStyle
from engine.train.classifier import FILTERS_SHOWN, Classifier, pictures
from engine.train.learner import Batch, Batches

MAPS_SHOWN = 16


class CNNLearner(Classifier):
    """Trains one of the three networks to tell pictures apart."""

    convolutional = True

    def network(self) -> nn.Module:
        """Return the untrained network."""
        if self.data.layout != "pictures":
            raise DataError(
                f"{self.data.name} has no pictures.",
                "Choose digits, mnist, fashion-mnist or cifar-10, or the family mlp.",
            )
        colors, side, _ = self.data.shape
        spec, classes = self.spec, self.data.outputs
        match spec.architecture:
            case "lenet5":
                network: nn.Module = LeNet5(colors, side, classes, channels=spec.channels, dropout=spec.dropout)
            case "alexnet":
                network = AlexNetStyle(colors, side, classes, channels=spec.channels, dropout=spec.dropout)
            case _:
                network = VGGStyle(colors, side, classes, channels=spec.channels, dropout=spec.dropout)
        # Channels of one pixel side by side: the layout in which convolutions are fastest.
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return, unused-ignore]

    def batches(self) -> Batches:
        """Return shuffled batches, changed where the knobs say so."""
        tensors = (self.data.train_inputs, self.data.train_labels)
        spec, seed, prepare = self.spec, self.setting.seed, self.data.prepare
        if not spec.shift and not spec.mirror:
            return Shuffled(tensors, spec.batch_size, seed, prepare)
        plain = Shuffled(tensors, spec.batch_size, seed)
        return Augmented(plain, prepare, seed, shift=spec.shift, mirror=spec.mirror)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return cross-entropy against smoothed labels, and the share of the batch that is right."""
        inputs_NCHW, labels_N = batch
        scores_NK = self.modules["model"](inputs_NCHW.contiguous(memory_format=torch.channels_last)).float()
        right = (scores_NK.detach().argmax(1) == labels_N).float().mean()
        loss = F.cross_entropy(scores_NK, labels_N, label_smoothing=self.spec.label_smoothing)
        return {"loss": loss, "accuracy": right}

    def turn(self, name: str, value: Value) -> None:
        """Set a live knob; dropout is the family's own."""
        super().turn(name, value)
        if name == "dropout":
            for module in self.modules["model"].modules():
                if isinstance(module, nn.Dropout):
                    module.p = float(value)

    @property
    def first_convolution(self) -> nn.Conv2d:
        """The layer that sees the picture itself."""
        return next(each for each in self.modules["model"].modules() if isinstance(each, nn.Conv2d))

    def draw(self, step: int) -> Iterator[Event]:
        """Yield the first layer's filters, what they make of one picture, and what every classifier shows."""
        convolution = self.first_convolution
        yield pictures("first-layer filters", convolution.weight[:FILTERS_SHOWN])
        maps_1CHW = F.relu(convolution(self.data.prepare(self.data.valid_inputs[:1])))
        yield pictures("feature maps", maps_1CHW[0, :MAPS_SHOWN, None])
        yield from super().draw(step)
