"""The learner of everything that sorts examples into classes: cross-entropy, accuracy, confusion, mistakes,
baselines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.core.events import Baseline, Event, HeatMap, Pictures, Table
from engine.data.batches import Shuffled, in_order
from engine.data.examples import Examples
from engine.train.learner import Batch, Batches, Learner
from engine.train.logistic import logistic_accuracy
from engine.train.starting import copy_weights

VALID_BATCH = 1000
MISTAKES_SHOWN = 24
FILTERS_SHOWN = 32
HEAD = "head."
"""How the names of the last layer's tensors begin, in every network of ours."""


class Classifier(Learner):
    """Sorts examples into classes by a network that gives each class a score. Shapes: N examples, K classes.

    A family overrides `network`, and adds to `draw` what is its own.
    """

    def network(self) -> nn.Module:
        """Return the untrained network: prepared inputs in, scores ``NK`` out."""
        raise NotImplementedError

    @property
    def data(self) -> Examples:
        """The examples to learn from."""
        found: Examples = self.setting.data
        return found

    def build(self) -> dict[str, nn.Module]:
        """Return the network as ``model``.

        Raises:
            RunError: the model to start from has another shape.
        """
        self._predicted: list[Tensor] = []
        self._sure: list[Tensor] = []
        model = self.network()
        if "model" in self.setting.inputs:
            start_from(model, self.setting.inputs["model"])
        return {"model": model}

    def batches(self) -> Batches:
        """Return shuffled batches of the training split."""
        tensors = (self.data.train_inputs, self.data.train_labels)
        return Shuffled(tensors, self.spec.batch_size, self.setting.seed, self.data.prepare)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy in nats, and the share of the batch that is right."""
        inputs, labels_N = batch
        scores_NK = self.modules["model"](inputs).float()
        right = (scores_NK.detach().argmax(1) == labels_N).float().mean()
        return {"loss": F.cross_entropy(scores_NK, labels_N), "accuracy": right}

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the validation split in order, and forget what was predicted for it before."""
        self._predicted, self._sure = [], []
        return in_order((self.data.valid_inputs, self.data.valid_labels), VALID_BATCH, self.data.prepare)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return summed cross-entropy and number of right answers; keep the answers for `draw`."""
        inputs, labels_N = batch
        scores_NK = self.modules["model"](inputs).float()
        sure_N, predicted_N = scores_NK.softmax(1).max(1)
        self._predicted.append(predicted_N)
        self._sure.append(sure_N)
        count = len(labels_N)
        total = F.cross_entropy(scores_NK, labels_N, reduction="sum")
        return {"loss": (total, count), "accuracy": ((predicted_N == labels_N).sum(), count)}

    def draw(self, step: int) -> Iterator[Event]:
        """Yield confusion matrix, figures by class and, of pictures, the worst mistakes of the last evaluation."""
        if not self._predicted:
            return
        predicted_N, labels_N = torch.cat(self._predicted), self.data.valid_labels
        classes = list(self.data.classes)
        counts_KK = confusion(labels_N, predicted_N, len(classes))
        yield HeatMap(
            name="confusion matrix", values=counts_KK.tolist(), rows=classes, columns=classes,
            row_title="true", column_title="predicted",
        )  # fmt: skip
        yield by_class(counts_KK, classes)
        if self.data.layout == "pictures":
            yield from self._mistakes(predicted_N, labels_N)

    def _mistakes(self, predicted_N: Tensor, labels_N: Tensor) -> Iterator[Event]:
        """Yield the wrongly classified pictures of which the model was surest."""
        wrong_N = predicted_N != labels_N
        sure_N = torch.where(wrong_N, torch.cat(self._sure), -1.0)
        worst = sure_N.argsort(descending=True)[: min(MISTAKES_SHOWN, int(wrong_N.sum()))]
        if not len(worst):
            return
        names = self.data.classes
        captions = [
            f"{names[true]} as {names[taken]}, {100 * sure:.0f} % sure"
            for true, taken, sure in zip(
                labels_N[worst].tolist(), predicted_N[worst].tolist(), sure_N[worst].tolist(), strict=True
            )
        ]
        yield pictures("mistakes", self.data.valid_inputs[worst], captions, peak=self.data.peak)

    def baselines(self) -> Iterator[Event]:
        """Yield what answering the commonest class always, and a linear model, achieve."""
        data = self.data
        majority = data.train_labels.mode().values
        share = float((data.valid_labels == majority).float().mean())
        yield Baseline(metric="valid/accuracy", name="majority class", value=share, source="always the commonest class")
        accuracy = logistic_accuracy(data, self.setting.seed)
        yield Baseline(
            metric="valid/accuracy", name="logistic regression", value=accuracy, source="trained on the same split"
        )
        yield Baseline(
            metric="valid/loss", name="guessing", value=math.log(len(data.classes)), source="ln of the classes"
        )


def start_from(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Begin with the weights of another run's model; a last layer for other classes begins anew, as a whole.

    Args:
        model: changed in place.
        tensors: of a checkpoint, by role and name.

    Raises:
        RunError: what comes before the last layer does not fit.
    """
    own = model.state_dict()
    head = {name: tensor for name, tensor in own.items() if name.startswith(HEAD)}
    body = {name: tensor for name, tensor in own.items() if name not in head}
    knobs = "the sizes of the network and of what it sees"
    copy_weights(body, tensors, knobs)
    found = {name: tensors.get(f"model.{name}") for name in head}
    if all(other is not None and other.shape == head[name].shape for name, other in found.items()):
        copy_weights(head, tensors, knobs)


def confusion(labels_N: Tensor, predicted_N: Tensor, classes: int) -> Tensor:
    """Return how often each class (row) was taken for each class (column): ``KK``."""
    counts = torch.bincount((labels_N * classes + predicted_N).cpu(), minlength=classes * classes)
    return counts.view(classes, classes).double()


def by_class(counts_KK: Tensor, classes: list[str]) -> Table:
    """Return precision and recall of every class as a table."""
    right_K, true_K, taken_K = counts_KK.diagonal(), counts_KK.sum(1), counts_KK.sum(0)
    rows = [
        [name, f"{true:,.0f}", percent(right, taken), percent(right, true)]
        for name, right, true, taken in zip(classes, right_K.tolist(), true_K.tolist(), taken_K.tolist(), strict=True)
    ]
    return Table(name="by class", columns=["class", "examples", "precision", "recall"], rows=rows)


def percent(part: float, whole: float) -> str:
    """Return a share as people write it; a dash where there is nothing to be a share of."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def pictures(name: str, values_NCHW: Tensor, captions: list[str] | None = None, *, peak: int = 255) -> Pictures:
    """Return pictures as an event; what is not bytes is stretched so that zero is gray and the largest value white.

    Only 1 or 3 channels can be seen; of other numbers the mean is shown.

    Args:
        name: of the event.
        values_NCHW: bytes from 0 to `peak`, or floats.
        captions: one a picture, or none.
        peak: the byte that is white.
    """
    if values_NCHW.shape[1] not in (1, 3):
        values_NCHW = values_NCHW.float().mean(1, keepdim=True)
    if values_NCHW.dtype == torch.uint8:
        values_NCHW = (values_NCHW.float() * (255 / peak)).round().to(torch.uint8)
    else:
        largest_N = values_NCHW.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
        values_NCHW = (127.5 + 127.5 * values_NCHW / largest_N).to(torch.uint8)
    count, channels, height, width = values_NCHW.shape
    pixels = values_NCHW.permute(0, 2, 3, 1).contiguous().cpu().numpy().tobytes()
    return Pictures(
        name=name, count=count, height=height, width=width, channels=channels, pixels=pixels, captions=captions or []
    )
