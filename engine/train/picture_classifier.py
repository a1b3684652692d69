"""The learner of everything that sorts pictures into classes: pictures that may be moved and mirrored, smoothed labels.

Shape legend: N pictures, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.errors import DataError
from engine.core.events import Pictures
from engine.core.spec import Value
from engine.data.augment import Augmented
from engine.data.batches import Shuffled
from engine.train.classifier import FILTERS_SHOWN, Classifier, pictures
from engine.train.learner import Batch, Batches


class PictureClassifier(Classifier):
    """Tells pictures apart. A family overrides `network_for`, and adds to `draw` what is its own.

    Its spec is an `engine.core.picture_spec.PictureSpec`.
    """

    channels_last: ClassVar[bool] = True
    """Whether all channels of a pixel lie side by side: the layout in which convolutions are fastest."""

    def network_for(self, colors: int, side: int, classes: int) -> nn.Module:
        """Return the untrained network for pictures of `colors` channels and `side` by `side` pixels."""
        raise NotImplementedError

    def network(self) -> nn.Module:
        """Return the untrained network.

        Raises:
            DataError: the data are no pictures.
        """
        if getattr(self.data, "layout", "") != "pictures":
            raise DataError(
                f"{self.data.name} has no pictures.",
                "Choose digits, mnist, fashion-mnist, cifar-10 or a folder of pictures by class.",
            )
        colors, side, _ = self.data.shape
        network = self.network_for(colors, side, self.data.outputs)
        return network.to(memory_format=torch.channels_last) if self.channels_last else network  # type: ignore[call-overload, no-any-return, unused-ignore]

    def flops_per_sample(self) -> float:
        """Return the floating-point operations of forward and backward on one picture."""
        colors, side, _ = self.data.shape
        return float(self.spec.flops_per_sample(colors * side * side, self.data.outputs))

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
        if self.channels_last:
            inputs_NCHW = inputs_NCHW.contiguous(memory_format=torch.channels_last)
        scores_NK = self.modules["model"](inputs_NCHW).float()
        right = (scores_NK.detach().argmax(1) == labels_N).float().mean()
        loss = F.cross_entropy(scores_NK, labels_N, label_smoothing=self.spec.label_smoothing)
        return {"loss": loss, "accuracy": right}

    def turn(self, name: str, value: Value) -> None:
        """Set a live knob; dropout is one of those families that have it."""
        super().turn(name, value)
        if name == "dropout":
            for module in self.modules["model"].modules():
                if isinstance(module, nn.Dropout):
                    module.p = float(value)

    @staticmethod
    def filters(weight_NCHW: Tensor) -> Pictures:
        """Return the first filters of the layer that sees the picture itself."""
        return pictures("first-layer filters", weight_NCHW[:FILTERS_SHOWN])
